/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind exec: whatever there is a tool for. A program with its arguments, never a shell.
 *
 * What it says is its exit code, and as far as the check wants it, a Nagios plugin's performance data or
 * samples in Prometheus' text format. Of these the check names the metrics it takes: a program must not be
 * able to bring in names that contradict others' or grow without end.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "exporter/check/check.h"
#include "exporter/kinds/exec/nagios.h"
#include "exporter/kinds/exec/samples.h"
#include "exporter/kinds/shared/json_metrics.h"
#include "runbook/process.h"

#define OUTPUT_MAX ((int64_t)16 << 20)
#define SAID_MAX 200 /* of what the program says, in a reason */

enum output { OUTPUT_NONE, OUTPUT_NAGIOS, OUTPUT_PROMETHEUS, OUTPUT_JSON, OUTPUTS };
static const char *const outputs[] = {"none", "nagios", "prometheus", "json", NULL};
tables_agree(outputs, OUTPUTS + 1);

struct exec_config {
        struct config_strings command, success;
        int output; /* enum output */
        int64_t output_limit;
        struct config_map environment;
        char *directory;
        struct config_list metrics; /* as json_metric_fields has them */
};

static const struct config_field fields[] = {
        {"command", CONFIG_STRINGS, offsetof(struct exec_config, command),
         .flags = CONFIG_REQUIRED, /* an argument may be empty */
         .help = "The absolute path of a program and its arguments; there is no shell"},
        {"success", CONFIG_STRINGS, offsetof(struct exec_config, success), .flags = CONFIG_NOT_EMPTY,
         .fallback = "[0]", .help = "Exit codes that are no failure; a Nagios plugin says 1 for a warning"},
        {"output", CONFIG_ENUM, offsetof(struct exec_config, output), .choices = outputs, .fallback = "none",
         .help = "What it writes: nothing of interest, a Nagios plugin's line, Prometheus' text format, or "
                 "JSON. "
                 "A value that is not understood, or has a unit without a meaning, is skipped and counted; a "
                 "line that is no series at all fails the check, and the others are taken"},
        {"output_limit", CONFIG_SIZE, offsetof(struct exec_config, output_limit), .flags = CONFIG_POSITIVE,
         .fallback = "64KiB", .help = "A program that writes more is killed; at most 16MiB"},
        {"environment", CONFIG_MAP, offsetof(struct exec_config, environment),
         .help = "Variables for it; of the exporter's own it gets PATH and LANG alone. No secrets here"},
        {"directory", CONFIG_STRING, offsetof(struct exec_config, directory), .flags = CONFIG_NOT_EMPTY,
         .fallback = "/", .help = "Where it is started"},
        {"metrics", CONFIG_LIST, offsetof(struct exec_config, metrics), .fields = json_metric_fields,
         .size = sizeof(struct json_metric),
         .help = "Of the output prometheus: the metrics to take; others are passed over and counted. Of the "
                 "output json: where they stand in it"},
        {0},
};

#define FAMILIES(X)                                                                         \
        X(exit_code, GAUGE, "runbook_exec_exit_code", NULL, "What the program ended with.") \
        X(ignored_samples, GAUGE, "runbook_exec_ignored_samples", NULL,                     \
          "Samples of metrics that the check does not name, in the last output.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS)
                                                               NAGIOS_FAMILIES(FAMILY_ADDRESS) NULL};

struct exec_state {
        const struct exec_config *config;
        bool success[256]; /* by exit code */
        struct json_metrics *metrics;
};

static void *exec_close(void *state)
{
        struct exec_state *exec = state;
        if (!exec)
                return NULL;
        json_metrics_free(exec->metrics);
        free(exec);
        return NULL;
}

static void exec_close_p(struct exec_state **state)
{
        exec_close(*state);
}

static const struct metric_family *const *exec_own_families(const void *state)
{
        return json_metrics_families(((const struct exec_state *)state)->metrics);
}

/* A variable that the program's loader obeys would let it be another program. */
static bool check_environment(const struct config_map *environment, struct config_node *node)
{
        for (size_t i = 0; i < environment->count; i++) {
                const char *name = environment->keys[i];
                if (!*name || strchr(name, '=') || string_starts(name, "LD_")) {
                        config_complain(node, "environment", "\"%s\" is not a variable to be set here", name);
                        return false;
                }
        }
        return true;
}

static bool check_codes(struct exec_state *exec, struct config_node *node)
{
        for (size_t i = 0; i < exec->config->success.count; i++) {
                const char *word = exec->config->success.items[i];
                char *end;
                long code = strtol(word, &end, 10);
                if (word[0] < '0' || word[0] > '9' || *end || code > 255) {
                        config_complain(node, "success", "\"%s\" is not an exit code", word);
                        return false;
                }
                exec->success[code] = true;
        }
        return true;
}

