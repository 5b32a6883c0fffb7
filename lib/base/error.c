/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: a negative errno and a sentence. */
#include "runbook/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runbook/mask.h"
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
        mask_string(message, MASK_SENTENCE); /* of ours, which a neighbour may repeat */
        if (message) {
                free(error->message);
                error->message = message;
        }
}

static void mean(struct error *error, int code)
{
        if (!error)
                return;
        error->meaning = code == ENOMEM || code == EMFILE || code == ENFILE ? ERROR_NOT_LOOKED : ERROR_UNSAID;
        error->not_set_up = error->may_pass = false;
}

int error_set(struct error *error, int code, const char *format, ...)
{
        va_list args;
        mean(error, code);
        va_start(args, format);
        say(error, NULL, format, args);
        va_end(args);
        return -code;
}

int error_set_errno(struct error *error, int code, const char *format, ...)
{
        va_list args;
        mean(error, code);
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

int error_not_looked(struct error *error, int result)
{
        if (error && result < 0)
                error->meaning = ERROR_NOT_LOOKED;
        return result;
}

int error_failed(struct error *error, int result)
{
        if (error && result < 0)
                error->meaning = ERROR_FAILED;
        return result;
}

int error_not_set_up(struct error *error, int result)
{
        if (error && result < 0)
                error->not_set_up = true;
        return result;
}

int error_may_pass(struct error *error, int result)
{
        if (error && result < 0)
                error->may_pass = true;
        return result;
}

/* How much a failure says of the thing; 0: it is none. */
static int weigh(const struct error *error, int result)
{
        static const int weights[] = {[ERROR_NOT_LOOKED] = 2, [ERROR_UNSAID] = 3, [ERROR_FAILED] = 4};
        if (result >= 0)
                return 0;
        return error->not_set_up ? 1 : weights[error->meaning];
}

int error_keep_worse(struct error *error, int result, struct error *other, int other_result)
{
        if (weigh(other, other_result) <= (error ? weigh(error, result) : result < 0))
                return result;
        error_move(error, other);
        return other_result;
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
                to->meaning = from->meaning;
                to->not_set_up = from->not_set_up;
                to->may_pass = from->may_pass;
        } else if (!to)
                error_clear(from);
}

void error_clear(struct error *error)
{
        free(error->message);
        *error = (struct error){0};
}
