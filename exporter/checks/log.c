/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind log: how many lines of log files match patterns, as counters, whatever rotates or truncates the files.
 *
 * Nothing of a line ever leaves this process: logs hold what must not stand in metrics.
 */
#include <errno.h>
#include <stdio.h>

#include "exporter/check.h"
#include "exporter/log_follow.h"
#include "runbook/pattern.h"

#define PATTERNS_MAX 64
#define LINE_MIN 64
#define LINE_MAX_BYTES ((int64_t)1 << 20)

enum from { FROM_END, FROM_START };
static const char *const froms[] = {"end", "start", NULL};

struct log_pattern {
        char *name, *pattern;
        bool ignore_case;
};

struct log_config {
        struct config_strings files;
        struct config_list patterns; /* of struct log_pattern */
        int from;                    /* enum from */
        int64_t max_line;
};

static const struct config_field pattern_fields[] = {
        {.name = "name",
         .type = CONFIG_STRING,
         .offset = offsetof(struct log_pattern, name),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "The label `pattern` of its counter"},
        {.name = "pattern",
         .type = CONFIG_STRING,
         .offset = offsetof(struct log_pattern, pattern),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "A regular expression (RE2 without flags) to look for anywhere in a line"},
        {.name = "ignore_case",
         .type = CONFIG_BOOL,
         .offset = offsetof(struct log_pattern, ignore_case),
         .fallback = "false",
         .help = "Lines are turned to lower case first (ASCII); the pattern is written in it"},
        {0},
};

static const struct config_field fields[] = {
        {.name = "files",
         .type = CONFIG_STRINGS,
         .offset = offsetof(struct log_config, files),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "Absolute paths with *, ? and [abc]; compressed files are passed over"},
        {.name = "patterns",
         .type = CONFIG_LIST,
         .offset = offsetof(struct log_config, patterns),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .fields = pattern_fields,
         .size = sizeof(struct log_pattern),
         .help = "What to count lines of; a line may match several"},
        {.name = "from",
         .type = CONFIG_ENUM,
         .offset = offsetof(struct log_config, from),
         .choices = froms,
         .fallback = "end",
         .help = "Where to begin in files that are there when the check runs for the first time; later ones "
                 "are read from their start"},
        {.name = "max_line",
         .type = CONFIG_SIZE,
         .offset = offsetof(struct log_config, max_line),
         .fallback = "64KiB",
         .help = "Of longer lines only so much is looked at; up to 1MiB"},
        {0},
};

static const struct metric_family matched = {"runbook_log_matched_lines_total", METRIC_COUNTER, NULL,
                                             "Lines in which the pattern was found."};
static const struct metric_family lines = {"runbook_log_lines_total", METRIC_COUNTER, NULL,
                                           "Lines that were read."};
static const struct metric_family files = {"runbook_log_files", METRIC_GAUGE, NULL,
                                           "Files that are followed."};
static const struct metric_family behind = {
        "runbook_log_behind_bytes", METRIC_GAUGE, "bytes",
        "What of the files has not been read yet: a line that has no end, or for lack of time."};

static const struct metric_family *const families[] = {&matched, &lines, &files, &behind, NULL};

struct log_state {
        const struct log_config *config;
        struct log_follow *follow;
        char *state_path;
        struct pattern *patterns[PATTERNS_MAX];
        uint64_t matched[PATTERNS_MAX], lines;
        char *lower; /* a line in lower case; NULL when no pattern wants it */
};

static void *log_close(void *state)
{
        struct log_state *log = state;

        if (!log)
                return NULL;
        log_follow_free(log->follow);
        for (size_t i = 0; i < PATTERNS_MAX; i++)
                pattern_free(log->patterns[i]);
        free(log->state_path);
        free(log->lower);
        free(log);
        return NULL;
}

static void log_close_p(struct log_state **state)
{
        log_close(*state);
}

/* A capital could never be found; those behind a backslash are classes. */
static bool has_capital(const char *pattern)
{
        for (; *pattern; pattern++) {
                if (*pattern == '\\' && pattern[1])
                        pattern++;
                else if (*pattern >= 'A' && *pattern <= 'Z')
                        return true;
        }
        return false;
}

