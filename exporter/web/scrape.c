/* SPDX-License-Identifier: Apache-2.0 */
/* Suspended scrapes, their deadlines, and the page that is kept in memory. */
#include "exporter/web/scrape.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>

#include "exporter/web/internal.h"
#include "exporter/web/snapshot.h"
#include "exporter/web/trace_page.h"
#include "runbook/log.h"
#include "runbook/negotiate.h"
#include "runbook/systemd.h"
#include "runbook/wait.h"

#define DEFAULT_TIMEOUT 10.0 /* Prometheus' own default */
#define LONGEST_TIMEOUT 3600.0
#define MARGIN 0.5 /* seconds for encoding and the way back */

/* One request that is left open until its runs have ended. */
struct waiting {
        struct waiting *next;
        struct http_exchange *exchange;
        nsec deadline;
        struct selection selection;
        struct variant variant;
        struct check_result *traced; /* of the run that is shown step by step; NULL: none has begun yet */
        nsec traced_age;             /* how long before the request it began; 0: not before */
        size_t run_count, ended;     /* runs before `ended` have ended */
        struct check_run runs[];
};

struct scrape {
        struct check_set *set; /* a reference */
        const struct process_status *status;
        struct schedule *schedule;
        pthread_t thread;
        bool started, runs_at_start;

        pthread_mutex_t lock;
        pthread_cond_t wake; /* CLOCK_MONOTONIC */

        /* Below: by the lock. */
        struct waiting *list;
        bool stopping, retiring, over;
        struct snapshot *snapshot; /* of all checks; made by the thread */

        uint64_t duplicates; /* by the thread alone */
};

nsec scrape_allowance(const char *timeout_header)
{
        double seconds = DEFAULT_TIMEOUT;
        if (timeout_header) {
                char *end;
                double given = strtod(timeout_header, &end);
                if (end != timeout_header && *end == '\0' && isfinite(given) && given > 0)
                        seconds = fmin(given, LONGEST_TIMEOUT);
        }
        return seconds_to_nsec(fmax(seconds - MARGIN, seconds / 2));
}

static struct waiting *waiting_free(struct waiting *waiting)
{
        if (waiting) {
                selection_release(&waiting->selection);
                check_result_unref(waiting->traced);
        }
        free(waiting);
        return NULL;
}
DEFINE_CLEANUP(struct waiting *, waiting_free);

/* The snapshot of what is selected; the exporter's own series are on the page of all. */
static struct snapshot *make_snapshot(struct scrape *scrape, const struct selection *selection)
{
        struct sample_set own = {0};
        if (!selection || selection->own) {
                exporter_samples_add(&(struct sample_sink){&own}, scrape->duplicates);
                exporter_status_add(&(struct sample_sink){&own}, scrape->status);
        }
        struct snapshot *snapshot =
                snapshot_new(scrape->schedule, selection ? selection->checks : NULL, &own);
        sample_set_release(&own);
        return snapshot;
}

/* The page of all checks, a reference: the one in memory while nothing has changed, or a new one. */
static struct http_content *current_page(struct scrape *scrape, struct variant variant)
{
        struct snapshot *previous = scrape->snapshot; /* only replaced here */
        if (previous && snapshot_generation(previous) == schedule_generation(scrape->schedule))
                return snapshot_make(previous, variant, NULL, &scrape->duplicates);

        struct snapshot *snapshot = make_snapshot(scrape, NULL);
        if (!snapshot)
                return NULL;
        struct http_content *page = snapshot_make(snapshot, variant, NULL, &scrape->duplicates);
        pthread_mutex_lock(&scrape->lock);
        scrape->snapshot = snapshot;
        pthread_mutex_unlock(&scrape->lock);
        snapshot_free(previous);
        return page;
}

/* A page for one request alone. */
static struct http_content *selected_page(struct scrape *scrape, const struct selection *selection,
                                          struct variant variant)
{
        struct snapshot *snapshot = make_snapshot(scrape, selection);
        if (!snapshot)
                return NULL;
        struct http_content *page =
                snapshot_make(snapshot, variant, selection_names(selection), &scrape->duplicates);
        snapshot_free(snapshot);
        return page;
}

