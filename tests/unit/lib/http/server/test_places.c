/* SPDX-License-Identifier: Apache-2.0 */
/* Who gives up his place, and for whom. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/http/server/places.h"
#include "tests/harness/unit.h"

enum { MOST = 32 };

static struct {
        struct http_places places;
        struct http_place of[MOST];
        int ours[MOST];
        unsigned count;
} world;

static int setup(void **state)
{
        (void)state;
        memset(&world, 0, sizeof(world));
        world.places.limit = 8;
        world.places.head_limit = 10 * NSEC_PER_SEC;
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        for (unsigned i = 0; i < world.count; i++) {
                http_places_leave(&world.places, &world.of[i]);
                close(world.of[i].fd);
                close(world.ours[i]);
        }
        assert_null(world.places.peers);
        assert_null(world.places.first);
        assert_int_equal(world.places.count, 0);
        return 0;
}

static struct http_place *enter(const char *address, nsec now)
{
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        struct http_place *place = &world.of[world.count];
        world.ours[world.count++] = fds[1];
        bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
        if (!is_v4)
                assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
        http_places_enter(&world.places, place, fds[0],
                          is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6, now);
        return place;
}

static void test_the_address_with_the_most_loses(void **state)
{
        (void)state;
        struct http_place *lone = enter("10.0.0.9", 0);
        struct http_place *first = enter("10.0.0.1", 0);
        for (int i = 0; i < 4; i++)
                enter("10.0.0.1", 0);
        enter("10.0.0.2", 0);
        enter("10.0.0.2", 0);
        struct http_place *next = enter("10.0.0.3", 0);
        assert_true(first->ending);
        assert_false(lone->ending);
        assert_false(http_places_refuse(&world.places, next));
        char byte;
        assert_int_equal(read(world.ours[1], &byte, 1), 0);
}

static void test_nobody_has_more_than_three_quarters(void **state)
{
        (void)state;
        for (int i = 0; i < 6; i++)
                enter("10.0.0.1", 0)->held = true;
        struct http_place *more = enter("10.0.0.1", 0);
        assert_true(http_places_refuse(&world.places, more));
        assert_false(http_places_refuse(&world.places, enter("10.0.0.2", 0)));
        http_places_leave(&world.places, &world.of[0]);
        http_places_leave(&world.places, &world.of[1]);
        assert_false(http_places_refuse(&world.places, more));
}

static void test_what_is_worked_on_is_kept(void **state)
{
        (void)state;
        static const char *const of[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"};
        for (int i = 0; i < 8; i++)
                enter(of[i / 2], 0)->held = true;
        assert_true(http_places_refuse(&world.places, enter("10.0.0.5", 0)));
        for (int i = 0; i < 8; i++)
                assert_false(world.of[i].ending);
}

static void test_an_ipv6_network_is_one_address(void **state)
{
        (void)state;
        struct http_place *first = enter("2001:db8::1", 0);
        for (int i = 0; i < 3; i++)
                enter("2001:db8::2", 0);
        assert_ptr_equal(first->peer, world.of[3].peer);
        assert_ptr_not_equal(enter("2001:db8:0:1::1", 0)->peer, first->peer);
        assert_ptr_equal(enter("::ffff:10.0.0.1", 0)->peer, enter("10.0.0.1", 0)->peer);
}

/* Among equals: first who is late with a head, then who idles, then who has only just come. */
static void test_late_before_idle_before_fresh(void **state)
{
        (void)state;
        const nsec now = 5 * NSEC_PER_SEC;
        struct http_place *idle = enter("10.0.0.1", 0), *late = enter("10.0.0.2", 0);
        idle->asked = true;
        struct http_place *fresh = enter("10.0.0.3", now);
        for (int i = 4; i < 9; i++) {
                char address[24];
                snprintf(address, sizeof(address), "10.0.0.%d", i);
                enter(address, 0)->held = true;
        }
        enter("10.0.1.1", now)->held = true;
        assert_true(late->ending);
        enter("10.0.1.2", now)->held = true;
        assert_true(idle->ending);
        assert_false(fresh->ending);
        enter("10.0.1.3", now);
        assert_true(fresh->ending);
}

/* A byte now and then is no head. */
static void test_a_head_that_drips_has_its_time(void **state)
{
        (void)state;
        struct http_place *slow = enter("10.0.0.1", 0), *served = enter("10.0.0.1", 0);
        served->asked = true;
        enter("10.0.0.2", 10 * NSEC_PER_SEC);
        assert_false(slow->ending);
        enter("10.0.0.2", 11 * NSEC_PER_SEC);
        assert_true(slow->ending);
        assert_false(served->ending);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_the_address_with_the_most_loses, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nobody_has_more_than_three_quarters, setup, teardown),
                cmocka_unit_test_setup_teardown(test_what_is_worked_on_is_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_an_ipv6_network_is_one_address, setup, teardown),
                cmocka_unit_test_setup_teardown(test_late_before_idle_before_fresh, setup, teardown),
                cmocka_unit_test_setup_teardown(test_a_head_that_drips_has_its_time, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
