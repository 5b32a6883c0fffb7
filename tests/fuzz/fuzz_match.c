/* SPDX-License-Identifier: Apache-2.0 */
/* Matchers: parsed or refused with a sentence; what is parsed answers for any label. Input: matcher, NUL,
 * value. */
#include <errno.h>

#include "responder/alert/match.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {
        "a=\"b\"", "=~", "!~", "!=", "\"",  "\\",      "(", ")", "[",
        "]",       ".*", "|",  "a+", "{2}", "{99999}", "^", "$", NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *all = fuzz_string(data, size);
        size_t length = strlen(all);
        _cleanup_error_ struct error error = {0};
        struct matchers matchers = {0};
        char *keys[] = {(char *)"a", (char *)"alertname"};
        char *values[] = {length < size ? all + length + 1 : all, (char *)"b"};
        const struct config_map labels = {.keys = keys, .values = values, .count = N_ELEMENTS(keys)};
        const struct config_map none = {0};
        FUZZ_ASSERT(!matchers_match(&matchers, &labels));
        int result = matchers_add(&matchers, all, &error);
        FUZZ_ASSERT(result == 0 || (result == -EINVAL && error.message));
        FUZZ_ASSERT(matchers.count == (result == 0));
        bool matched = matchers_match(&matchers, &labels);
        FUZZ_ASSERT(matched == matchers_match(&matchers, &labels));
        FUZZ_ASSERT(result == 0 || !matched);
        (void)matchers_match(&matchers, &none);
        matchers_release(&matchers);
        return 0;
}
