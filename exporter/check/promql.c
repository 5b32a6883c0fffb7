/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of checks as Prometheus would ask for them. */
#include "exporter/check/promql.h"

/* The exporter judges its own series alone: neither another one's, nor those of another target of /probe. */
#define OF_ONE "job, instance"

static const char *const aggregates[] = {
        [AGGREGATE_NONE] = NULL, [AGGREGATE_SUM] = "sum", [AGGREGATE_MIN] = "min", [AGGREGATE_MAX] = "max"};
tables_agree(aggregates, AGGREGATES);

static void put_operand(struct text *text, const struct operand *operand, const char *check,
                        const char *where)
{
        if (!operand->metric) {
                text_puts(text, "time()");
                return;
        }
        if (operand->aggregate != AGGREGATE_NONE)
                text_printf(text, "%s by (" OF_ONE ") (", aggregates[operand->aggregate]);
        text_printf(text, "%s{check=\"%s\"", operand->metric, check);
        for (size_t i = 0; i < operand->labels.count; i++)
                text_printf(text, ",%s", operand->labels.items[i]);
        if (where)
                text_printf(text, ",%s", where);
        text_putc(text, '}');
        if (operand->aggregate != AGGREGATE_NONE)
                text_putc(text, ')');
}

/* Which series of two metrics belong together: those with equal labels, or, to an aggregate, all. */
static const char *match_series(const struct threshold *threshold)
{
        const struct operand *left = &threshold->operands[0], *right = &threshold->operands[1];
        if (!left->metric || !right->metric || left->aggregate == right->aggregate)
                return "";
        if (left->aggregate != AGGREGATE_NONE && right->aggregate != AGGREGATE_NONE)
                return "";
        return left->aggregate == AGGREGATE_NONE ? "on (" OF_ONE ") group_left () "
                                                 : "on (" OF_ONE ") group_right () ";
}

void promql_put_value(struct text *text, const struct threshold *threshold, const char *check,
                      const char *where)
{
        put_operand(text, &threshold->operands[0], check, where);
        if (threshold->operand_count == 2) {
                text_printf(text, " %c %s", threshold->operator, match_series(threshold));
                put_operand(text, &threshold->operands[1], check, where);
        }
}

void promql_put_condition(struct text *text, const struct threshold *threshold, const char *check)
{
        promql_put_value(text, threshold, check, NULL);
        text_printf(text, " %s ", threshold->comparison);
        text_put_double(text, threshold->limit);
}
