/* SPDX-License-Identifier: Apache-2.0 */
/* An incident that owes somebody a word, while it goes on waiting, or after its end: told, and written down.
 */
#include "responder/incident/chain.h"
#include "responder/incident/escalate.h"
#include "responder/incident/report.h"
#include "responder/incident/stages/stages.h"
#include "responder/people/people.h"
#include "runbook/assert.h"
#include "runbook/text.h"

/* Who has paused, and why; it may be resumed by now. */
static int paused_reason(const struct incident_run *run, const char *expire, char **ret, struct error *error)
{
        _cleanup_free_ char *by = NULL, *why = NULL;
        bool paused = false;
        nsec since = 0;
        int r = journal_paused(run->parts->journal, &paused, &since, error);
        if (r >= 0 && paused)
                r = journal_paused_by(run->parts->journal, since, &by, &why, error);
        if (r < 0)
                return r;
        const char *name = actor_person(by);
        bool known = name != NULL, explained = why && *why;
        *ret = text_format(
                "the responder is paused%s%s%s%s, so nothing is run before somebody resumes it; it "
                "expires after %s",
                known ? " by " : "", known ? name : "", explained ? ": " : "", explained ? why : "", expire);
        return *ret ? 0 : error_oom(error);
}

/* The steps that are done, or are still to be done, by their numbers; "none". */
static void put_steps(struct text *text, const struct incident *incident, bool waiting)
{
        size_t count = 0;
        for (size_t i = 0; i < incident->step_count; i++) {
                const struct step_record *step = &incident->steps[i];
                if ((step->status == STEP_WAITING) == waiting)
                        text_printf(text, "%s%zu %s", count++ > 0 ? ", " : "", step->position, step->action);
        }
        text_puts(text, count > 0 ? "" : "none");
}

/* Who is at it, and in which state it is handed over. */
static int human_reason(const struct incident_run *run, const char *expire, char **ret, struct error *error)
{
        const struct incident *incident = &run->incident;
        _cleanup_free_ char *who = NULL;
        _cleanup_text_ struct text text = {0};
        char until[TIME_TEXT_MAX];
        int r = people_last(run->parts->journal, incident->id, &who, error);
        if (r < 0)
                return r;
        text_printf(&text, "%s, so nothing more is begun ", who);
        if (incident->running_at != 0) {
                text_puts(&text, "(steps begun: ");
                put_steps(&text, incident, false);
                text_puts(&text, "; not begun: ");
                put_steps(&text, incident, true);
                text_puts(&text, ") ");
        }
        if (incident->guard_until != 0)
                text_printf(&text, "before %s, unless it is given back; it expires after %s",
                            time_format(incident->guard_until, until), expire);
        else
                text_puts(&text, "before it is given back");
        *ret = text_take(&text);
        return *ret ? 0 : error_oom(error);
}

/* Why it is held, and until when it would be. */
static int held_reason(const struct incident_run *run, char **ret, struct error *error)
{
        const struct incident *incident = &run->incident;
        char until[TIME_TEXT_MAX], expire[DURATION_TEXT_MAX];
        duration_format(run->remediation->expire, expire);
        if (string_equal(incident->guard, "paused"))
                return paused_reason(run, expire, ret, error);
        if (string_equal(incident->guard, PEOPLE_GUARD))
                return human_reason(run, expire, ret, error);
        *ret = text_format("by `%s`%s%s, and it expires after %s", incident->guard,
                           incident->guard_until != 0 ? " until " : "",
                           incident->guard_until != 0 ? time_format(incident->guard_until, until) : "",
                           expire);
        return *ret ? 0 : error_oom(error);
}

/* What is owed, in words, and why; `*ret_reason` is to be freed. */
static int find_words(struct incident_run *run, const char **ret_what, char **ret_reason, struct error *error)
{
        const struct incident *incident = &run->incident;
        int r = 0;
        *ret_what = string_equal(incident->owes, OWES_APPROVAL) ? "awaits approval"
                    : string_equal(incident->owes, OWES_HELD)   ? "is held"
                    : string_equal(incident->owes, OWES_TAKEN)  ? "is taken up"
                    : string_equal(incident->owes, OWES_OVER)   ? "is over"
                                                                : incident_state_name(incident->state);
        if (string_equal(incident->owes, OWES_HELD))
                r = held_reason(run, ret_reason, error);
        else if (string_equal(incident->owes, OWES_APPROVAL))
                r = journal_last_reason(run->parts->journal, incident->id, ret_reason, error);
        else
                *ret_reason = strdup(string_equal(incident->owes, OWES_OVER)    ? "its alert has ended"
                                     : string_equal(incident->owes, OWES_TAKEN) ? "somebody is at it"
                                                                                : "");
        return r < 0 || *ret_reason ? r : error_oom(error);
}

