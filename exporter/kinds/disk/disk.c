/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind disk: how full a file system is, as df tells it.
 *
 * A dead network mount hangs the call for good and nothing can end it. It costs one thread, and is told; the
 * others are measured all the same.
 */
#include <errno.h>

#include "exporter/check/check.h"
#include "exporter/kinds/disk/mount_info.h"
#include "exporter/kinds/disk/mount_probe.h"
#include "runbook/trace.h"

struct disk_config {
        struct config_strings mountpoints, paths;
};

static const struct config_field fields[] = {
        {"mountpoints", CONFIG_STRINGS, offsetof(struct disk_config, mountpoints), .flags = CONFIG_NOT_EMPTY,
         .help = "Where file systems are mounted; where none is, the check fails, and tells nothing of the "
                 "file system that would be seen instead"},
        {"paths", CONFIG_STRINGS, offsetof(struct disk_config, paths), .flags = CONFIG_NOT_EMPTY,
         .help = "Other directories whose file systems to look at, whichever those are; one of the two is "
                 "needed"},
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
        X(inodes_used_ratio, GAUGE, "runbook_disk_inodes_used_ratio", "ratio",                               \
          "Share of the inodes that is used; 0 where they are not limited.")                                 \
        X(read_only, GAUGE, "runbook_disk_read_only", NULL, "Whether the file system is mounted read-only.") \
        X(mounted, GAUGE, "runbook_disk_mounted", NULL,                                                      \
          "Whether a file system is mounted at the path; of those under `mountpoints` alone.")               \
        X(disk_info, INFO, "runbook_disk_info", NULL,                                                        \
          "The device, or what stands for one, and the kind of the file system that the path lies on.")      \
        X(hung, GAUGE, "runbook_disk_hung", NULL,                                                            \
          "Whether the file system gives no answer, as a network mount whose server is gone.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

struct disk_state {
        const struct disk_config *config;
        struct mount_probes *probes;
        const char **paths; /* the mount points, and then the other ones */
        size_t count;
        struct mount_answer *answers; /* room for a run's */
};

static void *disk_close(void *state)
{
        struct disk_state *disk = state;
        if (!disk)
                return NULL;
        mount_probes_free(disk->probes);
        free(disk->answers);
        free(disk->paths);
        free(disk);
        return NULL;
}
DEFINE_CLEANUP(void *, disk_close);

static bool take_paths(struct disk_state *disk, const struct config_strings *paths, const char *key,
                       struct config_node *node)
{
        for (size_t i = 0; i < paths->count; i++) {
                if (paths->items[i][0] != '/') {
                        config_complain(node, key, "\"%s\" is not an absolute path", paths->items[i]);
                        return false;
                }
                disk->paths[disk->count++] = paths->items[i];
        }
        return true;
}

static int disk_open(const struct check *check, struct config_node *node, void **ret_state,
                     struct error *error)
{
        const struct disk_config *config = check->config;
        size_t count = config->mountpoints.count + config->paths.count;
        struct disk_state *disk = calloc(1, sizeof(*disk));
        _cleanup_(disk_close_p) void *owned = disk;
        if (!disk)
                return error_oom(error);
        if (count == 0) {
                config_complain(node, NULL, "mountpoints or paths is needed here");
                return -EINVAL;
        }
        disk->config = config;
        disk->answers = calloc(count, sizeof(*disk->answers));
        disk->paths = calloc(count, sizeof(*disk->paths));
        if (!disk->answers || !disk->paths)
                return error_oom(error);
        if (!take_paths(disk, &config->mountpoints, "mountpoints", node) ||
            !take_paths(disk, &config->paths, "paths", node))
                return -EINVAL;
        int r = mount_probes_new(disk->paths, count, &disk->probes, error);
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
        SAMPLE(sink, &inodes_used_ratio,
               fs->f_files > 0 ? (double)(fs->f_files - fs->f_ffree) / (double)fs->f_files : 0,
               {"mountpoint", path});
        SAMPLE(sink, &read_only, (fs->f_flag & ST_RDONLY) != 0, {"mountpoint", path});
}

/* Half of the time is for those that may hang: the run must end in time to tell of the others. */
static struct deadline patience(struct deadline deadline)
{
        return deadline_earlier(deadline, deadline_in(deadline_left(deadline) / 2));
}

static void add_info(const struct text *table, const char *path, const struct mount_answer *answer,
                     struct sample_sink *sink)
{
        _cleanup_text_ struct text device = {0}, kind = {0};
        if (answer->mount > 0 && mount_info_find(table, answer->mount, &device, &kind))
                SAMPLE(sink, &disk_info, 1, {"mountpoint", path}, {"device", text_string(&device)},
                       {"fstype", text_string(&kind)});
}

static int refuse_path(const char *path, int code, struct error *error)
{
        int r = error_set_errno(error, code, "%s", path);
        return code == ENOENT ? error_not_set_up(error, r) : code == EACCES ? error_not_looked(error, r) : r;
}

/* What is told of one path. */
static int add_path(const struct disk_state *disk, size_t i, const struct text *table,
                    struct sample_sink *sink, struct error *error)
{
        const struct mount_answer *answer = &disk->answers[i];
        const char *path = disk->paths[i];
        bool is_mountpoint = i < disk->config->mountpoints.count;
        SAMPLE(sink, &hung, answer->hung, {"mountpoint", path});
        if (answer->hung)
                return error_set(error, ETIMEDOUT, "%s gives no answer: its mount hangs", path);
        /* Where there is no directory, nothing is mounted; what may not be looked at is not known. */
        if (is_mountpoint && (!answer->error || answer->error == ENOENT))
                SAMPLE(sink, &mounted, !answer->error && answer->mounted, {"mountpoint", path});
        if (answer->error)
                return refuse_path(path, answer->error, error);
        if (is_mountpoint && !answer->mounted)
                return error_set(error, ENODEV,
                                 "%s is not mounted (a directory that is to be none stands under paths)",
                                 path);
        add_samples(path, &answer->fs, sink);
        add_info(table, path, answer, sink);
        return 0;
}

/* Goes on after a failure: the other file systems are still worth telling. */
static int disk_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct disk_state *disk = state;
        _cleanup_text_ struct text table = {0};
        bool any = false;
        trace_step(deadline, "asking about the file systems, each on a thread of its own");
        int result = mount_probes_ask(disk->probes, patience(deadline), disk->answers, error);
        if (result < 0)
                return error_not_looked(error, result);
        (void)mount_info_read(&table, NULL); /* without it the devices are not told */
        for (size_t i = 0; i < disk->count; i++) {
                _cleanup_error_ struct error reason = {0};
                trace_step(deadline, "%s %s", disk->paths[i],
                           disk->answers[i].hung ? "gives no answer" : "has answered");
                int r = add_path(disk, i, &table, sink, &reason);
                any |= r >= 0;
                result = error_keep_worse(error, result, &reason, r);
        }
        /* One of several that is missing is not the check. */
        if (any && error)
                error->not_set_up = false;
        return result;
}

/* The labels of its families. */
static const char *const labels[] = {"mountpoint", "device", "fstype", NULL};

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
