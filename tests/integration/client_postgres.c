/* SPDX-License-Identifier: Apache-2.0 */
/* The PostgreSQL client against a real server: RUNBOOK_TEST_DSN, a superuser's. */
#include "tests/harness/drivers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runbook/postgres.h"
#include "runbook/wait.h"

static struct postgres *with(struct postgres_options options)
{
        _cleanup_error_ struct error error = {0};
        struct postgres *postgres = NULL;
        if (!options.dsn)
                options.dsn = (char *)given("RUNBOOK_TEST_DSN");
        if (!options.application_name)
                options.application_name = "client_postgres";
        if (postgres_new(&options, &postgres, &error) < 0)
                fail_msg("%s", error_text(&error));
        return postgres;
}

#define _cleanup_postgres_ _cleanup_(postgres_free_p)
#define PLAIN ((struct postgres_options){0})

/* The only value of a statement's answer; free() it. */
static char *value(struct postgres *postgres, const char *sql, const char *parameter)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_result_ PGresult *result = NULL;
        if (postgres_query(postgres, sql, &parameter, parameter ? 1 : 0, SOON, &result, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_int_equal(PQntuples(result), 1);
        return strdup(PQgetvalue(result, 0, 0));
}

static void assert_value(struct postgres *postgres, const char *sql, const char *parameter,
                         const char *expected)
{
        _cleanup_free_ char *found = value(postgres, sql, parameter);
        assert_string_equal(found, expected);
}

/* Waits until a query's answer is as expected. */
static void wait_value(struct postgres *postgres, const char *sql, const char *parameter,
                       const char *expected)
{
        for (struct deadline deadline = SOON;;) {
                _cleanup_free_ char *found = value(postgres, sql, parameter);
                if (strcmp(found, expected) == 0)
                        return;
                if (deadline_passed(deadline))
                        fail_msg("%s: still %s", sql, found);
                pause_for(20 * NSEC_PER_MSEC, DEADLINE_NEVER);
        }
}

static void a_dsn_is_checked_without_connecting(void **state _unused_)
{
        static const char *const good[] = {"host=/tmp dbname=x",
                                           "postgresql://user@host:5432/db?sslmode=require", "postgres://",
                                           "service=mcp"};
        static const char *const bad[] = {"",
                                          "mcp",
                                          "host=x password=hunter2",
                                          "postgresql://u:hunter2@h/db",
                                          "host=x sslpassword=hunter2",
                                          "host=x passwort=1",
                                          "password=my hunter2",
                                          "postgresql://h/db?hunter2",
                                          "host='x"};
        for (size_t i = 0; i < N_ELEMENTS(good); i++)
                assert_int_equal(postgres_check_dsn(good[i], NULL), 0);
        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                _cleanup_error_ struct error error = {0};
                assert_int_equal(postgres_check_dsn(bad[i], &error), -EINVAL);
                assert_null(strstr(error_text(&error), "hunter2"));
                assert_non_null(strstr(error_text(&error), "DSN"));
        }
        _cleanup_error_ struct error error = {0};
        postgres_check_dsn("host=x passwort=1", &error);
        assert_non_null(strstr(error_text(&error), "\"passwort\""));
        struct postgres *postgres = NULL;
        const struct postgres_options options = {.dsn = (char *)"dbname=x password=y"};
        assert_int_equal(postgres_new(&options, &postgres, NULL), -EINVAL);
}

static void parameters_are_values(void **state _unused_)
{
        _cleanup_postgres_ struct postgres *postgres = with(PLAIN);
        assert_false(postgres_connected(postgres));
        assert_int_equal(postgres_backend_pid(postgres), 0);
        assert_value(postgres, "SELECT $1::text", "'; DROP TABLE x; --", "'; DROP TABLE x; --");
        assert_value(postgres, "SELECT current_setting('application_name')", NULL, "client_postgres");
        assert_true(postgres_connected(postgres));

        const char *null = NULL;
        _cleanup_result_ PGresult *result = NULL;
        assert_int_equal(postgres_query(postgres, "SELECT $1::text IS NULL", &null, 1, SOON, &result, NULL),
                         0);
        assert_string_equal(PQgetvalue(result, 0, 0), "t");
        assert_int_equal(postgres_query(postgres, "SELECT 1", NULL, 0, SOON, NULL, NULL), 0);
}

