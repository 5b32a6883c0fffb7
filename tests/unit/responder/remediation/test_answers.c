/* SPDX-License-Identifier: Apache-2.0 */
/* What a remediation locks when it does not say. */
#include "tests/harness/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "responder/remediation/remediation.h"

static char label[] = "s", value[] = "of-the-alert";
static struct alert alert = {.labels = {.keys = (char *[]){label}, .values = (char *[]){value}, .count = 1}};

/* A file of one remediation "a" with these steps; what stands behind them is read, too. */
static struct remediation_set *load(const char *steps)
{
        char path[] = "/tmp/runbook-answers-XXXXXX";
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text yaml = {0};
        struct remediation_set *set = NULL;
        text_printf(&yaml,
                    "docker: {project: p}\nescalate_to: nobody\nremediations:\n"
                    "  - {name: a, match: ['s!=\"\"'], steps: %s}\n",
                    steps);
        int fd = mkstemp(path);
        assert_true(fd >= 0 && write(fd, text_string(&yaml), yaml.length) == (ssize_t)yaml.length);
        assert_int_equal(close(fd), 0);
        if (remediation_set_load(path, &set, &error) < 0)
                fail_msg("%s: %s", steps, error_text(&error));
        unlink(path);
        return set;
}

/* What changes one service takes turns, whichever remediation it is (N-11). */
static void test_a_service_is_a_lock(void **state _unused_)
{
        static const struct {
                const char *steps, *lock;
        } cases[] = {
                {"[{docker.restart: {service: w}}]", "service/w"},
                {"[{docker.record: {service: x}}, {docker.restart: {service: w}},\n"
                 "     {docker.set_env: {service: w, env: {A: b}}}, {docker.prune: {}}, {host.memory: {}}]",
                 "service/w"},
                {"[{docker.restart: {service: '${labels.s}'}}]", "service/of-the-alert"},
                {"[{docker.restart: {service: w}}, {docker.restart: {service: x}, essential: no}]",
                 "service/w"},
                {"[{docker.restart: {service: w}}, {docker.restart: {service: x}}]", "a"},
                {"[{docker.record: {service: w}}]", "a"},
                {"[{docker.restart: {service: w}}], lock: own", "own"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *lock = NULL;
                struct remediation_set *set = load(cases[i].steps);
                assert_int_equal(
                        remediation_lock(&set->remediations[0], &alert, "INC-2026-0001", &lock, NULL), 0);
                assert_string_equal(lock, cases[i].lock);
                remediation_set_free(set);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_service_is_a_lock),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
