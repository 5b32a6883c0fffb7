/* SPDX-License-Identifier: Apache-2.0 */
/* Tables read from YAML: values, defaults, and for each mistake the very sentence an operator sees. */
#include <errno.h>

#include "runbook/config.h"
#include "tests/harness/unit.h"

struct metric {
        char *name;
        int type;
        struct config_strings labels;
};

struct sample {
        char *name, *title, *query, *text, *plain;
        bool enabled;
        int64_t count, size;
        double ratio;
        nsec timeout;
        int format;
        struct secret password;
        char *key_file;
        struct config_strings services;
        struct config_map env;
        struct {
                char *query;
                nsec within;
        } verify;
        struct {
                nsec timeout;
        } defaults;
        struct config_list metrics;
        struct config_node *raw;
};

static const char *const formats[] = {"slack", "json", "log", NULL};
static const char *const types[] = {"gauge", "counter", NULL};

static const struct config_field metric_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct metric, name), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY},
        {"type", CONFIG_ENUM, offsetof(struct metric, type), .choices = types, .fallback = "counter"},
        {"labels", CONFIG_STRINGS, offsetof(struct metric, labels), .flags = 0},
        {0},
};

static const struct config_field verify_fields[] = {
        {"query", CONFIG_STRING, offsetof(struct sample, verify.query) - offsetof(struct sample, verify),
         .flags = CONFIG_REQUIRED, .help = "PromQL that must hold"},
        {"within", CONFIG_DURATION, offsetof(struct sample, verify.within) - offsetof(struct sample, verify),
         .fallback = "5m"},
        {0},
};

static const struct config_field defaults_fields[] = {
        {"timeout", CONFIG_DURATION, 0, .fallback = "5s", .help = "of one run"},
        {0},
};

static const struct config_field fields[] = {
        {"name", CONFIG_STRING, offsetof(struct sample, name), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "how it is called"},
        {"title", CONFIG_STRING, offsetof(struct sample, title), .fallback = "none"},
        {"query", CONFIG_STRING, offsetof(struct sample, query), .flags = CONFIG_BIND_PROMQL},
        {"text", CONFIG_STRING, offsetof(struct sample, text), .flags = CONFIG_BIND},
        {"plain", CONFIG_STRING, offsetof(struct sample, plain), .flags = 0},
        {"enabled", CONFIG_BOOL, offsetof(struct sample, enabled), .fallback = "true"},
        {"count", CONFIG_INT, offsetof(struct sample, count), .fallback = "-1"},
        {"size", CONFIG_SIZE, offsetof(struct sample, size), .fallback = "64KiB", .flags = CONFIG_POSITIVE},
        {"ratio", CONFIG_NUMBER, offsetof(struct sample, ratio), .fallback = "0.5"},
        {"timeout", CONFIG_DURATION, offsetof(struct sample, timeout), .fallback = "5s",
         .flags = CONFIG_POSITIVE},
        {"format", CONFIG_ENUM, offsetof(struct sample, format), .choices = formats},
        {"password", CONFIG_SECRET, offsetof(struct sample, password), .help = "of the user"},
        {"key_file", CONFIG_STRING, offsetof(struct sample, key_file), .flags = CONFIG_PATH},
        {"services", CONFIG_STRINGS, offsetof(struct sample, services), .fallback = "[a, b]",
         .flags = CONFIG_BIND | CONFIG_NOT_EMPTY},
        {"env", CONFIG_MAP, offsetof(struct sample, env), .fallback = "{K: v}", .flags = CONFIG_BIND},
        {"verify", CONFIG_OBJECT, offsetof(struct sample, verify), .fields = verify_fields},
        {"defaults", CONFIG_OBJECT, offsetof(struct sample, defaults), .fields = defaults_fields},
        {"metrics", CONFIG_LIST, offsetof(struct sample, metrics), .fields = metric_fields,
         .size = sizeof(struct metric)},
        {"raw", CONFIG_NODE, offsetof(struct sample, raw), .flags = 0},
        {0},
};

/* Reads `yaml` and answers every complaint about it; the caller frees. */
static char *complaints_about(const char *yaml)
{
        _cleanup_config_ struct config *config = NULL;
        struct sample sample;
        assert_int_equal(config_parse("f.yml", yaml, &config, NULL), 0);
        bool fine = config_read(config_root(config), fields, &sample);
        config_release(fields, &sample);
        char *complaints = strdup(config_complaints_text(config));
        assert_non_null(complaints);
        assert_true(fine == (*complaints == '\0'));
        assert_true(fine == (config_complaints(config) == 0));
        return complaints;
}