static void large_parameters_and_answers_pass(void **state _unused_)
{
        const size_t size = (size_t)8 << 20;
        _cleanup_free_ char *large = malloc(size + 1);
        memset(large, 'x', size);
        large[size] = '\0';
        _cleanup_postgres_ struct postgres *postgres = with(PLAIN);
        _cleanup_free_ char *back = value(postgres, "SELECT $1::text", large);
        assert_string_equal(back, large);

        _cleanup_result_ PGresult *result = NULL;
        assert_int_equal(postgres_query(postgres, "SELECT i FROM generate_series(1, 20000) i", NULL, 0, SOON,
                                        &result, NULL),
                         0);
        assert_int_equal(PQntuples(result), 20000);
}

static void an_error_is_a_sentence_without_the_parameters(void **state _unused_)
{
        _cleanup_postgres_ struct postgres *postgres = with(PLAIN);
        _cleanup_error_ struct error error = {0};
        const char *parameter = "hunter2";
        assert_string_equal(postgres_sqlstate(postgres), "");
        assert_int_equal(postgres_query(postgres, "SELECT $1::text::int", &parameter, 1, SOON, NULL, &error),
                         -EREMOTEIO);
        assert_string_equal(postgres_sqlstate(postgres), "22P02");
        assert_string_equal(error_text(&error), "invalid input syntax for type integer: $1 (SQLSTATE 22P02, "
                                                "invalid_text_representation)");

        /* The detail of a violated constraint holds the row. */
        assert_int_equal(postgres_query(postgres, "CREATE TEMP TABLE client_t (k text PRIMARY KEY)", NULL, 0,
                                        SOON, NULL, NULL),
                         0);
        for (int i = 0; i < 2; i++)
                assert_int_equal(postgres_query(postgres, "INSERT INTO client_t VALUES ($1)", &parameter, 1,
                                                SOON, NULL, &error),
                                 i == 0 ? 0 : -EREMOTEIO);
        assert_string_equal(postgres_sqlstate(postgres), "23505");
        assert_null(strstr(error_text(&error), "hunter2"));

        assert_int_equal(postgres_query(postgres, "SELECT FROM nothing", NULL, 0, SOON, NULL, &error),
                         -EREMOTEIO);
        assert_non_null(strstr(error_text(&error), "\"nothing\""));
        assert_int_equal(postgres_query(postgres, "", NULL, 0, SOON, NULL, &error), -EREMOTEIO);
        assert_int_equal(postgres_query(postgres, "SELECT 1; SELECT 2", NULL, 0, SOON, NULL, &error),
                         -EREMOTEIO);
        /* The session lives on through all of it. */
        assert_value(postgres, "SELECT count(*) FROM client_t", NULL, "1");
}

static void a_late_statement_is_cancelled_on_the_server(void **state _unused_)
{
        _cleanup_postgres_ struct postgres *postgres = with(PLAIN), *witness = with(PLAIN);
        _cleanup_error_ struct error error = {0};
        assert_int_equal(postgres_connect(postgres, SOON, NULL), 0);
        _cleanup_free_ char *pid = text_format("%d", postgres_backend_pid(postgres));
        assert_value(witness, "SELECT count(*) FROM pg_stat_activity WHERE pid = $1::int", pid, "1");

        struct deadline deadline = deadline_in(200 * NSEC_PER_MSEC);
        assert_int_equal(postgres_query(postgres, "SELECT pg_sleep(600)", NULL, 0, deadline, NULL, &error),
                         -ETIMEDOUT);
        assert_true(deadline_passed(deadline));
        assert_false(postgres_connected(postgres));
        wait_value(witness, "SELECT count(*) FROM pg_stat_activity WHERE pid = $1::int", pid, "0");
        assert_value(postgres, "SELECT 1", NULL, "1");
}

