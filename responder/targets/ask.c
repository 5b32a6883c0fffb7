/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the neighbours: does a query hold, does a check succeed, is an alert still there? */
#include <errno.h>
#include <math.h>

#include "responder/targets/internal.h"
#include "runbook/exposition.h"
#include "runbook/prometheus.h"

/* -ENOTSUP where the configuration does not say who is to be asked. */
static int check_url(const char *url, const char *key, struct error *error)
{
        return url && *url ? 0 : error_set(error, ENOTSUP, "there is no `%s` in the configuration", key);
}

int targets_query_holds(struct targets *targets, const char *query, struct deadline deadline, bool *ret_holds,
                        double *ret_value, struct error *error)
{
        const char *base = targets_set(targets)->prometheus_url;
        int r = check_url(base, "prometheus_url", error);
        if (r < 0)
                return r;
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (!client)
                return error_oom(error);
        const struct http_request how = {.method = "POST", .deadline = deadline};
        _cleanup_(prometheus_answer_release) struct prometheus_answer answer = {0};
        r = prometheus_query(client, &how, base, query, &answer, error);
        if (r < 0)
                return r;
        /* A scalar is always there, whatever it says; so it can be no verdict. */
        if (answer.scalar)
                return error_set(error, EINVAL,
                                 "the query gives a scalar, where a vector that is empty or not is wanted: "
                                 "compare, as in `x < 2`");
        *ret_value = answer.count > 0 ? answer.series[0].value : NAN;
        *ret_holds = answer.count > 0;
        return 0;
}

static bool is_of_check(const struct exposition_sample *sample, const char *check)
{
        if (!string_equal(sample->name, "runbook_check_success"))
                return false;
        for (size_t i = 0; i < sample->label_count; i++)
                if (string_equal(sample->labels[i].name, "check"))
                        return string_equal(sample->labels[i].value, check);
        return false;
}

int check_answer_parse(const char *page, size_t length, const char *check, bool *ret_holds,
                       struct error *error)
{
        _cleanup_(exposition_release) struct exposition read;
        struct exposition_sample sample;
        exposition_init(&read, page, length);
        int r;
        do
                r = exposition_next(&read, &sample);
        while (r > 0 && !is_of_check(&sample, check));
        if (r == -ENOMEM)
                return error_oom(error);
        if (r < 0)
                return error_set(error, EBADMSG, "line %zu of the exporter's answer is no sample", read.line);
        if (r == 0)
                return error_set(error, ENOENT, "the exporter has no check \"%s\"", check);
        if (sample.value != 0 && sample.value != 1)
                return error_set(error, EBADMSG, "the exporter's answer for check \"%s\" is neither 0 nor 1",
                                 check);
        *ret_holds = sample.value == 1;
        return 0;
}

int targets_check_holds(struct targets *targets, const char *check, struct deadline deadline, bool *ret_holds,
                        struct error *error)
{
        const char *base = targets_set(targets)->exporter_url;
        int r = check_url(base, "exporter_url", error);
        if (r < 0)
                return r;
        _cleanup_text_ struct text url = {0};
        http_put_url(&url, base, "/metrics?collect[]=");
        http_put_escaped(&url, check);
        /* The exporter answers half a second before what Prometheus' header names, with what it has by then.
         */
        _cleanup_free_ char *patience = text_format("X-Prometheus-Scrape-Timeout-Seconds: %.3f",
                                                    nsec_to_seconds(deadline_left(deadline)));
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (text_error(&url) < 0 || !patience || !client)
                return error_oom(error);
        const struct http_request request = {
                .url = text_string(&url),
                .headers = (const char *const[]){patience, "Accept: text/plain;version=0.0.4", NULL},
                .deadline = deadline,
        };
        _cleanup_http_response_ struct http_response response = {0};
        r = http_fetch(client, &request, &response, error);
        if (r < 0)
                return error_prefix(error, r, "the exporter");
        if (response.status != 200)
                return error_set(error, EREMOTEIO, "the exporter answered HTTP %ld for check \"%s\"",
                                 response.status, check);
        return check_answer_parse(text_string(&response.body), response.body.length, check, ret_holds, error);
}

int targets_alert_active(struct targets *targets, const char *fingerprint, struct deadline deadline,
                         bool *ret_active, struct error *error)
{
        const char *base = targets_set(targets)->alertmanager_url;
        int r = check_url(base, "alertmanager_url", error);
        if (r < 0)
                return r;
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (!client)
                return error_oom(error);
        const struct http_request how = {.deadline = deadline};
        _cleanup_json_ cJSON *alerts = NULL;
        r = alertmanager_alerts(client, &how, base, &(struct alertmanager_wanted){0}, &alerts, error);
        if (r < 0)
                return r;
        *ret_active = alertmanager_has(alerts, fingerprint);
        return 0;
}
