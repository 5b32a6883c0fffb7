/* SPDX-License-Identifier: Apache-2.0 */
/* The files beside the pages, served. */
#include "runbook/html.h"
#include "runbook/http_server.h"

void html_handle_asset(struct http_exchange *exchange, void *context _unused_)
{
        const struct html_asset *asset = html_asset_find(http_path_parameter(exchange));
        struct text body = {0};
        if (!asset) {
                http_reply_text(exchange, 404, "there is no such file");
                return;
        }
        /* Pages name it with its version: what is kept of it is never old. */
        http_set_header(exchange, "Cache-Control", strdup("public, max-age=604800, immutable"));
        text_append(&body, asset->data, asset->length);
        http_reply(exchange, 200, asset->type, &body);
}
