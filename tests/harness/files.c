/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/files.h"

#include <stdio.h>
#include <stdlib.h>

#include "runbook/text.h"

void write_file(const char *directory, const char *name, const void *content, size_t length)
{
        _cleanup_free_ char *path = text_format("%s/%s", directory, name);
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        assert_int_equal(fwrite(content, 1, length, file), length);
        assert_int_equal(fclose(file), 0);
}

void remove_directory(const char *directory)
{
        _cleanup_free_ char *command = text_format("chmod -R u+w '%s'; rm -rf '%s'", directory, directory);
        assert_int_equal(system(command), 0);
}
