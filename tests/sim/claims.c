/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold, whatever happens: looked at around each act, after each start, and when everything has come
 * to rest. */
#include "tests/sim/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From the look that let an incident through until it runs: all its steps are planned in between, and it is
 * written down, which a full disk keeps from it for 40 minutes. */
#define PLANNING HOUR

/* Around each act. */

const struct remediation *remediation_at(const struct sim *sim, int64_t number)
{
        return &sim->sets[number / 16]->remediations[number % 16];
}

static int64_t remediation_number(const struct sim *sim, const char *name)
{
        for (size_t i = 0; i < sim->set_count; i++)
                for (size_t k = 0; k < sim->sets[i]->count; k++)
                        if (string_equal(sim->sets[i]->remediations[k].name, name))
                                return (int64_t)(i * 16 + k);
        abort();
}

static char *arguments_of(const struct action *action, const struct step_run *run)
{
        _cleanup_json_ cJSON *json = config_to_json(action->fields, run->config);
        return json_print(json);
}

void claim_planned(struct sim *sim, const struct action *action, const struct step_run *run,
                   const cJSON *plan)
{
        _cleanup_free_ char *text = json_print(plan), *arguments = arguments_of(action, run);
        sim->done[incident_of(run->incident)].planned[run->position] =
                sim_digest(sim_digest(1, text), arguments);
}

/* What acts is running, and its step was begun; what is undone is being undone: the journal has it so, before
 * anything happens. */
static void claim_begun(struct sim *sim, int64_t incident, const struct step_run *run, bool undo)
{
        _cleanup_free_ char *state = claims_text("SELECT state FROM incidents WHERE id = ?1", "i", incident);
        _cleanup_free_ char *status =
                claims_text("SELECT status FROM steps WHERE incident = ?1 AND position = ?2", "ii", incident,
                            (int64_t)run->position);
        if (sim->dry_run)
                sim_fail(sim, "%s: step %zu acts in a dry run", run->incident, run->position);
        if (!string_equal(status, undo ? "undoing" : "started"))
                sim_fail(sim, "%s: step %zu %s though the journal has it %s", run->incident, run->position,
                         undo ? "is undone" : "acts", status);
        if (undo == string_equal(state, "running"))
                sim_fail(sim, "%s: step %zu %s while the incident is %s", run->incident, run->position,
                         undo ? "is undone" : "acts", state);
        if (undo && claims_number("SELECT count(*) FROM steps WHERE incident = ?1 AND position > ?2"
                                  " AND status = 'done' AND action = 'model.level' AND settled = 0",
                                  "ii", incident, (int64_t)run->position) > 0)
                sim_fail(sim, "%s: step %zu is undone before a later one", run->incident, run->position);
}

/* After a person's cancel at most the step ends that was about to begin. What only tells, tells all the same.
 */
static void claim_cancel(struct sim *sim, int64_t incident, const struct step_run *run)
{
        if (claims_number("SELECT count(*) FROM timeline WHERE incident = ?1 AND event = 'step started'"
                          " AND id > (SELECT min(id) FROM timeline WHERE incident = ?1"
                          " AND event = 'cancelled' AND actor = 'person:ada')"
                          " AND step NOT IN (SELECT position FROM steps WHERE incident = ?1 AND action = "
                          "'model.note')",
                          "i", incident) > 1)
                sim_fail(sim, "%s: step %zu began after a cancel was acknowledged", run->incident,
                         run->position);
}

/* A pause's 200 stands between what had begun before it and what must not begin. */
static void claim_pause(struct sim *sim, int64_t incident, const struct step_run *run, bool undo)
{
        if (!sim->paused)
                return;
        int64_t paused =
                claims_number("SELECT max(id) FROM timeline WHERE incident = 0 AND event = 'paused'", "");
        /* Who died over it has perhaps written it, and nobody has heard. */
        if (claims_number(
                    "SELECT count(*) FROM timeline WHERE incident = 0 AND event = 'resumed' AND id > ?1", "i",
                    paused) > 0)
                return;
        int64_t begun = claims_number("SELECT max(id) FROM timeline WHERE incident = ?1 AND step = ?2"
                                      " AND event IN ('step started', 'step goes on', 'undo started')",
                                      "ii", incident, (int64_t)run->position);
        bool asked = undo && claims_number("SELECT count(*) FROM timeline WHERE incident = ?1"
                                           " AND event = 'undo asked for'",
                                           "i", incident) > 0;
        if (begun > paused && !asked)
                sim_fail(sim, "%s: step %zu %s after a pause was acknowledged", run->incident, run->position,
                         undo ? "was undone" : "began");
}

