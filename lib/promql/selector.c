/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics with their matchers; lists of labels. */
#include <errno.h>
#include <string.h>

#include "lib/promql/internal.h"
#include "runbook/pattern.h"

static const char *const match_signs[] = {"=", "!=", "=~", "!~"};

/* (?i) and its like at the front say nothing about whether nothing matches. */
static const char *pass_flags(const char *pattern)
{
        size_t flags = string_starts(pattern, "(?") ? strspn(pattern + 2, "imsU") : 0;
        return flags > 0 && pattern[2 + flags] == ')' ? pattern + 3 + flags : pattern;
}

/* Whether a matcher leaves out series that do not have the label. */
static int judge_matcher(struct promql_reader *reader, size_t sign, size_t at, const struct text *value,
                         bool *ret_selects)
{
        bool negative = sign == 1 || sign == 3, regular = sign >= 2, empty = value->length == 0;
        if (regular && strlen(text_string(value)) == value->length) {
                struct pattern *pattern = NULL;
                _cleanup_error_ struct error error = {0};
                int r = pattern_compile(pass_flags(text_string(value)), &pattern, &error);
                if (r == -ENOMEM)
                        return error_oom(reader->error);
                if (r == -EINVAL)
                        return promql_refuse(reader, at, "%s", error_text(&error));
                /* What cannot be read here, Prometheus knows: then nothing is said against it. */
                empty = r < 0 ? negative : pattern_matches(pattern, "");
                pattern_free(pattern);
        }
        *ret_selects = empty == negative;
        return 0;
}

/* The metric's name in quotes: {"a name in UTF-8"}. */
static int name_metric(struct promql_reader *reader, struct promql_node *selector, size_t at, bool *named)
{
        if (*named)
                return promql_refuse(reader, at, "the metric is named twice");
        *named = selector->selects = true;
        return 0;
}

/* Before those that are in the list. */
static int add_label(struct promql_reader *reader, const struct text *name, struct promql_label **list)
{
        struct promql_label *added = calloc(1, sizeof(*added) + name->length + 1);
        if (!added)
                return error_oom(reader->error);
        memcpy(added->name, text_string(name), name->length + 1);
        added->next = *list;
        *list = added;
        return 0;
}

static int read_matcher(struct promql_reader *reader, struct promql_node *selector, bool *named)
{
        const struct promql_piece label = reader->now;
        _cleanup_text_ struct text name = {0}, value = {0};
        bool quoted = label.token == TOKEN_STRING, selects = false;
        size_t sign = 0;
        if (!quoted && (label.token != TOKEN_WORD || memchr(reader->text + label.at, ':', label.length)))
                return promql_refuse_now(reader, "a label");
        int r = quoted ? promql_read_string(reader, &name) : promql_advance(reader);
        if (r < 0)
                return r;
        if (quoted && name.length == 0)
                return promql_refuse(reader, label.at, "a name must not be empty");
        if (quoted && (promql_is(reader, ",") || promql_is(reader, "}")))
                return name_metric(reader, selector, label.at, named);
        if (!quoted)
                text_append(&name, reader->text + label.at, label.length);
        while (sign < N_ELEMENTS(match_signs) && !promql_is(reader, match_signs[sign]))
                sign++;
        if (sign == N_ELEMENTS(match_signs))
                return promql_refuse_now(reader, "=, !=, =~ or !~");
        r = promql_advance(reader);
        if (r >= 0 && reader->now.token != TOKEN_STRING)
                r = promql_refuse_now(reader, "a value in quotes");
        size_t at = reader->now.at;
        if (r >= 0)
                r = promql_read_string(reader, &value);
        if (r >= 0)
                r = judge_matcher(reader, sign, at, &value, &selects);
        if (r >= 0 && *named && string_equal(text_string(&name), "__name__"))
                r = promql_refuse(reader, label.at, "the metric is named twice");
        selector->selects |= selects;
        return r >= 0 && sign == 0 ? add_label(reader, &name, &selector->labels) : r;
}

static int read_matchers(struct promql_reader *reader, struct promql_node *selector, bool named)
{
        size_t opened = reader->now.at;
        int r = promql_advance(reader);
        while (r >= 0 && !promql_is(reader, "}")) {
                if (reader->now.token == TOKEN_END)
                        return promql_refuse(reader, opened, "this '{' is never closed");
                r = read_matcher(reader, selector, &named);
                if (r >= 0 && promql_is(reader, ","))
                        r = promql_advance(reader);
                else if (r >= 0 && !promql_is(reader, "}") && reader->now.token != TOKEN_END)
                        r = promql_refuse_now(reader, "a ',' or the '}'");
        }
        if (r >= 0 && !selector->selects)
                r = promql_refuse(reader, opened,
                                  "every series in the database matches this; name a metric, or a matcher "
                                  "that an empty value does not match");
        return r < 0 ? r : promql_advance(reader);
}

int promql_read_selector(struct promql_reader *reader, struct promql_node **ret)
{
        const struct promql_piece name = reader->now;
        bool named = name.token == TOKEN_WORD;
        static const char *const reserved[] = {"bool",       "on",          "ignoring",
                                               "group_left", "group_right", "atan2"};
        for (size_t i = 0; i < N_ELEMENTS(reserved); i++)
                if (promql_is_word(reader, reserved[i]))
                        return promql_refuse_now(reader, "a metric, a function, a number or a '('");
        *ret = promql_node_new(reader, PROMQL_SELECTOR, PROMQL_VECTOR, name);
        if (!*ret)
                return error_oom(reader->error);
        (*ret)->selects = named;
        int r = named ? promql_advance(reader) : 0;
        return r >= 0 && promql_is(reader, "{") ? read_matchers(reader, *ret, named) : r;
}

static int read_label(struct promql_reader *reader, struct promql_label **ret)
{
        const struct promql_piece label = reader->now;
        _cleanup_text_ struct text name = {0};
        bool number = promql_is_word(reader, "inf") || promql_is_word(reader, "nan");
        int r;
        if (label.token == TOKEN_STRING) {
                r = promql_read_string(reader, &name);
                if (r >= 0 && name.length == 0)
                        r = promql_refuse(reader, label.at, "a label's name must not be empty");
        } else if (label.token != TOKEN_WORD || number ||
                   memchr(reader->text + label.at, ':', label.length)) {
                r = promql_refuse_now(reader, "a label");
        } else {
                text_append(&name, reader->text + label.at, label.length);
                r = promql_advance(reader);
        }
        if (r < 0)
                return r;
        return add_label(reader, &name, ret);
}

int promql_read_labels(struct promql_reader *reader, struct promql_label **ret)
{
        size_t opened = reader->now.at;
        if (!promql_is(reader, "("))
                return promql_refuse_now(reader, "a '(' with labels");
        int r = promql_advance(reader);
        while (r >= 0 && !promql_is(reader, ")")) {
                if (reader->now.token == TOKEN_END)
                        return promql_refuse(reader, opened, "this '(' is never closed");
                r = read_label(reader, ret);
                if (r < 0)
                        return r;
                if (promql_is(reader, ","))
                        r = promql_advance(reader);
                else if (!promql_is(reader, ")") && reader->now.token != TOKEN_END)
                        r = promql_refuse_now(reader, "a ',' or the ')'");
        }
        return r < 0 ? r : promql_advance(reader);
}
