/* SPDX-License-Identifier: Apache-2.0 */
/* The framing of replies, byte by byte. */
#include "lib/redis/gauge.h"

#include <errno.h>
#include <string.h>

static int refuse_protocol(struct error *error)
{
        return error_set(error, EPROTO, "what answered does not speak Redis' protocol");
}

/* One element is whole: and so are the arrays of which it was the last one. */
static void end_element(struct reply_gauge *gauge)
{
        while (gauge->depth > 0 && --gauge->awaited[gauge->depth - 1] == 0)
                gauge->depth--;
        if (gauge->depth > 0)
                return;
        gauge->replies++;
        gauge->bytes = gauge->elements = 0;
}

static int begin_array(struct reply_gauge *gauge, struct error *error)
{
        if (gauge->number > REPLY_ELEMENTS_MAX - gauge->elements)
                return error_set(error, EMSGSIZE, "Redis' reply has more than %zu elements",
                                 REPLY_ELEMENTS_MAX);
        if (gauge->depth == REPLY_DEPTH_MAX)
                return error_set(error, EMSGSIZE, "Redis' reply has arrays more than %d deep",
                                 REPLY_DEPTH_MAX);
        gauge->elements += gauge->number;
        gauge->awaited[gauge->depth++] = gauge->number;
        return 0;
}

/* What the length in a line is followed by; -1 stands for nothing at all. */
static int end_line(struct reply_gauge *gauge, struct error *error)
{
        bool sized = gauge->type == '$' || gauge->type == '*';
        gauge->ended = false;
        if (sized && (gauge->digits == 0 || (gauge->negative && gauge->number != 1)))
                return refuse_protocol(error);
        if (!sized || gauge->negative || (gauge->type == '*' && gauge->number == 0)) {
                gauge->type = '\0';
                end_element(gauge);
                return 0;
        }
        if (gauge->type == '*') {
                gauge->type = '\0';
                return begin_array(gauge, error);
        }
        if (gauge->number > REPLY_BYTES_MAX)
                return error_set(error, EMSGSIZE, "Redis' reply is longer than %zu MiB",
                                 REPLY_BYTES_MAX >> 20);
        gauge->rest = gauge->number + 2;
        gauge->type = '\0';
        return 0;
}

static int begin_line(struct reply_gauge *gauge, char type, struct error *error)
{
        if (!type || !strchr("+-:$*", type))
                return refuse_protocol(error);
        gauge->type = type;
        gauge->negative = false;
        gauge->digits = gauge->number = gauge->line = 0;
        return 0;
}

static int take_number(struct reply_gauge *gauge, char c, struct error *error)
{
        if (c == '-' && gauge->digits == 0 && !gauge->negative) {
                gauge->negative = true;
                return 0;
        }
        if (c < '0' || c > '9' || gauge->digits == 15) /* far beyond every limit */
                return refuse_protocol(error);
        gauge->digits++;
        gauge->number = gauge->number * 10 + (size_t)(c - '0');
        return 0;
}

static int take_byte(struct reply_gauge *gauge, char c, struct error *error)
{
        if (!gauge->type)
                return begin_line(gauge, c, error);
        /* A line ends with both, and one of them alone would be read in two ways. */
        if (gauge->ended || c == '\n')
                return gauge->ended && c == '\n' ? end_line(gauge, error) : refuse_protocol(error);
        if (++gauge->line > REPLY_LINE_MAX)
                return error_set(error, EMSGSIZE, "Redis' reply has a line of more than %zu KiB",
                                 REPLY_LINE_MAX >> 10);
        gauge->ended = c == '\r';
        bool sized = gauge->type == '$' || gauge->type == '*';
        return sized && !gauge->ended ? take_number(gauge, c, error) : 0;
}

int reply_gauge_take(struct reply_gauge *gauge, const char *data, size_t length, struct error *error)
{
        for (size_t at = 0; at < length;) {
                size_t step = gauge->rest < length - at ? gauge->rest : length - at;
                if (step == 0)
                        step = 1;
                gauge->bytes += step;
                if (gauge->bytes > REPLY_BYTES_MAX)
                        return error_set(error, EMSGSIZE, "Redis' reply is longer than %zu MiB",
                                         REPLY_BYTES_MAX >> 20);
                if (gauge->rest > 0) {
                        gauge->rest -= step;
                        if (gauge->rest == 0)
                                end_element(gauge);
                } else {
                        int r = take_byte(gauge, data[at], error);
                        if (r < 0)
                                return r;
                }
                at += step;
        }
        return 0;
}