static void a_lost_connection_is_made_anew_between_statements(void **state _unused_)
{
        _cleanup_postgres_ struct postgres *postgres = with(PLAIN), *other = with(PLAIN);
        assert_value(postgres, "SELECT 1", NULL, "1");
        _cleanup_free_ char *pid = text_format("%d", postgres_backend_pid(postgres));
        assert_value(other, "SELECT pg_terminate_backend($1::int)", pid, "t");
        wait_value(other, "SELECT count(*) FROM pg_stat_activity WHERE pid = $1::int", pid, "0");
        assert_value(postgres, "SELECT 1", NULL, "1");
        _cleanup_free_ char *new_pid = text_format("%d", postgres_backend_pid(postgres));
        assert_string_not_equal(new_pid, pid);
}

static void a_transaction_is_never_carried_on_elsewhere(void **state _unused_)
{
        _cleanup_postgres_ struct postgres *postgres = with(PLAIN), *other = with(PLAIN);
        _cleanup_error_ struct error error = {0};
        assert_int_equal(postgres_begin(postgres, false, SOON, NULL), 0);
        _cleanup_free_ char *pid = text_format("%d", postgres_backend_pid(postgres));
        assert_value(other, "SELECT pg_terminate_backend($1::int)", pid, "t");
        wait_value(other, "SELECT count(*) FROM pg_stat_activity WHERE pid = $1::int", pid, "0");
        assert_int_equal(postgres_query(postgres, "COMMIT", NULL, 0, SOON, NULL, &error), -ECONNRESET);
        /* It was said once; the next statement is a new one. */
        assert_value(postgres, "SELECT 1", NULL, "1");
}

static void a_statement_may_be_read_only_and_bounded(void **state _unused_)
{
        _cleanup_postgres_ struct postgres *postgres =
                with((struct postgres_options){.terms = {.read_only = true,
                                                         .statement_timeout = 150 * NSEC_PER_MSEC,
                                                         .lock_timeout = NSEC_PER_SEC}});
        assert_int_equal(postgres_query(postgres, "CREATE TABLE client_never ()", NULL, 0, SOON, NULL, NULL),
                         -EREMOTEIO);
        assert_string_equal(postgres_sqlstate(postgres), "25006");
        assert_int_equal(postgres_query(postgres, "SELECT pg_sleep(600)", NULL, 0, SOON, NULL, NULL),
                         -EREMOTEIO);
        assert_string_equal(postgres_sqlstate(postgres), "57014");
        assert_value(postgres, "SELECT current_setting('lock_timeout')", NULL, "1s");
}

static void nothing_is_left_on_a_session(void **state _unused_)
{
        static const char left[] = "SELECT count(*) FROM pg_settings WHERE source = 'session' AND name NOT IN"
                                   " ('application_name', 'client_encoding')";
        static const char *const settings[] = {"transaction_read_only", "row_security", "statement_timeout"};
        static const char *const inside[] = {"on", "off", "7s"};
        _cleanup_postgres_ struct postgres *postgres =
                with((struct postgres_options){.terms = {.lock_timeout = NSEC_PER_SEC}});
        const struct postgres_terms terms = {.read_only = true, .statement_timeout = 7 * NSEC_PER_SEC};
        for (size_t i = 0; i < N_ELEMENTS(settings); i++) {
                _cleanup_result_ PGresult *result = NULL;
                assert_int_equal(postgres_query_on(postgres, &terms, "SELECT current_setting($1)",
                                                   &settings[i], 1, SOON, &result, NULL),
                                 0);
                assert_string_equal(PQgetvalue(result, 0, 0), inside[i]);
        }
        assert_int_equal(
                postgres_query_on(postgres, &terms, "SET work_mem = '1MB'", NULL, 0, SOON, NULL, NULL), 0);
        assert_int_equal(postgres_query_on(postgres, &terms, "SELECT nothing", NULL, 0, SOON, NULL, NULL),
                         -EREMOTEIO);
        /* Its own transaction's settings are there while it asks: row_security and lock_timeout. */
        assert_value(postgres, left, NULL, "2");
        assert_value(postgres, "SELECT current_setting('statement_timeout')", NULL, "0");

        /* A transaction of the caller's goes on until the caller ends it, also on its own terms. */
        assert_int_equal(postgres_begin(postgres, true, SOON, NULL), 0);
        assert_value(postgres, "SELECT current_setting('transaction_read_only')", NULL, "on");
        assert_int_equal(postgres_query(postgres, "ROLLBACK", NULL, 0, SOON, NULL, NULL), 0);
        assert_value(postgres, "SELECT current_setting('transaction_read_only')", NULL, "off");
}

