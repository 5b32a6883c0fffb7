/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a condition holds, does not, or nobody knows: by asking for its parts. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/promql/internal.h"

/* Of one condition: its pieces, the questions that it may take, and its text in a sentence. */
enum { NODES_MOST = 1000, QUESTIONS_MOST = 64, SHOWN_MOST = 200 };

struct inquiry {
        const char *text;
        promql_ask *ask;
        void *context;
        double value;
        unsigned asked;
        struct error *error;
};

/* 1 holds, 0 does not, -ENODATA nobody knows. */
static int judge(struct inquiry *inquiry, const struct promql_node *node);

/* Why this gives nothing: 0 when it is so by what was measured, -ENODATA when nothing was. */
static int explain(struct inquiry *inquiry, const struct promql_node *node);

static int ask_for(struct inquiry *inquiry, const char *expression, struct promql_found *ret)
{
        if (++inquiry->asked > QUESTIONS_MOST)
                return error_set(inquiry->error, E2BIG, "it takes more than %d questions to tell",
                                 QUESTIONS_MOST);
        return inquiry->ask(inquiry->context, expression, ret, inquiry->error);
}

static char *text_of(const struct inquiry *inquiry, const struct promql_node *node)
{
        size_t begin = promql_node_begin(node);
        return strndup(inquiry->text + begin, promql_node_end(node) - begin);
}

static int ask_node(struct inquiry *inquiry, const struct promql_node *node, struct promql_found *ret)
{
        _cleanup_free_ char *expression = text_of(inquiry, node);
        return expression ? ask_for(inquiry, expression, ret) : error_oom(inquiry->error);
}

/* "no data for <its text in one line><more>" */
static int no_data(struct inquiry *inquiry, const struct promql_node *node, const char *more)
{
        _cleanup_text_ struct text shown = {0};
        const char *at = inquiry->text + promql_node_begin(node);
        const char *end = inquiry->text + promql_node_end(node);
        while (end > at && strchr(" \t\r\n", end[-1]))
                end--;
        for (bool blank = false; at < end && shown.length < SHOWN_MOST; at++) {
                bool is_blank = strchr(" \t\r\n", *at) != NULL;
                if (!is_blank || !blank)
                        text_putc(&shown, is_blank ? ' ' : *at);
                blank = is_blank;
        }
        /* What is cut may be in the middle of a character. */
        if (at < end) {
                while (shown.length > 0 && (shown.data[shown.length - 1] & 0x80))
                        shown.data[--shown.length] = '\0';
                text_puts(&shown, "...");
        }
        if (text_error(&shown) < 0)
                return error_oom(inquiry->error);
        return error_set(inquiry->error, ENODATA, "no data for %s%s", text_string(&shown), more);
}

static const struct promql_node *without_parentheses(const struct promql_node *node)
{
        while (node->kind == PROMQL_PARENTHESES)
                node = node->first;
        return node;
}

static bool is_word(const struct inquiry *inquiry, const struct promql_node *node, const char *word)
{
        return node->piece.length == strlen(word) &&
               strncasecmp(inquiry->text + node->piece.at, word, node->piece.length) == 0;
}

static bool is_operator(const struct inquiry *inquiry, const struct promql_node *node, const char *name)
{
        return node->kind == PROMQL_BINARY && is_word(inquiry, node, name);
}

static bool is_comparison(const struct inquiry *inquiry, const struct promql_node *node)
{
        static const char *const names[] = {"==", "!=", "<", "<=", ">", ">="};
        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                if (is_operator(inquiry, node, names[i]))
                        return true;
        return false;
}

static bool is_absent(const struct inquiry *inquiry, const struct promql_node *node)
{
        return node->kind == PROMQL_CALL &&
               (is_word(inquiry, node, "absent") || is_word(inquiry, node, "absent_over_time"));
}

/* Of a side that was asked for: 1 when it has numbers; otherwise as explain(). */
static int has_numbers(struct inquiry *inquiry, const struct promql_node *side,
                       const struct promql_found *found)
{
        if (found->series == 0)
                return explain(inquiry, side);
        return found->numbers > 0 ? 1 : no_data(inquiry, side, " (NaN)");
}

/* Both sides, of which a constant has to be asked for by nobody. */
static int ask_sides(struct inquiry *inquiry, const struct promql_node *binary, struct promql_found ret[2])
{
        const struct promql_node *sides[] = {binary->first, binary->last};
        for (size_t i = 0; i < N_ELEMENTS(sides); i++) {
                ret[i] = (struct promql_found){.value = NAN};
                if (without_parentheses(sides[i])->kind == PROMQL_NUMBER)
                        continue;
                int r = ask_node(inquiry, sides[i], &ret[i]);
                if (r >= 0)
                        r = has_numbers(inquiry, sides[i], &ret[i]);
                if (r <= 0)
                        return r;
        }
        return 1;
}

