/* SPDX-License-Identifier: Apache-2.0 */
/* From check over metric and alert to remediation and verification, and every gap between them. */
#include "responder/commands/coverage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "responder/commands/table.h"
#include "runbook/file.h"
#include "runbook/promql.h"

#define PROGRAM "runbook_responder"
#define OUR_METRICS "runbook_"
#define FAMILIES_MOST ((size_t)16 << 20)
enum { GAP_MOST = 300 };

struct coverage {
        const struct remediation_set *set;
        const struct alert_rules *rules;
        const cJSON *families;
        const char *for_person; /* the group of rules that are for one */
        struct table table;
        struct text gaps;
        size_t gap_count;
        bool *reached;        /* of each remediation */
        bool *read;           /* of each check: some rule reads one of its metrics */
        bool success_is_read; /* some rule reads whether checks succeed */
};

static void add_gap(struct coverage *coverage, const char *format, ...) _printf_(2, 3);
static void add_gap(struct coverage *coverage, const char *format, ...)
{
        _cleanup_text_ struct text gap = {0};
        va_list args;
        va_start(args, format);
        text_vprintf(&gap, format, args);
        va_end(args);
        text_puts(&coverage->gaps, "gap: ");
        text_put_line(&coverage->gaps, text_string(&gap), GAP_MOST);
        text_putc(&coverage->gaps, '\n');
        coverage->gap_count++;
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
        struct coverage *coverage;
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
        struct coverage *coverage = sources->coverage;
        const cJSON *check;
        bool found = has_metric(json_get(coverage->families, "every_check", NULL), metric);
        size_t i = 0;
        if (found) {
                add_source(&sources->names, "every check");
                coverage->success_is_read |= sources->mark && string_starts(metric, "runbook_check_");
        }
        cJSON_ArrayForEach(check, json_get(coverage->families, "checks", NULL))
        {
                bool has = has_metric(json_get(check, "metrics", NULL), metric);
                if (has)
                        add_source(&sources->names, json_string(check, "name"));
                coverage->read[i++] |= has && sources->mark;
                found |= has;
        }
        if (found)
                return;
        bool own = string_starts(metric, "runbook_responder_") || string_starts(metric, "runbook_paused") ||
                   string_starts(metric, "runbook_incidents") || string_starts(metric, "runbook_alerts_") ||
                   string_starts(metric, "runbook_journal_") || string_starts(metric, "runbook_calls_");
        add_source(&sources->names, own ? "the responder" : "elsewhere");
        if (!own && string_starts(metric, OUR_METRICS))
                add_gap(coverage, "%s reads %s, which no check has", sources->reader, metric);
}

/* Appends where what it reads comes from. */
static int put_sources(struct coverage *coverage, const char *reader, const char *query, bool mark,
                       struct text *text, struct error *error)
{
        struct sources sources = {.coverage = coverage, .reader = reader, .mark = mark};
        int r = promql_each_metric(query, find_source, &sources, error);
        text_puts(text, text_string(&sources.names));
        text_free(&sources.names);
        return error_prefix(error, r, "%s", reader);
}

static bool has_check(const struct coverage *coverage, const char *name)
{
        const cJSON *check;
        cJSON_ArrayForEach(check, json_get(coverage->families, "checks", NULL))
        {
                if (string_equal(json_string(check, "name"), name))
                        return true;
        }
        return false;
}

/* "check redis", "query of postgres", "nothing: it ends as done". */
static int put_verification(struct coverage *coverage, const struct remediation *remediation,
                            struct text *text, struct error *error)
{
        const struct verification *verify = &remediation->verify;
        _cleanup_free_ char *reader = text_format("the verification of %s", remediation->name);
        if (!reader)
                return error_oom(error);
        if (verify->check) {
                text_printf(text, "check %s", verify->check);
                if (!has_check(coverage, verify->check))
                        add_gap(coverage, "%s is by the check %s, which there is not", reader, verify->check);
                return 0;
        }
        if (!verify->query) {
                text_puts(text, "nothing");
                return 0;
        }
        _cleanup_free_ char *filled = bind_fill(verify->query);
        text_puts(text, "query of ");
        return filled ? put_sources(coverage, reader, filled, false, text, error) : error_oom(error);
}

static void put_row(struct coverage *coverage, const char *checks, const char *alert, const char *remediation,
                    const char *verified)
{
        const char *const cells[] = {checks, alert, remediation, verified};
        for (size_t i = 0; i < N_ELEMENTS(cells); i++)
                table_cell(&coverage->table, cells[i]);
}

