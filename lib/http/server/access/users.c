/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords checked by bcrypt, away from the event thread: one at a time, few waiting and these by turns,
 * verdicts remembered.
 *
 * A verdict is remembered under a keyed hash of user, password and bcrypt hash, with a key that lives as long
 * as the process: no password is kept, and a changed hash asks anew.
 */
#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <strings.h>

#include "lib/http/server/access/internal.h"
#include "runbook/workers.h"

enum {
        REMEMBERED = 64,   /* verdicts of each sort */
        MOST_WAITING = 32, /* checks, which one password each is guessed by at worst */
        DIGEST = 32,
        MOST_PASSWORD = 1024, /* bytes; bcrypt itself looks at 72 */
};

/* What is still hashed when the server stops is left to the end of the process after this. */
static const nsec STOP_PATIENCE = 100 * NSEC_PER_MSEC;

struct check {
        struct check *next;
        const void *peer; /* whose it is; compared alone */
        uint64_t turn;    /* the line is by turns, and a peer has one place in each */
        void (*done)(void *context, enum web_verdict verdict); /* NULL: called already */
        void *context;
        unsigned char digest[DIGEST];
        bool known;
        char *hash;
        struct text password;
};

struct web_checker {
        pthread_mutex_t lock;
        struct workers *workers;
        unsigned char key[DIGEST];

        /* Below: by the lock. */
        struct check *first, *current;
        unsigned waiting;
        uint64_t turn; /* of the one that was begun last */
        bool running, stopping;
        bool abandoned; /* web_checker_free() has gone on without its thread, which frees it then */
        unsigned char remembered[2][REMEMBERED][DIGEST]; /* by verdict: denied, allowed */
        unsigned count[2], next[2];
};

int web_checker_new(struct web_checker **ret, struct error *error)
{
        struct web_checker *checker = calloc(1, sizeof(*checker));
        if (!checker)
                return error_oom(error);
        pthread_mutex_init(&checker->lock, NULL);
        int r = workers_new(1, &checker->workers, error);
        if (r >= 0 && RAND_bytes(checker->key, DIGEST) != 1)
                r = error_set(error, EIO, "there is no randomness for the cache of passwords");
        if (r < 0) {
                web_checker_stop(checker);
                web_checker_free(checker);
                return r;
        }
        *ret = checker;
        return 0;
}

static struct check *check_free(struct check *check)
{
        if (!check)
                return NULL;
        text_wipe(&check->password);
        free(check->hash);
        free(check);
        return NULL;
}

/* By the lock. */
static void answer_check(struct check *check, enum web_verdict verdict)
{
        if (check->done)
                check->done(check->context, verdict);
        check->done = NULL;
}

static const char *hash_of(const struct web_config *config, const char *user, bool *ret_known)
{
        const char *hash = config_map_get(&config->settings.users, user);
        *ret_known = hash != NULL;
        return hash ? hash : config->unknown_hash;
}

static bool digest_of_password(const struct web_checker *checker, const char *user, const char *hash,
                               const struct text *password, unsigned char *ret)
{
        _cleanup_secret_ struct text all = {0};
        unsigned length = 0;
        /* With the closing NUL of each, so that nothing slides from one into the next. */
        text_append(&all, user, strlen(user) + 1);
        text_append(&all, hash, strlen(hash) + 1);
        text_append(&all, text_string(password), password->length);
        return text_error(&all) == 0 && HMAC(EVP_sha256(), checker->key, DIGEST,
                                             (const unsigned char *)all.data, all.length, ret, &length);
}

enum web_verdict web_checker_recall(struct web_checker *checker, const struct web_config *config,
                                    const char *user, const struct text *password)
{
        unsigned char digest[DIGEST];
        enum web_verdict found = WEB_UNKNOWN;
        bool known;
        const char *hash = hash_of(config, user, &known);
        if (!digest_of_password(checker, user, hash, password, digest))
                return WEB_UNKNOWN;
        pthread_mutex_lock(&checker->lock);
        for (int verdict = WEB_DENIED; verdict <= WEB_ALLOWED; verdict++)
                for (unsigned i = 0; i < checker->count[verdict]; i++)
                        if (CRYPTO_memcmp(checker->remembered[verdict][i], digest, DIGEST) == 0)
                                found = (enum web_verdict)verdict;
        pthread_mutex_unlock(&checker->lock);
        return found;
}

