/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions by recursive descent: operators by their strength, and what stands between them. */
#include <errno.h>
#include <string.h>

#include "lib/promql/internal.h"

/* From the weakest to the strongest. */
static const struct operator
{
        const char *name;
        int strength;
}
operators[] = {
        {"or", 1}, {"and", 2}, {"unless", 2}, {"==", 3}, {"!=", 3}, {"<=", 3}, {">=", 3},    {"<", 3},
        {">", 3},  {"+", 4},   {"-", 4},      {"*", 5},  {"/", 5},  {"%", 5},  {"atan2", 5}, {"^", 6},
};
enum { WEAKEST = 1, POWER = 6 };

/* Between its parentheses, each an expression. */
static int read_arguments(struct promql_reader *reader, struct promql_node *call)
{
        size_t opened = reader->now.at;
        int r = promql_advance(reader);
        if (r < 0)
                return r;
        if (promql_is(reader, ")"))
                return promql_advance(reader);
        for (;;) {
                struct promql_node *argument = NULL;
                r = promql_read_expression(reader, &argument);
                if (r < 0)
                        return r;
                promql_node_add(call, argument);
                if (!promql_is(reader, ","))
                        return promql_close(reader, opened, ")");
                r = promql_advance(reader);
                if (r >= 0 && promql_is(reader, ")"))
                        r = promql_refuse(reader, reader->now.at,
                                          "an argument should stand behind the comma");
                if (r < 0)
                        return r;
        }
}

static int read_call(struct promql_reader *reader, struct promql_piece name, struct promql_node **ret)
{
        *ret = promql_node_new(reader, PROMQL_CALL, PROMQL_VECTOR, name);
        if (!*ret)
                return error_oom(reader->error);
        int r = read_arguments(reader, *ret);
        return r < 0 ? r : promql_judge_call(reader, *ret);
}

static int read_grouping(struct promql_reader *reader, struct promql_node *aggregation)
{
        if (!promql_is_word(reader, "by") && !promql_is_word(reader, "without"))
                return 0;
        if (aggregation->has_labels)
                return promql_refuse(reader, reader->now.at, "by and without stand once, before or behind");
        aggregation->has_labels = true;
        aggregation->excluding = promql_is_word(reader, "without");
        int r = promql_advance(reader);
        return r < 0 ? r : promql_read_labels(reader, &aggregation->labels);
}

/* sum by (a) (x), or sum(x) by (a). */
static int read_aggregation(struct promql_reader *reader, struct promql_piece name, struct promql_node **ret)
{
        *ret = promql_node_new(reader, PROMQL_AGGREGATION, PROMQL_VECTOR, name);
        if (!*ret)
                return error_oom(reader->error);
        int r = read_grouping(reader, *ret);
        if (r >= 0 && !promql_is(reader, "("))
                r = promql_refuse_now(reader, "a '('");
        if (r >= 0)
                r = read_arguments(reader, *ret);
        if (r >= 0)
                r = read_grouping(reader, *ret);
        return r < 0 ? r : promql_judge_aggregation(reader, *ret);
}

static bool is_number_word(const struct promql_reader *reader)
{
        return promql_is_word(reader, "inf") || promql_is_word(reader, "nan");
}

static int read_word(struct promql_reader *reader, struct promql_node **ret)
{
        const struct promql_reader before = *reader;
        const struct promql_piece name = reader->now;
        int r = promql_advance(reader);
        if (r < 0)
                return r;
        bool opens = promql_is(reader, "(");
        bool aggregates = promql_is_aggregator(reader, &name);
        if (aggregates && (opens || promql_is_word(reader, "by") || promql_is_word(reader, "without")))
                return read_aggregation(reader, name, ret);
        if (opens)
                return read_call(reader, name, ret);
        *reader = before;
        return promql_read_selector(reader, ret);
}

static int read_parentheses(struct promql_reader *reader, struct promql_node **ret)
{
        struct promql_node *inside = NULL;
        const struct promql_piece opened = reader->now;
        int r = promql_advance(reader);
        if (r >= 0)
                r = promql_read_expression(reader, &inside);
        if (r >= 0)
                r = promql_close(reader, opened.at, ")");
        if (r < 0)
                return r;
        *ret = promql_node_new(reader, PROMQL_PARENTHESES, inside->type, opened);
        if (!*ret)
                return error_oom(reader->error);
        promql_node_add(*ret, inside);
        return 0;
}

static int read_constant(struct promql_reader *reader, struct promql_node **ret)
{
        const struct promql_piece piece = reader->now;
        bool string = piece.token == TOKEN_STRING;
        *ret = promql_node_new(reader, string ? PROMQL_TEXT : PROMQL_NUMBER,
                               string ? PROMQL_STRING : PROMQL_SCALAR, piece);
        if (!*ret)
                return error_oom(reader->error);
        _cleanup_text_ struct text text = {0};
        double number;
        return string                          ? promql_read_string(reader, &text)
               : piece.token == TOKEN_DURATION ? promql_read_duration(reader, &number)
                                               : promql_read_number(reader, &number);
}

static int read_operators(struct promql_reader *reader, int weakest, struct promql_node **ret);

/* The sign is weaker than ^, and as strong as *: -2^2 is -(2^2). */
static int read_signed(struct promql_reader *reader, struct promql_node **ret)
{
        struct promql_node *inside = NULL;
        const struct promql_piece sign = reader->now;
        int r = promql_advance(reader);
        if (r >= 0)
                r = read_operators(reader, POWER, &inside);
        if (r < 0 || !inside)
                return r;
        *ret = promql_node_new(reader, PROMQL_UNARY, inside->type, sign);
        if (!*ret)
                return error_oom(reader->error);
        promql_node_add(*ret, inside);
        return promql_judge_unary(reader, *ret);
}

