/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the connections that CLIENT LIST tells are a person's. */
#include "tests/harness/unit.h"

#include <string.h>

#include "responder/actions/redis/people.h"

static void test_lines(void **state _unused_)
{
        static const struct {
                const char *line;
                bool person;
        } cases[] = {
                {"id=3 addr=/s:0 fd=7 name= age=65 idle=1 flags=U db=0 cmd=command|docs user=default", true},
                {"id=3 addr=1:2 name= age=65 idle=1 flags=N cmd=command lib-name= lib-ver=", true},
                {"id=3 addr=1:2 name= age=65 idle=1 flags=N cmd=object|freq", true},
                {"id=3 addr=1:2 name= age=65 flags=N cmd=keys", false},
                {"id=3 addr=1:2 name= age=65 idle=7 flags=O cmd=monitor", true},
                {"id=3 addr=1:2 name= age=65 flags=N cmd=get", false},
                {"id=3 addr=1:2 name= age=65 flags=N cmd=objects", false},
                {"id=3 addr=1:2 name= age=65 flags=N cmd=client|list", false},
                {"id=3 addr=1:2 name=redis_exporter age=65 flags=N cmd=config|set", false},
                {"id=3 addr=1:2 name= age=65 flags=N cmd=command lib-name=redis-py", false},
                {"", false},
                {"cmd", false},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                nsec age = -1, idle = -1;
                if (redis_is_person(cases[i].line, strlen(cases[i].line), &age, &idle) != cases[i].person)
                        fail_msg("case %zu", i);
                assert_int_equal(age, cases[i].person ? 65 * NSEC_PER_SEC : -1);
                assert_int_equal(idle, !cases[i].person                   ? -1
                                       : strstr(cases[i].line, "flags=O") ? 0
                                                                          : NSEC_PER_SEC);
        }
}

/* Redis' own figures are a peer's: what is no time of a connection is none before its begin. */
static void test_times_beyond_all(void **state _unused_)
{
        static const char *const lines[] = {
                "id=3 name= age=1e300 idle=-1e300 flags=N cmd=command",
                "id=3 name= age=99999999999999999999 idle=nan flags=N cmd=command"};
        for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
                nsec age = -1, idle = -1;
                assert_true(redis_is_person(lines[i], strlen(lines[i]), &age, &idle));
                assert_true(age == INT64_MAX && idle == 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines),
                                           cmocka_unit_test(test_times_beyond_all)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
