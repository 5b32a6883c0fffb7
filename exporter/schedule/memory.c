/* SPDX-License-Identifier: Apache-2.0 */
/* One file a check, named after it, with the sum of its definition: a check that was changed is another one.
 */
#include "exporter/schedule/memory.h"

#include "runbook/digest.h"
#include "runbook/state_file.h"

#define FILE_MAX 256

/* NULL where nothing is remembered, or for want of memory. */
static char *path_of(const struct check *check)
{
        if (!check->state_directory || !check->definition || check->probe_target)
                return NULL;
        return text_format("%s/success-%s", check->state_directory, check->name);
}

/* The line that the file holds. */
static int put_content(const struct check *check, struct text *content)
{
        unsigned char sum[DIGEST_SIZE];
        char words[DIGEST_TEXT_MAX];
        int r = digest_of(check->definition, strlen(check->definition), sum);
        if (r < 0)
                return r;
        text_printf(content, "%s\n", digest_text(sum, words));
        return text_error(content);
}

bool memory_has_success(const struct check *check)
{
        _cleanup_free_ char *path = path_of(check);
        _cleanup_text_ struct text content = {0}, expected = {0};
        return path && put_content(check, &expected) >= 0 &&
               state_file_read(path, FILE_MAX, &content, NULL) > 0 &&
               strcmp(text_string(&content), text_string(&expected)) == 0;
}

int memory_put_success(const struct check *check, struct error *error)
{
        _cleanup_free_ char *path = path_of(check);
        _cleanup_text_ struct text content = {0};
        if (!path)
                return 0;
        if (put_content(check, &content) < 0)
                return error_oom(error);
        return state_file_write(path, &content, error);
}
