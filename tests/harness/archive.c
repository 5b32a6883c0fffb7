/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/archive.h"

#include <stdio.h>
#include <string.h>

void archive_of(struct text *tar, const char *name, const char *content, size_t size, long long time)
{
        static const char zeroes[1536];
        char header[512] = {0};
        snprintf(header, 100, "%s", name);
        memcpy(header + 100, "0000640\0000000007\0000000010\0", 24); /* mode, owner, group */
        snprintf(header + 124, 12, "%011o", (unsigned)size);
        snprintf(header + 136, 12, "%011llo", time);
        header[156] = '0';
        memcpy(header + 257, "ustar\00000", 8);
        unsigned sum = 8 * ' ';
        for (size_t i = 0; i < sizeof(header); i++)
                sum += (unsigned char)header[i];
        snprintf(header + 148, 8, "%06o", sum);

        text_append(tar, header, sizeof(header));
        text_append(tar, content, size);
        text_append(tar, zeroes, (512 - size % 512) % 512 + 1024);
}
