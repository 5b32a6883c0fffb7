/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to receivers, what is understood of the neighbours' answers, and the sections of the file. */
#include <errno.h>
#include <math.h>

#include "responder/targets/internal.h"
#include "tests/harness/unit.h"

static char *slack(const struct message *message)
{
        _cleanup_json_ cJSON *json = message_to_slack(message);
        assert_non_null(json);
        char *text = json_print(json);
        assert_non_null(text);
        return text;
}

static void test_slack(void **state)
{
        (void)state;
        _cleanup_free_ char *bare = slack(&(struct message){.text = "a \"b\" <!channel> & \\ \n ü"});
        assert_string_equal(bare, "{\"text\":\"a \\\"b\\\" &lt;!channel&gt; &amp; \\\\ \\n ü\"}");

        _cleanup_json_ cJSON *details =
                cJSON_Parse("{\"reason\":\"p95 < 2 never "
                            "held\",\"tries\":3,\"rows\":[1],\"labels\":{\"a\":1},\"no\":null}");
        struct message message = {.text = "x",
                                  .incident = "INC-2026-0001",
                                  .remediation = "r",
                                  .state = "healed",
                                  .details = details};
        _cleanup_free_ char *full = slack(&message);
        assert_string_equal(full, "{\"text\":\"x\",\"attachments\":[{\"color\":\"good\",\"fields\":["
                                  "{\"title\":\"Incident\",\"value\":\"INC-2026-0001\",\"short\":true},"
                                  "{\"title\":\"Remediation\",\"value\":\"r\",\"short\":true},"
                                  "{\"title\":\"State\",\"value\":\"healed\",\"short\":true},"
                                  "{\"title\":\"reason\",\"value\":\"p95 &lt; 2 never held\",\"short\":true},"
                                  "{\"title\":\"tries\",\"value\":\"3\",\"short\":true}]}]}");
}

/* Slack refuses what is too long; a cut must leave UTF-8 whole. */
static void test_slack_cuts_long_texts(void **state)
{
        (void)state;
        for (size_t shift = 0; shift < 3; shift++) {
                _cleanup_text_ struct text long_text = {0};
                for (size_t i = 0; i < shift; i++)
                        text_putc(&long_text, 'x');
                for (size_t i = 0; i < 2000; i++)
                        text_puts(&long_text, "€");
                _cleanup_json_ cJSON *json =
                        message_to_slack(&(struct message){.text = text_string(&long_text)});
                const char *text = json_string(json, "text");
                assert_true(strlen(text) >= 2900 && strlen(text) <= 3010);
                assert_string_equal(text + strlen(text) - 3, "…");
                const char *c = text + shift;
                while (strncmp(c, "€", 3) == 0)
                        c += 3;
                assert_string_equal(c, "…");
        }
}

static void test_generic_json(void **state)
{
        (void)state;
        _cleanup_json_ cJSON *details = cJSON_Parse("{\"steps\":[{\"step\":1}]}");
        struct message message = {.text = "<a & \"b\">", .incident = "INC-2026-0001", .details = details};
        _cleanup_json_ cJSON *json = message_to_json(&message, 0);
        _cleanup_free_ char *text = json_print(json);
        assert_string_equal(text,
                            "{\"version\":1,\"at\":\"1970-01-01T00:00:00.000Z\",\"text\":\"<a & \\\"b\\\">\","
                            "\"incident\":\"INC-2026-0001\",\"remediation\":null,\"state\":null,"
                            "\"details\":{\"steps\":[{\"step\":1}]}}");
}

static void test_query_answers(void **state)
{
        (void)state;
        static const struct {
                const char *data;
                bool holds;
                double value;
        } verdicts[] = {
                {"{\"resultType\":\"vector\",\"result\":[{\"metric\":{},\"value\":[1,\"0.25\"]}]}", true,
                 0.25},
                {"{\"resultType\":\"vector\",\"result\":[{\"metric\":{},\"value\":[1,\"0\"]},{}]}", true, 0},
                {"{\"resultType\":\"vector\",\"result\":[]}", false, NAN},
        };
        for (size_t i = 0; i < N_ELEMENTS(verdicts); i++) {
                _cleanup_free_ char *body =
                        text_format("{\"status\":\"success\",\"data\":%s}", verdicts[i].data);
                bool holds = !verdicts[i].holds;
                double value = -1;
                assert_int_equal(query_answer_parse(200, body, strlen(body), &holds, &value, NULL), 0);
                assert_int_equal(holds, verdicts[i].holds);
                assert_true(isnan(verdicts[i].value) ? isnan(value) : value == verdicts[i].value);
        }
}

