/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of an alert's life: what begins has a reason, what ends is over, what goes on is told. */
#include "tests/sim/claims.h"

#include <stdio.h>

/* From when something could be known until something is done about it: answers and plans take their time, and
 * a disk that is full keeps a thread for longer. */
#define SLACK (20 * MINUTE)
#define SURELY (10 * MINUTE)

/* For so long the last of many may be shown as held by what has ended: the looks that let them go. */
#define SHOWN_MOST (20 * NSEC_PER_SEC)

/* Why nobody could have said that it fires, for so long; NULL: somebody could. */
static const char *nobody_says(const struct sim *sim, const struct source *one)
{
        /* How long the machine was off is what the wall clock makes of it. */
        if (sim->now - one->heard < SLACK || one->heard < sim->booted)
                return NULL;
        return one->hushed && sim->now - one->hushed_since > SLACK ? "silenced"
               : !one->ill && sim->now - one->until > SLACK        ? "over"
                                                                   : NULL;
}

/* Of all alerts of an incident that are not told to be over, or were only a minute ago: a call is under way.
 */
static const char *nobody_says_of(const struct sim *sim, int64_t incident)
{
        const char *why = NULL;
        for (int64_t i = 0;; i++) {
                _cleanup_free_ char *key = claims_text(
                        "SELECT key FROM episodes WHERE (closed_at IS NULL OR closed_at > ?3) AND (id ="
                        " (SELECT episode FROM incidents WHERE id = ?1) OR id IN"
                        " (SELECT episode FROM members WHERE incident = ?1)) ORDER BY id LIMIT 1 OFFSET ?2",
                        "iii", incident, i, (int64_t)(sim_wall(sim) - MINUTE));
                int64_t source = source_find(sim, key);
                if (source < 0)
                        return why;
                why = nobody_says(sim, &sim->sources[source]);
                if (!why)
                        return NULL;
        }
}

/* Under the lock of a service: the urgent first, then the oldest. Who was there no later, waits for nothing
 * but its turn, and was heard of so lately that nobody is asked about it, goes first. When an alert was heard
 * of again is known no sooner than something comes of it. */
static void claim_turn(struct sim *sim, int64_t incident)
{
#define OF(incident, label) "json_extract(" incident ".alert, '$.labels." label "')"
#define RANK(incident)                                                                                      \
        "CASE " OF(incident, "severity") " WHEN 'critical' THEN 1 WHEN 'page' THEN 1 WHEN 'warning' THEN 2" \
                                         " WHEN 'info' THEN 4 ELSE 3 END"
        int64_t before = claims_number(
                "SELECT min(y.id) FROM incidents x JOIN incidents y ON y.id <> x.id JOIN episodes e ON e.id "
                "= y.episode"
                " WHERE x.id = ?1 AND y.active = 1 AND y.owes = '' AND (y.state = 'received' OR"
                " (y.state = 'held' AND y.guard = 'lock')) AND y.opened_steady <= x.opened_steady"
                " AND x.remediation IN ('slow', 'errors') AND y.remediation IN ('slow', 'errors')"
                " AND " OF("x", "subject") " = " OF("y", "subject") " AND (" RANK("y") ", y.id) < (" RANK(
                        "x") ", x.id)"
                             " AND e.closed_at IS NULL AND e.seen_steady >= ?2 AND e.last_seen_at = "
                             "e.opened_at"
                             " AND NOT EXISTS (SELECT 1 FROM "
                             "timeline t"
                             " WHERE t.incident = y.id AND (t.event IN ('planning waits', 'released')"
                             " OR (t.event = 'held' AND t.detail ->> '$.guard' <> 'lock')))",
                "ii", incident, (int64_t)(journal_steady(sim->journal) - 4 * NSEC_PER_SEC));
#undef OF
#undef RANK
        if (before > 0)
                sim_fail(sim, "incident %lld begins before %lld, which is more urgent, or older",
                         (long long)incident, (long long)before);
}

/* On data that were young not long ago. */
static void claim_fresh(struct sim *sim, int64_t incident, const struct step_run *run)
{
        _cleanup_free_ char *name =
                claims_text("SELECT remediation FROM incidents WHERE id = ?1", "i", incident);
        const struct remediation *remediation = remediation_find(sim->set, name);
        if (remediation && remediation->fresh_within > 0 && sim->now - sim->fresh_at > SURELY)
                sim_fail(sim, "%s: is about to begin, and Prometheus' data were young %.0f s ago",
                         run->incident, nsec_to_seconds(sim->now - sim->fresh_at));
}

void claim_begins(struct sim *sim, const struct step_run *run)
{
        int64_t incident = incident_of(run->incident);
        if (run->position != 1 ||
            claims_number("SELECT state IN ('received', 'held', 'awaiting_approval') FROM incidents"
                          " WHERE id = ?1",
                          "i", incident) != 1)
                return;
        claim_turn(sim, incident);
        claim_fresh(sim, incident, run);
        const char *why = nobody_says_of(sim, incident);
        if (why)
                sim_fail(sim, "%s: is about to begin though its alert has long been %s", run->incident, why);
}

void claim_still_fires(struct sim *sim, int64_t incident)
{
        const char *why = nobody_says_of(sim, incident);
        if (why)
                sim_fail(sim,
                         "incident %lld: a person is told that its alert still fires, which has long been %s",
                         (long long)incident, why);
}

