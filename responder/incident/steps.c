/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of one incident: run one after the other, each between two durable commits; and their undo. */
#include "responder/incident/steps.h"

#include <errno.h>
#include <time.h>

#include "responder/incident/planning.h"
#include "runbook/log.h"

#define WRITE_AGAIN NSEC_PER_SEC
#define UNDO_TIMEOUT (5 * 60 * NSEC_PER_SEC)
#define SETTLE_TIMEOUT (60 * NSEC_PER_SEC)

bool walk_fits(const struct remediation *remediation, const struct incident *incident)
{
        if (!remediation || remediation->step_count != incident->step_count)
                return false;
        for (size_t i = 0; i < incident->step_count; i++)
                if (!string_equal(remediation->steps[i].action->name, incident->steps[i].action))
                        return false;
        return true;
}

int walk_refresh(struct walk *walk, struct error *error)
{
        struct incident fresh = {0};
        int r = journal_find(walk->options->journal, walk->incident.number, &fresh, error);
        if (r < 0)
                return r;
        incident_release(&walk->incident);
        walk->incident = fresh;
        return 0;
}

static void pause_for(nsec duration)
{
        const struct timespec time = {.tv_sec = (time_t)(duration / NSEC_PER_SEC),
                                      .tv_nsec = (long)(duration % NSEC_PER_SEC)};
        nanosleep(&time, NULL);
}

/* Writes without reading anew, so that what others borrowed of the incident stays where it is. */
static int walk_put(struct walk *walk, struct journal_entry *entry, struct error *error)
{
        entry->incident = walk->incident.id;
        if (!entry->actor)
                entry->actor = "engine";
        for (bool told = false;;) {
                _cleanup_error_ struct error why = {0};
                int r = journal_write(walk->options->journal, entry, &why);
                if (r >= 0)
                        return 0;
                if (r == -ESTALE || atomic_load(walk->stopping)) {
                        error_move(error, &why);
                        return r;
                }
                if (!told)
                        log_event(LOG_ERROR, "Cannot write to the journal, trying until it works", "incident",
                                  walk->incident.number, "event", entry->event, "error", error_text(&why),
                                  NULL);
                told = true;
                pause_for(WRITE_AGAIN);
        }
}

int walk_write(struct walk *walk, struct journal_entry *entry, struct error *error)
{
        int r = walk_put(walk, entry, error);
        return r < 0 ? r : walk_refresh(walk, error);
}

cJSON *reason_detail(const char *reason, cJSON *take)
{
        cJSON *detail = take ? take : cJSON_CreateObject();
        if (detail && json_put(detail, "reason", cJSON_CreateString(reason)) < 0) {
                cJSON_Delete(detail);
                return NULL;
        }
        return detail;
}

/* What a failed step leaves: its own sentence, and the one that the incident is shown with. */
static cJSON *failure_detail(const struct walk *walk, size_t index, const char *what, const char *sentence)
{
        _cleanup_free_ char *reason =
                text_format("step %zu (%s) %s: %s", index + 1, walk->remediation->steps[index].action->name,
                            what, sentence);
        cJSON *detail = reason ? reason_detail(reason, NULL) : NULL;
        if (detail)
                json_put(detail, "summary", cJSON_CreateString(sentence));
        if (detail)
                json_put(detail, "failed", cJSON_CreateTrue());
        return detail;
}

/* Everything that one step needs while it runs, resumes or is undone. */
struct stage {
        struct step_work work;
        struct walk *walk;
        size_t index;
        cJSON *plan, *progress, *outcome;
};

static void stage_release(struct stage *stage)
{
        step_close(&stage->work);
        cJSON_Delete(stage->plan);
        cJSON_Delete(stage->progress);
        cJSON_Delete(stage->outcome);
}
#define _cleanup_stage_ _cleanup_(stage_release)

static int stage_write_progress(struct step_run *run, const cJSON *state, struct error *error)
{
        struct stage *stage = run->engine;
        cJSON *copy = cJSON_Duplicate(state, true);
        if (!copy)
                return error_oom(error);
        struct journal_entry entry = {
                .event = "progress", .step = stage->index + 1, .step_status = STEP_PROGRESS, .detail = state};
        int r = walk_put(stage->walk, &entry, error);
        if (r < 0) {
                cJSON_Delete(copy);
                return r;
        }
        cJSON_Delete(stage->progress);
        stage->progress = copy;
        run->progress = copy;
        return 0;
}

