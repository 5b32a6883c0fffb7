/* SPDX-License-Identifier: Apache-2.0 */
/* Every check: first what fails and what is to be done, then a row of graphs for each. */
#include <errno.h>
#include <stdio.h>

#include "exporter/check/promql.h"
#include "exporter/check/result.h"
#include "exporter/commands/grafana/dashboards.h"

/* Labels that tell the series of a kind from each other, as one would say them. */
static const char *const telling[] = {"mountpoint", "directory", "service",  "container", "component",
                                      "phase",      "pattern",   "database", "table",     "index",
                                      "slot",       "replica",   "db",       "key",       "group",
                                      "event",      "master",    "unit",     "state",     "label"};

static bool has_label(const struct check_kind *kind, const char *name)
{
        for (size_t i = 0; kind->labels && kind->labels[i]; i++)
                if (strcmp(kind->labels[i], name) == 0)
                        return true;
        return false;
}

static void put_legend(struct text *legend, const struct check *check)
{
        text_puts(legend, "{{instance}}");
        for (size_t i = 0; i < N_ELEMENTS(telling); i++)
                if (has_label(check->kind, telling[i]))
                        text_printf(legend, " {{%s}}", telling[i]);
}

/* A table whose column of advice is the check's name, which the panel shows as what to do. */
static void add_failing(struct document *document, const struct check_set *set)
{
        static const struct panel panel = {
                "What fails now",
                LOOK_TABLE,
                SHOWN_NUMBER,
                24,
                0,
                "label_replace((runbook_check_standing{" OF_CHOSEN ",standing=~\"fail|warn|unknown\"} == 1)"
                " * on (job, instance, check) group_left (title) runbook_check_info{" OF_CHOSEN "},"
                " \"advice\", \"$1\", \"check\", \"(.*)\")",
                "{{instance}} {{check}}"};
        static const char *const hidden[] = {"Time", "Value", "__name__", "job"}, *const shown[] = {
                                                                                          "standing", "title",
                                                                                          "check", "instance",
                                                                                          "advice"};
        cJSON *added = document_add_panel(document, &panel);
        panel_arrange_columns(added, hidden, N_ELEMENTS(hidden), shown, N_ELEMENTS(shown));
        for (size_t i = 0; i < set->count; i++) {
                const struct check *check = &set->checks[i];
                const char *url = check->runbook_url;
                _cleanup_free_ char *both = text_format("%s%s%s", check->advice ? check->advice : "",
                                                        check->advice && url ? " " : "", url ? url : "");
                panel_name_word(added, "advice", check->name, both && *both ? both : "–");
        }
}

/* How each check stands, as one number a check that the panel shows by its word. */
static void add_standings(struct document *document, const struct check_set *set)
{
        static const char *const colours[] = {[STANDING_NOT_SET_UP] = "transparent",
                                              [STANDING_PASS] = "green",
                                              [STANDING_WARN] = "orange",
                                              [STANDING_UNKNOWN] = "purple",
                                              [STANDING_FAIL] = "red"};
        tables_agree(colours, STANDINGS);
        struct panel_word words[STANDINGS];
        _cleanup_text_ struct text expression = {0};
        text_puts(&expression, "sum by (job, instance, check) (");
        for (enum standing i = 0; i < STANDINGS; i++) {
                text_printf(&expression, "%s%d * runbook_check_standing{" OF_CHOSEN ",standing=\"%s\"}",
                            i > 0 ? " or " : "", (int)i, standing_styles[i].word);
                words[i] = (struct panel_word){i, standing_styles[i].phrase, colours[i]};
        }
        text_putc(&expression, ')');
        cJSON *panel = document_add_panel(document, &(struct panel){"How the checks stand", LOOK_STATES,
                                                                    SHOWN_NUMBER, 12, 6 + (int)set->count / 2,
                                                                    text_string(&expression),
                                                                    "{{instance}} {{check}}"});
        panel_name_values(panel, words, STANDINGS);
}

static void add_overview(struct document *document, const struct check_set *set)
{
        static const struct panel panels[] = {
                {"Series beyond a threshold", LOOK_LINES, SHOWN_NUMBER, 6, 0,
                 "runbook_check_series_beyond_threshold{" OF_CHOSEN "} > 0",
                 "{{instance}} {{check}} {{level}}"},
                {"How long the checks take", LOOK_LINES, SHOWN_SECONDS, 6, 0,
                 "runbook_check_duration_seconds{" OF_CHOSEN "}", "{{instance}} {{check}}"},
        };
        add_failing(document, set);
        add_standings(document, set);
        for (size_t i = 0; i < N_ELEMENTS(panels); i++)
                document_add_panel(document, &panels[i]);
}

/* Of what is 0 or 1: which of them is wrong. */
static bool is_yes_or_no(const struct threshold *threshold)
{
        const struct metric_family *family = threshold->operands[0].family;
        return threshold->operand_count == 1 && family &&
               (string_starts(family->help, "Whether ") || string_starts(family->help, "1 ")) &&
               strcmp(threshold->comparison, "==") == 0 && (threshold->limit == 0 || threshold->limit == 1);
}

