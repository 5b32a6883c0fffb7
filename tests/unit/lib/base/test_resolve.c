/* SPDX-License-Identifier: Apache-2.0 */
/* Names and addresses of hosts, and which of several takes the connection. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "runbook/socket.h"
#include "tests/harness/unit.h"

static struct addrinfo *resolve(const char *host)
{
        struct addrinfo *found = NULL;
        const char *reason = NULL;
        assert_int_equal(socket_resolve(host, "6379", deadline_in(60 * NSEC_PER_SEC), &found, &reason), 0);
        assert_non_null(found);
        return found;
}

static void test_finds_addresses_and_names(void **state _unused_)
{
        struct addrinfo *v4 = resolve("127.0.0.1"), *v6 = resolve("::1"), *name = resolve("localhost");
        assert_int_equal(v4->ai_family, AF_INET);
        assert_int_equal(v6->ai_family, AF_INET6);
        assert_int_equal(ntohs(((const struct sockaddr_in *)(const void *)v4->ai_addr)->sin_port), 6379);
        freeaddrinfo(v4);
        freeaddrinfo(v6);
        freeaddrinfo(name);
}

static void test_says_why_there_is_none(void **state _unused_)
{
        struct addrinfo *found = NULL;
        const char *reason = NULL;
        assert_int_equal(socket_resolve("no such host", "1", deadline_in(60 * NSEC_PER_SEC), &found, &reason),
                         -EHOSTUNREACH);
        assert_non_null(reason);
        assert_null(found);
}

/* Its thread ends by itself, and frees what nobody waits for. */
static void test_a_lookup_is_left_behind(void **state _unused_)
{
        struct addrinfo *found = NULL;
        const char *reason = NULL;
        int r = socket_resolve("localhost", "1", deadline_in(0), &found, &reason);
        assert_true(r == -ETIMEDOUT || r == 0);
        if (r == 0)
                freeaddrinfo(found);
}

static int listen_v4(struct sockaddr_in *ret)
{
        *ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof(*ret);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, (struct sockaddr *)ret, sizeof(*ret)), 0);
        assert_int_equal(listen(fd, 0), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &length), 0);
        return fd;
}

/* A host of two addresses: one that is refused or says nothing costs its share of the time alone. */
static void test_an_address_that_swallows_leaves_time_for_the_next(void **state _unused_)
{
        struct sockaddr_in hole, good, closed;
        _cleanup_close_ int holes = listen_v4(&hole), listening = listen_v4(&good);
        close(listen_v4(&closed));
        /* Until its queue is full. */
        int waiting[8] = {-1, -1, -1, -1, -1, -1, -1, -1}, r = 0;
        for (size_t i = 0; i < N_ELEMENTS(waiting) && r == 0; i++)
                r = socket_connect((struct sockaddr *)&hole, sizeof(hole), deadline_in(NSEC_PER_SEC / 10),
                                   &waiting[i]);
        assert_int_equal(r, -ETIMEDOUT);

        struct addrinfo last = {.ai_addr = (struct sockaddr *)&good, .ai_addrlen = sizeof(good)};
        struct addrinfo middle = {
                .ai_addr = (struct sockaddr *)&closed, .ai_addrlen = sizeof(closed), .ai_next = &last};
        struct addrinfo first = {
                .ai_addr = (struct sockaddr *)&hole, .ai_addrlen = sizeof(hole), .ai_next = &middle};
        const struct addrinfo *which = NULL;
        _cleanup_close_ int fd = -1;
        assert_int_equal(socket_connect_any(&first, deadline_in(3 * NSEC_PER_SEC), &fd, &which), 0);
        assert_ptr_equal(which, &last);

        middle.ai_next = NULL;
        _cleanup_close_ int none = -1;
        assert_int_equal(socket_connect_any(&middle, deadline_in(3 * NSEC_PER_SEC), &none, NULL),
                         -ECONNREFUSED);
        for (size_t i = 0; i < N_ELEMENTS(waiting); i++)
                if (waiting[i] >= 0)
                        close(waiting[i]);
        assert_true(holes >= 0 && listening >= 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_finds_addresses_and_names),
                cmocka_unit_test(test_says_why_there_is_none),
                cmocka_unit_test(test_a_lookup_is_left_behind),
                cmocka_unit_test(test_an_address_that_swallows_leaves_time_for_the_next),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