static bool compile(struct log_state *log, size_t i, struct config_node *node)
{
        const struct log_pattern *given = log->config->patterns.items, *pattern = &given[i];
        _cleanup_error_ struct error error = {0};

        for (size_t k = 0; k < i; k++)
                if (strcmp(given[k].name, pattern->name) == 0) {
                        config_complain(node, "name", "there is a pattern \"%s\" already", pattern->name);
                        return false;
                }
        if (pattern->ignore_case && has_capital(pattern->pattern)) {
                config_complain(node, "pattern", "with ignore_case a pattern is written in lower case");
                return false;
        }
        if (pattern_compile(pattern->pattern, &log->patterns[i], &error) < 0) {
                config_complain(node, "pattern", "%s", error_text(&error));
                return false;
        }
        return true;
}

static int log_open(const struct check *check, struct config_node *node, void **ret_state,
                    struct error *error)
{
        const struct log_config *config = check->config;
        _cleanup_(log_close_p) struct log_state *log = calloc(1, sizeof(*log));
        bool good = paths_check(&config->files, node, "files");

        if (!log)
                return error_oom(error);
        log->config = config;
        if (config->max_line < LINE_MIN || config->max_line > LINE_MAX_BYTES) {
                config_complain(node, "max_line", "from %d to 1MiB", LINE_MIN);
                good = false;
        }
        if (config->patterns.count > PATTERNS_MAX) {
                config_complain(node, "patterns", "at most %d", PATTERNS_MAX);
                return -EINVAL;
        }
        for (size_t i = 0; i < config->patterns.count; i++)
                good = compile(log, i, config_item(config_member(node, "patterns"), i)) && good;
        if (!good)
                return -EINVAL;
        log->lower = malloc((size_t)config->max_line + 1);
        if (check->state_directory)
                log->state_path = text_format("%s/log-%s", check->state_directory, check->name);
        if (!log->lower || (check->state_directory && !log->state_path))
                return error_oom(error);
        const struct log_follow_options options = {
                .files = &config->files,
                .state_path = log->state_path,
                .from_start = config->from == FROM_START,
                .line_limit = (size_t)config->max_line,
        };
        int r = log_follow_new(&options, &log->follow, error);
        if (r < 0)
                return r;
        *ret_state = TAKE_PTR(log);
        return 0;
}

static void see_line(const char *line, size_t length, void *context)
{
        struct log_state *log = context;
        const struct log_pattern *given = log->config->patterns.items;
        bool lowered = false;

        log->lines++;
        for (size_t i = 0; i < log->config->patterns.count; i++) {
                if (given[i].ignore_case && !lowered) {
                        for (size_t k = 0; k <= length; k++)
                                log->lower[k] = (char)(line[k] >= 'A' && line[k] <= 'Z' ? line[k] + 'a' - 'A'
                                                                                        : line[k]);
                        lowered = true;
                }
                log->matched[i] += pattern_found(log->patterns[i], given[i].ignore_case ? log->lower : line);
        }
}

/* Reads for half of the time that is left: a run that is overdue would tell nothing. */
static int log_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct log_state *log = state;
        const struct log_pattern *given = log->config->patterns.items;

        int r = log_follow_run(log->follow, deadline_in(deadline_left(deadline) / 2), see_line, log, error);
        for (size_t i = 0; i < log->config->patterns.count; i++)
                SAMPLE(sink, &matched, (double)log->matched[i], {"pattern", given[i].name});
        SAMPLE_BARE(sink, &lines, (double)log->lines);
        SAMPLE_BARE(sink, &files, (double)log_follow_files(log->follow));
        SAMPLE_BARE(sink, &behind, (double)log_follow_behind(log->follow));
        return r;
}

const struct check_kind check_kind_log = {
        .name = "log",
        .help = "Lines of log files that match patterns, counted over rotation, truncation and restarts.",
        .fields = fields,
        .config_size = sizeof(struct log_config),
        .families = families,
        .open = log_open,
        .run = log_run,
        .close = log_close,
};