/* The same of a maintenance, which ends by itself: what has begun began before it, or after its end. */
static void claim_maintenance(struct sim *sim, int64_t incident, const struct step_run *run, bool undo)
{
        int64_t begun = claims_number("SELECT max(id) FROM timeline WHERE incident = ?1 AND step = ?2"
                                      " AND event IN ('step started', 'step goes on')",
                                      "ii", incident, (int64_t)run->position);
        _cleanup_free_ char *last = claims_text("SELECT event FROM timeline WHERE incident = 0 AND id < ?1"
                                                " AND event IN ('maintenance begun', 'maintenance ended')"
                                                " ORDER BY id DESC LIMIT 1",
                                                "i", begun);
        if (!undo && string_equal(last, "maintenance begun"))
                sim_fail(sim, "%s: step %zu began in a maintenance", run->incident, run->position);
}

/* What acts was journaled when it began, the action and each of its arguments, and stays it to the end: never
 * something else under the old plan, never steps of two versions of the file. */
static void claim_definition(struct sim *sim, int64_t incident, const struct action *action,
                             const struct step_run *run)
{
        struct done_for *done = &sim->done[incident];
        _cleanup_free_ char *definition =
                claims_text("SELECT definition FROM incidents WHERE id = ?1", "i", incident);
        _cleanup_free_ char *name =
                claims_text("SELECT json_extract(definition, '$.steps[' || (?2 - 1) || '].action')"
                            " FROM incidents WHERE id = ?1",
                            "ii", incident, (int64_t)run->position);
        _cleanup_free_ char *journaled =
                claims_text("SELECT json_extract(definition, '$.steps[' || (?2 - 1) || '].arguments')"
                            " FROM incidents WHERE id = ?1",
                            "ii", incident, (int64_t)run->position);
        _cleanup_free_ char *arguments = arguments_of(action, run);
        if (!string_equal(name, action->name) || !string_equal(journaled, arguments))
                sim_fail(sim, "%s: step %zu acts as %s %s, and the journal has %s %s", run->incident,
                         run->position, action->name, arguments, name, journaled);
        if (done->definition == 0)
                done->definition = sim_digest(1, definition);
        if (done->definition != sim_digest(1, definition))
                sim_fail(sim, "%s: it is no longer what it was begun with", run->incident);
}

/* Only an undo acts against the file. */
static void claim_file(struct sim *sim, const struct action *action, const struct step_run *run)
{
        _cleanup_free_ char *name =
                claims_text("SELECT remediation FROM incidents WHERE number = ?1", "t", run->incident);
        const struct remediation *remediation = remediation_find(sim->set, name);
        const struct step *step = remediation && run->position <= remediation->step_count
                                          ? &remediation->steps[run->position - 1]
                                          : NULL;
        if (!step || step->action != action || model_argument(step->config) != model_argument(run->config))
                sim_fail(sim, "%s: step %zu acts although the file has changed", run->incident,
                         run->position);
}

static void claim_plan(struct sim *sim, int64_t incident, const struct action *action,
                       const struct step_run *run)
{
        _cleanup_free_ char *journaled =
                claims_text("SELECT plan FROM steps WHERE incident = ?1 AND position = ?2", "ii", incident,
                            (int64_t)run->position);
        _cleanup_free_ char *seen = run->plan ? json_print(run->plan) : strdup("");
        _cleanup_free_ char *arguments = arguments_of(action, run);
        if (!string_equal(journaled, seen) || !*seen ||
            sim_digest(sim_digest(1, seen), arguments) != sim->done[incident].planned[run->position])
                sim_fail(sim,
                         "%s: step %zu runs by another plan than the journaled one, or by other arguments",
                         run->incident, run->position);
}

static void claim_lock(struct sim *sim, int64_t incident, const struct step_run *run)
{
        struct done_for *done = &sim->done[incident];
        int64_t others = claims_number("SELECT count(*) FROM incidents WHERE lock = ?1 AND id <> ?2"
                                       " AND state IN ('running', 'verifying') AND ended_at = 0",
                                       "ti", done->lock, incident);
        for (uint64_t i = 1; i <= sim->incidents; i++)
                others += (int64_t)i != incident && sim->done[i].acting &&
                          string_equal(sim->done[i].lock, done->lock);
        if (others > 0)
                sim_fail(sim, "%s: acts although %lld others hold its lock %s", run->incident,
                         (long long)others, done->lock);
}

