/* SPDX-License-Identifier: Apache-2.0 */
/* The world as the responder sees it: the model's answers, some late, some none. */
#include <errno.h>
#include <string.h>

#include "responder/engine/view.h"
#include "tests/sim/claims.h"

static nsec read_wall(void *context)
{
        return sim_wall(context);
}

static nsec read_monotonic(void *context)
{
        return sim_monotonic(context);
}

static bool sleep_until(void *context, nsec until)
{
        (void)context, (void)until;
        return false;
}

static void wake(void *context)
{
        sim_wake(context);
}

static void pause_for(void *context, nsec duration)
{
        task_wait(context, duration);
}

static int run_elsewhere(void *context, enum world_pool pool, const char *whose, void (*work)(void *argument),
                         void *argument)
{
        return task_start(context, pool, whose, work, argument);
}

static unsigned finish(void *context, struct deadline deadline)
{
        (void)context, (void)deadline;
        tasks_drop();
        return 0;
}

/* Waits as long as an answer takes; an error when there is none. */
static int ask(struct sim *sim, bool down, struct error *error)
{
        task_wait(sim, rng_between(&sim->rng, NSEC_PER_MSEC, down ? 10 * NSEC_PER_SEC : NSEC_PER_SEC));
        if (sim_is_dead(sim) || down || (!sim->ending && rng_chance(&sim->rng, 30)))
                return error_set(error, EIO, "no answer");
        return 0;
}

/* A Prometheus that measures no more has no data, or none but old ones. */
static int age_of_data(struct sim *sim, double *ret_value, struct error *error)
{
        int r = ask(sim, sim->prometheus_down, error);
        if (r >= 0 && sim->prometheus_silent && rng_chance(&sim->rng, 500))
                r = error_set(error, ENODATA, "no data");
        if (r < 0)
                return r;
        *ret_value = sim->prometheus_silent ? 240 : 15;
        if (!sim->prometheus_silent)
                sim->fresh_at = sim->now;
        return 0;
}

static int query_holds(void *context, const char *promql, nsec age, struct deadline deadline, bool *ret_holds,
                       double *ret_value, struct error *error)
{
        struct sim *sim = context;
        (void)deadline, (void)age;
        *ret_holds = true;
        if (string_equal(promql, VIEW_AGE_QUERY))
                return age_of_data(sim, ret_value, error);
        int r = ask(sim, sim->prometheus_down, error);
        if (r >= 0 && sim->prometheus_silent)
                r = error_set(error, ENODATA, "no data for %s (NaN)", promql);
        verdicts_answered(sim, promql, r >= 0, r >= 0 && !model_is_ill(sim, promql));
        if (r < 0)
                return r;
        *ret_holds = !model_is_ill(sim, promql);
        *ret_value = *ret_holds ? 1 : 0;
        return 0;
}

static int check_holds(void *context, const char *check, nsec age, struct deadline deadline, bool *ret_holds,
                       struct error *error)
{
        double value;
        return query_holds(context, check, age, deadline, ret_holds, &value, error);
}

static int alertmanager(void *context, struct deadline deadline, struct alertmanager_view *ret,
                        struct error *error)
{
        struct sim *sim = context;
        (void)deadline;
        int r = ask(sim, sim->alertmanagers_down, error);
        if (r >= 0)
                neighbours_alerts(sim, ret);
        return r;
}

static int silence(void *context, const char *mark, const cJSON *wanted, struct deadline deadline,
                   struct error *error)
{
        struct sim *sim = context;
        (void)deadline;
        (void)mark;
        task_wait(sim, rng_between(&sim->rng, NSEC_PER_MSEC, NSEC_PER_SEC));
        if (sim_is_dead(sim))
                return error_set(error, EINTR, "a ghost silences nothing");
        if (sim->alertmanagers_down)
                return error_set(error, ECONNREFUSED, "no Alertmanager");
        sim->our_silences = cJSON_GetArraySize(wanted);
        return 0;
}

static int firing(void *context, struct deadline deadline, cJSON **ret, struct error *error)
{
        struct sim *sim = context;
        (void)deadline;
        int r = ask(sim, sim->prometheus_down, error);
        if (r >= 0)
                *ret = model_firing(sim);
        return r;
}

