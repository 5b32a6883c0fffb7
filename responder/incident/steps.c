/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of one incident: run one after the other, each between two durable commits. */
#include "responder/incident/steps.h"

#include <errno.h>

#include "responder/incident/cut.h"
#include "responder/incident/patience.h"
#include "responder/incident/planning.h"
#include "responder/incident/question.h"
#include "responder/incident/run_step.h"
#include "responder/incident/yield.h"
#include "responder/remediation/definition.h"
#include "runbook/assert.h"

/* A message that was to be sent by a step, and was not; it borrows from the run and the reason. */
static struct journal_letter letter_of(const struct incident_run *run, size_t index, const char *reason)
{
        const struct step *step = run_step_at(run, index);
        const char *receiver = json_string(step->target, "name");
        const char *plan = json_string(run->incident.steps[index].plan, "summary");
        return (struct journal_letter){receiver ? receiver : "", plan ? plan : step->action->name, reason,
                                       true};
}

/* How a step can fail. */
enum failure { FAILED_TO_PLAN, FAILED_TO_RUN, FAILED_MIDWAY };

/* One commit: the step's failure, and, unless it is to be passed over, the incident's. */
static int write_failure(struct incident_run *run, size_t index, enum failure failure, const char *sentence,
                         enum steps_end *ret, struct error *error)
{
        assert_that(sentence, "a failure says why");
        static const char *const words[] = {"cannot be planned", "failed", "was interrupted"};
        bool interrupted = failure == FAILED_MIDWAY;
        const char *event = interrupted ? "step interrupted" : "step failed";
        enum step_status status = interrupted ? STEP_INTERRUPTED : STEP_FAILED;
        unsigned tries = patience_end(run);
        _cleanup_free_ char *tried = tries > 1 ? text_format("%s (tried %u times)", sentence, tries) : NULL;
        _cleanup_json_ cJSON *detail =
                run_failure_detail(run, index, words[failure], tried ? tried : sentence);
        const struct journal_letter letter = letter_of(run, index, tried ? tried : sentence);
        const struct journal_letter *undelivered = run_step_at(run, index)->action->tells ? &letter : NULL;
        /* What was interrupted nobody but a person can judge, whatever is said of the step. */
        if (!interrupted && !run_step_at(run, index)->essential) {
                struct journal_entry entry = {.event = event,
                                              .expect = INCIDENT_RUNNING,
                                              .step = index + 1,
                                              .step_status = status,
                                              .letter = undelivered,
                                              .detail = detail};
                return run_write(run, &entry, error);
        }
        const struct incident_change change = {.to = INCIDENT_FAILED,
                                               .event = event,
                                               .step = index + 1,
                                               .step_status = status,
                                               .letter = undelivered,
                                               .detail = detail};
        int r = run_enter(run, &change, error);
        if (r >= 0)
                *ret = STEPS_FAILED;
        return r;
}

/* Tries it again in a while, where that may help and `may_wait` says so; else that was it. */
static int fail_step(struct incident_run *run, size_t index, enum failure failure, bool may_wait,
                     const struct error *why, enum steps_end *ret, struct error *error)
{
        int r = may_wait ? patience_again(run, "step waits", why, error) : 0;
        if (r > 0)
                *ret = STEPS_WAITING;
        if (r != 0)
                return r < 0 ? r : 0;
        return write_failure(run, index, failure, error_text(why), ret, error);
}

static int write_outcome(struct incident_run *run, size_t index, const char *event, const cJSON *outcome,
                         struct error *error)
{
        patience_end(run);
        struct journal_entry entry = {.event = event,
                                      .expect = INCIDENT_RUNNING,
                                      .step = index + 1,
                                      .step_status = STEP_DONE,
                                      .detail = outcome};
        return run_write(run, &entry, error);
}

