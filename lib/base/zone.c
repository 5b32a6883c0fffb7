/* SPDX-License-Identifier: Apache-2.0 */
/* Files of time zones (RFC 9636), and what they say of an instant. */
#include "runbook/zone.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "lib/base/zone_rule.h"
#include "runbook/file.h"
#include "runbook/text.h"
#include "runbook/words.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"
#define LOCAL_FILE "/etc/localtime"
#define FILE_MAX ((size_t)1 << 20)
#define NAMES_MAX 1024 /* of a directory, to find the nearest of */

enum { HEADER_SIZE = 44, TYPE_SIZE = 6 };

/* What there are how many of, in the order of the header. */
enum { UT_MARKS, STANDARD_MARKS, LEAPS, CHANGES, TYPES, LETTERS, COUNTS };

struct change {
        int64_t at;
        int32_t offset;
};

struct zone {
        struct zone_rule rule;
        bool has_rule;
        int32_t first_offset; /* before the first change */
        size_t count;
        struct change changes[];
};

static int64_t read_big(const unsigned char *at, size_t width)
{
        uint64_t value = at[0] & 0x80 ? UINT64_MAX : 0;
        for (size_t i = 0; i < width; i++)
                value = value << 8 | at[i];
        return (int64_t)value;
}

/* The size of what follows a header, by the width of its times; 0: it is no header of a zone. */
static size_t read_header(const unsigned char *data, size_t length, size_t width, size_t counts[COUNTS])
{
        if (length < HEADER_SIZE || memcmp(data, "TZif", 4) != 0)
                return 0;
        for (size_t i = 0; i < COUNTS; i++) {
                counts[i] = (size_t)read_big(data + 20 + 4 * i, 4);
                if (counts[i] > FILE_MAX)
                        return 0;
        }
        if (counts[TYPES] == 0)
                return 0;
        return counts[CHANGES] * (width + 1) + counts[TYPES] * TYPE_SIZE + counts[LETTERS] +
               counts[LEAPS] * (width + 4) + counts[STANDARD_MARKS] + counts[UT_MARKS];
}

/* False when it is not as it should be. */
static bool read_changes(const unsigned char *data, const size_t counts[COUNTS], size_t width,
                         struct zone *zone)
{
        const unsigned char *kinds = data + counts[CHANGES] * width, *types = kinds + counts[CHANGES];
        zone->first_offset = (int32_t)read_big(types, 4);
        for (size_t i = 0; i < counts[CHANGES]; i++) {
                if (kinds[i] >= counts[TYPES])
                        return false;
                zone->changes[i] = (struct change){read_big(data + i * width, width),
                                                   (int32_t)read_big(types + kinds[i] * TYPE_SIZE, 4)};
                if (i > 0 && zone->changes[i].at <= zone->changes[i - 1].at)
                        return false;
        }
        zone->count = counts[CHANGES];
        return true;
}

/* The last line of a file, between line breaks; it may be empty. */
static bool read_rule(const unsigned char *data, size_t length, struct zone *zone)
{
        const char *end = length > 1 && data[0] == '\n' ? memchr(data + 1, '\n', length - 1) : NULL;
        _cleanup_free_ char *line =
                end ? strndup((const char *)data + 1, (size_t)(end - (const char *)data) - 1) : NULL;
        if (!line)
                return false;
        zone->has_rule = *line != '\0';
        return !*line || zone_rule_parse(line, &zone->rule);
}

int zone_parse(const char *name, const void *data, size_t length, struct zone **ret, struct error *error)
{
        const unsigned char *at = data, *end = at + length;
        size_t counts[COUNTS], width = 4, size = read_header(at, length, width, counts);
        bool again = size > 0 && at[4] >= '2'; /* everything once more, in 64 bits */
        if (again && size + HEADER_SIZE < length) {
                width = 8;
                at += HEADER_SIZE + size;
                size = read_header(at, (size_t)(end - at), width, counts);
        }
        if (size == 0 || size > (size_t)(end - at) - HEADER_SIZE)
                return error_set(error, EINVAL, "%s is no file of a time zone", name);
        if (counts[LEAPS] > 0)
                return error_set(error, EINVAL, "%s counts leap seconds, which the system's clock does not",
                                 name);
        _cleanup_(zone_free_p) struct zone *zone =
                calloc(1, sizeof(*zone) + counts[CHANGES] * sizeof(*zone->changes));
        if (!zone)
                return error_oom(error);
        at += HEADER_SIZE;
        if (!read_changes(at, counts, width, zone) ||
            (width == 8 && !read_rule(at + size, (size_t)(end - at) - size, zone)))
                return error_set(error, EINVAL, "%s is not understood as a time zone", name);
        *ret = TAKE_PTR(zone);
        return 0;
}

