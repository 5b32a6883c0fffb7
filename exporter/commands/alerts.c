/* SPDX-License-Identifier: Apache-2.0 */
/* Alerting rules, written so that a change of a threshold in checks.yml is a change of its alert. */
#include "exporter/commands/alerts.h"

#include <string.h>

#include "exporter/commands/promql.h"

#define HOLD "5m" /* one failed look is not an alert: two scrapes may be a restart */

/* JSON's strings are YAML's; braces of Prometheus' own templates in them are not meant as such. */
static void put_plain(struct text *text, const char *value)
{
        _cleanup_text_ struct text plain = {0};
        for (; *value; value++) {
                if (string_starts(value, "{{")) {
                        text_puts(&plain, "{{\"{{\"}}");
                        value++;
                } else {
                        text_putc(&plain, *value);
                }
        }
        text_put_json(text, text_string(&plain));
}

static void put_pair(struct text *text, const char *name, const char *value)
{
        if (!value)
                return;
        text_printf(text, "          %s: ", name);
        put_plain(text, value);
        text_putc(text, '\n');
}

/* Alertmanager tells alerts apart by their labels alone: an aggregate has lost the check's name, and there
 * may be several conditions. `condition`: NULL of the check itself. */
static void put_rule(struct text *text, const struct check *check, const char *word, const char *severity,
                     const char *condition, const struct text *expression, const char *summary)
{
        text_puts(text, "      - alert: ");
        for (const char *c = check->name; *c; c++)
                text_putc(text, strchr("-.", *c) ? '_' : *c);
        text_printf(text, "_%s\n        expr: ", word);
        text_put_json(text, text_string(expression));
        text_puts(text, "\n        for: " HOLD "\n        labels:\n");
        put_pair(text, "severity", severity);
        put_pair(text, "check", check->name);
        put_pair(text, "condition", condition);
        for (size_t i = 0; i < check->label_count; i++) /* an aggregate has lost these, too */
                put_pair(text, check->labels[i].name, check->labels[i].value);
        text_puts(text, "        annotations:\n");
        put_pair(text, "summary", summary);
        put_pair(text, "advice", check->advice);
        put_pair(text, "runbook_url", check->runbook_url);
}

static void put_failing(struct text *text, const struct check *check)
{
        _cleanup_text_ struct text expression = {0}, summary = {0};
        text_printf(&expression, "runbook_check_success{check=\"%s\"} == 0", check->name);
        text_printf(&summary, "%s: the check fails", check->title);
        put_rule(text, check, "failing", "critical", NULL, &expression, text_string(&summary));
}

static void put_condition(struct text *text, const struct check *check, const struct threshold *threshold)
{
        static const struct {
                const char *word, *severity;
        } levels[] = {
                [THRESHOLD_WARN] = {"warns", "warning"}, [THRESHOLD_FAIL] = {"beyond_limit", "critical"}};
        tables_agree(levels, THRESHOLD_LEVELS);
        _cleanup_text_ struct text expression = {0}, summary = {0};

        promql_put_condition(&expression, threshold, check->name);
        text_printf(&summary, "%s: %s", check->title, threshold->written);
        put_rule(text, check, levels[threshold->level].word, levels[threshold->level].severity,
                 threshold->written, &expression, text_string(&summary));
}

int alerts_print(const struct check_set *set, struct text *text)
{
        text_puts(text, "# Written by `runbook_exporter alerts` from the checks and their thresholds.\n"
                        "groups:\n  - name: runbook-checks\n    rules:\n");
        for (size_t i = 0; i < set->count; i++) {
                const struct check *check = &set->checks[i];
                put_failing(text, check);
                for (size_t k = 0; k < check->thresholds.count; k++)
                        put_condition(text, check, &check->thresholds.items[k]);
        }
        return text_error(text);
}
