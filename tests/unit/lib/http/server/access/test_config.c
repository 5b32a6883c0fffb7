/* SPDX-License-Identifier: Apache-2.0 */
/* The web configuration without a network: what is refused, whose password is right, what is remembered. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/http/server/access/internal.h"

/* Of "open sesame", at the lowest cost there is, in the three spellings of the same hash. */
#define HASH "$2y$04$x/DzzPIIm1swcr9aQm6VW.hblrXzFjpAU9fj7dkBECjxsYliqKNLG"

static int load(const char *yaml, struct web_config **ret, struct error *error)
{
        char path[] = "/tmp/runbook-web-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
        close(fd);
        int r = web_config_load(path, ret, error);
        unlink(path);
        return r;
}

static void assert_refused(const char *yaml, const char *words)
{
        _cleanup_error_ struct error error = {0};
        struct web_config *config = NULL;
        assert_int_equal(load(yaml, &config, &error), -EINVAL);
        assert_null(config);
        if (!strstr(error_text(&error), words))
                fail_msg("\"%s\" does not say \"%s\"", error_text(&error), words);
}

static struct web_config *loaded(const char *yaml)
{
        _cleanup_error_ struct error error = {0};
        struct web_config *config = NULL;
        if (load(yaml, &config, &error) < 0)
                fail_msg("%s", error_text(&error));
        return config;
}

static void nothing_configured_is_nothing_changed(void **state _unused_)
{
        static const char *const files[] = {"{}", "tls_server_config: {}",
                                            "http_server_config: {http2: false}",
                                            "tls_server_config: {client_auth_type: NoClientCert}"};
        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                struct web_config *config = loaded(files[i]);
                assert_false(config->tls);
                assert_false(web_config_has_users(config));
                assert_false(web_config_authenticates(config));
                web_config_unref(config);
        }
        assert_false(web_config_authenticates(NULL));
}

static void half_a_configuration_is_refused(void **state _unused_)
{
        assert_refused("tls_server_config: {cert_file: x.pem}", "key_file is missing");
        assert_refused("tls_server_config: {key_file: x.pem}", "cert_file is missing");
        assert_refused("tls_server_config: {cert_file: a, cert: b, key_file: c}", "not both");
        assert_refused("tls_server_config: {cert_file: a, key_file: b}", "cannot read cert_file");
        assert_refused("tls_server_config: {client_auth_type: RequireAndVerifyClientCert}", "client_ca_file");
        assert_refused("tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}",
                       "client_auth_type");
        assert_refused("tls_server_config: {cert: nonsense, key: nonsense}", "no certificate and its key");
        assert_refused("tls_server_config: {client_auth_type: Maybe}", "NoClientCert");
        assert_refused("tls_server_config: {min_version: SSL30}", "TLS12");
        assert_refused("http_server_config: {headers: {X-Custom: 1}}", "X-Custom");
        assert_refused("http_server_config: {headers: {X-Content-Type-Options: sniff}}", "nosniff");
}

/* One suite more than was asked for would be one too many. */
static void suites_are_those_listed_or_none(void **state _unused_)
{
        assert_refused("tls_server_config: {cert_file: a, key_file: b, cipher_suites: [RSA]}", "RSA");
        assert_refused("tls_server_config: {cert_file: a, key_file: b, cipher_suites: "
                       "[TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384]}",
                       "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
        /* The four of two times two: what is left to complain of is the missing file. */
        assert_refused("tls_server_config: {cert_file: a, key_file: b, cipher_suites: "
                       "[TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "
                       "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]}",
                       "cannot read cert_file");
}

static void users_need_bcrypt_hashes(void **state _unused_)
{
        static const char *const wrong[] = {
                "secret",
                "$2y$04$short",
                "$1$04$x/DzzPIIm1swcr9aQm6VW.hblrXzFjpAU9fj7dkBECjxsYliqKNLG",
                "$2y$04$x/DzzPIIm1swcr9aQm6VW.hblrXzFjpAU9fj7dkBECjxsYliqKN:G",
                "$2y$31$x/DzzPIIm1swcr9aQm6VW.hblrXzFjpAU9fj7dkBECjxsYliqKNLG",
                "$2y$03$x/DzzPIIm1swcr9aQm6VW.hblrXzFjpAU9fj7dkBECjxsYliqKNLG",
                "$2y$xx$x/DzzPIIm1swcr9aQm6VW.hblrXzFjpAU9fj7dkBECjxsYliqKNLG",
        };
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
                _cleanup_free_ char *yaml = text_format("basic_auth_users: {eve: '%s'}", wrong[i]);
                _cleanup_error_ struct error error = {0};
                struct web_config *config = NULL;
                assert_int_equal(load(yaml, &config, &error), -EINVAL);
                assert_non_null(strstr(error_text(&error), "bcrypt"));
                assert_null(strstr(error_text(&error), wrong[i])); /* may be a password */
        }
        assert_refused("basic_auth_users: {'a:b': '" HASH "'}", "no \":\"");
        struct web_config *config = loaded("basic_auth_users: {alice: " HASH "}");
        assert_true(web_config_authenticates(config));
        assert_true(web_config_has_user(config, "alice"));
        assert_false(web_config_has_user(config, "alic"));
        web_config_unref(config);
}

