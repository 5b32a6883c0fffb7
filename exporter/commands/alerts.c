/* SPDX-License-Identifier: Apache-2.0 */
/* Alerting rules, written so that a change of a threshold in checks.yml is a change of its alert. */
#include "exporter/commands/alerts.h"

#include <errno.h>
#include <string.h>

#include "exporter/check/promql.h"
#include "exporter/check/result.h"
#include "runbook/http_client.h"

#define HOLD "5m"          /* one failed look is not an alert: two scrapes may be a restart */
#define HOLD_UNKNOWN "15m" /* who could not look for so long will not by itself */
#define SAYS_WHY "`runbook_exporter checklist --all` says why."

/* Braces of Prometheus' own templates in it are not meant as such. */
static void put_plain(struct text *text, const char *value)
{
        for (; *value; value++) {
                if (string_starts(value, "{{")) {
                        text_puts(text, "{{\"{{\"}}");
                        value++;
                } else {
                        text_putc(text, *value);
                }
        }
}

/* JSON's strings are YAML's. `template` is Prometheus' own, and comes behind. */
static void put_template(struct text *text, const char *name, const char *value, const char *template)
{
        _cleanup_text_ struct text whole = {0};
        put_plain(&whole, value);
        text_puts(&whole, template);
        text_printf(text, "          %s: ", name);
        text_put_json(text, text_string(&whole));
        text_putc(text, '\n');
}

static void put_pair(struct text *text, const char *name, const char *value)
{
        if (value)
                put_template(text, name, value, "");
}

/* What differs between the alerts of one check. */
struct rule {
        const char *word, *severity, *hold;
        const char *description; /* what it means */
        const char *condition;   /* NULL: it is of the check itself */
        const char *value;       /* the template that shows it; NULL: there is none */
        bool advised;            /* something was measured that the check's advice may be meant for */
};

/* How all alerts of one check are written. */
struct manner {
        const char *url; /* where its page is; NULL: not told */
        bool twins;      /* one for who acts, one for who is paged: see docs/responder.md */
};

/* How a person reads what was measured; of what is equal to the limit there is no more to say. */
static const char *value_of(const struct threshold *threshold)
{
        static const char *const templates[] = {
                [UNIT_NUMBER] = " (now {{ $value | humanize }})",
                [UNIT_PERCENT] = " (now {{ $value | humanizePercentage }})",
                [UNIT_SECONDS] = " (now {{ $value | humanizeDuration }})",
                [UNIT_BYTES] = " (now {{ $value | humanize1024 }}B)",
        };
        tables_agree(templates, VALUE_UNITS);
        if (string_equal(threshold->comparison, "=="))
                return "";
        if (threshold->unit == UNIT_NUMBER && threshold->limit < 1 && threshold->limit > -1)
                return " (now {{ $value | printf \"%.4g\" }})"; /* humanize would say 600m for 0.6 */
        return templates[threshold->unit];
}

/* Alertmanager tells alerts apart by their labels alone: an aggregate has lost the check's name, and there
 * may be several conditions. `stage` NULL: it has no twin. */
static void put_one(struct text *text, const struct check *check, const char *url, const struct rule *rule,
                    const char *stage, const struct text *expression, const char *summary)
{
        text_puts(text, "      - alert: ");
        for (const char *c = check->name; *c; c++)
                text_putc(text, strchr("-.", *c) ? '_' : *c);
        text_printf(text, "_%s\n        expr: ", rule->word);
        text_put_json(text, text_string(expression));
        text_printf(text, "\n        for: %s\n        labels:\n", rule->hold);
        put_pair(text, "severity", rule->severity);
        put_pair(text, "check", check->name);
        put_pair(text, "condition", rule->condition);
        put_pair(text, "stage", stage);
        for (size_t i = 0; i < check->label_count; i++) /* an aggregate has lost these, too */
                put_pair(text, check->labels[i].name, check->labels[i].value);
        text_puts(text, "        annotations:\n");
        put_template(text, "summary", summary, rule->value ? rule->value : "");
        put_pair(text, "description", rule->description);
        put_pair(text, "advice", rule->advised ? check->advice : NULL);
        put_pair(text, "runbook_url", rule->advised && check->runbook_url ? check->runbook_url : url);
        put_pair(text, "check_url", url);
}

