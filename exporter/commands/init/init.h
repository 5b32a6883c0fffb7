/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `runbook_exporter init`: looks around on this machine and at its neighbours, and proposes checks for what
 * is there.
 *
 * exporter/commands/init is a room of its own because it alone asks neighbours that no file names yet. What
 * is looked for is one table of finders (init.c): a row says what, how, and a table beside it which checks it
 * writes. Nothing is changed anywhere, no secret is asked for, and what a peer says is bounded by the clients
 * of lib. Whether a check that was proposed works is not for this room: commands/new_files.c runs them once.
 * It uses lib/base, lib/config, and the clients lib/http/client, lib/docker, lib/postgres and lib/redis.
 */
#ifndef EXPORTER_COMMANDS_INIT_INIT_H
#define EXPORTER_COMMANDS_INIT_INIT_H

#include "runbook/error.h"
#include "runbook/flags.h"
#include "runbook/text.h"

/* What a first run of the check has to have shown for the check to be written. */
enum proposal_needs {
        NEEDS_ANSWER,  /* it could be looked at */
        NEEDS_SERIES,  /* and there was something to measure */
        NEEDS_NOTHING, /* somebody told that it is there, and it is a person's turn first: a secret, say */
};

/* One check that is to be written. */
struct proposal {
        char *topic, *name, *body; /* the body is its lines in YAML, each with its line break, not indented */
        char *why;                 /* how it was found: the comment above it */
        enum proposal_needs needs;
        bool dropped;
};

/* What the remediations need to know beside the checks. All may be NULL: not found. */
struct surroundings {
        char *docker_host, *project;
        struct text services; /* of that project, joined by "|"; "" for none */
        char *prometheus_url, *alertmanager_url;
};

struct proposals {
        struct proposal *items;
        size_t count;
        struct surroundings around;
        struct text
                told; /* what was looked for and is not there, or could not be looked at: lines for people */
};

/*
 * Looks around, for some seconds: at the places where things usually are, at those that the environment
 * names, and at `places` (host:port, URLs, connection strings, s3://BUCKET, directories). -EINVAL for a
 * place that is none of these; -ENOMEM. What is not there, or does not answer, is no error.
 */
int init_look(const struct flag_strings *places, struct proposals *ret, struct error *error);
void proposals_release(struct proposals *proposals);

/* checks.yml of what was not dropped, each check with its comment. -ENOMEM by the text's own error. */
void init_put_checks(const struct proposals *proposals, struct text *text);

/* One of them, as it stands under `checks:`. */
void init_put_check(const struct proposal *one, struct text *text);

/* remediations.yml for the services that were found: it plans, and does nothing until a person says so. */
void init_put_remediations(const struct proposals *proposals, struct text *text);

#endif