static void changes_of_the_files_are_seen(void **state _unused_)
{
        char path[] = "/tmp/runbook-web-XXXXXX";
        int fd = mkstemp(path);
        struct web_config *config = NULL;
        assert_true(fd >= 0);
        assert_int_equal(web_config_load(path, &config, NULL), 0); /* empty is fine */
        assert_false(web_stamps_differ(config->paths, config->stamps));
        assert_int_equal(write(fd, "{}\n", 3), 3);
        assert_true(web_stamps_differ(config->paths, config->stamps));
        close(fd);
        unlink(path);
        assert_true(web_stamps_differ(config->paths, config->stamps));
        web_config_unref(config);
}

/* It has no size, and says whatever is written into it: whoever took it for an empty file let everybody in.
 */
static void a_pipe_is_no_empty_file(void **state _unused_)
{
        char directory[] = "/tmp/runbook-web-XXXXXX";
        struct web_config *config = NULL;
        _cleanup_error_ struct error error = {0};
        assert_non_null(mkdtemp(directory));
        _cleanup_free_ char *path = text_format("%s/web.yml", directory);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(web_config_load(path, &config, &error), -EINVAL);
        assert_non_null(strstr(error_text(&error), "is not a regular file"));
        assert_null(config);
        assert_int_equal(unlink(path) | rmdir(directory), 0);
}

static void assert_basic(const char *header, const char *user, const char *password)
{
        _cleanup_secret_ struct text got = {0};
        _cleanup_free_ char *name = NULL;
        assert_int_equal(web_basic_parse(header, &name, &got), user != NULL);
        if (user) {
                assert_string_equal(name, user);
                assert_string_equal(text_string(&got), password);
        }
}

static void credentials_are_taken_apart(void **state _unused_)
{
        assert_basic("Basic YWxpY2U6b3BlbiBzZXNhbWU=", "alice", "open sesame");
        assert_basic("bAsIc   YWxpY2U6b3BlbiBzZXNhbWU=", "alice", "open sesame");
        assert_basic("Basic YTpiOmM=", "a", "b:c");
        assert_basic("Basic Og==", "", "");
        assert_basic(NULL, NULL, NULL);
        assert_basic("", NULL, NULL);
        assert_basic("Basic", NULL, NULL);
        assert_basic("Basic ", NULL, NULL);
        assert_basic("Basic YWxpY2U=", NULL, NULL);  /* no colon */
        assert_basic("Basic YWxpY2U6b", NULL, NULL); /* not whole */
        assert_basic("Basic ====", NULL, NULL);      /* nothing but padding */
        assert_basic("Basic !!!!", NULL, NULL);
        assert_basic("Basic YQBiOmM=", NULL, NULL); /* a NUL in the name */
        assert_basic("Bearer YTpiOmM=", NULL, NULL);
}

struct verdicts {
        pthread_mutex_t lock;
        pthread_cond_t moved;
        unsigned count[WEB_UNKNOWN + 1], all;
};