struct zone *zone_free(struct zone *zone)
{
        free(zone);
        return NULL;
}

/* The name of the same directory that was meant, perhaps. */
static void suggest(const char *directory, const char *name, struct error *error)
{
        const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
        _cleanup_free_ char *path =
                text_format("%s/%.*s", directory, slash ? (int)(slash - name) : 0, slash ? name : "");
        char *names[NAMES_MAX] = {NULL};
        DIR *listing = path ? opendir(path) : NULL;
        size_t count = 0;
        for (const struct dirent *entry; listing && count < NAMES_MAX && (entry = readdir(listing));)
                if ((names[count] = strdup(entry->d_name)))
                        count++;
        const char *nearest = words_nearest((const char *const *)names, count, last);
        error_set(error, ENOENT, "there is no time zone \"%s\" in %s%s%.*s%s%s", name, directory,
                  nearest ? "; did you mean \"" : "", nearest ? (int)(last - name) : 0, name,
                  nearest ? nearest : "", nearest ? "\"?" : "");
        for (size_t i = 0; i < count; i++)
                free(names[i]);
        if (listing)
                closedir(listing);
}

static bool is_name(const char *name)
{
        return *name && *name != '/' && !strstr(name, "..") &&
               strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/.") ==
                       strlen(name);
}

static int load_file(const char *path, const char *name, struct zone **ret, struct error *error)
{
        _cleanup_text_ struct text content = {0};
        int r = file_read_whole(path, FILE_MAX, &content, error);
        return r < 0 ? r : zone_parse(name, content.data, content.length, ret, error);
}

int zone_load(const char *name, struct zone **ret, struct error *error)
{
        const char *directory = getenv("TZDIR");
        bool local = strcmp(name, "local") == 0;
        if (!directory || !*directory)
                directory = ZONE_DIRECTORY;
        if (strcmp(name, "UTC") == 0 || (local && access(LOCAL_FILE, F_OK) < 0)) {
                struct zone *zone = calloc(1, sizeof(*zone));
                if (!zone)
                        return error_oom(error);
                *ret = zone;
                return 0;
        }
        if (local)
                return load_file(LOCAL_FILE, LOCAL_FILE, ret, error);
        if (!is_name(name))
                return error_set(error, EINVAL,
                                 "\"%.100s\" is not the name of a time zone, such as Europe/Berlin", name);
        _cleanup_free_ char *path = text_format("%s/%s", directory, name);
        if (!path)
                return error_oom(error);
        if (access(path, F_OK) < 0 && errno == ENOENT) {
                suggest(directory, name, error);
                return -ENOENT;
        }
        return load_file(path, name, ret, error);
}

/* The last change that is not after `at`; SIZE_MAX: it is before all of them. */
static size_t find_change(const struct zone *zone, int64_t at)
{
        size_t low = 0, high = zone->count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (zone->changes[middle].at <= at)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low - 1;
}

struct zone_period zone_period_at(const struct zone *zone, int64_t at)
{
        size_t found = find_change(zone, at), next = found + 1;
        struct zone_period period = {INT64_MIN, INT64_MAX, zone->first_offset};
        if (found != SIZE_MAX) {
                period.from = zone->changes[found].at;
                period.offset = zone->changes[found].offset;
        }
        if (next < zone->count) {
                period.until = zone->changes[next].at;
        } else if (zone->has_rule) {
                int64_t last = period.from;
                period = zone_rule_period_at(&zone->rule, at);
                period.from = period.from < last ? last : period.from;
        }
        return period;
}