static int read_operand(struct promql_reader *reader, struct promql_node **ret)
{
        int r;
        if (promql_is(reader, "+") || promql_is(reader, "-"))
                return read_signed(reader, ret);
        if (promql_is(reader, "("))
                r = read_parentheses(reader, ret);
        else if (promql_is(reader, "{"))
                r = promql_read_selector(reader, ret);
        else if (reader->now.token == TOKEN_WORD && !is_number_word(reader))
                r = read_word(reader, ret);
        else if (reader->now.token == TOKEN_SIGN || reader->now.token == TOKEN_END ||
                 reader->now.token == TOKEN_COLON)
                r = promql_refuse_now(reader, "a metric, a function, a number or a '('");
        else
                r = read_constant(reader, ret);
        if (r < 0 || !*ret)
                return r;
        (*ret)->end = reader->now.at;
        r = promql_read_suffixes(reader, ret);
        if (r >= 0)
                (*ret)->end = reader->now.at;
        return r;
}

static const struct operator* find_operator(const struct promql_reader *reader)
{
        for (size_t i = 0; i < N_ELEMENTS(operators); i++)
                if (promql_is(reader, operators[i].name) || promql_is_word(reader, operators[i].name))
                        return &operators[i];
        return NULL;
}

/* What is taken for a series that the other side has not: fill (0), fill_left (0), fill_right (0). */
static int read_fill(struct promql_reader *reader)
{
        while (promql_is_word(reader, "fill") || promql_is_word(reader, "fill_left") ||
               promql_is_word(reader, "fill_right")) {
                struct promql_reader before = *reader;
                double number;
                int r = promql_advance(reader);
                if (r >= 0 && !promql_is(reader, "(")) {
                        *reader = before; /* a metric of that name */
                        return 0;
                }
                size_t opened = reader->now.at;
                if (r >= 0)
                        r = promql_advance(reader);
                if (r >= 0 && (promql_is(reader, "-") || promql_is(reader, "+")))
                        r = promql_advance(reader);
                if (r >= 0 && reader->now.token != TOKEN_NUMBER && !is_number_word(reader))
                        r = promql_refuse_now(reader, "a number");
                if (r >= 0)
                        r = promql_read_number(reader, &number);
                if (r >= 0)
                        r = promql_close(reader, opened, ")");
                if (r < 0)
                        return r;
        }
        return 0;
}

/* bool, on (a), ignoring (a), group_left (b), as they stand behind an operator. */
static int read_matching(struct promql_reader *reader, struct promql_node *binary)
{
        int r = 0;
        binary->compares_bool = promql_is_word(reader, "bool");
        if (binary->compares_bool)
                r = promql_advance(reader);
        if (r < 0 || (!promql_is_word(reader, "on") && !promql_is_word(reader, "ignoring")))
                return r < 0 ? r : read_fill(reader);
        binary->has_labels = true;
        binary->excluding = promql_is_word(reader, "ignoring");
        r = promql_advance(reader);
        if (r >= 0)
                r = promql_read_labels(reader, &binary->labels);
        if (r < 0 || (!promql_is_word(reader, "group_left") && !promql_is_word(reader, "group_right")))
                return r < 0 ? r : read_fill(reader);
        binary->grouping = promql_is_word(reader, "group_left") ? GROUPING_LEFT : GROUPING_RIGHT;
        r = promql_advance(reader);
        if (r >= 0 && promql_is(reader, "("))
                r = promql_read_labels(reader, &binary->included);
        return r < 0 ? r : read_fill(reader);
}

static int read_operators(struct promql_reader *reader, int weakest, struct promql_node **ret)
{
        struct promql_node *left = NULL;
        int r = promql_descend(reader);
        if (r >= 0)
                r = read_operand(reader, &left);
        while (r >= 0) {
                const struct operator* found = find_operator(reader);
                if (!found || found->strength < weakest)
                        break;
                struct promql_node *right = NULL;
                struct promql_node *binary =
                        promql_node_new(reader, PROMQL_BINARY, PROMQL_VECTOR, reader->now);
                if (!binary)
                        return error_oom(reader->error);
                r = promql_advance(reader);
                if (r >= 0)
                        r = read_matching(reader, binary);
                /* From left to right, but for powers. */
                if (r >= 0)
                        r = read_operators(reader, found->strength + (found->strength != POWER), &right);
                if (r < 0)
                        return r;
                promql_node_add(binary, left);
                promql_node_add(binary, right);
                r = promql_judge_binary(reader, binary);
                left = binary;
        }
        reader->depth--;
        *ret = left;
        return r;
}

int promql_read_expression(struct promql_reader *reader, struct promql_node **ret)
{
        return read_operators(reader, WEAKEST, ret);
}

int promql_parse(const char *text, struct promql_tree *ret, size_t *fault, struct error *error)
{
        struct promql_tree tree = {0};
        struct promql_reader reader = {.text = text, .tree = &tree, .error = error};
        int r = promql_advance(&reader);
        if (r >= 0 && reader.now.token == TOKEN_END)
                r = promql_refuse(&reader, reader.now.at, "there is no expression");
        if (r >= 0)
                r = promql_read_expression(&reader, &tree.root);
        if (r >= 0 && promql_is(&reader, ")"))
                r = promql_refuse(&reader, reader.now.at, "this ')' closes nothing");
        else if (r >= 0 && reader.now.token != TOKEN_END)
                r = promql_refuse_now(&reader, "an operator or the end");
        if (r < 0) {
                if (fault)
                        *fault = reader.fault;
                promql_tree_release(&tree);
                return r;
        }
        *ret = tree;
        return 0;
}
