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

int promql_limit(const char *text, double *ret, struct error *error)
{
        static const char *const chosen[] = {"and", "unless"};
        static const char *const compared[] = {"==", "!=", "<", "<=", ">", ">="};
        struct promql_tree tree = {0};
        int r = promql_parse(text, &tree, NULL, error);
        if (r < 0)
                return r;
        const struct promql_node *node = tree.root;
        while (node->kind == PROMQL_PARENTHESES ||
               (node->kind == PROMQL_BINARY && is_one_of(text, node, chosen, N_ELEMENTS(chosen))))
                node = node->first;
        bool found = node->kind == PROMQL_BINARY && is_one_of(text, node, compared, N_ELEMENTS(compared)) &&
                     (read_constant(text, node->last, ret) || read_constant(text, node->first, ret));
        promql_tree_release(&tree);
        return found;
}
