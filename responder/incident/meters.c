/* SPDX-License-Identifier: Apache-2.0 */
/* The responder's own metrics. */
#include "responder/incident/meters.h"
#include "runbook/assert.h"

#include <pthread.h>

#include "runbook/text.h"

static const struct metric_family unreadable_family = {
        .name = "runbook_alerts_unreadable_total",
        .type = METRIC_COUNTER,
        .help = "Alerts that a webhook held and that could not be read; the others beside them were taken.",
};
static const struct metric_family refused_family = {
        .name = "runbook_requests_refused_total",
        .type = METRIC_COUNTER,
        .help = "Requests refused for who made them, by route and HTTP status.",
};
static const struct metric_family webhooks_family = {
        .name = "runbook_webhooks_total",
        .type = METRIC_COUNTER,
        .help = "Webhooks answered, by HTTP status.",
};
static const struct metric_family incidents_family = {
        .name = "runbook_incidents_total",
        .type = METRIC_COUNTER,
        .help = "Incidents that ended, by remediation and outcome.",
};
static const struct metric_family to_action_family = {
        .name = "runbook_alert_to_action_seconds",
        .type = METRIC_HISTOGRAM,
        .unit = "seconds",
        .help = "Time from the begin of an alert to the first step of its remediation.",
};
static const struct metric_family to_healed_family = {
        .name = "runbook_alert_to_healed_seconds",
        .type = METRIC_HISTOGRAM,
        .unit = "seconds",
        .help = "Time from the begin of an alert to its verified end.",
};
static const struct metric_family steps_family = {
        .name = "runbook_steps_total",
        .type = METRIC_COUNTER,
        .help = "Steps run, by action and result.",
};
static const struct metric_family step_duration_family = {
        .name = "runbook_step_duration_seconds",
        .type = METRIC_HISTOGRAM,
        .unit = "seconds",
        .help = "How long steps ran, by action.",
};
static const struct metric_family notifications_family = {
        .name = "runbook_notifications_total",
        .type = METRIC_COUNTER,
        .help = "Calls of a person, by receiver and result; notify steps are among the steps.",
};

const struct metric_family *const meters_families[] = {
        &refused_family,   &webhooks_family, &unreadable_family,    &incidents_family,     &to_action_family,
        &to_healed_family, &steps_family,    &step_duration_family, &notifications_family, NULL,
};

/* From a container's restart to an alert that took an hour. */
static const double bounds[] = {0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600};

/* One series: a counter, or a histogram where the family is one. Names come from the configuration, so there
 * are few. */
struct meter {
        const struct metric_family *family;
        struct label labels[2]; /* values are owned */
        double count;
        struct histogram histogram;
        struct meter *next;
};

struct meters {
        pthread_mutex_t lock;
        struct meter *first, **end;
        double alerts[OUTCOME_COUNT];
};

struct meters *meters_new(void)
{
        struct meters *meters = calloc(1, sizeof(*meters));
        if (!meters)
                return NULL;
        pthread_mutex_init(&meters->lock, NULL);
        meters->end = &meters->first;
        return meters;
}

static void meter_free(struct meter *meter)
{
        for (size_t i = 0; i < N_ELEMENTS(meter->labels); i++)
                free((char *)meter->labels[i].value);
        histogram_release(&meter->histogram);
        free(meter);
}

struct meters *meters_free(struct meters *meters)
{
        if (!meters)
                return NULL;
        for (struct meter *meter = meters->first, *next; meter; meter = next) {
                next = meter->next;
                meter_free(meter);
        }
        pthread_mutex_destroy(&meters->lock);
        free(meters);
        return NULL;
}

static struct meter *meter_new(const struct metric_family *family, struct label a, struct label b)
{
        assert_that(a.name || !b.name, "labels stand in their order");
        struct meter *meter = calloc(1, sizeof(*meter));
        if (!meter)
                return NULL;
        meter->family = family;
        meter->labels[0] = (struct label){a.name, a.value ? strdup(a.value) : NULL};
        meter->labels[1] = (struct label){b.name, b.value ? strdup(b.value) : NULL};
        bool complete = (!a.value || meter->labels[0].value) && (!b.value || meter->labels[1].value);
        if (complete && family->type == METRIC_HISTOGRAM)
                complete = histogram_init(&meter->histogram, bounds, N_ELEMENTS(bounds)) >= 0;
        if (complete)
                return meter;
        meter_free(meter);
        return NULL;
}

