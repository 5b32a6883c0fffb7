/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the seal of a row costs, against the SHA-256 of its bytes; JSON on stdout.
 *
 * A row is as large as that of an incident, and given value by value, as the journal does. The figures are
 * nanoseconds of CPU time a row, the least of the rounds: `seal` of one that was not sealed lately, `again`
 * of one that was, `hash` the digest alone.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <time.h>

#include "runbook/mac.h"

enum { VALUES = 28, VALUE = 50, ROUNDS = 15, ROWS = 1500 };

struct bench {
        struct mac *mac;
        unsigned char row[VALUES * VALUE];
};

static double cpu_nanoseconds(void)
{
        struct timespec time;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static bool seal(struct bench *bench)
{
        unsigned char sum[DIGEST_SIZE];
        for (size_t i = 0; i < sizeof(bench->row); i += VALUE)
                mac_add(bench->mac, bench->row + i, VALUE);
        return mac_end(bench->mac, sum) >= 0;
}

static bool hash(struct bench *bench)
{
        unsigned char sum[DIGEST_SIZE];
        return EVP_Digest(bench->row, sizeof(bench->row), sum, NULL, EVP_sha256(), NULL) == 1;
}

/* The least of the rounds, in nanoseconds a row; 0: it cannot be done. */
static double measure(struct bench *bench, bool (*one)(struct bench *bench))
{
        double least = 0;
        for (int round = 0; round < ROUNDS; round++) {
                const double began = cpu_nanoseconds();
                for (int i = 0; i < ROWS; i++)
                        if (!one(bench))
                                return 0;
                const double took = (cpu_nanoseconds() - began) / ROWS;
                least = round == 0 || took < least ? took : least;
        }
        return least;
}

int main(void)
{
        static const unsigned char key[DIGEST_SIZE] = "the key of the bench";
        struct bench bench = {0};
        struct mac *plain = NULL, *remembers = NULL;
        struct mac_memory *memory = mac_memory_new();
        int r = -1;
        if (memory && mac_new(key, sizeof(key), NULL, &plain) >= 0 &&
            mac_new(key, sizeof(key), memory, &remembers) >= 0) {
                bench.mac = plain;
                const double sealed = measure(&bench, seal), hashed = measure(&bench, hash);
                bench.mac = remembers;
                r = printf("{\"bytes\": %zu, \"seal_ns\": %.0f, \"again_ns\": %.0f, \"hash_ns\": %.0f}\n",
                           sizeof(bench.row), sealed, measure(&bench, seal), hashed);
        }
        mac_free(plain);
        mac_free(remembers);
        mac_memory_free(memory);
        return r > 0 ? 0 : 1;
}