/* By the lock. */
static void remember_verdict(struct web_checker *checker, const struct check *check, enum web_verdict verdict)
{
        memcpy(checker->remembered[verdict][checker->next[verdict]], check->digest, DIGEST);
        checker->next[verdict] = (checker->next[verdict] + 1) % REMEMBERED;
        if (checker->count[verdict] < REMEMBERED)
                checker->count[verdict]++;
}

/* Slow on purpose. */
static enum web_verdict hash_password(const struct check *check)
{
        struct crypt_data *data = calloc(1, sizeof(*data));
        bool same = false;
        if (!data)
                return WEB_BUSY;
        /* Not crypt_r: the sanitizers have one of their own, which then finds no library behind it. */
        const char *made = crypt_rn(text_string(&check->password), check->hash, data, (int)sizeof(*data));
        bool no_memory = !made && errno == ENOMEM;
        if (made && strlen(made) == strlen(check->hash))
                same = CRYPTO_memcmp(made, check->hash, strlen(made)) == 0;
        explicit_bzero(data, sizeof(*data));
        free(data);
        /* C's strings end at a NUL, and what is behind it would not be looked at. */
        bool whole = strlen(text_string(&check->password)) == check->password.length;
        if (no_memory)
                return WEB_BUSY;
        return same && whole && check->known ? WEB_ALLOWED : WEB_DENIED;
}

static void checker_destroy(struct web_checker *checker)
{
        OPENSSL_cleanse(checker->key, DIGEST);
        pthread_mutex_destroy(&checker->lock);
        free(checker);
}

/* The thread: until nothing waits. */
static void run_checks(void *context)
{
        struct web_checker *checker = context;
        pthread_mutex_lock(&checker->lock);
        while (checker->first) {
                struct check *check = checker->first;
                checker->first = check->next;
                checker->waiting--;
                checker->current = check;
                checker->turn = check->turn;
                pthread_mutex_unlock(&checker->lock);
                enum web_verdict verdict = hash_password(check);
                pthread_mutex_lock(&checker->lock);
                checker->current = NULL;
                if (verdict != WEB_BUSY)
                        remember_verdict(checker, check, verdict);
                answer_check(check, verdict);
                check_free(check);
        }
        checker->running = false;
        bool last = checker->abandoned;
        pthread_mutex_unlock(&checker->lock);
        if (last)
                checker_destroy(checker);
}

static struct check *check_new(const struct web_checker *checker, const struct web_config *config,
                               const void *peer, const char *user, const struct text *password)
{
        struct check *check = calloc(1, sizeof(*check));
        if (!check)
                return NULL;
        const char *hash = hash_of(config, user, &check->known);
        check->peer = peer;
        check->hash = strdup(hash);
        text_append(&check->password, text_string(password), password->length);
        if (!check->hash || text_error(&check->password) < 0 ||
            !digest_of_password(checker, user, hash, password, check->digest))
                return check_free(check);
        return check;
}

/* By the lock. How many of the peer's wait. */
static unsigned count_of(const struct web_checker *checker, const void *peer)
{
        unsigned count = 0;
        for (const struct check *check = checker->first; check; check = check->next)
                count += check->peer == peer;
        return count;
}

/* By the lock. Nobody keeps others out by asking often: when all places are taken, whoever has the most gives
 * his last one up for a peer that will still have fewer. */
static bool make_place(struct web_checker *checker, const void *peer)
{
        struct check **last = NULL;
        unsigned most = 0;
        if (checker->waiting < MOST_WAITING)
                return true;
        for (struct check **at = &checker->first; *at; at = &(*at)->next) {
                unsigned count = count_of(checker, (*at)->peer);
                if (count >= most) {
                        most = count;
                        last = at;
                }
        }
        if (most <= count_of(checker, peer) + 1)
                return false;
        struct check *gone = *last;
        *last = gone->next;
        checker->waiting--;
        answer_check(gone, WEB_BUSY);
        check_free(gone);
        return true;
}

