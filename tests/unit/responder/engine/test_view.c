/* SPDX-License-Identifier: Apache-2.0 */
/* What follows for one alert from what the neighbours know: the table of docs/responder.md. */
#include "responder/engine/view.h"
#include "tests/harness/unit.h"

#define MINUTE (60 * NSEC_PER_SEC)

/* The alert, with a label that Prometheus adds when it sends it. */
static struct alert *the_alert(void)
{
        static char names[][12] = {"alertname", "instance", "cluster", "slow", "web", "eu"};
        static char fingerprint[] = "f1", *keys[] = {names[0], names[1], names[2]},
                    *values[] = {names[3], names[4], names[5]};
        static struct alert alert = {.fingerprint = fingerprint, .labels = {keys, values, 3}};
        return &alert;
}

static void key_of(const char *cluster, char ret[static DIGEST_TEXT_MAX])
{
        _cleanup_json_ cJSON *labels = cJSON_CreateObject();
        cJSON_AddStringToObject(labels, "cluster", cluster);
        cJSON_AddStringToObject(labels, "instance", "web");
        cJSON_AddStringToObject(labels, "alertname", "slow");
        assert_int_equal(alert_key_of_labels(labels, ret, NULL), 0);
}

/* What is asked of both neighbours, and what follows. */
static const struct {
        const char *alertmanager; /* the `cluster` of the one that it has; NULL: no answer; "": it has none */
        enum alert_presence presence;
        nsec up;
        const char *firing; /* NULL: no answer */
        bool no_prometheus; /* there is none in the configuration */
        enum alert_says says;
        const char *why;
} cases[] = {
        {"eu", ALERT_ACTIVE, 0, NULL, false, ALERT_SAYS_FIRES, ""},
        {"eu", ALERT_SILENCED, 0, NULL, false, ALERT_SAYS_QUIET, "by the test"},
        {"eu", ALERT_INHIBITED, 0, NULL, false, ALERT_SAYS_QUIET, "by the test"},
        {"eu", ALERT_MUTED, 0, NULL, false, ALERT_SAYS_QUIET, "by the test"},
        {NULL, ALERT_ACTIVE, 0, "[]", false, ALERT_SAYS_NOTHING, "Alertmanager cannot be asked: deaf"},
        /* It may have forgotten, or never heard of it yet. */
        {"", ALERT_ACTIVE, 5 * MINUTE - 1, "[]", false, ALERT_SAYS_NOTHING, "started only 300 s ago"},
        {"", ALERT_ACTIVE, 5 * MINUTE, "[]", false, ALERT_SAYS_OVER, ""},
        {"", ALERT_ACTIVE, 5 * MINUTE, NULL, true, ALERT_SAYS_OVER, ""},
        {"us", ALERT_ACTIVE, 5 * MINUTE, "[]", false, ALERT_SAYS_OVER, ""},
        /* Prometheus is dead, or cannot reach Alertmanager: that is no end. */
        {"", ALERT_ACTIVE, 5 * MINUTE, NULL, false, ALERT_SAYS_NOTHING,
         "Prometheus, which would know, cannot be asked: dead"},
        {"", ALERT_ACTIVE, 5 * MINUTE, "[{\"alertname\":\"slow\",\"instance\":\"web\"}]", false,
         ALERT_SAYS_NOTHING, "Prometheus says that it fires"},
        {"", ALERT_ACTIVE, 5 * MINUTE,
         "[{\"__name__\":\"ALERTS\",\"alertstate\":\"firing\",\"alertname\":\"slow\",\"instance\":\"web\"}]",
         false, ALERT_SAYS_NOTHING, "Prometheus says that it fires"},
        /* Others do. */
        {"", ALERT_ACTIVE, 5 * MINUTE,
         "[{},{\"instance\":\"web\"},{\"alertname\":\"slow\",\"instance\":\"db\"},{\"alertname\":\"slow\","
         "\"mode\":\"x\"},{\"alertname\":\"slo\"}]",
         false, ALERT_SAYS_OVER, ""},
};

static void test_the_table(void **state _unused_)
{
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                const struct target_set set = {.prometheus_url =
                                                       (char *)(cases[i].no_prometheus ? "" : "http://p"),
                                               .alertmanager_url = (char *)"http://a",
                                               .resolve_timeout = 5 * MINUTE};
                struct alert_seen seen = {
                        .presence = cases[i].presence,
                        .by = (char *)(cases[i].presence == ALERT_ACTIVE ? NULL : "by the test")};
                if (cases[i].alertmanager)
                        key_of(cases[i].alertmanager, seen.key);
                bool has = cases[i].alertmanager && *cases[i].alertmanager;
                _cleanup_json_ cJSON *firing = cases[i].firing ? cJSON_Parse(cases[i].firing) : NULL;
                const struct alert_view view = {
                        .answered_at = 1,
                        .has_alertmanager = cases[i].alertmanager,
                        .alerts = {has ? &seen : NULL, has ? 1 : 0, cases[i].up},
                        .firing = firing,
                        .no_alertmanager = (char *)(cases[i].alertmanager ? NULL : "deaf"),
                        .no_firing = (char *)(cases[i].firing ? NULL : "dead"),
                };
                const struct alert_answer answer = view_of_alert(&view, &set, the_alert());
                if (answer.says != cases[i].says || !strstr(answer.why, cases[i].why))
                        fail_msg("case %zu: %d, \"%s\"", i, (int)answer.says, answer.why);
                if (answer.says == ALERT_SAYS_QUIET)
                        assert_int_equal(answer.presence, cases[i].presence);
                /* Where Alertmanager is not asked, Prometheus alone has the word. */
                const struct alert_answer end = view_of_end(&view, &set, the_alert());
                bool over = cases[i].no_prometheus || (firing && !view_fires(&view, the_alert()));
                assert_int_equal(end.says, over ? ALERT_SAYS_OVER : ALERT_SAYS_NOTHING);
        }
}

/* A sender's fingerprint may be another alert's, or missing: what it says is never asked by. */
static void test_it_goes_by_the_labels(void **state _unused_)
{
        static const char *const fingerprints[] = {"", "f1", "f2", "no fingerprint at all"};
        const struct target_set set = {.alertmanager_url = (char *)"http://a"};
        struct alert_seen seen[] = {{.presence = ALERT_ACTIVE}, {.presence = ALERT_SILENCED}};
        key_of("eu", seen[0].key);
        key_of("us", seen[1].key);
        struct alert_view view = {.answered_at = 1, .has_alertmanager = true, .alerts = {seen, 2, 0}};
        alertmanager_view_sort(&view.alerts);
        for (size_t i = 0; i < N_ELEMENTS(fingerprints); i++) {
                struct alert alert = *the_alert();
                alert.fingerprint = (char *)fingerprints[i];
                char eu[] = "eu", us[] = "us",
                     *values[] = {alert.labels.values[0], alert.labels.values[1], eu};
                alert.labels.values = values;
                assert_int_equal(view_of_alert(&view, &set, &alert).says, ALERT_SAYS_FIRES);
                values[2] = us;
                assert_int_equal(view_of_alert(&view, &set, &alert).says, ALERT_SAYS_QUIET);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_table),
                                           cmocka_unit_test(test_it_goes_by_the_labels)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
