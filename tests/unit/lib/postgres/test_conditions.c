/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/unit.h"

#include "lib/postgres/internal.h"

static void a_condition_is_known_by_its_state_or_its_class(void **state _unused_)
{
        static const struct {
                const char *sqlstate, *name;
        } cases[] = {{"22P02", "invalid_text_representation"},
                     {"42501", "insufficient_privilege"},
                     {"57014", "query_canceled"},
                     {"55P03", "lock_not_available"},
                     {"25006", "read_only_sql_transaction"},
                     {"P0001", "raise_exception"},
                     {"XX002", "index_corrupted"},
                     {"22ZZZ", "data_exception"}, /* of a later version, or of an extension */
                     {"03000", "sql_statement_not_yet_complete"}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                assert_string_equal(postgres_condition(cases[i].sqlstate), cases[i].name);
        assert_null(postgres_condition("ZZ123"));
        assert_null(postgres_condition(""));
        assert_null(postgres_condition("42501 and more"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_condition_is_known_by_its_state_or_its_class),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
