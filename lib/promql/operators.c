/* SPDX-License-Identifier: Apache-2.0 */
/* What operators may stand between, and how they may match. */
#include <errno.h>
#include <string.h>

#include "lib/promql/internal.h"

static bool is_one_of(const struct promql_reader *reader, const struct promql_node *binary,
                      const char *const *names)
{
        for (size_t i = 0; names[i]; i++)
                if (binary->piece.length == strlen(names[i]) &&
                    strncasecmp(reader->text + binary->piece.at, names[i], binary->piece.length) == 0)
                        return true;
        return false;
}

static bool is_number(const struct promql_node *node)
{
        return node->type == PROMQL_SCALAR || node->type == PROMQL_VECTOR;
}

int promql_judge_unary(struct promql_reader *reader, struct promql_node *unary)
{
        if (is_number(unary->first))
                return 0;
        return promql_refuse(reader, unary->piece.at,
                             "a sign stands before a scalar or an instant vector, "
                             "not before %s",
                             promql_type_name(unary->first->type));
}

/* Of a set operator, a bool, groups: whether it suits the two sides. */
static int judge_matching(struct promql_reader *reader, const struct promql_node *binary, bool set)
{
        bool vectors = binary->first->type == PROMQL_VECTOR && binary->last->type == PROMQL_VECTOR;
        for (const struct promql_label *a = binary->labels; a && !binary->excluding; a = a->next)
                for (const struct promql_label *b = binary->included; b; b = b->next)
                        if (strcmp(a->name, b->name) == 0)
                                return promql_refuse(reader, binary->piece.at,
                                                     "the label %.40s stands in on and in group at once",
                                                     a->name);
        if (!vectors && binary->labels)
                return promql_refuse(reader, binary->piece.at, "%s matches two instant vectors, not a scalar",
                                     binary->excluding ? "ignoring" : "on");
        if (set && binary->grouping != GROUPING_NONE)
                return promql_refuse(reader, binary->piece.at, "'%.*s' takes no group_left or group_right",
                                     (int)binary->piece.length, reader->text + binary->piece.at);
        return 0;
}

int promql_judge_binary(struct promql_reader *reader, struct promql_node *binary)
{
        static const char *const comparisons[] = {"==", "!=", "<", "<=", ">", ">=", NULL};
        static const char *const sets[] = {"and", "or", "unless", NULL};
        bool compares = is_one_of(reader, binary, comparisons), set = is_one_of(reader, binary, sets);
        const struct promql_node *sides[] = {binary->first, binary->last};
        const char *name = reader->text + binary->piece.at;
        int length = (int)binary->piece.length;
        bool scalars = sides[0]->type == PROMQL_SCALAR && sides[1]->type == PROMQL_SCALAR;
        bool scalar = sides[0]->type == PROMQL_SCALAR || sides[1]->type == PROMQL_SCALAR;

        for (size_t i = 0; i < N_ELEMENTS(sides); i++)
                if (!is_number(sides[i]))
                        return promql_refuse(reader, binary->piece.at,
                                             "'%.*s' stands between scalars and instant vectors; its %s side "
                                             "is %s",
                                             length, name, i == 0 ? "left" : "right",
                                             promql_type_name(sides[i]->type));
        if (binary->compares_bool && !compares)
                return promql_refuse(reader, binary->piece.at, "bool stands behind a comparison alone");
        if (compares && scalars && !binary->compares_bool)
                return promql_refuse(reader, binary->piece.at,
                                     "two scalars are compared by '%.*s bool'; alone it filters a vector",
                                     length, name);
        if (set && scalar)
                return promql_refuse(reader, binary->piece.at, "'%.*s' stands between two instant vectors",
                                     length, name);
        binary->type = scalars ? PROMQL_SCALAR : PROMQL_VECTOR;
        return judge_matching(reader, binary, set);
}
