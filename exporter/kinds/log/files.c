/* SPDX-License-Identifier: Apache-2.0 */
/* Log files as a source: what follow.c reads, as one sum. */
#include "exporter/kinds/log/files.h"

#include <errno.h>

#include "exporter/kinds/log/follow.h"

LOG_FILES_FAMILIES(DEFINE_SHARED_FAMILY)

struct giving {
        log_line_sink each;
        void *context;
};

static void give_line(const char *line, size_t length, void *context)
{
        const struct giving *giving = context;
        giving->each(giving->context, 0, line, length);
}

static int files_run(void *state, struct deadline deadline, struct deadline patience _unused_,
                     log_line_sink each, void *context, bool *ret_caught_up, struct error *error)
{
        int r = log_follow_run(state, deadline, give_line, &(struct giving){.each = each, .context = context},
                               error);
        *ret_caught_up = log_follow_caught_up(state);
        return r;
}

static void files_add_samples(const void *state, struct sample_sink *sink)
{
        paths_skip_unreadable(log_follow_skipped(state), sink);
        SAMPLE_BARE(sink, &log_family_files, (double)log_follow_files(state));
        SAMPLE_BARE(sink, &log_family_behind, (double)log_follow_behind(state));
}

static void *files_free(void *state)
{
        return log_follow_free(state);
}

static int files_open(const void *config, struct config_node *node, const struct log_source_options *options,
                      void **ret_state, struct error *error)
{
        const struct log_follow_options follow = {
                .files = config,
                .state_path = options->state_path,
                .from_start = options->from_start,
                .line_limit = options->line_limit,
        };
        if (!paths_check(config, node, NULL))
                return -EINVAL;
        struct log_follow *state = NULL;
        int r = log_follow_new(&follow, &state, error);
        if (r < 0)
                return r;
        *ret_state = state;
        return 0;
}

const struct log_source_type log_source_files = {
        .key = "files",
        .open = files_open,
        .run = files_run,
        .add_samples = files_add_samples,
        .free = files_free,
};
