/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands exit with when their report cannot be made: that is no verdict. */
#include "exporter/commands/commands.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "exporter/commands/run_once.h"
#include "tests/harness/unit.h"

static void *no_memory(size_t size _unused_)
{
        return NULL;
}

/* Runs with a file of one check, which passes. */
static int run(command_function *command, bool out_of_memory)
{
        char path[] = "/tmp/runbook-commands-XXXXXX";
        static const char checks[] = "checks: [{name: root, disk: {mountpoints: [/]}}]\n";
        const struct exporter_arguments arguments = {
                .program = {.log_level = "error", .log_format = "logfmt"},
                .daemon = {.config_file = path},
                .json = true,
        };
        cJSON_Hooks hooks = {.malloc_fn = out_of_memory ? no_memory : malloc, .free_fn = free};
        int fd = mkstemp(path);
        assert_int_equal(write(fd, checks, strlen(checks)), (ssize_t)strlen(checks));
        close(fd);
        cJSON_InitHooks(&hooks);
        int status = command(&arguments);
        cJSON_InitHooks(NULL);
        unlink(path);
        return status;
}

static void a_checklist_that_was_not_written_says_nothing_of_the_checks(void **state _unused_)
{
        assert_int_equal(run(command_checklist, false), 0);
        assert_int_equal(run(command_checklist, true), ONCE_COULD_NOT_LOOK);
}

static void nor_does_a_capacity_report(void **state _unused_)
{
        assert_int_equal(run(command_capacity, false), 1); /* most of it is not measured */
        assert_int_equal(run(command_capacity, true), ONCE_COULD_NOT_LOOK);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checklist_that_was_not_written_says_nothing_of_the_checks),
        cmocka_unit_test(nor_does_a_capacity_report),
};

int main(void)
{
        return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
