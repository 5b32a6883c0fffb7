/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bound text: whatever a label holds, a query or a pattern keeps the shape that its author gave it.
 *
 * Input: '0' plain, '1' PromQL, '2' glob; the pattern; a NUL; the value.
 */
#include <errno.h>

#include "runbook/bind.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 100000;
const char *const fuzz_words[] = {
        "${labels.a}",
        "${annotations.b}",
        "${incident.id}",
        "${",
        "}",
        "$$",
        "\"${labels.a}\"",
        "=~\"",
        "!~'",
        "'${labels.a}'",
        "`",
        "\\",
        "\"",
        "#",
        "\n",
        "=~",
        "or vector(1)",
        ".*",
        "\\\"",
        "label",
        NULL,
};

static const char *value_of(const void *context, const char *scope, const char *name)
{
        (void)scope;
        (void)name;
        return context;
}

/* PromQL without the insides of its strings and without comments, by a reader of its own; "!" when a string
 * is not closed. */
static char *shape_of_query(const char *query)
{
        struct text shape = {0};
        text_puts(&shape, "");
        while (*query) {
                char c = *query++;
                if (c == '#') {
                        query += strcspn(query, "\n");
                } else if (c == '"' || c == '\'' || c == '`') {
                        text_putc(&shape, c);
                        while (*query && *query != c && (c == '`' || *query != '\n'))
                                query += c != '`' && query[0] == '\\' && query[1] ? 2 : 1;
                        if (*query != c) {
                                text_putc(&shape, '!');
                                break;
                        }
                        text_putc(&shape, *query++);
                } else {
                        text_putc(&shape, c);
                }
        }
        return text_take(&shape);
}

/* What means something in a pattern, without what stands for itself. */
static char *shape_of_glob(const char *pattern)
{
        struct text shape = {0};
        text_puts(&shape, "");
        for (; *pattern; pattern++) {
                if (pattern[0] == '\\' && pattern[1])
                        pattern++;
                else if (strchr("\\*?[]^-", *pattern))
                        text_putc(&shape, *pattern);
        }
        return text_take(&shape);
}

static char *(*const shapes[])(const char *bound) = {
        [BIND_PROMQL] = shape_of_query,
        [BIND_GLOB] = shape_of_glob,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        enum bind_escape escape = (enum bind_escape)(data[0] % 3);
        _cleanup_free_ char *all = fuzz_string(data + 1, size - 1);
        _cleanup_free_ char *pattern = strdup(all);
        size_t length = strlen(all);
        const char *value = length + 1 < size - 1 ? all + length + 1 : "";
        const struct bindings hostile = {.get = value_of, .context = value};
        const struct bindings harmless = {.get = value_of, .context = "x"};
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *bound = NULL, *plain = NULL;

        FUZZ_ASSERT(pattern);
        int result = bind_check(pattern, escape, &error);
        FUZZ_ASSERT(result == 0 || (result == -EINVAL && error.message));
        int again = bind_text(pattern, &hostile, escape, &bound, NULL);
        FUZZ_ASSERT(again == result || (result == 0 && again == -E2BIG) ||
                    (again == -ENOKEY && escape == BIND_GLOB && !*value));
        FUZZ_ASSERT((again == 0) == (bound != NULL));
        if (again < 0)
                return 0;
        if (!strchr(pattern, '$'))
                FUZZ_ASSERT(strcmp(bound, pattern) == 0);
        if (escape != BIND_PLAIN && bind_text(pattern, &harmless, escape, &plain, NULL) == 0) {
                _cleanup_free_ char *shape = shapes[escape](bound), *wanted = shapes[escape](plain);
                FUZZ_ASSERT(shape && wanted && strcmp(shape, wanted) == 0);
        }
        return 0;
}
