/* SPDX-License-Identifier: Apache-2.0 */
/* From check over metric and alert to remediation and verification, and every gap between them. */
#include "responder/coverage/coverage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "runbook/file.h"
#include "runbook/promql.h"

#define OUR_METRICS "runbook_"
#define FAMILIES_MOST ((size_t)16 << 20)
enum { GAP_MOST = 300 };

/* One that is being made. */
struct making {
        const struct remediation_set *set;
        const struct alert_rules *rules;
        const cJSON *families;
        const char *for_person; /* the group of rules that are for one */
        struct coverage *found;
        bool quiet;           /* what is missing is told elsewhere */
        bool *reached;        /* of each remediation */
        bool *read;           /* of each check: some rule reads one of its metrics */
        bool success_is_read; /* some rule reads whether checks succeed */
};

static void add_gap(struct making *making, const char *format, ...) _printf_(2, 3);
static void add_gap(struct making *making, const char *format, ...)
{
        _cleanup_text_ struct text gap = {0}, line = {0};
        struct coverage *found = making->found;
        va_list args;
        if (making->quiet)
                return;
        va_start(args, format);
        text_vprintf(&gap, format, args);
        va_end(args);
        text_put_line(&line, text_string(&gap), GAP_MOST);
        char **gaps = reallocarray(found->gaps, found->gap_count + 1, sizeof(*gaps));
        if (gaps)
                found->gaps = gaps;
        char *taken = gaps ? text_take(&line) : NULL;
        if (taken)
                found->gaps[found->gap_count++] = taken;
        else
                found->failed = true;
}

/* Of histograms and counters, a series is called after its family, and more. */
static bool is_of_family(const char *metric, const char *family)
{
        static const char *const ends[] = {"", "_bucket", "_sum", "_count", "_total", "_created", "_info"};
        size_t length = strlen(family);
        if (strncmp(metric, family, length) != 0)
                return false;
        return words_find(ends, N_ELEMENTS(ends), metric + length) >= 0;
}

static bool has_metric(const cJSON *names, const char *metric)
{
        const cJSON *name;
        cJSON_ArrayForEach(name, names)
        {
                if (cJSON_IsString(name) && is_of_family(metric, name->valuestring))
                        return true;
        }
        return false;
}

/* Where the metrics of one expression come from. */
struct sources {
        struct making *making;
        const char *reader; /* for a gap: "the alert x" */
        bool mark;          /* it is an alert that reads them */
        struct text names;
};

static void add_source(struct text *names, const char *name)
{
        /* Each once: names are words. */
        const char *at = text_string(names);
        size_t length = strlen(name);
        while ((at = strstr(at, name))) {
                bool begins = at == text_string(names) || at[-1] == ' ';
                if (begins && (at[length] == ',' || at[length] == '\0'))
                        return;
                at += length;
        }
        text_printf(names, "%s%s", names->length > 0 ? ", " : "", name);
}

static void find_source(void *context, const char *metric)
{
        struct sources *sources = context;
        struct making *making = sources->making;
        const cJSON *check;
        bool found = has_metric(json_get(making->families, "every_check", NULL), metric);
        size_t i = 0;
        if (found) {
                add_source(&sources->names, "every check");
                making->success_is_read |= sources->mark && string_starts(metric, "runbook_check_");
        }
        cJSON_ArrayForEach(check, json_get(making->families, "checks", NULL))
        {
                bool has = has_metric(json_get(check, "metrics", NULL), metric);
                if (has)
                        add_source(&sources->names, json_string(check, "name"));
                making->read[i++] |= has && sources->mark;
                found |= has;
        }
        if (found)
                return;
        bool own = string_starts(metric, "runbook_responder_") || string_starts(metric, "runbook_paused") ||
                   string_starts(metric, "runbook_incidents") || string_starts(metric, "runbook_alerts_") ||
                   string_starts(metric, "runbook_journal_") || string_starts(metric, "runbook_calls_");
        add_source(&sources->names, own ? "the responder" : "elsewhere");
        if (!own && string_starts(metric, OUR_METRICS))
                add_gap(making, "%s reads %s, which no check has", sources->reader, metric);
}

