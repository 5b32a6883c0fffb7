/* SPDX-License-Identifier: Apache-2.0 */
/* A history told to the engine, moment by moment, and whatever is due in between. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "responder/rehearsal/internal.h"
#include "runbook/assert.h"

/* No wake-up is missed here. */
#define REST (24 * (3600 * NSEC_PER_SEC))

/* Within one second of the model; what turns in a circle is told, not waited for. */
enum { LOOKS_MOST = 20000 };

/* It seals what nobody keeps. */
static const struct journal_key key = {.bytes = "a rehearsal is kept by nobody"};

static int begin_engine(struct rehearsal *rehearsal, struct error *error)
{
        int r = journal_open(rehearsal->path, &key, &rehearsal->world, &rehearsal->journal, error);
        if (r < 0)
                return r;
        const struct incident_parts parts = {.world = &rehearsal->world,
                                             .set = rehearsal->set,
                                             .journal = rehearsal->journal,
                                             .meters = rehearsal->meters};
        r = engine_new(&parts, &rehearsal->engine, error);
        if (r >= 0)
                engine_rest_at_most(rehearsal->engine, REST);
        return r;
}

int rehearsal_new(const struct remediation_set *set, nsec begin, struct rehearsal **ret, struct error *error)
{
        /* Each has a database of its own. */
        static atomic_uint count;
        struct rehearsal *rehearsal = calloc(1, sizeof(*rehearsal));
        if (!rehearsal)
                return error_oom(error);
        rehearsal->set = set;
        rehearsal->begin = rehearsal->now = rehearsal->look_at = begin;
        snprintf(rehearsal->path, sizeof(rehearsal->path), "/rehearsal-%u", atomic_fetch_add(&count, 1));
        model_fill(rehearsal);
        rehearsal->calls = cJSON_CreateArray();
        rehearsal->meters = meters_new();
        int r = rehearsal->calls && rehearsal->meters ? begin_engine(rehearsal, error) : error_oom(error);
        if (r < 0) {
                rehearsal_free(rehearsal);
                return r;
        }
        *ret = rehearsal;
        return 0;
}

struct rehearsal *rehearsal_free(struct rehearsal *rehearsal)
{
        if (!rehearsal)
                return NULL;
        engine_stop(rehearsal->engine, (struct deadline){0});
        journal_close(rehearsal->journal);
        meters_free(rehearsal->meters);
        model_release(rehearsal);
        free(rehearsal);
        return NULL;
}

static int look(struct rehearsal *rehearsal, struct error *error)
{
        nsec next = 0, now = world_monotonic(&rehearsal->world);
        rehearsal->look_at = INT64_MAX;
        int r = engine_look(rehearsal->engine, &next, error);
        if (r < 0)
                return r;
        model_work(rehearsal);
        nsec left = next - now;
        if (rehearsal->look_at - rehearsal->now > left)
                rehearsal->look_at = rehearsal->now + (left > NSEC_PER_MSEC ? left : NSEC_PER_MSEC);
        return 0;
}

int rehearsal_pass(struct rehearsal *rehearsal, nsec until, struct error *error)
{
        nsec second = 0;
        unsigned looks = 0;
        while (rehearsal->look_at <= until) {
                if (rehearsal->look_at > rehearsal->now)
                        rehearsal->now = rehearsal->look_at;
                if (rehearsal->now - second >= NSEC_PER_SEC) {
                        second = rehearsal->now;
                        looks = 0;
                }
                if (++looks > LOOKS_MOST)
                        return error_set(error, ELOOP, "the rehearsal does not come to rest");
                int r = look(rehearsal, error);
                if (r < 0)
                        return r;
        }
        if (rehearsal->now < until)
                rehearsal->now = until;
        return 0;
}

static void note_result(void *context, int result)
{
        *(int *)context = result;
}

int rehearsal_hear(struct rehearsal *rehearsal, nsec at, const struct history_event *events, size_t count,
                   struct error *error)
{
        struct webhook webhook = {.alerts = calloc(count + 1, sizeof(struct alert))};
        int r = webhook.alerts ? rehearsal_pass(rehearsal, at, error) : error_oom(error), result = -EIO;
        for (size_t i = 0; i < count && r >= 0; i++) {
                r = model_hear(rehearsal, &events[i].alert, error);
                if (r >= 0)
                        r = alert_copy(&events[i].alert, &webhook.alerts[webhook.count], error);
                webhook.count += r >= 0;
        }
        if (r < 0) {
                webhook_release(&webhook);
                return r;
        }
        r = journal_accept(rehearsal->journal, &webhook, note_result, &result);
        journal_commit_waiting(rehearsal->journal);
        if (r < 0 || result < 0)
                return error_set(error, EIO, "the rehearsal's journal took no webhook");
        engine_wake(rehearsal->engine);
        return 0;
}

/* So many alerts at most in one webhook. */
enum { TOLD_AT_ONCE = 1000 };

int rehearsal_play(struct rehearsal *rehearsal, const struct history *history, nsec until,
                   struct error *error)
{
        for (size_t i = 0, count; i < history->count; i += count) {
                const struct history_event *first = &history->items[i];
                for (count = 1; i + count < history->count && count < TOLD_AT_ONCE &&
                                history->items[i + count].at == first->at;)
                        count++;
                int r = rehearsal_hear(rehearsal, first->at, first, count, error);
                if (r < 0)
                        return r;
        }
        return rehearsal_pass(rehearsal, until, error);
}

/* The number of the one that it has opened last; free() it. */
static int find_last(struct rehearsal *rehearsal, const char *remediation, char **ret, struct error *error)
{
        const struct journal_search search = {.remediation = remediation, .limit = 1};
        struct incident_list list = {0};
        int r = journal_search(rehearsal->journal, &search, &list, error);
        if (r >= 0 && list.count == 0)
                r = error_set(error, ENOENT, "there is no incident of %s", remediation);
        if (r >= 0 && !(*ret = strdup(list.items[0].number)))
                r = error_oom(error);
        incident_list_release(&list);
        return r;
}

int rehearsal_decide(struct rehearsal *rehearsal, enum decision decision, const char *remediation,
                     struct error *error)
{
        _cleanup_free_ char *number = NULL;
        int r = find_last(rehearsal, remediation, &number, error);
        return r < 0 ? r
                     : engine_decide(rehearsal->engine, decision, number, "person rehearsal", NULL, error);
}

int rehearsal_pause(struct rehearsal *rehearsal, bool paused, struct error *error)
{
        return engine_pause(rehearsal->engine, paused, "person rehearsal", NULL, error);
}

struct journal *rehearsal_journal(struct rehearsal *rehearsal)
{
        return rehearsal->journal;
}

struct rehearsal_counts rehearsal_counts(const struct rehearsal *rehearsal)
{
        return rehearsal->counts;
}