/* Adds `value` to the series of these labels. What cannot be counted for want of memory is not counted. */
static void meter_add(struct meters *meters, const struct metric_family *family, double value, struct label a,
                      struct label b)
{
        pthread_mutex_lock(&meters->lock);
        struct meter *meter = meters->first;
        while (meter && (meter->family != family || !string_equal(meter->labels[0].value, a.value) ||
                         !string_equal(meter->labels[1].value, b.value)))
                meter = meter->next;
        if (!meter && (meter = meter_new(family, a, b))) {
                *meters->end = meter;
                meters->end = &meter->next;
        }
        if (meter && family->type == METRIC_HISTOGRAM)
                histogram_observe(&meter->histogram, value);
        else if (meter)
                meter->count += value;
        pthread_mutex_unlock(&meters->lock);
}

void meters_refused(struct meters *meters, const char *route, unsigned http_status)
{
        _cleanup_free_ char *code = text_format("%u", http_status);
        meter_add(meters, &refused_family, 1, (struct label){"route", route}, (struct label){"code", code});
}

void meters_webhook(struct meters *meters, unsigned http_status)
{
        _cleanup_free_ char *code = text_format("%u", http_status);
        meter_add(meters, &webhooks_family, 1, (struct label){"code", code}, (struct label){0});
}

void meters_unreadable(struct meters *meters, size_t alerts)
{
        meter_add(meters, &unreadable_family, (double)alerts, (struct label){0}, (struct label){0});
        meters_alert(meters, OUTCOME_UNREADABLE, alerts);
}

void meters_alert(struct meters *meters, enum alert_outcome outcome, size_t alerts)
{
        assert_that(outcome < OUTCOME_COUNT, "there is such an outcome");
        pthread_mutex_lock(&meters->lock);
        meters->alerts[outcome] += (double)alerts;
        pthread_mutex_unlock(&meters->lock);
}

double meters_alerts(struct meters *meters, enum alert_outcome outcome)
{
        assert_that(outcome < OUTCOME_COUNT, "there is such an outcome");
        pthread_mutex_lock(&meters->lock);
        double alerts = meters->alerts[outcome];
        pthread_mutex_unlock(&meters->lock);
        return alerts;
}

void meters_incident_ended(struct meters *meters, const char *remediation, enum incident_state state)
{
        assert_that(state >= INCIDENT_FAILED, "what is under way has not ended");
        meter_add(meters, &incidents_family, 1, (struct label){"remediation", remediation},
                  (struct label){"outcome", incident_state_name(state)});
}

/* A clock that runs ahead of ours gives a negative duration, which would take from a sum that only rises. */
static void add_since_alert(struct meters *meters, const struct metric_family *family,
                            const char *remediation, nsec since_alert)
{
        if (since_alert != 0)
                meter_add(meters, family, since_alert > 0 ? nsec_to_seconds(since_alert) : 0,
                          (struct label){"remediation", remediation}, (struct label){0});
}

void meters_action_begun(struct meters *meters, const char *remediation, nsec since_alert)
{
        add_since_alert(meters, &to_action_family, remediation, since_alert);
}

void meters_healed(struct meters *meters, const char *remediation, nsec since_alert)
{
        add_since_alert(meters, &to_healed_family, remediation, since_alert);
}

void meters_step(struct meters *meters, const char *action, bool succeeded, nsec duration)
{
        assert_that(action && duration >= 0, "a step of some action took its time");
        meter_add(meters, &steps_family, 1, (struct label){"action", action},
                  (struct label){"result", succeeded ? "done" : "failed"});
        meter_add(meters, &step_duration_family, nsec_to_seconds(duration), (struct label){"action", action},
                  (struct label){0});
}

void meters_notification(struct meters *meters, const char *receiver, bool succeeded)
{
        meter_add(meters, &notifications_family, 1, (struct label){"receiver", receiver},
                  (struct label){"result", succeeded ? "sent" : "failed"});
}

void meters_collect(struct meters *meters, struct sample_sink *sink)
{
        pthread_mutex_lock(&meters->lock);
        for (const struct meter *meter = meters->first; meter; meter = meter->next) {
                size_t count = meter->labels[1].name ? 2 : meter->labels[0].name ? 1 : 0;
                if (meter->family->type == METRIC_HISTOGRAM)
                        sample_add_histogram(sink, meter->family, &meter->histogram, meter->labels, count);
                else
                        sample_add(sink, meter->family, meter->count, meter->labels, count);
        }
        pthread_mutex_unlock(&meters->lock);
}
