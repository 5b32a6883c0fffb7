/* SPDX-License-Identifier: Apache-2.0 */
/* GET /-/ready: whether an alert that was sent now would be taken; not whether all could be done about it,
 * which is told beside it. */
#include "responder/web/internal.h"

void api_ready(struct api *api, struct http_exchange *exchange)
{
        _cleanup_error_ struct error why = {0};
        bool fine = journal_standing(api->options.parts.journal, NULL, &why) == JOURNAL_FINE;
        size_t down = fine ? api_count_down(api) : 0;
        if (fine && down == 0)
                http_reply_text(exchange, 200, "runbook_responder is up");
        else if (fine)
                http_reply_text(exchange, 200, "runbook_responder is up; %zu of its targets do%s not answer",
                                down, down == 1 ? "es" : "");
        else
                http_reply_text(exchange, 503, "not ready: %s", error_text(&why));
}