/*
 * Never two runs of one check at a time: the one to be shown begins when that of before has ended, and all
 * who have waited for it see the same.
 */
static bool begin_traced(struct scrape *scrape, const struct waiting *first, nsec now)
{
        struct check_result *result;
        struct check_run run;
        nsec age;
        if (!first->selection.debug || first->traced || now >= first->deadline)
                return false;
        result = schedule_trace(scrape->schedule, first->selection.debugged, first->selection.at_will, &run,
                                &age);
        if (!result)
                return false;
        for (struct waiting *waiting = scrape->list; waiting; waiting = waiting->next)
                if (waiting->selection.debug && !waiting->traced &&
                    waiting->selection.at_will == first->selection.at_will &&
                    waiting->selection.debugged == first->selection.debugged) {
                        waiting->traced = check_result_ref(result);
                        waiting->traced_age = age;
                        waiting->runs[waiting->run_count++] = run;
                }
        check_result_unref(result);
        return true;
}

static bool is_ready(struct scrape *scrape, struct waiting *waiting, nsec now)
{
        if (waiting->selection.debug && !waiting->traced)
                return now >= waiting->deadline;
        while (waiting->ended < waiting->run_count &&
               schedule_ended(scrape->schedule, waiting->runs[waiting->ended]))
                waiting->ended++;
        return waiting->ended == waiting->run_count || now >= waiting->deadline;
}

static void wake(struct scrape *scrape)
{
        pthread_mutex_lock(&scrape->lock);
        pthread_cond_signal(&scrape->wake);
        pthread_mutex_unlock(&scrape->lock);
}

/* A run has ended. The thread is only woken for a request that need not wait any more, or for one whose own
 * run may begin now. */
static void runs_changed(void *context)
{
        struct scrape *scrape = context;
        nsec now = clock_monotonic();
        bool ready = false;
        pthread_mutex_lock(&scrape->lock);
        for (struct waiting *waiting = scrape->list; waiting && !ready; waiting = waiting->next)
                ready = is_ready(scrape, waiting, now) || (waiting->selection.debug && !waiting->traced);
        pthread_mutex_unlock(&scrape->lock);
        if (ready)
                pthread_cond_signal(&scrape->wake);
}

/* Takes what can be answered out of the list, in the order of arrival; `ret_next`: when to look again. */
static struct waiting *take_ready(struct scrape *scrape, nsec *ret_next)
{
        struct waiting *ready = NULL, **ready_end = &ready;
        nsec now = clock_monotonic(), next = INT64_MAX;
        for (struct waiting **at = &scrape->list; *at;) {
                struct waiting *waiting = *at;
                if (!scrape->stopping && begin_traced(scrape, waiting, now))
                        next = now; /* schedule_expire() is to know of the run */
                if (scrape->stopping || is_ready(scrape, waiting, now)) {
                        *at = waiting->next;
                        waiting->next = NULL;
                        *ready_end = waiting;
                        ready_end = &waiting->next;
                } else {
                        if (waiting->deadline < next)
                                next = waiting->deadline;
                        at = &waiting->next;
                }
        }
        *ret_next = next;
        return ready;
}

static void answer_debug(struct scrape *scrape, struct waiting *waiting)
{
        const struct check *check = &scrape->set->checks[waiting->selection.debugged];
        _cleanup_text_ struct text page = {0};
        bool finished = waiting->traced && schedule_finished(scrape->schedule, waiting->runs[0]);
        trace_page_render(check, waiting->traced, finished, waiting->traced_age, &page);
        http_reply(waiting->exchange, 200, HTTP_TYPE_TEXT, &page);
}

