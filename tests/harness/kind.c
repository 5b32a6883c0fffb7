/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct check_set *load_check_with(const char *kind, const char *yaml, const char *state_directory,
                                  char **ret_complaints)
{
        char path[] = "/tmp/runbook-test-kind-XXXXXX";
        int fd = mkstemp(path);
        struct check_set *set = NULL;
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *document = text_format("checks: [{name: a, %s: %s}]\n", kind, yaml);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, document, strlen(document)), (ssize_t)strlen(document));
        close(fd);
        int r = check_set_load(path, state_directory, &set, &error);
        unlink(path);
        if (r < 0 && !ret_complaints)
                fail_msg("%s", error_text(&error));
        if (r < 0)
                *ret_complaints = strdup(error_text(&error));
        return set;
}

struct check_set *load_check(const char *kind, const char *yaml, char **ret_complaints)
{
        return load_check_with(kind, yaml, NULL, ret_complaints);
}

void assert_complaint(const char *kind, const char *yaml, const char *expected)
{
        _cleanup_free_ char *complaints = NULL;
        struct check_set *set = load_check(kind, yaml, &complaints);
        assert_null(set);
        if (!strstr(complaints, expected) || !strstr(complaints, ":1:"))
                fail_msg("no \"%s\" with its place in:\n%s", expected, complaints);
}

int run_check(struct check_set *set, nsec timeout, char **ret_page, struct error *error)
{
        struct sample_set samples = {.limit = 10000};
        const struct sample_set *const all = &samples;
        struct sample_sink sink = {.set = &samples};
        struct text page = {0};
        int r = set->checks[0].kind->run(set->states[0], deadline_in(timeout), &sink, error);
        assert_int_equal(samples.error, 0);
        assert_int_equal(metrics_encode_text(&all, 1, &page, NULL), 0);
        text_puts(&page, "");
        *ret_page = text_take(&page);
        sample_set_release(&samples);
        return r;
}

void assert_line(const char *page, const char *line)
{
        _cleanup_free_ char *wanted = text_format("\n%s\n", line);
        if (!page || !strstr(page, wanted))
                fail_msg("no line \"%s\" in:\n%s", line, page ? page : "");
}

void assert_nowhere(const char *page, const char *piece)
{
        if (page && strstr(page, piece))
                fail_msg("\"%s\" is in:\n%s", piece, page);
}
