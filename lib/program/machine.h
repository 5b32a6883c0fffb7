/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distributions keep authorities and time zones in places of their own. A program that was built on one of
 * them finds those of another by the environment, which OpenSSL, libcurl's user here and the C library read.
 */
#ifndef LIB_PROGRAM_MACHINE_H
#define LIB_PROGRAM_MACHINE_H

/* First thing in main, before there are threads: sets SSL_CERT_FILE and TZDIR where they are needed, and not
 * set. */
void machine_settle(void);

/* The same, below a `root`, for tests. NULL: they stand where the libraries look, or nowhere. */
const char *machine_authorities(const char *root);

/* Those that came along with `program` (its whole path), where the machine has none; free() it. */
char *machine_zones(const char *root, const char *program);

#endif
