/* SPDX-License-Identifier: Apache-2.0 */
/* The alerts that an Alertmanager has. (github.com/prometheus/alertmanager, api/v2/openapi.yaml) */
#include <errno.h>

#include "lib/prometheus/internal.h"
#include "runbook/metrics.h"

/* An alert is about 0.5 KB: room for a hundred thousand of them. */
#define BODY_MAX ((size_t)64 * 1024 * 1024)

/* Of every answer. As many values as a webhook may have: a `0` takes two bytes of the body, and 64 of the
 * memory. */
static const struct json_limits alerts_limits = {.depth = 32, .values = 1000000, .marks_nul = true};

/* name="value"; a name that is not of the old kind stands in quotes, which only newer Alertmanagers take. */
static void put_matcher(struct text *text, const char *name, const char *value)
{
        if (metric_name_valid(name) && !strchr(name, ':'))
                text_puts(text, name);
        else
                text_put_json(text, name);
        text_putc(text, '=');
        text_put_json(text, value);
}

static void put_wanted(struct text *url, const struct alertmanager_wanted *wanted)
{
        const char *others = wanted->only_active ? "false" : "true";
        text_printf(url, "silenced=%s&inhibited=%s", others, others);
        if (wanted->receiver) {
                text_puts(url, "&receiver=");
                text_put_escaped(url, wanted->receiver);
        }
        const cJSON *label;
        cJSON_ArrayForEach(label, wanted->labels)
        {
                _cleanup_text_ struct text matcher = {0};
                if (!cJSON_IsString(label) || !label->string)
                        continue;
                put_matcher(&matcher, label->string, label->valuestring);
                text_puts(url, "&filter=");
                text_put_escaped(url, text_string(&matcher));
                if (text_error(&matcher) < 0)
                        url->error = text_error(&matcher);
        }
}

static int answer_parse(long status, const char *body, size_t length, cJSON **ret, struct error *error)
{
        if (status != 200)
                return error_set(error, EREMOTEIO, "Alertmanager answered %ld", status);
        int r = json_parse_strict(body, length, &alerts_limits, ret, error);
        return r < 0 ? error_prefix(error, r, "Alertmanager's answer") : 0;
}

int alertmanager_alerts_parse(long status, const char *body, size_t length, cJSON **ret, struct error *error)
{
        _cleanup_json_ cJSON *alerts = NULL;
        int r = answer_parse(status, body, length, &alerts, error);
        if (r < 0)
                return r;
        if (!cJSON_IsArray(alerts))
                return error_set(error, EBADMSG, "Alertmanager's answer is not a list of alerts");
        const cJSON *alert;
        cJSON_ArrayForEach(alert, alerts)
        {
                const char *fingerprint = json_string(alert, "fingerprint");
                if (!fingerprint || !*fingerprint)
                        return error_set(error, EBADMSG,
                                         "Alertmanager's answer has an alert without a fingerprint");
        }
        *ret = TAKE_PTR(alerts);
        return 0;
}

int alertmanager_ask(struct http_client *client, const struct http_request *how, const char *base,
                     const char *path, struct http_response *ret, struct error *error)
{
        _cleanup_text_ struct text url = {0};
        http_put_url(&url, base, path);
        if (text_error(&url) < 0)
                return error_oom(error);
        struct http_request request = *how;
        request.url = text_string(&url);
        request.body_limit = how->body_limit > 0 ? how->body_limit : BODY_MAX;
        int r = http_fetch(client, &request, ret, error);
        return r < 0 ? error_prefix(error, r, "Alertmanager") : 0;
}

int alertmanager_alerts(struct http_client *client, const struct http_request *how, const char *base,
                        const struct alertmanager_wanted *wanted, cJSON **ret, struct error *error)
{
        _cleanup_text_ struct text path = {0};
        text_puts(&path, "/api/v2/alerts?");
        put_wanted(&path, wanted);
        if (text_error(&path) < 0)
                return error_oom(error);
        _cleanup_http_response_ struct http_response response = {0};
        int r = alertmanager_ask(client, how, base, text_string(&path), &response, error);
        return r < 0 ? r
                     : alertmanager_alerts_parse(response.status, text_string(&response.body),
                                                 response.body.length, ret, error);
}

int alertmanager_silences(struct http_client *client, const struct http_request *how, const char *base,
                          cJSON **ret, struct error *error)
{
        _cleanup_http_response_ struct http_response response = {0};
        _cleanup_json_ cJSON *silences = NULL;
        int r = alertmanager_ask(client, how, base, "/api/v2/silences", &response, error);
        if (r >= 0)
                r = answer_parse(response.status, text_string(&response.body), response.body.length,
                                 &silences, error);
        if (r < 0)
                return r;
        if (!cJSON_IsArray(silences))
                return error_set(error, EBADMSG, "Alertmanager's answer is not a list of silences");
        *ret = TAKE_PTR(silences);
        return 0;
}

int alertmanager_status_parse(long status, const char *body, size_t length, nsec *ret_wall,
                              struct error *error)
{
        _cleanup_json_ cJSON *json = NULL;
        int r = answer_parse(status, body, length, &json, error);
        if (r < 0)
                return r;
        const char *uptime = json_string(json, "uptime");
        if (!uptime)
                return error_set(error, EBADMSG, "Alertmanager does not tell since when it is up");
        r = time_parse(uptime, ret_wall, error);
        return r < 0 ? error_prefix(error, -EBADMSG, "Alertmanager's uptime") : 0;
}

int alertmanager_started(struct http_client *client, const struct http_request *how, const char *base,
                         nsec *ret_wall, struct error *error)
{
        _cleanup_http_response_ struct http_response response = {0};
        int r = alertmanager_ask(client, how, base, "/api/v2/status", &response, error);
        return r < 0 ? r
                     : alertmanager_status_parse(response.status, text_string(&response.body),
                                                 response.body.length, ret_wall, error);
}
