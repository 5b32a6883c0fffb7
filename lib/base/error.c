/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: a negative errno and a sentence. */
#include "runbook/error.h"

#include <errno.h>

#include "runbook/text.h"

/* Replaces the sentence by `text`, which is taken; for want of memory the old one stays. */
static void replace(struct error *error, struct text *text)
{
        char *message = text_take(text);
        if (message) {
                free(error->message);
                error->message = message;
        }
}

int error_set(struct error *error, int code, const char *format, ...)
{
        if (error) {
                struct text text = {0};
                va_list args;
                va_start(args, format);
                text_vprintf(&text, format, args);
                va_end(args);
                replace(error, &text);
        }
        return -code;
}

int error_prefix(struct error *error, int result, const char *format, ...)
{
        if (error) {
                struct text text = {0};
                va_list args;
                va_start(args, format);
                text_vprintf(&text, format, args);
                va_end(args);
                text_printf(&text, ": %s", error_text(error));
                replace(error, &text);
        }
        return result;
}

int error_oom(struct error *error)
{
        return error_set(error, ENOMEM, "out of memory");
}

const char *error_text(const struct error *error)
{
        return error && error->message ? error->message : "unknown error";
}

void error_move(struct error *to, struct error *from)
{
        if (to && to != from) {
                free(to->message);
                to->message = TAKE_PTR(from->message);
        } else if (!to)
                error_clear(from);
}

void error_clear(struct error *error)
{
        free(error->message);
        error->message = NULL;
}
