/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka, with what it wants included before it; the blank line keeps clang-format from sorting it up. */
#ifndef TESTS_HARNESS_UNIT_H
#define TESTS_HARNESS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef stop /* a macro of cmocka 2; here it is the name of functions */

#endif
