/* SPDX-License-Identifier: Apache-2.0 */
/* A history out of Prometheus' series ALERTS: samples at steps become begins and ends. */
#include <errno.h>
#include <stdlib.h>

#include "responder/rehearsal/internal.h"

/* Without a sample for more than so many steps it was over in between. */
#define STEPS_MISSED 2

struct series {
        char key[DIGEST_TEXT_MAX];
        struct alert alert; /* as it fires */
        nsec seen;          /* wall: its last sample */
};

struct history_ranges {
        nsec step;
        struct series *items; /* what was under way when it was last seen */
        size_t count;
};

struct history_ranges *history_ranges_new(nsec step)
{
        struct history_ranges *ranges = calloc(1, sizeof(*ranges));
        if (ranges)
                ranges->step = step;
        return ranges;
}

struct history_ranges *history_ranges_free(struct history_ranges *ranges)
{
        if (!ranges)
                return NULL;
        for (size_t i = 0; i < ranges->count; i++)
                alert_release(&ranges->items[i].alert);
        free(ranges->items);
        free(ranges);
        return NULL;
}

/* Its labels but for those that Prometheus has added to say what ALERTS is of. */
static int read_labels(const cJSON *metric, nsec at, struct alert *ret, struct error *error)
{
        _cleanup_json_ cJSON *json = cJSON_CreateObject(), *labels = json_copy(metric);
        cJSON_DeleteItemFromObjectCaseSensitive(labels, "__name__");
        cJSON_DeleteItemFromObjectCaseSensitive(labels, "alertstate");
        if (json_put(json, "labels", TAKE_PTR(labels)) < 0)
                return error_oom(error);
        return alert_from_labels(json, at, ret, error);
}

static int add(struct history *history, const struct series *series, bool firing, nsec at,
               struct error *error)
{
        struct alert alert = {0};
        int r = alert_copy(&series->alert, &alert, error);
        if (r < 0)
                return r;
        alert.firing = firing;
        alert.ends_at = firing ? 0 : at;
        return history_add(history, at, &alert, error);
}

static int end_one(struct history *history, struct history_ranges *ranges, size_t i, struct error *error)
{
        struct series *one = &ranges->items[i];
        int r = add(history, one, false, one->seen + ranges->step, error);
        alert_release(&one->alert);
        *one = ranges->items[--ranges->count];
        return r;
}

static int begin_one(struct history *history, struct history_ranges *ranges, const char *key,
                     const cJSON *metric, nsec at, struct error *error)
{
        struct series *grown = reallocarray(ranges->items, ranges->count + 1, sizeof(*grown));
        if (!grown)
                return error_oom(error);
        ranges->items = grown;
        struct series *one = &grown[ranges->count];
        *one = (struct series){.seen = at};
        memcpy(one->key, key, sizeof(one->key));
        int r = read_labels(metric, at, &one->alert, error);
        if (r < 0)
                return r;
        ranges->count++;
        return add(history, one, true, at, error);
}

static struct series *find(struct history_ranges *ranges, const char *key)
{
        for (size_t i = 0; i < ranges->count; i++)
                if (strcmp(ranges->items[i].key, key) == 0)
                        return &ranges->items[i];
        return NULL;
}

static int read_sample(struct history *history, struct history_ranges *ranges, const char *key,
                       const cJSON *metric, nsec at, struct error *error)
{
        struct series *one = find(ranges, key);
        int r = 0;
        if (one && at - one->seen > STEPS_MISSED * ranges->step) {
                r = end_one(history, ranges, (size_t)(one - ranges->items), error);
                one = NULL;
        }
        if (one)
                one->seen = at > one->seen ? at : one->seen;
        return r < 0 || one ? r : begin_one(history, ranges, key, metric, at, error);
}

int history_read_range(struct history *history, struct history_ranges *ranges, const cJSON *matrix,
                       struct error *error)
{
        const cJSON *series, *sample;
        cJSON_ArrayForEach(series, matrix)
        {
                const cJSON *metric = json_get(series, "metric", NULL);
                struct alert alert = {0};
                char key[DIGEST_TEXT_MAX];
                int r = cJSON_IsObject(metric) ? read_labels(metric, 0, &alert, error)
                                               : error_set(error, EBADMSG, "a series has no labels");
                if (r >= 0)
                        r = alert_key(&alert, key, error);
                alert_release(&alert);
                cJSON_ArrayForEach(sample, json_get(series, "values", NULL))
                {
                        const cJSON *at = cJSON_GetArrayItem(sample, 0);
                        if (r >= 0 && !cJSON_IsNumber(at))
                                r = error_set(error, EBADMSG, "a sample has no time");
                        if (r >= 0)
                                r = read_sample(history, ranges, key, metric,
                                                seconds_to_nsec(at->valuedouble), error);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

int history_end_ranges(struct history *history, struct history_ranges *ranges, nsec end, struct error *error)
{
        int r = 0;
        for (size_t i = ranges->count; i > 0 && r >= 0; i--)
                if (end - ranges->items[i - 1].seen > STEPS_MISSED * ranges->step)
                        r = end_one(history, ranges, i - 1, error);
        return r;
}
