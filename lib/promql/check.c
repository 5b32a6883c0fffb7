/* SPDX-License-Identifier: Apache-2.0 */
/* An expression's verdict, and the complaint about one that stands in a file. */
#include <errno.h>

#include "lib/promql/internal.h"

int promql_check(const char *text, enum promql_type *ret_type, size_t *fault, struct error *error)
{
        struct promql_tree tree = {0};
        int r = promql_parse(text, &tree, fault, error);
        if (r < 0)
                return r;
        *ret_type = tree.root->type;
        promql_tree_release(&tree);
        return 0;
}

static bool complain_type(struct config_node *node, const char *key, enum promql_type type, unsigned wanted)
{
        _cleanup_text_ struct text sentence = {0};
        const char *names[PROMQL_TYPES] = {0};
        for (unsigned i = 0; i < PROMQL_TYPES; i++)
                if (wanted & 1U << i)
                        names[i] = promql_type_name((enum promql_type)i);
        words_put(&sentence, names, PROMQL_TYPES, " or ");
        config_complain(node, key, "'%s' gives %s, where %s is wanted%s", key, promql_type_name(type),
                        text_string(&sentence),
                        type == PROMQL_SCALAR ? ": a scalar is always there, whatever it says; compare a "
                                                "vector, as in x < 2"
                                              : "");
        return false;
}

bool promql_check_member(struct config_node *node, const char *key, const char *query, unsigned wanted,
                         bool bound)
{
        _cleanup_error_ struct error error = {0};
        if (bound && bind_check(query, BIND_PROMQL, NULL) < 0)
                return false; /* which was told when it was read */
        _cleanup_free_ char *filled = bound ? bind_fill(query) : NULL;
        enum promql_type type = PROMQL_VECTOR;
        size_t fault = 0;
        if (bound && !filled) {
                config_complain(node, key, "out of memory");
                return false;
        }
        if (promql_check(filled ? filled : query, &type, &fault, &error) < 0) {
                config_complain_inside(node, key, fault, "'%s' is not PromQL: %s", key, error_text(&error));
                return false;
        }
        return wanted & 1U << type ? true : complain_type(node, key, type, wanted);
}