/* Appends where what it reads comes from. */
static int put_sources(struct making *making, const char *reader, const char *query, bool mark,
                       struct text *text, struct error *error)
{
        struct sources sources = {.making = making, .reader = reader, .mark = mark};
        int r = promql_each_metric(query, find_source, &sources, error);
        text_puts(text, text_string(&sources.names));
        text_free(&sources.names);
        return error_prefix(error, r, "%s", reader);
}

static bool has_check(const struct making *making, const char *name)
{
        const cJSON *check;
        cJSON_ArrayForEach(check, json_get(making->families, "checks", NULL))
        {
                if (string_equal(json_string(check, "name"), name))
                        return true;
        }
        return false;
}

/* "check redis", "query of postgres", "nothing: it ends as done". */
static int put_verification(struct making *making, const struct remediation *remediation, struct text *text,
                            struct error *error)
{
        const struct verification *verify = &remediation->verify;
        _cleanup_free_ char *reader = text_format("the verification of %s", remediation->name);
        if (!reader)
                return error_oom(error);
        if (verify->check) {
                text_printf(text, "check %s", verify->check);
                if (!has_check(making, verify->check))
                        add_gap(making, "%s is by the check %s, which there is not", reader, verify->check);
                return 0;
        }
        if (!verify->query) {
                text_puts(text, "nothing");
                return 0;
        }
        _cleanup_free_ char *filled = bind_fill(verify->query);
        text_puts(text, "query of ");
        return filled ? put_sources(making, reader, filled, false, text, error) : error_oom(error);
}

/* `missing`: the column in which there is nothing; COVERAGE_COLUMNS: none. */
static void add_row(struct making *making, const char *checks, const char *alert, const char *remediation,
                    const char *verified, enum coverage_column missing)
{
        const char *const cells[COVERAGE_COLUMNS] = {checks, alert, remediation, verified};
        struct coverage *found = making->found;
        struct coverage_row *rows = reallocarray(found->rows, found->row_count + 1, sizeof(*rows));
        if (!rows) {
                found->failed = true;
                return;
        }
        found->rows = rows;
        struct coverage_row *row = &rows[found->row_count++];
        *row = (struct coverage_row){.missing = missing};
        for (size_t i = 0; i < COVERAGE_COLUMNS; i++)
                found->failed |= !(row->cells[i] = strdup(cells[i]));
}

static int cover_rule(struct making *making, const struct alert_rule *rule, struct error *error)
{
        _cleanup_text_ struct text checks = {0};
        _cleanup_free_ char *reader = text_format("the alert %s", rule->name);
        bool any = false, waits = alert_labels_are_for_others(&rule->labels);
        int r = reader ? put_sources(making, reader, rule->expr, true, &checks, error) : error_oom(error);
        for (size_t i = 0; r >= 0 && i < making->set->count; i++) {
                const struct remediation *remediation = &making->set->remediations[i];
                _cleanup_text_ struct text verified = {0};
                if (!matchers_may_match(&remediation->match, &rule->labels) ||
                    (waits && !remediation_asks_about_stage(remediation)))
                        continue;
                making->quiet = true; /* what is wrong with its verification is told once */
                r = put_verification(making, remediation, &verified, error);
                making->quiet = false;
                add_row(making, text_string(&checks), rule->name, remediation->name, text_string(&verified),
                        COVERAGE_COLUMNS);
                making->reached[i] = any = true;
        }
        if (r < 0 || any)
                return r;
        bool person = waits || string_equal(rule->group, making->for_person);
        add_row(making, text_string(&checks), rule->name,
                waits    ? "a person, who waits"
                : person ? "a person"
                         : "NOTHING",
                "", person ? COVERAGE_COLUMNS : COVERAGE_REMEDIATION);
        if (!person)
                add_gap(making, "the alert %s sets nothing off, and is not of the group %s", rule->name,
                        making->for_person);
        return 0;
}

