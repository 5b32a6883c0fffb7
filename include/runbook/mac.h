/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HMAC-SHA-256 under one key, many times over: the key is prepared once.
 *
 *     _cleanup_mac_ struct mac *mac = NULL;
 *     if (mac_new(key, sizeof(key), NULL, &mac) < 0)
 *             …
 *     mac_add(mac, piece, length);
 *     if (mac_end(mac, sum) < 0)
 *             …
 *
 * What fails on the way is told at the end. For one thread at a time.
 *
 * Who sums the same over and over gives it a memory: what was summed lately is found by its bytes, each of
 * which is compared. So the sum is the one that would be computed, whoever could change what in between.
 */
#ifndef RUNBOOK_MAC_H
#define RUNBOOK_MAC_H

#include "runbook/common.h"
#include "runbook/digest.h"

struct mac;
struct mac_memory;

/* Sums under one key; of at most 512 texts of 4 KiB. For any number of threads; NULL: out of memory. */
struct mac_memory *mac_memory_new(void);
struct mac_memory *mac_memory_free(struct mac_memory *memory); /* wipes them; takes NULL */

/* -ENOMEM, or -EIO for want of the algorithm in libcrypto. The key is copied. `memory` may be NULL; it is
 * borrowed until mac_free(), also by others with the same key, and by no others. */
int mac_new(const unsigned char *key, size_t length, struct mac_memory *memory, struct mac **ret);
struct mac *mac_free(struct mac *mac); /* wipes the key; takes NULL */

void mac_add(struct mac *mac, const void *data, size_t length);

/* Of all that was added since the last end, be it nothing. -EIO */
int mac_end(struct mac *mac, unsigned char ret_sum[static DIGEST_SIZE]);

static inline void mac_free_p(struct mac **mac)
{
        mac_free(*mac);
}
#define _cleanup_mac_ _cleanup_(mac_free_p)

#endif
