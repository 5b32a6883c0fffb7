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

const char *const when_empty_choices[] = {
        [WHEN_EMPTY_UNKNOWN] = "unknown",
        [WHEN_EMPTY_PASS] = "pass",
        NULL,
};
tables_agree(when_empty_choices, WHEN_EMPTY_PASS + 2);

struct condition {
        char *text;
        int when_empty;
};

static const struct config_field condition_fields[] = {
        {"if", CONFIG_STRING, offsetof(struct condition, text), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "The condition"},
        {"when_empty", CONFIG_ENUM, offsetof(struct condition, when_empty), .choices = when_empty_choices,
         .fallback = "unknown", .help = "What it is when there is nothing of what it is about"},
        {0},
};

/* How many conditions stand under a level: one may stand alone. */
static size_t count_conditions(struct config_node *list)
{
        return config_is_list(list) ? config_size(list) : list != NULL;
}

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
static int add_condition(struct thresholds *thresholds, const struct condition *condition,
                         enum threshold_level level, size_t place, struct error *error)
{
        struct threshold *threshold = &thresholds->items[thresholds->count];
        int r = threshold_parse(condition->text, level, threshold, error);
        if (r >= 0 && has_like(thresholds, threshold))
                r = error_set(error, EINVAL, "there is a limit for %s %s already under %s",
                              threshold->expression, threshold->comparison, threshold_levels[level]);
        if (r < 0) {
                threshold_release(threshold);
                return r;
        }
        threshold->place = place;
        threshold->when_empty = condition->when_empty;
        thresholds->count++;
        return 0;
}

/* One condition as it stands in the file; to be released. False after a complaint. */
static bool read_condition(struct config_node *node, enum threshold_level level, enum when_empty when_empty,
                           struct condition *ret)
{
        const char *text = config_scalar(node);
        *ret = (struct condition){.when_empty = (int)when_empty};
        if (config_is_mapping(node)) {
                bool fine = config_read(node, condition_fields, ret);
                if (!config_member(node, "when_empty"))
                        ret->when_empty = (int)when_empty;
                return fine && ret->text;
        }
        if (!text)
                config_complain(node, NULL,
                                "an item of '%s' is a condition, or {if: a condition, when_empty: pass}",
                                threshold_levels[level]);
        else if (!*text)
                config_complain(node, NULL, "an item of '%s' must not be empty", threshold_levels[level]);
        else
                ret->text = strdup(text);
        return text && *text;
}

/* -ENOMEM is all that is answered. */
static int take_condition(struct thresholds *thresholds, struct config_node *entry,
                          enum threshold_level level, size_t place, enum when_empty when_empty)
{
        _cleanup_error_ struct error error = {0};
        struct config_node *node = condition_node(entry, level, place);
        struct condition condition;
        int r = 0;
        if (read_condition(node, level, when_empty, &condition))
                r = condition.text ? add_condition(thresholds, &condition, level, place, &error) : -ENOMEM;
        config_release(condition_fields, &condition);
        if (r < 0 && r != -ENOMEM)
                config_complain(node, NULL, "%s", error_text(&error));
        return r == -ENOMEM ? r : 0;
}

int thresholds_read(struct config_node *entry, enum when_empty when_empty, struct thresholds *ret)
{
        size_t room = 1;
        for (enum threshold_level level = 0; level < THRESHOLD_LEVELS; level++)
                room += count_conditions(config_member(entry, threshold_levels[level]));
        *ret = (struct thresholds){.items = calloc(room, sizeof(*ret->items))};
        if (!ret->items)
                return -ENOMEM;
        for (enum threshold_level level = 0; level < THRESHOLD_LEVELS; level++) {
                size_t count = count_conditions(config_member(entry, threshold_levels[level]));
                for (size_t i = 0; i < count; i++) {
                        int r = take_condition(ret, entry, level, i, when_empty);
                        if (r < 0)
                                return r;
                }
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
