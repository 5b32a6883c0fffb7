/* SPDX-License-Identifier: Apache-2.0 */
/* What every machine has: itself, its file systems, and mostly systemd. */
#include "exporter/commands/init/internal.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runbook/process.h"

#define MACHINE "The machine"
#define LINE_MAX_BYTES 4096
#define MOUNTS_MAX 32
#define UNITS_PATIENCE (3 * NSEC_PER_SEC)
#define UNITS_MAX ((size_t)16 << 10)

void find_machine(struct search *search)
{
        static const struct check_row row = {
                MACHINE, "system", "The machine",
                "system: {}\n"
                "warn: runbook_system_memory_available_bytes / runbook_system_memory_total_bytes < 10%\n",
                NEEDS_ANSWER};
        init_propose(search, &row, VALUES({NULL, NULL}), "every machine has CPUs and memory");
}

/* What keeps data, and may fill up: not what lives in memory, in an image or in another file system. */
static bool keeps_data(const char *type)
{
        static const char *const types[] = {"ext2", "ext3", "ext4",     "xfs",  "btrfs",
                                            "zfs",  "f2fs", "jfs",      "nfs",  "nfs4",
                                            "cifs", "ceph", "bcachefs", "vfat", "reiserfs"};
        for (size_t i = 0; i < N_ELEMENTS(types); i++)
                if (string_equal(types[i], type))
                        return true;
        return false;
}

/* Whether a directory lies on a device that is not among those seen so far, and then it is. A file may be
 * mounted, too, and a directory of a volume a second time: those are ways of containers to hand something in.
 */
static bool is_another(const char *path, dev_t seen[static MOUNTS_MAX + 1], size_t count)
{
        struct stat status;
        if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
                return false;
        for (size_t i = 0; i < count; i++)
                if (seen[i] == status.st_dev)
                        return false;
        seen[count] = status.st_dev;
        return true;
}

static size_t list_mounts(struct text *list)
{
        char line[LINE_MAX_BYTES];
        struct mntent mount;
        dev_t seen[MOUNTS_MAX + 1];
        size_t count = 0, known = is_another("/", seen, 0);
        FILE *table = setmntent("/proc/self/mounts", "re");
        while (table && count < MOUNTS_MAX && getmntent_r(table, &mount, line, sizeof(line))) {
                if (!keeps_data(mount.mnt_type) || string_equal(mount.mnt_dir, "/") ||
                    string_starts(mount.mnt_dir, "/boot") || hasmntopt(&mount, "ro") ||
                    !is_another(mount.mnt_dir, seen, count + known))
                        continue;
                text_puts(list, count++ ? ", " : "");
                text_put_json(list, mount.mnt_dir);
        }
        if (table)
                endmntent(table);
        return count;
}

void find_mounts(struct search *search)
{
        static const struct check_row root = {MACHINE, "disk", "Disk space",
                                              "advice: Make room, or grow the volume\n"
                                              "disk: {mountpoints: [\"/\"]}\n"
                                              "warn:\n"
                                              "  - runbook_disk_used_ratio >= 80%\n"
                                              "  - runbook_disk_inodes_used_ratio >= 90%\n"
                                              "fail: runbook_disk_read_only == 1\n",
                                              NEEDS_ANSWER};
#define ADVICE "advice: Make room, or grow the volume\ndisk:\n"
#define CONDITIONS                                                                   \
        "  paths: [/var/lib]  # a volume of its own, or a directory of the root's\n" \
        "warn: runbook_disk_used_ratio >= 80%\n"                                     \
        "fail: runbook_disk_read_only == 1\n"
        static const struct check_row without = {MACHINE, "storage", "Storage", ADVICE CONDITIONS,
                                                 NEEDS_ANSWER};
        init_propose(search, &root, VALUES({NULL, NULL}), "every machine has a root file system");
        _cleanup_text_ struct text mounts = {0}, body = {0};
        size_t count = list_mounts(&mounts);
        if (count == 0) {
                init_propose(search, &without, VALUES({NULL, NULL}),
                             "nothing else that keeps data is mounted");
                return;
        }
        text_puts(&body, ADVICE "  mountpoints: [");
        text_puts(&body, text_string(&mounts));
        text_puts(&body, "]  # fails when one of them is not mounted\n" CONDITIONS);
        init_propose(search,
                     &(struct check_row){MACHINE, "storage", "Storage", text_string(&body), NEEDS_ANSWER},
                     VALUES({NULL, NULL}), "mounted beside the root, by /proc/self/mounts");
#undef ADVICE
#undef CONDITIONS
}

/* The names of the failed units, joined by blanks; nothing when systemctl did not tell. */
static void list_failed(struct text *list)
{
        static const char *words[] = {"/usr/bin/systemctl", "list-units", "--state=failed", "--plain",
                                      "--no-legend",        "--no-pager"};
        const struct config_strings command = {(char **)words, N_ELEMENTS(words)};
        struct process_result result = {0};
        const struct process_options options = {.command = &command, .output_limit = UNITS_MAX};
        if (process_run(&options, deadline_in(UNITS_PATIENCE), &result, NULL) < 0)
                return;
        for (const char *line = result.code == 0 ? text_string(&result.output) : ""; *line;) {
                size_t length = strcspn(line, " \n");
                text_puts(list, list->length ? " " : "");
                text_append(list, line, length);
                line += strcspn(line, "\n");
                line += *line == '\n';
        }
        process_result_release(&result);
}

void find_units(struct search *search)
{
        static const struct check_row row = {MACHINE, "units", "Units of systemd",
                                             "advice: \"systemctl --failed, and journalctl -u of the unit\"\n"
                                             "systemd: {groups: [counts]}\n"
                                             "warn: runbook_systemd_units{state=\"failed\"} > 0\n",
                                             NEEDS_SERIES};
        _cleanup_text_ struct text failed = {0};
        if (access("/run/systemd/system", F_OK) < 0) {
                init_tell(search, "systemd: this machine was not started by it");
                return;
        }
        list_failed(&failed);
        if (failed.length > 0)
                init_propose(search, &row, VALUES({NULL, NULL}), "systemd runs this machine; failed now: %s",
                             text_string(&failed));
        else
                init_propose(search, &row, VALUES({NULL, NULL}), "systemd runs this machine");
}
