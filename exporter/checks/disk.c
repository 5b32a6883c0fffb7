/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind disk: how full a file system is, as df tells it.
 *
 * A dead network mount hangs the call for good and nothing can end it. The check then is overdue and is not
 * started again, so that it costs one thread; mounts that may die deserve a check of their own.
 */
#include <errno.h>
#include <sys/statvfs.h>

#include "exporter/check.h"

struct disk_config {
        struct config_strings mountpoints;
};

static const struct config_field fields[] = {
        {.name = "mountpoints",
         .type = CONFIG_STRINGS,
         .offset = offsetof(struct disk_config, mountpoints),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "Paths on the file systems to look at"},
        {0},
};

static const struct metric_family size_bytes = {"runbook_disk_size_bytes", METRIC_GAUGE, "bytes",
                                                "The size of the file system."};
static const struct metric_family available_bytes = {"runbook_disk_available_bytes", METRIC_GAUGE, "bytes",
                                                     "Space that is left for those who are not root."};
static const struct metric_family used_ratio = {
        "runbook_disk_used_ratio", METRIC_GAUGE, "ratio",
        "Share of the space that is used, of what users can use in all, as df has it."};
static const struct metric_family inodes = {"runbook_disk_inodes", METRIC_GAUGE, NULL,
                                            "Inodes of the file system; 0 where they are not limited."};
static const struct metric_family inodes_free = {"runbook_disk_inodes_free", METRIC_GAUGE, NULL,
                                                 "Inodes that are free."};
static const struct metric_family read_only = {"runbook_disk_read_only", METRIC_GAUGE, NULL,
                                               "Whether the file system is mounted read-only."};

static const struct metric_family *const families[] = {&size_bytes,  &available_bytes, &used_ratio, &inodes,
                                                       &inodes_free, &read_only,       NULL};

static int disk_open(const struct check *check, struct config_node *node, void **ret_state,
                     struct error *error _unused_)
{
        const struct disk_config *config = check->config;

        for (size_t i = 0; i < config->mountpoints.count; i++)
                if (config->mountpoints.items[i][0] != '/') {
                        config_complain(node, "mountpoints", "\"%s\" is not an absolute path",
                                        config->mountpoints.items[i]);
                        return -EINVAL;
                }
        *ret_state = check->config;
        return 0;
}

static void *disk_close(void *state _unused_)
{
        return NULL;
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

/* Goes on after a failure: the other file systems are still worth telling. */
static int disk_run(void *state, struct deadline deadline _unused_, struct sample_sink *sink,
                    struct error *error)
{
        const struct disk_config *config = state;
        int result = 0;

        for (size_t i = 0; i < config->mountpoints.count; i++) {
                const char *path = config->mountpoints.items[i];
                struct statvfs fs;

                if (statvfs(path, &fs) == 0)
                        add_samples(path, &fs, sink);
                else if (result == 0)
                        result = error_set(error, errno, "%s: %s", path, strerrordesc_np(errno));
        }
        return result;
}

const struct check_kind check_kind_disk = {
        .name = "disk",
        .help = "Space and inodes of mounted file systems.",
        .fields = fields,
        .config_size = sizeof(struct disk_config),
        .families = families,
        .open = disk_open,
        .run = disk_run,
        .close = disk_close,
};
