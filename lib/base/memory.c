/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping a daemon small. What memory_settle() is worth, in resident memory with the shipped rules: the
 * exporter has 3.5 MB instead of 13.1 once it listens, 13.1 instead of 18.2 after three scrapes, which bring
 * back what measuring runs; the responder 4.6 instead of 13.6.
 */
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

/* A mapping of a file that is not to be written, in which no page was ever changed: dropping it loses
 * nothing. What the loader has relocated and then protected is anonymous, and stays. */
void memory_settle(void)
{
        malloc_trim(0);

        FILE *maps = fopen("/proc/self/smaps", "re");
        if (!maps)
                return;
        _cleanup_free_ char *line = NULL;
        size_t capacity = 0;
        unsigned long begin = 0, end = 0;
        bool candidate = false;
        while (getline(&line, &capacity, maps) > 0) {
                unsigned long first, last, changed;
                char access[5] = "", slash[2] = "";
                if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %1s", &first, &last, access, slash) >= 3) {
                        begin = first;
                        end = last;
                        candidate =
                                (strcmp(access, "r-xp") == 0 || strcmp(access, "r--p") == 0) && *slash == '/';
                } else if (sscanf(line, "Anonymous: %lu kB", &changed) == 1) {
                        if (candidate && changed == 0)
                                madvise((void *)begin, end - begin, MADV_DONTNEED);
                        candidate = false;
                }
        }
        fclose(maps);
}
