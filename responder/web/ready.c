/* SPDX-License-Identifier: Apache-2.0 */
/* GET /-/ready: whether an alert that was sent now would be taken. */
#include "responder/web/internal.h"

void api_ready(struct api *api, struct http_exchange *exchange)
{
        _cleanup_error_ struct error why = {0};
        if (journal_standing(api->options.parts.journal, NULL, &why) == JOURNAL_FINE)
                http_reply_text(exchange, 200, "runbook_responder is up");
        else
                http_reply_text(exchange, 503, "not ready: %s", error_text(&why));
}