/* Binds the step, and takes over what the journal knows of it. The stage must not move afterwards. */
static int stage_open(struct stage *stage, struct walk *walk, size_t index, nsec timeout, struct error *error)
{
        const struct step_record *record = &walk->incident.steps[index];
        *stage = (struct stage){.walk = walk, .index = index};
        int r = step_open(&stage->work, &walk->remediation->steps[index], index + 1, &walk->incident.alert,
                          walk->incident.number, walk->options->targets, error);
        if (r < 0)
                return r;
        /* Copies: the record is read anew with every write. */
        stage->plan = record->plan ? cJSON_Duplicate(record->plan, true) : NULL;
        stage->progress = record->progress ? cJSON_Duplicate(record->progress, true) : NULL;
        /* What failed midway has no outcome: what it left is the sentence about it. */
        bool has_outcome = record->outcome && !json_bool(record->outcome, "failed", false);
        stage->outcome = has_outcome ? cJSON_Duplicate(record->outcome, true) : NULL;
        struct step_run *run = &stage->work.run;
        run->plan = stage->plan;
        run->progress = stage->progress;
        run->outcome = stage->outcome;
        run->write_progress = stage_write_progress;
        run->engine = stage;
        run->deadline = deadline_in(timeout);
        return 0;
}

/* `alert` and `incident` of a run are borrowed from the walk, whose incident is replaced at each write. */
static void stage_rebase(struct stage *stage)
{
        stage->work.run.alert = &stage->walk->incident.alert;
        stage->work.run.incident = stage->walk->incident.number;
}

/* One commit: the step's failure, and, unless it is to be passed over, the incident's. */
static int write_failure(struct walk *walk, size_t index, enum step_status status, const char *event,
                         const char *what, const char *sentence, bool pass_over, enum steps_end *ret,
                         struct error *error)
{
        _cleanup_json_ cJSON *detail = failure_detail(walk, index, what, sentence);
        struct journal_entry entry = {.event = event,
                                      .expect = INCIDENT_RUNNING,
                                      .state = pass_over ? INCIDENT_UNCHANGED : INCIDENT_FAILED,
                                      .step = index + 1,
                                      .step_status = status,
                                      .detail = detail};
        int r = walk_write(walk, &entry, error);
        if (r >= 0 && !pass_over)
                *ret = STEPS_FAILED;
        return r;
}

static int step_failed(struct walk *walk, size_t index, const char *sentence, enum steps_end *ret,
                       struct error *error)
{
        bool pass_over = walk->remediation->steps[index].on_failure == ON_FAILURE_CONTINUE;
        return write_failure(walk, index, STEP_FAILED, "step failed", "failed", sentence, pass_over, ret,
                             error);
}

static int write_outcome(struct walk *walk, size_t index, const char *event, const cJSON *outcome,
                         struct error *error)
{
        struct journal_entry entry = {.event = event,
                                      .expect = INCIDENT_RUNNING,
                                      .step = index + 1,
                                      .step_status = STEP_DONE,
                                      .detail = outcome};
        return walk_write(walk, &entry, error);
}

static int ask_a_person(struct walk *walk, const char *reason, const cJSON *plan, enum steps_end *ret,
                        struct error *error)
{
        cJSON *members = cJSON_CreateObject();
        if (members)
                json_put(members, "plan", cJSON_Duplicate(plan, true));
        _cleanup_json_ cJSON *detail = reason_detail(reason, members);
        struct journal_entry entry = {.event = "awaiting approval",
                                      .expect = INCIDENT_RUNNING,
                                      .state = INCIDENT_AWAITING_APPROVAL,
                                      .detail = detail};
        int r = walk_write(walk, &entry, error);
        if (r >= 0)
                *ret = STEPS_ASKING;
        return r;
}

