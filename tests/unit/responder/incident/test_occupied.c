/* SPDX-License-Identifier: Apache-2.0 */
/* One step at a time is at a thing. */
#include "tests/harness/unit.h"

#include <stdlib.h>

#include "responder/incident/occupied.h"
#include "runbook/text.h"

static void assert_enters(struct occupied *occupied, const char *thing, const char *who, const char *holder)
{
        _cleanup_free_ char *found = NULL;
        assert_int_equal(occupied_enter(occupied, thing, who, &found, NULL), holder ? 0 : 1);
        assert_true(string_equal(found, holder));
}

static void test_who_is_at_it_is_told(void **state _unused_)
{
        struct occupied *occupied = occupied_new();
        assert_non_null(occupied);
        assert_enters(occupied, "web", "INC-1", NULL);
        assert_enters(occupied, "worker", "INC-2", NULL);
        assert_enters(occupied, "web", "INC-2", "INC-1");
        assert_enters(occupied, "web", "INC-1", "INC-1");
        occupied_leave(occupied, "web");
        assert_enters(occupied, "web", "INC-3", NULL);
        assert_enters(occupied, "worker", "INC-3", "INC-2");
        occupied_leave(occupied, "worker");
        assert_null(occupied_free(occupied)); /* as at the end of the daemon */
        assert_null(occupied_free(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_is_at_it_is_told),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