/* How many others the same guard holds back, in words, for one message about all of them. */
static int add_others(struct incident_run *run, char **reason, int64_t *ret_youngest, struct error *error)
{
        int64_t count = 0;
        *ret_youngest = 0;
        if (!string_equal(run->incident.owes, OWES_HELD))
                return 0;
        int r = journal_held_with(run->parts->journal, &run->incident, &count, ret_youngest, error);
        if (r < 0 || count == 0)
                return r;
        char *with = text_format("%s; and so %s %lld more of %s", *reason, count == 1 ? "is" : "are",
                                 (long long)count, run->incident.remediation);
        if (!with)
                return error_oom(error);
        free(*reason);
        *reason = with;
        return 0;
}

static enum message_mood mood_of(const struct incident *incident)
{
        return string_equal(incident->owes, OWES_TAKEN) ? MESSAGE_TAKEN
               : string_equal(incident->owes, OWES_END) || string_equal(incident->owes, OWES_OVER)
                       ? MESSAGE_OVER
                       : MESSAGE_WAITS;
}

/* What is owed next: who has taken up what was given up is still to hear when its alert has ended. */
static const char *owed_next(const struct incident *incident)
{
        return string_equal(incident->owes, OWES_TAKEN) && incident->ended_at != 0 &&
                               incident_was_given_up(incident->state)
                       ? OWES_OVER
                       : NULL;
}

/* A call that has been heard has its place in the timeline. */
static int write_told(struct incident_run *run, const char *what, int64_t youngest, struct error *error)
{
        const char *receiver = escalation_receiver(run);
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        if (json_put(detail, "what", cJSON_CreateString(what)) < 0 ||
            json_put(detail, "incident", cJSON_CreateString(run->incident.number)) < 0 ||
            json_put(detail, "to", receiver ? cJSON_CreateString(receiver) : cJSON_CreateNull()) < 0)
                return error_oom(error);
        struct journal_entry told = {
                .event = receiver ? "told" : "nobody is to be told",
                .told = run->incident.owes,
                .owes = owed_next(&run->incident),
                .told_of = string_equal(run->incident.owes, OWES_HELD) ? run->incident.guard : "",
                .told_until = youngest,
                .detail = detail,
        };
        _cleanup_json_ cJSON *chain = NULL;
        int r = string_equal(run->incident.owes, OWES_APPROVAL)
                        ? chain_mark(run->parts, &run->incident, 0, NULL, &told, &chain, error)
                        : 0;
        return r < 0 ? r : run_write(run, &told, error);
}

/* Those of its chain who keep it open: all of them again when one has not heard, for they know it by its key.
 */
static int tell_keepers(struct incident_run *run, const char *const *keepers, size_t count, const char *what,
                        const char *reason, struct error *error)
{
        struct report report = {0};
        int r = report_make(run, mood_of(&run->incident), what, reason, &report, error);
        for (size_t i = 0; i < count && r >= 0; i++)
                r = call_receiver(run->parts, keepers[i], &report.message, &run->backoff, error);
        report_release(&report);
        return r;
}

/* Where nobody but one of its chain keeps it open, the first one does not hear that somebody has taken it up,
 * nor that the alert of what was given up is over. */
static int tell(struct incident_run *run, const char *what, const char *reason, struct error *error)
{
        const char *receiver = escalation_receiver(run), *owes = run->incident.owes;
        const char *keepers[CHAIN_NEXT_MOST];
        size_t count = 0;
        bool opened = string_equal(owes, OWES_TAKEN) || string_equal(owes, OWES_OVER);
        int r = opened || string_equal(owes, OWES_END)
                        ? chain_keepers(run->parts, &run->incident, keepers, &count, error)
                        : 0;
        if (r >= 0 && count > 0)
                r = tell_keepers(run, keepers, count, what, reason, error);
        bool hears = !opened || count == 0 ||
                     receiver_keeps_open(target_set_receiver(&run->parts->set->targets, receiver));
        return r >= 0 && receiver && hears
                       ? call_until_heard(run, mood_of(&run->incident), what, reason, error)
                       : r;
}

int stage_tell(struct incident_run *run, struct error *error)
{
        assert_that(*run->incident.owes, "something is owed");
        assert_that(!run->parts->dry_run, "a dry run tells nobody");
        const char *what = NULL;
        _cleanup_free_ char *reason = NULL;
        int64_t youngest = 0;
        int r = find_words(run, &what, &reason, error);
        if (r >= 0)
                r = add_others(run, &reason, &youngest, error);
        if (r >= 0)
                r = tell(run, what, reason, error);
        /* Nothing else about it waits until somebody could be reached: only the call is tried again. */
        run->look_again = world_monotonic(run->parts->world);
        return r < 0 ? r : write_told(run, what, youngest, error);
}
