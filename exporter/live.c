/* SPDX-License-Identifier: Apache-2.0 */
/* One scrape after the other: the present one, and those before it that still have requests to answer. */
#include "exporter/live.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "exporter/history/history.h"
#include "exporter/pings/pings.h"
#include "runbook/log.h"
#include "runbook/memory.h"
#include "runbook/web_config.h"

enum { MOST_ASKING = 16 }; /* requests for a reload that wait for the same one */

struct retired {
        struct retired *next;
        struct scrape *scrape;
};

struct live {
        struct live_options options;
        struct workers *workers;
        struct pings *pings;
        struct history *history;
        struct process_status status;
        struct retired *retired; /* by main's thread */

        pthread_mutex_t lock;
        struct scrape *scrape;
        struct http_exchange *asking[MOST_ASKING];
        size_t asking_count;
        bool closed;
};

static void note_success(struct live *live)
{
        __atomic_store_n(&live->status.success_wall, clock_wall(), __ATOMIC_RELAXED);
        __atomic_store_n(&live->status.successful, true, __ATOMIC_RELAXED);
}

/* What is kept of the checks beside their files, before rights are given up. */
static int open_kept(struct live *live, struct check_set *set, struct error *error)
{
        _cleanup_error_ struct error broken = {0};
        live->pings = pings_new(live->options.state_directory, false);
        if (!live->pings)
                return error_oom(error);
        int r = history_new(live->options.state_directory, &live->history, &broken);
        if (r < 0)
                return error_oom(error);
        if (r > 0)
                log_event(LOG_WARN, "The history of the checks cannot be read", "reason", error_text(&broken),
                          NULL);
        r = pings_attach(live->pings, set, error);
        return r >= 0 ? history_attach(live->history, set, error) : r;
}

int live_start(const struct live_options *options, struct live **ret, struct error *error)
{
        struct live *live = calloc(1, sizeof(*live));
        _cleanup_(check_set_free_p) struct check_set *set = NULL;
        if (!live)
                return error_oom(error);
        live->options = *options;
        pthread_mutex_init(&live->lock, NULL);
        int r = check_set_load(options->config_file, options->state_directory, &set, error);
        if (r >= 0)
                r = open_kept(live, set, error);
        if (r >= 0 && options->confinement) {
                r = confinement_enter(options->confinement, set, error);
                live->status.landlock = options->confinement->sandbox.landlock;
                live->status.seccomp = options->confinement->sandbox.seccomp;
                live->status.keeps_state = options->state_directory != NULL;
        }
        /* A thread for each check, so that those which hang keep no other one waiting. */
        if (r >= 0)
                r = workers_new(options->workers ? options->workers : (unsigned)check_set_size(set),
                                &live->workers, error);
        if (r >= 0)
                r = scrape_new(set, live->workers, options->run_at_start, NULL, &live->status, &live->scrape,
                               error);
        if (r < 0) {
                live_stop(live, 0);
                return r;
        }
        note_success(live);
        *ret = live;
        return 0;
}

bool live_keeps_history(const struct live *live)
{
        return history_is_kept(live->history);
}

struct scrape *live_hold(struct live *live)
{
        pthread_mutex_lock(&live->lock);
        return live->scrape;
}

void live_release(struct live *live)
{
        pthread_mutex_unlock(&live->lock);
}

void live_ask_reload(struct live *live, struct http_exchange *exchange)
{
        pthread_mutex_lock(&live->lock);
        bool taken = !live->closed && live->asking_count < MOST_ASKING;
        if (taken) {
                http_suspend(exchange);
                live->asking[live->asking_count++] = exchange;
        }
        pthread_mutex_unlock(&live->lock);
        if (taken)
                kill(getpid(), SIGHUP);
        else
                http_reply_text(exchange, 503,
                                "Not now: too many ask for it, or the exporter is being stopped.");
}

/* Frees what has answered its last request. */
static void free_retired(struct live *live, bool all)
{
        for (struct retired **at = &live->retired; *at;) {
                struct retired *retired = *at;
                if (!all && !scrape_is_over(retired->scrape)) {
                        at = &retired->next;
                        continue;
                }
                *at = retired->next;
                scrape_free(retired->scrape);
                free(retired);
        }
}