static void the_last_word_of_a_server_is_told(void **state _unused_)
{
        _cleanup_postgres_ struct postgres *postgres = with(PLAIN);
        _cleanup_error_ struct error error = {0};
        assert_int_equal(postgres_query(postgres, "SELECT pg_terminate_backend(pg_backend_pid())", NULL, 0,
                                        SOON, NULL, &error),
                         -ECONNRESET);
        /* By libpq, which repeats what a server said: only the SQLSTATE of it, for that may be data. */
        assert_non_null(strstr(error_text(&error), "57P01"));
        assert_null(strstr(error_text(&error), "terminating"));
        assert_value(postgres, "SELECT 1", NULL, "1");
}

static void copy_is_refused(void **state _unused_)
{
        _cleanup_postgres_ struct postgres *postgres = with(PLAIN);
        assert_int_equal(postgres_query(postgres, "COPY (SELECT 1) TO STDOUT", NULL, 0, SOON, NULL, NULL),
                         -ENOTSUP);
        assert_value(postgres, "SELECT 1", NULL, "1");
}

/* The most memory that this process ever had, in KiB; 0 where the sanitizer keeps what was freed. */
static long most_memory(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        return 0;
#endif
        char line[256];
        long most = 0;
        FILE *status = fopen("/proc/self/status", "re");
        assert_non_null(status);
        while (fgets(line, sizeof(line), status))
                if (string_starts(line, "VmHWM:"))
                        most = strtol(line + strlen("VmHWM:"), NULL, 10);
        fclose(status);
        return most;
}

static void of_many_rows_the_first_are_kept(void **state _unused_)
{
        static const char five_million[] =
                "SELECT 'key-' || g AS name, 1::float8 FROM generate_series(1, 5000000) g";
        _cleanup_postgres_ struct postgres *postgres = with(PLAIN);
        uint64_t cut = 0;
        const struct postgres_terms terms = {.read_only = true, .rows_most = 1000, .ret_cut = &cut};
        _cleanup_result_ PGresult *many = NULL, *few = NULL, *none = NULL;
        const long before = most_memory();
        assert_int_equal(postgres_query_on(postgres, &terms, five_million, NULL, 0, SOON, &many, NULL), 0);
        assert_int_equal(PQntuples(many), 1000);
        assert_string_equal(PQgetvalue(many, 999, 0), "key-1000");
        assert_string_equal(PQfname(many, 0), "name");
        assert_true(cut > 1000);
        assert_true(most_memory() - before < 8 << 10);
        assert_false(postgres_connected(postgres)); /* it was not waited for the end */

        cut = 0;
        assert_int_equal(postgres_query_on(postgres, &terms, "SELECT NULL, g FROM generate_series(1, 1001) g",
                                           NULL, 0, SOON, &few, NULL),
                         0);
        assert_int_equal(PQntuples(few), 1000);
        assert_true(PQgetisnull(few, 0, 0));
        assert_int_equal(cut, 1);
        assert_true(postgres_connected(postgres));
        assert_int_equal(
                postgres_query_on(postgres, &terms, "SELECT 1 WHERE false", NULL, 0, SOON, &none, NULL), 0);
        assert_int_equal(PQntuples(none), 0);
        assert_int_equal(PQnfields(none), 1);
        assert_int_equal(postgres_query_on(postgres, &terms,
                                           "SELECT 1 / (3 - g) FROM generate_series(1, 9) g", NULL, 0, SOON,
                                           NULL, NULL),
                         -EREMOTEIO);
}

