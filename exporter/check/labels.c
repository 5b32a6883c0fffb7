/* SPDX-License-Identifier: Apache-2.0 */
/* The labels that an operator gives a check: which may be, which of the defaults stay. */
#include <errno.h>
#include <string.h>

#include "exporter/check/internal.h"
#include "runbook/utf8.h"

#define LABELS_MAX 16
#define LABEL_BYTES_MAX 256 /* of a name, and of a value */

/* What the exporter, Prometheus and the alerts give labels to themselves. */
static const struct {
        const char *name, *whose;
} reserved[] = {
        {"check", "every series has it already"},
        {"job", "Prometheus gives it itself"},
        {"instance", "Prometheus gives it itself"},
        {"le", "it is for the rows of histograms"},
        {"quantile", "it is for the rows of summaries"},
        {"kind", "runbook_check_info has it"},
        {"title", "runbook_check_info has it"},
        {"level", "the thresholds' metrics have it"},
        {"expression", "the thresholds' metrics have it"},
        {"comparison", "the thresholds' metrics have it"},
        {"reason", "runbook_check_items_skipped has it"},
        {"standing", "how a check stands has it"},
        {"alertname", "alerts have it"},
        {"severity", "alerts have it"},
        {"condition", "alerts have it"},
};

static bool check_one(const char *name, const char *value, struct config_node *map)
{
        for (size_t i = 0; i < N_ELEMENTS(reserved); i++)
                if (strcmp(reserved[i].name, name) == 0) {
                        config_complain(map, name, "the label \"%s\" may not be given: %s", name,
                                        reserved[i].whose);
                        return false;
                }
        if (!label_name_valid(name) || strlen(name) > LABEL_BYTES_MAX) {
                config_complain(map, name, "\"%.*s\" is not a label's name: letters, digits and \"_\" are",
                                LABEL_BYTES_MAX, name);
                return false;
        }
        if (strlen(value) > LABEL_BYTES_MAX || !utf8_valid(value)) {
                config_complain(map, name, "the value of a label has at most %d bytes of UTF-8",
                                LABEL_BYTES_MAX);
                return false;
        }
        return true;
}

bool check_labels_check(const struct config_map *labels, struct config_node *map)
{
        bool fine = true;
        if (labels->count > LABELS_MAX) {
                config_complain(map, NULL, "at most %d labels", LABELS_MAX);
                return false;
        }
        for (size_t i = 0; i < labels->count; i++)
                fine = check_one(labels->keys[i], labels->values[i], map) && fine;
        return fine;
}

/* Puts one behind the others, unless it is empty: it was there to take one of the defaults away. */
static int add_label(struct check *check, const char *name, const char *value)
{
        if (!*value)
                return 0;
        struct label *label = &check->labels[check->label_count];
        *label = (struct label){strdup(name), strdup(value)};
        check->label_count++;
        return label->name && label->value ? 0 : -ENOMEM;
}

int check_labels_take(const struct config_map *own, const struct config_map *defaults,
                      struct config_node *entry, struct check *check)
{
        check_labels_check(own, config_member(entry, "labels"));
        check->labels = calloc(own->count + defaults->count + 1, sizeof(*check->labels));
        int r = check->labels ? 0 : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < defaults->count; i++)
                if (!config_map_get(own, defaults->keys[i]))
                        r = add_label(check, defaults->keys[i], defaults->values[i]);
        for (size_t i = 0; r >= 0 && i < own->count; i++)
                r = add_label(check, own->keys[i], own->values[i]);
        return r;
}

void check_labels_release(struct check *check)
{
        for (size_t i = 0; i < check->label_count; i++) {
                free((char *)check->labels[i].name);
                free((char *)check->labels[i].value);
        }
        free(check->labels);
        check->labels = NULL;
        check->label_count = 0;
}

bool check_has_label(const struct check *check, const char *name)
{
        for (size_t i = 0; i < check->label_count; i++)
                if (strcmp(check->labels[i].name, name) == 0)
                        return true;
        return false;
}

void check_labels_compare(const struct check *check, struct config_node *entry)
{
        struct config_node *map = config_member(entry, "labels");
        for (size_t i = 0; check->kind->labels && check->kind->labels[i]; i++) {
                const char *name = check->kind->labels[i];
                if (!check_has_label(check, name))
                        continue;
                if (config_member(map, name))
                        config_complain(map, name, "series of the kind %s have a label \"%s\" of their own",
                                        check->kind->name, name);
                else
                        config_complain(
                                entry, check->kind->name,
                                "series of this kind have a label \"%s\" of their own: take that of the "
                                "defaults away by 'labels: {%s: \"\"}'",
                                name, name);
        }
}
