/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every file may use: clean-up by scope, array sizes, ownership hand-over, compiler attributes.
 *
 * lib/base, whose doors are this header and those beside it that name no other room, is the ground of the
 * house: text, errors, time, files, JSON, logs, threads. It is there so that no room above has to do these
 * twice, and uses none.
 */
#ifndef RUNBOOK_COMMON_H
#define RUNBOOK_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((__cleanup__(function)))
#define _printf_(string, first) __attribute__((__format__(printf, string, first)))
#define _sentinel_ __attribute__((sentinel))
#define _unused_ __attribute__((unused))
#define _must_use_ __attribute__((warn_unused_result))

/* The number of elements of an array; does not compile for a pointer. */
#define N_ELEMENTS(array)                                                                                  \
        (sizeof(array) / sizeof((array)[0]) +                                                              \
         0 * sizeof(struct {                                                                               \
                 _Static_assert(!__builtin_types_compatible_p(__typeof__(array), __typeof__(&(array)[0])), \
                                "not an array");                                                           \
                 int unused;                                                                               \
         }))

/*
 * Does not compile unless the array has that many elements: for a table beside an enum (its count) or beside
 * another table. Such a table is declared without a number between its brackets.
 */
#define tables_agree(array, count) \
        _Static_assert(N_ELEMENTS(array) == (count), #array " has one row for each of " #count)

/* The descriptor in `fd`, which is -1 afterwards: for handing ownership over. */
#define TAKE_FD(fd)                        \
        __extension__({                    \
                int *_taken_from = &(fd);  \
                int _taken = *_taken_from; \
                *_taken_from = -1;         \
                _taken;                    \
        })

/* The value of `pointer`, which is NULL afterwards: for handing ownership over. */
#define TAKE_PTR(pointer)                                      \
        __extension__({                                        \
                __typeof__(pointer) *_taken_from = &(pointer); \
                __typeof__(pointer) _taken = *_taken_from;     \
                *_taken_from = NULL;                           \
                _taken;                                        \
        })

/* Defines `name_p`, the clean-up function for a `type` variable, from a destructor that takes NULL. */
#define DEFINE_CLEANUP(type, destructor)           \
        static inline void destructor##_p(type *p) \
        {                                          \
                if (*p)                            \
                        destructor(*p);            \
        }                                          \
        struct _semicolon_needed_

static inline void free_p(void *p)
{
        free(*(void **)p);
}

static inline void close_p(const int *fd)
{
        if (*fd >= 0)
                close(*fd);
}

#define _cleanup_free_ _cleanup_(free_p)
#define _cleanup_close_ _cleanup_(close_p)

#endif
