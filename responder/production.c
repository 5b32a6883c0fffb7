/* SPDX-License-Identifier: Apache-2.0 */
/* The world as it is: this machine's clocks, threads, neighbours and actions. */
#include "responder/production.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "responder/targets/watch.h"
#include "runbook/file.h"
#include "runbook/lanes.h"
#include "runbook/wait.h"

#define FREE_PATIENCE (10 * NSEC_PER_SEC) /* for editions that end while a start fails */

struct place {
        struct world world;
        struct production *production;
        struct targets *targets; /* NULL: of the machine alone, where nobody is asked and nothing done */
        struct watch *watch;     /* of these; NULL: nobody asks how they stand */
};

struct production {
        struct place machine;
        char boot[40]; /* "" when the kernel does not say */
        struct lanes *pools[WORLD_POOL_COUNT];
        pthread_mutex_t lock; /* of what follows */
        pthread_cond_t woken_up;
        bool woken;
        bool finishing;
};

static nsec read_wall(void *context _unused_)
{
        return clock_wall();
}

static nsec read_monotonic(void *context _unused_)
{
        return clock_monotonic();
}

static bool sleep_until(void *context, nsec until)
{
        struct production *production = ((const struct place *)context)->production;
        pthread_mutex_lock(&production->lock);
        while (!production->woken && condition_wait_until(&production->woken_up, &production->lock, until))
                ;
        bool woken = production->woken;
        production->woken = false;
        pthread_mutex_unlock(&production->lock);
        return woken;
}

static void wake_sleeper(void *context)
{
        struct production *production = ((const struct place *)context)->production;
        pthread_mutex_lock(&production->lock);
        production->woken = true;
        pthread_cond_signal(&production->woken_up);
        pthread_mutex_unlock(&production->lock);
}

static void pause_whole(void *context _unused_, nsec duration)
{
        pause_for(duration, DEADLINE_NEVER);
}

static int run_elsewhere(void *context, enum world_pool pool, const char *whose, void (*work)(void *argument),
                         void *argument)
{
        struct production *production = ((const struct place *)context)->production;
        pthread_mutex_lock(&production->lock);
        int r = production->finishing ? -EAGAIN : lanes_run(production->pools[pool], whose, work, argument);
        pthread_mutex_unlock(&production->lock);
        return r;
}

static unsigned finish_pools(void *context, struct deadline deadline)
{
        struct production *production = ((const struct place *)context)->production;
        unsigned hanging = 0;
        pthread_mutex_lock(&production->lock);
        production->finishing = true;
        pthread_mutex_unlock(&production->lock);
        for (size_t i = 0; i < N_ELEMENTS(production->pools); i++)
                hanging += lanes_stop(TAKE_PTR(production->pools[i]), deadline);
        return hanging;
}

static int query_holds(void *context, const char *promql, nsec age, struct deadline deadline, bool *ret_holds,
                       double *ret_value, struct error *error)
{
        const struct place *place = context;
        return targets_query_holds(place->targets, promql, age, deadline, ret_holds, ret_value, error);
}

static int query_past(void *context, const char *promql, nsec from, nsec to, unsigned points,
                      struct deadline deadline, cJSON **ret, struct error *error)
{
        const struct place *place = context;
        return targets_query_past(place->targets, promql, from, to, points, deadline, ret, error);
}

static int check_holds(void *context, const char *check, nsec age, struct deadline deadline, bool *ret_holds,
                       struct error *error)
{
        const struct place *place = context;
        return targets_check_holds(place->targets, check, age, deadline, ret_holds, error);
}

static int ask_alertmanager(void *context, struct deadline deadline, struct alertmanager_view *ret,
                            struct error *error)
{
        const struct place *place = context;
        return targets_alertmanager(place->targets, deadline, ret, error);
}

static int set_silences(void *context, const char *mark, const cJSON *wanted, struct deadline deadline,
                        struct error *error)
{
        const struct place *place = context;
        return targets_silence(place->targets, mark, wanted, deadline, error);
}

static int ask_firing(void *context, struct deadline deadline, cJSON **ret, struct error *error)
{
        const struct place *place = context;
        return targets_firing(place->targets, deadline, ret, error);
}

static int lease_pages(void *context, size_t member, const struct page_lease *leases, size_t count,
                       struct deadline deadline, struct error *error)
{
        const struct place *place = context;
        return targets_lease(place->targets, member, leases, count, deadline, error);
}

static int notify_receiver(void *context, const char *receiver, const struct message *message,
                           struct deadline deadline, nsec *ret_wait, struct error *error)
{
        const struct place *place = context;
        return targets_notify(place->targets, receiver, message, deadline, ret_wait, error);
}

