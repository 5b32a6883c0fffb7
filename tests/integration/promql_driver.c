/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lib/promql says of expressions: each line of the input is one, as a JSON string, and each line of the
 * output its verdict, {"gives": type} or {"at": byte, "error": sentence}. With --two-instances, also "mixes":
 * what would take the series of two exporters for those of one.
 */
#include <stdio.h>

#include "lib/promql/internal.h"
#include "runbook/json.h"

static const char *const types[] = {"scalar", "vector", "range", "string"};
tables_agree(types, PROMQL_TYPES);

static bool has_label(const struct promql_label *labels, const char *name)
{
        for (; labels; labels = labels->next)
                if (string_equal(labels->name, name))
                        return true;
        return false;
}

/* Whether a label tells series of the result apart, as it does those that it is made of. */
static bool keeps(const struct promql_node *node, const char *label)
{
        if (!node->has_labels) /* an aggregation loses all; operators match by all */
                return node->kind == PROMQL_BINARY;
        return has_label(node->labels, label) != node->excluding;
}

/* Whether one of our own metrics below this is of any check. */
static bool has_any_check(const char *text, const struct promql_node *node)
{
        if (node->kind == PROMQL_SELECTOR)
                return string_starts(text + node->piece.at, "runbook_") && !has_label(node->labels, "check");
        for (const struct promql_node *part = node->first; part; part = part->next)
                if (has_any_check(text, part))
                        return true;
        return false;
}

static bool chooses(const char *text, const struct promql_node *node)
{
        return node->kind == PROMQL_AGGREGATION &&
               (string_starts(text + node->piece.at, "max") || string_starts(text + node->piece.at, "min"));
}

static void find_mixes(const char *text, const struct promql_node *node, bool worst, cJSON *mixes)
{
        bool vectors = node->kind == PROMQL_BINARY && node->first->type == PROMQL_VECTOR &&
                       node->last->type == PROMQL_VECTOR;
        if (vectors || (node->kind == PROMQL_AGGREGATION && !(worst && chooses(text, node)))) {
                _cleanup_text_ struct text lost = {0};
                if (!keeps(node, "job"))
                        text_puts(&lost, " job");
                if (!keeps(node, "instance"))
                        text_puts(&lost, " instance");
                if (!keeps(node, "check") && has_any_check(text, node))
                        text_puts(&lost, " check");
                if (lost.length > 0)
                        json_append(mixes, json_text(text_string(&lost)));
        }
        for (const struct promql_node *part = node->first; part; part = part->next)
                find_mixes(text, part, worst, mixes);
}

static void judge(const char *text, bool two_instances, bool worst)
{
        struct promql_tree tree = {0};
        _cleanup_error_ struct error error = {0};
        _cleanup_json_ cJSON *verdict = cJSON_CreateObject();
        size_t fault = 0;
        if (promql_parse(text, &tree, &fault, &error) < 0) {
                cJSON_AddNumberToObject(verdict, "at", (double)fault);
                cJSON_AddStringToObject(verdict, "error", error_text(&error));
        } else {
                cJSON_AddStringToObject(verdict, "gives", types[tree.root->type]);
                if (two_instances)
                        find_mixes(text, tree.root, worst, cJSON_AddArrayToObject(verdict, "mixes"));
        }
        promql_tree_release(&tree);
        _cleanup_free_ char *printed = cJSON_PrintUnformatted(verdict);
        puts(printed ? printed : "{}");
}

int main(int argc, char **argv)
{
        bool worst = argc > 1 && string_equal(argv[1], "--two-instances-or-worst");
        bool two_instances = worst || (argc > 1 && string_equal(argv[1], "--two-instances"));
        _cleanup_free_ char *line = NULL;
        size_t room = 0;
        while (getline(&line, &room, stdin) > 0) {
                _cleanup_json_ cJSON *text = cJSON_Parse(line);
                if (!cJSON_IsString(text))
                        return EXIT_FAILURE;
                judge(text->valuestring, two_instances, worst);
        }
        return EXIT_SUCCESS;
}
