/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a query holds, by what Prometheus says. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "responder/targets/internal.h"
#include "runbook/prometheus.h"
#include "runbook/promql.h"

int targets_check_url(const char *url, const char *key, struct error *error)
{
        return url && *url ? 0 : error_set(error, ENOTSUP, "there is no `%s` in the configuration", key);
}

/* One condition asked of one Prometheus, all its parts at the same moment: that of the first answer that has
 * one. */
struct asking {
        struct http_client *client;
        const char *base;
        struct deadline deadline;
        double at;
};

static struct promql_found sum_up(const struct prometheus_answer *answer)
{
        struct promql_found found = {.series = answer->count, .value = NAN};
        for (size_t i = 0; i < answer->count; i++) {
                const struct prometheus_series *one = &answer->series[i];
                bool number = one->has_value && !isnan(one->value);
                if (number && found.numbers == 0)
                        found.value = one->value;
                /* A native histogram has no value, and is there all the same. */
                found.numbers += number || !one->has_value;
                found.zeros += number && one->value == 0;
                found.at = one->at;
        }
        return found;
}

static int ask_prometheus(void *context, const char *expression, struct promql_found *ret,
                          struct error *error)
{
        struct asking *asking = context;
        const struct http_request how = {.method = "POST", .deadline = asking->deadline};
        _cleanup_(prometheus_answer_release) struct prometheus_answer answer = {0};
        int r = prometheus_query(asking->client, &how, asking->base, expression, asking->at, &answer, error);
        if (r < 0)
                return r;
        r = prometheus_answer_check_whole(&answer, error);
        if (r < 0)
                return r;
        *ret = sum_up(&answer);
        if (ret->at != 0)
                asking->at = ret->at;
        return 0;
}

/* Of [[time, "value"], …] what is a number, as [[seconds, value], …]. */
static int read_past(const cJSON *values, cJSON **ret, struct error *error)
{
        const cJSON *pair;
        _cleanup_json_ cJSON *past = cJSON_CreateArray();
        if (!past)
                return error_oom(error);
        cJSON_ArrayForEach(pair, values)
        {
                const cJSON *at = cJSON_GetArrayItem(pair, 0);
                const char *word = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1));
                char *end = NULL;
                double value = word ? strtod(word, &end) : NAN;
                if (!cJSON_IsNumber(at) || !word || end == word || *end)
                        return error_set(error, EBADMSG, "Prometheus answered a value that is not a number");
                const double point[] = {at->valuedouble, value};
                if (isfinite(value) &&
                    json_append(past, cJSON_CreateDoubleArray(point, N_ELEMENTS(point))) < 0)
                        return error_oom(error);
        }
        *ret = TAKE_PTR(past);
        return 0;
}

int targets_query_past(struct targets *targets, const char *query, nsec from, nsec to, unsigned points,
                       struct deadline deadline, cJSON **ret, struct error *error)
{
        const char *base = targets_set(targets)->prometheus_url;
        _cleanup_free_ char *measured = NULL;
        _cleanup_json_ cJSON *matrix = NULL;
        int r = targets_check_url(base, "prometheus_url", error);
        if (r >= 0)
                r = promql_measured(query, &measured, error);
        if (r < 0)
                return r;
        if (!measured)
                return error_set(error, ENODATA, "the query compares nothing with a number");
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (!client)
                return error_oom(error);
        nsec step = (to - from) / (points > 1 ? points - 1 : 1);
        const struct http_request how = {.deadline = deadline};
        r = prometheus_range(client, &how, base, measured, from, to,
                             step > NSEC_PER_SEC ? step : NSEC_PER_SEC, &matrix, error);
        return r < 0 ? r : read_past(json_get(cJSON_GetArrayItem(matrix, 0), "values", NULL), ret, error);
}

int targets_query_holds(struct targets *targets, const char *query, nsec age, struct deadline deadline,
                        bool *ret_holds, double *ret_value, struct error *error)
{
        struct asking asking = {.base = targets_set(targets)->prometheus_url, .deadline = deadline};
        int r = targets_check_url(asking.base, "prometheus_url", error);
        if (r < 0)
                return r;
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (!client)
                return error_oom(error);
        asking.client = client;
        double seconds = age == TARGETS_ANY_AGE ? INFINITY : nsec_to_seconds(age);
        r = promql_holds(query, seconds, ask_prometheus, &asking, ret_value, error);
        if (r < 0)
                return r;
        *ret_holds = r > 0;
        return 0;
}