static int tell_standings(void *context, struct target_standing **ret, size_t *ret_count, struct error *error)
{
        const struct place *place = context;
        return watch_standings(place->watch, ret, ret_count, error);
}

/* Whoever binds a step knows no targets: it is given those of this world before it acts. */
static struct step_run *on_targets(void *context, struct step_run *run)
{
        const struct place *place = context;
        run->targets = place->targets;
        return run;
}

static int plan_step(void *context, const struct action *action, struct step_run *run, cJSON **ret_plan,
                     struct error *error)
{
        return action->plan(on_targets(context, run), ret_plan, error);
}

static int people_step(void *context, const struct action *action, struct step_run *run,
                       const struct people_asked *asked, struct sighting *ret, struct error *error)
{
        return action->people(on_targets(context, run), asked, ret, error);
}

static int run_step(void *context, const struct action *action, struct step_run *run, cJSON **ret_outcome,
                    struct error *error)
{
        return action->run(on_targets(context, run), ret_outcome, error);
}

static enum resumption resume_step(void *context, const struct action *action, struct step_run *run,
                                   cJSON **ret_outcome, struct error *error)
{
        return action->resume(on_targets(context, run), ret_outcome, error);
}

static int undo_step(void *context, const struct action *action, struct step_run *run, cJSON **ret_outcome,
                     struct error *error)
{
        return action->undo(on_targets(context, run), ret_outcome, error);
}

static int settle_step(void *context, const struct action *action, struct step_run *run, struct error *error)
{
        return action->settle(on_targets(context, run), error);
}

static const struct world here = {
        .wall = read_wall,
        .monotonic = read_monotonic,
        .sleep = sleep_until,
        .wake = wake_sleeper,
        .pause = pause_whole,
        .run = run_elsewhere,
        .finish = finish_pools,
        .query_holds = query_holds,
        .query_past = query_past,
        .check_holds = check_holds,
        .alertmanager = ask_alertmanager,
        .firing = ask_firing,
        .lease = lease_pages,
        .silence = set_silences,
        .notify = notify_receiver,
        .plan_step = plan_step,
        .people_step = people_step,
        .run_step = run_step,
        .resume_step = resume_step,
        .undo_step = undo_step,
        .settle_step = settle_step,
};

/* The kernel's name for this boot of the machine. */
static void read_boot(struct production *production)
{
        _cleanup_text_ struct text text = {0};
        if (file_read_whole("/proc/sys/kernel/random/boot_id", sizeof(production->boot), &text, NULL) >= 0)
                snprintf(production->boot, sizeof(production->boot), "%.*s",
                         (int)strcspn(text_string(&text), "\n"), text_string(&text));
        production->machine.world.boot = production->boot;
}

int production_new(struct production **ret, struct error *error)
{
        struct production *production = calloc(1, sizeof(*production));
        if (!production)
                return error_oom(error);
        production->machine = (struct place){.world = here, .production = production};
        production->machine.world.context = &production->machine;
        read_boot(production);
        pthread_mutex_init(&production->lock, NULL);
        condition_init(&production->woken_up);

        int r = 0;
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(production->pools); i++)
                r = lanes_new(WORLD_AT_ONCE, &production->pools[i], error);
        if (r < 0) {
                production_free(production);
                return r;
        }
        *ret = production;
        return 0;
}

const struct world *production_machine(const struct production *production)
{
        return &production->machine.world;
}

int place_new(struct production *production, struct targets *targets, struct place **ret, struct error *error)
{
        struct place *place = malloc(sizeof(*place));
        if (!place)
                return error_oom(error);
        *place = production->machine;
        place->targets = targets;
        place->world.context = place;
        *ret = place;
        return 0;
}

int place_watch(struct place *place, const struct target_probe *probes, size_t count, struct error *error)
{
        int r = watch_new(place->targets, probes, count, &place->watch, error);
        if (r >= 0)
                place->world.standings = tell_standings;
        return r;
}

const struct world *place_world(const struct place *place)
{
        return &place->world;
}

struct place *place_free(struct place *place)
{
        if (place)
                watch_free(place->watch);
        free(place);
        return NULL;
}

struct production *production_free(struct production *production)
{
        if (!production)
                return NULL;
        finish_pools(&production->machine, deadline_in(FREE_PATIENCE));
        pthread_cond_destroy(&production->woken_up);
        pthread_mutex_destroy(&production->lock);
        free(production);
        return NULL;
}
