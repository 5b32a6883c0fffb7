/* SPDX-License-Identifier: Apache-2.0 */
/* What an incident is begun with: bound, written, restored, and compared with what the file says later. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "responder/remediation/definition.h"
#include "runbook/http_client.h"

static const char file[] =
        "docker: {project: p}\n"
        "databases: [{name: main, dsn: host=db dbname=mcp, password_file: /run/p}]\n"
        "receivers: [{name: oncall, format: json, url_file: /run/u}]\n"
        "prometheus_url: http://127.0.0.1:9090\nescalate_to: oncall\n"
        "remediations:\n"
        "  - name: one\n"
        "    match: 'alertname=\"a\"'\n"
        "    lock: service/${labels.service}\n"
        "    steps:\n"
        "      - docker.set_env: {service: '${labels.service}', env: {LOG_LEVEL: debug, A: '1'}}\n"
        "        undo: when_resolved\n"
        "      - postgres.terminate_queries: {older_than: 1m}\n"
        "        max: 5\n"
        "      - notify: {to: oncall, text: 'x ${labels.service}'}\n"
        "    verify: {query: 'up{job=\"${labels.service}\"} == 1', within: 6m}\n";

static struct remediation_set *load(const char *text)
{
        char path[] = "/tmp/runbook-definition-XXXXXX";
        _cleanup_error_ struct error error = {0};
        struct remediation_set *set = NULL;
        int fd = mkstemp(path);
        assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
        if (remediation_set_load(path, &set, &error) < 0)
                fail_msg("%s", error_text(&error));
        unlink(path);
        return set;
}

static char label[] = "service", value[] = "web ${labels.x} \"q\"";
static struct alert alert = {.labels = {.keys = (char *[]){label}, .values = (char *[]){value}, .count = 1}};

static cJSON *define(const struct remediation_set *set)
{
        _cleanup_error_ struct error error = {0};
        cJSON *definition = NULL;
        if (definition_make(&set->remediations[0], &set->targets, &alert, "INC-2026-0001", &definition,
                            &error) < 0)
                fail_msg("%s", error_text(&error));
        return definition;
}

static void test_restored_as_it_was_bound(void **state)
{
        (void)state;
        struct remediation_set *set = load(file);
        _cleanup_json_ cJSON *definition = define(set);
        _cleanup_free_ char *text = json_print(definition);
        assert_null(strstr(text, "/run/p")); /* by which password is not what a target is */
        assert_null(strstr(text, "/run/u"));
        assert_null(strstr(text, "host=db"));

        struct remediation *restored = NULL;
        _cleanup_error_ struct error error = {0};
        if (definition_restore(definition, &restored, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_string_equal(restored->name, "one");
        assert_string_equal(restored->lock, "service/web ${labels.x} \"q\"");
        assert_string_equal(restored->verify.query, "up{job=\"web ${labels.x} \\\"q\\\"\"} == 1");
        assert_string_equal(restored->escalate_to, "oncall");
        assert_true(restored->bound && restored->step_count == 3);
        assert_int_equal(restored->steps[0].undo, UNDO_WHEN_RESOLVED);
        assert_int_equal(restored->steps[1].max, 5);
        for (size_t i = 0; i < restored->step_count; i++)
                assert_int_equal(definition_check_target(&restored->steps[i], &set->targets, &error), 0);

        /* Bound once, it is not bound again. */
        _cleanup_free_ char *lock = NULL;
        assert_int_equal(remediation_lock(restored, &alert, "INC-2026-0001", &lock, NULL), 0);
        assert_string_equal(lock, restored->lock);
        remediation_free(restored);
        remediation_set_free(set);
}

/* What is not essential and lacks a label is kept as what it is: it will not run, and says why. */
static void test_without_its_label(void **state)
{
        (void)state;
        _cleanup_error_ struct error error = {0};
        const char *at = strstr(file, "'x ${labels.service}'}\n");
        _cleanup_free_ char *text = text_format("%.*s'x ${labels.nobody}'}\n        essential: no\n%s",
                                                (int)(at - file), file, strchr(at, '\n') + 1);
        struct remediation_set *set = load(text);
        _cleanup_json_ cJSON *definition = define(set);
        struct remediation *restored = NULL;
        if (definition_restore(definition, &restored, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_non_null(strstr(restored->steps[2].unbound, "no label 'nobody'"));
        assert_int_equal(restored->steps[2].essential, 0);
        assert_true(restored->steps[1].essential && !restored->steps[1].unbound);
        assert_int_equal(definition_check_target(&restored->steps[2], &set->targets, &error), 0);
        remediation_free(restored);
        remediation_set_free(set);
}

static void test_what_is_told_of_it(void **state)
{
        (void)state;
        static const char tells[] = "{\"tell\":[\"done\",\"healed\"]}", nothing[] = "{\"tell\":[]}",
                          before[] = "{}";
        char healed[] = "healed", *words[] = {healed};
        const struct remediation now = {.tell = {words, 1}};
        static const struct {
                const char *definition, *end;
                bool has_file, told;
        } cases[] = {
                {tells, "healed", false, true},   {tells, "denied", true, false},
                {nothing, "healed", true, false}, {before, "healed", true, true},
                {before, "done", true, false},    {before, "healed", false, false},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_json_ cJSON *json = cJSON_Parse(cases[i].definition);
                if (definition_tells(json, cases[i].has_file ? &now : NULL, cases[i].end) != cases[i].told)
                        fail_msg("case %zu", i);
        }
}

static void test_what_differs_is_told(void **state)
{
        (void)state;
        static const struct {
                const char *from, *to, *sentence; /* NULL: no difference */
        } cases[] = {
                {"LOG_LEVEL: debug, A: '1'", "A: '1', LOG_LEVEL: debug", NULL},
                {"    match: 'alertname=\"a\"'\n", "    match: 'alertname=\"b\"'\n    cooldown: 1h\n", NULL},
                {"password_file: /run/p", "password_file: /run/other", NULL},
                {"LOG_LEVEL: debug", "LOG_LEVEL: trace", "step 1 env LOG_LEVEL debug → trace"},
                {"LOG_LEVEL: debug, ", "", "step 1 env LOG_LEVEL debug → nothing"},
                {"A: '1'", "A: '1', B: ''", "step 1 env B nothing → \"\""},
                {"max: 5", "max: 6", "step 2 max 5 → 6"},
                {"max: 5", "max: 5\n        essential: no",
                 "step 2 on_failure escalate → continue; step 2 essential yes → no"},
                {"        undo: when_resolved\n", "", "step 1 undo when_resolved → never"},
                {"project: p", "project: q", "step 1 docker is another one"},
                {"host=db", "host=db2", "step 2 database is another one"},
                {"url_file: /run/u", "url_file: /run/v", "step 3 receiver \"oncall\" is another one"},
                {"      - notify: {to: oncall, text: 'x ${labels.service}'}\n", "", "step 3 is gone"},
                {"      - postgres.terminate_queries: {older_than: 1m}\n", "      - host.memory: {}\n",
                 "step 2 postgres.terminate_queries → host.memory"},
                {"within: 6m", "within: 7m", "verify within 6m → 7m"},
                {"lock: service/", "lock: other/",
                 "lock service/web ${labels.x} \"q\" → other/web ${labels.x} \"q\""},
        };
        struct remediation_set *set = load(file);
        _cleanup_json_ cJSON *then = define(set);
        remediation_set_free(set);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                const char *at = strstr(file, cases[i].from);
                assert_non_null(at);
                _cleanup_free_ char *text = text_format("%.*s%s%s", (int)(at - file), file, cases[i].to,
                                                        at + strlen(cases[i].from));
                set = load(text);
                _cleanup_json_ cJSON *now = define(set);
                _cleanup_free_ char *differences = NULL;
                assert_int_equal(definition_compare(then, now, &differences, NULL), 0);
                if (!string_equal(differences ? differences : "", cases[i].sentence ? cases[i].sentence : ""))
                        fail_msg("%s: %s", cases[i].to, differences ? differences : "nothing");
                remediation_set_free(set);
        }
}

static void test_much_is_cut(void **state)
{
        (void)state;
        _cleanup_json_ cJSON *then =
                cJSON_Parse("{\"steps\":[{\"action\":\"a\",\"arguments\":{\"a\":1,\"b\":2,"
                            "\"c\":3,\"d\":4,\"e\":5}}]}");
        _cleanup_json_ cJSON *now = cJSON_Parse("{\"steps\":[{\"action\":\"a\",\"arguments\":{\"a\":"
                                                "\"ööööööööööööööööööööööööööööööööööööö\"}}]}");
        _cleanup_free_ char *differences = NULL;
        assert_int_equal(definition_compare(then, now, &differences, NULL), 0);
        assert_string_equal(differences,
                            "step 1 a 1 → öööööööööööööööööööööööööööööö…; step 1 b 2 → nothing; step 1 c 3 "
                            "→ nothing; and 2 more");
}

static void test_a_target_that_is_another_one(void **state)
{
        (void)state;
        struct remediation_set *set = load(file);
        _cleanup_json_ cJSON *definition = define(set);
        struct remediation *restored = NULL;
        assert_int_equal(definition_restore(definition, &restored, NULL), 0);
        _cleanup_error_ struct error error = {0}, gone = {0};
        free(set->targets.docker.project);
        set->targets.docker.project = strdup("q");
        assert_int_equal(definition_check_target(&restored->steps[0], &set->targets, &error), -ESTALE);
        assert_string_equal(error_text(&error),
                            "remediations.yml has changed since: the docker is another one");
        struct receiver *receiver = set->targets.receivers.items;
        receiver->name[0] = 'X';
        assert_int_equal(definition_check_target(&restored->steps[2], &set->targets, &gone), -ESTALE);
        assert_string_equal(error_text(&gone),
                            "remediations.yml has changed since: there is no receiver \"oncall\"");
        remediation_free(restored);
        remediation_set_free(set);
}

static void test_what_this_program_cannot_read(void **state)
{
        (void)state;
        static const char *const cases[] = {
                "{}",
                "{\"remediation\":\"r\",\"lock\":\"l\",\"steps\":[]}",
                "{\"remediation\":\"r\",\"lock\":\"l\",\"steps\":[{\"action\":\"no.such\",\"arguments\":{}}]"
                "}",
                "{\"remediation\":\"r\",\"lock\":\"l\",\"steps\":[{\"action\":\"host.memory\"}]}",
                "{\"remediation\":\"r\",\"lock\":\"l\",\"steps\":[{\"action\":\"docker.restart\","
                "\"arguments\":{\"service\":1}}]}",
                "{\"remediation\":\"r\",\"lock\":\"l\",\"steps\":[{\"action\":\"host.memory\",\"arguments\":{"
                "},"
                "\"undo\":\"sometimes\"}]}",
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_json_ cJSON *json = cJSON_Parse(cases[i]);
                struct remediation *restored = NULL;
                if (definition_restore(json, &restored, &error) >= 0 || !*error_text(&error))
                        fail_msg("%s", cases[i]);
        }
}

/* The cause of an alert with these labels: pairs of a name and a value, closed by NULL. */
static void cause_of(const struct remediation_set *set, const char *const *pairs,
                     char ret[static DIGEST_TEXT_MAX])
{
        char *keys[4], *values[4];
        struct alert one = {.labels = {.keys = keys, .values = values}};
        _cleanup_error_ struct error error = {0};
        for (; pairs[2 * one.labels.count]; one.labels.count++) {
                keys[one.labels.count] = (char *)pairs[2 * one.labels.count];
                values[one.labels.count] = (char *)pairs[2 * one.labels.count + 1];
        }
        if (definition_cause(&set->remediations[0], &set->targets, &one, ret, &error) < 0)
                fail_msg("%s", error_text(&error));
}

/* Alerts are of one cause when the same is done to the same, whatever else they say. */
static void test_what_makes_a_cause(void **state)
{
        (void)state;
        static const char *const texts[] = {
                file, /* the label is in the lock, in an argument, and in a text */
                "receivers: [{name: oncall, format: json, url_file: /run/u}]\nescalate_to: oncall\n"
                "remediations: [{name: r, match: ['a=\"1\"'], lock: 'x${labels.service}', steps: "
                "[{host.memory: "
                "{}}]}]\n",
                "docker: {project: p}\nreceivers: [{name: oncall, format: json, url_file: /run/u}]\n"
                "escalate_to: oncall\n"
                "remediations: [{name: r, match: ['a=\"1\"'], steps: [{docker.restart: {service: s}}, "
                "{notify: {to: "
                "oncall, text: '${labels.service} ${incident.id}'}}]}]\n",
                "receivers: [{name: oncall, format: json, url_file: /run/u}]\nescalate_to: oncall\n"
                "remediations: [{name: r, match: ['a=\"1\"'], steps: [{notify: {to: oncall, text: "
                "'${labels.service}'}}]}]\n",
        };
        /* To change something, a text does not matter; where nothing is changed it is what is done. */
        static const bool differs[] = {true, true, false, true};
        static const char *const web[] = {"service", "web", "instance", "a", NULL},
                                 *const again[] = {"service", "web", "instance", "b", NULL},
                                 *const db[] = {"service", "db", "instance", "a", NULL};
        char first[DIGEST_TEXT_MAX], second[DIGEST_TEXT_MAX], third[DIGEST_TEXT_MAX];
        for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
                struct remediation_set *set = load(texts[i]);
                cause_of(set, web, first);
                cause_of(set, again, second);
                cause_of(set, db, third);
                assert_string_equal(first, second);
                assert_true(string_equal(first, third) != differs[i]);
                remediation_set_free(set);
        }
}

/* What cannot be bound has none. */
static void test_no_cause_without_its_labels(void **state)
{
        (void)state;
        struct remediation_set *set = load(file);
        char cause[DIGEST_TEXT_MAX];
        _cleanup_error_ struct error error = {0};
        assert_int_equal(
                definition_cause(&set->remediations[0], &set->targets, &(struct alert){0}, cause, &error),
                -ENOKEY);
        remediation_set_free(set);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_makes_a_cause),
                cmocka_unit_test(test_no_cause_without_its_labels),
                cmocka_unit_test(test_restored_as_it_was_bound),
                cmocka_unit_test(test_without_its_label),
                cmocka_unit_test(test_what_is_told_of_it),
                cmocka_unit_test(test_what_differs_is_told),
                cmocka_unit_test(test_much_is_cut),
                cmocka_unit_test(test_a_target_that_is_another_one),
                cmocka_unit_test(test_what_this_program_cannot_read),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
