/* SPDX-License-Identifier: Apache-2.0 */
/* Suspended scrapes, their deadlines, and the page that is kept in memory. */
#include "exporter/scrape.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>

#include "exporter/about.h"
#include "runbook/config.h"
#include "runbook/log.h"

#define DEFAULT_TIMEOUT 10.0 /* Prometheus' own default */
#define LONGEST_TIMEOUT 3600.0
#define MARGIN 0.5 /* seconds for encoding and the way back */

/* One request that is left open until its runs have ended. */
struct waiting {
        struct waiting *next;
        struct http_exchange *exchange;
        nsec deadline;
        bool *selected;          /* NULL: every check */
        size_t run_count, ended; /* runs before `ended` have ended */
        struct check_run runs[];
};

struct scrape {
        struct check_set *set; /* a reference */
        const struct reload_status *status;
        struct schedule *schedule;
        const char **names; /* of the checks, for look-ups and advice */
        pthread_t thread;
        bool started;

        pthread_mutex_t lock;
        pthread_cond_t wake; /* CLOCK_MONOTONIC */

        /* Below: by the lock. */
        struct waiting *list;
        bool stopping, retiring, over;
        struct http_content *page; /* of all checks */
        uint64_t page_generation;
        nsec page_fresh_until;

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
        if (waiting)
                free(waiting->selected);
        free(waiting);
        return NULL;
}
DEFINE_CLEANUP(struct waiting *, waiting_free);

static void wake(struct scrape *scrape)
{
        pthread_mutex_lock(&scrape->lock);
        pthread_cond_signal(&scrape->wake);
        pthread_mutex_unlock(&scrape->lock);
}

static void runs_changed(void *context)
{
        wake(context);
}

/* ---- building the page ---- */

struct snapshot {
        struct check_state *states;
        const struct sample_set **sets;
        struct sample_set own;
        size_t count;
};

static void snapshot_release(struct snapshot *snapshot)
{
        for (size_t i = 0; snapshot->states && i < snapshot->count; i++)
                check_state_release(&snapshot->states[i]);
        free(snapshot->states);
        free(snapshot->sets);
        sample_set_release(&snapshot->own);
}

/*
 * Encodes the page of the selected checks; the exporter's own series are on the page of all. What is on it is
 * from one moment, whose generation is told.
 */
static struct http_content *build_page(struct scrape *scrape, const bool *selected, uint64_t *ret_generation,
                                       nsec *ret_fresh_until)
{
        size_t count = scrape->set->count, sets = 1;
        _cleanup_(snapshot_release) struct snapshot snapshot = {
                .states = calloc(count + 1, sizeof(*snapshot.states)),
                .sets = calloc(count + 1, sizeof(*snapshot.sets)),
        };
        struct sample_sink sink = {&snapshot.own};
        _cleanup_text_ struct text text = {0};
        uint64_t duplicates;

        if (!snapshot.states || !snapshot.sets)
                return NULL;
        snapshot.count = count;
        schedule_states(scrape->schedule, snapshot.states, ret_generation, ret_fresh_until);

        snapshot.sets[0] = &snapshot.own;
        if (!selected) {
                about_exporter(&sink, scrape->duplicates);
                about_reload(&sink, scrape->status);
        }
        for (size_t i = 0; i < count; i++) {
                if (selected && !selected[i])
                        continue;
                about_check(&sink, &snapshot.states[i]);
                if (snapshot.states[i].result)
                        snapshot.sets[sets++] = &snapshot.states[i].result->samples;
        }
        if (metrics_encode_text(snapshot.sets, sets, &text, &duplicates) < 0)
                return NULL;
        scrape->duplicates += duplicates;
        return http_content_new(&text);
}

/* The page of all checks, a reference: the one in memory while nothing has changed, or a new one. */
static struct http_content *current_page(struct scrape *scrape)
{
        struct http_content *page = NULL, *previous;
        uint64_t generation;
        nsec fresh_until;

        pthread_mutex_lock(&scrape->lock);
        if (scrape->page && scrape->page_generation == schedule_generation(scrape->schedule))
                page = http_content_ref(scrape->page);
        pthread_mutex_unlock(&scrape->lock);
        if (page)
                return page;

        page = build_page(scrape, NULL, &generation, &fresh_until);
        if (!page)
                return NULL;
        pthread_mutex_lock(&scrape->lock);
        previous = scrape->page;
        scrape->page = http_content_ref(page);
        scrape->page_generation = generation;
        scrape->page_fresh_until = fresh_until;
        pthread_mutex_unlock(&scrape->lock);
        http_content_unref(previous);
        return page;
}

/* ---- the thread that answers ---- */

static bool is_ready(struct scrape *scrape, struct waiting *waiting, nsec now)
{
        while (waiting->ended < waiting->run_count &&
               schedule_ended(scrape->schedule, waiting->runs[waiting->ended]))
                waiting->ended++;
        return waiting->ended == waiting->run_count || now >= waiting->deadline;
}

/* Takes what can be answered out of the list, in the order of arrival; `ret_next`: when to look again. */
static struct waiting *take_ready(struct scrape *scrape, nsec *ret_next)
{
        struct waiting *ready = NULL, **ready_end = &ready;
        nsec now = clock_monotonic(), next = INT64_MAX;

