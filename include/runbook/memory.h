/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping a daemon small: how malloc() behaves, and what is given back once it has started.
 */
#ifndef RUNBOOK_MEMORY_H
#define RUNBOOK_MEMORY_H

/*
 * First thing in main, before there is a second thread: one arena for all threads (each of its own would hold
 * on to what a short-lived thread freed), and free memory beyond 64 KiB goes back to the kernel.
 */
void memory_prepare(void);

/*
 * Once everything has started: returns free heap, and lets go of the program text and constants that only
 * starting needed. Most of a small daemon's resident memory is code of its libraries that ran once (readers
 * of configuration, tables of ciphers). What is needed again comes back from the page cache, without a disk.
 * Thread-safe.
 */
void memory_settle(void);

#endif
