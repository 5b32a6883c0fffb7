/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --web.config.file: TLS, client certificates, users and headers of the HTTP server, in the format of
 * Prometheus' exporter-toolkit.
 *
 * A configuration is immutable and reference-counted. The HTTP server reads it again by itself when one of
 * its files has changed; one that does not load then leaves the last good one in force.
 */
#ifndef RUNBOOK_WEB_CONFIG_H
#define RUNBOOK_WEB_CONFIG_H

#include "runbook/error.h"

struct web_config;

/* Reads the file and everything it names. -EINVAL with every mistake, one a line; never with a secret. */
int web_config_load(const char *path, struct web_config **ret, struct error *error);
struct web_config *web_config_ref(struct web_config *config);
struct web_config *web_config_unref(struct web_config *config); /* takes NULL, returns NULL */
DEFINE_CLEANUP(struct web_config *, web_config_unref);

bool web_config_has_users(const struct web_config *config);
bool web_config_has_user(const struct web_config *config, const char *name);

/* Whether nobody gets in without a password or a verified client certificate. NULL: no. */
bool web_config_authenticates(const struct web_config *config);

#endif