/* Those that acted among the runs of the same remediation under the same lock as `of`, within its limit's
 * time before `until`. */
static int64_t runs_until(const struct sim *sim, const struct done_for *of, nsec until)
{
        nsec period = remediation_at(sim, of->remediation)->limit.period;
        int64_t runs = 0;
        for (uint64_t i = 1; i <= sim->incidents; i++) {
                const struct done_for *one = &sim->done[i];
                runs += one->acted && one->remediation == of->remediation &&
                        string_equal(one->lock, of->lock) && one->began <= until &&
                        until - one->began < period;
        }
        return runs;
}

/* Whoever began first may act later than others: the limit holds for each of their times. */
static void claim_limit(struct sim *sim, int64_t incident)
{
        const struct done_for *done = &sim->done[incident];
        const struct remediation *remediation = remediation_at(sim, done->remediation);
        for (uint64_t i = 1; remediation->limit.count > 0 && i <= sim->incidents; i++) {
                const struct done_for *other = &sim->done[i];
                if (!other->acted || other->remediation != done->remediation || other->began < done->began)
                        continue;
                int64_t runs = runs_until(sim, done, other->began);
                if (runs > remediation->limit.count)
                        sim_fail(sim, "incident %lld: run %lld of %s within its limit's time",
                                 (long long)incident, (long long)runs, remediation->name);
        }
}

/* Cooldown, approval, one run for each remediation and episode: looked at before the first act of an
 * incident. */
static void claim_guards(struct sim *sim, int64_t incident, const struct step_run *run)
{
        const struct done_for *done = &sim->done[incident];
        const struct remediation *remediation = remediation_at(sim, done->remediation);
        bool must = remediation->approval.wanted && !remediation->approval.conditions;
        if (must && !done->approved)
                sim_fail(sim, "%s: acts without anybody's approval, or that of one where it needs two",
                         run->incident);
        if (must && done->approved_as != done->definition)
                sim_fail(sim, "%s: something else acts than what was approved", run->incident);
        for (uint64_t i = 1; i <= sim->incidents; i++) {
                const struct done_for *other = &sim->done[i];
                if ((int64_t)i == incident || !other->acted)
                        continue;
                if (other->remediation == done->remediation && other->episode == done->episode)
                        sim_fail(sim, "%s: a second run of %s in one episode", run->incident,
                                 remediation->name);
                if (string_equal(other->lock, done->lock) &&
                    sim_steady(sim) - other->ended < remediation->cooldown)
                        sim_fail(sim,
                                 "%s: %s runs %.0f s after the last run under its lock, in the cooldown of "
                                 "%.0f s",
                                 run->incident, remediation->name,
                                 nsec_to_seconds(sim_steady(sim) - other->ended),
                                 nsec_to_seconds(remediation->cooldown));
        }
        nsec waited = done->began -
                      claims_number("SELECT waiting_steady FROM incidents WHERE id = ?1", "i", incident);
        if (waited > remediation->expire + PLANNING)
                sim_fail(sim, "%s: runs although it has waited for %.0f s", run->incident,
                         nsec_to_seconds(waited));
}

static void learn(struct sim *sim, int64_t incident)
{
        struct done_for *done = &sim->done[incident];
        _cleanup_free_ char *name =
                claims_text("SELECT remediation FROM incidents WHERE id = ?1", "i", incident);
        _cleanup_free_ char *lock = claims_text("SELECT lock FROM incidents WHERE id = ?1", "i", incident);
        done->remediation = remediation_number(sim, name);
        done->began = claims_number("SELECT running_steady FROM incidents WHERE id = ?1", "i", incident);
        done->episode = claims_number("SELECT episode FROM incidents WHERE id = ?1", "i", incident);
        snprintf(done->lock, sizeof(done->lock), "%s", lock);
}

/* A message of an incident that has ended, which a person wants sent again: nothing is carried out. */
static bool is_sent_again(const struct action *action, const struct step_run *run, bool undo)
{
        return action->tells && !undo &&
               claims_number("SELECT count(*) FROM letters l JOIN incidents i ON i.id = l.incident WHERE"
                             " l.incident = ?1 AND l.part = ?2 AND l.asked AND i.ended_at > 0",
                             "ii", incident_of(run->incident), (int64_t)run->position) > 0;
}