static void answer_waiting(struct scrape *scrape, struct waiting *waiting, bool stopping)
{
        _cleanup_(waiting_free_p) _unused_ struct waiting *done = waiting;
        struct http_content *page;
        if (stopping) {
                http_reply_text(waiting->exchange, 503, "The exporter is being stopped.");
                return;
        }
        /* What could not be waited for now is not waited for by the next scrape either. */
        for (size_t i = waiting->ended; i < waiting->run_count; i++)
                schedule_mark_late(scrape->schedule, waiting->runs[i]);
        if (waiting->selection.debug) {
                answer_debug(scrape, waiting);
                return;
        }

        page = selection_is_all(&waiting->selection)
                       ? current_page(scrape, waiting->variant)
                       : selected_page(scrape, &waiting->selection, waiting->variant);
        if (!page) {
                http_reply_text(waiting->exchange, 500, "Out of memory.");
                return;
        }
        http_reply_content(waiting->exchange, 200, metrics_content_type(waiting->variant.format), page);
        http_content_unref(page);
}

static void *run_thread(void *context)
{
        struct scrape *scrape = context;
        bool stopping = false, retiring = false, over = false;
        nsec alive = 0; /* when systemd is to hear again that this thread goes on */
        if (scrape->runs_at_start)
                schedule_start_new(scrape->schedule); /* by who sees when they are overdue */
        while (!stopping && !over) {
                nsec overdue = schedule_expire(scrape->schedule), next;
                if (retiring)
                        alive = INT64_MAX; /* its successor tells */
                systemd_alive(clock_monotonic(), &alive);
                if (alive < overdue)
                        overdue = alive;
                struct waiting *ready;
                pthread_mutex_lock(&scrape->lock);
                stopping = scrape->stopping;
                ready = take_ready(scrape, &next);
                retiring = scrape->retiring;
                over = retiring && !ready && !scrape->list;
                if (!ready && !stopping && !over)
                        condition_wait_until(&scrape->wake, &scrape->lock, overdue < next ? overdue : next);
                pthread_mutex_unlock(&scrape->lock);

                while (ready) {
                        struct waiting *following = ready->next;
                        answer_waiting(scrape, ready, stopping);
                        ready = following;
                }
        }
        /* What was only in the configuration of before is closed now, and not at the next one. */
        if (over)
                scrape->schedule = schedule_free(scrape->schedule);
        pthread_mutex_lock(&scrape->lock);
        scrape->over = over;
        pthread_mutex_unlock(&scrape->lock);
        return NULL;
}

/* Answers from memory while nothing is due, nothing is running that one waits for, and nothing has changed.
 */
static bool answer_from_memory(struct scrape *scrape, struct http_exchange *exchange, struct variant variant)
{
        struct http_content *page = NULL;
        nsec now = clock_monotonic();
        pthread_mutex_lock(&scrape->lock);
        if (scrape->snapshot && now < snapshot_fresh_until(scrape->snapshot) &&
            snapshot_generation(scrape->snapshot) == schedule_generation(scrape->schedule))
                page = snapshot_find(scrape->snapshot, variant);
        pthread_mutex_unlock(&scrape->lock);
        if (!page)
                return false;
        http_reply_content(exchange, 200, metrics_content_type(variant.format), page);
        http_content_unref(page);
        return true;
}

/* Starts the runs and hands the exchange to the thread. Takes what is selected. */
static void wait_for_runs(struct scrape *scrape, struct http_exchange *exchange, struct selection *selection,
                          struct variant variant)
{
        size_t count = check_set_size(scrape->set);
        struct waiting *waiting = calloc(1, sizeof(*waiting) + count * sizeof(*waiting->runs));
        if (!waiting) {
                selection_release(selection);
                http_reply_text(exchange, 500, "Out of memory.");
                return;
        }
        waiting->exchange = exchange;
        waiting->selection = *selection;
        *selection = (struct selection){0};
        waiting->variant = variant;
        waiting->deadline = clock_monotonic() +
                            scrape_allowance(http_header(exchange, "X-Prometheus-Scrape-Timeout-Seconds"));
        if (!waiting->selection.debug)
                waiting->run_count =
                        schedule_start(scrape->schedule, waiting->selection.checks, waiting->runs);