static int ask_person(struct incident_run *run, size_t index, const char *reason, const cJSON *plan,
                      enum steps_end *ret, struct error *error)
{
        cJSON *members = cJSON_CreateObject();
        _cleanup_json_ cJSON *question = NULL;
        if (members) {
                json_put(members, "plan", cJSON_Duplicate(plan, true));
                json_put(members, "about_step", cJSON_CreateNumber((double)index + 1));
        }
        _cleanup_json_ cJSON *detail = reason_detail(reason, members);
        int r = question_about_step(run, index + 1, run_step_at(run, index)->action, plan, &question, error);
        if (r < 0)
                return r;
        const struct incident_change change = {.to = INCIDENT_AWAITING_APPROVAL,
                                               .event = "awaiting approval",
                                               .asked = question,
                                               .detail = detail};
        r = run_enter(run, &change, error);
        if (r >= 0)
                *ret = STEPS_ASKING;
        return r;
}

/* From this commit on the step has begun. 1: it has; 0: somebody paused the responder, or took the incident,
 * while it was being planned, or it could not be written down for too long: then all is asked anew. */
static int write_begun(struct incident_run *run, struct journal_entry *entry, enum steps_end *ret,
                       struct error *error)
{
        _cleanup_error_ struct error why = {0};
        int r = run_write(run, entry, &why);
        if (r == -ECANCELED) {
                *ret = STEPS_PAUSED;
                patience_stop(run);
        } else if (r < 0) {
                error_move(error, &why);
        }
        return r == -ECANCELED ? 0 : r < 0 ? r : 1;
}

/* Why a person is asked about this plan first, in `ret` (free() it): 1; 0: nobody is. What was agreed to was
 * another plan, or nobody was asked yet and it touches more than it may. */
static int find_reason(const struct incident_run *run, size_t index, const cJSON *plan, char **ret,
                       struct error *error)
{
        const struct step *step = run_step_at(run, index);
        if (!question_is_answered(&run->incident) && step_exceeds_max(step, index + 1, plan, ret))
                return *ret ? 1 : error_oom(error);
        if (!run->incident.approved || !step->essential)
                return 0;
        int r = question_step_differs(run, index + 1, step->action, plan, ret, error);
        return r < 0 ? r : *ret != NULL;
}

/* Plans the step and writes the plan down: from then on it counts as begun. 1: it may run; 0: `*ret` says why
 * not. */
static int begin_step(struct incident_run *run, size_t index, enum steps_end *ret, struct error *error)
{
        assert_that(run->step.config, "a step is planned with what is bound for it");
        const struct step *step = run_step_at(run, index);
        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *plan = NULL;
        nsec within = step->timeout < PATIENCE_TO_PLAN ? step->timeout : PATIENCE_TO_PLAN;
        patience_begin(run, PATIENCE_PLAN, index + 1, within);
        if (step_plan(run->parts->world, step, &run->step, &plan, &why) < 0)
                /* The cure does not wait for what only accompanies it. */
                return fail_step(run, index, FAILED_TO_PLAN, step->essential, &why, ret, error);

        patience_end(run); /* it could be planned, whatever keeps it from its begin */
        _cleanup_free_ char *reason = NULL;
        int asks = find_reason(run, index, plan, &reason, error);
        if (asks < 0)
                return asks;
        /* Of what only accompanies the cure nobody is asked. */
        if (asks && !step->essential)
                return write_failure(run, index, FAILED_TO_PLAN, reason, ret, error);
        if (asks)
                return ask_person(run, index, reason, plan, ret, error);

        const struct people_question people = yield_question(run);
        struct journal_entry started = {.event = "step started",
                                        .expect = INCIDENT_RUNNING,
                                        .unless_paused = true,
                                        .unless_hands = step->action->effect != EFFECT_READ_ONLY,
                                        .hands_after = people_seen_after(&people),
                                        .valid_until = run_decided_until(run),
                                        .step = index + 1,
                                        .step_status = STEP_STARTED,
                                        .detail = plan};
        return write_begun(run, &started, ret, error);
}

/*
 * A step that a crash came upon goes on with its own plan and what it reported last: planned anew, it would
 * take its own half-done work for the state of things.
 */
