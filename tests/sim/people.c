/* SPDX-License-Identifier: Apache-2.0 */
/* People: they approve or do not, mend what they are called for, pause, cancel, and undo. */
#include <errno.h>
#include <string.h>

#include "runbook/text.h"
#include "tests/sim/claims.h"

/* The incident's number, from the journal: years come and go with the clock. */
static bool find_number(struct sim *sim, int64_t incident, struct incident *ret)
{
        struct incident_list list = {0};
        if (!sim->journal || sim_is_dead(sim) ||
            journal_list(sim->journal, INCIDENT_UNCHANGED, incident + 1, 1, &list, NULL) < 0)
                return false;
        bool found = list.count == 1 && list.items[0].id == incident;
        if (found) {
                *ret = list.items[0];
                list.items[0] = (struct incident){0};
        }
        incident_list_release(&list);
        return found;
}

static const char *const persons[] = {"person:ada", "person:bob"};

/* What they have agreed to, as far as it may be written, is what the question says, and no other one. */
static void agrees(struct sim *sim, int64_t incident, const struct incident *found, unsigned person)
{
        struct done_for *done = &sim->done[incident];
        const struct remediation *remediation = remediation_find(sim->set, found->remediation);
        char *question = claims_text("SELECT detail FROM timeline WHERE incident = ?1"
                                     " AND event = 'awaiting approval' ORDER BY id DESC LIMIT 1",
                                     "i", incident);
        if (done->asked_as != sim_digest(1, question)) {
                done->asked_as = sim_digest(1, question);
                done->agreed = 0;
        }
        done->agreed |= 1U << person;
        if (remediation && __builtin_popcount(done->agreed) < remediation->approval.people) {
                free(question);
                return;
        }
        done->approved = true;
        done->approved_as = sim_digest(1, found->definition ? found->definition : "");
        free(done->question);
        done->question = question;
}

static void decide(struct sim *sim, int64_t incident, enum decision decision, unsigned person)
{
        struct incident found = {0};
        if (!sim->engine || sim->now < sim->stopped_until || !find_number(sim, incident, &found))
                return;
        /* When it dies over it, it may be written, or not. */
        int r = engine_decide(sim->engine, decision, found.number, persons[person], "so I say", NULL);
        if (r >= 0 && !sim_is_dead(sim)) {
                sim_note(sim, "decided", incident * 8 + decision);
        }
        if (decision == DECISION_APPROVE && r != -ESTALE && r != -EALREADY)
                agrees(sim, incident, &found, person);
        incident_release(&found);
}

void people_decide(struct sim *sim, int64_t incident, enum decision decision)
{
        decide(sim, incident, decision, 0);
}

static void approve(struct sim *sim, int64_t incident)
{
        decide(sim, incident, DECISION_APPROVE, 0);
}

static void approve_as_another(struct sim *sim, int64_t incident)
{
        decide(sim, incident, DECISION_APPROVE, 1);
}

static void deny(struct sim *sim, int64_t incident)
{
        decide(sim, incident, DECISION_DENY, 0);
}

static void cancel(struct sim *sim, int64_t incident)
{
        decide(sim, incident, DECISION_CANCEL, 0);
}

static void undo(struct sim *sim, int64_t incident)
{
        decide(sim, incident, DECISION_UNDO, 0);
}

void people_hear(struct sim *sim, int64_t incident, const char *text)
{
        if (incident <= 0)
                return;
        sim_note(sim, "told", incident);
        if (chain_calls(text)) {
                chain_hear(sim, incident);
                return;
        }
        static const char *const ends[] = {": healed", ": done", ": denied", ": cancelled"};
        bool waits = strstr(text, ": is held") || strstr(text, ": is over: ") ||
                     strstr(text, ": is taken up: "),
             ended = false;
        for (size_t i = 0; i < N_ELEMENTS(ends); i++)
                ended |= string_ends(text, ends[i]);
        bool asks = strstr(text, ": awaits approval");
        sim->done[incident].heard += waits || ended || asks;
        if (asks) {
                /* Some take more than a day: then it has expired. */
                if (rng_chance(&sim->rng, 650))
                        sim_after(sim, MINUTE, rng_chance(&sim->rng, 100) ? 30 * HOUR : 90 * MINUTE,
                                  rng_chance(&sim->rng, 800) ? approve : deny, incident);
                /* Where two are needed another one comes, or the same one again. */
                if (rng_chance(&sim->rng, 800))
                        sim_after(sim, MINUTE, 40 * MINUTE,
                                  rng_chance(&sim->rng, 800) ? approve_as_another : approve, incident);
                return;
        }
        if (waits || ended)
                return;
        if (strstr(text, "still fires"))
                claim_still_fires(sim, incident);
        sim->done[incident].called = true;
        if (rng_chance(&sim->rng, 200))
                sim_after(sim, MINUTE, HOUR, undo, incident);
}

