/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns: refused with a sentence, or found the same with groups and without, each of which is a piece of
 * the value. Input: pattern, NUL, value. */
#include <errno.h>

#include "runbook/pattern.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 30000;
const char *const fuzz_words[] = {
        "(?P<a>", "(?<b>", "(?:", ")",    "*",   "+?",       "{2}", "{0,3}", "|",
        "^",      "$",     ".*",  "[^a]", "\\d", "\xc3\xa4", "a",   NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *all = fuzz_string(data, size);
        size_t length = strlen(all);
        const char *value = length < size ? all + length + 1 : all;
        _cleanup_error_ struct error error = {0};
        struct pattern_span spans[PATTERN_GROUPS_MAX];
        struct pattern *pattern = NULL;
        int r = pattern_compile(all, &pattern, &error);
        FUZZ_ASSERT(r == 0 || ((r == -EINVAL || r == -ENOTSUP || r == -E2BIG) && error.message));
        if (r < 0)
                return 0;
        int found = pattern_capture(pattern, value, spans);
        FUZZ_ASSERT(found == pattern_found(pattern, value));
        FUZZ_ASSERT(found || !pattern_matches(pattern, value));
        for (size_t i = 0; found && i < pattern_groups(pattern); i++) {
                const char *start = spans[i].start;
                FUZZ_ASSERT(start ? start >= value && start + spans[i].length <= value + strlen(value)
                                  : spans[i].length == 0);
        }
        pattern_free(pattern);
        return 0;
}