static int exec_open(const struct check *check, struct config_node *node, void **ret_state,
                     struct error *error)
{
        const struct exec_config *config = check->config;
        _cleanup_(exec_close_p) struct exec_state *exec = calloc(1, sizeof(*exec));
        bool good = true;
        if (!exec)
                return error_oom(error);
        exec->config = config;
        if (config->command.count == 0 || config->command.items[0][0] != '/') {
                config_complain(node, "command", "\"%s\" is not the absolute path of a program",
                                config->command.count > 0 ? config->command.items[0] : "");
                good = false;
        }
        if (config->directory[0] != '/') {
                config_complain(node, "directory", "\"%s\" is not an absolute path", config->directory);
                good = false;
        }
        if (config->output_limit > OUTPUT_MAX) {
                config_complain(node, "output_limit", "at most 16MiB");
                good = false;
        }
        bool takes_metrics = config->output == OUTPUT_PROMETHEUS || config->output == OUTPUT_JSON;
        if (takes_metrics != (config->metrics.count > 0)) {
                config_complain(node, "metrics", "metrics and the output prometheus or json go together");
                good = false;
        }
        good = check_environment(&config->environment, node) && good;
        good = check_codes(exec, node) && good;
        int r = json_metrics_new(check, &config->metrics, config_member(node, "metrics"),
                                 config->output == OUTPUT_JSON, &exec->metrics);
        if (r < 0 || !good)
                return r < 0 ? r : -EINVAL;
        *ret_state = TAKE_PTR(exec);
        return 0;
}

/* The first line that says something: of a plugin's output that before the "|". */
static void say(struct text *text, const char *said)
{
        said += strspn(said, " \t\r\n");
        size_t length = strcspn(said, "|\r\n");
        if (length > 0) {
                text_puts(text, ": ");
                text_append(text, said, length < SAID_MAX ? length : SAID_MAX);
        }
}

static int judge_end(const struct exec_state *exec, const struct process_result *result, struct error *error)
{
        _cleanup_text_ struct text said = {0};
        const char *program = exec->config->command.items[0];
        if (result->code >= 0 && exec->success[result->code])
                return 0;
        if (exec->config->output == OUTPUT_NAGIOS && result->output.length > 0)
                say(&said, result->output.data);
        else
                say(&said, text_string(&result->errors));
        if (result->code < 0)
                return error_set(error, ECHILD, "%s was ended by SIG%s%s", program,
                                 sigabbrev_np(-result->code) ? sigabbrev_np(-result->code) : "?",
                                 text_string(&said));
        int r = error_set(error, ECHILD, "%s ended with %d%s", program, result->code, text_string(&said));
        bool unknown = exec->config->output == OUTPUT_NAGIOS && result->code == NAGIOS_UNKNOWN;
        return unknown ? error_not_looked(error, r) : error_failed(error, r);
}

/* What the output holds, as the check wants it. */
static int take_output(const struct exec_state *exec, const struct process_result *result,
                       struct sample_sink *sink, struct error *error)
{
        const struct text *output = &result->output;
        _cleanup_json_ cJSON *document = NULL;
        size_t ignored = 0, length = output->length;
        const char *json = json_skip_mark(text_string(output), &length);
        int r = 0;
        switch ((enum output)exec->config->output) {
        case OUTPUT_NAGIOS: nagios_add(text_string(output), output->length, sink); break;
        case OUTPUT_PROMETHEUS:
                r = samples_add(text_string(output), output->length, json_metrics_families(exec->metrics),
                                sink, &ignored, error);
                if (r != -ENOMEM)
                        SAMPLE_BARE(sink, &ignored_samples, (double)ignored);
                break;
        case OUTPUT_JSON:
                r = json_parse_strict(json, length, &json_answer_limits, &document, error);
                if (r >= 0)
                        json_metrics_add(exec->metrics, document, sink);
                break;
        case OUTPUT_NONE:
        case OUTPUTS: break;
        }
        return r < 0 && r != -ENOMEM ? error_prefix(error, r, "%s", exec->config->command.items[0]) : r;
}

static int exec_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        const struct exec_state *exec = state;
        const struct exec_config *config = exec->config;
        const struct process_options options = {
                .command = &config->command,
                .environment = &config->environment,
                .directory = config->directory,
                .output_limit = config->output == OUTPUT_NONE ? 0 : (size_t)config->output_limit,
        };
        _cleanup_(process_result_release) struct process_result result = {0};
        int r = process_run(&options, deadline, &result, error);
        if (r < 0)
                return r == -ENOENT ? error_not_set_up(error, r) : r;
        if (result.code >= 0)
                SAMPLE_BARE(sink, &exit_code, result.code);
        _cleanup_error_ struct error unread = {0};
        int taken = take_output(exec, &result, sink, &unread);
        r = judge_end(exec, &result, error);
        if (r < 0 || taken >= 0)
                return r;
        error_move(error, &unread);
        return taken;
}

static enum check_programs exec_programs(const void *config _unused_)
{
        return CHECK_STARTS_ANYTHING;
}

/* The labels of its families. */
static const char *const labels[] = {"label", "unit", "limit", NULL};

const struct check_kind check_kind_exec = {
        .name = "exec",
        .help = "A program: its exit code, a Nagios plugin's performance data, or samples it writes.",
        .fields = fields,
        .config_size = sizeof(struct exec_config),
        .families = families,
        .labels = labels,
        .open = exec_open,
        .run = exec_run,
        .close = exec_close,
        .own_families = exec_own_families,
        .programs = exec_programs,
        .indirect = true,
};