static void check_complaints(const char *yaml, const char *expected, const char *file, int line)
{
        _cleanup_free_ char *complaints = complaints_about(yaml);
        if (strcmp(complaints, expected) != 0)
                print_error("for:\n%s\nit said:\n%s\nand not:\n%s\n", yaml, complaints, expected);
        _assert_true(strcmp(complaints, expected) == 0, "the complaints", file, line);
}
#define assert_complaints(yaml, expected) check_complaints(yaml, expected, __FILE__, __LINE__)

static void test_reads_every_type(void **state)
{
        (void)state;
        _cleanup_config_ struct config *config = NULL;
        struct sample sample;
        const char *yaml = "name: 8080\n"
                           "title: ''\n"
                           "enabled: false\n"
                           "count: -42\n"
                           "size: 5MB\n"
                           "ratio: 1.5e3\n"
                           "timeout: 1m30s\n"
                           "format: log\n"
                           "password_file: /run/secrets/x\n"
                           "services: mcp-server\n"
                           "env: {LOG_LEVEL: debug, N: 200, \"q\": \"$$\"}\n"
                           "verify: {query: up}\n"
                           "metrics:\n"
                           "  - name: a\n"
                           "  - {name: b, type: gauge, labels: [x, y]}\n"
                           "raw: [1, {k: v}]\n";

        assert_int_equal(config_parse("f.yml", yaml, &config, NULL), 0);
        bool fine = config_read(config_root(config), fields, &sample);
        assert_string_equal(config_complaints_text(config), "");
        assert_true(fine);
        assert_string_equal(sample.name, "8080");
        assert_string_equal(sample.title, "");
        assert_null(sample.query);
        assert_false(sample.enabled);
        assert_int_equal(sample.count, -42);
        assert_int_equal(sample.size, 5000000);
        assert_true(sample.ratio > 1499.9 && sample.ratio < 1500.1);
        assert_int_equal(sample.timeout, 90 * NSEC_PER_SEC);
        assert_int_equal(sample.format, 2);
        assert_string_equal(sample.password.file, "/run/secrets/x");
        assert_null(sample.password.variable);
        assert_int_equal(sample.services.count, 1);
        assert_string_equal(sample.services.items[0], "mcp-server");
        assert_int_equal(sample.env.count, 3);
        assert_string_equal(sample.env.keys[1], "N");
        assert_string_equal(sample.env.values[1], "200");
        assert_string_equal(sample.verify.query, "up");
        assert_int_equal(sample.verify.within, 300 * NSEC_PER_SEC);
        assert_int_equal(sample.metrics.count, 2);
        const struct metric *metrics = sample.metrics.items;
        assert_int_equal(metrics[0].type, 1);
        assert_int_equal(metrics[1].type, 0);
        assert_string_equal(metrics[1].labels.items[1], "y");
        assert_string_equal(config_scalar(config_member(config_item(sample.raw, 1), "k")), "v");
        config_release(fields, &sample);
        assert_null(sample.name);
        assert_null(sample.metrics.items);
        config_release(fields, &sample);
}

static void test_takes_defaults(void **state)
{
        (void)state;
        _cleanup_config_ struct config *config = NULL;
        struct sample sample;

        assert_int_equal(config_parse("f.yml", "name: x\n", &config, NULL), 0);
        assert_true(config_read(config_root(config), fields, &sample));
        assert_string_equal(sample.title, "none");
        assert_true(sample.enabled);
        assert_int_equal(sample.count, -1);
        assert_int_equal(sample.size, 65536);
        assert_int_equal(sample.timeout, 5 * NSEC_PER_SEC);
        assert_int_equal(sample.services.count, 2);
        assert_string_equal(sample.services.items[1], "b");
        assert_string_equal(sample.env.values[0], "v");
        assert_int_equal(sample.metrics.count, 0);
        assert_false(secret_is_set(&sample.password));
        /* An object that could be given empty takes its defaults; one that could not stays unset. */
        assert_int_equal(sample.defaults.timeout, 5 * NSEC_PER_SEC);
        assert_int_equal(sample.verify.within, 0);
        assert_null(sample.verify.query);
        config_release(fields, &sample);
}

