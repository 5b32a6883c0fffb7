/* SPDX-License-Identifier: Apache-2.0 */
/* PromQL: read or refused with a sentence and a place in the text; asked again, the same is said. */
#include <errno.h>

#include "lib/promql/internal.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {
        "sum",     "by (",     "without", "rate(",    "[5m]",       "[1h:5m]", "offset", "@ start()",
        "on (",    "ignoring", "bool",    "unless",   "group_left", "(",       ")",      "{",
        "}",       "=~",       "\"a\"",   "'\\x41'",  "`b`",        "1h30m",   "0x1f",   "1e3",
        "Inf",     "^",        "-",       "==",       ",",          "#",       ":",      "\n",
        "topk(3,", "fill (",   "step()",  "{\"up\"}", NULL,
};

/* What is put in for an alert's values neither moves anything nor ends the text. */
static void try_bound(const char *text)
{
        _cleanup_free_ char *filled = bind_fill(text);
        FUZZ_ASSERT(filled && strlen(filled) == strlen(text));
        FUZZ_ASSERT(bind_check(text, BIND_PROMQL, NULL) < 0 || !strstr(filled, "${labels."));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *text = fuzz_string(data, size);
        _cleanup_error_ struct error error = {0};
        enum promql_type type = PROMQL_TYPES, again = PROMQL_TYPES;
        size_t fault = SIZE_MAX;
        int r = promql_check(text, &type, &fault, &error);
        FUZZ_ASSERT(r == 0 || (r == -EINVAL && error.message && fault <= strlen(text)));
        FUZZ_ASSERT(r < 0 ? type == PROMQL_TYPES : type < PROMQL_TYPES && fault == SIZE_MAX);
        FUZZ_ASSERT(promql_check(text, &again, NULL, NULL) == r && again == type);
        try_bound(text);

        /* What is right is right between parentheses, and gives the same. */
        _cleanup_free_ char *wrapped = text_format("(%s\n)", text);
        if (r == 0)
                FUZZ_ASSERT(promql_check(wrapped, &again, NULL, &error) == 0
                                    ? again == type
                                    : string_starts(error_text(&error), "it is nested more"));
        return 0;
}
