/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between two starts somebody who has no key gets at the journal's file: the start is refused, or what he has
 * changed is set aside and a person called, and nothing comes of it. This happens on a copy of the disk,
 * which leaves no trace in the world.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/claims.h"

enum { LOOKS = 3 };

enum becomes { REFUSED, ASIDE, PAUSED };

/* Of one row: which there are, the id of one, what is made of it. Texts are made here, as the eye tells its
 * queries apart by address. */
#define WAY(rows, id, change, becomes)                                                                      \
        {                                                                                                   \
                "SELECT count(*) FROM " rows, "SELECT " id " FROM " rows " LIMIT 1 OFFSET ?1", change " (", \
                        becomes                                                                             \
        }
#define ACTIVE "incidents WHERE active = 1 AND ended_at = 0"
#define STEPS "steps s JOIN incidents i ON i.id = s.incident WHERE i.active = 1 AND i.ended_at = 0"
static const struct {
        const char *count, *pick, *change; /* the id of the row follows it, and ")" */
        enum becomes becomes;
} ways[] = {
        WAY(ACTIVE, "id", "UPDATE incidents SET approved = NOT approved WHERE id =", ASIDE),
        WAY(ACTIVE, "id", "UPDATE incidents SET remediation = remediation || 'x' WHERE id =", ASIDE),
        WAY(ACTIVE, "id", "UPDATE incidents SET lock = lock || 'x' WHERE id =", ASIDE),
        WAY(ACTIVE, "id",
            "UPDATE incidents SET definition = coalesce(definition, '') || ' ' WHERE id =", ASIDE),
        WAY(ACTIVE, "id", "UPDATE incidents SET alert = alert || ' ' WHERE id =", ASIDE),
        WAY(ACTIVE, "id", "UPDATE incidents SET cancel_requested = NOT cancel_requested WHERE id =", ASIDE),
        WAY(ACTIVE, "id", "UPDATE incidents SET guard_until = guard_until + 1 WHERE id =", ASIDE),
        WAY(STEPS, "i.id", "UPDATE steps SET plan = coalesce(plan, '') || ' ' WHERE incident =", ASIDE),
        WAY(STEPS, "i.id", "UPDATE steps SET outcome = coalesce(outcome, '') || ' ' WHERE incident =", ASIDE),
        WAY(STEPS, "i.id",
            "UPDATE steps SET status = CASE status WHEN 'done' THEN 'waiting' ELSE 'done' END WHERE incident "
            "=",
            ASIDE),
        WAY("incidents", "id", "DELETE FROM incidents WHERE id =", REFUSED),
        WAY("steps", "incident", "DELETE FROM steps WHERE incident =", REFUSED),
        WAY("episodes", "id", "DELETE FROM episodes WHERE id =", REFUSED),
        WAY("timeline", "id", "DELETE FROM timeline WHERE id = (SELECT max(id) FROM timeline) + 0 *",
            REFUSED),
        WAY("episodes", "id",
            "INSERT INTO episodes (fingerprint, opened_at, last_seen_at, starts_at, alert) SELECT 'f', "
            "opened_at,"
            " last_seen_at, starts_at, alert FROM episodes WHERE id =",
            REFUSED),
        WAY("seals", "?1",
            "DELETE FROM seals WHERE (of, id, part) IN (SELECT of, id, part FROM seals LIMIT 1) AND 0 <=",
            REFUSED),
        WAY("meta WHERE key = 'paused since' AND value > 0", "0",
            "UPDATE meta SET value = 0 WHERE key = 'paused since' AND value >", PAUSED),
};

static const struct journal_key other_key = {.bytes = "the key of somebody else", .made = true};

/* What would be done is only counted. */
static unsigned calls;

static int refuse_work(void *context, enum world_pool pool, const char *whose, void (*work)(void *argument),
                       void *argument)
{
        (void)context, (void)whose, (void)work, (void)argument;
        calls += pool == WORLD_CALLS;
        return 0;
}

static bool open_as(struct sim *sim, const struct journal_key *key, struct journal **ret, int *ret_result)
{
        _cleanup_error_ struct error error = {0};
        *ret = NULL;
        *ret_result = journal_open(JOURNAL_PATH, key, &sim->world, ret, &error);
        return *ret_result >= 0;
}

static void claim_refused(struct sim *sim, const struct journal_key *key, const char *change)
{
        struct journal *journal = NULL;
        int r = 0;
        if (open_as(sim, key, &journal, &r))
                sim_fail(sim, "it starts although somebody has changed the journal: %s", change);
        else if (r != -EUCLEAN && r != -EKEYREJECTED)
                sim_fail(sim, "it does not start (%d), and not for what somebody has done: %s", r, change);
        journal_close(journal);
}

