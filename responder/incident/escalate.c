/* SPDX-License-Identifier: Apache-2.0 */
/* Calling a person: by which receiver, when again, and what for. */
#include "responder/incident/escalate.h"

#include <errno.h>

#include "responder/incident/chain.h"
#include "responder/incident/report.h"
#include "runbook/assert.h"

#define CALL_TIMEOUT (10 * NSEC_PER_SEC)
#define BACKOFF_FIRST NSEC_PER_SEC
#define BACKOFF_MOST (60 * NSEC_PER_SEC)
#define RECEIVER_MOST (15 * 60 * NSEC_PER_SEC) /* however long a receiver wants to be left alone */

const char *escalation_receiver(const struct incident_run *run)
{
        const struct remediation_set *set = run->parts->set;
        const char *receiver = run->level > 0 ? run->calls
                               : run->remediation
                                       ? remediation_receiver(run->remediation, &run->incident.alert.labels)
                                       : set->escalate_to;
        /* What was begun may name one that the file no longer has: somebody is to hear of it all the same. */
        if (!receiver_is_nobody(receiver) && !target_set_receiver(&set->targets, receiver))
                receiver = set->escalate_to;
        return receiver_is_nobody(receiver) ? NULL : receiver;
}

/* Three quarters of it to five quarters, by the time of the failure, so that many do not come at once. */
static nsec spread(nsec wait, nsec now)
{
        uint64_t mixed = (uint64_t)now * UINT64_C(0x9e3779b97f4a7c15);
        return wait - wait / 4 + (nsec)((mixed >> 33) % (uint64_t)(wait / 2 + 1));
}

static void back_off(struct backoff *backoff, const struct world *world, nsec asked)
{
        nsec now = world_monotonic(world);
        backoff->wait = backoff->wait == 0 ? BACKOFF_FIRST : backoff->wait * 2;
        if (backoff->wait > BACKOFF_MOST)
                backoff->wait = BACKOFF_MOST;
        nsec wait = spread(backoff->wait, now);
        if (asked > RECEIVER_MOST)
                asked = RECEIVER_MOST;
        backoff->at = now + (wait > asked ? wait : asked);
}

int call_receiver(const struct incident_parts *parts, const char *receiver, const struct message *message,
                  struct backoff *backoff, struct error *error)
{
        assert_that(receiver && message->text, "there is somebody to call, about something");
        const struct world *world = parts->world;
        nsec asked = 0;
        int r = world->notify(world->context, receiver, message, world_deadline(world, CALL_TIMEOUT), &asked,
                              error);
        meters_notification(parts->meters, receiver, r >= 0);
        if (backoff && r < 0)
                back_off(backoff, world, asked);
        else if (backoff)
                *backoff = (struct backoff){0};
        return r;
}

/* Of whom is called after the first it stands in the chain, once. */
static void note_next_unheard(struct incident_run *run, cJSON *detail, const char *why)
{
        _cleanup_json_ cJSON *chain = NULL;
        struct journal_entry entry = {.incident = run->incident.id,
                                      .actor = "engine",
                                      .event = "the next one was not reached",
                                      .detail = detail};
        if (chain_has_failed(&run->incident, run->level) ||
            chain_mark(run->parts, &run->incident, run->level, why, &entry, &chain, NULL) < 0)
                return;
        (void)journal_write(run->parts->journal, &entry, NULL);
}

/* Likewise of the first; and when nothing but a person helps, from here on the others are called. */
static void note_first_unheard(struct incident_run *run, enum message_mood mood, cJSON *detail,
                               const struct journal_letter *letter)
{
        _cleanup_json_ cJSON *chain = NULL;
        struct journal_entry entry = {.incident = run->incident.id,
                                      .actor = "engine",
                                      .event = "nobody was reached",
                                      .letter = letter,
                                      .detail = detail};
        if (mood == MESSAGE_TROUBLE)
                (void)chain_begin_unheard(run->parts, &run->incident, letter->receiver, letter->reason,
                                          &entry, &chain, NULL);
        run->unheard = journal_write(run->parts->journal, &entry, NULL) >= 0;
        run->unheard_refuse = letter->refused;
}

/* Written down once, and again when it turns out that waiting will not help: what nobody was told is shown,
 * and counted. That it cannot be is no reason to wait with the next try. */
static void note_unheard(struct incident_run *run, enum message_mood mood, const char *what,
                         const struct error *why)
{
        bool refused = !why->may_pass;
        if (run->level == 0 && run->unheard && run->unheard_refuse == refused)
                return;
        const char *receiver = escalation_receiver(run);
        const struct journal_letter letter = {receiver, what, error_text(why), refused};
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        if (json_put(detail, "what", cJSON_CreateString(what)) < 0 ||
            json_put(detail, "to", cJSON_CreateString(receiver)) < 0 ||
            json_put(detail, "error", cJSON_CreateString(error_text(why))) < 0)
                return;
        if (run->level > 0)
                note_next_unheard(run, detail, error_text(why));
        else
                note_first_unheard(run, mood, detail, &letter);
}

int call_until_heard(struct incident_run *run, enum message_mood mood, const char *what, const char *reason,
                     struct error *error)
{
        assert_that(escalation_receiver(run) && what, "there is somebody to call, about something");
        struct report report = {0};
        int r = report_make(run, mood, what, reason, &report, error);
        if (r < 0)
                return r;
        _cleanup_error_ struct error why = {0};
        struct backoff *backoff = run->level > 0 ? &run->tries[run->level] : &run->backoff;
        r = call_receiver(run->parts, escalation_receiver(run), &report.message, backoff, &why);
        report_release(&report);
        if (r >= 0) {
                run->unheard &= run->level > 0;
                return 0;
        }
        note_unheard(run, mood, what, &why);
        error_move(error, &why);
        run->look_again = backoff->at;
        return error_prefix(error, -EAGAIN, "nobody was reached");
}

const char *call_receiver_of_last_resort(const struct remediation_set *set)
{
        if (!receiver_is_nobody(set->escalate_to))
                return set->escalate_to;
        return receiver_is_nobody(set->unmatched_to) ? NULL : set->unmatched_to;
}

int call_without_journal(const struct incident_parts *parts, const struct message *message,
                         struct backoff *backoff, struct error *error)
{
        const char *receiver = call_receiver_of_last_resort(parts->set);
        if (!receiver)
                return 0;
        return call_receiver(parts, receiver, message, backoff, error);
}
