/* SPDX-License-Identifier: Apache-2.0 */
/* The boxes that pings lie in, one for each check that takes some. */
#include <errno.h>
#include <pthread.h>

#include "exporter/pings/internal.h"

const char *const ping_event_names[] = {
        [PING_START] = "start", [PING_SUCCESS] = "success", [PING_FAILURE] = "fail"};
tables_agree(ping_event_names, PING_EVENTS);

struct ping_box {
        struct ping_box *next;
        char *name, *path;      /* path: NULL when it is kept in memory alone */
        pthread_mutex_t saving; /* held while the file is written; taken before the other one */
        bool failed;            /* the last try to write it did; by `saving` */

        pthread_mutex_t lock;
        struct ping_record record;
        uint64_t number, saved; /* of the last ping, and of the last one that is in the file */
        int code; /* why the file of before could not be read, and in words; until the next ping */
        char *trouble;
};

struct pings {
        const char *directory;
        bool reader;
        struct ping_box *boxes;
};

struct pings *pings_new(const char *directory, bool reader)
{
        struct pings *pings = calloc(1, sizeof(*pings));
        if (!pings)
                return NULL;
        pings->directory = directory;
        pings->reader = reader;
        return pings;
}

static void box_free(struct ping_box *box)
{
        pthread_mutex_destroy(&box->saving);
        pthread_mutex_destroy(&box->lock);
        free(box->name);
        free(box->path);
        free(box->trouble);
        free(box);
}

struct pings *pings_free(struct pings *pings)
{
        if (!pings)
                return NULL;
        for (struct ping_box *box = pings->boxes, *next; box; box = next) {
                next = box->next;
                box_free(box);
        }
        free(pings);
        return NULL;
}

/* What lies in the file is taken, be it broken. NULL when out of memory. */
static struct ping_box *box_new(const struct pings *pings, const char *name)
{
        _cleanup_error_ struct error error = {0};
        struct ping_box *box = calloc(1, sizeof(*box));
        if (!box)
                return NULL;
        pthread_mutex_init(&box->saving, NULL);
        pthread_mutex_init(&box->lock, NULL);
        ping_record_clear(&box->record);
        box->name = strdup(name);
        if (pings->directory)
                box->path = text_format("%s/heartbeat-%s", pings->directory, name);
        if (!box->name || (pings->directory && !box->path)) {
                box_free(box);
                return NULL;
        }
        if (box->path)
                box->code = ping_record_load(box->path, &box->record, &error);
        if (box->code < 0)
                box->trouble = TAKE_PTR(error.message);
        if (pings->reader)
                free(TAKE_PTR(box->path));
        return box;
}

int pings_attach(struct pings *pings, struct check_set *set, struct error *error)
{
        for (size_t i = 0; i < set->count; i++) {
                struct check *check = &set->checks[i];
                if (!check->kind || !check->kind->ping_token)
                        continue;
                struct ping_box *box = pings->boxes;
                while (box && strcmp(box->name, check->name) != 0)
                        box = box->next;
                if (!box) {
                        box = box_new(pings, check->name);
                        if (!box)
                                return error_oom(error);
                        box->next = pings->boxes;
                        pings->boxes = box;
                }
                check->pings = box;
        }
        return 0;
}

uint64_t ping_box_note(struct ping_box *box, const struct ping *ping)
{
        pthread_mutex_lock(&box->lock);
        ping_record_note(&box->record, ping);
        box->code = 0;
        uint64_t number = ++box->number;
        pthread_mutex_unlock(&box->lock);
        return number;
}

int ping_box_save(struct ping_box *box, bool *ret_news, struct error *error)
{
        bool news = false;
        int r = 0;
        pthread_mutex_lock(&box->saving);
        pthread_mutex_lock(&box->lock);
        const struct ping_record record = box->record;
        const uint64_t number = box->number;
        bool needed = number > box->saved;
        pthread_mutex_unlock(&box->lock);
        if (needed && box->path)
                r = ping_record_save(box->path, &record, error);
        if (needed) {
                news = box->failed != (r < 0);
                box->failed = r < 0;
        }
        if (needed && r >= 0) {
                pthread_mutex_lock(&box->lock);
                box->saved = number;
                pthread_mutex_unlock(&box->lock);
        }
        pthread_mutex_unlock(&box->saving);
        if (ret_news)
                *ret_news = news;
        return r;
}

uint64_t ping_box_saved(struct ping_box *box)
{
        pthread_mutex_lock(&box->lock);
        uint64_t saved = box->saved;
        pthread_mutex_unlock(&box->lock);
        return saved;
}

int ping_box_read(struct ping_box *box, struct ping_record *ret, struct error *error)
{
        pthread_mutex_lock(&box->lock);
        int r = box->code;
        if (r >= 0)
                *ret = box->record;
        else
                error_set(error, -r, "%s", box->trouble ? box->trouble : error_reason(-r));
        pthread_mutex_unlock(&box->lock);
        return r < 0 ? r : 0;
}

const char *ping_box_name(const struct ping_box *box)
{
        return box->name;
}
