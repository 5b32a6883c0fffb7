/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of responses, apart from any connection: for tests. */
#ifndef LIB_PROMETHEUS_INTERNAL_H
#define LIB_PROMETHEUS_INTERNAL_H

#include "runbook/prometheus.h"

/* Of prometheus_query()'s. */
int prometheus_answer_parse(long status, const char *body, size_t length, struct prometheus_answer *ret,
                            struct error *error);

/* Of prometheus_range()'s. */
int prometheus_range_parse(long status, const char *body, size_t length, cJSON **ret, struct error *error);

/* Of alertmanager_alerts()'. */
int alertmanager_alerts_parse(long status, const char *body, size_t length, cJSON **ret, struct error *error);

/* Of alertmanager_started()'. */
int alertmanager_status_parse(long status, const char *body, size_t length, nsec *ret_wall,
                              struct error *error);

/* What `path` of Alertmanager's API answers, to whatever `how` asks; its URL is filled in. */
int alertmanager_ask(struct http_client *client, const struct http_request *how, const char *base,
                     const char *path, struct http_response *ret, struct error *error);

#endif
