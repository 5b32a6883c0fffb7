/* SPDX-License-Identifier: Apache-2.0 */
/* An incident as a sentence: what goes on with it, or what came of it. */
#include "responder/incident/question.h"
#include "responder/people/people.h"
#include "responder/web/pages/internal.h"

enum { DEEDS_MOST = 3, DEED_MOST = 120 };

static nsec expire_of(const struct visit *visit, const struct incident *incident)
{
        const struct remediation *remediation = remediation_find(visit->parts->set, incident->remediation);
        return remediation ? remediation->expire : 0;
}

nsec find_expiry(const struct visit *visit, const struct incident *incident)
{
        nsec expire = expire_of(visit, incident);
        bool waits = incident->state == INCIDENT_HELD || incident->state == INCIDENT_AWAITING_APPROVAL;
        if (!waits || people_keep(incident) || expire <= 0 || incident->waiting_steady == 0)
                return 0;
        return visit->now + incident->waiting_steady + expire - journal_steady(visit->parts->journal);
}

static void put_held(const struct visit *visit, const struct incident *incident, struct text *page)
{
        text_puts(page, "is held back: ");
        _cleanup_free_ char *who = NULL;
        if (string_equal(incident->guard, PEOPLE_GUARD))
                people_last(visit->parts->journal, incident->id, &who, NULL);
        if (who && *who)
                html_put_line(page, who, SENTENCE_MOST);
        else
                put_guard(page, incident->guard);
        if (incident->guard_until != 0) {
                text_puts(page, ", until ");
                html_put_when(page, incident->guard_until, visit->now);
        }
        text_puts(page, ".");
}

/* Who has agreed already, where one is not enough. */
static void put_people(const struct incident *incident, struct text *page)
{
        struct question_shown shown = {0};
        if (question_show(incident, &shown, NULL) < 0 || shown.people < 2) {
                text_puts(page, "waits for a person to approve it");
        } else if (shown.agreed == 0) {
                text_puts(page, "waits for two people to approve it");
        } else {
                text_puts(page, "waits for a second person to approve it: ");
                html_put_line(page, shown.who, SENTENCE_MOST);
                text_puts(page, " has");
        }
        free(shown.who);
}

/* What follows when nobody answers in time, where that is not its expiry. */
static bool put_deadline(const struct visit *visit, const struct incident *incident, struct text *page)
{
        static const char *const follows[] = {"then a person is called, and it has expired",
                                              "then it is denied", "then it runs as it is planned"};
        tables_agree(follows, ON_TIMEOUT_COUNT);
        const struct remediation *remediation = remediation_find(visit->parts->set, incident->remediation);
        nsec deadline = remediation ? question_deadline(incident, remediation) : 0;
        if (deadline == 0)
                return false;
        text_puts(page, ", until ");
        html_put_when(page, visit->now + deadline - journal_steady(visit->parts->journal), visit->now);
        text_printf(page, "; %s.", follows[question_on_timeout(incident, remediation)]);
        return true;
}

static void put_awaiting(const struct visit *visit, const struct incident *incident, struct text *page)
{
        nsec expiry = find_expiry(visit, incident);
        if (incident->approved) {
                text_puts(page, "was approved, and begins next.");
                return;
        }
        put_people(incident, page);
        if (put_deadline(visit, incident, page))
                return;
        if (expiry != 0) {
                text_puts(page, ", until ");
                html_put_when(page, expiry, visit->now);
                text_puts(page, "; then it expires");
        }
        text_puts(page, ".");
}

static const struct step_record *find_running(const struct incident *incident, size_t *ret_done)
{
        const struct step_record *running = NULL;
        for (size_t i = 0; i < incident->step_count; i++) {
                enum step_status status = incident->steps[i].status;
                if (status == STEP_STARTED || status == STEP_UNDOING)
                        running = &incident->steps[i];
                else if (status != STEP_WAITING)
                        (*ret_done)++;
        }
        return running;
}