/* Whatever is not a clear answer is an error, and never a verdict. */
static void test_query_errors(void **state)
{
        (void)state;
        static const struct {
                long status;
                const char *body;
                int code;
                const char *word;
        } cases[] = {
                {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"1\"]}}",
                 EINVAL, "scalar"},
                {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}", EINVAL,
                 "matrix"},
                {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\"}}", EBADMSG, "no result"},
                {200, "{\"status\":\"success\"}", EINVAL, "nothing"},
                {400, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error: x\"}",
                 EREMOTEIO, "parse error: x"},
                {200, "{}", EREMOTEIO, "no success"},
                {200, "<html>", EBADMSG, "JSON"},
                {503, "Service Unavailable", EREMOTEIO, "503"},
                {200, "", EBADMSG, "JSON"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                bool holds = true;
                double value = -1;
                assert_int_equal(query_answer_parse(cases[i].status, cases[i].body, strlen(cases[i].body),
                                                    &holds, &value, &error),
                                 -cases[i].code);
                assert_non_null(strstr(error_text(&error), cases[i].word));
                assert_true(holds && value == -1);
        }
}

static void test_check_answers(void **state)
{
        (void)state;
        static const char page[] =
                "# HELP runbook_check_success Whether it succeeded.\n"
                "# TYPE runbook_check_success gauge\n"
                "runbook_check_success_extra{check=\"redis\"} 0\n"
                "runbook_check_success{check=\"redis_2\"} 0\n"
                "runbook_check_success{check=\"redis\"} 1\n"
                "runbook_check_success{a=\"}check=\\\"x\\\"\",check=\"mcp\",b=\"\"} 0\n"
                "runbook_check_success{check=\"with \\\"quotes\\\" \\\\ \\n\"} 1 1700000000000\n"
                "runbook_check_success{check=\"unknown\"} NaN\n"
                "runbook_check_success{check=\"half\"} 0.5\n";
        static const struct {
                const char *check;
                int result;
                bool holds;
        } cases[] = {
                {"redis", 0, true},        {"redis_2", 0, false},
                {"mcp", 0, false},         {"with \"quotes\" \\ \n", 0, true},
                {"x", -ENOENT, false},     {"red", -ENOENT, false},
                {"", -ENOENT, false},      {"unknown", -EBADMSG, false},
                {"half", -EBADMSG, false},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                bool holds = !cases[i].holds;
                assert_int_equal(check_answer_parse(page, strlen(page), cases[i].check, &holds, &error),
                                 cases[i].result);
                assert_int_equal(holds, cases[i].result == 0 ? cases[i].holds : !cases[i].holds);
        }
}

/* What follows the cut is not known, so nobody can say that a check is not there. */
static void test_a_cut_page_is_no_verdict(void **state)
{
        (void)state;
        static const char *const ends[] = {"runbook_check_success{check=\"cut\"",
                                           "runbook_check_success{check=\"cut\"} ", "<html>"};
        for (size_t i = 0; i < N_ELEMENTS(ends); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *page = text_format("runbook_check_success{check=\"a\"} 1\n%s", ends[i]);
                bool holds = false;
                assert_int_equal(check_answer_parse(page, strlen(page), "cut", &holds, &error), -EBADMSG);
                assert_non_null(strstr(error_text(&error), "line 2"));
                assert_int_equal(check_answer_parse(page, strlen(page), "a", &holds, NULL), 0);
                assert_true(holds);
        }
}

static void test_alerts_answers(void **state)
{
        (void)state;
        static const char list[] =
                "[{\"fingerprint\":\"aa\",\"status\":{\"state\":\"suppressed\"}},{\"fingerprint\":\"bb\"}]";
        bool active = false;
        assert_int_equal(alerts_answer_parse(list, strlen(list), "bb", &active, NULL), 0);
        assert_true(active);
        assert_int_equal(alerts_answer_parse(list, strlen(list), "b", &active, NULL), 0);
        assert_false(active);
        assert_int_equal(alerts_answer_parse("[]", 2, "aa", &active, NULL), 0);
        assert_false(active);

        static const char *const wrong[] = {"{}", "null", "", "[{\"fingerprint\":\"aa\"},{}]", "[1]"};
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++)
                assert_int_equal(alerts_answer_parse(wrong[i], strlen(wrong[i]), "aa", &active, NULL),
                                 -EBADMSG);
}

static void test_urls(void **state)
{
        (void)state;
        static const char *const bases[] = {"http://h:1/p", "http://h:1/p/", "http://h:1/p//"};
        for (size_t i = 0; i < N_ELEMENTS(bases); i++) {
                _cleanup_free_ char *url = targets_url(bases[i], "/x");
                assert_string_equal(url, "http://h:1/p/x");
        }
}

static struct config *load(const char *yaml, struct target_set *set)
{
        struct config *config = NULL;
        assert_int_equal(config_parse("f.yml", yaml, &config, NULL), 0);
        if (config_read(config_root(config), target_fields, set))
                target_set_check(set, config_root(config));
        return config;
}