static void take_verdict(void *context, enum web_verdict verdict)
{
        struct verdicts *verdicts = context;
        pthread_mutex_lock(&verdicts->lock);
        verdicts->count[verdict]++;
        verdicts->all++;
        pthread_cond_signal(&verdicts->moved);
        pthread_mutex_unlock(&verdicts->lock);
}

static void wait_all(struct verdicts *verdicts, unsigned count)
{
        pthread_mutex_lock(&verdicts->lock);
        while (verdicts->all < count)
                pthread_cond_wait(&verdicts->moved, &verdicts->lock);
        pthread_mutex_unlock(&verdicts->lock);
}

#define VERDICTS                                                                     \
        {                                                                            \
                .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER \
        }

static enum web_verdict check(struct web_checker *checker, const struct web_config *config, const char *user,
                              const char *password, size_t length)
{
        struct verdicts verdicts = VERDICTS;
        _cleanup_secret_ struct text text = {0};
        text_append(&text, password, length);
        web_checker_check(checker, config, NULL, user, &text, take_verdict, &verdicts);
        wait_all(&verdicts, 1);
        for (int verdict = WEB_DENIED; verdict < WEB_UNKNOWN; verdict++)
                if (verdicts.count[verdict])
                        return (enum web_verdict)verdict;
        return WEB_UNKNOWN;
}

static enum web_verdict recall(struct web_checker *checker, const struct web_config *config, const char *user,
                               const char *password)
{
        _cleanup_secret_ struct text text = {0};
        text_puts(&text, password);
        return web_checker_recall(checker, config, user, &text);
}

static void passwords_are_checked_and_remembered(void **state _unused_)
{
        struct web_config *config = loaded("basic_auth_users: {alice: " HASH ", bob: " HASH "}");
        struct web_checker *checker = NULL;
        assert_int_equal(web_checker_new(&checker, NULL), 0);
        assert_int_equal(recall(checker, config, "alice", "open sesame"), WEB_UNKNOWN);
        assert_int_equal(check(checker, config, "alice", "open sesame", 11), WEB_ALLOWED);
        assert_int_equal(recall(checker, config, "alice", "open sesame"), WEB_ALLOWED);
        assert_int_equal(recall(checker, config, "bob", "open sesame"), WEB_UNKNOWN); /* of one, not of all */
        assert_int_equal(check(checker, config, "alice", "open sesam", 10), WEB_DENIED);
        assert_int_equal(recall(checker, config, "alice", "open sesam"), WEB_DENIED);
        assert_int_equal(check(checker, config, "alice", "open sesame\0more", 16), WEB_DENIED);
        assert_int_equal(check(checker, config, "mallory", "open sesame", 11), WEB_DENIED);
        assert_int_equal(recall(checker, config, "mallory", "open sesame"), WEB_DENIED);

        /* Another hash is another question. */
        struct web_config *next = loaded(
                "basic_auth_users: {alice: $2y$04$NU5ZxnETUYVGEty73bl3..vulIi31q8agnQkC5yTWM5B/TC59lWiK}");
        assert_int_equal(recall(checker, next, "alice", "open sesame"), WEB_UNKNOWN);
        assert_int_equal(check(checker, next, "alice", "open sesame", 11), WEB_DENIED);
        web_config_unref(next);

        /* Of very many, the oldest are forgotten, and denials displace no permission. */
        for (int i = 0; i < 100; i++) {
                char guess[32];
                snprintf(guess, sizeof(guess), "guess %d", i);
                assert_int_equal(check(checker, config, "alice", guess, strlen(guess)), WEB_DENIED);
        }
        assert_int_equal(recall(checker, config, "alice", "open sesam"), WEB_UNKNOWN);
        assert_int_equal(recall(checker, config, "alice", "guess 99"), WEB_DENIED);
        assert_int_equal(recall(checker, config, "alice", "open sesame"), WEB_ALLOWED);
        web_checker_stop(checker);
        web_checker_free(checker);
        web_config_unref(config);
}

