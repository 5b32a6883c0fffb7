/* SPDX-License-Identifier: Apache-2.0 */
/* How far a remediation is trusted, by what it has come to: rehearsed, so that the ledger is that of real
 * incidents. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "responder/incident/trust.h"
#include "responder/rehearsal/rehearsal.h"
#include "runbook/log.h"
#include "runbook/text.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define BEGIN (1767225600 * NSEC_PER_SEC) /* 2026-01-01 */

static const char rules[] = "receivers: [{name: oncall, format: log}]\n"
                            "escalate_to: oncall\n"
                            "prometheus_url: http://nowhere.invalid\n"
                            "docker: {host: unix:///nowhere, project: p}\n"
                            "breaker: off\n"
                            "remediations:\n"
                            "  - name: slow\n"
                            "    match: ['alertname=\"slow\"']\n"
                            "%s"
                            "    steps: [{docker.set_env: {service: web, env: {A: b}}}]\n"
                            "    verify: {query: 'slow < 1', within: 5m}\n";

struct fixture {
        struct remediation_set *set;
        struct rehearsal *rehearsal;
        nsec now;
};

static struct fixture begin(const char *lines)
{
        struct fixture fixture = {.now = BEGIN};
        _cleanup_error_ struct error error = {0};
        char path[] = "/tmp/runbook-trust-XXXXXX";
        _cleanup_text_ struct text text = {0};
        int fd = mkstemp(path);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        text_printf(&text, rules, lines);
#pragma GCC diagnostic pop
        assert_true(fd >= 0 && write(fd, text.data, text.length) == (ssize_t)text.length);
        close(fd);
        if (remediation_set_load(path, &fixture.set, &error) < 0 ||
            rehearsal_new(fixture.set, BEGIN, &fixture.rehearsal, &error) < 0)
                fail_msg("%s", error_text(&error));
        unlink(path);
        return fixture;
}

static struct ledger end(struct fixture *fixture)
{
        struct ledger ledger;
        assert_int_equal(ledger_read(rehearsal_journal(fixture->rehearsal), "slow", &ledger, NULL), 0);
        rehearsal_free(fixture->rehearsal);
        remediation_set_free(fixture->set);
        return ledger;
}

static void tell(struct fixture *fixture, bool firing, nsec began)
{
        const char *text = "{\"labels\":{\"alertname\":\"slow\"}}";
        _cleanup_json_ cJSON *json = NULL;
        struct history_event event = {.at = fixture->now};
        assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
        assert_int_equal(alert_from_labels(json, began, &event.alert, NULL), 0);
        event.alert.firing = firing;
        event.alert.ends_at = firing ? 0 : fixture->now;
        assert_int_equal(rehearsal_hear(fixture->rehearsal, fixture->now, &event, 1, NULL), 0);
        alert_release(&event.alert);
}

static void passes(struct fixture *fixture, nsec time)
{
        fixture->now += time;
        assert_int_equal(rehearsal_pass(fixture->rehearsal, fixture->now, NULL), 0);
}

/* The state of the last incident, in JSON that lasts until the next question. */
static const char *last_state(struct fixture *fixture)
{
        static cJSON *outcomes;
        cJSON_Delete(outcomes);
        outcomes = NULL;
        assert_int_equal(rehearsal_outcomes(fixture->rehearsal, &outcomes, NULL), 0);
        static char state[32];
        snprintf(state, sizeof(state), "%s",
                 json_string(cJSON_GetArrayItem(outcomes, cJSON_GetArraySize(outcomes) - 1), "state"));
        cJSON_Delete(outcomes);
        outcomes = NULL;
        return state;
}

static void person(struct fixture *fixture, enum decision decision)
{
        _cleanup_error_ struct error error = {0};
        if (rehearsal_decide(fixture->rehearsal, decision, "slow", &error) < 0)
                fail_msg("%s", error_text(&error));
        passes(fixture, NSEC_PER_SEC);
}

/* The alert fires for so long, beginning now; true when a person was asked, who has agreed. Two hours pass.
 */
static bool fires(struct fixture *fixture, nsec length)
{
        nsec began = fixture->now;
        tell(fixture, true, began);
        passes(fixture, 10 * NSEC_PER_SEC);
        bool asked = string_equal(last_state(fixture), "awaiting_approval");
        if (asked)
                person(fixture, DECISION_APPROVE);
        passes(fixture, began + length - fixture->now);
        tell(fixture, false, began);
        passes(fixture, 2 * HOUR);
        return asked;
}

/* Ten that are healed after a yes each. */
static void earns(struct fixture *fixture)
{
        for (int i = 0; i < TRUST_RUNS; i++) {
                assert_true(fires(fixture, MINUTE));
                assert_string_equal(last_state(fixture), "healed");
        }
}

static void trust_is_earned_and_lost_at_once(_unused_ void **state)
{
        struct fixture fixture = begin("    trust: earned\n");
        earns(&fixture);
        assert_false(fires(&fixture, MINUTE)); /* by itself */
        assert_string_equal(last_state(&fixture), "healed");
        assert_false(fires(&fixture, HOUR)); /* and does not heal */
        assert_string_equal(last_state(&fixture), "escalated");
        assert_true(fires(&fixture, MINUTE));
        const struct ledger ledger = end(&fixture);
        assert_int_equal(ledger.healed, TRUST_RUNS + 2);
        assert_int_equal(ledger.not_healed, 1);
        assert_int_equal(ledger.since_harm, 1);
        assert_false(ledger_earns(&ledger));
        _cleanup_text_ struct text text = {0};
        ledger_put(&ledger, &text);
        assert_string_equal(text_string(&text), "it heals 12 of 13");
}

