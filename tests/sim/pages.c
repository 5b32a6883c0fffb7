/* SPDX-License-Identifier: Apache-2.0 */
/* The page that waits: Alertmanagers that hold pages back as long as they were told to, and what must hold of
 * it. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/claims.h"

#define LEASE (2 * MINUTE)
#define SECOND NSEC_PER_SEC
/* From what the journal says until all have heard of it: answers fail now and then, and are asked for again.
 */
#define HEARD (45 * SECOND)
/* A look is a step of its own: what it decides may be some seconds old when it is told. */
#define SLACK (15 * SECOND)
/* Looks that come as they should: in between nobody was stopped. */
#define IN_TIME (40 * SECOND)

static int64_t source_of(const struct sim *sim, const cJSON *labels)
{
        char key[DIGEST_TEXT_MAX];
        _cleanup_json_ cJSON *twin = json_copy(labels);
        cJSON *stage = cJSON_GetObjectItemCaseSensitive(twin, "stage");
        if (!string_equal(cJSON_GetStringValue(stage), "acting"))
                return -1;
        cJSON_SetValuestring(stage, "act");
        return alert_key_of_labels(twin, key, NULL) < 0 ? -1 : source_find(sim, key);
}

/* Of the remediations that answer to it, the longest, and the shortest. */
static nsec page_after_least(const struct source *one)
{
        return string_equal(one->alertname, "leak") ? 15 * MINUTE : 3 * MINUTE;
}

static nsec page_after(const struct source *one)
{
        return string_equal(one->alertname, "slow") ? 3 * MINUTE : 15 * MINUTE;
}

/* True time of when the first incident was opened that its open episode is a part of; -1: there is none. */
static nsec opened_at(const struct sim *sim, const struct source *one)
{
        int64_t steady = claims_number(
                "SELECT min(i.opened_steady) FROM episodes e JOIN incidents i ON i.episode = e.id OR i.id IN"
                " (SELECT incident FROM members WHERE episode = e.id) WHERE e.key = ?1 AND e.closed_at IS "
                "NULL",
                "t", one->key);
        return steady <= 0 ? -1 : sim->now + (steady - journal_steady(sim->journal));
}

static void claim_lease(struct sim *sim, const struct source *one, nsec until)
{
        nsec opened = opened_at(sim, one);
        if (until > sim->now + LEASE)
                sim_fail(sim, "the page of %s is held back for longer than a lease lasts", one->name);
        if (opened >= 0 && until > opened + page_after(one) + SLACK)
                sim_fail(sim, "the page of %s is held back beyond its page_after", one->name);
        if (!one->twinned || sim->dry_run)
                sim_fail(sim, "the page of %s is held back, which nobody may do", one->name);
}

static bool is_held(const struct sim *sim, const struct source *one)
{
        bool held = false;
        for (size_t i = 0; i < ALERTMANAGERS; i++)
                held |= one->leased[i] > sim->now;
        return held;
}

void pages_leased(struct sim *sim, size_t member, const struct page_lease *leases, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                int64_t source = source_of(sim, leases[i].labels);
                if (member >= ALERTMANAGERS || source < 0) {
                        sim_fail(sim, "somebody is told to hold back what is no page");
                        return;
                }
                struct source *one = &sim->sources[source];
                nsec until = sim->now + (leases[i].until - sim_monotonic(sim));
                one->leased_in = sim->restarts;
                if (!is_held(sim, one))
                        one->granted = sim->now;
                one->leased[member] = until > sim->now ? until : 0;
                if (until > sim->now)
                        claim_lease(sim, one, until);
                sim_note(sim, until > sim->now ? "page held back" : "page let go", source);
        }
}

/* The keys of the alerts whose page may wait, each with a mark behind it of whether it has to. */
static char *waiting_pages(const struct sim *sim)
{
        return claims_text(
                "SELECT group_concat(e.key || CASE WHEN EXISTS (SELECT 1 FROM incidents i WHERE i.episode = "
                "e.id"
                " AND i.state IN ('running', 'verifying')) THEN '!' ELSE '?' END, ' ') FROM episodes e"
                " WHERE e.closed_at IS NULL AND EXISTS (SELECT 1 FROM incidents i WHERE (i.episode = e.id OR "
                "i.id IN"
                " (SELECT incident FROM members WHERE episode = e.id)) AND (i.state IN ('received', "
                "'running',"
                " 'verifying') OR (i.state IN ('healed', 'done') AND i.entered_steady > ?1)))"
                " AND NOT EXISTS (SELECT 1 FROM incidents i WHERE (i.episode = e.id OR i.id IN"
                " (SELECT incident FROM members WHERE episode = e.id)) AND i.state NOT IN ('received', "
                "'running',"
                " 'verifying', 'healed', 'done'))",
                "i", (int64_t)(journal_steady(sim->journal) - 5 * MINUTE));
}

static void claim_page(struct sim *sim, struct source *one, const char *waiting, bool in_time)
{
        const char *at = strstr(waiting, one->key);
        bool fine = at && !sim->paused && !sim->dry_run;
        bool has_to = fine && at[strlen(one->key)] == '!';
        nsec opened = has_to ? opened_at(sim, one) : -1;
        has_to = has_to && opened >= 0 && sim->now + 2 * HEARD < opened + page_after_least(one);
        if (fine)
                one->fine = sim->now;
        one->bad_since = fine || !in_time ? 0 : one->bad_since ? one->bad_since : sim->now;
        one->fine_since = !has_to || !in_time ? 0 : one->fine_since ? one->fine_since : sim->now;
        nsec since = one->fine > one->granted ? one->fine : one->granted;
        bool clear = sim->now - sim->clear_since > HEARD && !sim->alertmanagers_down && !sim->disk_full;
        for (size_t i = 0; i < ALERTMANAGERS; i++) {
                bool held = one->leased[i] > sim->now;
                if (held && sim->now - since > LEASE + SLACK)
                        sim_fail(sim, "the page of %s is held back, and nobody has been at it for %.0f s",
                                 one->name, nsec_to_seconds(sim->now - since));
                /* A lease may be given in the look that gives up; it is ended from then on. */
                nsec bad = one->bad_since > one->granted ? one->bad_since : one->granted;
                if (held && clear && one->leased_in == sim->restarts && one->bad_since &&
                    sim->now - bad > HEARD)
                        sim_fail(sim, "the page of %s is held back though it was given up %.0f s ago",
                                 one->name, nsec_to_seconds(sim->now - bad));
                if (!held && clear && one->fine_since && sim->now - one->fine_since > HEARD &&
                    sim->now - sim->alertmanager_started > HEARD)
                        sim_fail(sim, "the page of %s comes though somebody is at it", one->name);
        }
}

void claim_pages(struct sim *sim)
{
        _cleanup_free_ char *waiting = waiting_pages(sim);
        bool in_time = sim->now - sim->looked_at < IN_TIME;
        sim->looked_at = sim->now;
        for (size_t i = 0; i < SOURCES && !sim->failed; i++)
                if (sim->sources[i].twinned)
                        claim_page(sim, &sim->sources[i], waiting, in_time);
}
