/* SPDX-License-Identifier: Apache-2.0 */
/* libcrypto and libssl, set up where there is memory for it, or not at all. */
#include "runbook/crypto.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runbook/digest.h"
#include "runbook/mac.h"

static const char *name;
static atomic_bool begins;

/* Allocates nothing. */
static _Noreturn void give_up(const char *why)
{
        const char *const parts[] = {name, ": ", why, "\n"};
        for (size_t i = 0; i < N_ELEMENTS(parts); i++)
                (void)!write(STDERR_FILENO, parts[i], strlen(parts[i]));
        _exit(EXIT_FAILURE);
}

/* Of nothing OpenSSL wants nothing. */
static void *take(size_t size, const char *file _unused_, int line _unused_)
{
        void *taken = size > 0 ? malloc(size) : NULL;
        if (!taken && size > 0 && begins)
                give_up("out of memory");
        return taken;
}

static void *take_again(void *old, size_t size, const char *file _unused_, int line _unused_)
{
        if (size == 0) {
                free(old);
                return NULL;
        }
        void *taken = realloc(old, size);
        if (!taken && begins)
                give_up("out of memory");
        return taken;
}

static void give_back(void *taken, const char *file _unused_, int line _unused_)
{
        free(taken);
}

void crypto_begin(const char *program)
{
        name = program;
        begins = CRYPTO_set_mem_functions(take, take_again, give_back) == 1;
}

/* Each of what is set up on its own. */
static bool use_all(void)
{
        static const unsigned char key[DIGEST_SIZE];
        unsigned char sum[DIGEST_SIZE];
        _cleanup_mac_ struct mac *mac = NULL;
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_free(context);
        return context && RAND_bytes(sum, sizeof(sum)) == 1 && digest_of(key, sizeof(key), sum) >= 0 &&
               mac_new(key, sizeof(key), NULL, &mac) >= 0;
}

void crypto_settle(void)
{
        if (begins && !use_all())
                give_up("libcrypto cannot be set up");
        begins = false;
}