static void what_comes_back_within_the_hour_is_harm(_unused_ void **state)
{
        struct fixture fixture = begin("    trust: earned\n");
        earns(&fixture);
        nsec began = fixture.now;
        tell(&fixture, true, began);
        passes(&fixture, MINUTE);
        tell(&fixture, false, began);
        passes(&fixture, 30 * MINUTE);
        assert_string_equal(last_state(&fixture), "healed");
        assert_true(fires(&fixture, MINUTE)); /* it comes back, and is asked about */
        const struct ledger ledger = end(&fixture);
        assert_int_equal(ledger.came_back, 1);
        assert_int_equal(ledger.since_harm, 1);
}

static void an_undo_by_a_person_is_harm(_unused_ void **state)
{
        struct fixture fixture = begin("    trust: earned\n");
        earns(&fixture);
        assert_false(fires(&fixture, MINUTE));
        person(&fixture, DECISION_UNDO);
        passes(&fixture, HOUR);
        assert_true(fires(&fixture, MINUTE));
        const struct ledger ledger = end(&fixture);
        assert_int_equal(ledger.undone, 1);
}

static void a_no_is_harm_and_no_run(_unused_ void **state)
{
        struct fixture fixture = begin("    trust: earned\n");
        earns(&fixture);
        nsec began = fixture.now;
        tell(&fixture, true, began);
        passes(&fixture, 10 * NSEC_PER_SEC);
        person(&fixture, DECISION_CANCEL); /* it was verifying */
        passes(&fixture, MINUTE);
        tell(&fixture, false, began);
        passes(&fixture, 2 * HOUR);
        assert_string_equal(last_state(&fixture), "cancelled");
        assert_true(fires(&fixture, MINUTE));
        const struct ledger ledger = end(&fixture);
        assert_int_equal(ledger.refused, 1);
        assert_int_equal(ledger_runs(&ledger), TRUST_RUNS + 1);
}

static void what_is_trusted_to_ask_asks(_unused_ void **state)
{
        struct fixture fixture = begin("    trust: ask\n");
        for (int i = 0; i < TRUST_RUNS + 2; i++)
                assert_true(fires(&fixture, MINUTE));
        end(&fixture);
}

/* It plans, and it is known whether the alert ended by itself. */
static void a_dry_run_says_what_would_have_been(_unused_ void **state)
{
        static const char *const lines[] = {"    dry_run: true\n", "    trust: observe\n"};
        for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
                struct fixture fixture = begin(lines[i]);
                assert_false(fires(&fixture, 10 * MINUTE));
                assert_string_equal(last_state(&fixture), "planned");
                assert_false(fires(&fixture, 3 * HOUR));
                assert_string_equal(last_state(&fixture), "planned");
                const struct ledger ledger = end(&fixture);
                assert_int_equal(ledger_runs(&ledger), 0);
                assert_int_equal(ledger.left_alone, 2);
                assert_int_equal(ledger.by_itself, 1);
                _cleanup_text_ struct text text = {0};
                ledger_put(&ledger, &text);
                assert_string_equal(text_string(&text),
                                    "nothing is known yet of whether it heals; 1 of 2 left alone healed "
                                    "by themselves");
        }
}

/* Others are not kept by it: neither by its lock nor as one of a storm. */
static void a_dry_run_takes_no_lock(_unused_ void **state)
{
        struct fixture fixture =
                begin("    dry_run: true\n    lock: web\n    limit: 1 per 1d\n    cooldown: 1h\n");
        assert_false(fires(&fixture, MINUTE));
        assert_false(fires(&fixture, MINUTE));
        assert_string_equal(last_state(&fixture), "planned");
        end(&fixture);
}

static void nothing_can_be_earned_without_a_verification(_unused_ void **state)
{
        _cleanup_error_ struct error error = {0};
        struct remediation_set *set = NULL;
        char path[] = "/tmp/runbook-trust-XXXXXX";
        const char *text =
                "receivers: [{name: oncall, format: log}]\nescalate_to: oncall\nremediations:\n"
                "  - {name: a, match: ['alertname=\"a\"'], trust: earned, steps: [{host.memory: {}}]}\n";
        int fd = mkstemp(path);
        assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
        close(fd);
        assert_int_equal(remediation_set_load(path, &set, &error), -EINVAL);
        assert_non_null(strstr(error_text(&error), ":4:"));
        assert_non_null(strstr(error_text(&error), "never earn"));
        unlink(path);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(trust_is_earned_and_lost_at_once),
                cmocka_unit_test(what_comes_back_within_the_hour_is_harm),
                cmocka_unit_test(an_undo_by_a_person_is_harm),
                cmocka_unit_test(a_no_is_harm_and_no_run),
                cmocka_unit_test(what_is_trusted_to_ask_asks),
                cmocka_unit_test(a_dry_run_says_what_would_have_been),
                cmocka_unit_test(a_dry_run_takes_no_lock),
                cmocka_unit_test(nothing_can_be_earned_without_a_verification),
        };
        log_setup("error", "logfmt", NULL);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