/* Everything that can fail, and then the exchange. */
static int replace_scrape(struct live *live, size_t *ret_count, size_t *ret_fresh, struct error *error)
{
        _cleanup_(check_set_free_p) struct check_set *set = NULL;
        _cleanup_(web_config_unref_p) struct web_config *web = NULL;
        _cleanup_free_ struct retired *retired = calloc(1, sizeof(*retired));
        struct scrape *next = NULL;
        if (!retired)
                return error_oom(error);
        int r = check_set_load(live->options.config_file, live->options.state_directory, &set, error);

        if (r >= 0)
                r = pings_attach(live->pings, set, error);
        if (r >= 0)
                r = history_attach(live->history, set, error);
        if (r >= 0 && live->options.confinement)
                r = confinement_admit(live->options.confinement, set, error);
        if (r >= 0 && live->options.web_config_file)
                r = web_config_load(live->options.web_config_file, &web, error);
        if (r >= 0)
                r = scrape_new(set, live->workers, live->options.run_at_start, live->scrape, &live->status,
                               &next, error);
        if (r < 0)
                return r;
        *ret_count = set->count;
        *ret_fresh = schedule_fresh(scrape_schedule(next));
        if (live->options.workers == 0)
                workers_allow(live->workers, (unsigned)*ret_fresh);

        pthread_mutex_lock(&live->lock);
        struct scrape *before = live->scrape;
        live->scrape = next;
        pthread_mutex_unlock(&live->lock);
        retired->scrape = before;
        retired->next = live->retired;
        live->retired = TAKE_PTR(retired);
        scrape_retire(before);
        return 0;
}

static void answer_asking(struct live *live, unsigned status, const char *text)
{
        struct http_exchange *asking[MOST_ASKING];
        pthread_mutex_lock(&live->lock);
        size_t count = live->asking_count;
        memcpy(asking, live->asking, sizeof(asking));
        live->asking_count = 0;
        pthread_mutex_unlock(&live->lock);
        for (size_t i = 0; i < count; i++)
                http_reply_text(asking[i], status, "%s", text);
}

void live_reload(struct live *live)
{
        _cleanup_error_ struct error error = {0};
        size_t count = 0, fresh = 0;
        free_retired(live, false);
        int r = replace_scrape(live, &count, &fresh, &error);
        memory_settle(); /* what reading the file took is given back */
        if (r < 0) {
                __atomic_store_n(&live->status.successful, false, __ATOMIC_RELAXED);
                log_event(LOG_ERROR, "The configuration was not read again, the one of before stays",
                          "config", live->options.config_file, "reason", error_text(&error), NULL);
                schedule_advance_generation(scrape_schedule(live->scrape));
                answer_asking(live, 500, error_text(&error));
                return;
        }
        _cleanup_free_ char *checks = text_format("%zu", count), *changed = text_format("%zu", fresh);
        note_success(live);
        schedule_advance_generation(scrape_schedule(live->scrape));
        log_event(LOG_INFO, "The configuration was read again", "config", live->options.config_file, "checks",
                  checks, "changed", changed, NULL);
        answer_asking(live, 200, "The configuration was read again.");
}

void live_close(struct live *live)
{
        if (!live)
                return;
        pthread_mutex_lock(&live->lock);
        live->closed = true;
        pthread_mutex_unlock(&live->lock);
        answer_asking(live, 503, "The exporter is being stopped.");
        for (struct retired *retired = live->retired; retired; retired = retired->next)
                scrape_stop(retired->scrape);
        if (live->scrape)
                scrape_stop(live->scrape);
}

bool live_stop(struct live *live, nsec patience)
{
        if (!live)
                return true;
        live_close(live);
        if (live->workers && workers_stop(live->workers, deadline_in(patience)) > 0)
                return false;
        free_retired(live, true);
        scrape_free(live->scrape);
        pings_free(live->pings);
        if (live->history)
                (void)history_save(live->history, true, NULL, NULL); /* the next run of it would tell */
        history_free(live->history);
        pthread_mutex_destroy(&live->lock);
        free(live);
        return true;
}
