/* SPDX-License-Identifier: Apache-2.0 */
/* What to write instead of what is not YAML. */
#include "lib/config/tree.h"

/* libfyaml says what it met; a person wants to know what to write instead. */
static const struct {
        const char *message, *advice;
} advices[] = {
        {"tab character may not be used as indentation", "indent with spaces"},
        {"plain scalar cannot start with", "put the value in quotes"},
        {"flow sequence without a closing bracket", "close the list with ']'"},
        {"flow mapping without a closing brace", "close the mapping with '}'"},
        {"missing comma in flow", "separate items with ',', or close the one before"},
        {"invalid nested block mapping on the same line", "put a value that holds ': ' in quotes"},
        {"invalid multiline plain key", "write 'key: value', and indent both lines alike"},
        {"invalid mapping in plain multiline", "write 'key: value', and indent keys of one mapping alike"},
        {"invalid value after mapping", "write 'key: value', and indent keys of one mapping alike"},
        {"did not find expected key", "write 'key: value', and indent keys of one mapping alike"},
        {"invalid indentation in mapping", "indent keys of one mapping alike"},
        {"wrongly indented sequence item", "indent the '-' of one list alike"},
        {"invalid scalar at the end of block sequence", "begin each item with '- '"},
        {"block sequence on the same line", "begin the list on the next line, or write [a, b]"},
        {"without closing quote", "close the quotes"},
        {"wrongly indented double-quoted scalar", "close the quotes, or indent the lines that follow"},
        {"wrongly indented single-quoted scalar", "close the quotes, or indent the lines that follow"},
        {"invalid trailing content after", "put all of the value in one pair of quotes"},
        {"invalid escape", "write a backslash as \\\\, or use single quotes"},
        {"invalid alias detected", "put a value that begins with '*' in quotes"},
        {"invalid anchor detected", "put a value that begins with '&' in quotes"},
        {"extra closing", "take it away, or put the value in quotes"},
        {"invalid extra comma", "take it away"},
        {"invalid comma in the beginning", "take it away"},
        {"missing document start", "indent everything at the top alike; one file holds one document"},
        {"undefined tag prefix", "put a value that begins with '!' in quotes"},
};

const char *config_advice(const char *message)
{
        for (size_t i = 0; i < N_ELEMENTS(advices); i++)
                if (strstr(message, advices[i].message))
                        return advices[i].advice;
        return NULL;
}
