/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known secrets, in the forms in which they come back, found by a rolling hash and confirmed by a salted
 * digest.
 *
 * The second exception to "no state outside main" beside the log's level: whoever makes a sentence does not
 * know which secrets there are.
 */
#include "runbook/mask.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "runbook/digest.h"
#include "runbook/text.h"

enum {
        MOST = 64,  /* secrets, */
        FORMS = 12, /* in so many forms each */
        SALT = 32,
        DOTS = 3,
        WINDOW = MASK_SENTENCE,           /* bytes of a form, by which most texts are let pass */
        STRIDE = MASK_LABEL - WINDOW + 1, /* of so many windows in a row a label's form has one */
        PLACE_BITS = 18,
        WORD = 64, /* bits */
        BUCKETS = 1024,
        BASE64_BITS = 6,  /* of a letter */
        BASE64_BYTES = 3, /* that have letters of their own */
        ESCAPED_MOST = 6, /* of one byte */
};

/* One form of a secret. */
struct known {
        size_t length;
        uint64_t hash, number; /* that of its secret: the larger, the later it was learnt */
        unsigned char sum[DIGEST_SIZE];
        bool is_raw;           /* as it was read */
        uint16_t bucket, next; /* by how it begins; the one that begins alike, perhaps, and is no longer: its
                                  number from 1; 0: none */
};

static struct {
        pthread_mutex_t lock;
        atomic_size_t count;
        uint64_t base, learnt;
        unsigned char salt[SALT];
        struct known known[MOST * FORMS]; /* the longest first, as one may begin with another */
        uint16_t buckets[BUCKETS];        /* by how they begin: the first of them, likewise */
} list = {.lock = PTHREAD_MUTEX_INITIALIZER};

/*
 * A bit for each hash of a window of a form, also of one that was forgotten: of the first one, where a text
 * may hold what is as short as that; of the first STRIDE ones, where a label may. By two hashes each, so that
 * few have both.
 */
enum { OF_BEGINNINGS, OF_LABELS, FILTERS };
static _Atomic uint64_t filters[FILTERS][(1 << PLACE_BITS) / WORD];

static uint32_t window_at(const char *text)
{
        uint32_t window;
        memcpy(&window, text, sizeof(window));
        _Static_assert(WINDOW == sizeof(window), "the window is of a secret's least length");
        return window;
}

static size_t place_of(uint32_t window)
{
        return window * UINT32_C(0x9e3779b1) >> (32 - PLACE_BITS); /* Knuth's golden ratio */
}

static size_t other_place_of(uint32_t window)
{
        return window * UINT32_C(0x85ebca6b) >> (32 - PLACE_BITS); /* Appleby's MurmurHash3 */
}

static bool has_bit(int filter, size_t place)
{
        return (atomic_load_explicit(&filters[filter][place / WORD], memory_order_relaxed) >> (place % WORD) &
                1) != 0;
}

static void set_bits(int filter, uint32_t window)
{
        const size_t places[] = {place_of(window), other_place_of(window)};
        for (size_t i = 0; i < N_ELEMENTS(places); i++)
                atomic_fetch_or(&filters[filter][places[i] / WORD], UINT64_C(1) << (places[i] % WORD));
}

