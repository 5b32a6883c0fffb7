/* SPDX-License-Identifier: Apache-2.0 */
/* The alerts that an Alertmanager has. (github.com/prometheus/alertmanager, api/v2/openapi.yaml) */
#include <errno.h>

#include "lib/prometheus/internal.h"
#include "runbook/metrics.h"

/* An alert is about 0.5 KB: room for a hundred thousand of them. */
#define BODY_MAX ((size_t)64 * 1024 * 1024)

/* As many as a webhook may have: a `0` takes two bytes of the body, and 64 of the memory. */
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
                http_put_escaped(url, wanted->receiver);
        }
        const cJSON *label;
        cJSON_ArrayForEach(label, wanted->labels)
        {
                _cleanup_text_ struct text matcher = {0};
                if (!cJSON_IsString(label) || !label->string)
                        continue;
                put_matcher(&matcher, label->string, label->valuestring);
                text_puts(url, "&filter=");
                http_put_escaped(url, text_string(&matcher));
                if (text_error(&matcher) < 0)
                        url->error = text_error(&matcher);
        }
}

int alertmanager_alerts_parse(long status, const char *body, size_t length, cJSON **ret, struct error *error)
{
        _cleanup_json_ cJSON *alerts = NULL;
        if (status != 200)
                return error_set(error, EREMOTEIO, "Alertmanager answered %ld", status);
        int r = json_parse_strict(body, length, &alerts_limits, &alerts, error);
        if (r < 0)
                return error_prefix(error, r, "Alertmanager's answer");
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

bool alertmanager_has(const cJSON *alerts, const char *fingerprint)
{
        const cJSON *alert;
        cJSON_ArrayForEach(alert, alerts)
        {
                if (string_equal(json_string(alert, "fingerprint"), fingerprint))
                        return true;
        }
        return false;
}

int alertmanager_alerts(struct http_client *client, const struct http_request *how, const char *base,
                        const struct alertmanager_wanted *wanted, cJSON **ret, struct error *error)
{
        _cleanup_text_ struct text url = {0};
        http_put_url(&url, base, "/api/v2/alerts?");
        put_wanted(&url, wanted);
        if (text_error(&url) < 0)
                return error_oom(error);

        struct http_request request = *how;
        request.url = text_string(&url);
        request.body_limit = how->body_limit > 0 ? how->body_limit : BODY_MAX;
        _cleanup_http_response_ struct http_response response = {0};
        int r = http_fetch(client, &request, &response, error);
        if (r < 0)
                return error_prefix(error, r, "Alertmanager");
        return alertmanager_alerts_parse(response.status, text_string(&response.body), response.body.length,
                                         ret, error);
}