/* Nothing is done about it but that a person is called. */
static void claim_aside(struct sim *sim, struct journal *journal, int64_t id, const char *change)
{
        _cleanup_error_ struct error error = {0};
        struct world world = sim->world;
        world.run = refuse_work;
        const struct incident_parts parts = {.world = &world,
                                             .set = sim->set,
                                             .journal = journal,
                                             .meters = sim->meters,
                                             .dry_run = sim->dry_run};
        struct engine *engine = NULL;
        struct incident incident = {0};
        claims_open(sim);
        _cleanup_free_ char *number = claims_text("SELECT number FROM incidents WHERE id = ?1", "i", id);
        int64_t last = claims_number("SELECT coalesce(max(id), 0) FROM timeline", "");
        calls = 0;
        nsec next;
        bool looks = engine_new(&parts, &engine, &error) >= 0;
        for (int i = 0; looks && i < LOOKS; i++)
                looks = engine_look(engine, &next, &error) >= 0;
        if (!looks)
                sim_fail(sim, "what somebody has changed keeps all from being looked at (%s): %s",
                         error_text(&error), change);
        else if (journal_find(journal, number, &incident, &error) < 0 || !incident.unreadable)
                sim_fail(sim, "%s is believed although somebody has changed it: %s", number, change);
        else if (claims_number("SELECT count(*) FROM timeline WHERE incident = ?1 AND id > ?2"
                               " AND event <> 'alert joined'", /* a sibling that waits for the same person */
                               "ii", id, last) > 0)
                sim_fail(sim, "%s goes on although somebody has changed it: %s", number, change);
        else if (calls == 0 && !sim->dry_run)
                sim_fail(sim, "nobody is called although somebody has changed %s: %s", number, change);
        incident_release(&incident);
        engine_stop(engine, (struct deadline){0});
        claims_close();
}

static void claim_paused(struct sim *sim, struct journal *journal, const char *change)
{
        bool paused = false;
        nsec since;
        if (journal_paused(journal, &paused, &since, NULL) < 0 || !paused)
                sim_fail(sim, "the kill switch is off although nobody who may has said so: %s", change);
}

static void claim_changed(struct sim *sim, size_t way, int64_t id, const char *change)
{
        struct journal *journal = NULL;
        int r = 0;
        if (ways[way].becomes == REFUSED) {
                claim_refused(sim, &sim_key, change);
                return;
        }
        if (!open_as(sim, &sim_key, &journal, &r))
                sim_fail(sim, "one row that somebody has changed keeps it from starting (%d): %s", r, change);
        else if (ways[way].becomes == ASIDE)
                claim_aside(sim, journal, id, change);
        else
                claim_paused(sim, journal, change);
        journal_close(journal);
}

static void change_row(struct sim *sim, struct rng *rng)
{
        size_t way = (size_t)rng_below(rng, N_ELEMENTS(ways));
        claims_open(sim);
        int64_t rows = claims_number(ways[way].count, "");
        int64_t id =
                rows > 0 ? claims_number(ways[way].pick, "i", (int64_t)rng_below(rng, (uint64_t)rows)) : -1;
        _cleanup_free_ char *change = text_format("%s%lld)", ways[way].change, (long long)id);
        bool changed = id >= 0 && claims_execute(change);
        claims_close();
        if (changed)
                claim_changed(sim, way, id, change);
}

/* The witness alone finds it: Prometheus, who has seen the head of before. */
static void put_old_back(struct sim *sim)
{
        struct journal *journal = NULL;
        struct journal_head head = {0}, old = {0};
        int r = 0;
        if (open_as(sim, &sim_key, &journal, &r))
                journal_head(journal, &head, NULL);
        journal_close(journal);
        disk_put_back(sim->disk, sim->old);
        if (r < 0 || !open_as(sim, &sim_key, &journal, &r))
                return;
        journal_head(journal, &old, NULL);
        if (old.rows < head.rows && journal_check_head(journal, &head, NULL) >= 0)
                sim_fail(sim,
                         "a journal of %lld rows was put in the place of one of %lld, and the witness is "
                         "content",
                         (long long)old.rows, (long long)head.rows);
        journal_close(journal);
}

void tamper(struct sim *sim)
{
        struct rng rng = {sim->seed ^ (sim->restarts + sim->kills) * 0x9e3779b97f4a7c15};
        if (sim->ending || sim->disk_full || disk_is_dead(sim->disk) || sim->restarts == 0 ||
            !rng_chance(&rng, 300))
                return;
        struct disk_copy *now = disk_copy(sim->disk);
        disk_die_after(sim->disk, 0); /* as was planned for the life before */
        const nsec engine_due = sim->engine_due;
        const struct rng chance = sim->rng;
        if (rng_chance(&rng, 50))
                claim_refused(sim, &other_key, "another key");
        else if (sim->old && rng_chance(&rng, 50))
                put_old_back(sim);
        else
                change_row(sim, &rng);
        disk_put_back(sim->disk, now);
        sim->rng = chance;
        sim->engine_due = engine_due;
        sim->tampered++;
        if (!sim->old || rng_chance(&rng, 300)) {
                disk_copy_free(sim->old);
                sim->old = TAKE_PTR(now);
        }
        disk_copy_free(now);
}
