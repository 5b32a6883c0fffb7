/* SPDX-License-Identifier: Apache-2.0 */
/* One scrape after the other: the present one, and those before it that still have requests to answer. */
#include "exporter/live.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "runbook/log.h"
#include "runbook/memory.h"
#include "runbook/web_config.h"

enum { MOST_ASKING = 16 }; /* requests for a reload that wait for the same one */

struct retired {
        struct retired *next;
        struct scrape *scrape;
};

struct current {
        struct current_options options;
        struct workers *workers;
        struct process_status status;
        struct retired *retired; /* by main's thread */

        pthread_mutex_t lock;
        struct scrape *scrape;
        struct http_exchange *asking[MOST_ASKING];
        size_t asking_count;
        bool closed;
};

static void note_success(struct current *current)
{
        __atomic_store_n(&current->status.success_wall, clock_wall(), __ATOMIC_RELAXED);
        __atomic_store_n(&current->status.successful, true, __ATOMIC_RELAXED);
}

int current_start(const struct current_options *options, struct current **ret, struct error *error)
{
        struct current *current = calloc(1, sizeof(*current));
        _cleanup_(check_set_free_p) struct check_set *set = NULL;

        if (!current)
                return error_oom(error);
        current->options = *options;
        pthread_mutex_init(&current->lock, NULL);
        int r = check_set_load(options->config_file, options->state_directory, &set, error);
        if (r >= 0 && options->confinement) {
                r = confinement_enter(options->confinement, set, error);
                current->status.landlock = options->confinement->landlock;
                current->status.seccomp = options->confinement->seccomp;
        }
        /* A thread for each check, so that those which hang keep no other one waiting. */
        if (r >= 0)
                r = workers_new(options->workers ? options->workers : (unsigned)check_set_size(set),
                                &current->workers, error);
        if (r >= 0)
                r = scrape_new(set, current->workers, NULL, &current->status, &current->scrape, error);
        if (r < 0) {
                current_stop(current, 0);
                return r;
        }
        note_success(current);
        *ret = current;
        return 0;
}

struct scrape *current_hold(struct current *current)
{
        pthread_mutex_lock(&current->lock);
        return current->scrape;
}

void current_release(struct current *current)
{
        pthread_mutex_unlock(&current->lock);
}

void current_ask_reload(struct current *current, struct http_exchange *exchange)
{
        pthread_mutex_lock(&current->lock);
        bool taken = !current->closed && current->asking_count < MOST_ASKING;
        if (taken) {
                http_suspend(exchange);
                current->asking[current->asking_count++] = exchange;
        }
        pthread_mutex_unlock(&current->lock);
        if (taken)
                kill(getpid(), SIGHUP);
        else
                http_reply_text(exchange, 503,
                                "Not now: too many ask for it, or the exporter is being stopped.");
}

/* Frees what has answered its last request. */
static void free_retired(struct current *current, bool all)
{
        for (struct retired **at = &current->retired; *at;) {
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
static int replace_scrape(struct current *current, size_t *ret_count, size_t *ret_fresh, struct error *error)
{
        _cleanup_(check_set_free_p) struct check_set *set = NULL;
        _cleanup_(web_config_unref_p) struct web_config *web = NULL;
        _cleanup_free_ struct retired *retired = calloc(1, sizeof(*retired));
        struct scrape *next = NULL;

        if (!retired)
                return error_oom(error);
        int r = check_set_load(current->options.config_file, current->options.state_directory, &set, error);

        if (r >= 0 && current->options.confinement)
                r = confinement_admit(current->options.confinement, set, error);
        if (r >= 0 && current->options.web_config_file)
                r = web_config_load(current->options.web_config_file, &web, error);
        if (r >= 0)
                r = scrape_new(set, current->workers, current->scrape, &current->status, &next, error);
        if (r < 0)
                return r;
        *ret_count = set->count;
        *ret_fresh = schedule_fresh(scrape_schedule(next));
        if (current->options.workers == 0)
                workers_allow(current->workers, (unsigned)*ret_fresh);

        pthread_mutex_lock(&current->lock);
        struct scrape *before = current->scrape;
        current->scrape = next;
        pthread_mutex_unlock(&current->lock);
        retired->scrape = before;
        retired->next = current->retired;
        current->retired = TAKE_PTR(retired);
        scrape_retire(before);
        return 0;
}

static void answer_asking(struct current *current, unsigned status, const char *text)
{
        struct http_exchange *asking[MOST_ASKING];

        pthread_mutex_lock(&current->lock);
        size_t count = current->asking_count;
        memcpy(asking, current->asking, sizeof(asking));
        current->asking_count = 0;
        pthread_mutex_unlock(&current->lock);
        for (size_t i = 0; i < count; i++)
                http_reply_text(asking[i], status, "%s", text);
}

void current_reload(struct current *current)
{
        _cleanup_error_ struct error error = {0};
        size_t count = 0, fresh = 0;

        free_retired(current, false);
        int r = replace_scrape(current, &count, &fresh, &error);
        memory_settle(); /* what reading the file took is given back */
        if (r < 0) {
                __atomic_store_n(&current->status.successful, false, __ATOMIC_RELAXED);
                log_event(LOG_ERROR, "The configuration was not read again, the one of before stays",
                          "config", current->options.config_file, "reason", error_text(&error), NULL);
                schedule_advance_generation(scrape_schedule(current->scrape));
                answer_asking(current, 500, error_text(&error));
                return;
        }
        _cleanup_free_ char *checks = text_format("%zu", count), *changed = text_format("%zu", fresh);
        note_success(current);
        schedule_advance_generation(scrape_schedule(current->scrape));
        log_event(LOG_INFO, "The configuration was read again", "config", current->options.config_file,
                  "checks", checks, "changed", changed, NULL);
        answer_asking(current, 200, "The configuration was read again.");
}

void current_close(struct current *current)
{
        if (!current)
                return;
        pthread_mutex_lock(&current->lock);
        current->closed = true;
        pthread_mutex_unlock(&current->lock);
        answer_asking(current, 503, "The exporter is being stopped.");
        for (struct retired *retired = current->retired; retired; retired = retired->next)
                scrape_stop(retired->scrape);
        if (current->scrape)
                scrape_stop(current->scrape);
}

bool current_stop(struct current *current, nsec patience)
{
        if (!current)
                return true;
        current_close(current);
        if (current->workers && workers_stop(current->workers, deadline_in(patience)) > 0)
                return false;
        free_retired(current, true);
        scrape_free(current->scrape);
        pthread_mutex_destroy(&current->lock);
        free(current);
        return true;
}
