/* SPDX-License-Identifier: Apache-2.0 */
/* Instant queries of PromQL, and ranges. (prometheus.io/docs/prometheus/latest/querying/api) */
#include <errno.h>
#include <math.h>

#include "lib/prometheus/internal.h"

#define RANGE_BYTES ((size_t)64 << 20)
enum { RANGE_VALUES = 4000000 };

void prometheus_answer_release(struct prometheus_answer *answer)
{
        free(answer->series);
        cJSON_Delete(answer->document);
        *answer = (struct prometheus_answer){0};
}

/* Of [time, …]. */
static double time_of(const cJSON *pair)
{
        const cJSON *at = cJSON_GetArrayItem(pair, 0);
        return cJSON_IsNumber(at) ? at->valuedouble : 0;
}

/* Of [time, "value"]. */
static int read_value(const cJSON *pair, struct prometheus_series *series, struct error *error)
{
        const char *word = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1));
        char *end = NULL;
        double value = word ? strtod(word, &end) : NAN;
        if (!word || end == word || *end)
                return error_set(error, EBADMSG, "Prometheus answered a value that is not a number");
        series->value = value;
        series->has_value = true;
        series->at = time_of(pair);
        return 0;
}

static int read_series(const cJSON *item, struct prometheus_series *series, struct error *error)
{
        *series = (struct prometheus_series){.labels = json_get(item, "metric", NULL), .value = NAN};
        if (!cJSON_IsObject(series->labels))
                return error_set(error, EBADMSG, "Prometheus answered a series without labels");
        const cJSON *value = json_get(item, "value", NULL);
        const cJSON *histogram = json_get(item, "histogram", NULL);
        if (!value && histogram) {
                series->at = time_of(histogram);
                return 0;
        }
        return read_value(value, series, error);
}