static void resend(struct sim *sim, int64_t incident)
{
        decide(sim, incident, DECISION_RESEND, 0);
}

void people_miss(struct sim *sim, int64_t incident)
{
        if (incident > 0 && rng_chance(&sim->rng, 100))
                sim_after(sim, MINUTE, HOUR, resend, incident);
}

static event_function pause_all;

static void resume_all(struct sim *sim, int64_t once)
{
        if (!sim->engine || sim_is_dead(sim) ||
            engine_pause(sim->engine, false, "person:ada", NULL, NULL) < 0 || sim_is_dead(sim)) {
                sim_after(sim, NSEC_PER_SEC, MINUTE, resume_all, once);
                return;
        }
        sim_note(sim, "resumed", 0);
        sim->paused = false;
        if (!sim->ending && !once)
                sim_after(sim, 20 * MINUTE, 8 * HOUR, pause_all, 0);
}

/* Again and again, or `once`. */
static void pause_all(struct sim *sim, int64_t once)
{
        if (!sim->ending && sim->engine && !sim_is_dead(sim) &&
            engine_pause(sim->engine, true, "person:ada", "migration", NULL) >= 0 && !sim_is_dead(sim)) {
                sim_note(sim, "paused", 0);
                sim->paused = true;
                sim->pauses++;
        }
        /* Some only want to have a look, some forget it. */
        nsec most = once ? 10 * MINUTE : rng_chance(&sim->rng, 100) ? 3 * HOUR : 40 * MINUTE;
        sim_after(sim, once ? NSEC_PER_SEC : MINUTE, most, resume_all, once);
}

void people_see_waiting(struct sim *sim)
{
        if (!sim->ending && rng_chance(&sim->rng, 50))
                sim_after(sim, NSEC_PER_MSEC, 30 * NSEC_PER_SEC, pause_all, 1);
}

/* It ends by itself; some end it before. */
static void maintain(struct sim *sim, int64_t ends)
{
        nsec duration = ends ? 0 : rng_between(&sim->rng, 2 * MINUTE, HOUR);
        if (sim->engine && !sim_is_dead(sim) && (ends || !sim->ending) &&
            engine_set_maintenance(sim->engine, duration, "person:ada", "upgrade", NULL) >= 0 &&
            !sim_is_dead(sim))
                sim_note(sim, ends ? "maintenance ended" : "maintenance", duration / NSEC_PER_SEC);
        if (sim->ending || ends)
                return;
        if (rng_chance(&sim->rng, 300))
                sim_after(sim, MINUTE, 40 * MINUTE, maintain, 1);
        sim_after(sim, 40 * MINUTE, 10 * HOUR, maintain, 0);
}

/* Somebody looks at what goes on and stops something, or puts something back. */
static void meddle(struct sim *sim, int64_t argument)
{
        (void)argument;
        if (sim->ending)
                return;
        int64_t last = (int64_t)sim->incidents;
        if (last > 0) {
                int64_t incident = last - (int64_t)rng_below(&sim->rng, last < 5 ? (uint64_t)last : 5);
                (rng_chance(&sim->rng, 500) ? cancel : undo)(sim, incident);
        }
        sim_after(sim, MINUTE, HOUR, meddle, 0);
}

static void unhush(struct sim *sim, int64_t source)
{
        struct source *one = &sim->sources[source];
        sim_trouble(sim);
        sim_note(sim, "silenced no more", source);
        one->hushed = false;
}

/* What an operator does first. */
static void hush(struct sim *sim, int64_t argument)
{
        (void)argument;
        int64_t source = (int64_t)rng_below(&sim->rng, SOURCES);
        struct source *one = &sim->sources[source];
        if (sim->ending)
                return;
        if (!one->hushed) {
                sim_trouble(sim);
                sim_note(sim, "silenced", source);
                one->hushed = true;
                one->hushed_since = sim->now;
                sim_after(sim, 10 * MINUTE, 6 * HOUR, unhush, source);
        }
        sim_after(sim, MINUTE, 3 * HOUR, hush, 0);
}

void people_begin(struct sim *sim)
{
        sim_after(sim, MINUTE, 3 * HOUR, hush, 0);
        sim_after(sim, 20 * MINUTE, 8 * HOUR, pause_all, 0);
        sim_after(sim, 40 * MINUTE, 10 * HOUR, maintain, 0);
        sim_after(sim, MINUTE, HOUR, meddle, 0);
        hands_begin(sim);
}