static void put_rule(struct text *text, const struct check *check, const struct manner *manner,
                     const struct rule *rule, const struct text *expression, const char *summary)
{
        static const char *const stages[] = {"act", "page"};
        if (!manner->twins)
                put_one(text, check, manner->url, rule, NULL, expression, summary);
        for (size_t i = 0; manner->twins && i < N_ELEMENTS(stages); i++)
                put_one(text, check, manner->url, rule, stages[i], expression, summary);
}

static void put_standing(struct text *text, const struct check *check, enum standing standing)
{
        text_printf(text, "runbook_check_standing{check=\"%s\",standing=\"%s\"} == 1", check->name,
                    standing_styles[standing].word);
}

/* What is beyond a condition has an alert of its own, and a success. */
static void put_failing(struct text *text, const struct check *check, const struct manner *manner)
{
        static const struct rule rule = {
                "failing", "critical", HOLD, .advised = true,
                .description = "What it looks at is down, or is not as it should be. " SAYS_WHY};
        _cleanup_text_ struct text expression = {0}, summary = {0};
        text_printf(&expression, "runbook_check_success{check=\"%s\"} == 0 and on (job, instance, check) ",
                    check->name);
        put_standing(&expression, check, STANDING_FAIL);
        text_printf(&summary, "%s: the check fails", check->title);
        put_rule(text, check, manner, &rule, &expression, text_string(&summary));
}

static void put_unknown(struct text *text, const struct check *check, const struct manner *manner)
{
        static const struct rule rule = {
                "unknown", "warning", HOLD_UNKNOWN,
                .description = "It could not be looked at: nobody would see it fail. " SAYS_WHY};
        _cleanup_text_ struct text expression = {0}, summary = {0};
        put_standing(&expression, check, STANDING_UNKNOWN);
        text_printf(&summary, "%s: nothing is known, for it could not be looked at", check->title);
        put_rule(text, check, manner, &rule, &expression, text_string(&summary));
}

static void put_condition(struct text *text, const struct check *check, const struct manner *manner,
                          const struct threshold *threshold)
{
        static const struct {
                const char *word, *severity, *description;
        } levels[] = {
                [THRESHOLD_WARN] = {"warns", "warning",
                                    "A value is where `warn:` of the check begins: there is time, but it "
                                    "will not get better by itself. " SAYS_WHY},
                [THRESHOLD_FAIL] = {"beyond_limit", "critical",
                                    "A value is where `fail:` of the check begins: act now. " SAYS_WHY}};
        tables_agree(levels, THRESHOLD_LEVELS);
        _cleanup_text_ struct text expression = {0}, summary = {0};

        promql_put_condition(&expression, threshold, check->name);
        text_printf(&summary, "%s: %s", check->title, threshold->written);
        put_rule(text, check, manner,
                 &(struct rule){.word = levels[threshold->level].word,
                                .severity = levels[threshold->level].severity,
                                .hold = HOLD,
                                .description = levels[threshold->level].description,
                                .condition = threshold->written,
                                .value = value_of(threshold),
                                .advised = true},
                 &expression, text_string(&summary));
}

/* Where the exporter's page shows it: a check's name is an anchor as it stands. */
static char *find_url(const char *external_url, const struct check *check)
{
        struct text url = {0};
        http_put_url(&url, external_url, "/#check-");
        text_puts(&url, check->name);
        return text_take(&url);
}

int alerts_print(const struct check_set *set, const char *external_url, bool twins, struct text *text)
{
        text_puts(text, "# Written by `runbook_exporter alerts` from the checks and their thresholds.\n"
                        "groups:\n  - name: runbook-checks\n    rules:\n");
        for (size_t i = 0; i < set->count; i++) {
                const struct check *check = &set->checks[i];
                _cleanup_free_ char *url = external_url ? find_url(external_url, check) : NULL;
                if (external_url && !url)
                        return -ENOMEM;
                const struct manner manner = {url, twins};
                put_failing(text, check, &manner);
                put_unknown(text, check, &manner);
                for (size_t k = 0; k < check->thresholds.count; k++)
                        put_condition(text, check, &manner, &check->thresholds.items[k]);
        }
        return text_error(text);
}
