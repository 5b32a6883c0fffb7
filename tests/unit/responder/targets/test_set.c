/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of remediations.yml that say what steps may act on. */
#include "responder/targets/targets.h"
#include "tests/harness/unit.h"

static struct config *load(const char *yaml, struct target_set *set)
{
        struct config *config = NULL;
        assert_int_equal(config_parse("f.yml", yaml, &config, NULL), 0);
        if (config_read(config_root(config), target_fields, set))
                target_set_check(set, config_root(config));
        return config;
}

static void test_sections_and_defaults(void **state _unused_)
{
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
        assert_int_equal(target_set_receiver(&set, "diary")->format, RECEIVER_FORMAT_LOG);
        assert_null(target_set_receiver(&set, "nobody"));
        assert_int_equal(set.page_lease, 2 * 60 * NSEC_PER_SEC);
        assert_string_equal(target_set_twin_label(&set, 0), "alertname");
        assert_null(target_set_alertmanager(&set, 0));
        config_release(target_fields, &set);

        config_free(config);
        config = load("alertmanager_url: http://a\nalertmanager_members: [http://b]\n"
                      "twin_labels: [alertname, job]\n",
                      &set);
        assert_string_equal(config_complaints_text(config), "");
        assert_string_equal(target_set_alertmanager(&set, 0), "http://a");
        assert_string_equal(target_set_alertmanager(&set, 1), "http://b");
        assert_null(target_set_alertmanager(&set, 2));
        assert_string_equal(target_set_twin_label(&set, 1), "job");
        assert_null(target_set_twin_label(&set, 2));
        config_release(target_fields, &set);

        config_free(config);
        config = load("docker: {project: p}\n", &set);
        assert_string_equal(config_complaints_text(config), "");
        assert_string_equal(set.docker.host, "unix:///var/run/docker.sock");
        config_release(target_fields, &set);
}

static void test_mistakes_in_sections(void **state _unused_)
{
        static const struct {
                const char *yaml, *complaint;
        } cases[] = {
                {"databases: [{name: a, dsn: 'host=h'}, {name: a, dsn: 'host=h'}]\n",
                 "a database \"a\" already"},
                {"alertmanager_members: ['http://b']\n", "needs `alertmanager_url`"},
                {"alertmanager_url: http://a\nalertmanager_members: [b]\n",
                 "f.yml:2:24: must begin with http"},
                {"page_lease: 3s\n", "between 4s and 10m"},
                {"page_lease: 11m\n", "between 4s and 10m"},
                {"twin_labels: [service]\n", "must have `alertname`"},
                {"twin_labels: [alertname, stage]\n", "\"stage\" names no alert"},
                {"databases: [{name: a, dsn: 'host=h password=x'}]\n", "password"},
                {"databases: [{name: a, dsn: 'host='' '}]\n", "f.yml:1"},
                {"receivers: [{name: a, format: slack}]\n", "needs a url_file"},
                {"receivers: [{name: a, format: log, url_file: /u}]\n", "takes no url"},
                {"receivers: [{name: a, format: slack, url: 'http://x'}]\n", "url"},
                {"receivers: [{name: a, format: slack, url_file: /u, smtp: 'm:25'}]\n", "takes no smtp"},
                {"receivers: [{name: a, format: ntfy, url_file: /u, routing_key_file: /k}]\n",
                 "takes no routing_key"},
                {"receivers: [{name: a, format: log, tls: none}]\n", "takes no tls"},
                {"receivers: [{name: a, format: pagerduty, url_file: /u}]\n", "needs a routing_key_file"},
                {"receivers: [{name: a, format: email, from: a@b, to: [c@d]}]\n", "needs a smtp"},
                {"receivers: [{name: a, format: email, smtp: 'm:25', from: a@b}]\n", "needs a to"},
                {"receivers: [{name: a, format: email, smtp: 'm:25', from: a@b, to: []}]\n", "names nobody"},
                {"receivers: [{name: a, format: email, smtp: m, from: a@b, to: c@d}]\n", "host:port"},
                {"receivers: [{name: a, format: email, smtp: 'm/x:25', from: a@b, to: c@d}]\n", "host:port"},
                {"receivers: [{name: a, format: email, smtp: 'm:70000', from: a@b, to: c@d}]\n", "host:port"},
                {"receivers: [{name: a, format: email, smtp: 'm:25', from: a, to: c@d}]\n",
                 "must be an address"},
                {"receivers: [{name: a, format: email, smtp: 'm:25', from: a@b, to: 'c@d\\r\\nX: y'}]\n",
                 "must hold addresses"},
                {"receivers: [{name: a, format: email, smtp: 'm:25', from: a@b, to: c@d, username: u}]\n",
                 "go together"},
                {"receivers: [{name: a, format: email, smtp: 'm:25', from: a@b, to: c@d, password_file: "
                 "/p}]\n",
                 "go together"},
                {"receivers: [{name: a, format: email, smtp: 'm:25', from: a@b, to: c@d, username: u, "
                 "password_file: "
                 "/p, tls: none}]\n",
                 "without TLS"},
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sections_and_defaults),
                cmocka_unit_test(test_mistakes_in_sections),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
