/* SPDX-License-Identifier: Apache-2.0 */
/* What nobody has received, and a person wants sent again: a step's message at once, a call by its next try.
 */
#include "responder/incident/stages/stages.h"
#include "responder/incident/steps.h"
#include "runbook/assert.h"

/* One of each step, and the call. */
#define LETTERS_MOST 65

/* From here on it is not asked for any more: the call itself is tried as ever, only now. */
static int call_again(struct incident_run *run, const struct letter *letter, struct error *error)
{
        const struct journal_letter same = {letter->receiver, letter->what, letter->reason, letter->refused};
        struct journal_entry entry = {.event = "is called again", .letter = &same};
        int r = run_write(run, &entry, error);
        if (r >= 0)
                run->backoff = (struct backoff){0};
        return r;
}

/* Then the step is done, or its letter has the new reason. */
static int send_step(struct incident_run *run, const struct letter *letter, struct error *error)
{
        assert_that(letter->step > 0 && letter->step <= run->incident.step_count, "it is a step's message");
        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *outcome = NULL, *detail = cJSON_CreateObject();
        int r = run->incident.running_at != 0 ? run_take_up(run, error) : 0;
        if (r < 0)
                return r;
        bool sent = step_send(run, letter->step - 1, &outcome, &why) >= 0;
        const struct journal_letter again = {letter->receiver, letter->what, error_text(&why), true};
        if (json_put(detail, "to", cJSON_CreateString(letter->receiver)) < 0 ||
            json_put(detail, "error", cJSON_CreateString(error_text(&why))) < 0)
                return error_oom(error);
        struct journal_entry entry = {.event = sent ? "told at last" : "not told either this time",
                                      .step = letter->step,
                                      .step_status = sent ? STEP_DONE : STEP_WAITING,
                                      .letter = sent ? NULL : &again,
                                      .delivered = sent,
                                      .detail = sent ? outcome : detail};
        return run_write(run, &entry, error);
}

/* A step's waits until its incident has ended: until then that step may yet be run. */
static int keep_for_later(struct incident_run *run, const struct letter *letter, struct error *error)
{
        const struct journal_letter same = {letter->receiver, letter->what, letter->reason, letter->refused};
        struct journal_entry entry = {
                .event = "not sent before it has ended", .step = letter->step, .letter = &same};
        return run_write(run, &entry, error);
}

static int resend(struct incident_run *run, const struct letter *letter, struct error *error)
{
        return letter->step == 0             ? call_again(run, letter, error)
               : run->incident.ended_at != 0 ? send_step(run, letter, error)
                                             : keep_for_later(run, letter, error);
}

int stage_resend(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.resend_requested && !run->parts->dry_run,
                    "a person has asked for it, and a dry run tells nobody");
        struct letter_list letters = {0};
        int r = journal_letters(run->parts->journal, run->incident.id, LETTERS_MOST, &letters, error);
        for (size_t i = 0; i < letters.count && r >= 0 && !atomic_load(run->stopping); i++)
                if (letters.items[i].asked)
                        r = resend(run, &letters.items[i], error);
        letter_list_release(&letters);
        run->look_again = world_monotonic(run->parts->world);
        return r;
}