static void an_unknown_user_costs_as_much_as_the_dearest(void **state _unused_)
{
        struct web_config *config =
                loaded("basic_auth_users: {cheap: " HASH
                       ", dear: $2y$10$I8tAQd6At/VX76VeanxS2.oRgQilGHrZ3OVrxJMTh0r8ziZ029jJS}");
        assert_memory_equal(config->unknown_hash, "$2b$10$", 7);
        web_config_unref(config);
}

static void the_line_is_short_and_ends_with_the_checker(void **state _unused_)
{
        struct web_config *config = loaded(
                "basic_auth_users: {slow: $2y$12$I8tAQd6At/VX76VeanxS2.oRgQilGHrZ3OVrxJMTh0r8ziZ029jJS}");
        struct verdicts verdicts = VERDICTS;
        struct web_checker *checker = NULL;
        struct text password = {0};
        text_puts(&password, "guess");
        assert_int_equal(web_checker_new(&checker, NULL), 0);
        for (int i = 0; i < 60; i++)
                web_checker_check(checker, config, NULL, "slow", &password, take_verdict, &verdicts);
        assert_true(verdicts.count[WEB_BUSY] >= 60 - 32 - 2); /* at once: one hashed, few wait */
        web_checker_stop(checker);
        assert_int_equal(verdicts.all, 60); /* every one was answered, and exactly once */
        web_checker_check(checker, config, NULL, "slow", &password, take_verdict, &verdicts);
        assert_int_equal(verdicts.all, 61);
        assert_true(verdicts.count[WEB_DENIED] <= 2);
        assert_int_equal(verdicts.count[WEB_ALLOWED], 0);
        web_checker_free(checker);
        web_config_unref(config);
        text_free(&password);
}

/* Forty from one address, each with another guess; then somebody from another address, for the first time. */
static void who_guesses_keeps_nobody_else_out(void **state _unused_)
{
        struct web_config *config =
                loaded("basic_auth_users: {slow: "
                       "$2y$09$I8tAQd6At/VX76VeanxS2.oRgQilGHrZ3OVrxJMTh0r8ziZ029jJS, alice: " HASH "}");
        struct verdicts guesses = VERDICTS, others = VERDICTS;
        struct web_checker *checker = NULL;
        struct text guess = {0}, right = {0}, wrong = {0};
        int guesser, alertmanager;
        text_puts(&right, "open sesame");
        text_puts(&wrong, "open sesam");
        assert_int_equal(web_checker_new(&checker, NULL), 0);
        for (int i = 0; i < 40; i++) {
                text_clear(&guess);
                text_printf(&guess, "guess %d", i);
                web_checker_check(checker, config, &guesser, "slow", &guess, take_verdict, &guesses);
        }
        assert_true(guesses.count[WEB_BUSY] > 0); /* the places are taken */
        web_checker_check(checker, config, &alertmanager, "alice", &right, take_verdict, &others);
        web_checker_check(checker, config, &alertmanager, "alice", &wrong, take_verdict, &others);
        wait_all(&others, 2);
        assert_true(guesses.all < 40); /* before most of the guesses, which came first */
        assert_int_equal(others.count[WEB_ALLOWED], 1);
        assert_int_equal(others.count[WEB_DENIED], 1);
        web_checker_stop(checker);
        assert_int_equal(guesses.all, 40); /* every one was answered, and exactly once */
        web_checker_free(checker);
        web_config_unref(config);
        text_free(&guess);
        text_free(&right);
        text_free(&wrong);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_configured_is_nothing_changed),
                cmocka_unit_test(half_a_configuration_is_refused),
                cmocka_unit_test(suites_are_those_listed_or_none),
                cmocka_unit_test(users_need_bcrypt_hashes),
                cmocka_unit_test(changes_of_the_files_are_seen),
                cmocka_unit_test(credentials_are_taken_apart),
                cmocka_unit_test(passwords_are_checked_and_remembered),
                cmocka_unit_test(an_unknown_user_costs_as_much_as_the_dearest),
                cmocka_unit_test(the_line_is_short_and_ends_with_the_checker),
                cmocka_unit_test(who_guesses_keeps_nobody_else_out),
                cmocka_unit_test(a_pipe_is_no_empty_file),
        };
        return cmocka_run_group_tests_name("web_config", tests, NULL, NULL);
}
