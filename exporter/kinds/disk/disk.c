/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind disk: how full a file system is, as df tells it.
 *
 * A dead network mount hangs the call for good and nothing can end it. It costs one thread, and is told; the
 * others are measured all the same.
 */
#include <errno.h>

#include "exporter/check/check.h"
#include "exporter/kinds/disk/mount_probe.h"
#include "runbook/trace.h"

struct disk_config {
        struct config_strings mountpoints;
};

static const struct config_field fields[] = {
        {"mountpoints", CONFIG_STRINGS, offsetof(struct disk_config, mountpoints),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "Paths on the file systems to look at"},
        {0},
};

#define FAMILIES(X)                                                                                          \
        X(size_bytes, GAUGE, "runbook_disk_size_bytes", "bytes", "The size of the file system.")             \
        X(available_bytes, GAUGE, "runbook_disk_available_bytes", "bytes",                                   \
          "Space that is left for those who are not root.")                                                  \
        X(used_ratio, GAUGE, "runbook_disk_used_ratio", "ratio",                                             \
          "Share of the space that is used, of what users can use in all, as df has it.")                    \
        X(inodes, GAUGE, "runbook_disk_inodes", NULL,                                                        \
          "Inodes of the file system; 0 where they are not limited.")                                        \
        X(inodes_free, GAUGE, "runbook_disk_inodes_free", NULL, "Inodes that are free.")                     \
        X(read_only, GAUGE, "runbook_disk_read_only", NULL, "Whether the file system is mounted read-only.") \
        X(hung, GAUGE, "runbook_disk_hung", NULL,                                                            \
          "Whether the file system gives no answer, as a network mount whose server is gone.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

struct disk_state {
        const struct disk_config *config;
        struct mount_probes *probes;
        struct mount_answer *answers; /* room for a run's */
};

static void *disk_close(void *state)
{
        struct disk_state *disk = state;
        if (!disk)
                return NULL;
        mount_probes_free(disk->probes);
        free(disk->answers);
        free(disk);
        return NULL;
}
DEFINE_CLEANUP(void *, disk_close);

static int disk_open(const struct check *check, struct config_node *node, void **ret_state,
                     struct error *error)
{
        const struct disk_config *config = check->config;
        const struct config_strings *paths = &config->mountpoints;
        struct disk_state *disk;
        _cleanup_(disk_close_p) void *owned = NULL;
        for (size_t i = 0; i < paths->count; i++)
                if (paths->items[i][0] != '/') {
                        config_complain(node, "mountpoints", "\"%s\" is not an absolute path",
                                        paths->items[i]);
                        return -EINVAL;
                }
        owned = disk = calloc(1, sizeof(*disk));
        if (!disk)
                return error_oom(error);
        disk->config = config;
        disk->answers = calloc(paths->count + 1, sizeof(*disk->answers));
        if (!disk->answers)
                return error_oom(error);
        int r = mount_probes_new((const char *const *)paths->items, paths->count, &disk->probes, error);
        if (r < 0)
                return r;
        *ret_state = TAKE_PTR(owned);
        return 0;
}

static void add_samples(const char *path, const struct statvfs *fs, struct sample_sink *sink)
{
        double block = (double)fs->f_frsize, used = (double)(fs->f_blocks - fs->f_bfree);
        double available = (double)fs->f_bavail;
        SAMPLE(sink, &size_bytes, (double)fs->f_blocks * block, {"mountpoint", path});
        SAMPLE(sink, &available_bytes, available * block, {"mountpoint", path});
        SAMPLE(sink, &used_ratio, used + available > 0 ? used / (used + available) : 0, {"mountpoint", path});
        SAMPLE(sink, &inodes, (double)fs->f_files, {"mountpoint", path});
        SAMPLE(sink, &inodes_free, (double)fs->f_ffree, {"mountpoint", path});
        SAMPLE(sink, &read_only, (fs->f_flag & ST_RDONLY) != 0, {"mountpoint", path});
}

/* Half of the time is for those that may hang: the run must end in time to tell of the others. */
static struct deadline patience(struct deadline deadline)
{
        return deadline_earlier(deadline, deadline_in(deadline_left(deadline) / 2));
}

/* Goes on after a failure: the other file systems are still worth telling. */
static int disk_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct disk_state *disk = state;
        trace_step(deadline, "asking about the file systems, each on a thread of its own");
        int result = mount_probes_ask(disk->probes, patience(deadline), disk->answers, error);

        if (result < 0)
                return result;
        for (size_t i = 0; i < disk->config->mountpoints.count; i++) {
                const char *path = disk->config->mountpoints.items[i];
                const struct mount_answer *answer = &disk->answers[i];
                trace_step(deadline, "%s %s", path, answer->hung ? "gives no answer" : "has answered");
                SAMPLE(sink, &hung, answer->hung, {"mountpoint", path});
                if (!answer->hung && answer->error == 0)
                        add_samples(path, &answer->fs, sink);
                else if (result == 0)
                        result = answer->hung ? error_set(error, ETIMEDOUT,
                                                          "%s gives no answer: its mount hangs", path)
                                              : error_set_errno(error, answer->error, "%s", path);
        }
        return result;
}

/* The labels of its families. */
static const char *const labels[] = {"mountpoint", NULL};

const struct check_kind check_kind_disk = {
        .name = "disk",
        .help = "Space and inodes of mounted file systems.",
        .fields = fields,
        .config_size = sizeof(struct disk_config),
        .families = families,
        .labels = labels,
        .open = disk_open,
        .run = disk_run,
        .close = disk_close,
};
