/* SPDX-License-Identifier: Apache-2.0 */
/* The responder's own metrics, as they stand on the page. */
#include "tests/harness/unit.h"

#include <pthread.h>

#include "responder/incident/meters.h"
#include "runbook/text.h"

static char *page_of(struct meters *meters)
{
        struct sample_set set = {0};
        const struct sample_set *const sets[] = {&set};
        struct text text = {0};
        meters_collect(meters, &(struct sample_sink){&set});
        assert_int_equal(set.error, 0);
        assert_int_equal(metrics_encode_text(sets, 1, &text, NULL), 0);
        sample_set_release(&set);
        return text_take(&text);
}

#define assert_line(page, line)                                                   \
        do {                                                                      \
                if (!strstr(page, "\n" line "\n"))                                \
                        fail_msg("the line %s is missing in:\n%s", line, (page)); \
        } while (0)

static void test_counts(_unused_ void **state)
{
        struct meters *meters = meters_new();
        _cleanup_free_ char *nothing = page_of(meters);
        assert_string_equal(nothing, "");
        meters_webhook(meters, 200);
        meters_webhook(meters, 503);
        meters_webhook(meters, 200);
        meters_incident_ended(meters, "high_latency", INCIDENT_HEALED);
        meters_incident_ended(meters, "high_latency", INCIDENT_NOT_HEALED);
        meters_incident_ended(meters, "other", INCIDENT_HEALED);
        meters_step(meters, "docker.restart", true, 1500 * NSEC_PER_MSEC);
        meters_step(meters, "docker.restart", false, 500 * NSEC_PER_MSEC);
        meters_notification(meters, "oncall", true);
        meters_notification(meters, "oncall", false);

        _cleanup_free_ char *page = page_of(meters);
        assert_line(page, "# TYPE runbook_webhooks_total counter");
        assert_line(page, "runbook_webhooks_total{code=\"200\"} 2");
        assert_line(page, "runbook_webhooks_total{code=\"503\"} 1");
        assert_line(page, "runbook_incidents_total{remediation=\"high_latency\",outcome=\"healed\"} 1");
        assert_line(page, "runbook_incidents_total{remediation=\"high_latency\",outcome=\"not_healed\"} 1");
        assert_line(page, "runbook_incidents_total{remediation=\"other\",outcome=\"healed\"} 1");
        assert_line(page, "runbook_steps_total{action=\"docker.restart\",result=\"done\"} 1");
        assert_line(page, "runbook_steps_total{action=\"docker.restart\",result=\"failed\"} 1");
        assert_line(page, "# TYPE runbook_step_duration_seconds histogram");
        assert_line(page, "runbook_step_duration_seconds_bucket{action=\"docker.restart\",le=\"0.1\"} 0");
        assert_line(page, "runbook_step_duration_seconds_bucket{action=\"docker.restart\",le=\"0.5\"} 1");
        assert_line(page, "runbook_step_duration_seconds_bucket{action=\"docker.restart\",le=\"2.5\"} 2");
        assert_line(page, "runbook_step_duration_seconds_bucket{action=\"docker.restart\",le=\"+Inf\"} 2");
        assert_line(page, "runbook_step_duration_seconds_sum{action=\"docker.restart\"} 2");
        assert_line(page, "runbook_step_duration_seconds_count{action=\"docker.restart\"} 2");
        assert_line(page, "runbook_notifications_total{receiver=\"oncall\",result=\"sent\"} 1");
        assert_line(page, "runbook_notifications_total{receiver=\"oncall\",result=\"failed\"} 1");
        assert_null(meters_free(meters));
        assert_null(meters_free(NULL));
}

/* 0 is "not"; a clock that runs ahead of ours must not take from a sum that only rises. */
static void test_durations_since_the_alert(_unused_ void **state)
{
        struct meters *meters = meters_new();
        meters_action_begun(meters, "r", 0);
        meters_healed(meters, "r", 0);
        _cleanup_free_ char *nothing = page_of(meters);
        assert_string_equal(nothing, "");
        meters_action_begun(meters, "r", 2 * NSEC_PER_SEC);
        meters_action_begun(meters, "r", -5 * NSEC_PER_SEC);
        meters_healed(meters, "r", 4000 * NSEC_PER_SEC);
        _cleanup_free_ char *page = page_of(meters);
        assert_line(page, "runbook_alert_to_action_seconds_sum{remediation=\"r\"} 2");
        assert_line(page, "runbook_alert_to_action_seconds_count{remediation=\"r\"} 2");
        assert_line(page, "runbook_alert_to_healed_seconds_bucket{remediation=\"r\",le=\"3600.0\"} 0");
        assert_line(page, "runbook_alert_to_healed_seconds_bucket{remediation=\"r\",le=\"+Inf\"} 1");
        meters_free(meters);
}

static void test_every_family_is_listed(_unused_ void **state)
{
        struct meters *meters = meters_new();
        meters_webhook(meters, 200);
        meters_unreadable(meters, 3);
        meters_refused(meters, "/", 401);
        meters_incident_ended(meters, "r", INCIDENT_HEALED);
        meters_action_begun(meters, "r", 1);
        meters_healed(meters, "r", 1);
        meters_step(meters, "a", true, 1);
        meters_notification(meters, "o", true);
        _cleanup_free_ char *page = page_of(meters);
        size_t listed = 0, shown = 0;
        for (; meters_families[listed]; listed++) {
                _cleanup_free_ char *line = text_format("# HELP %s ", meters_families[listed]->name);
                assert_non_null(strstr(page, line));
                assert_true(metric_name_valid(meters_families[listed]->name));
        }
        for (const char *at = page; (at = strstr(at, "# HELP ")); at++)
                shown++;
        assert_int_equal(listed, shown);
        meters_free(meters);
}

static void *count_many(void *context)
{
        for (int i = 0; i < 1000; i++) {
                meters_webhook(context, i % 2 ? 200 : 400);
                meters_step(context, "a", true, NSEC_PER_SEC);
        }
        return NULL;
}

static void test_threads(_unused_ void **state)
{
        struct meters *meters = meters_new();
        pthread_t threads[4];
        for (size_t i = 0; i < N_ELEMENTS(threads); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, count_many, meters), 0);
        for (size_t i = 0; i < N_ELEMENTS(threads); i++) {
                free(page_of(meters)); /* amid it */
                pthread_join(threads[i], NULL);
        }
        _cleanup_free_ char *page = page_of(meters);
        assert_line(page, "runbook_webhooks_total{code=\"200\"} 2000");
        assert_line(page, "runbook_webhooks_total{code=\"400\"} 2000");
        assert_line(page, "runbook_step_duration_seconds_sum{action=\"a\"} 4000");
        meters_free(meters);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_counts),
                cmocka_unit_test(test_durations_since_the_alert),
                cmocka_unit_test(test_every_family_is_listed),
                cmocka_unit_test(test_threads),
        };
        return cmocka_run_group_tests_name("meters", tests, NULL, NULL);
}