/* What is compared with the time is how long it is until then. */
static enum shown shown_of_threshold(const struct threshold *threshold)
{
        if (is_yes_or_no(threshold))
                return threshold->limit == 0 ? SHOWN_GOOD : SHOWN_BAD;
        for (size_t i = 0; i < threshold->operand_count; i++)
                if (!threshold->operands[i].metric)
                        return SHOWN_LEFT;
        return shown_of(threshold->unit);
}

static bool is_aggregate(const struct threshold *threshold)
{
        for (size_t i = 0; i < threshold->operand_count; i++)
                if (threshold->operands[i].aggregate == AGGREGATE_NONE)
                        return false;
        return true;
}

/* The first clause of a sentence. */
static void put_clause(struct text *text, const char *sentence)
{
        text_append(text, sentence, strcspn(sentence, ".:;"));
}

/* One graph of what item `first` looks at, with the limits of all that look at the same. */
static int add_threshold(struct document *document, const struct check *check, size_t first)
{
        const struct thresholds *all = &check->thresholds;
        const struct threshold *threshold = &all->items[first];
        const struct operand *of = &threshold->operands[threshold->operands[0].metric ? 0 : 1];
        _cleanup_free_ const struct threshold **same = calloc(all->count, sizeof(*same));
        _cleanup_text_ struct text expression = {0}, title = {0}, legend = {0}, about = {0};
        bool states = is_yes_or_no(threshold);
        size_t count = 0;
        if (!same)
                return -ENOMEM;
        for (size_t i = 0; i < all->count; i++) {
                const struct threshold *other = &all->items[i];
                if (strcmp(other->expression, threshold->expression) != 0)
                        continue;
                if (i < first)
                        return 0; /* it has its graph already */
                text_printf(&about, "%s: `%s`. ", threshold_levels[other->level], other->written);
                same[count++] = other;
        }
        text_printf(&title, "%s: ", check->title);
        if (of->family && threshold->operator!= '/')
                put_clause(&title, of->family->help);
        else
                text_puts(&title, threshold->expression);
        text_puts(&about, check->advice ? check->advice : "");
        promql_put_value(&expression, threshold, check->name, OF_CHOSEN);
        if (is_aggregate(threshold))
                text_puts(&legend, "{{instance}}");
        else
                put_legend(&legend, check);
        cJSON *panel = document_add_panel(
                document, &(struct panel){text_string(&title), states ? LOOK_STATES : LOOK_LINES,
                                          shown_of_threshold(threshold), 0, 0, text_string(&expression),
                                          text_string(&legend)});
        panel_describe(panel, text_string(&about), check->runbook_url);
        if (!states)
                panel_draw_limits(panel, same, count);
        return 0;
}

void dashboard_add_own(struct document *document, const struct check *check,
                       const struct metric_family *family)
{
        _cleanup_text_ struct text expression = {0}, title = {0};
        metric_put_expression(&expression, family->name, family->type == METRIC_COUNTER, check->name);
        text_printf(&title, "%s: ", check->title);
        put_clause(&title, family->help);
        /* Its labels are the operator's: Grafana names a series by those that tell it from the others. */
        cJSON *panel = document_add_panel(document, &(struct panel){text_string(&title), LOOK_LINES,
                                                                    shown_of_metric(family->name), 0, 0,
                                                                    text_string(&expression), "__auto"});
        panel_describe(panel, check->advice, check->runbook_url);
}

/* Of a check without a limit and a metric of its own, whether it succeeds is all there is to show. */
static void add_success(struct document *document, const struct check *check)
{
        _cleanup_text_ struct text expression = {0};
        metric_put_expression(&expression, "runbook_check_success", false, check->name);
        cJSON *panel =
                document_add_panel(document, &(struct panel){check->title, LOOK_STATES, SHOWN_GOOD, 0, 0,
                                                             text_string(&expression), "{{instance}}"});
        panel_describe(panel, check->advice, check->runbook_url);
}

/* That of a condition. */
static bool has_graph(const struct check *check, const struct metric_family *family)
{
        for (size_t i = 0; i < check->thresholds.count; i++) {
                const struct threshold *threshold = &check->thresholds.items[i];
                if (threshold->operand_count == 1 && threshold->operands[0].family == family &&
                    threshold->operands[0].aggregate == AGGREGATE_NONE &&
                    threshold->operands[0].labels.count == 0)
                        return true;
        }
        return false;
}

static int add_check(struct document *document, const struct check *check, void *state)
{
        const struct metric_family *const *own =
                check->kind->own_families ? check->kind->own_families(state) : NULL;
        document_add_row(document, check->title);
        for (size_t i = 0; i < check->thresholds.count; i++)
                if (add_threshold(document, check, i) < 0)
                        return -ENOMEM;
        for (size_t i = 0; own && own[i]; i++)
                if (!has_graph(check, own[i]))
                        dashboard_add_own(document, check, own[i]);
        if (check->thresholds.count == 0 && !(own && own[0]))
                add_success(document, check);
        return 0;
}

int dashboard_add_checks(struct document *document, const struct check_set *set)
{
        add_overview(document, set);
        for (size_t i = 0; i < set->count; i++)
                if (add_check(document, &set->checks[i], set->states[i]) < 0)
                        return -ENOMEM;
        return 0;
}
