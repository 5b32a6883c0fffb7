/* SPDX-License-Identifier: Apache-2.0 */
/* Structured log lines on stderr. */
#include "runbook/log.h"

#include <errno.h>
#include <unistd.h>

#include "runbook/clock.h"
#include "runbook/file.h"
#include "runbook/mask.h"
#include "runbook/text.h"
#include "runbook/words.h"

static const char *const level_names[] = {"debug", "info", "warn", "error"};
tables_agree(level_names, LOG_LEVELS);

/* The one exception to "no state outside main": set once before there is a second thread. */
static enum log_level lowest = LOG_INFO;
static bool as_json;

int log_setup(const char *level, const char *format, struct error *error)
{
        int at = words_find(level_names, N_ELEMENTS(level_names), level);
        if (at < 0)
                return error_set(error, EINVAL, "log level '%s' is not one of debug, info, warn, error",
                                 level);
        if (!string_equal(format, "logfmt") && !string_equal(format, "json"))
                return error_set(error, EINVAL, "log format '%s' is neither logfmt nor json", format);
        lowest = (enum log_level)at;
        as_json = string_equal(format, "json");
        return 0;
}

bool log_enabled(enum log_level level)
{
        return level >= lowest;
}

/* logfmt quotes what is empty or holds a space, a quote, '=' or a control character. */
static bool needs_quotes(const char *value)
{
        if (!*value)
                return true;
        for (const unsigned char *c = (const unsigned char *)value; *c; c++)
                if (*c <= ' ' || *c == '"' || *c == '=' || *c == '\\' || *c >= 0x7f)
                        return true;
        return false;
}

static void put_pair(struct text *line, const char *key, const char *value)
{
        if (as_json) {
                text_putc(line, line->length == 0 ? '{' : ',');
                text_put_json(line, key);
                text_putc(line, ':');
                text_put_json(line, value);
                return;
        }
        if (line->length > 0)
                text_putc(line, ' ');
        text_printf(line, "%s=", key);
        if (needs_quotes(value))
                text_put_json(line, value);
        else
                text_puts(line, value);
}

void log_event(enum log_level level, const char *message, ...)
{
        if (!log_enabled(level))
                return;

        _cleanup_text_ struct text line = {0};
        char now[TIME_TEXT_MAX];
        put_pair(&line, "time", time_format(clock_wall(), now));
        put_pair(&line, "level", level_names[level]);
        put_pair(&line, "msg", message);

        va_list args;
        va_start(args, message);
        for (const char *key; (key = va_arg(args, const char *));) {
                const char *value = va_arg(args, const char *);
                if (value)
                        put_pair(&line, key, value);
        }
        va_end(args);
        text_puts(&line, as_json ? "}\n" : "\n");
        mask_string(line.data, MASK_LABEL);

        (void)file_write(STDERR_FILENO, text_string(&line), line.data ? strlen(line.data) : 0);
}
