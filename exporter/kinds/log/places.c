/* SPDX-License-Identifier: Apache-2.0 */
/* Places of log files, read from and written to a file of their own. */
#include "exporter/kinds/log/places.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "runbook/state_file.h"

#define TITLE "runbook log places 1"

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

bool log_places_have(const struct log_places *places, ino_t inode)
{
        for (size_t i = 0; i < places->count; i++)
                if (places->items[i].inode == inode)
                        return true;
        return false;
}

/* One line; the sum of what was read last is not there in what an older version wrote. */
static bool parse_place(const char *line, struct log_place *ret)
{
        uint64_t device, inode;
        unsigned in_long_line;
        struct log_place place = {0};
        int count = sscanf(
                line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu32 " %" SCNu32 " %u %" SCNu32 " %" SCNu32,
                &device, &inode, &place.offset, &place.head_length, &place.head_sum, &in_long_line,
                &place.tail_length, &place.tail_sum);
        if ((count != 6 && count != 8) || place.head_length > LOG_HEAD_MAX ||
            place.tail_length > LOG_TAIL_MAX || place.head_length > place.offset ||
            place.tail_length > place.offset || place.offset > INT64_MAX)
                return false;
        place.device = device;
        place.inode = inode;
        place.in_long_line = in_long_line != 0;
        *ret = place;
        return true;
}

static int parse_places(char *content, struct log_places *places)
{
        for (char *rest = content, *line; (line = strsep(&rest, "\n"));) {
                struct log_place place;
                if (!*line)
                        continue;
                if (!parse_place(line, &place))
                        return -EINVAL;
                int r = log_places_add(places, &place);
                if (r < 0)
                        return r;
        }
        return 0;
}

int log_places_load(const char *path, struct log_places *ret, struct error *error)
{
        _cleanup_text_ struct text lines = {0};
        _cleanup_(log_places_clear) struct log_places places = {.loaded = true};
        int r = state_file_load(path, TITLE, &lines, error);
        if (r <= 0)
                return r;
        if (lines.length > 0 && parse_places(lines.data, &places) < 0)
                return state_file_broken(path, TITLE, error);
        *ret = places;
        places = (struct log_places){0};
        return 0;
}

/* After a crash of the machine lines may be counted again, none is lost. */
int log_places_save(const char *path, const struct log_places *places, struct error *error)
{
        _cleanup_text_ struct text lines = {0};
        for (size_t i = 0; i < places->count; i++) {
                const struct log_place *place = &places->items[i];
                text_printf(&lines,
                            "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %u %" PRIu32
                            " %" PRIu32 "\n",
                            (uint64_t)place->device, (uint64_t)place->inode, place->offset,
                            place->head_length, place->head_sum, place->in_long_line, place->tail_length,
                            place->tail_sum);
        }
        return state_file_save(path, TITLE, &lines, error);
}
