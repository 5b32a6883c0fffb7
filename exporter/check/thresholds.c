/* SPDX-License-Identifier: Apache-2.0 */
/* The conditions of one check: read from its entry, and bound to its families. */
#include <errno.h>
#include <string.h>

#include "exporter/check/internal.h"

void thresholds_release(struct thresholds *thresholds)
{
        for (size_t i = 0; i < thresholds->count; i++)
                threshold_release(&thresholds->items[i]);
        free(thresholds->items);
        *thresholds = (struct thresholds){0};
}

/* The place of the condition: of the item, or of the whole where one stands alone. */
static struct config_node *condition_node(struct config_node *entry, enum threshold_level level, size_t i)
{
        struct config_node *list = config_member(entry, threshold_levels[level]);
        return config_is_list(list) ? config_item(list, i) : list;
}

/* Whether there is a limit of the same thing in the same direction: one of the two says nothing. */
static bool has_like(const struct thresholds *thresholds, const struct threshold *threshold)
{
        for (size_t i = 0; i < thresholds->count; i++) {
                const struct threshold *other = &thresholds->items[i];
                if (other->level == threshold->level && other->comparison == threshold->comparison &&
                    strcmp(other->expression, threshold->expression) == 0)
                        return true;
        }
        return false;
}

/* Puts a condition behind the others; what is wrong with it is left in `error`. */
static int add_condition(struct thresholds *thresholds, const char *text, enum threshold_level level,
                         size_t place, struct error *error)
{
        struct threshold *threshold = &thresholds->items[thresholds->count];
        int r = threshold_parse(text, level, threshold, error);
        if (r >= 0 && has_like(thresholds, threshold))
                r = error_set(error, EINVAL, "there is a limit for %s %s already under %s",
                              threshold->expression, threshold->comparison, threshold_levels[level]);
        if (r < 0) {
                threshold_release(threshold);
                return r;
        }
        threshold->place = place;
        thresholds->count++;
        return 0;
}

int thresholds_read(const struct config_strings lists[static THRESHOLD_LEVELS], struct config_node *entry,
                    struct thresholds *ret)
{
        *ret = (struct thresholds){0};
        ret->items =
                calloc(lists[THRESHOLD_WARN].count + lists[THRESHOLD_FAIL].count + 1, sizeof(*ret->items));
        if (!ret->items)
                return -ENOMEM;
        for (enum threshold_level level = 0; level < THRESHOLD_LEVELS; level++)
                for (size_t i = 0; i < lists[level].count; i++) {
                        _cleanup_error_ struct error error = {0};
                        const char *text = lists[level].items[i];
                        int r = *text ? add_condition(ret, text, level, i, &error) : 0; /* it was said */
                        if (r == -ENOMEM)
                                return r;
                        if (r < 0)
                                config_complain(condition_node(entry, level, i), NULL, "%s",
                                                error_text(&error));
                }
        return 0;
}

static const struct metric_family *find_family(const char *name, const struct metric_family *const *families)
{
        for (size_t i = 0; families && families[i]; i++)
                if (strcmp(families[i]->name, name) == 0)
                        return families[i];
        return NULL;
}

static void complain_unknown(const char *name, const struct metric_family *const *families,
                             const struct metric_family *const *own_families, struct config_node *node)
{
        const struct metric_family *const *const all[] = {families, own_families};
        _cleanup_error_ struct error error = {0};
        size_t count = 0, known = 0;
        for (size_t k = 0; k < N_ELEMENTS(all); k++)
                for (size_t i = 0; all[k] && all[k][i]; i++)
                        count++;
        _cleanup_free_ const char **names = calloc(count + 1, sizeof(*names));
        for (size_t k = 0; names && k < N_ELEMENTS(all); k++)
                for (size_t i = 0; all[k] && all[k][i]; i++)
                        names[known++] = all[k][i]->name;
        words_unknown(names, known, name, "the check measures no", &error);
        config_complain(node, NULL, "%s", error_text(&error));
}

void thresholds_bind(struct thresholds *thresholds, const struct metric_family *const *families,
                     const struct metric_family *const *own_families, struct config_node *entry)
{
        for (size_t i = 0; i < thresholds->count; i++) {
                struct threshold *threshold = &thresholds->items[i];
                struct config_node *node = condition_node(entry, threshold->level, threshold->place);
                for (size_t k = 0; k < threshold->operand_count; k++) {
                        struct operand *operand = &threshold->operands[k];
                        if (!operand->metric)
                                continue;
                        operand->family = find_family(operand->metric, families);
                        if (!operand->family)
                                operand->family = find_family(operand->metric, own_families);
                        if (!operand->family)
                                complain_unknown(operand->metric, families, own_families, node);
                        else if (operand->family->type == METRIC_HISTOGRAM)
                                config_complain(node, NULL, "%s is a histogram, which has no single value",
                                                operand->metric);
                }
        }
}