static void put_running(const struct visit *visit, const struct incident *incident, struct text *page)
{
        size_t done = 0;
        const struct step_record *step = find_running(incident, &done);
        if (!step) {
                text_printf(page, "runs: %zu of %zu steps are over.", done, incident->step_count);
                return;
        }
        text_printf(page, "runs step %zu of %zu, <code>", step->position, incident->step_count);
        html_put_line(page, step->action, WORD_MOST);
        text_puts(page, "</code>, for ");
        html_put_span(page, visit->now > step->started_at ? visit->now - step->started_at : 0);
        const char *summary = json_string(step->plan, "summary");
        text_puts(page, summary ? ": " : "");
        html_put_line(page, summary, SENTENCE_MOST);
        text_puts(page, ".");
}

static void put_open(const struct visit *visit, const struct incident *incident, struct text *page)
{
        if (incident->unreadable) {
                text_puts(page, "cannot be read: ");
                html_put_line(page, incident->unreadable, SENTENCE_MOST);
                return;
        }
        switch (incident->state) {
        case INCIDENT_RECEIVED: text_puts(page, "has just come in."); break;
        case INCIDENT_HELD: put_held(visit, incident, page); break;
        case INCIDENT_AWAITING_APPROVAL: put_awaiting(visit, incident, page); break;
        case INCIDENT_RUNNING: put_running(visit, incident, page); break;
        case INCIDENT_VERIFYING: text_puts(page, "has run; whether it helped is being looked at."); break;
        case INCIDENT_FAILED: text_puts(page, "failed; a person is being called."); break;
        case INCIDENT_NOT_HEALED: text_puts(page, "did not help; a person is being called."); break;
        default: text_puts(page, "could not be verified; a person is being called."); break;
        }
}

/* What was done to anything, a few of it; false: nothing was. */
static bool put_deeds(const struct incident *incident, struct text *page)
{
        size_t shown = 0, more = 0;
        for (size_t i = 0; i < incident->step_count; i++) {
                const struct step_record *step = &incident->steps[i];
                const char *summary = json_string(step->outcome, "summary");
                if (step->status != STEP_DONE || !action_changes(step->action))
                        continue;
                if (shown == DEEDS_MOST) {
                        more++;
                        continue;
                }
                text_puts(page, shown++ > 0 ? "; " : "");
                html_put_line(page, summary ? summary : step->action, DEED_MOST);
        }
        if (more > 0)
                text_printf(page, "; and %zu more", more);
        return shown > 0;
}

/* Of what somebody has ended it is who it was; of what has failed it is what the timeline said last. */
static void put_reason(const struct visit *visit, const struct incident *incident, struct text *page)
{
        struct journal *journal = visit->parts->journal;
        _cleanup_free_ char *actor = NULL, *reason = NULL;
        bool decided = incident->state == INCIDENT_DENIED || incident->state == INCIDENT_CANCELLED;
        int r = decided ? journal_entered_by(journal, incident, &actor, &reason, NULL)
                        : journal_last_reason(journal, incident->id, &reason, NULL);
        if (r < 0 || incident->unreadable)
                return;
        if (actor && *actor) {
                text_puts(page, " by ");
                put_actor(page, actor);
        }
        text_puts(page, *reason ? ": " : "");
        html_put_line(page, reason, SENTENCE_MOST);
}

static void put_end(const struct visit *visit, const struct incident *incident, struct text *page)
{
        const char *tone = state_tone(incident);
        text_printf(page, "<span class=\"s %s\">%s</span>", tone ? tone : "dim", state_phrase(incident));
        if (incident_went_well(incident->state)) {
                text_puts(page, " after ");
                html_put_span(page, incident->ended_at - incident->opened_at);
        } else {
                put_reason(visit, incident, page);
        }
        if (incident->episode_open && !incident->unreadable && incident->state != INCIDENT_PLANNED)
                text_puts(page, incident_went_well(incident->state)
                                        ? "; its alert has not ended yet"
                                        : "; <span class=\"s bad\">its alert still fires</span>");
}

void put_sentence(const struct visit *visit, const struct incident *incident, struct text *page)
{
        put_subject(page, incident->remediation, &incident->alert);
        text_puts(page, incident->ended_at != 0 ? ": " : " ");
        if (incident->ended_at == 0) {
                put_open(visit, incident, page);
                return;
        }
        if (!incident->unreadable && put_deeds(incident, page))
                text_puts(page, "; ");
        put_end(visit, incident, page);
}