static int continue_step(struct incident_run *run, size_t index, enum steps_end *ret, struct error *error)
{
        assert_that(run_record_at(run, index)->status == STEP_STARTED, "what goes on has begun");
        struct journal_entry on = {.event = "step goes on",
                                   .expect = INCIDENT_RUNNING,
                                   .unless_paused = true,
                                   /* That it waits to be tried again the timeline has already. */
                                   .ask_only = run->patience.tries > 0,
                                   .step = index + 1};
        return write_begun(run, &on, ret, error);
}

/* What was begun may go on after it was cut off somewhere, or can tell where that was. */
static bool may_run_again(const struct step *step)
{
        const struct action *action = step->action;
        return action->resume || action->repeatable || action->effect == EFFECT_READ_ONLY;
}

/* Runs the step that was begun, by its journaled plan, and writes down what came of it. */
static int run_begun(struct incident_run *run, size_t index, enum steps_end *ret, struct error *error)
{
        assert_that(run_record_at(run, index)->status == STEP_STARTED && run_record_at(run, index)->plan,
                    "what runs was begun in the journal, with its plan");
        const struct step *step = run_step_at(run, index);
        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *outcome = NULL;

        run_show_record(run, index, patience_begin(run, PATIENCE_RUN, index + 1, step->timeout));
        int result = run_act(run, step->action, "goes on", &outcome, &why);
        if (result >= 0)
                return write_outcome(run, index, "step done", outcome, error);
        bool may_wait = step->essential && may_run_again(step);
        return fail_step(run, index, FAILED_TO_RUN, may_wait, &why, ret, error);
}

/* Nobody else is at what it changes: 1; 0: `*ret` says that it waits for who is, or does not wait. */
static int enter(struct incident_run *run, size_t index, char **ret_entered, enum steps_end *ret,
                 struct error *error)
{
        _cleanup_error_ struct error why = {0};
        const struct step *step = run_step_at(run, index);
        const struct step bound = {.action = step->action, .config = run->step.config};
        int r = run_enter_service(run, &bound, ret_entered, &why);
        if (r != -EBUSY) {
                error_move(error, &why);
                return r < 0 ? r : 1;
        }
        patience_begin(run, PATIENCE_TURN, index + 1, PATIENCE_FOR_TURN);
        return fail_step(run, index, FAILED_TO_PLAN, step->essential, &why, ret, error);
}

/* Begins the step, or goes on with it, runs it, writes down what came of it. */
static int run_step(struct incident_run *run, size_t index, bool begun, enum steps_end *ret,
                    struct error *error)
{
        _cleanup_error_ struct error why = {0};
        if (run_open_step(run, index, &why) < 0)
                return write_failure(run, index, FAILED_TO_PLAN, error_text(&why), ret, error);
        _cleanup_free_ char *entered = NULL;
        int r = enter(run, index, &entered, ret, error);
        if (r > 0)
                r = begun && run_record_at(run, index)->plan ? continue_step(run, index, ret, error)
                                                             : begin_step(run, index, ret, error);
        if (r > 0)
                r = run_begun(run, index, ret, error);
        run_leave_service(run, entered);
        run_close_step(run, index);
        return r;
}

/* What came of a step that was under way when the daemon ended, as far as its action can tell. */
static enum resumption find_out(struct incident_run *run, size_t index, cJSON **ret_outcome,
                                struct error *why)
{
        assert_that(run_record_at(run, index)->status == STEP_STARTED, "what is found out about has begun");
        const struct world *world = run->parts->world;
        const struct step *step = run_step_at(run, index);
        const struct action *action = step->action;
        if (!action->resume) {
                if (may_run_again(step))
                        return RESUME_AGAIN;
                error_set(why, EINTR, "the daemon ended while it ran, and it must not run twice");
                return RESUME_UNKNOWN;
        }
        if (run_open_step(run, index, why) < 0)
                return RESUME_UNKNOWN;
        run_show_record(run, index, patience_begin(run, PATIENCE_RUN, index + 1, step->timeout));
        enum resumption found = world->resume_step(world->context, action, &run->step, ret_outcome, why);
        run_close_step(run, index);
        return found;
}

