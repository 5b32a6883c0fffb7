/* SPDX-License-Identifier: Apache-2.0 */
/* The boxes that days lie in, one for each check, and the one file of all of them. */
#include "exporter/history/history.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "exporter/history/internal.h"
#include "runbook/mask.h"
#include "runbook/state_file.h"

#define FILE_NAME "history"
#define TITLE "runbook history 1"

/* What is no worse than before is written so often at most. */
static const nsec SAVED_EVERY = 60 * NSEC_PER_SEC;

/* Before 2024 no clock is right: it was not set yet, and its days would push out all that is known. */
static const nsec CLOCK_SET_AFTER = 1704067200 * NSEC_PER_SEC;

struct history_box {
        struct history *history;
        struct history_box *next;
        char *name;
        bool attached; /* to a check that there is */
        struct history_record record;
};

struct history {
        char *path;             /* NULL: it is kept in memory alone */
        pthread_mutex_t saving; /* held while the file is written; taken before the other one */
        bool failed;            /* the last try to write it did; by `saving` */

        pthread_mutex_t lock;
        struct history_box *boxes;
        size_t count;
        bool changed, urgent; /* since the last look of who writes */
        nsec next_save;       /* CLOCK_MONOTONIC */
};

static struct history_box *find_box(const struct history *history, const char *name)
{
        struct history_box *box = history->boxes;
        while (box && strcmp(box->name, name) != 0)
                box = box->next;
        return box;
}

/* NULL when out of memory. */
static struct history_box *add_box(struct history *history, const char *name)
{
        struct history_box *box = calloc(1, sizeof(*box)), **end = &history->boxes;
        if (!box)
                return NULL;
        box->history = history;
        box->name = strdup(name);
        if (!box->name) {
                free(box);
                return NULL;
        }
        history_record_clear(&box->record);
        while (*end)
                end = &(*end)->next;
        *end = box;
        history->count++;
        return box;
}

static void drop_boxes(struct history *history)
{
        while (history->boxes) {
                struct history_box *box = history->boxes;
                history->boxes = box->next;
                free(box->name);
                free(box);
        }
        history->count = 0;
}

struct history *history_free(struct history *history)
{
        if (!history)
                return NULL;
        drop_boxes(history);
        pthread_mutex_destroy(&history->saving);
        pthread_mutex_destroy(&history->lock);
        free(history->path);
        free(history);
        return NULL;
}

static int read_lines(struct history *history, char *rest, struct error *error)
{
        char *line;
        while (rest && (line = strsep(&rest, "\n")) && *line) {
                struct history_record record;
                const char *name;
                if (!history_record_parse(line, &name, &record) || history->count == HISTORY_CHECKS_MAX ||
                    find_box(history, name))
                        return state_file_broken(history->path, TITLE, error);
                struct history_box *box = add_box(history, name);
                if (!box)
                        return error_oom(error);
                box->record = record;
        }
        return 0;
}

static int read_file(struct history *history, struct error *error)
{
        _cleanup_text_ struct text lines = {0};
        int r = state_file_load(history->path, TITLE, &lines, error);
        if (r > 0 && (lines.length > HISTORY_FILE_MAX || !state_file_take_sum(&lines)))
                r = state_file_broken(history->path, TITLE, error);
        return r > 0 ? read_lines(history, lines.data, error) : r;
}

/* What cannot be read may be of use to a person, and is in nobody's way. `code`: why it cannot. */
static int set_aside(struct history *history, int code, struct error *error)
{
        _cleanup_free_ char *aside = text_format("%s.broken", history->path);
        drop_boxes(history);
        if (!aside)
                return error_oom(error);
        if (code == -EINVAL)
                error_set(error, EINVAL, "%s is no whole history", history->path);
        if (rename(history->path, aside) < 0)
                (void)error_prefix(error, code, "it begins anew, and what is there cannot be set aside");
        else
                (void)error_prefix(error, code, "it begins anew, and what was there is now %s", aside);
        return 1;
}

