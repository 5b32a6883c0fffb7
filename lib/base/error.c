/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: a negative errno and a sentence. */
#include "runbook/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runbook/text.h"

/* Replaces the sentence by what the format gives, and ": <end>" where there is an end, which may be the
 * present sentence. For want of memory the present one stays. */
static void say(struct error *error, const char *end, const char *format, va_list args) _printf_(3, 0);

static void say(struct error *error, const char *end, const char *format, va_list args)
{
        struct text text = {0};
        if (!error)
                return;
        text_vprintf(&text, format, args);
        if (end)
                text_printf(&text, ": %s", end);
        char *message = text_take(&text);
        if (message) {
                free(error->message);
                error->message = message;
        }
}

int error_set(struct error *error, int code, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        say(error, NULL, format, args);
        va_end(args);
        return -code;
}

int error_set_errno(struct error *error, int code, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        say(error, error_reason(code), format, args);
        va_end(args);
        return -code;
}

const char *error_reason(int code)
{
        static _Thread_local char unknown[32];
        const char *reason = strerrordesc_np(code);
        if (reason)
                return reason;
        snprintf(unknown, sizeof(unknown), "error %d", code);
        return unknown;
}

int error_prefix(struct error *error, int result, const char *format, ...)
{
        va_list args;
        if (result >= 0)
                return result;
        va_start(args, format);
        say(error, error_text(error), format, args);
        va_end(args);
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