        pthread_mutex_lock(&scrape->lock);
        bool stopping = scrape->stopping;
        if (!stopping) {
                struct waiting **end = &scrape->list;
                while (*end)
                        end = &(*end)->next;
                http_suspend(exchange);
                *end = waiting;
                pthread_cond_signal(&scrape->wake);
        }
        pthread_mutex_unlock(&scrape->lock);
        if (stopping)
                answer_waiting(scrape, waiting, true);
}

void scrape_serve(struct scrape *scrape, struct http_exchange *exchange, struct selection *selection)
{
        const struct variant variant = {negotiate_format(http_header(exchange, "Accept")),
                                        negotiate_gzip(http_header(exchange, "Accept-Encoding"))};
        if (!selection_is_all(selection) || !answer_from_memory(scrape, exchange, variant))
                wait_for_runs(scrape, exchange, selection, variant);
}

void scrape_handle(struct scrape *scrape, struct http_exchange *exchange)
{
        _cleanup_(selection_release) struct selection selection = {0};
        _cleanup_error_ struct error error = {0};
        int r = selection_read(exchange, scrape->set, scrape->schedule, &selection, &error);
        if (r < 0)
                http_reply_text(exchange, r == -EINVAL ? 400 : 500, "%s", error_text(&error));
        else
                scrape_serve(scrape, exchange, &selection);
}

int scrape_new(struct check_set *set, struct workers *workers, bool runs_at_start, struct scrape *predecessor,
               const struct process_status *status, struct scrape **ret, struct error *error)
{
        struct scrape *scrape = calloc(1, sizeof(*scrape));
        int r;
        if (!scrape)
                return error_oom(error);
        scrape->set = check_set_ref(set);
        scrape->status = status;
        scrape->runs_at_start = runs_at_start;
        pthread_mutex_init(&scrape->lock, NULL);
        condition_init(&scrape->wake);

        r = predecessor ? schedule_succeed(predecessor->schedule, set, runs_changed, scrape,
                                           &scrape->schedule, error)
                        : schedule_new(set, workers, runs_changed, scrape, &scrape->schedule, error);
        if (r >= 0) {
                r = -pthread_create(&scrape->thread, NULL, run_thread, scrape);
                if (r < 0)
                        error_set(error, -r, "cannot start the thread that answers scrapes");
        }
        if (r < 0) {
                scrape_free(scrape);
                return r;
        }
        scrape->started = true;
        *ret = scrape;
        return 0;
}

struct schedule *scrape_schedule(struct scrape *scrape)
{
        return scrape->schedule;
}

const struct check_set *scrape_set(const struct scrape *scrape)
{
        return scrape->set;
}

void scrape_retire(struct scrape *scrape)
{
        pthread_mutex_lock(&scrape->lock);
        scrape->retiring = true;
        pthread_cond_signal(&scrape->wake);
        pthread_mutex_unlock(&scrape->lock);
}

bool scrape_is_over(struct scrape *scrape)
{
        pthread_mutex_lock(&scrape->lock);
        bool over = scrape->over;
        pthread_mutex_unlock(&scrape->lock);
        return over;
}

void scrape_stop(struct scrape *scrape)
{
        if (!scrape->started)
                return;
        pthread_mutex_lock(&scrape->lock);
        scrape->stopping = true;
        pthread_mutex_unlock(&scrape->lock);
        wake(scrape);
        pthread_join(scrape->thread, NULL);
        scrape->started = false;
}

struct scrape *scrape_free(struct scrape *scrape)
{
        if (!scrape)
                return NULL;
        scrape_stop(scrape);
        schedule_free(scrape->schedule);
        snapshot_free(scrape->snapshot);
        check_set_free(scrape->set);
        pthread_cond_destroy(&scrape->wake);
        pthread_mutex_destroy(&scrape->lock);
        free(scrape);
        return NULL;
}
