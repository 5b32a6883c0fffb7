/* SPDX-License-Identifier: Apache-2.0 */
/* Which metrics an expression reads. */
#include <errno.h>

#include "lib/promql/internal.h"

struct visit {
        const char *text;
        void (*each)(void *context, const char *metric);
        void *context;
        int error;
};

/* As deep as parentheses go, which is bounded. */
static void visit_node(struct visit *visit, const struct promql_node *node)
{
        bool selects = node->kind == PROMQL_SELECTOR || node->kind == PROMQL_RANGE_SELECTOR;
        if (selects && node->piece.token == TOKEN_WORD) {
                _cleanup_free_ char *name = strndup(visit->text + node->piece.at, node->piece.length);
                if (name)
                        visit->each(visit->context, name);
                else
                        visit->error = -ENOMEM;
        }
        for (const struct promql_node *part = node->first; part; part = part->next)
                visit_node(visit, part);
}

int promql_each_metric(const char *text, void (*each)(void *context, const char *metric), void *context,
                       struct error *error)
{
        struct promql_tree tree = {0};
        int r = promql_parse(text, &tree, NULL, error);
        if (r < 0)
                return r;
        struct visit visit = {text, each, context, 0};
        visit_node(&visit, tree.root);
        promql_tree_release(&tree);
        return visit.error < 0 ? error_oom(error) : 0;
}