static void test_sections_and_defaults(void **state)
{
        (void)state;
        struct target_set set = {0};
        _cleanup_config_ struct config *config =
                load("databases: [{name: mcp, dsn: 'host=h dbname=d', password_file: /p}]\n"
                     "receivers: [{name: oncall, format: json, url_file: /u}, {name: diary, format: log}]\n",
                     &set);
        assert_string_equal(config_complaints_text(config), "");
        assert_true(!set.docker.host || !*set.docker.host);
        assert_int_equal(set.repeat_interval, 4 * 3600 * NSEC_PER_SEC);
        assert_string_equal(set.evidence_directory, "var/evidence");
        assert_string_equal(target_set_database(&set, "mcp")->postgres.dsn, "host=h dbname=d");
        assert_ptr_equal(target_set_database(&set, ""), target_set_database(&set, "mcp"));
        assert_null(target_set_database(&set, "other"));
        assert_int_equal(target_set_receiver(&set, "diary")->format, RECEIVER_LOG);
        assert_null(target_set_receiver(&set, "nobody"));
        config_release(target_fields, &set);

        config_free(config);
        config = load("docker: {project: p}\n", &set);
        assert_string_equal(config_complaints_text(config), "");
        assert_string_equal(set.docker.host, "unix:///var/run/docker.sock");
        config_release(target_fields, &set);
}

static void test_mistakes_in_sections(void **state)
{
        (void)state;
        static const struct {
                const char *yaml, *complaint;
        } cases[] = {
                {"databases: [{name: a, dsn: 'host=h'}, {name: a, dsn: 'host=h'}]\n",
                 "a database \"a\" already"},
                {"databases: [{name: a, dsn: 'host=h password=x'}]\n", "password"},
                {"databases: [{name: a, dsn: 'host='' '}]\n", "f.yml:1"},
                {"receivers: [{name: a, format: slack}]\n", "needs a url_file"},
                {"receivers: [{name: a, format: log, url_file: /u}]\n", "takes no url"},
                {"receivers: [{name: a, format: slack, url: 'http://x'}]\n", "url"},
                {"receivers: [{name: a, format: log}, {name: a, format: log}]\n", "a receiver \"a\" already"},
                {"receivers: [{name: a, format: mail}]\n", "format"},
                {"prometheus_url: localhost:9090\n", "'prometheus_url' must begin with"},
                {"docker: {project: p, host: /var/run/docker.sock}\n",
                 "\"/var/run/docker.sock\" is not a Docker host: unix:///path or tcp://host:port"},
                {"docker: {project: p, ca_file: /ca.pem}\n", "ca_file is for TLS"},
                {"docker: {project: p, host: 'tcp://h:1', key_file: /key.pem}\n", "only of use together"},
                {"docker: {}\n", "project"},
                {"protect: ['']\n", "protects nothing"},
                {"repeat_interval: 0\n", "repeat_interval"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct target_set set = {0};
                _cleanup_config_ struct config *config = load(cases[i].yaml, &set);
                if (!strstr(config_complaints_text(config), cases[i].complaint))
                        fail_msg("%s gave: %s", cases[i].yaml, config_complaints_text(config));
                assert_int_equal(config_complaints(config), 1);
                config_release(target_fields, &set);
        }
}

static void test_leases_fail_in_words(void **state)
{
        (void)state;
        struct target_set set = {0};
        _cleanup_config_ _unused_ struct config *config =
                load("databases: [{name: mcp, dsn: 'host=127.0.0.1 port=1 dbname=d'}]\n", &set);
        struct targets *targets = NULL;
        assert_int_equal(targets_new(&set, &targets, NULL), 0);

        _cleanup_error_ struct error error = {0};
        struct postgres *postgres = NULL;
        struct docker *docker = NULL;
        bool answer = false;
        double value = 0;
        struct deadline deadline = deadline_in(10 * NSEC_PER_SEC);
        assert_int_equal(targets_database(targets, "other", deadline, &postgres, &error), -ENOENT);
        assert_int_equal(targets_database(targets, "mcp", deadline, &postgres, &error), -ECONNREFUSED);
        assert_non_null(strstr(error_text(&error), "database \"mcp\""));
        /* It was given back: a second one does not wait for the first. */
        assert_int_equal(targets_database(targets, "", deadline, &postgres, &error), -ECONNREFUSED);
        assert_null(postgres);
        assert_int_equal(targets_docker(targets, &docker, &error), -ENOTSUP);
        assert_int_equal(targets_query_holds(targets, "x", deadline, &answer, &value, &error), -ENOTSUP);
        assert_int_equal(targets_check_holds(targets, "x", deadline, &answer, &error), -ENOTSUP);
        assert_int_equal(targets_alert_active(targets, "x", deadline, &answer, &error), -ENOTSUP);
        assert_int_equal(targets_notify(targets, "nobody", &(struct message){.text = "x"}, deadline, &error),
                         -ENOENT);
        assert_null(targets_free(targets));
        assert_null(targets_free(NULL));
        config_release(target_fields, &set);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_slack),
                cmocka_unit_test(test_slack_cuts_long_texts),
                cmocka_unit_test(test_generic_json),
                cmocka_unit_test(test_query_answers),
                cmocka_unit_test(test_query_errors),
                cmocka_unit_test(test_check_answers),
                cmocka_unit_test(test_a_cut_page_is_no_verdict),
                cmocka_unit_test(test_alerts_answers),
                cmocka_unit_test(test_urls),
                cmocka_unit_test(test_sections_and_defaults),
                cmocka_unit_test(test_mistakes_in_sections),
                cmocka_unit_test(test_leases_fail_in_words),
        };
        return cmocka_run_group_tests_name("targets", tests, NULL, NULL);
}
