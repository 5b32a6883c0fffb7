/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping a daemon small. */
#include "runbook/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "runbook/common.h"

enum { KEPT_FREE = 64 * 1024 };

void memory_prepare(void)
{
        mallopt(M_ARENA_MAX, 1);
        mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
        mallopt(M_MMAP_THRESHOLD, KEPT_FREE);
}

void memory_settle(void)
{
        malloc_trim(0);

        FILE *maps = fopen("/proc/self/maps", "re");
        if (!maps)
                return;
        _cleanup_free_ char *line = NULL;
        size_t capacity = 0;
        while (getline(&line, &capacity, maps) > 0) {
                unsigned long begin, end;
                char access[5] = "", slash[2] = "";
                /* Executable, not writable, from a file: such pages are never changed, so nothing can be
                 * lost. */
                if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %1s", &begin, &end, access, slash) == 4 &&
                    strcmp(access, "r-xp") == 0 && slash[0] == '/')
                        madvise((void *)begin, end - begin, MADV_DONTNEED);
        }
        fclose(maps);
}
