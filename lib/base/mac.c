/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA-256 by libcrypto. What comes in small pieces is gathered: a call for each costs more than they do.
 */
#include "runbook/mac.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

enum { GATHERED = 1024 };

struct mac {
        EVP_MAC_CTX *context;
        size_t waiting;
        bool failed;
        unsigned char pieces[GATHERED];
};

int mac_new(const unsigned char *key, size_t length, struct mac **ret)
{
        _cleanup_mac_ struct mac *mac = calloc(1, sizeof(*mac));
        if (!mac)
                return -ENOMEM;
        EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
        mac->context = algorithm ? EVP_MAC_CTX_new(algorithm) : NULL;
        EVP_MAC_free(algorithm);
        const OSSL_PARAM parameters[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
                OSSL_PARAM_construct_end(),
        };
        if (!mac->context || EVP_MAC_init(mac->context, key, length, parameters) != 1)
                return -EIO;
        *ret = TAKE_PTR(mac);
        return 0;
}

struct mac *mac_free(struct mac *mac)
{
        if (!mac)
                return NULL;
        EVP_MAC_CTX_free(mac->context);
        free(mac);
        return NULL;
}

static void put(struct mac *mac, const void *data, size_t length)
{
        if (length > 0 && !mac->failed)
                mac->failed = EVP_MAC_update(mac->context, data, length) != 1;
}

static void flush(struct mac *mac)
{
        put(mac, mac->pieces, mac->waiting);
        mac->waiting = 0;
}

void mac_add(struct mac *mac, const void *data, size_t length)
{
        if (length > sizeof(mac->pieces) - mac->waiting)
                flush(mac);
        if (length > sizeof(mac->pieces)) {
                put(mac, data, length);
        } else if (length > 0) {
                memcpy(mac->pieces + mac->waiting, data, length);
                mac->waiting += length;
        }
}

int mac_end(struct mac *mac, unsigned char ret_sum[static DIGEST_SIZE])
{
        unsigned char sum[DIGEST_SIZE];
        size_t length = 0;
        flush(mac);
        bool fine = !mac->failed && EVP_MAC_final(mac->context, sum, &length, sizeof(sum)) == 1 &&
                    length == sizeof(sum);
        /* Without a key it begins anew with the one it has. */
        mac->failed = EVP_MAC_init(mac->context, NULL, 0, NULL) != 1;
        if (!fine)
                return -EIO;
        memcpy(ret_sum, sum, sizeof(sum));
        return 0;
}
