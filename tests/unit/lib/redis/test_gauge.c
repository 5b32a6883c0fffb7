/* SPDX-License-Identifier: Apache-2.0 */
/* How much a reply is, before hiredis takes it. */
#include "lib/redis/gauge.h"

#include <errno.h>

#include "runbook/text.h"
#include "tests/harness/unit.h"

/* The bytes at once, and one by one: the same comes of it. */
static int take(const char *data, size_t length, size_t *ret_replies)
{
        struct reply_gauge whole = {0}, pieces = {0};
        int r = reply_gauge_take(&whole, data, length, NULL), other = 0;
        for (size_t i = 0; i < length && other == 0; i++)
                other = reply_gauge_take(&pieces, data + i, 1, NULL);
        assert_int_equal(r, other);
        assert_int_equal(whole.replies, pieces.replies);
        if (ret_replies)
                *ret_replies = whole.replies;
        return r;
}

static void replies_are_counted(void **state _unused_)
{
        static const struct {
                const char *data;
                size_t replies;
        } cases[] = {
                {"+OK\r\n", 1},
                {"+OK\r\n-ERR no\r\n:12\r\n", 3},
                {"$3\r\na\r\n\r\n", 1}, /* a line break in a string */
                {"$-1\r\n*-1\r\n$0\r\n\r\n*0\r\n", 4},
                {"*2\r\n$1\r\n0\r\n*2\r\n+a\r\n*0\r\n+next\r\n", 2},
                {"*2\r\n:1\r\n", 0},
                {"$5\r\nabc", 0},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                size_t replies;
                assert_int_equal(take(cases[i].data, strlen(cases[i].data), &replies), 0);
                assert_int_equal(replies, cases[i].replies);
        }
}

static void what_hiredis_might_read_otherwise_is_refused(void **state _unused_)
{
        static const char *const wrong[] = {
                "HTTP/1.1 400 Bad Request\r\n",
                "\r\n",
                "+a\nb\r\n",
                "+a\rb\r\n",
                "$\r\n",
                "$-2\r\n",
                "$1x\r\n",
                "$--1\r\n",
                "*+1\r\n",
                "*1 \r\n",
                "%1\r\n",
                "_\r\n",
                "$00000000000000001\r\n",
        };
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++)
                assert_int_equal(take(wrong[i], strlen(wrong[i]), NULL), -EPROTO);
        assert_int_equal(take("\0", 1, NULL), -EPROTO);
}

static void promises_have_limits(void **state _unused_)
{
        static const char *const wrong[] = {
                "*262145\r\n",
                "*2\r\n*262142\r\n",
                "*999999999999999\r\n",
                "$67108865\r\n",
                "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
        };
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++)
                assert_int_equal(take(wrong[i], strlen(wrong[i]), NULL), i == 1 ? 0 : -EMSGSIZE);
        static const char more[] = "*2\r\n*262143\r\n",
                          deepest[] = "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n+a\r\n";
        assert_int_equal(take(more, strlen(more), NULL), -EMSGSIZE);
        assert_int_equal(take(deepest, strlen(deepest), NULL), 0);
}

static void a_line_without_end_ends_at_the_limit(void **state _unused_)
{
        static char data[REPLY_LINE_MAX];
        memset(data, 'x', sizeof(data));
        for (const char *type = "+-:"; *type; type++) {
                struct reply_gauge gauge = {0};
                assert_int_equal(reply_gauge_take(&gauge, type, 1, NULL), 0);
                assert_int_equal(reply_gauge_take(&gauge, data, sizeof(data), NULL), 0);
                assert_int_equal(reply_gauge_take(&gauge, data, 1, NULL), -EMSGSIZE);
        }
}

static void a_reply_without_end_ends_at_the_limit_and_others_begin_anew(void **state _unused_)
{
        static char data[32 * 1024];
        struct reply_gauge gauge = {0}, other = {0};
        int r = reply_gauge_take(&gauge, "*100000\r\n", 9, NULL);
        memset(data, 'x', sizeof(data));
        data[0] = '+';
        memcpy(data + sizeof(data) - 2, "\r\n", 2);
        for (size_t i = 0; r == 0 && i < 2 * (REPLY_BYTES_MAX / sizeof(data)); i++)
                r = reply_gauge_take(&gauge, data, sizeof(data), NULL);
        assert_int_equal(r, -EMSGSIZE);
        for (size_t i = 0; i < 3 * (REPLY_BYTES_MAX / sizeof(data)); i++)
                assert_int_equal(reply_gauge_take(&other, data, sizeof(data), NULL), 0);
        assert_int_equal(other.replies, 3 * (REPLY_BYTES_MAX / sizeof(data)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(replies_are_counted),
                cmocka_unit_test(what_hiredis_might_read_otherwise_is_refused),
                cmocka_unit_test(promises_have_limits),
                cmocka_unit_test(a_line_without_end_ends_at_the_limit),
                cmocka_unit_test(a_reply_without_end_ends_at_the_limit_and_others_begin_anew),
        };
        return cmocka_run_group_tests_name("redis_gauge", tests, NULL, NULL);
}
