/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the neighbours: does a query hold, does a check succeed, is an alert still there? */
#include <errno.h>
#include <math.h>

#include "responder/targets/internal.h"
#include "runbook/exposition.h"

/* Alertmanager's list is about 0.5 KB an alert: room for a hundred thousand of them. */
#define ALERTS_BODY_MAX ((size_t)64 * 1024 * 1024)

/* One request to a neighbour; `who` names it in errors. */
static int ask(const char *who, const struct http_request *request, struct http_response *ret,
               struct error *error)
{
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (!client)
                return error_oom(error);
        int r = http_fetch(client, request, ret, error);
        return r < 0 ? error_prefix(error, r, "%s", who) : 0;
}

int query_answer_parse(long status, const char *body, size_t length, bool *ret_holds, double *ret_value,
                       struct error *error)
{
        _cleanup_json_ cJSON *answer = NULL;
        int r = json_parse(body, length, &answer, error);
        if (r < 0)
                return status == 200 ? error_prefix(error, r, "Prometheus' answer")
                                     : error_set(error, EREMOTEIO, "Prometheus answered HTTP %ld", status);
        if (!string_equal(json_string(answer, "status"), "success")) {
                const char *sentence = json_string(answer, "error");
                return error_set(error, EREMOTEIO, "Prometheus: %s", sentence ? sentence : "no success");
        }

        const char *type = json_string(json_get(answer, "data", NULL), "resultType");
        const cJSON *result = json_get(answer, "data", "result", NULL);
        /* A scalar is always there, whatever it says; so it can be no verdict. */
        if (!string_equal(type, "vector"))
                return error_set(error, EINVAL,
                                 "the query gives a %s, where a vector that is empty or not is wanted: "
                                 "compare, as in `x < 2`",
                                 type ? type : "nothing");
        if (!cJSON_IsArray(result))
                return error_set(error, EBADMSG, "Prometheus' answer has no result");

        const char *first = cJSON_GetStringValue(
                cJSON_GetArrayItem(json_get(cJSON_GetArrayItem(result, 0), "value", NULL), 1));
        *ret_value = first ? strtod(first, NULL) : NAN;
        *ret_holds = cJSON_GetArraySize(result) > 0;
        return 0;
}

int targets_query_holds(struct targets *targets, const char *query, struct deadline deadline, bool *ret_holds,
                        double *ret_value, struct error *error)
{
        static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
        const char *base = targets_set(targets)->prometheus_url;
        if (!base || !*base)
                return error_set(error, ENOTSUP, "there is no `prometheus_url` in the configuration");

        /* By POST: a query may be longer than what is allowed in a URL. */
        _cleanup_free_ char *url = targets_url(base, "/api/v1/query");
        _cleanup_text_ struct text form = {0};
        text_puts(&form, "query=");
        http_put_escaped(&form, query);
        if (!url || text_error(&form) < 0)
                return error_oom(error);
        struct http_request request = {
                .method = "POST",
                .url = url,
                .headers = headers,
                .body = text_string(&form),
                .body_length = form.length,
                .deadline = deadline,
        };
        _cleanup_http_response_ struct http_response response = {0};
        int r = ask("Prometheus", &request, &response, error);
        if (r < 0)
                return r;
        return query_answer_parse(response.status, text_string(&response.body), response.body.length,
                                  ret_holds, ret_value, error);
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
        if (!base || !*base)
                return error_set(error, ENOTSUP, "there is no `exporter_url` in the configuration");

        _cleanup_free_ char *path = targets_url(base, "/metrics?collect[]=");
        _cleanup_text_ struct text url = {0};
        if (path)
                text_puts(&url, path);
        http_put_escaped(&url, check);
        if (!path || text_error(&url) < 0)
                return error_oom(error);
        /* The exporter answers half a second before what Prometheus' header names, with what it has by then.
         */
        _cleanup_free_ char *patience = text_format("X-Prometheus-Scrape-Timeout-Seconds: %.3f",
                                                    nsec_to_seconds(deadline_left(deadline)));
        if (!patience)
                return error_oom(error);
        struct http_request request = {
                .url = text_string(&url),
                .headers = (const char *const[]){patience, "Accept: text/plain;version=0.0.4", NULL},
                .deadline = deadline,
        };
        _cleanup_http_response_ struct http_response response = {0};
        int r = ask("the exporter", &request, &response, error);
        if (r < 0)
                return r;
        if (response.status != 200)
                return error_set(error, EREMOTEIO, "the exporter answered HTTP %ld for check \"%s\"",
                                 response.status, check);
        return check_answer_parse(text_string(&response.body), response.body.length, check, ret_holds, error);
}

int alerts_answer_parse(const char *body, size_t length, const char *fingerprint, bool *ret_active,
                        struct error *error)
{
        _cleanup_json_ cJSON *alerts = NULL;
        int r = json_parse(body, length, &alerts, error);
        if (r < 0)
                return error_prefix(error, r, "Alertmanager's answer");
        if (!cJSON_IsArray(alerts))
                return error_set(error, EBADMSG, "Alertmanager's answer is not a list of alerts");

        const cJSON *alert = NULL;
        bool active = false;
        cJSON_ArrayForEach(alert, alerts)
        {
                const char *theirs = json_string(alert, "fingerprint");
                /* Without fingerprints its list says nothing, and nothing must not be read as "gone". */
                if (!theirs)
                        return error_set(error, EBADMSG,
                                         "Alertmanager's answer has an alert without a fingerprint");
                active = active || string_equal(theirs, fingerprint);
        }
        *ret_active = active;
        return 0;
}

int targets_alert_active(struct targets *targets, const char *fingerprint, struct deadline deadline,
                         bool *ret_active, struct error *error)
{
        const char *base = targets_set(targets)->alertmanager_url;
        if (!base || !*base)
                return error_set(error, ENOTSUP, "there is no `alertmanager_url` in the configuration");

        _cleanup_free_ char *url =
                targets_url(base, "/api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true");
        if (!url)
                return error_oom(error);
        struct http_request request = {.url = url, .deadline = deadline, .body_limit = ALERTS_BODY_MAX};
        _cleanup_http_response_ struct http_response response = {0};
        int r = ask("Alertmanager", &request, &response, error);
        if (r < 0)
                return r;
        if (response.status != 200)
                return error_set(error, EREMOTEIO, "Alertmanager answered HTTP %ld", response.status);
        return alerts_answer_parse(text_string(&response.body), response.body.length, fingerprint, ret_active,
                                   error);
}
