/* SPDX-License-Identifier: Apache-2.0 */
/* Findings are lines, and only what is broken is a failure. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "runbook/doctor.h"
#include "runbook/program.h"

static void what_others_say_stays_in_its_line(void **state _unused_)
{
        struct doctor doctor = {0};
        doctor_tell(&doctor, FINDING_FINE, "a", "%d series", 3);
        doctor_tell(&doctor, FINDING_BROKEN, "b", "one\ntwo \x1b[31m");
        assert_string_equal(text_string(&doctor.text), "ok      a: 3 series\nBROKEN  b: one two  [31m\n");
        assert_int_equal(doctor_end(&doctor), EXIT_FAILED);
        assert_int_equal(doctor.text.length, 0);
}

static void what_is_empty_is_no_failure(void **state _unused_)
{
        struct doctor doctor = {0};
        doctor_tell(&doctor, FINDING_EMPTY, "a", "no series");
        assert_int_equal(doctor_end(&doctor), EXIT_FINE);
}

static void a_secret_that_cannot_be_read_is_told_and_none_is_shown(void **state _unused_)
{
        static const struct config_field fields[] = {{"password", CONFIG_SECRET, .help = "one"}, {0}};
        struct doctor doctor = {0};
        struct secret secret = {.variable = (char *)"RUNBOOK_TEST_DOCTOR"};
        setenv("RUNBOOK_TEST_DOCTOR", "hunter2", 1);
        assert_true(doctor_try_secrets(&doctor, "a", fields, &secret));
        assert_string_equal(text_string(&doctor.text), "");
        setenv("RUNBOOK_TEST_DOCTOR", "", 1);
        assert_true(doctor_try_secrets(&doctor, "b", fields, &secret));
        unsetenv("RUNBOOK_TEST_DOCTOR");
        assert_false(doctor_try_secrets(&doctor, "c", fields, &secret));
        assert_non_null(
                strstr(text_string(&doctor.text), "empty   b: password: it can be read, and is empty\n"));
        assert_non_null(strstr(text_string(&doctor.text), "BROKEN  c: password: "));
        assert_null(strstr(text_string(&doctor.text), "hunter2"));
        assert_int_equal(doctor_end(&doctor), EXIT_FAILED);
}

static void what_is_broken_comes_with_what_to_do(void **state _unused_)
{
        struct doctor doctor = {0};
        doctor_tell_failure(&doctor, "a", -ETIMEDOUT, "too late", "its own advice");
        doctor_tell_failure(&doctor, "b", -EREMOTEIO, "it said no", "its own\nadvice");
        doctor_tell_failure(&doctor, "c", -EREMOTEIO, "it said no", NULL);
        const char *told = text_string(&doctor.text);
        assert_non_null(strstr(told, "BROKEN  a: too late\n        → a firewall"));
        assert_non_null(
                strstr(told, "BROKEN  b: it said no\n        → its own advice\nBROKEN  c: it said no\n"));
        assert_true(string_ends(told, "c: it said no\n"));
        assert_int_equal(doctor_end(&doctor), EXIT_FAILED);
}

/* The tests run as root, whom no mode keeps out: what is no directory does. */
static void a_directory_is_looked_at_from_where_it_is_there(void **state _unused_)
{
        struct doctor doctor = {0};
        char place[] = "/tmp/runbook-doctor-XXXXXX";
        assert_non_null(mkdtemp(place));
        _cleanup_free_ char *deep = text_format("%s/a/b", place);
        doctor_try_directory(&doctor, "none", NULL);
        assert_string_equal(text_string(&doctor.text), "");
        doctor_try_directory(&doctor, "here", place);
        doctor_try_directory(&doctor, "deep", deep);
        doctor_try_directory(&doctor, "beside", "var/none/at/all");
        assert_int_equal(doctor.counts[FINDING_FINE], 3);
        doctor_try_directory(&doctor, "file", "/dev/null/a");
        assert_non_null(strstr(text_string(&doctor.text),
                               "BROKEN  file: /dev/null/a: it cannot be written to: Not a"));
        assert_int_equal(doctor_end(&doctor), EXIT_FAILED);
        rmdir(place);
}

static void the_machine_is_told_and_not_counted(void **state _unused_)
{
        struct doctor doctor = {0};
        doctor_try_clock(&doctor);
        doctor_tell_kernel(&doctor, 4, true);
        assert_true(string_ends(text_string(&doctor.text), "ok      sandbox: Landlock 4, seccomp\n"));
        doctor_tell_kernel(&doctor, 0, false);
        assert_non_null(strstr(text_string(&doctor.text),
                               "lacks   sandbox: no Landlock, no seccomp\n        → a kernel"));
        for (size_t i = 0; i < FINDINGS; i++)
                assert_int_equal(doctor.counts[i], 0);
        assert_int_equal(doctor_end(&doctor), EXIT_FINE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_others_say_stays_in_its_line),
                cmocka_unit_test(what_is_empty_is_no_failure),
                cmocka_unit_test(what_is_broken_comes_with_what_to_do),
                cmocka_unit_test(a_directory_is_looked_at_from_where_it_is_there),
                cmocka_unit_test(the_machine_is_told_and_not_counted),
                cmocka_unit_test(a_secret_that_cannot_be_read_is_told_and_none_is_shown),
        };
        return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
