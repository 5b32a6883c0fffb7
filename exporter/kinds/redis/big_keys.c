/* SPDX-License-Identifier: Apache-2.0 */
/* The biggest keys of a Redis, found bit by bit. */
#include "exporter/kinds/redis/big_keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SAMPLE_MAX 100000
#define TOP_MAX 100
/* How many keys are asked for at a time: 0.2 ms for which the server's one thread serves nobody else. */
#define BATCH 100
/* How many elements of each key MEMORY USAGE looks at: Redis' own default; 0 would be all of them. */
#define ELEMENTS "5"
/* How many bytes of a key's name its label shows. */
#define NAME_SHOWN 128

const struct config_field redis_big_keys_fields[] = {
        {"sample", CONFIG_INT, offsetof(struct redis_big_keys_options, sample), .flags = CONFIG_POSITIVE,
         .fallback = "1000",
         .help = "How many keys one run looks at, at most; the next one goes on from there"},
        {"top", CONFIG_INT, offsetof(struct redis_big_keys_options, top), .flags = CONFIG_POSITIVE,
         .fallback = "10", .help = "How many of the biggest are told"},
        {0},
};

/* Its name may hold any byte. */
struct big_key {
        int64_t database;
        char *name;
        size_t length;
        int64_t bytes; /* -1: it has gone */
};

struct redis_big_keys {
        size_t sample, top;
        struct big_key *kept; /* the biggest ones, `top` at most, in no order */
        size_t kept_count;
        int64_t database; /* where the walk is; -1: at the beginning of a round */
        char cursor[24];
        uint64_t scanned, rounds;
};

struct redis_big_keys *redis_big_keys_free(struct redis_big_keys *big)
{
        if (!big)
                return NULL;
        for (size_t i = 0; i < big->kept_count; i++)
                free(big->kept[i].name);
        free(big->kept);
        free(big);
        return NULL;
}
DEFINE_CLEANUP(struct redis_big_keys *, redis_big_keys_free);

static bool check_limit(int64_t value, int64_t most, const char *name, struct config_node *node)
{
        if (value <= most)
                return true;
        config_complain(node, name, "'%s' must be %lld at most", name, (long long)most);
        return false;
}

int redis_big_keys_new(const struct redis_big_keys_options *options, struct config_node *node,
                       struct redis_big_keys **ret, struct error *error)
{
        _cleanup_(redis_big_keys_free_p) struct redis_big_keys *big = calloc(1, sizeof(*big));
        bool fine = check_limit(options->sample, SAMPLE_MAX, "sample", node);
        fine &= check_limit(options->top, TOP_MAX, "top", node);
        if (!fine)
                return -EINVAL;
        if (!big)
                return error_oom(error);
        big->sample = (size_t)options->sample;
        big->top = (size_t)options->top;
        big->database = -1;
        big->kept = calloc(big->top, sizeof(*big->kept));
        if (!big->kept)
                return error_oom(error);
        *ret = TAKE_PTR(big);
        return 0;
}

static int ask_usage(struct redis_session *session, const char *name, size_t length, struct error *error)
{
        const char *const words[] = {"MEMORY", "USAGE", name, "SAMPLES", ELEMENTS};
        const size_t word_lengths[] = {6, 5, length, 7, strlen(ELEMENTS)};
        tables_agree(word_lengths, N_ELEMENTS(words));

        return redis_queue(session->redis, error, N_ELEMENTS(words), words, word_lengths);
}

/* -1 for a key that has gone meanwhile, or is not told. Its name is a secret, perhaps. */
static int take_usage(struct redis_session *session, int64_t database, int64_t *ret, struct error *refused,
                      struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_take(session, &reply, error);
        if (r >= 0)
                redis_skip(session, refused, "a key of database %lld, MEMORY USAGE", (long long)database);
        *ret = r >= 0 && reply && reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
        return r;
}

/* As redis_select(), with a database that is refused skipped and told. */
static int go_to(struct redis_session *session, int64_t database, bool *ret_selected, struct error *refused,
                 struct error *error)
{
        int r = redis_select(session, database, ret_selected, error);
        if (r >= 0 && !*ret_selected)
                redis_skip(session, refused, "database %lld, SELECT", (long long)database);
        return r;
}