void claim_goes_on(struct sim *sim, int64_t source)
{
        const struct source *one = &sim->sources[source];
        if (sim->ending || !sim->engine || sim_is_dead(sim) || sim->stopping || sim->dry_run || one->hushed ||
            sim->now - sim->clear_since < 2 * SLACK || sim->now - one->since < 2 * SLACK)
                return;
        int64_t incident = claims_number(
                "SELECT min(i.id) FROM incidents i JOIN episodes e ON e.id = i.episode"
                " WHERE i.state IN ('healed', 'done') AND e.closed_at IS NULL AND e.key = ?1"
                " AND i.entered_steady < ?2",
                "ti", one->key, (int64_t)(journal_steady(sim->journal) - 15 * MINUTE - 2 * SLACK));
        if (incident > 0)
                sim_fail(sim,
                         "incident %lld is healed, or done, its alert goes on, and nobody has heard of it",
                         (long long)incident);
}

/* Of the alert that a row of the timeline is about: whose episode was closed then, or whose incident was
 * cancelled with no other episode of it. */
static char *key_of(int64_t row)
{
        return claims_text("SELECT e.key FROM timeline t, episodes e WHERE t.id = ?1 AND CASE t.actor"
                           " WHEN 'alertmanager' THEN e.closed_by = 'alertmanager' AND e.closed_at = t.at"
                           " ELSE e.id = (SELECT episode FROM incidents WHERE id = t.incident) AND NOT EXISTS"
                           " (SELECT 1 FROM episodes o WHERE o.key = e.key AND o.closed_at IS NULL)"
                           " END ORDER BY e.id DESC LIMIT 1",
                           "i", row);
}

/* Nothing was taken for over that goes on: neither by an empty list, nor by what silence has resolved;
 * neither before anything was run, nor with steps to come. */
static void claim_over(struct sim *sim)
{
        int64_t last = claims_number("SELECT coalesce(max(id), 0) FROM timeline", "");
        while (sim->last_event < last) {
                int64_t row = claims_number(
                        "SELECT min(id) FROM timeline WHERE id > ?1 AND (actor = 'alertmanager' OR"
                        " (actor = 'alert' AND event = 'cancelled') OR (event = 'step skipped' AND"
                        " detail ->> '$.reason' = 'the alert is resolved'))",
                        "i", sim->last_event);
                if (row <= 0)
                        break;
                sim->last_event = row;
                _cleanup_free_ char *key = key_of(row);
                int64_t source = source_find(sim, key);
                if (source >= 0 && sim->sources[source].ill && sim->now - sim->sources[source].since > SURELY)
                        sim_fail(sim, "%s was taken for over, and goes on", sim->sources[source].name);
        }
        sim->last_event = last;
}

/* Once a dry run is over its plans stand in nobody's way. */
static void claim_matched_anew(struct sim *sim)
{
        for (size_t i = 0; i < sim->set->count; i++) {
                int64_t incident =
                        claims_number("SELECT min(i.id) FROM incidents i JOIN episodes e ON e.id = i.episode"
                                      " WHERE e.closed_at IS NULL AND i.state = 'planned'"
                                      " AND i.remediation = ?1",
                                      "t", sim->set->remediations[i].name);
                if (incident > 0)
                        sim_fail(sim,
                                 "incident %lld was planned in a dry run, and keeps its alert from being "
                                 "acted upon",
                                 (long long)incident);
        }
}

/* What is shown as held is held: by the kill switch while it is pulled, by a lock while somebody may have it
 * (who only makes his plans has it, too), by what lasts until a time before that time, or in a person's hands
 * since. */
static void claim_shown(struct sim *sim)
{
        bool paused = false;
        nsec since = 0;
        if (journal_paused(sim->journal, &paused, &since, NULL) < 0)
                return;
        int64_t stale = claims_number(
                "SELECT min(id) FROM incidents i WHERE active = 1 AND state = 'held' AND "
                "((guard = 'paused' AND ?1 = 0)"
                " OR (guard = 'human' AND guard_until = 0 AND NOT EXISTS (SELECT 1 FROM incidents o"
                " WHERE o.taken = 1 AND o.ended_at = 0 AND (o.id = i.id OR o.lock = i.lock)))"
                " OR (guard_until > 0 AND guard_until < ?2 AND taken = 0) OR (guard = 'lock' AND NOT EXISTS"
                " (SELECT 1 FROM incidents o WHERE o.active = 1 AND o.id <> i.id AND o.lock IN (i.lock, '')"
                " AND o.state <> 'held')))",
                "ii", (int64_t)paused, (int64_t)sim_wall(sim));
        /* Who was stopped has to look first. */
        bool looked = sim->now - sim->stopped_until > SHOWN_MOST;
        if (stale != sim->stale || stale <= 0 || sim->disk_full || !looked)
                sim->stale_since = sim->now;
        sim->stale = stale;
        nsec clear = sim->now - sim->clear_since, shown = sim->now - sim->stale_since;
        if (stale > 0 && clear > SHOWN_MOST && shown > SHOWN_MOST)
                sim_fail(sim, "incident %lld is shown as held by what has ended %.0f s ago", (long long)stale,
                         nsec_to_seconds(shown));
}

void claims_looked(struct sim *sim, bool whole)
{
        claim_over(sim);
        claim_tried(sim);
        if (whole)
                claim_shown(sim);
        if (!whole || sim->disk_full) /* there is no place for what a look decides */
                return;
        claim_pages(sim);
        if (!sim->looked && !sim->dry_run)
                claim_matched_anew(sim);
        sim->looked = true;
}
