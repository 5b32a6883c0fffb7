/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with a step after it has run: it is undone, its message is sent again, what it kept is let go.
 */
#include <errno.h>

#include "responder/incident/run_step.h"
#include "responder/incident/steps.h"
#include "responder/remediation/definition.h"
#include "runbook/assert.h"

#define UNDO_TIMEOUT (5 * 60 * NSEC_PER_SEC)
#define SETTLE_TIMEOUT (60 * NSEC_PER_SEC)

static int undo_step(struct incident_run *run, size_t index, struct error *error)
{
        assert_that(run_record_at(run, index)->status != STEP_WAITING &&
                            run_record_at(run, index)->status != STEP_UNDONE,
                    "what is undone has been done, and not been undone");
        const struct world *world = run->parts->world;
        const struct step *step = run_step_at(run, index);
        /* What a person asked for is done also while the responder is paused. */
        struct journal_entry undoing = {.event = "undo started",
                                        .step = index + 1,
                                        .step_status = STEP_UNDOING,
                                        .unless_paused = !run->incident.undo_requested};
        int r = run_write(run, &undoing, error);
        if (r < 0)
                return r;

        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *outcome = NULL;
        int result = definition_check_target(step, &run->parts->set->targets, &why);
        if (result >= 0)
                result = run_open_step(run, index, &why);
        if (result >= 0) {
                nsec within = step->timeout > UNDO_TIMEOUT ? step->timeout : UNDO_TIMEOUT;
                run_show_record(run, index, world_deadline(world, within));
                result = world->undo_step(world->context, step->action, &run->step, &outcome, &why);
                run_close_step(run, index);
        }
        _cleanup_json_ cJSON *failure =
                result < 0 ? run_failure_detail(run, index, "could not be undone", error_text(&why)) : NULL;
        struct journal_entry undone = {.event = result < 0 ? "undo failed" : "step undone",
                                       .step = index + 1,
                                       .step_status = result < 0 ? STEP_UNDO_FAILED : STEP_UNDONE,
                                       .detail = result < 0 ? failure : outcome};
        return run_write(run, &undone, error);
}

int steps_undo(struct incident_run *run, step_wanted *wanted, struct error *error)
{
        assert_that(incident_fits(&run->incident, run->remediation),
                    "the steps are those it was opened with");
        assert_that(run->incident.state >= INCIDENT_FAILED, "what is under way is not undone");
        for (size_t i = run->incident.step_count; i-- > 0;) {
                const struct step *step = run_step_at(run, i);
                const struct step_record *record = run_record_at(run, i);
                if (!step->action->undo || !run_step_was_begun(record) || !wanted(step, record))
                        continue;
                if (atomic_load(run->stopping))
                        return error_set(error, ECANCELED, "the daemon ends");
                _cleanup_free_ char *entered = NULL;
                int r = run_take_up(run, error);
                if (r >= 0)
                        r = run_enter_service(run, step, &entered, error);
                if (r >= 0)
                        r = undo_step(run, i, error);
                run_leave_service(run, entered);
                if (r < 0)
                        return r;
        }
        return 0;
}

int step_send(struct incident_run *run, size_t index, cJSON **ret_outcome, struct error *error)
{
        if (!run->remediation)
                return error_set(error, ESRCH,
                                 "remediations.yml no longer has this remediation with these steps");
        const struct step *step = run_step_at(run, index);
        assert_that(step->action->tells, "what is sent again was a message");
        int r = run_open_step(run, index, error);
        if (r < 0)
                return r;
        run_show_record(run, index, world_deadline(run->parts->world, step->timeout));
        r = run_act(run, step->action, "is told again", ret_outcome, error);
        run_close_step(run, index);
        return r;
}

int step_settle(struct incident_run *run, size_t index, struct error *error)
{
        assert_that(run->incident.ended_at != 0 && !run_record_at(run, index)->settled,
                    "what is over is settled once");
        const struct world *world = run->parts->world;
        const struct action *action = run_step_at(run, index)->action;
        if (action->settle && run_step_was_begun(run_record_at(run, index))) {
                int r = run_open_step(run, index, error);
                if (r < 0)
                        return r;
                run_show_record(run, index, world_deadline(world, SETTLE_TIMEOUT));
                r = world->settle_step(world->context, action, &run->step, error);
                run_close_step(run, index);
                if (r < 0)
                        return r;
        }
        struct journal_entry entry = {.event = "step settled", .step = index + 1, .settled = true};
        return run_write(run, &entry, error);
}