static int cover_rule(struct coverage *coverage, const struct alert_rule *rule, struct error *error)
{
        _cleanup_text_ struct text checks = {0};
        _cleanup_free_ char *reader = text_format("the alert %s", rule->name);
        bool any = false;
        int r = reader ? put_sources(coverage, reader, rule->expr, true, &checks, error) : error_oom(error);
        for (size_t i = 0; r >= 0 && i < coverage->set->count; i++) {
                const struct remediation *remediation = &coverage->set->remediations[i];
                _cleanup_text_ struct text verified = {0};
                if (!matchers_may_match(&remediation->match, &rule->labels))
                        continue;
                /* What is wrong with its verification is told once. */
                struct coverage quiet = *coverage;
                quiet.gaps = (struct text){0};
                r = put_verification(&quiet, remediation, &verified, error);
                text_free(&quiet.gaps);
                put_row(coverage, text_string(&checks), rule->name, remediation->name,
                        text_string(&verified));
                coverage->reached[i] = any = true;
        }
        if (r < 0 || any)
                return r;
        bool person = string_equal(rule->group, coverage->for_person);
        put_row(coverage, text_string(&checks), rule->name, person ? "a person" : "NOTHING", "");
        if (!person)
                add_gap(coverage, "the alert %s sets nothing off, and is not of the group %s", rule->name,
                        coverage->for_person);
        return 0;
}

static int cover_remediations(struct coverage *coverage, struct error *error)
{
        int r = 0;
        for (size_t i = 0; r >= 0 && i < coverage->set->count; i++) {
                const struct remediation *remediation = &coverage->set->remediations[i];
                _cleanup_text_ struct text verified = {0};
                r = put_verification(coverage, remediation, &verified, error);
                if (coverage->reached[i])
                        continue;
                put_row(coverage, "", "NONE", remediation->name, text_string(&verified));
                add_gap(coverage, "no alert reaches the remediation %s", remediation->name);
        }
        return r;
}

/* A check that no rule asks about is watched by its conditions or, at least, for whether it succeeds. */
static void cover_checks(struct coverage *coverage)
{
        const cJSON *check;
        size_t i = 0;
        cJSON_ArrayForEach(check, json_get(coverage->families, "checks", NULL))
        {
                const char *name = json_string(check, "name");
                if (coverage->read[i++])
                        continue;
                bool conditions = json_bool(check, "conditions", false);
                put_row(coverage, name,
                        !coverage->success_is_read ? "NONE"
                        : conditions               ? "those of every check: its conditions"
                                                   : "those of every check: whether it succeeds",
                        "", "");
                if (!coverage->success_is_read)
                        add_gap(coverage, "no rule reads a metric of the check %s, nor whether it succeeds",
                                name);
        }
}

int coverage_put(const struct remediation_set *set, const struct alert_rules *rules, const cJSON *families,
                 const char *for_person, struct text *text, size_t *ret_gaps, struct error *error)
{
        struct coverage coverage = {
                .set = set,
                .rules = rules,
                .families = families,
                .for_person = for_person,
                .table = {.columns = 4},
        };
        size_t checks = (size_t)cJSON_GetArraySize(json_get(families, "checks", NULL));
        coverage.reached = calloc(set->count + 1, sizeof(bool));
        coverage.read = calloc(checks + 1, sizeof(bool));
        int r = coverage.reached && coverage.read ? 0 : error_oom(error);
        put_row(&coverage, "MEASURED BY", "ALERT", "REMEDIATION", "VERIFIED BY");
        for (size_t i = 0; r >= 0 && i < rules->count; i++)
                r = cover_rule(&coverage, &rules->items[i], error);
        if (r >= 0)
                r = cover_remediations(&coverage, error);
        if (r >= 0) {
                cover_checks(&coverage);
                table_put(&coverage.table, text);
                text_printf(text, "\n%s%zu gap%s\n", text_string(&coverage.gaps), coverage.gap_count,
                            coverage.gap_count == 1 ? "" : "s");
                *ret_gaps = coverage.gap_count;
        }
        table_release(&coverage.table);
        text_free(&coverage.gaps);
        free(coverage.reached);
        free(coverage.read);
        return r;
}

static int read_families(const char *path, cJSON **ret, struct error *error)
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

int command_coverage(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *families = NULL;
        struct remediation_set *set = NULL;
        struct alert_rules rules = {0};
        size_t gaps = 0;
        const char *path = arguments->families;
        if (!path) {
                error_set(&error, EINVAL,
                          "coverage needs --families=FILE: what `runbook_exporter families` prints");
                program_complain(PROGRAM, &error);
                return EXIT_USAGE;
        }
        int r = remediation_set_load(arguments->daemon.config_file, &set, &error);
        if (r >= 0)
                r = alert_rules_load(arguments->alerts, &rules, &error);
        if (r >= 0)
                r = read_families(path, &families, &error);
        if (r >= 0)
                r = coverage_put(set, &rules, families, arguments->for_person, &text, &gaps, &error);
        int printed = r < 0 ? program_complain(PROGRAM, &error) : program_print(&text);
        alert_rules_release(&rules);
        remediation_set_free(set);
        return printed == EXIT_FINE && gaps > 0 ? EXIT_FAILED : printed;
}
