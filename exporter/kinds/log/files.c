/* SPDX-License-Identifier: Apache-2.0 */
/* Log files as a source: what log_follow.c reads, as one sum. */
#include <errno.h>

#include "exporter/kinds/log/follow.h"
#include "exporter/kinds/log/source.h"

const struct metric_family log_family_files = {"runbook_log_files", METRIC_GAUGE, NULL,
                                               "Files that are followed."};
const struct metric_family log_family_behind = {
        "runbook_log_behind_bytes", METRIC_GAUGE, "bytes",
        "What of the files has not been read yet: a line that has no end, or for lack of time."};

struct giving {
        log_line_sink each;
        void *context;
};

static void give(const char *line, size_t length, void *context)
{
        const struct giving *giving = context;

        giving->each(giving->context, 0, line, length);
}

static int files_run(void *state, struct deadline deadline, struct deadline patience _unused_,
                     log_line_sink each, void *context, bool *ret_caught_up, struct error *error)
{
        int r = log_follow_run(state, deadline, give, &(struct giving){.each = each, .context = context},
                               error);

        *ret_caught_up = log_follow_caught_up(state);
        return r;
}

static void files_tell(const void *state, struct sample_sink *sink)
{
        SAMPLE_BARE(sink, &log_family_files, (double)log_follow_files(state));
        SAMPLE_BARE(sink, &log_family_behind, (double)log_follow_behind(state));
}

static void *files_free(void *state)
{
        return log_follow_free(state);
}

static const struct log_source_type type = {.run = files_run, .tell = files_tell, .free = files_free};

int log_files_open(const struct config_strings *files, struct config_node *node,
                   const struct log_source_options *options, struct log_source *ret, struct error *error)
{
        const struct log_follow_options follow = {
                .files = files,
                .state_path = options->state_path,
                .from_start = options->from_start,
                .line_limit = options->line_limit,
        };

        if (!paths_check(files, node, "files"))
                return -EINVAL;
        struct log_follow *state = NULL;
        int r = log_follow_new(&follow, &state, error);
        if (r < 0)
                return r;
        *ret = (struct log_source){.type = &type, .state = state};
        return 0;
}