/* Whether a secret may be in it: all that most texts cost, however many secrets there are. */
static bool may_hold(const char *text, size_t length, size_t least)
{
        const int filter = least >= MASK_LABEL ? OF_LABELS : OF_BEGINNINGS;
        const size_t step = least >= MASK_LABEL ? STRIDE : 1;
        for (size_t at = step - 1; at + WINDOW <= length; at += step) {
                const uint32_t window = window_at(text + at);
                if (has_bit(filter, place_of(window)) && has_bit(filter, other_place_of(window)))
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

static size_t bucket_of(uint32_t window)
{
        return place_of(window) % BUCKETS;
}

/* By the lock. Each bucket has the longest first, as the list does. */
static void sort_by_beginning(void)
{
        memset(list.buckets, 0, sizeof(list.buckets));
        for (size_t i = atomic_load(&list.count); i-- > 0;) {
                uint16_t *bucket = &list.buckets[list.known[i].bucket];
                list.known[i].next = *bucket;
                *bucket = (uint16_t)(i + 1);
        }
}

/* By the lock. Of whom there are no more than MOST. */
static void forget_oldest(void)
{
        size_t count = atomic_load(&list.count), kept = 0, secrets = 0;
        uint64_t oldest = UINT64_MAX;
        for (size_t i = 0; i < count; i++) {
                secrets += list.known[i].is_raw;
                oldest = list.known[i].number < oldest ? list.known[i].number : oldest;
        }
        if (secrets < MOST)
                return;
        for (size_t i = 0; i < count; i++)
                if (list.known[i].number != oldest)
                        list.known[kept++] = list.known[i];
        atomic_store(&list.count, kept);
        sort_by_beginning();
}

/* By the lock: what was learnt before is the latest again. */
static bool learn_again(const char *value, size_t length)
{
        const uint64_t hash = hash_of(value, length);
        const size_t count = atomic_load(&list.count);
        for (size_t i = 0; i < count; i++) {
                const struct known *known = &list.known[i];
                if (!known->is_raw || known->length != length || known->hash != hash)
                        continue;
                const uint64_t number = known->number;
                for (size_t k = 0; k < count; k++)
                        if (list.known[k].number == number)
                                list.known[k].number = list.learnt;
                return true;
        }
        return false;
}

/* By the lock. `left`: how many forms more there may be of the secret that is learnt. */
static void learn_form(const char *form, size_t length, size_t *left)
{
        struct known new = {.length = length, .number = list.learnt, .is_raw = *left == FORMS};
        size_t count = atomic_load(&list.count), at = 0;
        if (length < MASK_SENTENCE || *left == 0 || !sum_of(form, length, new.sum))
                return;
        new.hash = hash_of(form, length);
        while (at < count && list.known[at].length > length)
                at++;
        memmove(&list.known[at + 1], &list.known[at], (count - at) * sizeof(*list.known));
        new.bucket = (uint16_t)bucket_of(window_at(form));
        list.known[at] = new;
        set_bits(OF_BEGINNINGS, window_at(form));
        for (size_t i = 0; length >= MASK_LABEL && i < STRIDE; i++)
                set_bits(OF_LABELS, window_at(form + i));
        atomic_store(&list.count, count + 1);
        sort_by_beginning();
        (*left)--;
}

/* In quotes, of JSON, the log or a label, and in a URL. */
static void learn_escaped(const char *value, size_t length, struct text *form, size_t *left)
{
        text_put_json(form, value);
        if (text_error(form) == 0 && form->length != length + 2)
                learn_form(form->data + 1, form->length - 2, left);
        text_clear(form);
        text_put_escaped(form, value);
        if (text_error(form) == 0 && form->length != length)
                learn_form(form->data, form->length, left);
        text_clear(form);
}

/* Behind a user and a colon, say: only the letters of which no neighbour has a part. */
static void learn_base64(const char *value, size_t length, struct text *form, size_t *left)
{
        for (size_t before = 0; before < BASE64_BYTES; before++) {
                _cleanup_secret_ struct text raw = {0};
                if (!text_reserve(&raw, before + length + 1))
                        return;
                text_append(&raw, "\0\0", before);
                text_append(&raw, value, length);
                (void)EVP_EncodeBlock((unsigned char *)form->data, (const unsigned char *)raw.data,
                                      (int)raw.length);
                const size_t from = (before * 8 + BASE64_BITS - 1) / BASE64_BITS,
                             to = raw.length * 8 / BASE64_BITS;
                learn_form(form->data + from, to - from, left);
        }
}

static void learn_lines(const char *value, size_t length, size_t *left)
{
        const char *end = value + length;
        for (const char *at = value; at < end;) {
                const char *next = memchr(at, '\n', (size_t)(end - at));
                const char *last = next ? next : end;
                size_t line = (size_t)(last - at) - (last > at && last[-1] == '\r');
                if (line < length)
                        learn_form(at, line, left);
                at = last + 1;
        }
}

/* By the lock. */
static void learn(const char *value, size_t length)
{
        size_t left = FORMS;
        _cleanup_secret_ struct text form = {0}, string = {0};
        prepare();
        list.learnt++;
        if (learn_again(value, length))
                return;
        forget_oldest();
        learn_form(value, length, &left);
        /* Growing later would leave copies behind. */
        if (left == FORMS || !text_reserve(&form, ESCAPED_MOST * (length + 1)) ||
            !text_reserve(&string, length + 1))
                return;
        text_append(&string, value, length);
        learn_escaped(text_string(&string), length, &form, &left);
        learn_base64(value, length, &form, &left);
        learn_lines(value, length, &left);
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
        return hash_of(text, known->length) == known->hash && sum_of(text, known->length, sum) &&
               memcmp(sum, known->sum, sizeof(sum)) == 0;
}

/* By the lock. How long the longest secret is that begins here; 0: none does. */
static size_t begins_here(const char *text, size_t length, size_t least)
{
        if (length < WINDOW)
                return 0;
        for (size_t i = list.buckets[bucket_of(window_at(text))]; i > 0; i = list.known[i - 1].next) {
                const struct known *known = &list.known[i - 1];
                if (known->length < least)
                        return 0;
                if (known->length <= length && is_it(known, text))
                        return known->length;
        }
        return 0;
}

/* By the lock. What begins within a secret belongs to it; no secret is shorter than the dots for it. */
static void put_dots(char *string, size_t length, size_t least)
{
        size_t to = 0;
        for (size_t at = 0; at < length;) {
                size_t end = at + begins_here(string + at, length - at, least);
                if (end == at) {
                        string[to++] = string[at++];
                        continue;
                }
                for (size_t in = at + 1; in < end; in++) {
                        const size_t found = begins_here(string + in, length - in, least);
                        end = in + found > end ? in + found : end;
                }
                memset(string + to, '.', DOTS);
                to += DOTS;
                at = end;
        }
        string[to] = '\0';
}

void mask_string(char *string, size_t least)
{
        if (!string || atomic_load(&list.count) == 0)
                return;
        const size_t length = strlen(string);
        if (!may_hold(string, length, least))
                return;
        pthread_mutex_lock(&list.lock);
        put_dots(string, length, least);
        pthread_mutex_unlock(&list.lock);
}
