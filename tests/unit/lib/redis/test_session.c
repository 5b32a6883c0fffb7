/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that never stop talking. */
#include "tests/harness/peer.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runbook/redis.h"

struct talker {
        int listener;
        const char *begin;
        char what;
};

static void *talk(void *context)
{
        const struct talker *talker = context;
        char flood[65536];
        memset(flood, talker->what, sizeof(flood));
        _cleanup_close_ int fd = accept(talker->listener, NULL, NULL);
        if (fd < 0 || send(fd, talker->begin, strlen(talker->begin), MSG_NOSIGNAL) < 0)
                return NULL;
        while (send(fd, flood, sizeof(flood), MSG_NOSIGNAL) > 0)
                ;
        return NULL;
}

static int ask(const char *begin, char what, struct deadline deadline)
{
        uint16_t port = 0;
        struct talker talker = {.listener = peer_listen(&port), .begin = begin, .what = what};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, talk, &talker), 0);
        _cleanup_free_ char *address = text_format("127.0.0.1:%d", port);
        const struct redis_options options = {.address = address};
        struct redis *redis = NULL;
        assert_int_equal(redis_connect(&options, deadline_in(20 * NSEC_PER_SEC), &redis, NULL), 0);
        int r = redis_call(redis, deadline, NULL, NULL, "PING", NULL);
        assert_int_equal(redis_call(redis, deadline, NULL, NULL, "PING", NULL), -ENOTCONN);
        redis_close(redis);
        pthread_join(thread, NULL);
        close(talker.listener);
        return r;
}

static void a_line_without_end_is_given_up(void **state _unused_)
{
        assert_int_equal(ask("+", 'A', deadline_in(20 * NSEC_PER_SEC)), -EMSGSIZE);
        assert_int_equal(ask("$100000000\r\n", 'A', deadline_in(20 * NSEC_PER_SEC)), -EMSGSIZE);
        assert_int_equal(ask("*2147483647\r\n", 'A', deadline_in(20 * NSEC_PER_SEC)), -EMSGSIZE);
}

/* Also while there is always something to read: here the next answer is there already. */
static void who_talks_is_late_all_the_same(void **state _unused_)
{
        uint16_t port = 0;
        _cleanup_close_ int listener = peer_listen(&port);
        _cleanup_free_ char *address = text_format("127.0.0.1:%d", port);
        const struct redis_options options = {.address = address};
        _cleanup_redis_ struct redis *redis = NULL;
        assert_int_equal(redis_connect(&options, deadline_in(20 * NSEC_PER_SEC), &redis, NULL), 0);
        _cleanup_close_ int peer = accept(listener, NULL, NULL);
        peer_puts(peer, "+OK\r\n+OK\r\n");
        assert_int_equal(redis_call(redis, deadline_in(20 * NSEC_PER_SEC), NULL, NULL, "PING", NULL), 0);
        assert_int_equal(redis_call(redis, deadline_in(0), NULL, NULL, "PING", NULL), -ETIMEDOUT);
}

static void arrays_are_not_nested_deep(void **state _unused_)
{
        _cleanup_text_ struct text nested = {0};
        for (int i = 0; i < 8200; i++)
                text_puts(&nested, "*1\r\n");
        assert_int_equal(ask(text_string(&nested), '*', deadline_in(20 * NSEC_PER_SEC)), -EMSGSIZE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_line_without_end_is_given_up),
                cmocka_unit_test(who_talks_is_late_all_the_same),
                cmocka_unit_test(arrays_are_not_nested_deep),
        };
        return cmocka_run_group_tests_name("redis_session", tests, NULL, NULL);
}
