/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The responder's HTTP side: webhook, JSON API, metrics and the landing page.
 *
 * Whatever reads or writes the journal is answered from a few threads of its own, so that the server's event
 * thread never waits for a disk.
 *
 * responder/web turns requests into questions to the journal and decisions for the engine, and is the only
 * room that knows who may ask what. It uses responder/engine, responder/incident, responder/journal,
 * responder/remediation, responder/alert, the configuration of responder/targets, lib/http/server,
 * lib/http/client, lib/prometheus, lib/html, lib/base, lib/config and lib/metrics.
 */
#ifndef RESPONDER_WEB_WEB_H
#define RESPONDER_WEB_WEB_H

#include "responder/coverage/coverage.h"
#include "responder/engine/engine.h"
#include "responder/web/reloads.h"
#include "runbook/http_server.h"
#include "runbook/sandbox.h"

struct api;

struct api_options {
        const char *const *listen_addresses; /* closed by NULL */
        struct engine *engine;
        struct incident_parts parts; /* what the engine was started with: set and world are engine_parts()' */
        struct reloads *reloads;
        const char *external_url;    /* where a proxy is reached that forwards to it; NULL: there is none */
        bool enable_lifecycle;       /* POST /-/reload is answered, for who may operate */
        const char *web_config_file; /* NULL: none */
        bool must_authenticate;      /* a web configuration that lets everybody in is never taken */
        /* Of those whom the web configuration knows, separated by commas: who may decide and reload; who may
         * send alerts. NULL: nobody. */
        const char *operators, *senders;
        const char *token_directory; /* where a web configuration authenticates nobody; see tokens.h */
        bool anybody_local_may_act;  /* nobody on this machine has to show anything */
        struct coverage_files coverage;
        const struct sandbox *sandbox; /* what was given up; NULL: nothing is told of it */
};

/*
 * It can do harm, so only this machine may reach it unless everybody who asks has to say who he is (-EPERM);
 * and whoever is named has to be somebody whose password or certificate can be checked (-EINVAL). Reads the
 * web configuration for that, and fills `must_authenticate`.
 */
int api_check_access(struct api_options *options, struct error *error);

/* Starts to serve. */
int api_start(const struct api_options *options, struct api **ret, struct error *error);

/* Takes no more requests, finishes those there are, frees. Takes NULL. Call before engine_stop(). */
struct api *api_stop(struct api *api);

#endif