static int lease(void *context, size_t member, const struct page_lease *leases, size_t count,
                 struct deadline deadline, struct error *error)
{
        struct sim *sim = context;
        (void)deadline;
        int r = ask(sim, sim->alertmanagers_down, error);
        if (r >= 0)
                pages_leased(sim, member, leases, count);
        return r;
}

static int notify(void *context, const char *receiver, const struct message *message,
                  struct deadline deadline, nsec *ret_wait, struct error *error)
{
        struct sim *sim = context;
        (void)deadline, (void)ret_wait;
        int64_t incident = message->incident ? incident_of(message->incident) : 0;
        if (chain_calls(message->text))
                claim_next(sim, incident, receiver);
        int r = ask(sim, sim->people_deaf, error);
        if (r < 0) {
                sim->lost_calls++;
                people_miss(sim, incident);
                return r;
        }
        people_hear(sim, incident, message->text);
        return 0;
}

/* Actions are the model's own (model.c); what is claimed of them is looked at around each. */

static int plan_step(void *context, const struct action *action, struct step_run *run, cJSON **ret_plan,
                     struct error *error)
{
        struct sim *sim = context;
        claim_begins(sim, run);
        hands_plan(sim, incident_of(run->incident));
        run->targets = context;
        task_wait(sim, rng_between(&sim->rng, NSEC_PER_MSEC, 20 * NSEC_PER_SEC));
        if (sim_is_dead(sim))
                return error_set(error, EINTR, "a ghost plans nothing");
        int r = action->plan(run, ret_plan, error);
        if (r >= 0)
                claim_planned(sim, action, run, *ret_plan);
        return r;
}

static int people_step(void *context, const struct action *action, struct step_run *run,
                       const struct people_asked *asked, struct sighting *ret, struct error *error)
{
        return hands_look(context, action, run, asked, ret, error);
}

static int run_step(void *context, const struct action *action, struct step_run *run, cJSON **ret_outcome,
                    struct error *error)
{
        struct sim *sim = context;
        run->targets = context;
        if (sim_is_dead(sim))
                return error_set(error, EINTR, "a ghost does nothing");
        claim_act(sim, action, run, false);
        int r = action->run(run, ret_outcome, error);
        claim_acted(sim, action, run, false, r >= 0);
        return r;
}

static enum resumption resume_step(void *context, const struct action *action, struct step_run *run,
                                   cJSON **ret_outcome, struct error *error)
{
        struct sim *sim = context;
        run->targets = context;
        task_wait(sim, rng_between(&sim->rng, NSEC_PER_MSEC, NSEC_PER_SEC));
        if (sim_is_dead(sim)) {
                error_set(error, EINTR, "a ghost finds nothing out");
                return RESUME_UNKNOWN;
        }
        return action->resume(run, ret_outcome, error);
}

static int undo_step(void *context, const struct action *action, struct step_run *run, cJSON **ret_outcome,
                     struct error *error)
{
        struct sim *sim = context;
        run->targets = context;
        if (sim_is_dead(sim))
                return error_set(error, EINTR, "a ghost undoes nothing");
        claim_act(sim, action, run, true);
        int r = action->undo(run, ret_outcome, error);
        claim_acted(sim, action, run, true, r >= 0);
        return r;
}

static int settle_step(void *context, const struct action *action, struct step_run *run, struct error *error)
{
        run->targets = context;
        task_wait(context, NSEC_PER_MSEC);
        return sim_is_dead(context) ? error_set(error, EINTR, "a ghost settles nothing")
                                    : action->settle(run, error);
}

void reality_fill(struct sim *sim)
{
        sim->world = (struct world){
                .context = sim,
                .wall = read_wall,
                .monotonic = read_monotonic,
                .boot = sim->boot,
                .sleep = sleep_until,
                .wake = wake,
                .pause = pause_for,
                .run = run_elsewhere,
                .finish = finish,
                .query_holds = query_holds,
                .check_holds = check_holds,
                .alertmanager = alertmanager,
                .firing = firing,
                .lease = lease,
                .silence = silence,
                .notify = notify,
                .plan_step = plan_step,
                .people_step = people_step,
                .run_step = run_step,
                .resume_step = resume_step,
                .undo_step = undo_step,
                .settle_step = settle_step,
                .vfs = DISK_VFS,
                .alone = true,
        };
}
