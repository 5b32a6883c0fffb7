/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind a selector and says of when its values are: ranges, subqueries, offset, @. */
#include <errno.h>
#include <math.h>

#include "lib/promql/internal.h"

static int read_time(struct promql_reader *reader, bool *ret_positive);

/* Sums and the like of durations, which newer servers take: (5m + 30s), max(1m, step()). What comes out is
 * not computed: the parts must be durations. */
static int read_time_list(struct promql_reader *reader, bool several)
{
        size_t opened = reader->now.at;
        bool positive;
        int r = promql_advance(reader);
        if (r >= 0 && promql_is(reader, ")") && several)
                return promql_advance(reader);
        if (r >= 0)
                r = read_time(reader, &positive);
        while (r >= 0 && several && promql_is(reader, ",")) {
                r = promql_advance(reader);
                if (r >= 0)
                        r = read_time(reader, &positive);
        }
        return r < 0 ? r : promql_close(reader, opened, ")");
}

static int read_time_part(struct promql_reader *reader, bool *ret_positive)
{
        double value = 1;
        int r = promql_descend(reader);
        bool negative = false;
        while (r >= 0 && (promql_is(reader, "-") || promql_is(reader, "+"))) {
                negative ^= promql_is(reader, "-");
                r = promql_advance(reader);
        }
        if (r < 0)
                return r;
        bool function = promql_is_word(reader, "min") || promql_is_word(reader, "max") ||
                        promql_is_word(reader, "step") || promql_is_word(reader, "range");
        if (function) {
                r = promql_advance(reader);
                if (r >= 0 && !promql_is(reader, "("))
                        r = promql_refuse_now(reader, "a '('");
        }
        if (r < 0)
                return r;
        if (promql_is(reader, "("))
                r = read_time_list(reader, function);
        else if (reader->now.token == TOKEN_DURATION)
                r = promql_read_duration(reader, &value);
        else if (reader->now.token == TOKEN_NUMBER)
                r = promql_read_number(reader, &value);
        else
                r = promql_refuse_now(reader, "a duration such as 5m");
        reader->depth--;
        *ret_positive = !negative && value > 0;
        return r;
}

static int read_time(struct promql_reader *reader, bool *ret_positive)
{
        static const char *const signs[] = {"+", "-", "*", "/", "%", "^"};
        int r = read_time_part(reader, ret_positive);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(signs); i++) {
                if (!promql_is(reader, signs[i]))
                        continue;
                r = promql_advance(reader);
                if (r >= 0)
                        r = read_time_part(reader, ret_positive);
                *ret_positive = true;
                i = (size_t)-1; /* from the first again */
        }
        return r;
}

static int read_positive_time(struct promql_reader *reader)
{
        size_t at = reader->now.at;
        bool positive = false;
        int r = read_time(reader, &positive);
        return r >= 0 && !positive ? promql_refuse(reader, at, "a range must be more than 0") : r;
}

/* [5m], [1h:5m] or [1h:]. */
static int read_range(struct promql_reader *reader, struct promql_node **node)
{
        const struct promql_piece opened = reader->now;
        int r = promql_advance(reader);
        if (r >= 0 && reader->now.token == TOKEN_END)
                r = promql_refuse(reader, opened.at, "this '[' is never closed");
        if (r >= 0)
                r = read_positive_time(reader);
        bool subquery = r >= 0 && reader->now.token == TOKEN_COLON;
        if (subquery)
                r = promql_advance(reader);
        if (r >= 0 && subquery && !promql_is(reader, "]") && reader->now.token != TOKEN_END)
                r = read_positive_time(reader);
        if (r >= 0)
                r = promql_close(reader, opened.at, "]");
        if (r < 0)
                return r;
        const struct promql_node *inside = *node;
        if (!subquery && inside->kind != PROMQL_SELECTOR)
                return promql_refuse(reader, opened.at,
                                     "only a metric or a selector has a range; of %s, write a subquery such "
                                     "as [5m:]",
                                     promql_type_name(inside->type));
        if (!subquery && (inside->has_offset || inside->has_time))
                return promql_refuse(reader, opened.at, "the range stands before offset and @");
        if (subquery && inside->type != PROMQL_VECTOR)
                return promql_refuse(reader, opened.at, "a subquery takes an instant vector, not %s",
                                     promql_type_name(inside->type));
        struct promql_node *range = promql_node_new(
                reader, subquery ? PROMQL_SUBQUERY : PROMQL_RANGE_SELECTOR, PROMQL_RANGE, opened);
        if (!range)
                return error_oom(reader->error);
        promql_node_add(range, *node);
        *node = range;
        return 0;
}

static int judge_modified(struct promql_reader *reader, const struct promql_node *node, size_t at,
                          const char *modifier, bool already)
{
        bool selects = node->kind == PROMQL_SELECTOR || node->kind == PROMQL_RANGE_SELECTOR ||
                       node->kind == PROMQL_SUBQUERY;
        if (!selects)
                return promql_refuse(reader, at, "%s stands behind a selector, a range or a subquery alone",
                                     modifier);
        return already ? promql_refuse(reader, at, "%s stands here twice", modifier) : 0;
}

static int read_offset(struct promql_reader *reader, struct promql_node *node)
{
        bool positive;
        int r = judge_modified(reader, node, reader->now.at, "offset", node->has_offset);
        if (r >= 0)
                r = promql_advance(reader);
        node->has_offset = true;
        return r < 0 ? r : read_time_part(reader, &positive);
}

/* @ 1609746000, @ start(), @ end(). */
static int read_instant(struct promql_reader *reader, struct promql_node *node)
{
        double seconds = 0;
        int r = judge_modified(reader, node, reader->now.at, "@", node->has_time);
        node->has_time = true;
        if (r >= 0)
                r = promql_advance(reader);
        if (r < 0)
                return r;
        if (promql_is_word(reader, "start") || promql_is_word(reader, "end")) {
                r = promql_advance(reader);
                size_t opened = reader->now.at;
                if (r >= 0 && !promql_is(reader, "("))
                        r = promql_refuse_now(reader, "'()'");
                if (r >= 0)
                        r = promql_advance(reader);
                return r < 0 ? r : promql_close(reader, opened, ")");
        }
        if (promql_is(reader, "+") || promql_is(reader, "-"))
                r = promql_advance(reader);
        size_t at = reader->now.at;
        bool number = reader->now.token == TOKEN_NUMBER || promql_is_word(reader, "inf") ||
                      promql_is_word(reader, "nan");
        if (r >= 0 && !number)
                r = promql_refuse_now(reader, "seconds since 1970, start() or end()");
        if (r >= 0)
                r = promql_read_number(reader, &seconds);
        if (r >= 0 && !(seconds < (double)INT64_MAX / 1000))
                r = promql_refuse(reader, at, "there is no such time");
        return r;
}

int promql_read_suffixes(struct promql_reader *reader, struct promql_node **node)
{
        int r = 0;
        while (r >= 0) {
                if (promql_is(reader, "["))
                        r = read_range(reader, node);
                else if (promql_is_word(reader, "offset"))
                        r = read_offset(reader, *node);
                else if (promql_is(reader, "@"))
                        r = read_instant(reader, *node);
                else if (promql_is_word(reader, "anchored") || promql_is_word(reader, "smoothed")) {
                        r = judge_modified(reader, *node, reader->now.at, "anchored or smoothed", false);
                        if (r >= 0)
                                r = promql_advance(reader);
                } else
                        break;
        }
        return r;
}
