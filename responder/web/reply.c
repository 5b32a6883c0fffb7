/* SPDX-License-Identifier: Apache-2.0 */
/* Answers in JSON. */
#include <errno.h>

#include "responder/web/internal.h"

static const struct {
        int code;
        unsigned status;
} statuses[] = {
        {ENOENT, 404}, {ESTALE, 409}, {EALREADY, 409}, {EINVAL, 400}, {EBADMSG, 400},
        {EAGAIN, 503}, {EACCES, 403}, {ENOSPC, 503},   {EROFS, 503},  {EBUSY, 503},
        {EXDEV, 503},  {EIO, 503},    {ENODEV, 503},
};

void api_reply_error(struct http_exchange *exchange, int result, const struct error *error)
{
        unsigned status = 500;
        for (size_t i = 0; i < N_ELEMENTS(statuses); i++)
                if (statuses[i].code == -result)
                        status = statuses[i].status;
        struct text body = {0};
        text_puts(&body, "{\"error\":");
        text_put_json(&body, error_text(error));
        text_puts(&body, "}\n");
        http_reply(exchange, status, HTTP_TYPE_JSON, &body);
}

void api_reply_json(struct http_exchange *exchange, cJSON *take)
{
        json_mask(take);
        _cleanup_free_ char *printed = take ? json_print(take) : NULL;
        cJSON_Delete(take);
        if (!printed) {
                http_reply_text(exchange, 500, "out of memory");
                return;
        }
        struct text body = {0};
        text_puts(&body, printed);
        text_putc(&body, '\n');
        http_reply(exchange, 200, HTTP_TYPE_JSON, &body);
}
