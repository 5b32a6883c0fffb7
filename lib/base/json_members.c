/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of a document that was held to the letter of JSON already: nothing here is checked again, and what is not
 * wanted is passed over by its quotes and brackets alone. Every search ends within the document, as each
 * object in it has its end.
 */
#include "lib/base/json_members.h"

#include <string.h>

static const char *skip_space(const char *at)
{
        while (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')
                at++;
        return at;
}

/* `at` is its first quote. */
static const char *skip_string(const char *at, const char *end)
{
        for (at = json_skip_plain(at + 1, end); *at != '"'; at++)
                at += *at == '\\';
        return at + 1;
}

/* `at` is the first character of it, which stands within an object. */
static const char *skip_value(const char *at, const char *end)
{
        size_t depth = 0;
        do {
                if (*at == '"') {
                        at = skip_string(at, end);
                        continue;
                }
                depth += *at == '[' || *at == '{';
                depth -= *at == ']' || *at == '}';
                at++;
        } while (depth > 0 || (*at != ',' && *at != '}'));
        return at;
}

/* The paths that lead to the object that is read, which stand together. */
struct wanted {
        const char *const *paths;
        size_t count;
        size_t length;   /* of what leads here in each, the dot included */
        const char *end; /* of the document */
};

enum want { WANT_NOTHING, WANT_SOME, WANT_ALL };

/* Whether the member `name` is wanted, or some of it: then `ret` leads there. */
static enum want want_of(const struct wanted *wanted, const char *name, size_t length, struct wanted *ret)
{
        for (size_t i = 0; i < wanted->count; i++) {
                const char *const *path = wanted->paths + i;
                const char *rest = *path + wanted->length;
                if (*rest != *name || strncmp(rest, name, length) != 0 ||
                    (rest[length] != '\0' && rest[length] != '.'))
                        continue;
                *ret = (struct wanted){path, 1, wanted->length + length + 1, wanted->end};
                if (rest[length] == '\0')
                        return WANT_ALL;
                while (i + ret->count < wanted->count && strncmp(path[ret->count], *path, ret->length) == 0)
                        ret->count++;
                return WANT_SOME;
        }
        return WANT_NOTHING;
}

/* `at` is its brace. As deep as the longest path. */
static void keep_object(const char *at, const struct wanted *wanted, struct text *kept)
{
        bool first = true;
        text_putc(kept, '{');
        for (at = skip_space(at + 1); *at != '}';) {
                const char *name = at, *name_end = skip_string(at, wanted->end);
                const char *value = skip_space(skip_space(name_end) + 1),
                           *end = skip_value(value, wanted->end);
                struct wanted inner;
                enum want want = want_of(wanted, name + 1, (size_t)(name_end - name) - 2, &inner);
                if (want != WANT_NOTHING) {
                        bool some = want == WANT_SOME && *value == '{';
                        text_puts(kept, first ? "" : ",");
                        text_append(kept, name, (size_t)((some ? value : end) - name));
                        if (some)
                                keep_object(value, &inner, kept);
                        first = false;
                }
                at = skip_space(end);
                at = *at == ',' ? skip_space(at + 1) : at;
        }
        text_putc(kept, '}');
}

void json_keep_members(const char *data, size_t length, const char *const paths[], struct text *kept)
{
        struct wanted wanted = {.paths = paths, .end = data + length};
        const char *at = skip_space(data);
        while (paths[wanted.count])
                wanted.count++;
        if (*at == '{')
                keep_object(at, &wanted, kept);
        else
                text_append(kept, data, length);
}
