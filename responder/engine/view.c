/* SPDX-License-Identifier: Apache-2.0 */
/* What the neighbours know of the alerts at one moment, and what follows from it for one of them. */
#include "responder/engine/view.h"

#include <stdio.h>

#include "runbook/assert.h"
#include "runbook/text.h"

/* Of each of the two. */
#define ASK_TIMEOUT (5 * NSEC_PER_SEC)

static bool is_set(const char *url)
{
        return url && *url;
}

/* By Prometheus' own clock, of all that it measures; a target that is down is measured as well. */
static void ask_age(const struct world *world, struct alert_view *view)
{
        _cleanup_error_ struct error why = {0};
        bool holds;
        double seconds = 0;
        if (world->query_holds(world->context, VIEW_AGE_QUERY, TARGETS_ANY_AGE,
                               world_deadline(world, ASK_TIMEOUT), &holds, &seconds, &why) < 0)
                view->no_age = strdup(error_text(&why));
        else
                view->data_age = seconds > 0 ? seconds_to_nsec(seconds) : 0;
}

void view_ask(const struct world *world, const struct target_set *set, bool age, struct alert_view *ret)
{
        struct alert_view view = {.data_age = -1};
        if (is_set(set->alertmanager_url)) {
                _cleanup_error_ struct error why = {0};
                int r = world->alertmanager(world->context, world_deadline(world, ASK_TIMEOUT), &view.alerts,
                                            &why);
                view.has_alertmanager = r >= 0;
                view.no_alertmanager = r < 0 ? strdup(error_text(&why)) : NULL;
        }
        if (is_set(set->prometheus_url)) {
                _cleanup_error_ struct error why = {0};
                if (world->firing(world->context, world_deadline(world, ASK_TIMEOUT), &view.firing, &why) < 0)
                        view.no_firing = strdup(error_text(&why));
                if (age)
                        ask_age(world, &view);
        }
        view.answered_at = world_monotonic(world);
        *ret = view;
}

void view_release(struct alert_view *view)
{
        alertmanager_view_release(&view->alerts);
        cJSON_Delete(view->firing);
        free(view->no_alertmanager);
        free(view->no_firing);
        free(view->no_age);
        *view = (struct alert_view){0};
}

bool view_fires(const struct alert_view *view, const struct alert *alert)
{
        return alert_is_among(alert, view->firing);
}

struct alert_answer view_of_end(const struct alert_view *view, const struct target_set *set,
                                const struct alert *alert)
{
        assert_that(view->answered_at != 0, "who judges has asked");
        struct alert_answer answer = {.says = ALERT_SAYS_OVER};
        if (!is_set(set->prometheus_url))
                return answer;
        if (!view->firing)
                snprintf(answer.why, sizeof(answer.why),
                         "it is told to be resolved, but Prometheus, which would know, cannot be asked: %s",
                         view->no_firing ? view->no_firing : "out of memory");
        else if (view_fires(view, alert))
                snprintf(answer.why, sizeof(answer.why),
                         "it is told to be resolved, but Prometheus says that it fires");
        else
                return answer;
        answer.says = ALERT_SAYS_NOTHING;
        return answer;
}

struct alert_answer view_of_alert(const struct alert_view *view, const struct target_set *set,
                                  const struct alert *alert)
{
        assert_that(view->answered_at != 0, "who judges has asked");
        struct alert_answer answer = {.says = ALERT_SAYS_NOTHING};
        if (!view->has_alertmanager) {
                snprintf(answer.why, sizeof(answer.why), "Alertmanager cannot be asked: %s",
                         view->no_alertmanager ? view->no_alertmanager : "out of memory");
                return answer;
        }
        char key[DIGEST_TEXT_MAX];
        _cleanup_error_ struct error why = {0};
        if (alert_key(alert, key, &why) < 0) {
                snprintf(answer.why, sizeof(answer.why), "Alertmanager cannot be asked: %s",
                         error_text(&why));
                return answer;
        }
        const struct alert_seen *seen = alertmanager_view_find(&view->alerts, key);
        if (seen) {
                answer.presence = seen->presence;
                answer.says = seen->presence == ALERT_ACTIVE ? ALERT_SAYS_FIRES : ALERT_SAYS_QUIET;
                snprintf(answer.why, sizeof(answer.why), "%s", seen->by ? seen->by : "");
                return answer;
        }
        if (view->alerts.up < set->resolve_timeout) {
                snprintf(answer.why, sizeof(answer.why),
                         "Alertmanager does not have it, but was started only %.0f s ago",
                         nsec_to_seconds(view->alerts.up));
                return answer;
        }
        return view_of_end(view, set, alert);
}
