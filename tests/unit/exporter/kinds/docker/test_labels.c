/* SPDX-License-Identifier: Apache-2.0 */
/* Which labels of containers may be labels of samples, and how they are called there. */
#include "tests/harness/kind.h"

static void names_are_made_as_prometheus_makes_them_podman_exporter_205(void **state _unused_)
{
        static const struct {
                const char *labels, *complaint; /* NULL: it is taken */
        } cases[] = {
                {"[team, com.example.tier, a-b, A, 0x, 'aü']", NULL},
                {"team", NULL},
                {"[a.b, team, a-b]", "\"a.b\" and \"a-b\" would both be the label a_b"},
                {"[team, team]", "\"team\" and \"team\" would both be the label team"},
                {"[service]", "\"service\" would be the label service, which has a meaning of its own"},
                {"version", "\"version\" would be the label version"},
                {"[image.id]", "would be the label image_id"},
                {"[check]", "would be the label check"},
                {"['ü']", "cannot be a label's name"},
                {"['..x']", "\"..x\" cannot be a label's name"},
                {"['']", "\"\" cannot be a label's name"},
                {"[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]", "17 labels are too many: at most 16"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *yaml = text_format("{labels: %s}", cases[i].labels);
                if (cases[i].complaint)
                        assert_complaint("docker", yaml, cases[i].complaint);
                else
                        check_set_free(load_check("docker", yaml, NULL));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_made_as_prometheus_makes_them_podman_exporter_205),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