        for (struct waiting **at = &scrape->list; *at;) {
                struct waiting *waiting = *at;

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

static void answer(struct scrape *scrape, struct waiting *waiting, bool stopping)
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

        page = waiting->selected ? build_page(scrape, waiting->selected, NULL, NULL) : current_page(scrape);
        if (!page) {
                http_reply_text(waiting->exchange, 500, "Out of memory.");
                return;
        }
        http_reply_content(waiting->exchange, 200, METRICS_TEXT_TYPE, page);
        http_content_unref(page);
}

static void sleep_until(struct scrape *scrape, nsec at)
{
        if (at == INT64_MAX) {
                pthread_cond_wait(&scrape->wake, &scrape->lock);
        } else {
                const struct timespec time = {.tv_sec = at / NSEC_PER_SEC, .tv_nsec = at % NSEC_PER_SEC};

                pthread_cond_timedwait(&scrape->wake, &scrape->lock, &time);
        }
}

static void *run_thread(void *context)
{
        struct scrape *scrape = context;
        bool stopping = false, over = false;

        while (!stopping && !over) {
                nsec overdue = schedule_expire(scrape->schedule), next;
                struct waiting *ready;

                pthread_mutex_lock(&scrape->lock);
                stopping = scrape->stopping;
                ready = take_ready(scrape, &next);
                over = scrape->retiring && !ready && !scrape->list;
                if (!ready && !stopping && !over)
                        sleep_until(scrape, overdue < next ? overdue : next);
                pthread_mutex_unlock(&scrape->lock);

                while (ready) {
                        struct waiting *following = ready->next;

                        answer(scrape, ready, stopping);
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

/* ---- the handler ---- */

struct selection {
        struct scrape *scrape;
        bool *selected; /* NULL while nothing was asked for by name */
        char *unknown;  /* the first name that no check has */
        bool failed;    /* out of memory */
};

static void select_check(void *context, const char *name)
{
        struct selection *selection = context;
        struct scrape *scrape = selection->scrape;

        if (!selection->selected)
                selection->selected = calloc(scrape->set->count + 1, sizeof(*selection->selected));
        if (!selection->selected) {
                selection->failed = true;
                return;
        }
        for (size_t i = 0; i < scrape->set->count; i++)
                if (strcmp(scrape->names[i], name) == 0) {
                        selection->selected[i] = true;
                        return;
                }
        if (!selection->unknown && !(selection->unknown = strndup(name, 100)))
                selection->failed = true;
}

/* Answers from memory while nothing is due, nothing is running that one waits for, and nothing has changed.
 */
static bool answer_from_memory(struct scrape *scrape, struct http_exchange *exchange)
{
        struct http_content *page = NULL;
        nsec now = clock_monotonic();

        pthread_mutex_lock(&scrape->lock);
        if (scrape->page && now < scrape->page_fresh_until &&
            scrape->page_generation == schedule_generation(scrape->schedule))
                page = http_content_ref(scrape->page);
        pthread_mutex_unlock(&scrape->lock);
        if (!page)
                return false;
        http_reply_content(exchange, 200, METRICS_TEXT_TYPE, page);
        http_content_unref(page);
        return true;
}

/* Starts the runs and hands the exchange to the thread. Takes `selected`. */
static void wait_for_runs(struct scrape *scrape, struct http_exchange *exchange, bool *selected)
{
        size_t count = scrape->set->count;
        struct waiting *waiting = calloc(1, sizeof(*waiting) + count * sizeof(*waiting->runs));

        if (!waiting) {
                free(selected);
                http_reply_text(exchange, 500, "Out of memory.");
                return;
        }
        waiting->exchange = exchange;
        waiting->selected = selected;
        waiting->deadline = clock_monotonic() +
                            scrape_allowance(http_header(exchange, "X-Prometheus-Scrape-Timeout-Seconds"));
        waiting->run_count = schedule_start(scrape->schedule, selected, waiting->runs);

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
                answer(scrape, waiting, true);
}

void scrape_handle(struct scrape *scrape, struct http_exchange *exchange)
{
        struct selection selection = {.scrape = scrape};
        _cleanup_free_ char *unknown = NULL;

        http_query_each(exchange, "collect[]", select_check, &selection);
        unknown = selection.unknown;
        if (selection.failed || unknown) {
                free(selection.selected);
                if (selection.failed) {
                        http_reply_text(exchange, 500, "Out of memory.");
                        return;
                }
                const char *nearest = config_nearest(unknown, scrape->names, scrape->set->count);
                http_reply_text(exchange, 400, "There is no check \"%s\".%s%s%s", unknown,
                                nearest ? " Did you mean \"" : "", nearest ? nearest : "",
                                nearest ? "\"?" : "");
                return;
        }
        if (!selection.selected && answer_from_memory(scrape, exchange))
                return;
        wait_for_runs(scrape, exchange, selection.selected);
}

/* ---- its life ---- */

int scrape_new(struct check_set *set, struct workers *workers, struct scrape *predecessor,
               const struct reload_status *status, struct scrape **ret, struct error *error)
{
        struct scrape *scrape = calloc(1, sizeof(*scrape));
        pthread_condattr_t monotonic;
        int r;

        if (!scrape)
                return error_oom(error);
        scrape->set = check_set_ref(set);
        scrape->status = status;
        pthread_mutex_init(&scrape->lock, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&scrape->wake, &monotonic);
        pthread_condattr_destroy(&monotonic);

        scrape->names = calloc(set->count + 1, sizeof(*scrape->names));
        if (!scrape->names) {
                scrape_free(scrape);
                return error_oom(error);
        }
        for (size_t i = 0; i < set->count; i++)
                scrape->names[i] = set->checks[i].name;

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
        http_content_unref(scrape->page);
        check_set_free(scrape->set);
        pthread_cond_destroy(&scrape->wake);
        pthread_mutex_destroy(&scrape->lock);
        free(scrape->names);
        free(scrape);
        return NULL;
}
