/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the targets answer, asked once a minute, and one that did not sooner: each in a lane of its own, so
 * that one that hangs delays no other. */
#include "responder/targets/watch.h"

#include <pthread.h>
#include <stdlib.h>

#include "runbook/lanes.h"
#include "runbook/log.h"
#include "runbook/wait.h"

#define ASK_EVERY (60 * NSEC_PER_SEC)
#define ASK_AGAIN (5 * NSEC_PER_SEC)
#define PATIENCE (5 * NSEC_PER_SEC)
enum { SAID_MOST = 400 };

/* One target. */
struct watched {
        struct watch *watch;
        size_t index;              /* of the set's */
        struct target_probe probe; /* of those that are none of the set's; else its `ask` is NULL */
        bool asking;               /* a lane has it */
        nsec next;                 /* when it is to be asked, by the monotonic clock */
        int known;                 /* as `up` of the standing, when it was known last */
        struct target_standing standing;
};

struct watch {
        struct targets *targets;
        struct lanes *lanes;
        pthread_t thread;
        bool runs, stop;
        pthread_mutex_t lock; /* of all that follows, and of `stop` */
        pthread_cond_t stopped;
        struct watched *items;
        size_t count;
};

static char *shorten(const char *said)
{
        struct text text = {0};
        text_put_line(&text, said, SAID_MOST);
        return text_take(&text);
}

static void log_change(const struct watched *watched, bool up, const char *said)
{
        static const char *const words[2][2] = {
                {"A target does not answer", "A target answers again"},
                {"A step would be refused", "A step would be let again"},
        };
        const struct target_name *name = &watched->standing.name;
        log_event(up ? LOG_INFO : LOG_WARN, words[watched->probe.of_rights][up], "target", name->kind, "name",
                  *name->name ? name->name : NULL, up ? NULL : "error", said, NULL);
}

/* With the lock held. What changes is logged, once; that it cannot be told for a while is no change. */
static void note(struct watched *watched, int result, const char *take_said)
{
        struct target_standing *standing = &watched->standing;
        const int up = result == PROBE_UNKNOWN ? -1 : result >= 0 ? 1 : 0;
        if (up >= 0 && watched->known != up && (watched->known >= 0 || !up))
                log_change(watched, up, take_said);
        if (up >= 0)
                watched->known = up;
        standing->up = up;
        standing->empty = result == PROBE_EMPTY;
        standing->asked_at = clock_wall();
        if (up > 0)
                standing->up_at = standing->asked_at;
        free(standing->said);
        standing->said = (char *)take_said;
        watched->next = clock_monotonic() + (up > 0 ? ASK_EVERY : ASK_AGAIN);
}

/* In its lane. */
static void ask(void *context)
{
        struct watched *watched = context;
        struct watch *watch = watched->watch;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text said = {0};
        const struct deadline deadline = deadline_in(PATIENCE);
        int r = watched->probe.ask ? watched->probe.ask(watched->probe.context, deadline, &said, &error)
                                   : targets_probe(watch->targets, watched->index, deadline, &said, &error);
        char *shown = shorten(r < 0 ? error_text(&error) : text_string(&said));
        pthread_mutex_lock(&watch->lock);
        note(watched, r, shown);
        watched->asking = false;
        pthread_mutex_unlock(&watch->lock);
}

static void *watch_all(void *context)
{
        struct watch *watch = context;
        pthread_mutex_lock(&watch->lock);
        while (!watch->stop) {
                for (size_t i = 0; i < watch->count; i++) {
                        struct watched *watched = &watch->items[i];
                        _cleanup_free_ char *lane = text_format("%zu", i);
                        if (!watched->asking && lane && watched->next <= clock_monotonic())
                                watched->asking = lanes_run(watch->lanes, lane, ask, watched) >= 0;
                }
                const nsec next = clock_monotonic() + ASK_AGAIN;
                while (!watch->stop && condition_wait_until(&watch->stopped, &watch->lock, next))
                        ;
        }
        pthread_mutex_unlock(&watch->lock);
        return NULL;
}

int watch_new(struct targets *targets, const struct target_probe *probes, size_t probe_count,
              struct watch **ret, struct error *error)
{
        struct watch *watch = calloc(1, sizeof(*watch));
        if (!watch)
                return error_oom(error);
        const struct target_set *set = targets_set(targets);
        watch->targets = targets;
        const size_t own = targets_probe_count(set);
        watch->count = own + probe_count;
        pthread_mutex_init(&watch->lock, NULL);
        condition_init(&watch->stopped);
        watch->items = calloc(watch->count + 1, sizeof(*watch->items));
        int r = watch->items ? lanes_new(1, &watch->lanes, error) : error_oom(error);
        for (size_t i = 0; r >= 0 && watch->items && i < watch->count; i++) {
                struct watched *watched = &watch->items[i];
                watched->watch = watch;
                watched->index = i;
                watched->known = watched->standing.up = -1;
                watched->standing.name = i < own ? targets_probe_name(set, i) : probes[i - own].name;
                if (i >= own)
                        watched->probe = probes[i - own];
                watched->standing.of_rights = watched->probe.of_rights;
        }
        int failed = r < 0 ? 0 : pthread_create(&watch->thread, NULL, watch_all, watch);
        if (failed)
                r = error_set(error, failed, "the thread that asks the targets");
        watch->runs = r >= 0;
        if (r < 0)
                watch_free(watch);
        else
                *ret = watch;
        return r;
}

struct watch *watch_free(struct watch *watch)
{
        if (!watch)
                return NULL;
        pthread_mutex_lock(&watch->lock);
        watch->stop = true;
        pthread_cond_broadcast(&watch->stopped);
        pthread_mutex_unlock(&watch->lock);
        if (watch->runs)
                pthread_join(watch->thread, NULL);
        lanes_stop(watch->lanes, DEADLINE_NEVER); /* each has a deadline of its own */
        for (size_t i = 0; watch->items && i < watch->count; i++)
                free(watch->items[i].standing.said);
        free(watch->items);
        pthread_cond_destroy(&watch->stopped);
        pthread_mutex_destroy(&watch->lock);
        free(watch);
        return NULL;
}

int watch_standings(struct watch *watch, struct target_standing **ret, size_t *ret_count, struct error *error)
{
        struct target_standing *list = calloc(watch->count + 1, sizeof(*list));
        bool whole = list != NULL;
        pthread_mutex_lock(&watch->lock);
        for (size_t i = 0; list && i < watch->count; i++) {
                list[i] = watch->items[i].standing;
                list[i].said = strdup(list[i].said ? list[i].said : "");
                whole = whole && list[i].said;
        }
        pthread_mutex_unlock(&watch->lock);
        if (!whole) {
                target_standings_free(list, list ? watch->count : 0);
                return error_oom(error);
        }
        *ret = list;
        *ret_count = watch->count;
        return 0;
}

void target_standings_free(struct target_standing *list, size_t count)
{
        for (size_t i = 0; i < count; i++)
                free(list[i].said);
        free(list);
}
