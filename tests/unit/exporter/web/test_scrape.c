/* SPDX-License-Identifier: Apache-2.0 */
/* How long a scrape may take. */
#include "tests/harness/unit.h"

#include "exporter/web/internal.h"

static void the_allowance_leaves_room_for_the_way_back(void **state _unused_)
{
        assert_int_equal(scrape_allowance(NULL), seconds_to_nsec(9.5));
        assert_int_equal(scrape_allowance("5"), seconds_to_nsec(4.5));
        assert_int_equal(scrape_allowance("0.6"), seconds_to_nsec(0.3));
        assert_int_equal(scrape_allowance("-1"), seconds_to_nsec(9.5));
        assert_int_equal(scrape_allowance("soon"), seconds_to_nsec(9.5));
        assert_int_equal(scrape_allowance("nan"), seconds_to_nsec(9.5));
        assert_int_equal(scrape_allowance("1e300"), seconds_to_nsec(3599.5));
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(the_allowance_leaves_room_for_the_way_back)};
        return cmocka_run_group_tests_name("scrape", tests, NULL, NULL);
}