/* What has no end for whoever wants all of it is an error, and nothing that it did stays. */
static void an_answer_that_is_too_long_is_an_error(void **state _unused_)
{
        static const char *const talkers[] = {
                "SELECT g FROM generate_series(1, 1000000) g",
                "DO $$ BEGIN LOOP RAISE NOTICE '%', repeat('x', 4000); END LOOP; END $$",
        };
        _cleanup_postgres_ struct postgres *postgres = with(PLAIN);
        _cleanup_result_ PGresult *touched = NULL;
        const long before = most_memory();
        for (size_t i = 0; i < N_ELEMENTS(talkers); i++) {
                _cleanup_error_ struct error error = {0};
                int r = postgres_query(postgres, talkers[i], NULL, 0, SOON, NULL, &error);
                if (r != -EMSGSIZE)
                        fail_msg("%s: %d, %s", talkers[i], r, error_text(&error));
                assert_false(postgres_connected(postgres));
        }
        assert_true(most_memory() - before < 64 << 10);

        assert_int_equal(
                postgres_query(postgres, "CREATE TABLE client_many (i int)", NULL, 0, SOON, NULL, NULL), 0);
        assert_int_equal(postgres_query(postgres,
                                        "INSERT INTO client_many SELECT generate_series(1, 200) RETURNING i, "
                                        "repeat('x', 100000)",
                                        NULL, 0, SOON, NULL, NULL),
                         -EMSGSIZE);
        assert_int_equal(postgres_query(postgres, "INSERT INTO client_many VALUES (1), (2) RETURNING i", NULL,
                                        0, SOON, &touched, NULL),
                         0);
        assert_int_equal(postgres_touched(touched), 2);
        assert_value(postgres, "SELECT count(*) FROM client_many", NULL, "2");
        assert_value(postgres, "WITH x AS (DELETE FROM client_many RETURNING i) SELECT count(*) FROM x", NULL,
                     "2");
        assert_int_equal(postgres_query(postgres, "DROP TABLE client_many", NULL, 0, SOON, NULL, NULL), 0);
}

