/* SPDX-License-Identifier: Apache-2.0 */
/* Silences set and ended. (github.com/prometheus/alertmanager, api/v2/openapi.yaml) */
#include <errno.h>
#include <string.h>

#include "lib/prometheus/internal.h"
#include "runbook/text.h"

#define SAID_MOST 200

/* What is refused is told with what Alertmanager says of it. */
static int send(struct http_client *client, const struct http_request *how, const char *base,
                const char *path, const char *method, const char *body, struct error *error)
{
        static const char *const headers[] = {"Content-Type: application/json", NULL};
        _cleanup_http_response_ struct http_response response = {0};
        _cleanup_text_ struct text said = {0};
        struct http_request request = *how;
        request.method = method;
        request.body = body;
        request.body_length = body ? strlen(body) : 0;
        if (body)
                request.headers = headers;
        int r = alertmanager_ask(client, &request, base, path, &response, error);
        if (r < 0)
                return r;
        if (response.status == 200)
                return 0;
        text_put_line(&said, text_string(&response.body), SAID_MOST);
        return error_set(error, response.status == 404 ? ENOENT : EREMOTEIO, "Alertmanager answered %ld: %s",
                         response.status, text_string(&said));
}

int alertmanager_silence(struct http_client *client, const struct http_request *how, const char *base,
                         const cJSON *silence, struct error *error)
{
        _cleanup_free_ char *body = json_print(silence);
        return body ? send(client, how, base, "/api/v2/silences", "POST", body, error) : error_oom(error);
}

int alertmanager_unsilence(struct http_client *client, const struct http_request *how, const char *base,
                           const char *id, struct error *error)
{
        _cleanup_text_ struct text path = {0};
        text_puts(&path, "/api/v2/silence/");
        text_put_escaped(&path, id);
        if (text_error(&path) < 0)
                return error_oom(error);
        int r = send(client, how, base, text_string(&path), "DELETE", NULL, error);
        /* That it is not there is what is wanted. */
        return r == -ENOENT ? 0 : r;
}
