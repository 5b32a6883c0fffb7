/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind log: how many lines of logs match patterns, as counters, whatever rotates or truncates them.
 *
 * Nothing of a line leaves this process but what the groups hold that a check names: logs hold what must not
 * stand in metrics.
 */
#include <errno.h>
#include <stdio.h>

#include "exporter/check/check.h"
#include "exporter/kinds/log/counter.h"
#include "exporter/kinds/log/docker.h"
#include "exporter/kinds/log/files.h"
#include "exporter/kinds/log/journal.h"
#include "runbook/docker_access.h"

#define PATTERNS_MAX 64
#define LINE_MIN 64
#define LINE_MAX_BYTES ((int64_t)1 << 20)

enum from { FROM_END, FROM_START, FROMS };
static const char *const froms[] = {"end", "start", NULL};
tables_agree(froms, FROMS + 1);

struct log_config {
        struct config_strings files; /* one of these three is given */
        struct log_journal_config journal;
        struct log_docker_config docker;
        struct config_list patterns; /* of struct log_pattern */
        int from;                    /* enum from */
        int64_t max_line;
};

static const struct config_field fields[] = {
        {"files", CONFIG_STRINGS, offsetof(struct log_config, files), .flags = CONFIG_NOT_EMPTY,
         .help = "Absolute paths with *, ? and [abc]; compressed files are passed over. Or a journal, or "
                 "docker: one of the three"},
        {"journal", CONFIG_OBJECT, offsetof(struct log_config, journal), .fields = log_journal_fields,
         .help = "What units write to journald"},
        {"docker", CONFIG_OBJECT, offsetof(struct log_config, docker), .fields = log_docker_fields,
         .help = "What the containers of a Compose project write"},
        {"patterns", CONFIG_LIST, offsetof(struct log_config, patterns),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .fields = log_pattern_fields,
         .size = sizeof(struct log_pattern), .help = "What to count lines of; a line may match several"},
        {"from", CONFIG_ENUM, offsetof(struct log_config, from), .choices = froms, .fallback = "end",
         .help = "Where to begin in what is there when the check runs for the first time; files and "
                 "containers that come later are read from their start"},
        {"max_line", CONFIG_SIZE, offsetof(struct log_config, max_line), .fallback = "64KiB",
         .help = "Of longer lines only so much is looked at; up to 1MiB"},
        {0},
};

#define FAMILIES(X)                                                                 \
        X(lines, COUNTER, "runbook_log_lines_total", NULL, "Lines that were read.") \
        X(caught_up, GAUGE, "runbook_log_caught_up", NULL,                          \
          "Whether the last run had the time to read all there was; the rest is for the next one.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {
        LOG_COUNTER_FAMILIES(FAMILY_ADDRESS) FAMILIES(FAMILY_ADDRESS) LOG_FILES_FAMILIES(FAMILY_ADDRESS)
                LOG_DOCKER_FAMILIES(FAMILY_ADDRESS) LOG_SOURCE_FAMILIES(FAMILY_ADDRESS) NULL};

/* The sorts of sources, and where the configuration of each lies. */
static const struct {
        const struct log_source_type *type;
        size_t offset;
} sources[] = {
        {&log_source_files, offsetof(struct log_config, files)},
        {&log_source_journal, offsetof(struct log_config, journal)},
        {&log_source_docker, offsetof(struct log_config, docker)},
};

static const struct config_strings no_members = {.items = (char *[]){NULL}, .count = 1};

struct log_state {
        const struct log_config *config;
        const struct log_source_type *source;
        void *source_state;
        const struct config_strings *members; /* of the source; one without a name when it has none */
        char *state_path;
        struct log_counter *counters[PATTERNS_MAX];
        const struct metric_family *own[PATTERNS_MAX + 1]; /* of the values, closed by NULL */
        uint64_t *lines;                                   /* by member */
        char *lower;                                       /* room for a line in lower case */
        bool no_memory;                                    /* in this run, for a line */
};

static void *log_close(void *state)
{
        struct log_state *log = state;
        if (!log)
                return NULL;
        if (log->source)
                log->source->free(log->source_state);
        for (size_t i = 0; i < PATTERNS_MAX; i++)
                log_counter_free(log->counters[i]);
        free(log->state_path);
        free(log->lines);
        free(log->lower);
        free(log);
        return NULL;
}

static void log_close_p(struct log_state **state)
{
        log_close(*state);
}

/* The counters of all patterns. -EINVAL after complaints, -ENOMEM. */
static int open_counters(struct log_state *log, const struct check *check, struct config_node *list)
{
        const struct log_pattern *given = log->config->patterns.items;
        size_t values = 0;
        int result = 0;
        for (size_t i = 0; i < log->config->patterns.count; i++) {
                struct config_node *node = config_item(list, i);
                for (size_t k = 0; k < i; k++)
                        if (strcmp(given[k].name, given[i].name) == 0) {
                                config_complain(node, "name", "there is a pattern \"%s\" already",
                                                given[i].name);
                                result = -EINVAL;
                        }
                int r = log_counter_new(check, &given[i], node, log->members ? log->members->count : 0,
                                        log->source ? log->source->label : NULL, &log->counters[i]);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        result = r;
                else if (log_counter_family(log->counters[i]))
                        log->own[values++] = log_counter_family(log->counters[i]);
        }
        return result;
}

static const struct metric_family *const *log_own_families(const void *state)
{
        return ((const struct log_state *)state)->own;
}