/* However fast it comes, no more of it is in memory than what an answer may have. */
static void one_huge_value_is_given_up(void **state _unused_)
{
        static const struct {
                const char *dsn, *sql;
        } cases[] = {
                {"RUNBOOK_TEST_DSN", "SELECT repeat('x', 200 * 1000 * 1000)"},
                {"RUNBOOK_TEST_UNIX_DSN", "SELECT 1, repeat('x', 90 * 1000 * 1000), 2"},
                {"RUNBOOK_TEST_DSN", "DO $$ BEGIN RAISE NOTICE '%', repeat('x', 90 * 1000 * 1000); END $$"},
                {"RUNBOOK_TEST_DSN", "DO $$ BEGIN PERFORM set_config('log_min_messages', 'panic', true);"
                                     " RAISE EXCEPTION '%', repeat('x', 90 * 1000 * 1000); END $$"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_postgres_ struct postgres *postgres =
                        with((struct postgres_options){.dsn = (char *)given(cases[i].dsn)});
                _cleanup_error_ struct error error = {0};
                const long before = most_memory();
                int r = postgres_query(postgres, cases[i].sql, NULL, 0, SOON, NULL, &error);
                if (r != -EMSGSIZE)
                        fail_msg("%s: %d, %s", cases[i].sql, r, error_text(&error));
                assert_non_null(strstr(error_text(&error), "more than 16 MiB"));
                assert_true(most_memory() - before < 48 << 10);
                assert_value(postgres, "SELECT 1", NULL, "1");
        }
}

/* A notification is kept until somebody asks for it, and nobody does: a session has an end for that. */
static void what_libpq_keeps_ends_with_its_session(void **state _unused_)
{
        _cleanup_postgres_ struct postgres *postgres = with(PLAIN);
        assert_int_equal(postgres_query(postgres, "LISTEN client_postgres", NULL, 0, SOON, NULL, NULL), 0);
        const int first = postgres_backend_pid(postgres);
        for (int i = 0; i < 4; i++)
                assert_int_equal(
                        postgres_query(postgres,
                                       "SELECT count(pg_notify('client_postgres', g || repeat('x', 7000)))"
                                       " FROM generate_series(1, 1000) g",
                                       NULL, 0, SOON, NULL, NULL),
                        0);
        assert_value(postgres, "SELECT 1", NULL, "1");
        assert_int_not_equal(postgres_backend_pid(postgres), first);
}

static void why_there_is_no_connection_is_told_apart(void **state _unused_)
{
        int silent = 0;
        _cleanup_close_ int listener = silent_listener(&silent);
        _cleanup_free_ char *nobody = text_format("host=127.0.0.1 port=%d dbname=x", closed_port());
        _cleanup_free_ char *hangs = text_format("host=127.0.0.1 port=%d dbname=x", silent);
        _cleanup_free_ char *stranger = text_format("%s user=client_stranger", given("RUNBOOK_TEST_DSN"));
        const struct {
                char *dsn;
                int expected;
        } cases[] = {{nobody, -ECONNREFUSED},
                     {hangs, -ETIMEDOUT},
                     {stranger, -EACCES},
                     {(char *)"host=no-such-host.invalid dbname=x", -EHOSTUNREACH}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_postgres_ struct postgres *postgres =
                        with((struct postgres_options){.dsn = cases[i].dsn});
                _cleanup_error_ struct error error = {0};
                struct deadline deadline =
                        cases[i].expected == -ETIMEDOUT ? deadline_in(200 * NSEC_PER_MSEC) : SOON;
                assert_int_equal(postgres_connect(postgres, deadline, &error), cases[i].expected);
                assert_null(strchr(error_text(&error), '\n'));
                assert_false(postgres_connected(postgres));
        }
}

static void a_password_is_read_at_each_connect(void **state _unused_)
{
        char path[32];
        write_secret(path, "secret");
        struct postgres_options options = {.password.file = path};
        _cleanup_postgres_ struct postgres *postgres = with(options);
        assert_int_equal(postgres_connect(postgres, SOON, NULL), 0);
        unlink(path);
        postgres_disconnect(postgres);
        assert_int_equal(postgres_connect(postgres, SOON, NULL), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_dsn_is_checked_without_connecting),
                cmocka_unit_test(parameters_are_values),
                cmocka_unit_test(large_parameters_and_answers_pass),
                cmocka_unit_test(an_error_is_a_sentence_without_the_parameters),
                cmocka_unit_test(a_late_statement_is_cancelled_on_the_server),
                cmocka_unit_test(a_lost_connection_is_made_anew_between_statements),
                cmocka_unit_test(a_transaction_is_never_carried_on_elsewhere),
                cmocka_unit_test(a_statement_may_be_read_only_and_bounded),
                cmocka_unit_test(nothing_is_left_on_a_session),
                cmocka_unit_test(the_last_word_of_a_server_is_told),
                cmocka_unit_test(copy_is_refused),
                cmocka_unit_test(of_many_rows_the_first_are_kept),
                cmocka_unit_test(an_answer_that_is_too_long_is_an_error),
                cmocka_unit_test(one_huge_value_is_given_up),
                cmocka_unit_test(what_libpq_keeps_ends_with_its_session),
                cmocka_unit_test(why_there_is_no_connection_is_told_apart),
                cmocka_unit_test(a_password_is_read_at_each_connect),
        };
        return cmocka_run_group_tests_name("client_postgres", tests, NULL, NULL);
}