static int read_result(const cJSON *data, struct prometheus_answer *answer, struct error *error)
{
        const char *type = json_string(data, "resultType");
        const cJSON *result = json_get(data, "result", NULL), *item;
        if (!type || !cJSON_IsArray(result))
                return error_set(error, EBADMSG, "Prometheus' answer has no result");
        answer->scalar = string_equal(type, "scalar");
        if (!answer->scalar && !string_equal(type, "vector"))
                return error_set(error, EINVAL, "the query gives a %.32s, not an instant vector or a scalar",
                                 type);

        size_t count = answer->scalar ? 1 : (size_t)cJSON_GetArraySize(result);
        answer->series = calloc(count + 1, sizeof(*answer->series));
        if (!answer->series)
                return error_oom(error);
        if (answer->scalar)
                return read_value(result, &answer->series[answer->count++], error);
        cJSON_ArrayForEach(item, result)
        {
                int r = read_series(item, &answer->series[answer->count++], error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What Prometheus answered, as far as it did. */
static int read_document(long status, const char *body, size_t length, const struct json_limits *limits,
                         cJSON **ret, struct error *error)
{
        _cleanup_json_ cJSON *document = NULL;
        int r = json_parse_strict(body, length, limits, &document, error);
        if (r < 0 && status == 200)
                return error_prefix(error, r, "Prometheus' answer");
        /* What refuses may be a proxy, which has no JSON. */
        if (r < 0 || !string_equal(json_string(document, "status"), "success")) {
                const char *reason = json_string(document, "error");
                return error_set(error, EREMOTEIO, "Prometheus answered %ld: %.200s", status,
                                 reason ? reason : "no reason given");
        }
        *ret = TAKE_PTR(document);
        return 0;
}

int prometheus_answer_parse(long status, const char *body, size_t length, struct prometheus_answer *ret,
                            struct error *error)
{
        _cleanup_(prometheus_answer_release) struct prometheus_answer answer = {0};
        int r = read_document(status, body, length, &json_answer_limits, &answer.document, error);
        if (r < 0)
                return r;
        r = read_result(json_get(answer.document, "data", NULL), &answer, error);
        if (r < 0)
                return r;
        *ret = answer;
        answer = (struct prometheus_answer){0};
        return 0;
}

int prometheus_answer_check_whole(const struct prometheus_answer *answer, struct error *error)
{
        const cJSON *warning;
        cJSON_ArrayForEach(warning, cJSON_GetObjectItemCaseSensitive(answer->document, "warnings"))
        {
                const char *text = cJSON_GetStringValue(warning);
                if (text && !string_starts(text, "PromQL "))
                        return error_set(error, ENODATA, "Prometheus has only a part of the answer: %.200s",
                                         text);
        }
        return cJSON_IsTrue(json_get(answer->document, "isPartial", NULL))
                       ? error_set(error, ENODATA, "Prometheus has only a part of the answer")
                       : 0;
}

/* The caller's headers and the form's type, closed by NULL; free() the list. */
static const char **form_headers(const char *const *headers)
{
        size_t count = 0;
        while (headers && headers[count])
                count++;
        const char **all = calloc(count + 2, sizeof(*all));
        if (!all)
                return NULL;
        for (size_t i = 0; i < count; i++)
                all[i] = headers[i];
        all[count] = "Content-Type: application/x-www-form-urlencoded";
        return all;
}

int prometheus_query(struct http_client *client, const struct http_request *how, const char *base,
                     const char *query, double at, struct prometheus_answer *ret, struct error *error)
{
        bool form = string_equal(how->method, "POST");
        _cleanup_text_ struct text url = {0}, body = {0};
        _cleanup_free_ const char **headers = form ? form_headers(how->headers) : NULL;
        struct text *parameters = form ? &body : &url;
        http_put_url(&url, base, form ? "/api/v1/query" : "/api/v1/query?");
        text_puts(parameters, "query=");
        text_put_escaped(parameters, query);
        if (at != 0)
                text_printf(parameters, "&time=%.3f", at);
        if (text_error(&url) < 0 || text_error(&body) < 0 || (form && !headers))
                return error_oom(error);

        struct http_request request = *how;
        request.url = text_string(&url);
        if (form) {
                request.headers = headers;
                request.body = text_string(&body);
                request.body_length = body.length;
        }
        _cleanup_http_response_ struct http_response response = {0};
        int r = http_fetch(client, &request, &response, error);
        if (r < 0)
                return error_prefix(error, r, "Prometheus");
        return prometheus_answer_parse(response.status, text_string(&response.body), response.body.length,
                                       ret, error);
}

int prometheus_range_parse(long status, const char *body, size_t length, cJSON **ret, struct error *error)
{
        static const struct json_limits limits = {.depth = 8, .values = RANGE_VALUES};
        _cleanup_json_ cJSON *document = NULL;
        int r = read_document(status, body, length, &limits, &document, error);
        if (r < 0)
                return r;
        cJSON *data = cJSON_GetObjectItemCaseSensitive(document, "data");
        cJSON *result = cJSON_GetObjectItemCaseSensitive(data, "result");
        if (!string_equal(json_string(data, "resultType"), "matrix") || !cJSON_IsArray(result))
                return error_set(error, EBADMSG, "Prometheus' answer has no matrix");
        *ret = cJSON_DetachItemViaPointer(data, result);
        return 0;
}

int prometheus_range(struct http_client *client, const struct http_request *how, const char *base,
                     const char *query, nsec start, nsec end, nsec step, cJSON **ret, struct error *error)
{
        _cleanup_text_ struct text url = {0};
        http_put_url(&url, base, "/api/v1/query_range?query=");
        text_put_escaped(&url, query);
        text_printf(&url, "&start=%.3f&end=%.3f&step=%.3f", nsec_to_seconds(start), nsec_to_seconds(end),
                    nsec_to_seconds(step));
        if (text_error(&url) < 0)
                return error_oom(error);
        struct http_request request = *how;
        request.url = text_string(&url);
        request.body_limit = RANGE_BYTES;
        _cleanup_http_response_ struct http_response response = {0};
        int r = http_fetch(client, &request, &response, error);
        if (r < 0)
                return error_prefix(error, r, "Prometheus");
        return prometheus_range_parse(response.status, text_string(&response.body), response.body.length, ret,
                                      error);
}