static void test_names_unknown_and_missing_keys(void **state)
{
        (void)state;
        assert_complaints("nmae: x\n", "f.yml:1:1: unknown key 'nmae'; did you mean 'name'?\n"
                                       "f.yml:1:1: 'name' is missing: how it is called");
        assert_complaints("name: x\nTime-out: 5s\n",
                          "f.yml:2:1: unknown key 'Time-out'; did you mean 'timeout'?");
        assert_complaints("name: x\nverify: {query: up, whithin: 5s}\n",
                          "f.yml:2:21: unknown key 'whithin' in 'verify'; did you mean 'within'?");
        assert_complaints("name: x\nmetrics:\n  - {name: a, colour: red}\n",
                          "f.yml:3:15: unknown key 'colour' in 'metrics'; known here: name, type, labels");
        assert_complaints("name: x\npassword_fiel: /x\n",
                          "f.yml:2:1: unknown key 'password_fiel'; did you mean 'password_file'?");
        assert_complaints("name: x\nmetrics:\n  - type: gauge\n  - name: ''\n",
                          "f.yml:3:5: 'name' is missing: a string\n"
                          "f.yml:4:11: 'name' must not be empty");
        assert_complaints("name: x\nverify: {within: 1s}\n",
                          "f.yml:2:9: 'query' is missing: PromQL that must hold");
        assert_complaints("name: x\n<<: {a: b}\n",
                          "f.yml:2:1: merge keys ('<<') are not part of YAML 1.2; write the keys out");
}

static void test_names_wrong_values(void **state)
{
        (void)state;
        static const struct {
                const char *value, *complaint;
        } wrong[] = {
                {"enabled: yes", "1:10: 'enabled' takes true or false, not 'yes'; write true"},
                {"enabled: Off", "1:10: 'enabled' takes true or false, not 'Off'; write false"},
                {"enabled: TRUE", "1:10: 'enabled' takes true or false, not 'TRUE'; write true"},
                {"enabled: maybe", "1:10: 'enabled' takes true or false, not 'maybe'"},
                {"enabled: \"true\"", "1:10: 'enabled' takes true or false without quotes"},
                {"enabled: [true]", "1:10: 'enabled' takes true or false, not a list"},
                {"count: 1.5", "1:8: 'count' takes a whole number such as 10, not '1.5'"},
                {"count: 010", "1:8: 'count' takes a whole number such as 10, not '010'"},
                {"count: 0x10", "1:8: 'count' takes a whole number such as 10, not '0x10'"},
                {"count: '7'", "1:8: 'count' takes a whole number without quotes"},
                {"count: 9223372036854775808", "1:8: 'count' is too large a number: '9223372036854775808'"},
                {"count:",
                 "1:1: 'count' has no value; it takes a whole number such as 10, or leave the key out"},
                {"ratio: .nan", "1:8: 'ratio' takes a number such as 0.5, not '.nan'"},
                {"ratio: 1e999", "1:8: 'ratio' is too large a number: '1e999'"},
                {"timeout: 30", "1:10: 'timeout' takes a duration with its unit: did you mean '30s'?"},
                {"timeout: 5 minutes",
                 "1:10: 'timeout' takes a duration such as 30s, 5m or 1h30m, not '5 minutes'"},
                {"timeout: -5s", "1:10: 'timeout' takes a duration such as 30s, 5m or 1h30m, not '-5s'"},
                {"timeout: 999999999y", "1:10: 'timeout' is too long a duration: '999999999y'"},
                {"timeout: 0s", "1:10: 'timeout' must be more than zero"},
                {"timeout: {s: 5}",
                 "1:10: 'timeout' takes a duration such as 30s, 5m or 1h30m, not a mapping"},
                {"size: 5mb", "1:7: 'size' takes a size such as 512, 64KiB or 5MB, not '5mb'"},
                {"size: 0", "1:7: 'size' must be more than zero"},
                {"size: 99999999TiB", "1:7: 'size' is too large a size: '99999999TiB'"},
                {"format: slak", "1:9: 'format' takes slack, json or log, not 'slak'"},
                {"title: [a]", "1:8: 'title' takes a string, not a list"},
                {"title: ~", "1:8: 'title' has no value; it takes a string, or leave the key out"},
                {"services: []", "1:11: 'services' must not be empty"},
                {"services: {a: b}", "1:11: 'services' takes a list of strings, not a mapping"},
                {"services: [a, [b]]", "1:15: an item of 'services' must be a string, not a list"},
                {"services: ['']", "1:12: an item of 'services' must not be empty"},
                {"services: [~]", "1:12: an item of 'services' must be a string, not nothing"},
                {"env: [a]", "1:6: 'env' takes a mapping of words to strings, not a list"},
                {"env: {A: {b: c}}", "1:10: a value of 'env' must be a string, not a mapping"},
                {"verify: 5", "1:9: 'verify' must be a mapping with the keys query, within"},
                {"defaults:",
                 "1:1: 'defaults' has no value; write {} to take every default, or leave it out"},
                {"metrics: {name: a}", "1:10: 'metrics' takes a list of mappings; begin each with '- '"},
                {"metrics: a", "1:10: 'metrics' takes a list of mappings, not 'a'"},
                {"metrics: [a]", "1:11: 'metrics' must be a mapping with the keys name, type, labels"},
                {"text: '${label.x}'", "1:7: 'text': '${label.…}' is not known; did you mean '${labels.…}'?"},
                {"services: ['${labels.x']",
                 "1:12: 'services': '${labels.x' has no closing '}'; write $$ for a '$'"},
                {"query: up == ${labels.x}",
                 "1:8: 'query': ${labels.x} stands outside of quotes; write \"${labels.x}\""},
                {"plain: 'a ${labels.x}'",
                 "1:8: 'plain' is taken as it stands: '${labels.…}' has no meaning in it"},
        };
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
                _cleanup_free_ char *yaml = text_format("%s\nname: x\n", wrong[i].value);
                _cleanup_free_ char *expected = text_format("f.yml:%s", wrong[i].complaint);
                assert_complaints(yaml, expected);
        }
}

