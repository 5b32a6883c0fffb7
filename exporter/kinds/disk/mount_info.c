/* SPDX-License-Identifier: Apache-2.0 */
/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue", see
 * proc_pid_mountinfo(5). */
#include "exporter/kinds/disk/mount_info.h"

#include <inttypes.h>

#include "runbook/file.h"

#define TABLE_MAX ((size_t)4 << 20)

int mount_info_read(struct text *table, struct error *error)
{
        return file_read_whole("/proc/self/mountinfo", TABLE_MAX, table, error);
}

static bool is_octal(const char *digits)
{
        return strspn(digits, "01234567") >= 3;
}

/* A field, in which blanks and backslashes stand as \\040; what follows it is answered. */
static const char *take_field(const char *at, struct text *field)
{
        for (; *at && *at != ' ' && *at != '\n'; at++) {
                if (*at != '\\' || !is_octal(at + 1)) {
                        text_putc(field, *at);
                        continue;
                }
                text_putc(field, (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0')));
                at += 3;
        }
        return *at == ' ' ? at + 1 : at;
}

bool mount_info_find(const struct text *table, uint64_t mount, struct text *device, struct text *kind)
{
        _cleanup_free_ char *start = text_format("%" PRIu64 " ", mount);
        const char *line = text_string(table);
        while (start && *line && !string_starts(line, start)) {
                const char *end = strchr(line, '\n');
                line = end ? end + 1 : "";
        }
        /* The optional fields end with a dash; no field before it holds one by itself. */
        const char *end = strchr(line, '\n'), *rest = strstr(line, " - ");
        if (!start || !rest || (end && rest > end))
                return false;
        (void)take_field(take_field(rest + strlen(" - "), kind), device);
        return device->length > 0;
}