static int cover_remediations(struct making *making, struct error *error)
{
        int r = 0;
        for (size_t i = 0; r >= 0 && i < making->set->count; i++) {
                const struct remediation *remediation = &making->set->remediations[i];
                _cleanup_text_ struct text verified = {0};
                r = put_verification(making, remediation, &verified, error);
                if (making->reached[i])
                        continue;
                add_row(making, "", "NONE", remediation->name, text_string(&verified), COVERAGE_ALERT);
                add_gap(making, "no alert reaches the remediation %s", remediation->name);
        }
        return r;
}

/* A check that no rule asks about is watched by its conditions or, at least, for whether it succeeds. */
static void cover_checks(struct making *making)
{
        const cJSON *check;
        size_t i = 0;
        cJSON_ArrayForEach(check, json_get(making->families, "checks", NULL))
        {
                const char *name = json_string(check, "name");
                if (making->read[i++])
                        continue;
                bool conditions = json_bool(check, "conditions", false);
                add_row(making, name,
                        !making->success_is_read ? "NONE"
                        : conditions             ? "those of every check: its conditions"
                                                 : "those of every check: whether it succeeds",
                        "", "", making->success_is_read ? COVERAGE_COLUMNS : COVERAGE_ALERT);
                if (!making->success_is_read)
                        add_gap(making, "no rule reads a metric of the check %s, nor whether it succeeds",
                                name);
        }
}

int coverage_make(const struct remediation_set *set, const struct alert_rules *rules, const cJSON *families,
                  const char *for_person, struct coverage *ret, struct error *error)
{
        struct coverage found = {0};
        size_t checks = (size_t)cJSON_GetArraySize(json_get(families, "checks", NULL));
        _cleanup_free_ bool *reached = calloc(set->count + 1, sizeof(bool));
        _cleanup_free_ bool *read = calloc(checks + 1, sizeof(bool));
        if (!reached || !read)
                return error_oom(error);
        struct making making = {
                .set = set,
                .rules = rules,
                .families = families,
                .for_person = for_person,
                .found = &found,
                .reached = reached,
                .read = read,
        };
        int r = 0;
        for (size_t i = 0; r >= 0 && i < rules->count; i++)
                r = cover_rule(&making, &rules->items[i], error);
        if (r >= 0)
                r = cover_remediations(&making, error);
        if (r >= 0)
                cover_checks(&making);
        if (r >= 0 && found.failed)
                r = error_oom(error);
        if (r < 0)
                coverage_release(&found);
        else
                *ret = found;
        return r;
}

void coverage_release(struct coverage *coverage)
{
        for (size_t i = 0; i < coverage->row_count; i++)
                for (size_t k = 0; k < COVERAGE_COLUMNS; k++)
                        free(coverage->rows[i].cells[k]);
        for (size_t i = 0; i < coverage->gap_count; i++)
                free(coverage->gaps[i]);
        free(coverage->rows);
        free(coverage->gaps);
        *coverage = (struct coverage){0};
}

int coverage_read_families(const char *path, cJSON **ret, struct error *error)
{
        _cleanup_text_ struct text text = {0};
        bool standard = string_equal(path, "-");
        _cleanup_close_ int opened = standard ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        if (!standard && opened < 0)
                return error_set_errno(error, errno, "cannot open %s", path);
        int r = file_read_rest(standard ? STDIN_FILENO : opened, path, FAMILIES_MOST, &text, error);
        if (r >= 0)
                r = error_prefix(
                        error,
                        json_parse_strict(text_string(&text), text.length, &json_answer_limits, ret, error),
                        "%s", path);
        if (r >= 0 && !cJSON_IsArray(json_get(*ret, "checks", NULL))) {
                cJSON_Delete(*ret);
                *ret = NULL;
                return error_set(error, EINVAL, "%s is not what `runbook_exporter families` prints", path);
        }
        return r;
}
