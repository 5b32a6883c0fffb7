/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a daemon of ours answers, for whoever watches over its container. */
#include <errno.h>
#include <string.h>

#include "runbook/http_client.h"

#define PATIENCE (4 * NSEC_PER_SEC)

int http_find_alive(const char *url, struct error *error)
{
        _cleanup_http_client_ struct http_client *client = http_client_new();
        _cleanup_http_response_ struct http_response response = {0};
        _cleanup_text_ struct text whole = {0};
        const bool local = string_starts(url, "unix:");
        http_put_url(&whole, local ? "http://localhost" : url, "/-/healthy");
        if (!client || text_error(&whole) < 0)
                return error_oom(error);
        const struct http_request request = {.url = text_string(&whole),
                                             .unix_socket = local ? url + strlen("unix:") : NULL,
                                             .deadline = deadline_in(PATIENCE),
                                             .insecure = true};
        int r = http_fetch(client, &request, &response, error);
        if (r >= 0 && response.status >= 500)
                r = error_set(error, EREMOTEIO, "%s answered with status %ld", text_string(&whole),
                              response.status);
        return r < 0 ? r : 0;
}