/* A step that was under way when the daemon ended, or has failed in a way that may pass. `ret_again`: it may
 * be run (again). */
static int recover_step(struct incident_run *run, size_t index, bool *ret_again, enum steps_end *ret,
                        struct error *error)
{
        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *outcome = NULL;
        enum resumption found = find_out(run, index, &outcome, &why);
        bool tried = run->patience.tries > 0;
        const char *done = tried ? "step was done" : "step done before the restart";
        *ret_again = found == RESUME_AGAIN;
        if (found == RESUME_AGAIN)
                return 0;
        if (found == RESUME_DONE)
                return write_outcome(run, index, done, outcome, error);
        /* Who would tell is perhaps only starting, as after a boot of the machine. */
        return fail_step(run, index, FAILED_MIDWAY, run->patience.what == PATIENCE_RUN, &why, ret, error);
}

/* What is to act must be what was planned and journaled: when the file says something else now, nothing does,
 * and a person decides. True: it was interrupted. */
static int interrupt_changed(struct incident_run *run, size_t index, bool *ret_interrupted,
                             enum steps_end *ret, struct error *error)
{
        _cleanup_free_ char *differences = NULL;
        int r = run_differs(run, &differences, error);
        if (r >= 0 && differences)
                r = write_failure(run, index, FAILED_MIDWAY, differences, ret, error);
        *ret_interrupted = r >= 0 && differences;
        return r;
}

/* Whether the next step may begin: `*ret` is STEPS_COMPLETE when it may. */
static int may_go_on(struct incident_run *run, enum steps_end *ret, struct error *error)
{
        bool paused = false;
        nsec since = 0;
        if (atomic_load(run->stopping)) {
                *ret = STEPS_STOPPING;
                return 0;
        }
        int r = journal_paused(run->parts->journal, &paused, &since, error);
        if (r >= 0 && paused)
                *ret = STEPS_PAUSED;
        return r < 0 ? r : run_refresh(run, error);
}

/* One step that is not finished; `*ret` is STEPS_COMPLETE when the next one may follow. */
static int carry_out(struct incident_run *run, size_t index, enum steps_end *ret, struct error *error)
{
        assert_that(run->incident.state == INCIDENT_RUNNING, "steps are carried out while it runs");
        bool begun = run->incident.steps[index].status == STEP_STARTED, again = true, interrupted = false;
        int r = may_go_on(run, ret, error);
        if (r < 0 || *ret != STEPS_COMPLETE)
                return r;
        bool skipped = false;
        if (!begun)
                r = cut_skips(run, index, &skipped, error);
        if (r >= 0 && skipped)
                return cut_skip(run, index, error);
        if (r >= 0 && !begun) {
                /* What is done is done, and the rest waits. */
                r = yield_to_people(run, index, 1, error);
                if (r > 0)
                        *ret = STEPS_YIELDED;
        }
        if (r != 0)
                return r < 0 ? r : 0;
        r = interrupt_changed(run, index, &interrupted, ret, error);
        if (r >= 0 && !interrupted && begun)
                r = recover_step(run, index, &again, ret, error);
        if (r < 0 || interrupted || !again)
                return r;
        return run_step(run, index, begun, ret, error);
}

int steps_run(struct incident_run *run, enum steps_end *ret, struct error *error)
{
        assert_that(run->incident.state == INCIDENT_RUNNING, "steps are carried out while it runs");
        assert_that(incident_fits(&run->incident, run->remediation),
                    "the steps are those it was opened with");
        enum steps_end end = STEPS_COMPLETE;
        for (size_t i = 0; i < run->incident.step_count && end == STEPS_COMPLETE; i++) {
                enum step_status status = run->incident.steps[i].status;
                if (status != STEP_WAITING && status != STEP_STARTED)
                        continue;
                int r = carry_out(run, i, &end, error);
                if (r < 0)
                        return r;
        }
        *ret = end == STEPS_COMPLETE ? cut_end(&run->incident) : end;
        return 0;
}
