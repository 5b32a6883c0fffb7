/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256, of bytes that are there or of those that come by piece by piece, and the 64 hexadecimal digits
 * that sha256sum(1) prints for it.
 *
 *     _cleanup_digest_ struct digest digest = {0};
 *
 *     while (…)
 *             digest_add(&digest, piece, length);
 *     if (digest_end(&digest, sum) < 0)
 *             …
 *     printf("%s\n", digest_text(sum, buffer));
 *
 * What fails on the way is told at the end: -EIO, for want of memory or of the algorithm in libcrypto. A
 * digest is for one thread at a time; threads that end may call OPENSSL_thread_stop() for what libcrypto
 * keeps for them.
 */
#ifndef RUNBOOK_DIGEST_H
#define RUNBOOK_DIGEST_H

#include "runbook/common.h"

enum { DIGEST_SIZE = 32, DIGEST_TEXT_MAX = 2 * DIGEST_SIZE + 1 };

struct digest {
        struct evp_md_ctx_st *context; /* NULL before the first piece */
        bool failed;
};

#define _cleanup_digest_ _cleanup_(digest_release)

void digest_add(struct digest *digest, const void *data, size_t length);

/* The sum of all that was added, be it nothing; the digest begins anew. */
int digest_end(struct digest *digest, unsigned char ret_sum[static DIGEST_SIZE]);

void digest_release(struct digest *digest);

/* In one go. */
int digest_of(const void *data, size_t length, unsigned char ret_sum[static DIGEST_SIZE]);

/* In lower case; `buffer` is filled and returned. */
const char *digest_text(const unsigned char sum[static DIGEST_SIZE], char buffer[static DIGEST_TEXT_MAX]);

#endif