static void drop_gone(struct redis_big_keys *big)
{
        size_t left = 0;
        for (size_t i = 0; i < big->kept_count; i++)
                if (big->kept[i].bytes >= 0)
                        big->kept[left++] = big->kept[i];
                else
                        free(big->kept[i].name);
        big->kept_count = left;
}

/* Measures anew what is kept, by database. */
static int measure_kept(struct redis_big_keys *big, struct redis_session *session, struct error *refused,
                        struct error *error)
{
        int r = 0;
        for (size_t from = 0, to; r >= 0 && from < big->kept_count; from = to) {
                int64_t database = big->kept[from].database;
                bool selected;
                r = go_to(session, database, &selected, refused, error);
                for (to = from; to < big->kept_count && big->kept[to].database == database; to++) {
                        big->kept[to].bytes = -1;
                        if (r >= 0 && selected)
                                r = ask_usage(session, big->kept[to].name, big->kept[to].length, error);
                }
                for (size_t i = from; r >= 0 && selected && i < to; i++)
                        r = take_usage(session, database, &big->kept[i].bytes, refused, error);
        }
        if (r >= 0)
                drop_gone(big);
        return r;
}

static bool is_kept(const struct redis_big_keys *big, int64_t database, const redisReply *name)
{
        for (size_t i = 0; i < big->kept_count; i++)
                if (big->kept[i].database == database && big->kept[i].length == name->len &&
                    memcmp(big->kept[i].name, name->str, name->len) == 0)
                        return true;
        return false;
}

/* Keeps the key, in place of the smallest one, when it is big enough. */
static int consider_key(struct redis_big_keys *big, int64_t database, const redisReply *name, int64_t bytes,
                        struct error *error)
{
        struct big_key *place = &big->kept[0];
        for (size_t i = 1; i < big->kept_count; i++)
                if (big->kept[i].bytes < place->bytes)
                        place = &big->kept[i];
        if (bytes < 0 || (big->kept_count == big->top && bytes <= place->bytes) ||
            is_kept(big, database, name))
                return 0;

        char *copy = malloc(name->len + 1);
        if (!copy)
                return error_oom(error);
        memcpy(copy, name->str, name->len + 1);
        if (big->kept_count < big->top)
                place = &big->kept[big->kept_count++];
        else
                free(place->name);
        *place = (struct big_key){database, copy, name->len, bytes};
        return 0;
}

/* [cursor, [name, …]], and a cursor is a number. */
static bool is_scan_reply(const redisReply *reply)
{
        const redisReply *cursor, *names;
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
                return false;
        cursor = reply->element[0];
        names = reply->element[1];
        if (cursor->type != REDIS_REPLY_STRING || names->type != REDIS_REPLY_ARRAY || cursor->len == 0 ||
            cursor->len >= sizeof(((struct redis_big_keys *)NULL)->cursor) ||
            strspn(cursor->str, "0123456789") != cursor->len)
                return false;
        for (size_t i = 0; i < names->elements; i++)
                if (names->element[i]->type != REDIS_REPLY_STRING)
                        return false;
        return true;
}

/* One SCAN and what it found; `ret_looked` counts also the places of the table that were empty. */
static int scan_batch(struct redis_big_keys *big, size_t most, size_t *ret_looked,
                      struct redis_session *session, struct error *refused, struct error *error)
{
        _cleanup_free_ char *count = text_format("%zu", most);
        _cleanup_reply_ redisReply *reply = NULL;
        const redisReply *names;
        int r;
        if (!count)
                return error_oom(error);
        r = redis_ask(session, error, "SCAN", big->cursor, "COUNT", count, NULL);
        if (r >= 0)
                r = redis_take(session, &reply, error);
        if (r >= 0)
                redis_skip(session, refused, "SCAN");
        if (r < 0 || !reply)
                return r;
        if (!is_scan_reply(reply))
                return error_set(error, EBADMSG, "SCAN was answered with something else");