/* Plans the step and writes the plan down: from then on it counts as begun. */
static int begin_step(struct stage *stage, enum steps_end *ret, struct error *error)
{
        struct walk *walk = stage->walk;
        size_t index = stage->index;
        const struct step *step = &walk->remediation->steps[index];
        _cleanup_error_ struct error why = {0};
        cJSON_Delete(stage->plan);
        stage->plan = NULL;
        int r = step_plan(&stage->work, &stage->plan, &why);
        if (r < 0)
                return step_failed(walk, index, error_text(&why), ret, error);

        _cleanup_free_ char *reason = NULL;
        if (step_exceeds_max(step, index + 1, stage->plan, &reason) && !walk->incident.approved)
                return ask_a_person(walk, reason ? reason : "too many targets", stage->plan, ret, error);

        struct journal_entry started = {.event = "step started",
                                        .expect = INCIDENT_RUNNING,
                                        .step = index + 1,
                                        .step_status = STEP_STARTED,
                                        .detail = stage->plan};
        r = walk_write(walk, &started, error);
        if (r < 0)
                return r;
        stage->work.run.progress = NULL;
        return 1;
}

/*
 * A step that a crash came upon goes on with its own plan and what it reported last: planned anew, it would
 * take its own half-done work for the state of things.
 */
static int go_on(struct stage *stage, struct error *error)
{
        struct journal_entry on = {
                .event = "step goes on", .expect = INCIDENT_RUNNING, .step = stage->index + 1};
        int r = walk_write(stage->walk, &on, error);
        return r < 0 ? r : 1;
}

/* Begins the step, or goes on with it, runs it, writes down what came of it. */
static int run_step(struct walk *walk, size_t index, bool begun, enum steps_end *ret, struct error *error)
{
        const struct step *step = &walk->remediation->steps[index];
        _cleanup_error_ struct error why = {0};
        _cleanup_stage_ struct stage stage = {0};
        int r = stage_open(&stage, walk, index, step->timeout, &why);
        if (r < 0)
                return step_failed(walk, index, error_text(&why), ret, error);
        r = begun && stage.plan ? go_on(&stage, error) : begin_step(&stage, ret, error);
        if (r <= 0)
                return r;

        stage_rebase(&stage);
        stage.work.run.plan = stage.plan;
        stage.work.run.outcome = NULL;
        stage.work.run.deadline = deadline_in(step->timeout);

        _cleanup_json_ cJSON *outcome = NULL;
        nsec began = clock_monotonic();
        int result = step->action->run(&stage.work.run, &outcome, &why);
        meters_step(walk->options->meters, step->action->name, result >= 0, clock_monotonic() - began);
        if (result < 0)
                return step_failed(walk, index, error_text(&why), ret, error);
        return write_outcome(walk, index, "step done", outcome, error);
}

/* A step that was under way when the daemon ended. `ret_again`: it may be run (again). */
static int recover_step(struct walk *walk, size_t index, bool *ret_again, enum steps_end *ret,
                        struct error *error)
{
        const struct step *step = &walk->remediation->steps[index];
        const struct action *action = step->action;
        *ret_again = false;
        if (!action->resume && (action->repeatable || action->effect == EFFECT_READ_ONLY)) {
                *ret_again = true;
                return 0;
        }

        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *outcome = NULL;
        enum resumption found = RESUME_UNKNOWN;
        if (action->resume) {
                _cleanup_stage_ struct stage stage = {0};
                if (stage_open(&stage, walk, index, step->timeout, &why) >= 0)
                        found = action->resume(&stage.work.run, &outcome, &why);
        } else {
                error_set(&why, EINTR, "the daemon ended while it ran, and it must not run twice");
        }

        if (found == RESUME_DONE)
                return write_outcome(walk, index, "step done before the restart", outcome, error);
        if (found == RESUME_AGAIN) {
                *ret_again = true;
                return 0;
        }
        /* Whatever `on_failure` says: nobody but a person can tell what it did. */
        return write_failure(walk, index, STEP_INTERRUPTED, "step interrupted", "was interrupted",
                             error_text(&why), false, ret, error);
}

static bool anything_begun(const struct incident *incident)
{
        for (size_t i = 0; i < incident->step_count; i++)
                if (incident->steps[i].status != STEP_WAITING && incident->steps[i].status != STEP_SKIPPED)
                        return true;
        return false;
}

