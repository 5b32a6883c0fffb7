/* SPDX-License-Identifier: Apache-2.0 */
/* State files: read as a whole, written beside and moved over. */
#include "runbook/state_file.h"

#include <errno.h>

#include "runbook/digest.h"
#include "runbook/file.h"

#define SUM "sum "

#define FILE_MAX ((size_t)1 << 20)

static struct state_file_counts counts; /* each by itself, atomically */

struct state_file_counts state_file_counts(void)
{
        return (struct state_file_counts){
                .unread = __atomic_load_n(&counts.unread, __ATOMIC_RELAXED),
                .unwritten = __atomic_load_n(&counts.unwritten, __ATOMIC_RELAXED),
                .written_at = __atomic_load_n(&counts.written_at, __ATOMIC_RELAXED),
        };
}

int state_file_read(const char *path, size_t limit, struct text *content, struct error *error)
{
        if (access(path, F_OK) < 0 && errno == ENOENT)
                return 0;
        int r = file_read_whole(path, limit, content, error);
        if (r < 0)
                __atomic_add_fetch(&counts.unread, 1, __ATOMIC_RELAXED);
        return r < 0 ? r : 1;
}

int state_file_write(const char *path, const struct text *content, struct error *error)
{
        int r = file_replace(path, content->data, content->length, 0600, error);
        if (r < 0)
                __atomic_add_fetch(&counts.unwritten, 1, __ATOMIC_RELAXED);
        else
                __atomic_store_n(&counts.written_at, clock_wall(), __ATOMIC_RELAXED);
        return r;
}

int state_file_broken(const char *path, const char *title, struct error *error)
{
        __atomic_add_fetch(&counts.unread, 1, __ATOMIC_RELAXED);
        return error_set(error, EINVAL, "%s does not hold \"%s\"; remove it to begin anew", path, title);
}

int state_file_load(const char *path, const char *title, struct text *lines, struct error *error)
{
        _cleanup_text_ struct text content = {0};
        size_t length = strlen(title);
        int r = state_file_read(path, FILE_MAX, &content, error);
        if (r <= 0)
                return r;
        if (!string_starts(text_string(&content), title) || content.data[length] != '\n')
                return state_file_broken(path, title, error);
        text_append(lines, content.data + length + 1, content.length - length - 1);
        return text_error(lines) < 0 ? error_oom(error) : 1;
}

void state_file_put_sum(struct text *lines)
{
        unsigned char sum[DIGEST_SIZE];
        char buffer[DIGEST_TEXT_MAX];
        if (digest_of(text_string(lines), lines->length, sum) == 0)
                text_printf(lines, SUM "%s\n", digest_text(sum, buffer));
}

/* Where the last line begins; NULL: it is no sum. */
static char *find_sum(const struct text *lines)
{
        char *found = lines->length > 0 ? lines->data : NULL;
        while (found) {
                char *next = strchr(found, '\n');
                if (!next || !next[1])
                        break;
                found = next + 1;
        }
        return found && string_starts(found, SUM) ? found : NULL;
}

bool state_file_take_sum(struct text *lines)
{
        char *last = find_sum(lines);
        _cleanup_text_ struct text expected = {0};
        if (!last)
                return false;
        text_append(&expected, lines->data, (size_t)(last - lines->data));
        state_file_put_sum(&expected);
        if (strcmp(text_string(&expected), lines->data) != 0)
                return false;
        *last = '\0';
        lines->length = (size_t)(last - lines->data);
        return true;
}

int state_file_save(const char *path, const char *title, const struct text *lines, struct error *error)
{
        _cleanup_text_ struct text content = {0};
        text_printf(&content, "%s\n", title);
        text_append(&content, text_string(lines), lines->length);
        if (text_error(&content) < 0 || text_error(lines) < 0)
                return error_oom(error);
        return state_file_write(path, &content, error);
}
