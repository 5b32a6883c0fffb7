/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts of our own, posted to an Alertmanager as a Prometheus does it. */
#include <errno.h>

#include "lib/prometheus/internal.h"

#define SAID_MOST 200 /* of why it refused */

/* One that was posted before and is now over merges with what is there when it begins before its end. */
static int put_alert(cJSON *list, const struct alertmanager_posted *alert, nsec now, struct error *error)
{
        char starts[TIME_TEXT_MAX], ends[TIME_TEXT_MAX];
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        cJSON *annotations = cJSON_CreateObject();
        if (json_put(json, "labels", json_copy(alert->labels)) < 0 ||
            json_put(json, "annotations", annotations) < 0 ||
            json_put(annotations, "summary", json_text(alert->summary ? alert->summary : "")) < 0 ||
            json_put(json, "startsAt", json_text(time_format(now - NSEC_PER_SEC, starts))) < 0 ||
            json_put(json, "endsAt", json_text(time_format(now + alert->lasts, ends))) < 0 ||
            json_append(list, TAKE_PTR(json)) < 0)
                return error_oom(error);
        return 0;
}

static int fetch_time(struct http_client *client, const struct http_request *how, const char *base,
                      nsec *ret_wall, struct error *error)
{
        _cleanup_http_response_ struct http_response response = {0};
        int r = alertmanager_ask(client, how, base, "/api/v2/status", &response, error);
        if (r < 0)
                return r;
        if (response.status != 200)
                return error_set(error, EREMOTEIO, "Alertmanager answered %ld", response.status);
        return http_response_date(&response, ret_wall)
                       ? 0
                       : error_set(error, EBADMSG, "Alertmanager does not tell what time it is");
}

int alertmanager_post(struct http_client *client, const struct http_request *how, const char *base,
                      const struct alertmanager_posted *alerts, size_t count, struct error *error)
{
        static const char *const headers[] = {"Content-Type: application/json", NULL};
        nsec now = 0;
        int r = fetch_time(client, how, base, &now, error);
        _cleanup_json_ cJSON *list = cJSON_CreateArray();
        for (size_t i = 0; i < count && r >= 0; i++)
                r = list ? put_alert(list, &alerts[i], now, error) : error_oom(error);
        if (r < 0)
                return r;
        _cleanup_free_ char *body = json_print(list);
        if (!body)
                return error_oom(error);
        struct http_request request = *how;
        request.method = "POST";
        request.headers = headers;
        request.body = body;
        request.body_length = strlen(body);
        _cleanup_http_response_ struct http_response response = {0};
        r = alertmanager_ask(client, &request, base, "/api/v2/alerts", &response, error);
        if (r < 0 || response.status == 200)
                return r;
        _cleanup_text_ struct text said = {0};
        text_put_line(&said, text_string(&response.body), SAID_MOST);
        return error_set(error, EREMOTEIO, "Alertmanager answered %ld: %s", response.status,
                         text_string(&said));
}