static void test_refuses_secrets_in_the_file(void **state)
{
        (void)state;
        _cleanup_config_ struct config *config = NULL;
        struct sample sample;
        const char *advice = "a secret does not belong into this file; write 'password_file: <path>', "
                             "'password: ${VARIABLE}' to take it from the environment, or "
                             "'password: ${credential:NAME}' for one that systemd hands over";
        static const char *const literals[] = {"hunter2", "'${'", "'${}'",  "${1A}", "x${A}",
                                               "'${A}x'", "[a]",  "{a: b}", "''",    "~"};
        for (size_t i = 0; i < N_ELEMENTS(literals); i++) {
                _cleanup_free_ char *yaml = text_format("name: x\npassword: %s\n", literals[i]);
                _cleanup_free_ char *expected = text_format("f.yml:2:11: %s", advice);
                assert_complaints(yaml, expected);
        }
        assert_complaints("name: x\npassword_file: /a\npassword: ${B}\n",
                          "f.yml:3:11: give 'password_file' or 'password', not both");
        assert_complaints("name: x\npassword_file: [a]\n",
                          "f.yml:2:16: 'password_file' takes the path of a file");

        assert_int_equal(config_parse("f.yml", "name: x\npassword: ${REDIS_PASSWORD}\n", &config, NULL), 0);
        assert_true(config_read(config_root(config), fields, &sample));
        assert_string_equal(sample.password.variable, "REDIS_PASSWORD");
        assert_null(sample.password.file);
        config_release(fields, &sample);
}

static void test_a_credential_stands_for_the_file_that_systemd_hands_over(void **state)
{
        (void)state;
        _cleanup_config_ struct config *config = NULL;
        struct sample sample;
        setenv("CREDENTIALS_DIRECTORY", "/run/credentials/a.service", true);
        static const char *const documents[] = {
                "name: x\npassword: ${credential:pg.x_y-1}\nkey_file: ${credential:key}\n",
                "{name: x, password_file: \"${credential:pg.x_y-1}\", key_file: '${credential:key}'}\n"};
        for (size_t i = 0; i < N_ELEMENTS(documents); i++) {
                _cleanup_config_ struct config *read = NULL;
                assert_int_equal(config_parse("f.yml", documents[i], &read, NULL), 0);
                assert_true(config_read(config_root(read), fields, &sample));
                assert_string_equal(sample.password.file, "/run/credentials/a.service/pg.x_y-1");
                assert_null(sample.password.variable);
                assert_string_equal(sample.key_file, "/run/credentials/a.service/key");
                config_release(fields, &sample);
        }
        static const char *const wrong[] = {"'${credential:}'", "${credential:..}", "${credential:a/b}",
                                            "x${credential:a}", "'${credential:a'", "${credential:a}b"};
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
                _cleanup_free_ char *yaml = text_format("name: x\nkey_file: %s\n", wrong[i]);
                assert_complaints(
                        yaml,
                        "f.yml:2:11: 'key_file' takes ${credential:NAME} as the whole of it, with a name "
                        "of letters, digits, '.', '_' and '-'");
        }
        assert_complaints(
                "name: x\npassword: ${credential:../../etc/shadow}\n",
                "f.yml:2:11: 'password' takes ${credential:NAME} as the whole of it, with a name of letters, "
                "digits, '.', '_' and '-'");
        assert_complaints("name: x\nplain: ${credential:a}\n",
                          "f.yml:2:8: 'plain' is taken as it stands: a credential is for what takes the path "
                          "of a file");
        unsetenv("CREDENTIALS_DIRECTORY");
        assert_complaints("name: x\npassword_file: ${credential:pg}\n",
                          "f.yml:2:16: 'password_file' is the credential pg, which systemd hands over "
                          "(LoadCredential=pg), but CREDENTIALS_DIRECTORY is not set; by hand, set it to the "
                          "directory of "
                          "the files, such as /etc/credstore");
        /* What is no credential needs no such variable. */
        assert_int_equal(config_parse("f.yml", "name: x\nkey_file: /a\n", &config, NULL), 0);
        assert_true(config_read(config_root(config), fields, &sample));
        assert_string_equal(sample.key_file, "/a");
        config_release(fields, &sample);
}

