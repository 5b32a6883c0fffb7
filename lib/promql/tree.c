/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of an expression, and what all who build it share: how deep they are, and what must be closed. */
#include <errno.h>

#include "lib/promql/internal.h"

struct promql_node *promql_node_new(struct promql_reader *reader, enum promql_kind kind,
                                    enum promql_type type, struct promql_piece piece)
{
        struct promql_node *node = calloc(1, sizeof(*node));
        if (!node)
                return NULL;
        *node = (struct promql_node){
                .kind = kind, .type = type, .piece = piece, .owned = reader->tree->owned};
        reader->tree->owned = node;
        return node;
}

void promql_node_add(struct promql_node *node, struct promql_node *part)
{
        *(node->last ? &node->last->next : &node->first) = part;
        node->last = part;
        node->count++;
}

static bool begins_with_operand(const struct promql_node *node)
{
        return node->kind == PROMQL_BINARY || node->kind == PROMQL_RANGE_SELECTOR ||
               node->kind == PROMQL_SUBQUERY;
}

size_t promql_node_begin(const struct promql_node *node)
{
        while (begins_with_operand(node))
                node = node->first;
        return node->piece.at;
}

size_t promql_node_end(const struct promql_node *node)
{
        while (node->kind == PROMQL_BINARY || node->kind == PROMQL_UNARY)
                node = node->last;
        return node->end;
}

static void free_labels(struct promql_label *label)
{
        while (label) {
                struct promql_label *next = label->next;
                free(label);
                label = next;
        }
}

void promql_tree_release(struct promql_tree *tree)
{
        for (struct promql_node *node = tree->owned, *next; node; node = next) {
                next = node->owned;
                free_labels(node->labels);
                free_labels(node->included);
                free(node);
        }
        *tree = (struct promql_tree){0};
}

int promql_descend(struct promql_reader *reader)
{
        if (++reader->depth > PROMQL_DEPTH)
                return promql_refuse(reader, reader->now.at, "it is nested more than %d deep", PROMQL_DEPTH);
        return 0;
}

int promql_close(struct promql_reader *reader, size_t opened, const char *sign)
{
        if (reader->now.token == TOKEN_END)
                return promql_refuse(reader, opened, "this '%c' is never closed", reader->text[opened]);
        if (promql_is(reader, sign))
                return promql_advance(reader);
        _cleanup_free_ char *wanted =
                text_format("%s or the closing '%s'", *sign == ']' ? "a ':'" : "an operator, a ','", sign);
        return wanted ? promql_refuse_now(reader, wanted) : error_oom(reader->error);
}
