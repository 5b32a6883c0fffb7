/* SPDX-License-Identifier: Apache-2.0 */
/* What the JSON API tells of a remediation: what its guards would say of an alert now. */
#include <errno.h>

#include "responder/web/internal.h"

static const struct json_limits limits = {.depth = 8, .values = 10000};

/* The alert that the labels of the body {"labels": {…}} make, to be released after a success. */
static int read_labels(const struct http_exchange *exchange, struct alert *ret, struct error *error)
{
        const struct text *body = http_body(exchange);
        _cleanup_json_ cJSON *json = NULL, *only = cJSON_CreateObject();
        if (!only)
                return error_oom(error);
        int r = json_parse_strict(text_string(body), body->length, &limits, &json, error);
        if (r < 0)
                return r;
        cJSON *labels = cJSON_DetachItemFromObjectCaseSensitive(json, "labels");
        json_put(only, "labels", labels ? labels : cJSON_CreateObject());
        return alert_from_labels(only, clock_wall(), ret, error);
}

static cJSON *says_json(const struct guard_says *says)
{
        cJSON *json = cJSON_CreateObject();
        json_put(json, "guard", cJSON_CreateString(says->guard));
        json_put(json, "holds", cJSON_CreateBool(says->holds));
        json_put(json, "until", wall_json(says->until));
        json_put(json, "reason", json_text(*says->reason ? says->reason : NULL));
        json_put(json, "holder", json_text(*says->holder ? says->holder : NULL));
        return json;
}

int api_guards(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error)
{
        struct alert alert = {0};
        struct guards_say says = {0};
        int r = read_labels(exchange, &alert, error);
        if (r >= 0)
                r = engine_ask_guards(api->options.engine, http_path_parameter(exchange), &alert, &says,
                                      error);
        alert_release(&alert);
        if (r < 0)
                return r;
        cJSON *answer = cJSON_CreateObject(), *guards = cJSON_CreateArray();
        for (size_t i = 0; i < says.count; i++)
                (void)json_append(guards, says_json(&says.items[i]));
        json_put(answer, "lock", json_text(says.lock));
        json_put(answer, "guards", guards);
        free(says.lock);
        *ret = answer;
        return 0;
}