/* The one source that is given, and its part of the mapping; -EINVAL after a complaint. */
static int find_source(struct config_node *node, size_t *ret, struct config_node **ret_part)
{
        size_t count = 0;
        for (size_t i = 0; i < N_ELEMENTS(sources); i++) {
                struct config_node *part = config_member(node, sources[i].type->key);
                if (!part)
                        continue;
                count++;
                *ret = i;
                *ret_part = part;
        }
        if (count == 1)
                return 0;
        config_complain(node, NULL, "one of files, journal and docker is needed, and only one");
        return -EINVAL;
}

static int open_source(struct log_state *log, struct config_node *node, struct error *error)
{
        const struct log_config *config = log->config;
        const struct log_source_options options = {
                .state_path = log->state_path,
                .from_start = config->from == FROM_START,
                .line_limit = (size_t)config->max_line,
        };
        struct config_node *part = NULL;
        size_t i = 0;
        int r = find_source(node, &i, &part);
        if (r < 0)
                return r;
        const void *of_source = (const char *)config + sources[i].offset;
        log->source = sources[i].type;
        log->members = log->source->members ? log->source->members(of_source) : &no_members;
        return log->source->open(of_source, part, &options, &log->source_state, error);
}

static int log_open(const struct check *check, struct config_node *node, void **ret_state,
                    struct error *error)
{
        const struct log_config *config = check->config;
        _cleanup_(log_close_p) struct log_state *log = calloc(1, sizeof(*log));
        if (!log)
                return error_oom(error);
        log->config = config;
        if (config->max_line < LINE_MIN || config->max_line > LINE_MAX_BYTES) {
                config_complain(node, "max_line", "from %d to 1MiB", LINE_MIN);
                return -EINVAL;
        }
        if (config->patterns.count > PATTERNS_MAX) {
                config_complain(node, "patterns", "at most %d", PATTERNS_MAX);
                return -EINVAL;
        }
        if (check->state_directory)
                log->state_path = text_format("%s/log-%s", check->state_directory, check->name);
        log->lower = malloc((size_t)config->max_line + 1);
        if (!log->lower || (check->state_directory && !log->state_path))
                return error_oom(error);
        int r = open_source(log, node, error);
        const char *member = log->source ? log->source->label : NULL;
        if (member && check_has_label(check, member)) {
                config_complain(node, log->source->key,
                                "its series have a label \"%s\" of their own, as `labels`", member);
                return -EINVAL;
        }
        int counters = open_counters(log, check, config_member(node, "patterns"));
        if (counters == -ENOMEM)
                return error_oom(error);
        if (r < 0 || counters < 0)
                return r < 0 ? r : counters;
        log->lines = calloc(log->members->count + 1, sizeof(*log->lines)); /* may not be nothing */
        if (!log->lines)
                return error_oom(error);
        *ret_state = TAKE_PTR(log);
        return 0;
}

static void see_line(void *context, size_t member, const char *line, size_t length)
{
        struct log_state *log = context;
        const struct log_pattern *given = log->config->patterns.items;
        bool lowered = false;
        log->lines[member]++;
        for (size_t i = 0; i < log->config->patterns.count; i++) {
                if (given[i].ignore_case && !lowered) {
                        for (size_t k = 0; k <= length; k++)
                                log->lower[k] = (char)(line[k] >= 'A' && line[k] <= 'Z' ? line[k] + 'a' - 'A'
                                                                                        : line[k]);
                        lowered = true;
                }
                if (log_counter_see(log->counters[i], member, line,
                                    given[i].ignore_case ? log->lower : line) < 0)
                        log->no_memory = true;
        }
}

/* Reads for half of the time that is left, and waits for no answer longer than three quarters of it: a run
 * that is overdue would tell nothing. */
static int log_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct log_state *log = state;
        size_t count = log->config->patterns.count;
        nsec left = deadline_left(deadline);
        bool read_all = false;
        log->no_memory = false;
        for (size_t i = 0; i < count; i++)
                log_counter_begin(log->counters[i]);
        int r = log->source->run(log->source_state, deadline_earlier(deadline, deadline_in(left / 2)),
                                 deadline_earlier(deadline, deadline_in(left / 4 * 3)), see_line, log,
                                 &read_all, error);
        for (size_t m = 0; m < log->members->count; m++) {
                const struct label member = {log->source->label, log->members->items[m]};
                for (size_t i = 0; i < count; i++)
                        log_counter_add_samples(log->counters[i], m, log->members->items[m], sink);
                SAMPLE(sink, &lines, (double)log->lines[m], member);
        }
        SAMPLE_BARE(sink, &caught_up, read_all);
        log->source->add_samples(log->source_state, sink);
        return r >= 0 && log->no_memory ? error_oom(error) : r;
}

/* The labels of its families; a source has one more. */
static unsigned log_docker_access(const void *configured)
{
        const struct log_config *config = configured;
        return config->docker.docker.project ? DOCKER_ACCESS_LOOK | DOCKER_ACCESS_LOGS : 0;
}

static const char *const labels[] = {"pattern", NULL};

const struct check_kind check_kind_log = {
        .name = "log",
        .help = "Lines of log files, journald or Docker that match patterns, counted over rotation, "
                "truncation and "
                "restarts.",
        .fields = fields,
        .config_size = sizeof(struct log_config),
        .families = families,
        .labels = labels,
        .open = log_open,
        .run = log_run,
        .close = log_close,
        .own_families = log_own_families,
        .indirect = true,
        .sparse = true,
        .docker_access = log_docker_access,
};
