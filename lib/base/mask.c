/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known secrets found by a rolling hash, and confirmed by a salted digest.
 *
 * The second exception to "no state outside main" beside the log's level: whoever makes a sentence does not
 * know which secrets there are.
 */
#include "runbook/mask.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "runbook/digest.h"

enum {
        MOST = 64,
        SALT = 32,
        DOTS = 3,
        BEGIN = MASK_SENTENCE, /* bytes of a secret's beginning, by which most texts are let pass */
        BEGINNINGS = 1 << 14,
        WORD = 64, /* bits */
};

struct known {
        size_t length;
        uint64_t hash, number; /* the larger the number, the later it was learnt */
        unsigned char sum[DIGEST_SIZE];
};

static struct {
        pthread_mutex_t lock;
        atomic_size_t count;
        uint64_t base, learnt;
        unsigned char salt[SALT];
        struct known known[MOST]; /* the longest first, as one may begin with another */
} list = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A bit for each hash of a secret's beginning, also of one that was forgotten. */
static _Atomic uint64_t beginnings[BEGINNINGS / WORD];

static uint32_t next_beginning(uint32_t window, char c)
{
        _Static_assert(BEGIN == sizeof(window), "the window is the beginning");
        return window << 8 | (unsigned char)c;
}

static size_t place_of(uint32_t window)
{
        return window * UINT32_C(0x9e3779b1) >> 18; /* Knuth's golden ratio; 14 bits are left */
}

/* Whether a secret may begin in it: all that most texts cost, however many secrets there are. */
static bool may_hold(const char *text)
{
        uint32_t window = 0;
        for (size_t at = 0; text[at]; at++) {
                window = next_beginning(window, text[at]);
                const size_t place = place_of(window);
                if (at + 1 >= BEGIN &&
                    (atomic_load_explicit(&beginnings[place / WORD], memory_order_relaxed) >> (place % WORD) &
                     1) != 0)
                        return true;
        }
        return false;
}

/* By the lock. Without randomness the digest has no salt, and masks as well. */
static void prepare(void)
{
        if (list.base != 0)
                return;
        if (getrandom(list.salt, sizeof(list.salt), 0) != (ssize_t)sizeof(list.salt) ||
            getrandom(&list.base, sizeof(list.base), 0) != (ssize_t)sizeof(list.base))
                list.base = UINT64_C(0x9e3779b97f4a7c15);
        list.base |= 1;
}

static uint64_t hash_of(const char *text, size_t length)
{
        uint64_t hash = 0;
        for (size_t i = 0; i < length; i++)
                hash = hash * list.base + (unsigned char)text[i];
        return hash;
}

static bool sum_of(const char *text, size_t length, unsigned char ret[static DIGEST_SIZE])
{
        struct digest digest = {0};
        digest_add(&digest, list.salt, sizeof(list.salt));
        digest_add(&digest, text, length);
        return digest_end(&digest, ret) >= 0;
}

static void forget_oldest(size_t count)
{
        size_t oldest = 0;
        for (size_t i = 1; i < count; i++)
                if (list.known[i].number < list.known[oldest].number)
                        oldest = i;
        memmove(&list.known[oldest], &list.known[oldest + 1], (count - oldest - 1) * sizeof(*list.known));
}

/* By the lock. */
static void learn(const char *value, size_t length)
{
        struct known new = {.length = length, .number = ++list.learnt};
        size_t count = atomic_load(&list.count), at = 0;
        prepare();
        new.hash = hash_of(value, length);
        for (size_t i = 0; i < count; i++)
                if (list.known[i].length == length && list.known[i].hash == new.hash) {
                        list.known[i].number = new.number;
                        return;
                }
        if (!sum_of(value, length, new.sum))
                return;
        if (count == MOST)
                forget_oldest(count--);
        while (at < count && list.known[at].length > length)
                at++;
        memmove(&list.known[at + 1], &list.known[at], (count - at) * sizeof(*list.known));
        list.known[at] = new;
        uint32_t window = 0;
        for (size_t i = 0; i < BEGIN; i++)
                window = next_beginning(window, value[i]);
        atomic_fetch_or(&beginnings[place_of(window) / WORD], UINT64_C(1) << (place_of(window) % WORD));
        atomic_store(&list.count, count + 1);
}

void mask_learn(const char *value, size_t length)
{
        if (length < MASK_SENTENCE)
                return;
        pthread_mutex_lock(&list.lock);
        learn(value, length);
        pthread_mutex_unlock(&list.lock);
}

static bool is_it(const struct known *known, const char *text)
{
        unsigned char sum[DIGEST_SIZE];
        return sum_of(text, known->length, sum) && memcmp(sum, known->sum, sizeof(sum)) == 0;
}

/* By the lock. Where `known` is in the text; NULL: nowhere. */
static char *find(const struct known *known, char *text, size_t length)
{
        uint64_t hash, top = 1; /* the factor of the byte that is left behind */
        if (length < known->length)
                return NULL;
        for (size_t i = 1; i < known->length; i++)
                top *= list.base;
        hash = hash_of(text, known->length);
        for (size_t at = 0;; at++) {
                if (hash == known->hash && is_it(known, text + at))
                        return text + at;
                if (at + known->length == length)
                        return NULL;
                hash -= top * (unsigned char)text[at];
                hash = hash * list.base + (unsigned char)text[at + known->length];
        }
}

void mask_string(char *string, size_t least)
{
        if (!string || atomic_load(&list.count) == 0 || !may_hold(string))
                return;
        pthread_mutex_lock(&list.lock);
        size_t count = atomic_load(&list.count);
        for (size_t i = 0; i < count && list.known[i].length >= least; i++) {
                char *at = string;
                while ((at = find(&list.known[i], at, strlen(at)))) {
                        const char *rest = at + list.known[i].length;
                        memset(at, '.', DOTS);
                        at += DOTS;
                        memmove(at, rest, strlen(rest) + 1);
                }
        }
        pthread_mutex_unlock(&list.lock);
}
