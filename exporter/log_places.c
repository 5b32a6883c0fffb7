/* SPDX-License-Identifier: Apache-2.0 */
/* Places of log files, read from and written to a file of their own. */
#include "exporter/log_places.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "exporter/small_file.h"

#define FILE_MAX ((size_t)1 << 20)
#define TITLE "runbook log places 1\n"

void log_places_clear(struct log_places *places)
{
        free(places->items);
        *places = (struct log_places){0};
}

int log_places_add(struct log_places *places, const struct log_place *place)
{
        struct log_place *items = reallocarray(places->items, places->count + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        places->items = items;
        items[places->count++] = *place;
        return 0;
}

const struct log_place *log_places_find(const struct log_places *places, dev_t device, ino_t inode)
{
        for (size_t i = 0; i < places->count; i++)
                if (places->items[i].device == device && places->items[i].inode == inode)
                        return &places->items[i];
        return NULL;
}

static int parse(char *content, struct log_places *places)
{
        for (char *rest = content, *line; (line = strsep(&rest, "\n"));) {
                uint64_t device, inode, offset;
                uint32_t length, sum;
                unsigned in_long_line;

                if (!*line)
                        continue;
                if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu32 " %" SCNu32 " %u", &device,
                           &inode, &offset, &length, &sum, &in_long_line) != 6 ||
                    length > LOG_HEAD_MAX || length > offset || offset > INT64_MAX)
                        return -EINVAL;
                int r = log_places_add(places, &(struct log_place){.device = device,
                                                                   .inode = inode,
                                                                   .offset = offset,
                                                                   .head_length = length,
                                                                   .head_sum = sum,
                                                                   .in_long_line = in_long_line != 0});
                if (r < 0)
                        return r;
        }
        return 0;
}

int log_places_load(const char *path, struct log_places *ret, struct error *error)
{
        _cleanup_text_ struct text content = {0};
        _cleanup_(log_places_clear) struct log_places places = {.loaded = true};

        if (access(path, F_OK) < 0 && errno == ENOENT)
                return 0;
        int r = small_file_read(path, FILE_MAX, &content, error);
        if (r < 0)
                return r;
        if (!string_starts(text_string(&content), TITLE) || parse(content.data + strlen(TITLE), &places) < 0)
                return error_set(error, EINVAL, "%s does not hold places of logs; remove it to begin anew",
                                 path);
        *ret = places;
        places = (struct log_places){0};
        return 0;
}

/* A crash of the machine may bring an older state back: then lines are counted again, none is lost. */
int log_places_save(const char *path, const struct log_places *places, struct error *error)
{
        _cleanup_text_ struct text content = {0};
        _cleanup_free_ char *next = text_format("%s.new", path);
        size_t written = 0;

        text_puts(&content, TITLE);
        for (size_t i = 0; i < places->count; i++) {
                const struct log_place *place = &places->items[i];

                text_printf(&content, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %u\n",
                            (uint64_t)place->device, (uint64_t)place->inode, place->offset,
                            place->head_length, place->head_sum, place->in_long_line);
        }
        if (!next || text_error(&content) < 0)
                return error_oom(error);
        _cleanup_close_ int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        while (fd >= 0 && written < content.length) {
                ssize_t wrote = write(fd, content.data + written, content.length - written);

                if (wrote < 0 && errno != EINTR)
                        return error_set(error, errno, "%s: %s", next, strerrordesc_np(errno));
                written += wrote > 0 ? (size_t)wrote : 0;
        }
        if (fd < 0 || rename(next, path) < 0)
                return error_set(error, errno, "%s: %s", next, strerrordesc_np(errno));
        return 0;
}