void claim_act(struct sim *sim, const struct action *action, const struct step_run *run, bool undo)
{
        int64_t incident = incident_of(run->incident);
        struct done_for *done = &sim->done[incident];
        if (is_sent_again(action, run, undo))
                return;
        sim->acts++;
        sim->steady_written = claims_number("SELECT steady FROM steady", "");
        verdicts_act(sim, incident, undo);
        claim_begun(sim, incident, run, undo);
        claim_cancel(sim, incident, run);
        claim_pause(sim, incident, run, undo);
        claim_maintenance(sim, incident, run, undo);
        claim_plan(sim, incident, action, run);
        claim_definition(sim, incident, action, run);
        if (!undo) {
                claim_file(sim, action, run);
                claim_hands(sim, incident, action, run);
        }
        if (!*done->lock)
                learn(sim, incident);
        if (!undo) {
                claim_max(sim, incident, run);
                claim_agreed(sim, incident, action, run);
                claim_unanswered(sim, incident, run);
        }
        claim_lock(sim, incident, run);
        if (!done->acted) {
                claim_guards(sim, incident, run);
                done->acted = true;
                claim_limit(sim, incident);
        }
        done->acting = true;
        if (!undo)
                trying_begins(sim, incident, run->position);
        done->ours = undo && model_level_is_ours(sim, run, incident);
        if (!undo && action->undo && done->effects[run->position] == 0)
                done->level_before[run->position] = model_level(sim, run);
        sim_note(sim, undo ? "undo" : "act", incident * 16 + (int64_t)run->position);
}

void claim_acted(struct sim *sim, const struct action *action, const struct step_run *run, bool undo,
                 bool succeeded)
{
        int64_t incident = incident_of(run->incident);
        struct done_for *done = &sim->done[incident];
        done->acting = false;
        if (sim_is_dead(sim) || is_sent_again(action, run, undo))
                return;
        if (!undo)
                trying_ended(sim, incident);
        /* A minute or two of tries, seldomer and seldomer; some deaths each give it another. */
        if (!undo && !succeeded && ++done->tries[run->position] > 60)
                sim_fail(sim, "%s: step %zu is tried again and again", run->incident, run->position);
        if (!undo)
                done->ended = sim_steady(sim);
        if (!undo && action->effect == EFFECT_IRREVERSIBLE && !action->repeatable &&
            done->effects[run->position] > 1)
                sim_fail(sim, "%s: the irreversible step %zu had its effect %u times", run->incident,
                         run->position, done->effects[run->position]);
        /* Whoever else changed it meanwhile has to put it back himself. */
        if (undo && succeeded && done->ours && model_level(sim, run) != done->level_before[run->position])
                sim_fail(sim, "%s: the undo of step %zu left %lld where %lld was", run->incident,
                         run->position, (long long)model_level(sim, run),
                         (long long)done->level_before[run->position]);
}

/* What was acknowledged is there. */

void claim_shadow(struct sim *sim, int64_t source)
{
        struct shadow *shadow = &sim->shadows[source];
        const struct source *one = &sim->sources[source];
        /* Another one begins when it has ended; what was set aside of it is younger, and closed. Asked one by
         * one: to sort them, SQLite would make a table each time. */
        int64_t open = claims_number("SELECT starts_at FROM episodes WHERE key = ?1 AND closed_at IS NULL",
                                     "t", one->key);
        _cleanup_free_ char *closer =
                open >= 0 ? strdup("nobody")
                          : claims_text("SELECT coalesce(closed_by, 'nobody') FROM episodes"
                                        " WHERE key = ?1 AND coalesce(closed_by, '') <> 'engine'"
                                        " ORDER BY id DESC LIMIT 1",
                                        "t", one->key);
        /* What has ended long ago is let go of: over a boot the wall clock alone tells how long that is. */
        bool forgotten = open < 0 && !*closer && claims_number("SELECT count(*) FROM gaps", "") > 0;
        if (shadow->heard > 0 && open < 0 && !*closer && !forgotten)
                sim_fail(sim, "%s was acknowledged, and the journal has never heard of it", one->name);
        bool explained = shadow->uncertain || forgotten ||
                         (shadow->open && open < 0 && string_equal(closer, "alertmanager"));
        if (shadow->open != (open >= 0) && !explained)
                sim_fail(sim, "%s was acknowledged as %s, and the journal has it %s", one->name,
                         shadow->open ? "firing" : "resolved", open >= 0 ? "open" : "closed");
        shadow->open = open >= 0;
        shadow->starts_at = open >= 0 ? open : shadow->starts_at;
        shadow->uncertain = false;
}

/* Time only passes, over every restart, whatever the wall clock does; and over a boot of the machine it does
 * not go behind what was written down. */
