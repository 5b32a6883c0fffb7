/* SPDX-License-Identifier: Apache-2.0 */
/* What Alertmanager and Prometheus know of the alerts at this moment. */
#include <errno.h>
#include <stdio.h>

#include "responder/alert/alert.h"
#include "responder/targets/internal.h"
#include "runbook/prometheus.h"
#include "runbook/text.h"

/* The members of an alert's status that keep it back, in the order in which they are told. */
static const struct {
        const char *member;
        enum alert_presence presence;
        const char *what;
} holds[] = {
        {"silencedBy", ALERT_SILENCED, "silence"},
        {"inhibitedBy", ALERT_INHIBITED, "alert"},
        {"mutedBy", ALERT_MUTED, "time interval"},
};

static const cJSON *find_silence(const cJSON *silences, const char *id)
{
        const cJSON *silence;
        cJSON_ArrayForEach(silence, silences)
        {
                if (string_equal(json_string(silence, "id"), id))
                        return silence;
        }
        return NULL;
}

/* `silences` may be NULL. */
static char *describe_hold(const char *what, const char *id, const cJSON *silences)
{
        const cJSON *silence = find_silence(silences, id);
        const char *author = json_string(silence, "createdBy"), *comment = json_string(silence, "comment");
        return text_format("%s %.100s%s%.100s%s%.500s", what, id, author ? " by " : "", author ? author : "",
                           comment && *comment ? ": " : "", comment ? comment : "");
}

/* Labels that are refused in a webhook are of no alert that anybody asks about: -EBADMSG. */
static int read_seen(const cJSON *alert, const cJSON *silences, struct alert_seen *ret, struct error *error)
{
        int r = alert_key_of_labels(json_get(alert, "labels", NULL), ret->key, error);
        ret->presence = ALERT_ACTIVE;
        if (r < 0)
                return r;
        for (size_t i = 0; i < N_ELEMENTS(holds); i++) {
                const cJSON *first = cJSON_GetArrayItem(json_get(alert, "status", holds[i].member, NULL), 0);
                if (!cJSON_IsString(first))
                        continue;
                ret->presence = holds[i].presence;
                ret->by = describe_hold(holds[i].what, first->valuestring, silences);
                return ret->by ? 0 : error_oom(error);
        }
        return 0;
}

static bool some_silenced(const cJSON *alerts)
{
        const cJSON *alert;
        cJSON_ArrayForEach(alert, alerts)
        {
                if (cJSON_GetArraySize(json_get(alert, "status", "silencedBy", NULL)) > 0)
                        return true;
        }
        return false;
}

static int compare_seen(const void *a, const void *b)
{
        const struct alert_seen *one = a, *other = b;
        return strcmp(one->key, other->key);
}

void alertmanager_view_sort(struct alertmanager_view *view)
{
        if (view->count > 1)
                qsort(view->items, view->count, sizeof(view->items[0]), compare_seen);
}

const struct alert_seen *alertmanager_view_find(const struct alertmanager_view *view, const char *key)
{
        struct alert_seen wanted = {0};
        snprintf(wanted.key, sizeof(wanted.key), "%s", key);
        return view->count == 0 ? NULL
                                : bsearch(&wanted, view->items, view->count, sizeof(wanted), compare_seen);
}

void alertmanager_view_release(struct alertmanager_view *view)
{
        for (size_t i = 0; i < view->count; i++)
                free(view->items[i].by);
        free(view->items);
        *view = (struct alertmanager_view){0};
}

static int read_view(const cJSON *alerts, const cJSON *silences, struct alertmanager_view *view,
                     struct error *error)
{
        size_t most = (size_t)cJSON_GetArraySize(alerts);
        view->items = calloc(most + 1, sizeof(*view->items));
        if (!view->items)
                return error_oom(error);
        const cJSON *alert;
        cJSON_ArrayForEach(alert, alerts)
        {
                if (!cJSON_IsObject(json_get(alert, "labels", NULL)))
                        return error_set(error, EBADMSG, "Alertmanager's answer has an alert without labels");
                _cleanup_error_ struct error why = {0};
                int r = read_seen(alert, silences, &view->items[view->count], &why);
                if (r >= 0)
                        view->count++;
                else if (r != -EBADMSG) {
                        error_move(error, &why);
                        return r;
                }
        }
        alertmanager_view_sort(view);
        return 0;
}