        names = reply->element[1];
        for (size_t i = 0; r >= 0 && i < names->elements; i++)
                r = ask_usage(session, names->element[i]->str, names->element[i]->len, error);
        for (size_t i = 0; r >= 0 && i < names->elements; i++) {
                int64_t bytes;
                r = take_usage(session, big->database, &bytes, refused, error);
                if (r >= 0)
                        r = consider_key(big, big->database, names->element[i], bytes, error);
        }
        if (r < 0)
                return r;
        big->scanned += names->elements;
        memcpy(big->cursor, reply->element[0]->str, reply->element[0]->len + 1);
        *ret_looked = names->elements > most ? names->elements : most;
        return 0;
}

/* On to the next database after one has been gone through; false at the end of the round. */
static bool next_database(struct redis_big_keys *big, const char *info)
{
        int64_t next = info ? redis_info_next_database(info, big->database) : big->database < 0 ? 0 : -1;
        (void)snprintf(big->cursor, sizeof(big->cursor), "0");
        big->database = next;
        return next >= 0;
}

/* Goes on with the walk. A run ends with the round at the latest. */
static int walk_keys(struct redis_big_keys *big, const char *info, struct redis_session *session,
                     struct error *refused, struct error *error)
{
        struct deadline enough = deadline_in(deadline_left(session->deadline) / 2);
        size_t looked, left = big->sample;
        if (big->database < 0 && !next_database(big, info)) {
                big->rounds++; /* there is no key at all */
                return 0;
        }
        for (; left > 0 && !deadline_passed(enough); left -= looked < left ? looked : left) {
                bool selected;
                int r = go_to(session, big->database, &selected, refused, error);
                looked = 0;
                if (r >= 0 && selected)
                        r = scan_batch(big, left < BATCH ? left : BATCH, &looked, session, refused, error);
                if (r < 0 || (selected && looked == 0))
                        return r;
                if ((!selected || strcmp(big->cursor, "0") == 0) && !next_database(big, info)) {
                        big->rounds++;
                        return 0;
                }
        }
        return 0;
}

static int by_database(const void *a, const void *b)
{
        const struct big_key *left = a, *right = b;
        if (left->database != right->database)
                return left->database < right->database ? -1 : 1;
        return 0;
}

/* The biggest first; the rest is for a page that stays the same. */
static int by_bytes(const void *a, const void *b)
{
        const struct big_key *left = a, *right = b;
        if (left->bytes != right->bytes)
                return left->bytes < right->bytes ? 1 : -1;
        return by_database(a, b) ? by_database(a, b) : strcmp(left->name, right->name);
}

static void add_samples(struct redis_big_keys *big, struct sample_sink *sink)
{
        qsort(big->kept, big->kept_count, sizeof(*big->kept), by_bytes);
        for (size_t i = 0; i < big->kept_count; i++) {
                const struct big_key *key = &big->kept[i];
                _cleanup_text_ struct text name = {0};
                char database[24];
                /* A label holds no NUL; sample_add() sees to what is no UTF-8, also where the name is cut. */
                for (size_t k = 0; k < key->length && k < NAME_SHOWN; k++)
                        if (key->name[k])
                                text_putc(&name, key->name[k]);
                        else
                                text_puts(&name, "\xEF\xBF\xBD");
                if (key->length > NAME_SHOWN)
                        text_puts(&name, "…");
                (void)snprintf(database, sizeof(database), "%lld", (long long)key->database);
                SAMPLE(sink, &redis_family_big_key, (double)key->bytes, {"db", database},
                       {"key", text_string(&name)});
        }
        SAMPLE_BARE(sink, &redis_family_big_scanned, (double)big->scanned);
        SAMPLE_BARE(sink, &redis_family_big_rounds, (double)big->rounds);
}

int redis_big_keys_run(struct redis_big_keys *big, const char *info, struct redis_session *session,
                       struct error *error)
{
        _cleanup_error_ struct error refused = {0};
        int r;
        qsort(big->kept, big->kept_count, sizeof(*big->kept), by_database);
        r = measure_kept(big, session, &refused, error);
        if (r >= 0)
                r = walk_keys(big, info, session, &refused, error);
        if (r >= 0)
                add_samples(big, session->sink);
        return r >= 0 ? redis_group_result(&refused, error) : r;
}
