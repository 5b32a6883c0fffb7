/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by libcrypto. */
#include "runbook/digest.h"

#include <errno.h>
#include <openssl/evp.h>

static bool begin(struct digest *digest)
{
        digest->context = EVP_MD_CTX_new();
        return digest->context && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1;
}

void digest_add(struct digest *digest, const void *data, size_t length)
{
        if (!digest->context)
                digest->failed = digest->failed || !begin(digest);
        if (!digest->failed)
                digest->failed = EVP_DigestUpdate(digest->context, data, length) != 1;
}

int digest_end(struct digest *digest, unsigned char ret_sum[static DIGEST_SIZE])
{
        digest_add(digest, NULL, 0);
        bool fine = !digest->failed && EVP_DigestFinal_ex(digest->context, ret_sum, NULL) == 1;
        digest_release(digest);
        return fine ? 0 : -EIO;
}

void digest_release(struct digest *digest)
{
        EVP_MD_CTX_free(digest->context);
        *digest = (struct digest){0};
}

int digest_of(const void *data, size_t length, unsigned char ret_sum[static DIGEST_SIZE])
{
        return EVP_Digest(data, length, ret_sum, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

const char *digest_text(const unsigned char sum[static DIGEST_SIZE], char buffer[static DIGEST_TEXT_MAX])
{
        static const char digits[] = "0123456789abcdef";
        for (size_t i = 0; i < DIGEST_SIZE; i++) {
                buffer[2 * i] = digits[sum[i] >> 4];
                buffer[2 * i + 1] = digits[sum[i] & 15];
        }
        buffer[2 * (size_t)DIGEST_SIZE] = '\0';
        return buffer;
}