int targets_alertmanager(struct targets *targets, struct deadline deadline, struct alertmanager_view *ret,
                         struct error *error)
{
        const char *base = targets_set(targets)->alertmanager_url;
        int r = targets_check_url(base, "alertmanager_url", error);
        if (r < 0)
                return r;
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (!client)
                return error_oom(error);
        const struct http_request how = {.deadline = deadline};
        _cleanup_json_ cJSON *alerts = NULL, *silences = NULL;
        nsec started = 0;
        /* Its start after its alerts: what is started anew in between is young, and its list not believed. */
        r = alertmanager_alerts(client, &how, base, &(struct alertmanager_wanted){0}, &alerts, error);
        if (r >= 0)
                r = alertmanager_started(client, &how, base, &started, error);
        if (r < 0)
                return r;
        if (some_silenced(alerts))
                alertmanager_silences(client, &how, base, &silences, NULL);
        struct alertmanager_view view = {0};
        r = read_view(alerts, silences, &view, error);
        if (r < 0) {
                alertmanager_view_release(&view);
                return r;
        }
        nsec up = clock_wall() - started;
        view.up = up > 0 ? up : 0;
        *ret = view;
        return 0;
}

/* Of silences that are not over, those with our mark. */
static bool is_ours(const cJSON *silence, const char *mark)
{
        const char *comment = json_string(silence, "comment"),
                   *state = json_string(json_get(silence, "status", NULL), "state");
        return comment && string_starts(comment, mark) && !string_equal(state, "expired");
}

static const cJSON *find_comment(const cJSON *silences, const char *mark, const char *comment)
{
        const cJSON *silence;
        cJSON_ArrayForEach(silence, silences)
        {
                if ((!mark || is_ours(silence, mark)) &&
                    string_equal(json_string(silence, "comment"), comment))
                        return silence;
        }
        return NULL;
}

int targets_silence(struct targets *targets, const char *mark, const cJSON *wanted, struct deadline deadline,
                    struct error *error)
{
        const char *base = targets_set(targets)->alertmanager_url;
        int r = targets_check_url(base, "alertmanager_url", error);
        if (r < 0)
                return r;
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (!client)
                return error_oom(error);
        const struct http_request how = {.deadline = deadline};
        _cleanup_json_ cJSON *there = NULL;
        const cJSON *silence;
        r = alertmanager_silences(client, &how, base, &there, error);
        /* What is set before what is ended: at no time is there a gap. */
        cJSON_ArrayForEach(silence, wanted)
        {
                if (r >= 0 && !find_comment(there, mark, json_string(silence, "comment")))
                        r = alertmanager_silence(client, &how, base, silence, error);
        }
        cJSON_ArrayForEach(silence, there)
        {
                if (r >= 0 && is_ours(silence, mark) &&
                    !find_comment(wanted, NULL, json_string(silence, "comment")))
                        r = alertmanager_unsilence(client, &how, base, json_string(silence, "id"), error);
        }
        return r;
}

int targets_firing(struct targets *targets, struct deadline deadline, cJSON **ret, struct error *error)
{
        const char *base = targets_set(targets)->prometheus_url;
        int r = targets_check_url(base, "prometheus_url", error);
        if (r < 0)
                return r;
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (!client)
                return error_oom(error);
        const struct http_request how = {.method = "POST", .deadline = deadline};
        _cleanup_(prometheus_answer_release) struct prometheus_answer answer = {0};
        r = prometheus_query(client, &how, base, "ALERTS{alertstate=\"firing\"}", 0, &answer, error);
        if (r >= 0)
                r = prometheus_answer_check_whole(&answer, error);
        if (r < 0)
                return r;
        _cleanup_json_ cJSON *list = cJSON_CreateArray();
        if (!list)
                return error_oom(error);
        for (size_t i = 0; i < answer.count; i++)
                if (answer.series[i].labels && json_append(list, json_copy(answer.series[i].labels)) < 0)
                        return error_oom(error);
        *ret = TAKE_PTR(list);
        return 0;
}
