/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HMAC-SHA-256 by libcrypto. What comes in small pieces is gathered: a call for each costs more than they do.
 * What was gathered whole may have been summed before.
 */
#include "runbook/mac.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

/* A text is looked for where its begin says, so that it takes the place of what it was before. */
enum { GATHERED = 4096, PLACES = 512, BEGIN = 80 };

struct remembered {
        size_t length, space;
        unsigned char sum[DIGEST_SIZE];
        unsigned char text[];
};

struct mac_memory {
        pthread_mutex_t lock;
        struct remembered *places[PLACES];
};

struct mac {
        EVP_MAC_CTX *context;
        struct mac_memory *memory; /* NULL: none */
        size_t waiting;
        bool failed, flowed; /* some of it is with libcrypto */
        unsigned char pieces[GATHERED];
};

struct mac_memory *mac_memory_new(void)
{
        struct mac_memory *memory = calloc(1, sizeof(*memory));
        if (memory)
                pthread_mutex_init(&memory->lock, NULL);
        return memory;
}

static struct remembered *forget(struct remembered *remembered)
{
        if (remembered)
                explicit_bzero(remembered->sum, sizeof(remembered->sum));
        free(remembered);
        return NULL;
}

struct mac_memory *mac_memory_free(struct mac_memory *memory)
{
        if (!memory)
                return NULL;
        for (size_t i = 0; i < PLACES; i++)
                forget(memory->places[i]);
        pthread_mutex_destroy(&memory->lock);
        free(memory);
        return NULL;
}

static struct remembered **find_place(struct mac_memory *memory, const unsigned char *text, size_t length)
{
        uint64_t place = length < BEGIN ? length : BEGIN, word;
        for (size_t i = 0; i + sizeof(word) <= length && i < BEGIN; i += sizeof(word)) {
                memcpy(&word, text + i, sizeof(word));
                place = (place ^ word) * 0x9e3779b97f4a7c15;
                place ^= place >> 29;
        }
        return &memory->places[place % PLACES];
}

static bool recall(struct mac_memory *memory, const unsigned char *text, size_t length,
                   unsigned char ret_sum[static DIGEST_SIZE])
{
        pthread_mutex_lock(&memory->lock);
        const struct remembered *there = *find_place(memory, text, length);
        bool same = there && there->length == length && memcmp(there->text, text, length) == 0;
        if (same)
                memcpy(ret_sum, there->sum, DIGEST_SIZE);
        pthread_mutex_unlock(&memory->lock);
        return same;
}

static void remember(struct mac_memory *memory, const unsigned char *text, size_t length,
                     const unsigned char sum[static DIGEST_SIZE])
{
        pthread_mutex_lock(&memory->lock);
        struct remembered **place = find_place(memory, text, length), *there = *place;
        if (!there || there->space < length) {
                forget(there);
                *place = there = malloc(sizeof(*there) + length);
                if (there)
                        there->space = length;
        }
        if (there) {
                there->length = length;
                memcpy(there->text, text, length);
                memcpy(there->sum, sum, DIGEST_SIZE);
        }
        pthread_mutex_unlock(&memory->lock);
}

int mac_new(const unsigned char *key, size_t length, struct mac_memory *memory, struct mac **ret)
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
        mac->memory = memory;
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
        mac->flowed = true;
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

static int sum_up(struct mac *mac, unsigned char ret_sum[static DIGEST_SIZE])
{
        unsigned char sum[DIGEST_SIZE];
        size_t length = 0;
        put(mac, mac->pieces, mac->waiting);
        bool fine = !mac->failed && EVP_MAC_final(mac->context, sum, &length, sizeof(sum)) == 1 &&
                    length == sizeof(sum);
        /* Without a key it begins anew with the one it has. */
        mac->failed = EVP_MAC_init(mac->context, NULL, 0, NULL) != 1;
        if (!fine)
                return -EIO;
        memcpy(ret_sum, sum, sizeof(sum));
        return 0;
}

int mac_end(struct mac *mac, unsigned char ret_sum[static DIGEST_SIZE])
{
        bool gathered = mac->memory && !mac->flowed;
        int r = 0;
        if (!gathered || !recall(mac->memory, mac->pieces, mac->waiting, ret_sum)) {
                r = sum_up(mac, ret_sum);
                if (r >= 0 && gathered)
                        remember(mac->memory, mac->pieces, mac->waiting, ret_sum);
        }
        mac->waiting = 0;
        mac->flowed = false;
        return r;
}
