/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of a file of remediations: what comes otherwise, and what is wrong with them, is told by its place.
 */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "responder/rehearsal/cases.h"
#include "runbook/file.h"
#include "runbook/log.h"
#include "runbook/text.h"

static const char rules[] =
        "receivers: [{name: oncall, format: log}]\n"
        "escalate_to: oncall\n"
        "prometheus_url: http://nowhere.invalid\n"
        "docker: {host: unix:///nowhere, project: p}\n"
        "remediations:\n"
        "  - name: slow\n"
        "    match: ['alertname=\"slow\"', 'service!=\"\"']\n"
        "    cooldown: 15m\n"
        "    lock: service/${labels.service}\n"
        "    steps: [{docker.restart: {service: \"${labels.service}\", wait_healthy: 60s}}]\n"
        "    verify: {query: 'slow{service=\"${labels.service}\"} < 1', within: 5m}\n"
        "  - {name: asks, match: ['alertname=\"asks\"'], approval: true, steps: [{host.memory: {}}]}\n";

static char directory[] = "/tmp/runbook-cases-XXXXXX";

/* What is complained about, without the directory, free() it; "" for nothing. */
static char *run(const char *tests)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *path = text_format("%s/t.yml", directory);
        _cleanup_free_ char *text = text_format("remediation_file: rules.yml\ntests:\n%s", tests);
        size_t count = 0;
        assert_int_equal(file_replace(path, text, strlen(text), 0600, NULL), 0);
        int r = cases_run(path, &count, &error);
        assert_true(r == 0 || r == -EINVAL);
        struct text said = {0};
        for (const char *at = r < 0 ? error_text(&error) : ""; *at;) {
                const char *here = strstr(at, "t.yml:");
                text_puts(&said, "");
                if (string_starts(at, directory))
                        at = here;
                size_t length = strcspn(at, "\n");
                text_append(&said, at, length + (at[length] == '\n'));
                at += length + (at[length] == '\n');
        }
        return text_take(&said);
}

#define ALERT "    alerts: [{labels: {alertname: slow, service: web}, from: 1m, to: 2m}]\n"

static void says(const char *tests, const char *expected)
{
        _cleanup_free_ char *said = run(tests);
        assert_string_equal(said ? said : "", expected);
}

static void what_comes_as_expected_is_nothing_to_say(_unused_ void **state)
{
        says("  - name: it acts\n" ALERT "    expect:\n"
             "      - {at: 30s, remediation: slow, incidents: 0}\n"
             "      - {at: 1m, remediation: slow, incidents: 1, state: verifying, acted: yes, asked: no, "
             "held_by: [],"
             " steps: [{docker.restart: {service: web, wait_healthy: 1m}}]}\n"
             "      - {at: 5m, remediation: slow, state: healed, called: []}\n",
             "");
        says("  - name: people\n"
             "    alerts: [{labels: {alertname: asks}}]\n"
             "    given: [{at: 2m, do: approve, remediation: asks}]\n"
             "    expect:\n"
             "      - {at: 1m, remediation: asks, state: awaiting_approval, asked: yes, why: asks for "
             "approval, acted: no,"
             " called: [oncall]}\n"
             "      - {at: 2m, remediation: asks, state: done, acted: yes}\n",
             "");
}

static void what_comes_otherwise_is_told_by_its_place(_unused_ void **state)
{
        static const struct {
                const char *expects, *said;
        } cases[] = {
                {"state: healed", "t.yml:5:42: 'state' is verifying"},
                {"incidents: 2", "t.yml:5:46: there are 1 incidents of slow, not 2"},
                {"incident: 2", "t.yml:5:28: there is no such incident of slow"},
                {"acted: no", "t.yml:5:42: 'acted' is yes"},
                {"asked: yes", "t.yml:5:42: 'asked' is no"},
                {"held_by: [cooldown]", "t.yml:5:44: 'held_by' is [], not [cooldown]"},
                {"called: [oncall]", "t.yml:5:43: 'called' is [], not [oncall]"},
                {"why: because", "t.yml:5:40: the reason is \"\""},
                {"steps: []", "t.yml:5:42: there are 1 steps, not 0"},
                {"steps: [{docker.prune: {}}]", "t.yml:5:43: the step is docker.restart"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *tests =
                        text_format("  - name: n\n" ALERT "    expect: [{remediation: slow, %s, at: 1m}]\n",
                                    cases[i].expects);
                _cleanup_free_ char *said = run(tests);
                /* The column is where the value stands: of the line alone it is sure. */
                const char *is = strstr(said ? said : "", ": "), *wanted = strstr(cases[i].said, ": ");
                assert_true(string_starts(said ? said : "", "t.yml:5:"));
                assert_string_equal(is, wanted);
        }
        _cleanup_free_ char *arguments =
                run("  - name: n\n" ALERT
                    "    expect: [{remediation: slow, at: 1m, steps: [{docker.restart: {service: db}}]}]\n");
        assert_non_null(strstr(arguments, "its arguments are {\"service\":\"web\""));
}

static void mistakes_are_told_by_their_place(_unused_ void **state)
{
        static const struct {
                const char *tests, *part;
        } cases[] = {
                {"  - {name: n, expect: [{remediation: slow, sate: healed}]}\n", ":3:44: unknown key 'sate'"},
                {"  - {name: n, expect: [{remediation: slow, state: heeled}]}\n",
                 "there is no state \"heeled\""},
                {"  - {name: n, begin: noon, expect: []}\n", "\"noon\" is no time"},
                {"  - {name: n, given: [{do: approve}], expect: []}\n", "needs a remediation"},
                {"  - {name: n, given: [{do: pause, remediation: slow}], expect: []}\n", "it is of all"},
                {"  - {name: n, given: [{do: deny, remediation: asks}], expect: []}\n",
                 "could not be done then"},
                {"  - {name: n, alerts: [{labels: {a: b}, from: 2m, to: 1m}], expect: []}\n",
                 "must be after"},
                {"  - {name: n, alerts: [{labels: {}}], expect: []}\n", "labels"},
                {"  - {name: n, alerts: 1, expect: []}\n", "must be a list"},
                {"  - {name: n, expect: [{at: 401d, remediation: slow}]}\n", "400 days"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *said = run(cases[i].tests);
                if (!said || !string_starts(said, "t.yml:3:") || !strstr(said, cases[i].part))
                        fail_msg("%zu: %s", i, said);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_comes_as_expected_is_nothing_to_say),
                cmocka_unit_test(what_comes_otherwise_is_told_by_its_place),
                cmocka_unit_test(mistakes_are_told_by_their_place),
        };
        log_setup("error", "logfmt", NULL);
        if (!mkdtemp(directory))
                return 1;
        _cleanup_free_ char *path = text_format("%s/rules.yml", directory);
        if (file_replace(path, rules, strlen(rules), 0600, NULL) < 0)
                return 1;
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        _cleanup_free_ char *command = text_format("rm -rf %s", directory);
        return system(command) != 0 || failed;
}
