/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a fuzzer is: a function of bytes that must not crash, leak or break its own assertions.
 *
 * With clang, link a fuzz_*.c with -fsanitize=fuzzer and let it search. With any compiler, link it with
 * driver.c, which replays the corpus and a fixed number of mutations of it, the same ones every time.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdio.h>
#include <sys/mman.h>

#include "runbook/common.h"
#include "runbook/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many mutations the driver tries: as many as take about a second or two with sanitizers. */
extern const unsigned fuzz_mutations;

/* Words that mean something to what is fuzzed, closed by NULL. */
extern const char *const fuzz_words[];

/* For words that the product's own tables know: the one of this number, NULL behind the last. Need not be
 * there.
 */
const char *fuzz_table_word(size_t number) __attribute__((weak));

/* Says what does not hold, and aborts. */
#define FUZZ_ASSERT(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

_Noreturn static inline void fuzz_fail(const char *condition, const char *file, int line)
{
        fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
        abort();
}

/* Puts the bytes into a file in memory, the same one each time, and answers its path. */
static inline const char *fuzz_file(const uint8_t *data, size_t size)
{
        static int fd = -1;
        static char path[64];
        if (fd < 0) {
                fd = memfd_create("fuzz", MFD_CLOEXEC);
                snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        }
        FUZZ_ASSERT(fd >= 0 && ftruncate(fd, 0) == 0);
        FUZZ_ASSERT(pwrite(fd, data, size, 0) == (ssize_t)size);
        return path;
}

/* The bytes as a C string in memory of exactly their length, so that reading behind it is seen; free() it. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
        char *string = malloc(size + 1);
        FUZZ_ASSERT(string);
        if (size > 0)
                memcpy(string, data, size);
        string[size] = '\0';
        return string;
}

#endif