/* 1 and 0 for every pair that there is, where the comparison alone would give those that hold. */
static int ask_by_bool(struct inquiry *inquiry, const struct promql_node *comparison,
                       struct promql_found *ret)
{
        size_t begin = promql_node_begin(comparison), end = promql_node_end(comparison);
        size_t behind = comparison->piece.at + comparison->piece.length;
        _cleanup_free_ char *expression =
                text_format("%.*s bool %.*s", (int)(behind - begin), inquiry->text + begin,
                            (int)(end - behind), inquiry->text + behind);
        return expression ? ask_for(inquiry, expression, ret) : error_oom(inquiry->error);
}

/* What 1 and 0 say of all pairs, of which some have NaN. */
static int judge_pairs(struct inquiry *inquiry, const struct promql_node *comparison,
                       const struct promql_found sides[2], const struct promql_found *pairs)
{
        size_t left = sides[0].series - sides[0].numbers, right = sides[1].series - sides[1].numbers;
        if (pairs->series == 0)
                return no_data(inquiry, comparison, ": no series of one side belongs to one of the other");
        if (pairs->zeros > left + right)
                return 0;
        if (left > 0)
                return no_data(inquiry, comparison->first, " (some of it is NaN)");
        if (right > 0)
                return no_data(inquiry, comparison->last, " (some of it is NaN)");
        return 1;
}

/* One side is a number: what the comparison leaves is to be as much as went into it. */
static int judge_left(struct inquiry *inquiry, const struct promql_node *comparison,
                      const struct promql_node *side, const struct promql_found *before)
{
        struct promql_found after = {0};
        int r = ask_node(inquiry, comparison, &after);
        if (r < 0)
                return r;
        if (after.numbers < before->numbers)
                return 0;
        return before->numbers < before->series ? no_data(inquiry, side, " (some of it is NaN)") : 1;
}

static int judge_comparison(struct inquiry *inquiry, const struct promql_node *comparison)
{
        struct promql_found sides[2], pairs = {0};
        int r = ask_sides(inquiry, comparison, sides);
        if (r <= 0)
                return r;
        bool on_left = comparison->first->type == PROMQL_VECTOR;
        bool both = on_left && comparison->last->type == PROMQL_VECTOR;
        inquiry->value = on_left ? sides[0].value : sides[1].value;
        if (!both && !comparison->compares_bool)
                return judge_left(inquiry, comparison, on_left ? comparison->first : comparison->last,
                                  &sides[on_left ? 0 : 1]);
        r = comparison->compares_bool ? ask_node(inquiry, comparison, &pairs)
                                      : ask_by_bool(inquiry, comparison, &pairs);
        return r < 0 ? r : judge_pairs(inquiry, comparison, sides, &pairs);
}

static int judge_or(struct inquiry *inquiry, const struct promql_node *node)
{
        _cleanup_error_ struct error why = {0};
        struct error *error = inquiry->error;
        inquiry->error = &why;
        int left = judge(inquiry, node->first);
        inquiry->error = error;
        if (left > 0 || (left < 0 && left != -ENODATA)) {
                if (left < 0)
                        error_move(error, &why);
                return left;
        }
        int right = judge(inquiry, node->last);
        if (right == 0 && left < 0) {
                error_move(error, &why);
                return left;
        }
        return right;
}

/* `and`, `unless`: the left side must hold; what stands behind chooses among its series. */
static int judge_choice(struct inquiry *inquiry, const struct promql_node *node)
{
        struct promql_found found = {0}, other = {0};
        int r = judge(inquiry, node->first);
        if (r <= 0)
                return r;
        r = ask_node(inquiry, node, &found);
        if (r < 0 || found.series > 0)
                return r < 0 ? r : 1;
        if (is_word(inquiry, node, "unless"))
                return 0;
        r = ask_node(inquiry, node->last, &other);
        return r < 0 || other.series > 0 ? r : explain(inquiry, node->last);
}

static int judge_other(struct inquiry *inquiry, const struct promql_node *node)
{
        struct promql_found found = {0};
        int r = ask_node(inquiry, node, &found);
        if (r < 0)
                return r;
        if (found.series == 0)
                return explain(inquiry, node);
        inquiry->value = found.value;
        return found.numbers == found.series ? 1 : no_data(inquiry, node, " (NaN)");
}

static int judge(struct inquiry *inquiry, const struct promql_node *node)
{
        node = without_parentheses(node);
        if (is_comparison(inquiry, node))
                return judge_comparison(inquiry, node);
        if (is_operator(inquiry, node, "or"))
                return judge_or(inquiry, node);
        if (is_operator(inquiry, node, "and") || is_operator(inquiry, node, "unless"))
                return judge_choice(inquiry, node);
        return judge_other(inquiry, node);
}

/* A part of what gives nothing: 1 when it is not why. */
static int explain_part(struct inquiry *inquiry, const struct promql_node *part, bool wants_numbers)
{
        struct promql_found found = {0};
        if (part->type == PROMQL_RANGE)
                return explain(inquiry, part);
        if (part->type != PROMQL_VECTOR)
                return 1;
        int r = ask_node(inquiry, part, &found);
        if (r < 0)
                return r;
        if (found.series == 0)
                return explain(inquiry, part);
        return wants_numbers && found.numbers == 0 ? no_data(inquiry, part, " (NaN)") : 1;
}

