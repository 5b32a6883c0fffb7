/* SPDX-License-Identifier: Apache-2.0 */
/* What stays as it is: held against a file, or written there when RUNBOOK_GOLDEN=write says so. */
#ifndef TESTS_HARNESS_GOLDEN_H
#define TESTS_HARNESS_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>

#include "runbook/file.h"
#include "tests/harness/unit.h"

static inline void check_golden(const char *path, const char *now)
{
        const char *mode = getenv("RUNBOOK_GOLDEN");
        if (mode && strcmp(mode, "write") == 0) {
                FILE *file = fopen(path, "we");
                assert_non_null(file);
                assert_true(fputs(now, file) >= 0);
                assert_int_equal(fclose(file), 0);
        }
        _cleanup_text_ struct text was = {0};
        _cleanup_error_ struct error error = {0};
        if (file_read_whole(path, 1 << 20, &was, &error) < 0)
                fail_msg("%s", error_text(&error));
        if (strcmp(text_string(&was), now) != 0)
                fail_msg("%s was\n%s\nand is\n%s", path, text_string(&was), now);
}

#endif