static int skip_rest(struct walk *walk, size_t index, const char *reason, struct error *error)
{
        _cleanup_json_ cJSON *detail = reason_detail(reason, NULL);
        for (size_t i = index; i < walk->incident.step_count; i++) {
                if (walk->incident.steps[i].status != STEP_WAITING)
                        continue;
                struct journal_entry entry = {.event = "step skipped",
                                              .step = i + 1,
                                              .step_status = STEP_SKIPPED,
                                              .detail = detail};
                int r = walk_write(walk, &entry, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Whether the next step may begin: `*ret` is STEPS_COMPLETE when it may. */
static int may_go_on(struct walk *walk, enum steps_end *ret, struct error *error)
{
        bool paused = false;
        nsec since = 0;
        if (atomic_load(walk->stopping)) {
                *ret = STEPS_STOPPING;
                return 0;
        }
        int r = journal_paused(walk->options->journal, &paused, &since, error);
        if (r >= 0 && paused)
                *ret = STEPS_PAUSED;
        return r < 0 ? r : walk_refresh(walk, error);
}

int steps_run(struct walk *walk, enum steps_end *ret, struct error *error)
{
        enum steps_end end = STEPS_COMPLETE;
        for (size_t i = 0; i < walk->incident.step_count && end == STEPS_COMPLETE; i++) {
                enum step_status status = walk->incident.steps[i].status;
                if (status != STEP_WAITING && status != STEP_STARTED)
                        continue;
                int r = may_go_on(walk, &end, error);
                bool again = true;
                if (r >= 0 && end == STEPS_COMPLETE && status == STEP_STARTED)
                        r = recover_step(walk, i, &again, &end, error);
                if (r < 0)
                        return r;
                if (end != STEPS_COMPLETE || !again)
                        continue;

                /* A step that has begun is finished, whatever happens: half done is worse than either end. */
                const struct incident *incident = &walk->incident;
                if (status == STEP_WAITING && (incident->cancel_requested || !incident->episode_open)) {
                        end = incident->cancel_requested || !anything_begun(incident) ? STEPS_CANCELLED
                                                                                      : STEPS_CUT;
                        r = skip_rest(walk, i,
                                      incident->cancel_requested ? "cancelled" : "the alert is resolved",
                                      error);
                } else {
                        r = run_step(walk, i, status == STEP_STARTED, &end, error);
                }
                if (r < 0)
                        return r;
        }
        *ret = end;
        return 0;
}

static int undo_step(struct walk *walk, size_t index, struct error *error)
{
        const struct step *step = &walk->remediation->steps[index];
        struct journal_entry undoing = {
                .event = "undo started", .step = index + 1, .step_status = STEP_UNDOING};
        int r = walk_write(walk, &undoing, error);
        if (r < 0)
                return r;

        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *outcome = NULL;
        _cleanup_stage_ struct stage stage = {0};
        nsec timeout = step->timeout > UNDO_TIMEOUT ? step->timeout : UNDO_TIMEOUT;
        int result = stage_open(&stage, walk, index, timeout, &why);
        if (result >= 0)
                result = step->action->undo(&stage.work.run, &outcome, &why);

        _cleanup_json_ cJSON *failure =
                result < 0 ? failure_detail(walk, index, "could not be undone", error_text(&why)) : NULL;
        struct journal_entry undone = {.event = result < 0 ? "undo failed" : "step undone",
                                       .step = index + 1,
                                       .step_status = result < 0 ? STEP_UNDO_FAILED : STEP_UNDONE,
                                       .detail = result < 0 ? failure : outcome};
        return walk_write(walk, &undone, error);
}

int steps_undo(struct walk *walk, step_wanted *wanted, struct error *error)
{
        for (size_t i = walk->incident.step_count; i-- > 0;) {
                const struct step *step = &walk->remediation->steps[i];
                if (!step->action->undo || !wanted(step, &walk->incident.steps[i]))
                        continue;
                if (atomic_load(walk->stopping))
                        return error_set(error, ECANCELED, "the daemon ends");
                int r = undo_step(walk, i, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int step_settle(struct walk *walk, size_t index, struct error *error)
{
        const struct step *step = &walk->remediation->steps[index];
        if (step->action->settle) {
                _cleanup_stage_ struct stage stage = {0};
                int r = stage_open(&stage, walk, index, SETTLE_TIMEOUT, error);
                if (r >= 0)
                        r = step->action->settle(&stage.work.run, error);
                if (r < 0)
                        return r;
        }
        struct journal_entry entry = {.event = "step settled", .step = index + 1, .settled = true};
        return walk_write(walk, &entry, error);
}