static void claim_steady(struct sim *sim)
{
        int64_t written = claims_number("SELECT steady FROM steady", "");
        if (written < sim->steady_written || written > journal_steady(sim->journal))
                sim_fail(sim, "steady time went back by %.0f s",
                         nsec_to_seconds(sim->steady_written - written));
        sim->steady_written = written;
        nsec offset = journal_steady(sim->journal) - sim->now;
        if (sim->steady_offset != 0 && sim->steady_offset != offset)
                sim_fail(sim, "steady time jumped by %.0f s", nsec_to_seconds(offset - sim->steady_offset));
        sim->steady_offset = offset;
}

void claims_after_start(struct sim *sim)
{
        claim_steady(sim);
        for (int64_t i = 0; i < SOURCES && !sim->failed; i++)
                claim_shadow(sim, i);
}

/* At rest. */

static void claim_ends(struct sim *sim)
{
        _cleanup_free_ char *active =
                claims_text("SELECT number || ' (' || remediation || ') is ' || state || ' ' || guard"
                            " FROM incidents WHERE active = 1 ORDER BY id LIMIT 1",
                            "");
        _cleanup_free_ char *open =
                claims_text("SELECT alert FROM episodes WHERE closed_at IS NULL ORDER BY id LIMIT 1", "");
        if (*active)
                sim_fail(sim, "%s, and does not end", active);
        if (*open)
                sim_fail(sim, "the episode of %s does not end", open);
}

/* Whoever was to be called has heard of it, or is known not to have. */
static void claim_calls(struct sim *sim)
{
        if (sim->dry_run)
                return;
        for (uint64_t i = 1; i <= sim->incidents; i++) {
                _cleanup_free_ char *state =
                        claims_text("SELECT state FROM incidents WHERE id = ?1", "i", (int64_t)i);
                _cleanup_free_ char *name =
                        claims_text("SELECT remediation FROM incidents WHERE id = ?1", "i", (int64_t)i);
                if (!*state && claims_number("SELECT count(*) FROM gaps", "") > 0)
                        continue; /* let go of: over a boot the wall clock alone tells how long that was */
                const struct remediation *remediation = remediation_at(sim, remediation_number(sim, name));
                bool lost = string_equal(state, "failed") || string_equal(state, "not_healed") ||
                            string_equal(state, "unverified");
                /* In a dry run, which a daemon may have been for a while, nobody is. */
                bool expired = string_equal(state, "expired") &&
                               claims_number("SELECT count(*) FROM timeline WHERE incident = ?1 AND"
                                             " event = 'expired' AND instr(detail, '\"to\":') > 0",
                                             "i", (int64_t)i) > 0;
                if ((string_equal(state, "escalated") || expired) && !sim->done[i].called)
                        sim_fail(sim, "incident %llu is %s, and nobody has heard of it",
                                 (unsigned long long)i, state);
                if (lost && remediation->on_failure != ON_FAILURE_STOP)
                        sim_fail(sim, "incident %llu ended as %s without a call", (unsigned long long)i,
                                 state);
        }
}

/* Once anything was changed, whoever was to be told of it by a step has been: no cut skips that. */
static void claim_tellers(struct sim *sim)
{
        _cleanup_free_ char *silent = claims_text(
                "SELECT i.number || ' (' || i.remediation || ') step ' || s.position FROM steps s"
                " JOIN incidents i ON i.id = s.incident WHERE s.action = 'model.note' AND s.status = "
                "'skipped'"
                " AND EXISTS (SELECT 1 FROM steps c WHERE c.incident = s.incident AND c.position < s.position"
                " AND c.action <> 'model.note' AND c.plan IS NOT NULL) LIMIT 1",
                "");
        if (*silent)
                sim_fail(sim, "%s was skipped, though something had been changed", silent);
}

void claims_at_rest(struct sim *sim)
{
        if (!sim->journal) {
                sim_fail(sim, "the daemon does not come back");
                return;
        }
        claim_ends(sim);
        if (claims_number("SELECT coalesce((SELECT value FROM meta WHERE key = 'maintenance since'), 0)",
                          "") != 0 ||
            sim->our_silences != 0)
                sim_fail(sim, "a maintenance does not end, or leaves %d silences", sim->our_silences);
        claim_calls(sim);
        claim_tellers(sim);
        claim_heard(sim);
        claim_order(sim);
        claim_causes(sim);
        claim_breakers(sim);
        claim_limit_all(sim);
        claim_chain(sim);
}
