/* SPDX-License-Identifier: Apache-2.0 */
/* A schedule that is started once and waited for. */
#include "exporter/commands/run_once.h"

#include <pthread.h>

#include "exporter/pings/pings.h"
#include "exporter/web/snapshot.h"
#include "runbook/file.h"
#include "runbook/wait.h"

#define PATIENCE (100 * NSEC_PER_MSEC) /* for threads whose run has ended */

static void note_change(void *context)
{
        struct once *once = context;
        pthread_mutex_lock(&once->lock);
        once->news = true;
        pthread_cond_signal(&once->changed);
        pthread_mutex_unlock(&once->lock);
}

static struct once *once_new(void)
{
        struct once *once = calloc(1, sizeof(*once));
        if (!once)
                return NULL;
        pthread_mutex_init(&once->lock, NULL);
        condition_init(&once->changed);
        return once;
}

struct once *once_free(struct once *once)
{
        if (!once)
                return NULL;
        for (size_t i = 0; once->states && i < once->set->count; i++)
                check_state_release(&once->states[i]);
        free(once->states);
        free(once->selected);
        /* A run that hangs may touch anything of this at any time. */
        if (once->workers && workers_stop(once->workers, deadline_in(PATIENCE)) > 0)
                return NULL;
        schedule_free(once->schedule);
        check_set_free(once->set);
        pings_free(once->pings);
        pthread_cond_destroy(&once->changed);
        pthread_mutex_destroy(&once->lock);
        free(once);
        return NULL;
}

/* Until a run ends, or the next one is overdue. */
static void wait_for_news(struct once *once, nsec until)
{
        pthread_mutex_lock(&once->lock);
        while (!once->news && condition_wait_until(&once->changed, &once->lock, until))
                ;
        once->news = false;
        pthread_mutex_unlock(&once->lock);
}

static void wait_for_all(struct once *once, const struct check_run *runs, size_t count)
{
        size_t ended = 0;
        for (;;) {
                nsec next = schedule_expire(once->schedule);
                while (ended < count && schedule_ended(once->schedule, runs[ended]))
                        ended++;
                if (ended == count)
                        return;
                wait_for_news(once, next);
        }
}

int once_run(const char *config_file, const char *state_directory, const char *pings_directory,
             bool (*wanted)(const struct check_set *set, size_t i), struct once **ret, struct error *error)
{
        _cleanup_(once_free_p) struct once *once = once_new();
        int r;
        if (!once)
                return error_oom(error);
        r = check_set_load(config_file, state_directory, &once->set, error);
        if (r >= 0 && pings_directory) {
                once->pings = pings_new(pings_directory, true);
                r = once->pings ? pings_attach(once->pings, once->set, error) : error_oom(error);
        }
        if (r >= 0)
                r = workers_new((unsigned)once->set->count, &once->workers, error);
        if (r >= 0)
                r = schedule_new(once->set, once->workers, note_change, once, &once->schedule, error);
        if (r < 0)
                return r;
        size_t count = once->set->count, room = check_set_size(once->set);
        _cleanup_free_ struct check_run *runs = calloc(room, sizeof(*runs));
        once->selected = calloc(room, sizeof(*once->selected));
        once->states = calloc(room, sizeof(*once->states));
        if (!runs || !once->selected || !once->states)
                return error_oom(error);
        for (size_t i = 0; i < count; i++)
                once->selected[i] = !wanted || wanted(once->set, i);
        wait_for_all(once, runs, schedule_start(once->schedule, once->selected, runs));
        schedule_states(once->schedule, NULL, once->states, NULL, NULL);
        *ret = TAKE_PTR(once);
        return 0;
}

enum standing once_worst(const struct once *once)
{
        enum standing worst = STANDING_NOT_SET_UP;
        for (size_t i = 0; i < once->set->count; i++)
                if (once->selected[i] && check_state_standing(&once->states[i]) > worst)
                        worst = check_state_standing(&once->states[i]);
        return worst;
}

int once_exit_status(enum standing standing)
{
        static const int statuses[] = {
                [STANDING_NOT_SET_UP] = 0,
                [STANDING_PASS] = 0,
                [STANDING_WARN] = 1,
                [STANDING_FAIL] = 2,
                [STANDING_UNKNOWN] = ONCE_COULD_NOT_LOOK,
        };
        tables_agree(statuses, STANDINGS);

        return statuses[standing];
}

/* Perhaps on a terminal, so not quite what a file gets: labels are what neighbours say. */
static int write_out(const char *data, struct error *error)
{
        _cleanup_text_ struct text shown = {0};
        text_put_lines(&shown, data);
        int r = text_error(&shown);
        if (r >= 0)
                r = file_write(STDOUT_FILENO, text_string(&shown), shown.length);
        return r < 0 ? error_set_errno(error, -r, "standard output") : 0;
}

int once_write_metrics(const struct once *once, const char *path, struct error *error)
{
        struct sample_set none = {0};
        struct snapshot *snapshot = snapshot_new(once->schedule, once->selected, &none);
        uint64_t duplicates = 0;
        int r;
        if (!snapshot)
                return error_oom(error);
        struct http_content *page =
                snapshot_make(snapshot, (struct variant){METRICS_TEXT, false}, NULL, &duplicates);
        snapshot_free(snapshot);
        if (!page)
                return error_oom(error);
        if (strcmp(path, "-") == 0)
                r = write_out(http_content_data(page), error);
        else
                r = file_replace(path, http_content_data(page), http_content_length(page), 0644, error);
        http_content_unref(page);
        return r;
}
