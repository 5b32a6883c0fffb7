/* SPDX-License-Identifier: Apache-2.0 */
/* Sums, names and first bytes of log files. */
#include "exporter/kinds/log/identity.h"

#include <string.h>
#include <zlib.h>

#include "runbook/file.h"

/* The sum of `length` bytes that end at `end`; false when they are not all there. */
static bool sum_piece(int fd, uint64_t end, size_t length, uint32_t *ret)
{
        unsigned char piece[LOG_TAIL_MAX];
        if (file_read_at(fd, piece, length, (off_t)(end - length)) != (ssize_t)length)
                return false;
        *ret = (uint32_t)crc32(0, piece, (uInt)length);
        return true;
}

static size_t at_most(uint64_t length, size_t limit)
{
        return length < limit ? (size_t)length : limit;
}

void log_place_note(int fd, struct log_place *place)
{
        size_t head = at_most(place->offset, LOG_HEAD_MAX), tail = at_most(place->offset, LOG_TAIL_MAX);
        if (head > place->head_length && sum_piece(fd, head, head, &place->head_sum))
                place->head_length = (uint32_t)head;
        place->tail_length = sum_piece(fd, place->offset, tail, &place->tail_sum) ? (uint32_t)tail : 0;
}

bool log_place_holds(int fd, uint64_t size, const struct log_place *place)
{
        uint32_t sum;
        if (size < place->offset)
                return false;
        if (place->head_length > 0 &&
            (!sum_piece(fd, place->head_length, place->head_length, &sum) || sum != place->head_sum))
                return false;
        return place->tail_length == 0 ||
               (sum_piece(fd, place->offset, place->tail_length, &sum) && sum == place->tail_sum);
}

static bool same_piece(int fd, int other, uint64_t end, size_t length)
{
        unsigned char one[LOG_TAIL_MAX], two[LOG_TAIL_MAX];
        off_t offset = (off_t)(end - length);
        return file_read_at(fd, one, length, offset) == (ssize_t)length &&
               file_read_at(other, two, length, offset) == (ssize_t)length && memcmp(one, two, length) == 0;
}

bool log_file_begins(int fd, uint64_t size, int longer)
{
        size_t length = at_most(size, LOG_TAIL_MAX);
        return size > 0 && same_piece(fd, longer, length, length) && same_piece(fd, longer, size, length);
}

static const char *base_name(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

static bool is_mark(char c)
{
        return c && strchr(".-_~", c);
}

bool log_name_is_rotated(const char *path, const char *original)
{
        const char *name = base_name(path), *of = base_name(original), *end = strrchr(of, '.');
        size_t length = strlen(of), stem = end ? (size_t)(end - of) : length;
        if (strncmp(name, of, length) == 0)
                return is_mark(name[length]);
        /* What was put between the stem and the extension is a date or a number. */
        if (!end || strncmp(name, of, stem) != 0 || !is_mark(name[stem]) || !string_ends(name + stem, end))
                return false;
        size_t between = strlen(name + stem) - strlen(end);
        return strcspn(name + stem, "0123456789") < between;
}

bool log_name_is_compressed(const char *path)
{
        static const char *const ends[] = {".gz", ".xz",  ".zst", ".bz2", ".Z",   ".z",
                                           ".lz", ".lz4", ".lzo", ".br",  ".zip", ".lzma"};
        for (size_t i = 0; i < N_ELEMENTS(ends); i++)
                if (string_ends(path, ends[i]))
                        return true;
        return false;
}

bool log_head_is_compressed(int fd)
{
        static const struct {
                const char *bytes;
                size_t length;
        } heads[] = {
                {"\x1f\x8b\x08", 3}, {"\xfd\x37zXZ", 5}, {"\x28\xb5\x2f\xfd", 4},
                {"BZh", 3},          {"\x1f\x9d", 2},    /* compress */ {"\x04\x22\x4d\x18", 4},
                {"PK\x03\x04", 4},
        };
        char head[8];
        ssize_t got = file_read_at(fd, head, sizeof(head), 0);
        for (size_t i = 0; i < N_ELEMENTS(heads); i++)
                if (got >= (ssize_t)heads[i].length && memcmp(head, heads[i].bytes, heads[i].length) == 0)
                        return true;
        return false;
}
