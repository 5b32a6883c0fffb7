/* SPDX-License-Identifier: Apache-2.0 */
/* Histories of alerts, out of what has kept one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "responder/rehearsal/internal.h"
#include "runbook/text.h"

int alert_copy(const struct alert *alert, struct alert *ret, struct error *error)
{
        _cleanup_json_ cJSON *json = alert_to_json(alert);
        return json ? alert_from_json(json, ret, error) : error_oom(error);
}

int history_add(struct history *history, nsec at, struct alert *take, struct error *error)
{
        if (history->count == history->space) {
                size_t space = history->space > 0 ? 2 * history->space : 64;
                struct history_event *grown = reallocarray(history->items, space, sizeof(*grown));
                if (!grown) {
                        alert_release(take);
                        return error_oom(error);
                }
                history->items = grown;
                history->space = space;
        }
        history->items[history->count++] = (struct history_event){at, *take};
        *take = (struct alert){0};
        return 0;
}

/* Merges two runs that lie behind each other: what came first stays first among its like. */
static void merge(struct history_event *items, size_t middle, size_t count, struct history_event *space)
{
        size_t left = 0, right = middle, at = 0;
        while (left < middle && right < count)
                space[at++] = items[right].at < items[left].at ? items[right++] : items[left++];
        while (left < middle)
                space[at++] = items[left++];
        memcpy(items, space, at * sizeof(*items));
}

static void sort(struct history_event *items, size_t count, struct history_event *space)
{
        if (count < 2)
                return;
        sort(items, count / 2, space);
        sort(items + count / 2, count - count / 2, space);
        merge(items, count / 2, count, space);
}

int history_sort(struct history *history, struct error *error)
{
        struct history_event *space = calloc(history->count + 1, sizeof(*space));
        if (!space)
                return error_oom(error);
        sort(history->items, history->count, space);
        free(space);
        return 0;
}

void history_release(struct history *history)
{
        for (size_t i = 0; i < history->count; i++)
                alert_release(&history->items[i].alert);
        free(history->items);
        *history = (struct history){0};
}

static int add_webhook(struct history *history, nsec at, struct webhook *webhook, struct error *error)
{
        int r = 0;
        for (size_t i = 0; i < webhook->count && r >= 0; i++)
                r = history_add(history, at, &webhook->alerts[i], error);
        return r;
}

static int read_line(struct history *history, const char *line, size_t length, struct error *error)
{
        static const struct json_limits limits = {.depth = 34, .values = 1000000};
        _cleanup_json_ cJSON *json = NULL;
        struct webhook webhook = {0};
        nsec at = 0;
        int r = json_parse_strict(line, length, &limits, &json, error);
        if (r < 0)
                return r;
        const char *time = json_string(json, "at");
        _cleanup_free_ char *body = json_print(json_get(json, "webhook", NULL));
        if (!time || time_parse(time, &at, NULL) < 0)
                return error_set(error, EBADMSG, "\"at\" is not a time as 2026-11-28T10:00:00Z");
        if (!body)
                return error_set(error, EBADMSG, "there is no \"webhook\"");
        r = webhook_parse(body, strlen(body), &webhook, error);
        if (r >= 0)
                r = add_webhook(history, at, &webhook, error);
        webhook_release(&webhook);
        return r;
}

int history_read_webhooks(struct history *history, const char *name, const char *bytes, struct error *error)
{
        for (size_t number = 1; *bytes; number++) {
                size_t length = strcspn(bytes, "\n");
                int r = length > 0 ? read_line(history, bytes, length, error) : 0;
                if (r < 0)
                        return error_prefix(error, r, "%s:%zu", name, number);
                bytes += length + (bytes[length] == '\n');
        }
        return 0;
}

static int add_heard(void *context, const struct alert *alert, nsec opened_at, nsec closed_at,
                     struct error *error)
{
        struct alert begins = {0}, ends = {0};
        int r = alert_copy(alert, &begins, error);
        if (r < 0)
                return r;
        begins.firing = true;
        begins.ends_at = 0;
        r = history_add(context, opened_at, &begins, error);
        if (r < 0 || closed_at == 0)
                return r;
        r = alert_copy(alert, &ends, error);
        if (r < 0)
                return r;
        ends.firing = false;
        ends.ends_at = closed_at;
        return history_add(context, closed_at, &ends, error);
}

int history_read_journal(struct history *history, struct journal *journal, nsec since, struct error *error)
{
        return journal_episodes(journal, since, add_heard, history, error);
}
