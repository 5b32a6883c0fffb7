/* SPDX-License-Identifier: Apache-2.0 */
/* Findings are lines, and only what is broken is a failure. */
#include "tests/harness/unit.h"

#include <string.h>

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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_others_say_stays_in_its_line),
                cmocka_unit_test(what_is_empty_is_no_failure),
                cmocka_unit_test(a_secret_that_cannot_be_read_is_told_and_none_is_shown),
        };
        return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
