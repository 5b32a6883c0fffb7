/* SPDX-License-Identifier: Apache-2.0 */
/* A remediation begun by a person: an alert is made that sets it off and nothing else, and is taken as every
 * alert is, on the disk before anything follows. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "responder/web/internal.h"
#include "runbook/log.h"
#include "runbook/wait.h"

#define OPENING_PATIENCE (10 * NSEC_PER_SEC)
#define LOOK_EVERY (20 * NSEC_PER_MSEC)
enum { NEWEST = 100 };

static void add_label(void *context, const char *name, const char *value)
{
        cJSON *labels = context;
        if (!json_get(labels, name, NULL))
                json_put(labels, name, cJSON_CreateString(value));
}

/* What tells this run from all others. */
static void name_run(char *ret, size_t size)
{
        static atomic_uint runs;
        char now[TIME_TEXT_MAX];
        snprintf(ret, size, "%s-%u", time_format(clock_wall(), now), atomic_fetch_add(&runs, 1));
}

/* The labels that are given, those that its matchers leave no choice of, and what makes it this run alone. */
static int make_alert(const struct remediation *remediation, const cJSON *given, const char *run,
                      const char *actor, const char *reason, struct alert *ret, struct error *error)
{
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        _cleanup_text_ struct text summary = {0}, why = {0};
        cJSON *labels = cJSON_IsObject(given) ? cJSON_Duplicate(given, true) : cJSON_CreateObject();
        cJSON *annotations = cJSON_CreateObject();
        matchers_each_value(&remediation->match, add_label, labels);
        json_put(labels, ALERT_LABEL_REMEDIATION, cJSON_CreateString(remediation->name));
        json_put(labels, ALERT_LABEL_RUN, cJSON_CreateString(run));
        text_printf(&summary, "Run by hand by %s%s%s", actor, reason && *reason ? ": " : "",
                    reason ? reason : "");
        json_put(annotations, "summary", cJSON_CreateString(text_string(&summary)));
        json_put(json, "labels", labels);
        json_put(json, "annotations", annotations);
        int r = alert_from_labels(json, clock_wall(), ret, error);
        if (r < 0)
                return r == -EBADMSG ? error_prefix(error, -EINVAL, "labels") : r;
        if (matchers_missed(&remediation->match, &ret->labels, SIZE_MAX, &why) == 0)
                return 0;
        alert_release(ret);
        return error_set(error, EINVAL, "%s is not for such an alert: %s", remediation->name,
                         text_string(&why));
}

/* An alert on its way to the disk. */
struct taking {
        pthread_mutex_t lock;
        pthread_cond_t over;
        bool done;
        int result;
};

static void note_taken(void *context, int result)
{
        struct taking *taking = context;
        pthread_mutex_lock(&taking->lock);
        taking->done = true;
        taking->result = result;
        pthread_cond_signal(&taking->over);
        pthread_mutex_unlock(&taking->lock);
}

/* Takes the alert; returns when it is on the disk. */
static int take(struct journal *journal, struct alert *alert, struct error *error)
{
        struct taking taking = {.lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER};
        struct webhook webhook = {
                .alerts = malloc(sizeof(*alert)), .count = 1, .receiver = strdup("by hand")};
        if (!webhook.alerts || !webhook.receiver) {
                free(webhook.alerts);
                free(webhook.receiver);
                alert_release(alert);
                return error_oom(error);
        }
        webhook.alerts[0] = *alert;
        *alert = (struct alert){0};
        int r = journal_accept(journal, &webhook, note_taken, &taking);
        if (r >= 0) {
                pthread_mutex_lock(&taking.lock);
                while (!taking.done)
                        pthread_cond_wait(&taking.over, &taking.lock);
                r = taking.result;
                pthread_mutex_unlock(&taking.lock);
        }
        return r < 0 ? error_set(error, -r, "not begun: the journal does not take it") : 0;
}

/* The number of the incident that the run has opened; NULL: none yet. */
static int find(struct journal *journal, const char *run, char **ret, struct error *error)
{
        struct incident_list list = {0};
        int r = journal_list(journal, INCIDENT_UNCHANGED, 0, NEWEST, &list, error);
        for (size_t i = 0; r >= 0 && i < list.count && !*ret; i++)
                if (string_equal(alert_label(&list.items[i].alert, ALERT_LABEL_RUN), run) &&
                    !(*ret = strdup(list.items[i].number)))
                        r = error_oom(error);
        incident_list_release(&list);
        return r;
}

/* Who it was, where it cannot be taken for what an alert says of itself. */
static int sign(struct journal *journal, const char *number, const char *actor, const char *reason,
                struct error *error)
{
        struct incident incident = {0};
        int r = journal_find(journal, number, &incident, error);
        if (r < 0)
                return r;
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        if (reason && *reason)
                json_put(detail, "reason", cJSON_CreateString(reason));
        const struct journal_entry entry = {
                .incident = incident.id, .actor = actor, .event = "run by hand", .detail = detail};
        incident_release(&incident);
        return journal_write(journal, &entry, error);
}

int api_begin_by_hand(struct api *api, const char *name, const cJSON *labels, const char *actor,
                      const char *reason, char **ret_number, struct error *error)
{
        _cleanup_(parts_release) struct incident_parts parts = engine_parts(api->options.engine);
        const struct remediation *remediation = remediation_find(parts.set, name);
        _cleanup_free_ char *number = NULL;
        struct alert alert = {0};
        char run[TIME_TEXT_MAX + 16];
        if (!remediation)
                return error_set(error, ENOENT, "there is no remediation %s", name);
        name_run(run, sizeof(run));
        int r = make_alert(remediation, labels, run, actor, reason, &alert, error);
        if (r >= 0)
                r = take(parts.journal, &alert, error);
        if (r < 0)
                return r;
        engine_wake(api->options.engine);
        const struct deadline deadline = deadline_in(OPENING_PATIENCE);
        while ((r = find(parts.journal, run, &number, error)) >= 0 && !number && !deadline_passed(deadline))
                pause_for(LOOK_EVERY, deadline);
        if (r >= 0 && !number)
                r = error_set(error, EAGAIN,
                              "it is taken and will run, but has not begun within 10 s: look at the list");
        if (r >= 0)
                r = sign(parts.journal, number, actor, reason, error);
        if (r < 0)
                return r;
        log_event(LOG_INFO, "Run by hand", "by", actor, "reason", reason && *reason ? reason : NULL,
                  "incident", number, "remediation", name, NULL);
        *ret_number = TAKE_PTR(number);
        return 0;
}