/* The first part that is why, else 1. */
static int explain_parts(struct inquiry *inquiry, const struct promql_node *node, bool wants_numbers)
{
        int r = 1;
        for (const struct promql_node *part = node->first; r == 1 && part; part = part->next)
                r = explain_part(inquiry, part, wants_numbers);
        return r;
}

static int explain_binary(struct inquiry *inquiry, const struct promql_node *node)
{
        if (is_operator(inquiry, node, "or")) {
                int left = explain(inquiry, node->first);
                return left < 0 ? left : explain(inquiry, node->last);
        }
        if (is_operator(inquiry, node, "unless")) {
                int left = explain_part(inquiry, node->first, false);
                return left == 1 ? 0 : left;
        }
        bool compares = is_comparison(inquiry, node);
        int r = explain_parts(inquiry, node, compares);
        if (r != 1)
                return r;
        /* Both sides are there: a filter has left nothing, or no series belong together. */
        bool filters = is_operator(inquiry, node, "and") || (compares && !node->compares_bool);
        return filters ? 0 : no_data(inquiry, node, ": no series of one side belongs to one of the other");
}

static int explain(struct inquiry *inquiry, const struct promql_node *node)
{
        node = without_parentheses(node);
        int r;
        switch (node->kind) {
        case PROMQL_BINARY: return explain_binary(inquiry, node);
        case PROMQL_UNARY: return explain(inquiry, node->first);
        case PROMQL_CALL:
        case PROMQL_AGGREGATION:
                r = is_absent(inquiry, node) ? 0 : explain_parts(inquiry, node, false);
                return r == 1 ? no_data(inquiry, node, "") : r;
        default: return no_data(inquiry, node, "");
        }
}

/* How old is the oldest sample of a selector: 1, also when there is none of it; `ret_found` tells whether. */
static int judge_age(struct inquiry *inquiry, const struct promql_node *selector, double age, bool *ret_found)
{
        struct promql_found found = {0};
        _cleanup_free_ char *inside = text_of(inquiry, selector);
        /* A comment may stand at its end. */
        _cleanup_free_ char *expression = inside ? text_format("min(timestamp(%s\n))", inside) : NULL;
        char more[100];
        int r = expression ? ask_for(inquiry, expression, &found) : error_oom(inquiry->error);
        if (r < 0 || found.numbers == 0)
                return r < 0 ? r : 1;
        *ret_found = true;
        /* What is from before 2001 is no time: then whoever answers knows nothing of ages. */
        if (!(found.value >= 1e9) || found.at - found.value <= age)
                return 1;
        snprintf(more, sizeof(more), ": the last sample is %.0f s old, and from before",
                 found.at - found.value);
        return no_data(inquiry, selector, more);
}

/* What was found out of the selectors that speak of now. */
struct ages {
        double most;
        size_t selectors;
        bool found;       /* some of them has a sample */
        bool may_be_none; /* it says itself what is so when there is none: absent(), vector() */
};

/* What is wanted absent, or of another time, has no age. */
static int judge_ages(struct inquiry *inquiry, const struct promql_node *node, struct ages *ages)
{
        bool call = node->kind == PROMQL_CALL;
        ages->may_be_none |= is_absent(inquiry, node) || (call && is_word(inquiry, node, "vector"));
        if (is_absent(inquiry, node) || node->has_offset || node->has_time)
                return 1;
        if (node->kind == PROMQL_SELECTOR) {
                ages->selectors++;
                return judge_age(inquiry, node, ages->most, &ages->found);
        }
        int r = 1;
        for (const struct promql_node *part = node->first; r == 1 && part; part = part->next)
                r = judge_ages(inquiry, part, ages);
        return r;
}

static int judge_all(struct inquiry *inquiry, const struct promql_node *root, double age)
{
        struct ages ages = {.most = age};
        int holds = judge(inquiry, root);
        if (holds < 0 || isinf(age))
                return holds;
        int r = judge_ages(inquiry, root, &ages);
        if (r < 0)
                return r;
        bool gone = ages.selectors > 0 && !ages.found && !ages.may_be_none;
        return gone ? no_data(inquiry, root, " now") : holds;
}

int promql_holds(const char *text, double age, promql_ask *ask, void *context, double *ret_value,
                 struct error *error)
{
        struct promql_tree tree = {0};
        int r = promql_parse(text, &tree, NULL, error);
        if (r < 0)
                return r;
        size_t nodes = 0;
        for (const struct promql_node *node = tree.owned; node; node = node->owned)
                nodes++;
        struct inquiry inquiry = {.text = text, .ask = ask, .context = context, .value = NAN, .error = error};
        /* A scalar is always there, whatever it says. */
        if (tree.root->type != PROMQL_VECTOR)
                r = error_set(error, EINVAL, "the query gives %s, where an instant vector is wanted",
                              promql_type_name(tree.root->type));
        else if (nodes > NODES_MOST)
                r = error_set(error, E2BIG, "it is too long to be asked for in parts");
        else
                r = judge_all(&inquiry, tree.root, age);
        promql_tree_release(&tree);
        if (r >= 0)
                *ret_value = inquiry.value;
        return r;
}
