/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as the same check, whatever it is called and however it judges. */
#include "exporter/commands/difference.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tests/harness/unit.h"

/* What `--diff` says when `body` was found under the name "found", and the file has `theirs`. */
static size_t compare(const char *body, const char *theirs, struct text *report)
{
        char path[] = "/tmp/runbook-difference-XXXXXX";
        struct proposal one = {.topic = (char *)"T",
                               .name = (char *)"found",
                               .body = (char *)body,
                               .why = (char *)"it answers"};
        const struct proposals proposals = {.items = &one, .count = 1};
        _cleanup_(check_set_free_p) struct check_set *found = NULL;
        _cleanup_(once_free_p) struct once *once = NULL;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        init_put_checks(&proposals, &text);
        close(mkstemp(path));
        for (size_t i = 0; i < 2; i++) {
                const char *content = i == 0 ? text_string(&text) : theirs;
                _cleanup_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
                assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
                int r = i == 0 ? check_set_load(path, NULL, &found, &error)
                               : once_run(path, NULL, NULL, NULL, &once, &error);
                if (r < 0)
                        fail_msg("%s", error_text(&error));
        }
        unlink(path);
        text_clear(report);
        return difference_put(&proposals, found, once, report);
}

#define THEIRS(check) "checks: [" check "]\n"

static void what_is_looked_at_is_what_counts(void **state _unused_)
{
        static const char found[] = "disk: {mountpoints: [\"/\"]}\nwarn: runbook_disk_used_ratio >= 80%\n";
        _cleanup_text_ struct text report = {0};
        assert_int_equal(compare(found,
                                 THEIRS("{name: mine, title: Mine, timeout: 9s, disk: {mountpoints: [/]}}"),
                                 &report),
                         0);
        assert_string_equal(text_string(&report), "0 new, 0 gone\n");
        assert_int_equal(compare(found, THEIRS("{name: mine, disk: {paths: [/tmp]}}"), &report), 1);
        assert_non_null(
                strstr(text_string(&report), "  # it answers\n  - name: found\n    disk: {mountpoints:"));
        /* By the name alone, when it is of the kind: somebody has moved it. */
        assert_int_equal(compare(found, THEIRS("{name: found, disk: {paths: [/tmp]}}"), &report), 0);
        assert_int_equal(compare(found, THEIRS("{name: found, system: {}}"), &report), 1);
}

static void this_machine_has_two_names(void **state _unused_)
{
        _cleanup_text_ struct text report = {0};
        assert_int_equal(compare("redis: {address: \"localhost:1\"}\n",
                                 THEIRS("{name: mine, redis: {address: \"127.0.0.1:1\"}}"), &report),
                         0);
        assert_int_equal(compare("redis: {address: \"localhost:1\"}\n",
                                 THEIRS("{name: mine, redis: {address: \"127.0.0.1:2\"}}"), &report),
                         2);
        assert_non_null(strstr(text_string(&report), "Not found any more:\nmine: "));
}

static void what_was_not_looked_for_and_answers_is_not_gone(void **state _unused_)
{
        _cleanup_text_ struct text report = {0};
        assert_int_equal(compare("system: {}\n",
                                 THEIRS("{name: a, system: {}}, {name: b, exec: {command: [/bin/true]}}"),
                                 &report),
                         0);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_looked_at_is_what_counts),
        cmocka_unit_test(this_machine_has_two_names),
        cmocka_unit_test(what_was_not_looked_for_and_answers_is_not_gone),
};

int main(void)
{
        return cmocka_run_group_tests_name("difference", tests, NULL, NULL);
}
