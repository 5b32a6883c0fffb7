/* SPDX-License-Identifier: Apache-2.0 */
/* The world of a rehearsal: a clock that is told the time, neighbours that know the history and nothing else,
 * actions that succeed, people who hear. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "responder/rehearsal/internal.h"
#include "responder/remediation/definition.h"
#include "runbook/text.h"

static nsec read_wall(void *context)
{
        return ((const struct rehearsal *)context)->now;
}

/* The machine was started a second before it. */
static nsec read_monotonic(void *context)
{
        const struct rehearsal *rehearsal = context;
        return rehearsal->now - rehearsal->begin + NSEC_PER_SEC;
}

static bool sleep_until(void *context _unused_, nsec until _unused_)
{
        return false;
}

/* What comes together is looked at together. */
static void wake(void *context)
{
        struct rehearsal *rehearsal = context;
        if (rehearsal->look_at > rehearsal->now + NSEC_PER_MSEC)
                rehearsal->look_at = rehearsal->now + NSEC_PER_MSEC;
}

static void pause_for(void *context _unused_, nsec duration _unused_) {}

static int run_later(void *context, enum world_pool pool _unused_, const char *whose _unused_,
                     void (*work)(void *argument), void *argument)
{
        struct rehearsal *rehearsal = context;
        if (rehearsal->queue_count == rehearsal->queue_space) {
                size_t space = rehearsal->queue_space > 0 ? 2 * rehearsal->queue_space : 64;
                struct piece_of_work *grown = reallocarray(rehearsal->queue, space, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                rehearsal->queue = grown;
                rehearsal->queue_space = space;
        }
        rehearsal->queue[rehearsal->queue_count++] = (struct piece_of_work){work, argument};
        return 0;
}

void model_work(struct rehearsal *rehearsal)
{
        while (rehearsal->queue_first < rehearsal->queue_count) {
                struct piece_of_work next = rehearsal->queue[rehearsal->queue_first++];
                next.work(next.argument);
        }
        rehearsal->queue_first = rehearsal->queue_count = 0;
}

static unsigned finish(void *context, struct deadline deadline _unused_)
{
        struct rehearsal *rehearsal = context;
        rehearsal->queue_first = rehearsal->queue_count = 0;
        return 0;
}

/* Neighbours. */

/* It holds as soon as no alert fires that it was to end. */
static bool condition_holds(const struct rehearsal *rehearsal, const char *condition)
{
        for (size_t i = 0; i < rehearsal->ill_count; i++)
                for (size_t k = 0; k < rehearsal->ill[i].count; k++)
                        if (string_equal(rehearsal->ill[i].conditions[k], condition))
                                return false;
        return true;
}

static int query_holds(void *context, const char *promql, nsec age _unused_,
                       struct deadline deadline _unused_, bool *ret_holds, double *ret_value,
                       struct error *error _unused_)
{
        *ret_holds = condition_holds(context, promql);
        *ret_value = *ret_holds ? 1 : 0;
        return 0;
}

#define CHECK "check "

static int check_holds(void *context, const char *check, nsec age _unused_, struct deadline deadline _unused_,
                       bool *ret_holds, struct error *error)
{
        _cleanup_free_ char *condition = text_format(CHECK "%s", check);
        if (!condition)
                return error_oom(error);
        *ret_holds = condition_holds(context, condition);
        return 0;
}

static int ask_alertmanager(void *context, struct deadline deadline _unused_, struct alertmanager_view *ret,
                            struct error *error)
{
        const struct rehearsal *rehearsal = context;
        struct alertmanager_view view = {.items = calloc(rehearsal->ill_count + 1, sizeof(*view.items)),
                                         .up = read_monotonic(context)};
        if (!view.items)
                return error_oom(error);
        for (size_t i = 0; i < rehearsal->ill_count; i++) {
                struct alert_seen *seen = &view.items[view.count++];
                memcpy(seen->key, rehearsal->ill[i].key, sizeof(seen->key));
                seen->presence = ALERT_ACTIVE;
        }
        alertmanager_view_sort(&view);
        *ret = view;
        return 0;
}

/* Nobody hears of it: what a maintenance holds, its guard does. */
static int silence(void *context _unused_, const char *mark _unused_, const cJSON *wanted _unused_,
                   struct deadline deadline _unused_, struct error *error _unused_)
{
        return 0;
}

static int ask_firing(void *context, struct deadline deadline _unused_, cJSON **ret, struct error *error)
{
        const struct rehearsal *rehearsal = context;
        _cleanup_json_ cJSON *list = cJSON_CreateArray();
        if (!list)
                return error_oom(error);
        for (size_t i = 0; i < rehearsal->ill_count; i++) {
                const struct config_map *labels = &rehearsal->ill[i].alert.labels;
                cJSON *one = cJSON_CreateObject();
                int r = json_append(list, one);
                for (size_t k = 0; r >= 0 && k < labels->count; k++)
                        r = json_put(one, labels->keys[k], json_text(labels->values[k]));
                if (r < 0)
                        return error_oom(error);
        }
        *ret = TAKE_PTR(list);
        return 0;
}

/* People. */

/* Nobody is paged in a rehearsal, so there is nothing to hold back. */
static int lease(void *context _unused_, size_t member _unused_, const struct page_lease *leases _unused_,
                 size_t count _unused_, struct deadline deadline _unused_, struct error *error _unused_)
{
        return 0;
}

static int notify(void *context, const char *receiver, const struct message *message,
                  struct deadline deadline _unused_, nsec *ret_wait _unused_, struct error *error)
{
        struct rehearsal *rehearsal = context;
        char at[TIME_TEXT_MAX];
        cJSON *call = cJSON_CreateObject();
        if (json_append(rehearsal->calls, call) < 0 ||
            (message->incident && json_put(call, "incident", json_text(message->incident)) < 0) ||
            json_put(call, "at", json_text(time_format(rehearsal->now, at))) < 0 ||
            json_put(call, "receiver", json_text(receiver)) < 0 ||
            json_put(call, "text", json_text(message->text)) < 0)
                return error_oom(error);
        return 0;
}

/* Actions. */

static int say(const struct action *action, const char *what, cJSON **ret, struct error *error)
{
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        _cleanup_free_ char *summary = text_format("%s %s", action->name, what);
        if (!summary || json_put(json, "summary", json_text(summary)) < 0 ||
            json_put(json, "targets", cJSON_CreateNumber(1)) < 0)
                return error_oom(error);
        *ret = TAKE_PTR(json);
        return 0;
}

static int plan_step(void *context _unused_, const struct action *action, struct step_run *run _unused_,
                     cJSON **ret_plan, struct error *error)
{
        return say(action, "is rehearsed", ret_plan, error);
}

static int run_step(void *context _unused_, const struct action *action, struct step_run *run _unused_,
                    cJSON **ret_outcome, struct error *error)
{
        return say(action, "was rehearsed", ret_outcome, error);
}

static enum resumption resume_step(void *context _unused_, const struct action *action,
                                   struct step_run *run _unused_, cJSON **ret_outcome, struct error *error)
{
        return say(action, "was rehearsed", ret_outcome, error) < 0 ? RESUME_UNKNOWN : RESUME_DONE;
}

static int undo_step(void *context _unused_, const struct action *action, struct step_run *run _unused_,
                     cJSON **ret_outcome, struct error *error)
{
        return say(action, "was rehearsed to be undone", ret_outcome, error);
}

static int settle_step(void *context _unused_, const struct action *action _unused_,
                       struct step_run *run _unused_, struct error *error _unused_)
{
        return 0;
}

/* SQLite's own file system in memory: whoever opens the same name there has the same database. */
#define MEMORY "memdb"

void model_fill(struct rehearsal *rehearsal)
{
        rehearsal->world = (struct world){
                .context = rehearsal,
                .wall = read_wall,
                .monotonic = read_monotonic,
                .boot = "rehearsal",
                .sleep = sleep_until,
                .wake = wake,
                .pause = pause_for,
                .run = run_later,
                .finish = finish,
                .query_holds = query_holds,
                .check_holds = check_holds,
                .alertmanager = ask_alertmanager,
                .firing = ask_firing,
                .lease = lease,
                .silence = silence,
                .notify = notify,
                .plan_step = plan_step,
                .run_step = run_step,
                .resume_step = resume_step,
                .undo_step = undo_step,
                .settle_step = settle_step,
                .vfs = MEMORY,
                .alone = true,
        };
}

/* Who is ill. */

static void illness_release(struct illness *illness)
{
        alert_release(&illness->alert);
        for (size_t i = 0; i < illness->count; i++)
                free(illness->conditions[i]);
        free(illness->conditions);
}

/* What its remediation verifies, bound for this alert. What cannot be bound is never asked. */
static int put_condition(struct rehearsal *rehearsal, const struct remediation *remediation,
                         struct illness *illness)
{
        _cleanup_json_ cJSON *definition = NULL;
        if (definition_make(remediation, &rehearsal->set->targets, &illness->alert, "INC-0000-0000",
                            &definition, NULL) < 0)
                return 0;
        const cJSON *verify = json_get(definition, "verify", NULL);
        const char *query = json_string(verify, "query"), *check = json_string(verify, "check");
        char *condition = query ? strdup(query) : check ? text_format(CHECK "%s", check) : NULL;
        if (!condition)
                return query || check ? -ENOMEM : 0;
        illness->conditions[illness->count++] = condition;
        return 0;
}

static int fall_ill(struct rehearsal *rehearsal, const char *key, const struct alert *alert,
                    struct error *error)
{
        const struct remediation_set *set = rehearsal->set;
        struct illness illness = {.conditions = calloc(set->count + 1, sizeof(char *))};
        int r = illness.conditions ? alert_copy(alert, &illness.alert, error) : error_oom(error);
        bool matched = false;
        snprintf(illness.key, sizeof(illness.key), "%s", key);
        for (size_t i = 0; i < set->count && r >= 0; i++) {
                if (!remediation_answers(&set->remediations[i], &alert->labels))
                        continue;
                matched = true;
                if (put_condition(rehearsal, &set->remediations[i], &illness) < 0)
                        r = error_oom(error);
        }
        struct illness *grown =
                r < 0 ? NULL : reallocarray(rehearsal->ill, rehearsal->ill_count + 1, sizeof(*grown));
        if (!grown) {
                illness_release(&illness);
                return r < 0 ? r : error_oom(error);
        }
        rehearsal->ill = grown;
        grown[rehearsal->ill_count++] = illness;
        rehearsal->counts.alerts++;
        rehearsal->counts.matched += matched;
        return 0;
}

int model_hear(struct rehearsal *rehearsal, const struct alert *alert, struct error *error)
{
        char key[DIGEST_TEXT_MAX];
        int r = alert_key(alert, key, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < rehearsal->ill_count; i++) {
                if (!string_equal(rehearsal->ill[i].key, key))
                        continue;
                if (!alert->firing) {
                        illness_release(&rehearsal->ill[i]);
                        rehearsal->ill[i] = rehearsal->ill[--rehearsal->ill_count];
                }
                return 0;
        }
        return alert->firing ? fall_ill(rehearsal, key, alert, error) : 0;
}

void model_release(struct rehearsal *rehearsal)
{
        for (size_t i = 0; i < rehearsal->ill_count; i++)
                illness_release(&rehearsal->ill[i]);
        free(rehearsal->ill);
        free(rehearsal->queue);
        cJSON_Delete(rehearsal->calls);
}
