/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How libcrypto and libssl begin. They set themselves up on first use, and where there is no memory for that,
 * OpenSSL 3.0 goes on with what is not there and crashes.
 */
#ifndef RUNBOOK_CRYPTO_H
#define RUNBOOK_CRYPTO_H

/*
 * First thing in main, before anything uses them: from here on want of memory within them ends the program,
 * with a sentence on stderr behind its name, by EXIT_FAILED. `program` is borrowed for good.
 */
void crypto_begin(const char *program);

/*
 * Sets all of them up now, in a daemon before its start: afterwards want of memory is a failure like any
 * other. What cannot be had here ends the program, as above.
 */
void crypto_settle(void);

#endif
