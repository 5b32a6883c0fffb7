/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is, within one look: the urgent first, then the oldest, each remediation for itself. */
#include "responder/engine/internal.h"

/* So many of one remediation are written down as held in one look: each is a commit, and others wait for the
 * look. */
enum { HELD_AT_ONCE = 64 };

/* What is counted of one remediation. */
struct turn {
        char *remediation;
        unsigned runs, held;
};

struct memory {
        char *key; /* NULL: empty */
        struct guard_verdict verdict;
};

struct turns {
        struct turn *items;
        size_t count;
        struct memory *memories; /* by the hash of their keys; `space` is a power of two */
        size_t memory_count, space;
        unsigned char ranks[]; /* of engine->active */
};

static bool waits(const struct incident *incident)
{
        return incident->state >= INCIDENT_RECEIVED && incident->state <= INCIDENT_AWAITING_APPROVAL;
}

/* By Prometheus' custom; what has no such label is between a warning and a note. */
static unsigned urgency(const struct incident *incident)
{
        static const struct {
                const char *severity;
                unsigned rank;
        } known[] = {
                {"critical", 1}, {"page", 1}, {"emergency", 1}, {"error", 2}, {"high", 2},
                {"warning", 2},  {"info", 4}, {"none", 4},      {"low", 4},
        };
        const char *severity = alert_label(&incident->alert, "severity");
        for (size_t i = 0; severity && i < N_ELEMENTS(known); i++)
                if (string_equal(known[i].severity, severity))
                        return known[i].rank;
        return 3;
}

/* Finds or makes it; NULL: out of memory. */
static struct turn *turn_of(struct turns *turns, const char *remediation)
{
        for (size_t i = 0; i < turns->count; i++)
                if (string_equal(turns->items[i].remediation, remediation))
                        return &turns->items[i];
        struct turn *grown = reallocarray(turns->items, turns->count + 1, sizeof(*grown));
        if (!grown)
                return NULL;
        turns->items = grown;
        char *name = strdup(remediation);
        if (!name)
                return NULL;
        grown[turns->count] = (struct turn){.remediation = name};
        return &grown[turns->count++];
}

int turns_take(struct look *look, struct error *error)
{
        const struct incident_list *active = &look->engine->active;
        struct turns *turns = calloc(1, sizeof(*turns) + active->count);
        look->turns = turns;
        if (!turns)
                return error_oom(error);
        for (size_t i = 0; i < active->count; i++) {
                const struct incident *incident = &active->items[i];
                const struct engine_slot *slot = slot_find(look->engine, incident->id);
                turns->ranks[i] = (unsigned char)(waits(incident) ? urgency(incident) : 0);
                if (slot && slot->was_busy && slot->runs)
                        turn_begins(look, incident->remediation);
        }
        return 0;
}

void turns_release(struct look *look)
{
        struct turns *turns = look->turns;
        if (!turns)
                return;
        for (size_t i = 0; i < turns->space; i++)
                free(turns->memories[i].key);
        for (size_t i = 0; i < turns->count; i++)
                free(turns->items[i].remediation);
        free(turns->memories);
        free(turns->items);
        free(turns);
        look->turns = NULL;
}

unsigned turn_rank(const struct look *look, size_t index)
{
        return look->turns->ranks[index];
}

bool turn_has_come(const struct look *look, const char *remediation)
{
        const struct turn *turn = turn_of(look->turns, remediation);
        return turn && turn->runs < WORLD_AT_ONCE;
}

void turn_begins(struct look *look, const char *remediation)
{
        struct turn *turn = turn_of(look->turns, remediation);
        if (turn)
                turn->runs++;
}

bool turn_may_be_held(struct look *look, const char *remediation)
{
        struct turn *turn = turn_of(look->turns, remediation);
        if (turn && turn->held++ < HELD_AT_ONCE)
                return true;
        look_again_at(look, look->now);
        return false;
}

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash_of(const char *key)
{
        uint64_t hash = 0xcbf29ce484222325;
        for (; *key; key++)
                hash = (hash ^ (unsigned char)*key) * 0x100000001b3;
        return hash;
}

/* Where the key is, or belongs. There is always room. */
static struct memory *memory_place(const struct turns *turns, const char *key)
{
        size_t at = hash_of(key) & (turns->space - 1);
        while (turns->memories[at].key && strcmp(turns->memories[at].key, key) != 0)
                at = (at + 1) & (turns->space - 1);
        return &turns->memories[at];
}

static char *make_key(const char *remediation, const char *lock)
{
        return text_format("%s\n%s", remediation, lock);
}

const struct guard_verdict *turn_recall(const struct look *look, const char *remediation, const char *lock)
{
        const struct turns *turns = look->turns;
        if (turns->memory_count == 0)
                return NULL;
        _cleanup_free_ char *key = make_key(remediation, lock);
        const struct memory *memory = key ? memory_place(turns, key) : NULL;
        return memory && memory->key ? &memory->verdict : NULL;
}

static int memory_grow(struct turns *turns, struct error *error)
{
        if (2 * turns->memory_count < turns->space)
                return 0;
        struct turns grown = {.space = turns->space > 0 ? 2 * turns->space : 64};
        grown.memories = calloc(grown.space, sizeof(*grown.memories));
        if (!grown.memories)
                return error_oom(error);
        for (size_t i = 0; i < turns->space; i++)
                if (turns->memories[i].key)
                        *memory_place(&grown, turns->memories[i].key) = turns->memories[i];
        free(turns->memories);
        turns->memories = grown.memories;
        turns->space = grown.space;
        return 0;
}

int turn_remember(struct look *look, const char *remediation, const char *lock,
                  const struct guard_verdict *verdict, struct error *error)
{
        struct turns *turns = look->turns;
        int r = memory_grow(turns, error);
        if (r < 0)
                return r;
        _cleanup_free_ char *key = make_key(remediation, lock);
        if (!key)
                return error_oom(error);
        struct memory *memory = memory_place(turns, key);
        assert_that(!memory->key, "what is known is not asked for");
        *memory = (struct memory){TAKE_PTR(key), *verdict};
        turns->memory_count++;
        return 0;
}
