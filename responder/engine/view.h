/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the neighbours know of the alerts at one moment, and what follows from it for one of them.
 *
 * A webhook is old news as soon as it has waited: the alert may be silenced meanwhile, or over. And the end
 * of an alert is also what remains when nobody is heard of: Alertmanager resolves what Prometheus no longer
 * sends, and has forgotten everything when it was started anew. So no empty list is taken for an end as long
 * as it may be a memory that was lost, and no end as long as Prometheus cannot be asked, or says that it
 * fires.
 */
#ifndef RESPONDER_ENGINE_VIEW_H
#define RESPONDER_ENGINE_VIEW_H

#include "responder/alert/alert.h"
#include "responder/targets/targets.h"
#include "responder/world/world.h"

/* What is asked for the age of the data, in seconds: of the last sample of `up` that Prometheus looks back
 * to.
 */
#define VIEW_AGE_QUERY "time() - max(timestamp(up)) >= 0"

struct alert_view {
        nsec answered_at;      /* monotonic; 0: nobody was asked yet */
        bool has_alertmanager; /* `alerts` is what it knows */
        struct alertmanager_view alerts;
        cJSON *firing; /* what Prometheus' rules say fires; NULL: not known */
        nsec data_age; /* of Prometheus' newest data; -1: not known, for `no_age`, or not asked */
        char *no_age;
        char *no_alertmanager, *no_firing; /* why that is not known; NULL: it is, or is not to be asked */
};

/* Asks both, as far as the configuration has them, for 15 s at most. What has no answer is not known. `age`:
 * also how old Prometheus' data are. */
void view_ask(const struct world *world, const struct target_set *set, bool age, struct alert_view *ret);
void view_release(struct alert_view *view);

/* What is known of one alert. */
enum alert_says {
        ALERT_SAYS_FIRES,
        ALERT_SAYS_QUIET, /* it fires, and is silenced, inhibited or muted */
        ALERT_SAYS_OVER,
        ALERT_SAYS_NOTHING, /* nobody can tell: that is no verdict */
};

struct alert_answer {
        enum alert_says says;
        enum alert_presence presence;
        char why[400]; /* what keeps it back, or why nothing is known */
};

/* Whether it fires, as Alertmanager has it. */
struct alert_answer view_of_alert(const struct alert_view *view, const struct target_set *set,
                                  const struct alert *alert);

/* Whether it is over, when somebody says that it is: as Prometheus has it. Never ALERT_SAYS_FIRES. */
struct alert_answer view_of_end(const struct alert_view *view, const struct target_set *set,
                                const struct alert *alert);

/* Whether Prometheus says that it fires; false as well when it says nothing. */
bool view_fires(const struct alert_view *view, const struct alert *alert);

#endif