static void test_requires_secrets(void **state)
{
        (void)state;
        static const struct config_field table[] = {
                {"url", CONFIG_SECRET, 0, .flags = CONFIG_REQUIRED},
                {0},
        };
        _cleanup_config_ struct config *config = NULL;
        struct secret url;
        assert_int_equal(config_parse("f.yml", "{}", &config, NULL), 0);
        assert_false(config_read(config_root(config), table, &url));
        assert_string_equal(
                config_complaints_text(config),
                "f.yml:1:1: 'url_file' is missing; give it the path of a file, or 'url: ${VARIABLE}'");
}

static void test_names_repeated_keys(void **state)
{
        (void)state;
        assert_complaints("name: x\ncount: 1\nenv: {A: b,\n  A: c}\nname: y\ncount: 2\ncount: 3\n",
                          "f.yml:4:3: the key 'A' stands here again, after line 3; keep one of them\n"
                          "f.yml:5:1: the key 'name' stands here again, after line 1; keep one of them\n"
                          "f.yml:6:1: the key 'count' stands here again, after line 2; keep one of them\n"
                          "f.yml:7:1: the key 'count' stands here again, after line 2; keep one of them");
}

static void test_reads_some_keys_of_a_mapping(void **state)
{
        (void)state;
        static const struct config_field table[] = {{"timeout", CONFIG_DURATION, .offset = 0}, {0}};
        static const char *const known[] = {"docker.restart", NULL};
        _cleanup_config_ struct config *config = NULL;
        nsec timeout;
        assert_int_equal(
                config_parse("f.yml", "docker.restart: {}\ntimeout: 1s\ndocker.restat: {}", &config, NULL),
                0);
        assert_false(config_read_some(config_root(config), table, &timeout, known));
        assert_int_equal(timeout, NSEC_PER_SEC);
        assert_string_equal(config_complaints_text(config),
                            "f.yml:3:1: unknown key 'docker.restat'; did you mean 'docker.restart'?");
}

static void test_walks_a_document(void **state)
{
        (void)state;
        _cleanup_config_ struct config *config = NULL;
        assert_int_equal(config_parse("f.yml", "a:\n  - é: \"q\"\n    b: |\n      text\n", &config, NULL), 0);
        struct config_node *root = config_root(config);
        assert_true(config_is_mapping(root));
        assert_int_equal(config_size(root), 1);
        struct config_node *list = config_member(root, "a");
        assert_true(config_is_list(list));
        assert_null(config_scalar(list));
        assert_null(config_key(list, 0));
        struct config_node *item = config_item(list, 0);
        assert_string_equal(config_key(item, 0), "é");
        assert_string_equal(config_scalar(config_member(item, "b")), "text\n");
        assert_null(config_member(item, "c"));
        assert_null(config_item(list, 1));
        assert_null(config_member(list, "a"));
        assert_int_equal(config_size(NULL), 0);
        assert_false(config_is_mapping(NULL));

        config_complain(item, "é", "is %s", "wrong");
        config_complain(item, "absent", "and %d\nlines", 2);
        config_complain(item, "é", "is %s", "wrong");
        config_complain(NULL, NULL, "about nothing");
        assert_int_equal(config_complaints(config), 2);
        assert_string_equal(config_complaints_text(config), "f.yml:2:5: and 2\\nlines\nf.yml:2:8: is wrong");
}

