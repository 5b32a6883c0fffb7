/* SPDX-License-Identifier: Apache-2.0 */
/* checks.yml of any bytes: loaded and opened as the exporter does at start, or refused with complaints. */
#include <errno.h>

#include "exporter/check/check.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 3000;
const char *const fuzz_words[] = {
        "checks:\n", "- name: a\n", "labels", "value", "type: gauge", "timeout: 5s", "targets",
        "{",         "}",           "[",      "]",     "\n  ",        ": ",          NULL,
};

/* The kinds, and the options of each. */
const char *fuzz_table_word(size_t number)
{
        for (size_t i = 0; check_kinds[i]; i++) {
                const struct config_field *field = check_kinds[i]->fields;
                if (number-- == 0)
                        return check_kinds[i]->name;
                for (; field->name; field++)
                        if (number-- == 0)
                                return field->name;
        }
        return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_error_ struct error error = {0};
        struct check_set *set = NULL;
        int result = check_set_load(fuzz_file(data, size), NULL, &set, &error);
        FUZZ_ASSERT((result == 0) == (set != NULL));
        FUZZ_ASSERT(result == 0 || (result == -EINVAL && error.message));
        for (size_t i = 0; set && i < check_set_size(set); i++)
                FUZZ_ASSERT(set->checks[i].name && set->checks[i].title && set->checks[i].kind &&
                            set->checks[i].timeout > 0);
        check_set_free(set);
        return 0;
}