int history_new(const char *directory, struct history **ret, struct error *error)
{
        _cleanup_(history_free_p) struct history *history = calloc(1, sizeof(*history));
        int r = 0;
        if (!history)
                return error_oom(error);
        pthread_mutex_init(&history->saving, NULL);
        pthread_mutex_init(&history->lock, NULL);
        if (directory) {
                history->path = text_format("%s/" FILE_NAME, directory);
                if (!history->path)
                        return error_oom(error);
                r = read_file(history, error);
                if (r == -ENOMEM)
                        return r;
                r = r < 0 ? set_aside(history, r, error) : 0;
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(history);
        return r;
}

int history_attach(struct history *history, struct check_set *set, struct error *error)
{
        int r = 0;
        pthread_mutex_lock(&history->lock);
        for (struct history_box *box = history->boxes; box; box = box->next)
                box->attached = false;
        for (size_t i = 0; i < set->count && r >= 0; i++) {
                struct history_box *box = find_box(history, set->checks[i].name);
                if (!box && !(box = add_box(history, set->checks[i].name)))
                        r = error_oom(error);
                if (box)
                        box->attached = true;
                set->checks[i].history = box;
        }
        pthread_mutex_unlock(&history->lock);
        return r;
}

/* The first thing that is told of how it stands. */
static void take_first(const char *what, const char *about, void *context)
{
        struct text *reason = context;
        if (reason->length > 0)
                return;
        text_put_line(reason, what, HISTORY_REASON_MAX);
        if (about) {
                text_puts(reason, " ");
                text_put_line(reason, about, HISTORY_REASON_MAX);
        }
}

/* In a line, without secrets. */
static void put_reason(const struct check_state *state, char *ret)
{
        _cleanup_text_ struct text reason = {0}, line = {0};
        text_put_line(&reason, check_state_reason(state), SIZE_MAX);
        if (reason.length == 0)
                check_state_tell(state, take_first, &reason);
        _cleanup_free_ char *words = text_take(&reason);
        if (words)
                mask_string(words, MASK_SENTENCE);
        text_put_line(&line, words ? words : "", HISTORY_REASON_MAX);
        snprintf(ret, sizeof(((struct history_view *)NULL)->reason), "%s", text_string(&line));
}

/* Of the day that it is: the worst of it. True when it is worse than anything so far. */
static bool note_day(struct history_record *record, enum standing standing, nsec wall)
{
        unsigned char *today = &record->view.days[HISTORY_DAYS - 1];
        const int64_t day = history_day(wall);
        if (day != record->newest)
                history_record_move(record, day);
        if (*today != HISTORY_NOT_MEASURED && *today >= standing)
                return false;
        *today = (unsigned char)standing;
        return true;
}

/* True when it has not been so just before, for the same reason. */
static bool note_trouble(struct history_view *view, enum standing standing, const char *reason, nsec wall)
{
        const bool same = view->goes_on && view->trouble == standing;
        const bool news = !same || strcmp(view->reason, reason) != 0;
        if (!same)
                view->since = wall;
        view->trouble = standing;
        view->last = wall;
        view->goes_on = true;
        strcpy(view->reason, reason);
        return news;
}

void history_note(struct history_box *box, const struct check_state *state, nsec wall)
{
        const enum standing standing = check_state_standing(state);
        const bool bad = standing == STANDING_FAIL || standing == STANDING_UNKNOWN;
        char reason[sizeof(((struct history_view *)NULL)->reason)] = "";
        if (!box || wall < CLOCK_SET_AFTER)
                return;
        if (bad)
                put_reason(state, reason);
        struct history *history = box->history;
        pthread_mutex_lock(&history->lock);
        struct history_view *view = &box->record.view;
        bool changed = note_day(&box->record, standing, wall);
        if (bad) {
                history->urgent |= note_trouble(view, standing, reason, wall);
                changed = true;
        } else {
                changed |= view->goes_on;
                view->goes_on = false;
        }
        history->changed |= changed;
        pthread_mutex_unlock(&history->lock);
}

/* By the lock. Those that there are go first; what has nothing left in its days is let go. False when there
 * was no room for all. */
static bool put_lines(const struct history *history, int64_t today, struct text *lines)
{
        bool all = true;
        for (int attached = 1; attached >= 0; attached--)
                for (const struct history_box *box = history->boxes; box; box = box->next) {
                        _cleanup_text_ struct text line = {0};
                        if (box->attached != attached || box->record.newest + HISTORY_DAYS <= today)
                                continue;
                        history_record_put(&line, box->name, &box->record);
                        if (lines->length + line.length > HISTORY_FILE_MAX - 256)
                                all = all && !attached; /* of those that are gone nobody asks */
                        else
                                text_puts(lines, text_string(&line));
                }
        return all;
}

/* True when there is something to write, which it takes. */
static bool take_lines(struct history *history, bool now, bool *ret_all, struct text *lines)
{
        const nsec steady = clock_monotonic();
        pthread_mutex_lock(&history->lock);
        const bool due = history->changed && (now || history->urgent || steady >= history->next_save);
        if (due) {
                *ret_all = put_lines(history, history_day(clock_wall()), lines);
                history->changed = history->urgent = false;
                history->next_save = steady + SAVED_EVERY;
        }
        pthread_mutex_unlock(&history->lock);
        return due;
}

/* What was not written is still to be. */
static void keep_for_later(struct history *history)
{
        pthread_mutex_lock(&history->lock);
        history->changed = true;
        pthread_mutex_unlock(&history->lock);
}

int history_save(struct history *history, bool now, bool *ret_news, struct error *error)
{
        bool news = false;
        int r = 0;
        if (history->path && pthread_mutex_trylock(&history->saving) == 0) {
                _cleanup_text_ struct text lines = {0};
                bool all = true;
                /* Whoever came meanwhile and found the place taken has left what is urgent. */
                while (r >= 0 && take_lines(history, now, &all, &lines)) {
                        state_file_put_sum(&lines);
                        r = state_file_save(history->path, TITLE, &lines, error);
                        if (r < 0)
                                keep_for_later(history);
                        else if (!all)
                                r = error_set(error, E2BIG, "%s has no room for all checks", history->path);
                        news = history->failed != (r < 0);
                        history->failed = r < 0;
                        text_clear(&lines);
                        now = false;
                }
                pthread_mutex_unlock(&history->saving);
        }
        if (ret_news)
                *ret_news = news;
        return r;
}

int history_box_save(struct history_box *box, bool *ret_news, struct error *error)
{
        if (box)
                return history_save(box->history, false, ret_news, error);
        if (ret_news)
                *ret_news = false;
        return 0;
}

void history_box_view(struct history_box *box, nsec now, struct history_view *ret)
{
        struct history_record record;
        history_record_clear(&record);
        if (box) {
                pthread_mutex_lock(&box->history->lock);
                record = box->record;
                pthread_mutex_unlock(&box->history->lock);
                history_record_move(&record, history_day(now));
        }
        *ret = record.view;
}

bool history_is_kept(const struct history *history)
{
        return history && history->path;
}