static void test_follows_aliases(void **state)
{
        (void)state;
        _cleanup_config_ struct config *config = NULL;
        struct sample sample;
        const char *yaml = "name: &n x\ntitle: *n\nmetrics:\n  - &m {name: a, labels: &l [p]}\n  - *m\n"
                           "  - {name: b, labels: *l}\n";
        assert_int_equal(config_parse("f.yml", yaml, &config, NULL), 0);
        assert_true(config_read(config_root(config), fields, &sample));
        assert_string_equal(sample.title, "x");
        const struct metric *metrics = sample.metrics.items;
        assert_string_equal(metrics[1].name, "a");
        assert_string_equal(metrics[2].labels.items[0], "p");
        config_release(fields, &sample);
        assert_complaints("name: x\nmetrics: [&m {nam: a}, *m]\n",
                          "f.yml:2:14: 'name' is missing: a string\n"
                          "f.yml:2:15: unknown key 'nam' in 'metrics'; did you mean 'name'?");
}

/* Its value holds what must not be looked at again; without `*present` there is no label b. */
static const char *label(const void *context, const char *scope, const char *name)
{
        const bool *present = context;
        if (string_equal(scope, "labels") && string_equal(name, "b"))
                return *present ? "${labels.a}\"" : NULL;
        return "<a>";
}

static void test_binds_a_copy(void **state)
{
        (void)state;
        _cleanup_config_ struct config *config = NULL;
        _cleanup_error_ struct error error = {0};
        const char *yaml = "name: ${x}\ntext: 'of ${labels.a}'\nservices: [\"${labels.a}\", b]\n"
                           "env: {\"${labels.a}\": \"${labels.b}\"}\nquery: 'up{a=\"${labels.b}\"}'\n"
                           "password: ${P}\nverify: {query: up}\nmetrics: [{name: m, labels: [l]}]\n";
        struct sample source, bound;
        bool present = true;
        struct bindings bindings = {.get = label, .context = &present};

        assert_int_equal(config_parse("f.yml", yaml, &config, NULL), 0);
        assert_true(config_read(config_root(config), fields, &source));
        assert_int_equal(config_bind(fields, &source, &bindings, &bound, &error), 0);
        assert_string_equal(bound.name, "${x}");
        assert_string_equal(bound.text, "of <a>");
        assert_string_equal(bound.services.items[0], "<a>");
        assert_string_equal(bound.services.items[1], "b");
        assert_string_equal(bound.env.keys[0], "${labels.a}");
        assert_string_equal(bound.env.values[0], "${labels.a}\"");
        assert_string_equal(bound.query, "up{a=\"${labels.a}\\\"\"}");
        assert_string_equal(bound.password.variable, "P");
        assert_null(bound.password.file);
        assert_null(bound.plain);
        assert_int_equal(bound.timeout, source.timeout);
        assert_string_equal(bound.verify.query, "up");
        assert_int_equal(bound.verify.within, source.verify.within);
        const struct metric *metrics = bound.metrics.items;
        assert_int_equal(bound.metrics.count, 1);
        assert_string_equal(metrics[0].labels.items[0], "l");
        config_release(fields, &bound);

        present = false;
        memset(&bound, 0xff, sizeof(bound));
        assert_int_equal(config_bind(fields, &source, &bindings, &bound, &error), -ENOKEY);
        assert_string_equal(error_text(&error), "'query': the alert has no label 'b'");
        assert_null(bound.text);
        config_release(fields, &bound);
        config_release(fields, &source);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_type),
        cmocka_unit_test(test_takes_defaults),
        cmocka_unit_test(test_names_unknown_and_missing_keys),
        cmocka_unit_test(test_names_wrong_values),
        cmocka_unit_test(test_refuses_secrets_in_the_file),
        cmocka_unit_test(test_a_credential_stands_for_the_file_that_systemd_hands_over),
        cmocka_unit_test(test_requires_secrets),
        cmocka_unit_test(test_names_repeated_keys),
        cmocka_unit_test(test_reads_some_keys_of_a_mapping),
        cmocka_unit_test(test_walks_a_document),
        cmocka_unit_test(test_follows_aliases),
        cmocka_unit_test(test_binds_a_copy),
};

int main(void)
{
        return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