/* By the lock. In the first turn after the present one that its peer has no place in, behind the others. */
static void put_in_line(struct web_checker *checker, struct check *check)
{
        struct check **at = &checker->first;
        check->turn = checker->turn + 1;
        for (const struct check *other = checker->first; other; other = other->next)
                if (other->peer == check->peer && other->turn >= check->turn)
                        check->turn = other->turn + 1;
        while (*at && (*at)->turn <= check->turn)
                at = &(*at)->next;
        check->next = *at;
        *at = check;
        checker->waiting++;
}

/* Puts it in the line, and sees that there is a thread; by the lock. */
static bool take_check(struct web_checker *checker, struct check *check)
{
        if (checker->stopping)
                return false;
        if (!checker->running && workers_run(checker->workers, run_checks, checker) < 0)
                return false;
        checker->running = true;
        if (!make_place(checker, check->peer))
                return false;
        put_in_line(checker, check);
        return true;
}

void web_checker_check(struct web_checker *checker, const struct web_config *config, const void *peer,
                       const char *user, const struct text *password,
                       void (*done)(void *context, enum web_verdict verdict), void *context)
{
        struct check *check = check_new(checker, config, peer, user, password);
        if (!check) {
                done(context, WEB_BUSY);
                return;
        }
        check->done = done;
        check->context = context;
        pthread_mutex_lock(&checker->lock);
        bool taken = take_check(checker, check);
        if (!taken)
                answer_check(check, WEB_BUSY);
        pthread_mutex_unlock(&checker->lock);
        if (!taken)
                check_free(check);
}

void web_checker_stop(struct web_checker *checker)
{
        pthread_mutex_lock(&checker->lock);
        checker->stopping = true;
        while (checker->first) {
                struct check *check = checker->first;
                checker->first = check->next;
                answer_check(check, WEB_BUSY);
                check_free(check);
        }
        checker->waiting = 0;
        if (checker->current)
                answer_check(checker->current, WEB_BUSY);
        pthread_mutex_unlock(&checker->lock);
}

struct web_checker *web_checker_free(struct web_checker *checker)
{
        if (!checker)
                return NULL;
        if (!checker->workers || workers_stop(checker->workers, deadline_in(STOP_PATIENCE)) == 0) {
                checker_destroy(checker);
                return NULL;
        }
        pthread_mutex_lock(&checker->lock);
        bool running = checker->running; /* a hash is under way, which nothing can end */
        checker->abandoned = running;
        pthread_mutex_unlock(&checker->lock);
        if (!running)
                checker_destroy(checker);
        return NULL;
}

int web_basic_parse(const char *header, char **ret_user, struct text *password)
{
        _cleanup_secret_ struct text plain = {0};
        if (!header || strncasecmp(header, "Basic ", 6) != 0)
                return 0;
        header += 6 + strspn(header + 6, " ");
        size_t length = strlen(header), padding = 0;
        if (length == 0 || length % 4 != 0 || length > (size_t)4 * MOST_PASSWORD)
                return 0;
        if (!text_reserve(&plain, length))
                return -ENOMEM;
        while (padding < 2 && header[length - 1 - padding] == '=')
                padding++;
        int decoded =
                EVP_DecodeBlock((unsigned char *)plain.data, (const unsigned char *)header, (int)length);
        if (decoded < (int)padding)
                return 0;
        plain.length = (size_t)decoded - padding;
        plain.data[plain.length] = '\0';

        char *colon = memchr(plain.data, ':', plain.length);
        if (!colon || memchr(plain.data, '\0', (size_t)(colon - plain.data)))
                return 0;
        size_t rest = plain.length - (size_t)(colon + 1 - plain.data);
        if (rest > MOST_PASSWORD)
                return 0;
        char *user = strndup(plain.data, (size_t)(colon - plain.data));
        text_append(password, colon + 1, rest);
        if (!user || text_error(password) < 0) {
                free(user);
                return -ENOMEM;
        }
        *ret_user = user;
        return 1;
}
