/* SPDX-License-Identifier: Apache-2.0 */
/* The number that a condition compares with, for who draws it. */
#include <stdlib.h>
#include <string.h>

#include "lib/promql/internal.h"

static bool is_one_of(const char *text, const struct promql_node *node, const char *const *words,
                      size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (node->piece.length == strlen(words[i]) &&
                    strncasecmp(text + node->piece.at, words[i], node->piece.length) == 0)
                        return true;
        return false;
}

/* A number, with signs and parentheses around it. */
static bool read_constant(const char *text, const struct promql_node *node, double *ret)
{
        double sign = 1;
        for (; node->kind == PROMQL_PARENTHESES || node->kind == PROMQL_UNARY; node = node->first)
                if (node->kind == PROMQL_UNARY && text[node->piece.at] == '-')
                        sign = -sign;
        if (node->kind != PROMQL_NUMBER || node->piece.token != TOKEN_NUMBER)
                return false;
        char word[64];
        if (node->piece.length >= sizeof(word))
                return false;
        memcpy(word, text + node->piece.at, node->piece.length);
        word[node->piece.length] = '\0';
        char *end;
        double value = strtod(word, &end);
        if (*end) /* 1_000, or whatever else only PromQL reads */
                return false;
        *ret = sign * value;
        return true;
}

/* The comparison with a number: `ret_measured` is its other side. NULL: there is none, or not one alone. */
static const struct promql_node *find_comparison(const char *text, const struct promql_node *node,
                                                 double *ret_limit, const struct promql_node **ret_measured)
{
        static const char *const chosen[] = {"and", "unless"};
        static const char *const compared[] = {"==", "!=", "<", "<=", ">", ">="};
        while (node->kind == PROMQL_PARENTHESES ||
               (node->kind == PROMQL_BINARY && is_one_of(text, node, chosen, N_ELEMENTS(chosen))))
                node = node->first;
        if (node->kind != PROMQL_BINARY || !is_one_of(text, node, compared, N_ELEMENTS(compared)))
                return NULL;
        bool right = read_constant(text, node->last, ret_limit);
        if (!right && !read_constant(text, node->first, ret_limit))
                return NULL;
        *ret_measured = right ? node->first : node->last;
        return node;
}

int promql_limit(const char *text, double *ret, struct error *error)
{
        struct promql_tree tree = {0};
        const struct promql_node *measured;
        int r = promql_parse(text, &tree, NULL, error);
        if (r < 0)
                return r;
        bool found = find_comparison(text, tree.root, ret, &measured);
        promql_tree_release(&tree);
        return found;
}

int promql_measured(const char *text, char **ret, struct error *error)
{
        struct promql_tree tree = {0};
        const struct promql_node *measured = NULL;
        double limit;
        int r = promql_parse(text, &tree, NULL, error);
        if (r < 0)
                return r;
        char *found = NULL;
        bool is = find_comparison(text, tree.root, &limit, &measured);
        if (is)
                found = strndup(text + promql_node_begin(measured),
                                promql_node_end(measured) - promql_node_begin(measured));
        promql_tree_release(&tree);
        if (is && !found)
                return error_oom(error);
        if (is)
                *ret = found;
        return is;
}
