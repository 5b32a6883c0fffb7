/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our neighbours asked over their HTTP APIs: PromQL of a Prometheus, the alerts of an Alertmanager.
 *
 * The client is the caller's, and so is `how` a request is made: headers, credentials, TLS, limit and
 * deadline. Its URL and body are filled in here; a base URL may have a path, and slashes at its end. One
 * thread at a time, as the client.
 *
 * No answer is ever made up: -EREMOTEIO when the neighbour refused, with its status and reason; -EBADMSG for
 * what is no answer; otherwise what http_fetch() says, with the neighbour's name before it.
 *
 * lib/prometheus is here so that a check, a verification and a webhook ask and understand in the same way;
 * what an answer means is theirs to say. It uses lib/base, lib/metrics and lib/http/client.
 */
#ifndef RUNBOOK_PROMETHEUS_H
#define RUNBOOK_PROMETHEUS_H

#include "runbook/http_client.h"
#include "runbook/json.h"

/* One series of an instant query's result. */
struct prometheus_series {
        const cJSON *labels; /* an object in the answer's document; NULL of a scalar */
        bool has_value;      /* a native histogram has none */
        double value;        /* may be NaN or infinite; NaN when it has none */
        double at;           /* the moment that was asked for, seconds since the epoch; 0: not told */
};

struct prometheus_answer {
        bool scalar; /* one series, which is always there; otherwise it is an instant vector */
        struct prometheus_series *series;
        size_t count;
        cJSON *document;
};

/*
 * Asks for `query` at a moment, as an answer has told it; 0: at this one. By GET the client's connection is
 * kept; with how->method "POST" a query may be longer than URLs are, and no cache on the way answers it.
 * -EINVAL when the result is neither an instant vector nor a scalar.
 */
int prometheus_query(struct http_client *client, const struct http_request *how, const char *base,
                     const char *query, double at, struct prometheus_answer *ret, struct error *error);
void prometheus_answer_release(struct prometheus_answer *answer);

/*
 * -ENODATA where a storage behind Prometheus gave no answer, so what there is may be half of it: Prometheus
 * and Thanos warn of it, VictoriaMetrics has a word for it. What PromQL has to say about a query stands among
 * the warnings, too, and is nothing of the kind.
 */
int prometheus_answer_check_whole(const struct prometheus_answer *answer, struct error *error);

/*
 * GET /api/v1/query_range: the matrix of `query` from one moment to another (wall), a sample each step: an
 * array of {"metric": {…}, "values": [[time, "value"], …]}. Of at most 64 MiB and 4,000,000 values.
 */
int prometheus_range(struct http_client *client, const struct http_request *how, const char *base,
                     const char *query, nsec start, nsec end, nsec step, cJSON **ret, struct error *error);

/* Which alerts are asked for: of all zeroes, every one. */
struct alertmanager_wanted {
        const char *receiver; /* a regular expression, as webhooks have it; NULL: of any */
        const cJSON *labels; /* an object: the labels that they must have; what is no string is passed over */
        bool only_active;    /* not those that are silenced or inhibited */
};

/*
 * GET /api/v2/alerts: an array of objects, each with its fingerprint. An answer where one has none is
 * refused, for an alert that cannot be told must not read as one that is gone. At most 64 MiB, unless `how`
 * limits it.
 */
int alertmanager_alerts(struct http_client *client, const struct http_request *how, const char *base,
                        const struct alertmanager_wanted *wanted, cJSON **ret, struct error *error);

/* GET /api/v2/silences: an array of objects, those that are over among them. Limited in the same way. */
int alertmanager_silences(struct http_client *client, const struct http_request *how, const char *base,
                          cJSON **ret, struct error *error);

/* POST /api/v2/silences: sets one, and DELETE /api/v2/silence/{id}: ends one. */
int alertmanager_silence(struct http_client *client, const struct http_request *how, const char *base,
                         const cJSON *silence, struct error *error);
int alertmanager_unsilence(struct http_client *client, const struct http_request *how, const char *base,
                           const char *id, struct error *error);

/* GET /api/v2/status: when it was started, by its own clock (wall). */
int alertmanager_started(struct http_client *client, const struct http_request *how, const char *base,
                         nsec *ret_wall, struct error *error);

/* An alert that is posted. */
struct alertmanager_posted {
        const cJSON *labels;
        const char *summary;
        nsec lasts; /* from now on; 0: it is over */
};

/*
 * POST /api/v2/alerts, of which each fires as long as it lasts by the clock of the Alertmanager, which is
 * asked first (GET /api/v2/status, the header Date): so two clocks that differ make no alert last longer, and
 * what was sent late does not last longer either. What was posted before is renewed, or ended. -EBADMSG: it
 * does not tell what time it is.
 */
int alertmanager_post(struct http_client *client, const struct http_request *how, const char *base,
                      const struct alertmanager_posted *alerts, size_t count, struct error *error);

#endif
