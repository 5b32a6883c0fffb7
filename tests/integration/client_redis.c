/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis client against real ones: RUNBOOK_TEST_REDIS, RUNBOOK_TEST_REDIS_LOCKED with its password, and
 * RUNBOOK_TEST_REDIS_TLS with its authority. */
#include "tests/harness/drivers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runbook/redis.h"

static struct redis *connected(const char *address, int64_t database)
{
        _cleanup_error_ struct error error = {0};
        const struct redis_options options = {.address = (char *)address, .database = database};
        struct redis *redis = NULL;
        if (redis_connect(&options, SOON, &redis, &error) < 0)
                fail_msg("%s", error_text(&error));
        return redis;
}

static void a_command_is_answered(void **state _unused_)
{
        _cleanup_redis_ struct redis *redis = connected(given("RUNBOOK_TEST_REDIS"), 0);
        _cleanup_reply_ redisReply *pong = NULL, *info = NULL;
        assert_int_equal(redis_call(redis, SOON, &pong, NULL, "PING", NULL), 0);
        assert_int_equal(pong->type, REDIS_REPLY_STATUS);
        assert_string_equal(pong->str, "PONG");

        double used = 0;
        assert_int_equal(redis_call(redis, SOON, &info, NULL, "INFO", "memory", NULL), 0);
        assert_true(redis_info_number(info->str, "used_memory", &used));
        assert_true(used > 100000);
        assert_int_equal(redis_call(redis, SOON, NULL, NULL, "PING", NULL), 0);
}

static void set_and_get_binary_and_large(struct redis *redis)
{
        const size_t size = (size_t)20 << 20;
        _cleanup_free_ char *value = malloc(size);
        for (size_t i = 0; i < size; i++)
                value[i] = (char)(i * 31);
        const char *words[] = {"SET", "client\0key", value};
        const size_t lengths[] = {3, 10, size};

        _cleanup_reply_ redisReply *reply = NULL;
        assert_int_equal(redis_command(redis, SOON, NULL, NULL, 3, words, lengths), 0);
        words[0] = "GET";
        assert_int_equal(redis_command(redis, SOON, &reply, NULL, 2, words, lengths), 0);
        assert_int_equal(reply->len, size);
        assert_memory_equal(reply->str, value, size);
        words[0] = "DEL";
        assert_int_equal(redis_command(redis, SOON, NULL, NULL, 2, words, lengths), 0);
}

static void words_are_binary_and_large(void **state _unused_)
{
        _cleanup_redis_ struct redis *redis = connected(given("RUNBOOK_TEST_REDIS"), 0);
        set_and_get_binary_and_large(redis);
}

static void the_same_goes_over_tls(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        const struct redis_options options = {.address = (char *)given("RUNBOOK_TEST_REDIS_TLS"),
                                              .tls.ca_file = (char *)given("RUNBOOK_TEST_CA")};
        _cleanup_redis_ struct redis *redis = NULL;
        if (redis_connect(&options, SOON, &redis, &error) < 0)
                fail_msg("%s", error_text(&error));
        set_and_get_binary_and_large(redis);
        assert_int_equal(redis_call(redis, deadline_in(100 * NSEC_PER_MSEC), NULL, &error, "BLPOP",
                                    "client_nothing", "0", NULL),
                         -ETIMEDOUT);
        assert_int_equal(redis_call(redis, SOON, NULL, NULL, "PING", NULL), -ENOTCONN);
}

static void a_reply_that_promises_too_much_is_not_waited_for(void **state _unused_)
{
        int port = 0;
        _cleanup_close_ int listener = silent_listener(&port);
        _cleanup_free_ char *address = text_format("127.0.0.1:%d", port);
        _cleanup_redis_ struct redis *redis = connected(address, 0);
        _cleanup_close_ int peer = accept(listener, NULL, NULL);
        assert_int_equal(write(peer, "*1000000000\r\n", 13), 13);
        assert_int_equal(redis_call(redis, SOON, NULL, NULL, "PING", NULL), -EMSGSIZE);
}

static void a_database_is_chosen(void **state _unused_)
{
        _cleanup_redis_ struct redis *three = connected(given("RUNBOOK_TEST_REDIS"), 3);
        _cleanup_redis_ struct redis *zero = connected(given("RUNBOOK_TEST_REDIS"), 0);
        _cleanup_reply_ redisReply *there = NULL, *not_there = NULL;
        assert_int_equal(redis_call(three, SOON, NULL, NULL, "SET", "client_three", "x", NULL), 0);
        assert_int_equal(redis_call(zero, SOON, &not_there, NULL, "EXISTS", "client_three", NULL), 0);
        assert_int_equal(not_there->integer, 0);
        assert_int_equal(redis_call(three, SOON, &there, NULL, "DEL", "client_three", NULL), 0);
        assert_int_equal(there->integer, 1);

        const struct redis_options wrong = {.address = (char *)given("RUNBOOK_TEST_REDIS"), .database = 9999};
        struct redis *redis = NULL;
        assert_int_equal(redis_connect(&wrong, SOON, &redis, NULL), -EREMOTEIO);
        assert_null(redis);
}

static void an_error_reply_leaves_the_connection_and_hides_the_arguments(void **state _unused_)
{
        _cleanup_redis_ struct redis *redis = connected(given("RUNBOOK_TEST_REDIS"), 0);
        _cleanup_error_ struct error error = {0};
        assert_int_equal(redis_call(redis, SOON, NULL, &error, "NOSUCHCOMMAND", "hunter2", NULL), -EREMOTEIO);
        assert_non_null(strstr(error_text(&error), "unknown command"));
        assert_null(strstr(error_text(&error), "hunter2"));
        assert_int_equal(redis_call(redis, SOON, NULL, NULL, "PING", NULL), 0);
        assert_int_equal(redis_command(redis, SOON, NULL, NULL, 0, NULL, NULL), -EINVAL);
}

static int queue(struct redis *redis, const char *command, const char *argument)
{
        return redis_queue(redis, NULL, 2, (const char *const[]){command, argument}, NULL);
}

static void queued_commands_are_answered_in_their_order(void **state _unused_)
{
        _cleanup_redis_ struct redis *redis = connected(given("RUNBOOK_TEST_REDIS"), 0);
        _cleanup_error_ struct error error = {0};
        const int count = 2000;
        assert_int_equal(redis_receive(redis, SOON, NULL, NULL), -EINVAL);
        for (int i = 0; i < count; i++) {
                _cleanup_free_ char *word = text_format("%d", i);
                assert_int_equal(queue(redis, i == 7 ? "NOSUCHCOMMAND" : "ECHO", word), 0);
        }
        assert_int_equal(redis_call(redis, SOON, NULL, &error, "PING", NULL), -EBUSY);
        for (int i = 0; i < count; i++) {
                _cleanup_reply_ redisReply *reply = NULL;
                _cleanup_free_ char *word = text_format("%d", i);
                assert_int_equal(redis_receive(redis, SOON, &reply, &error), i == 7 ? -EREMOTEIO : 0);
                if (reply)
                        assert_string_equal(reply->str, word);
        }
        assert_int_equal(redis_receive(redis, SOON, NULL, NULL), -EINVAL);
        assert_int_equal(redis_call(redis, SOON, NULL, NULL, "PING", NULL), 0);

        /* What is not answered in time ends it, as with one command. */
        assert_int_equal(queue(redis, "ECHO", "a"), 0);
        assert_int_equal(
                redis_queue(redis, NULL, 3, (const char *const[]){"BLPOP", "client_nothing", "0"}, NULL), 0);
        assert_int_equal(redis_receive(redis, SOON, NULL, NULL), 0);
        assert_int_equal(redis_receive(redis, deadline_in(100 * NSEC_PER_MSEC), NULL, NULL), -ETIMEDOUT);
        assert_int_equal(queue(redis, "ECHO", "a"), -ENOTCONN);
        assert_int_equal(redis_receive(redis, SOON, NULL, NULL), -ENOTCONN);
}

static void a_late_reply_ends_the_connection(void **state _unused_)
{
        _cleanup_redis_ struct redis *redis = connected(given("RUNBOOK_TEST_REDIS"), 0);
        _cleanup_error_ struct error error = {0};
        struct deadline deadline = deadline_in(200 * NSEC_PER_MSEC);
        assert_int_equal(redis_call(redis, deadline, NULL, &error, "BLPOP", "client_nothing", "0", NULL),
                         -ETIMEDOUT);
        assert_true(deadline_passed(deadline));
        /* Its answer would be taken for the next one's. */
        assert_int_equal(redis_call(redis, SOON, NULL, NULL, "PING", NULL), -ENOTCONN);
}

static void a_closed_connection_is_noticed(void **state _unused_)
{
        _cleanup_redis_ struct redis *redis = connected(given("RUNBOOK_TEST_REDIS"), 0);
        _cleanup_redis_ struct redis *other = connected(given("RUNBOOK_TEST_REDIS"), 0);
        _cleanup_reply_ redisReply *id = NULL;
        assert_int_equal(redis_call(redis, SOON, &id, NULL, "CLIENT", "ID", NULL), 0);
        _cleanup_free_ char *number = text_format("%lld", id->integer);
        assert_int_equal(redis_call(other, SOON, NULL, NULL, "CLIENT", "KILL", "ID", number, NULL), 0);
        /* Neither a signal nor a success; the first write may still go through. */
        int r = redis_call(redis, SOON, NULL, NULL, "PING", NULL);
        assert_true(r == -ECONNRESET || r == -EPIPE);
        assert_int_equal(redis_call(redis, SOON, NULL, NULL, "PING", NULL), -ENOTCONN);
}

static void who_does_not_answer_is_not_waited_for(void **state _unused_)
{
        int port = 0;
        _cleanup_close_ int listener = silent_listener(&port);
        _cleanup_free_ char *address = text_format("127.0.0.1:%d", port);
        _cleanup_redis_ struct redis *redis = connected(address, 0);
        assert_int_equal(redis_call(redis, deadline_in(100 * NSEC_PER_MSEC), NULL, NULL, "PING", NULL),
                         -ETIMEDOUT);
}

static void who_does_not_speak_redis_is_told(void **state _unused_)
{
        int port = 0;
        _cleanup_close_ int listener = silent_listener(&port);
        _cleanup_free_ char *address = text_format("127.0.0.1:%d", port);
        _cleanup_redis_ struct redis *redis = connected(address, 0);
        _cleanup_close_ int peer = accept(listener, NULL, NULL);
        assert_int_equal(write(peer, "HTTP/1.1 400 Bad Request\r\n\r\n", 28), 28);
        assert_int_equal(redis_call(redis, SOON, NULL, NULL, "PING", NULL), -EPROTO);
}

static void nobody_there_is_an_error_at_once(void **state _unused_)
{
        _cleanup_free_ char *address = text_format("127.0.0.1:%d", closed_port());
        _cleanup_error_ struct error error = {0};
        struct redis *redis = NULL;
        const struct redis_options tcp = {.address = address};
        assert_int_equal(redis_connect(&tcp, SOON, &redis, &error), -ECONNREFUSED);
        assert_non_null(strstr(error_text(&error), address));
        const struct redis_options local = {.address = (char *)"/nowhere/redis.sock"};
        assert_int_equal(redis_connect(&local, SOON, &redis, NULL), -ENOENT);
        const struct redis_options unknown = {.address = (char *)"no-such-host.invalid:6379"};
        assert_int_equal(redis_connect(&unknown, SOON, &redis, NULL), -EHOSTUNREACH);
        assert_null(redis);
}

static void a_unix_socket_will_do(void **state _unused_)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/runbook-redis-%d.sock", (int)getpid());
        _cleanup_close_ int listener = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(listener, 1), 0);
        _cleanup_redis_ struct redis *redis = connected(address.sun_path, 0);
        _cleanup_close_ int peer = accept(listener, NULL, NULL);
        unlink(address.sun_path);
        assert_int_equal(write(peer, "+PONG\r\n", 7), 7);
        assert_int_equal(redis_call(redis, SOON, NULL, NULL, "PING", NULL), 0);
}

static void a_password_is_read_from_its_file(void **state _unused_)
{
        char path[32];
        write_secret(path, given("RUNBOOK_TEST_REDIS_PASSWORD"));
        const char *address = given("RUNBOOK_TEST_REDIS_LOCKED");
        struct redis_options options = {.address = (char *)address, .password.file = path};
        struct redis *redis = NULL;
        assert_int_equal(redis_connect(&options, SOON, &redis, NULL), 0);
        assert_int_equal(redis_call(redis, SOON, NULL, NULL, "PING", NULL), 0);
        redis = redis_close(redis);
        options.user = (char *)"default";
        assert_int_equal(redis_connect(&options, SOON, &redis, NULL), 0);
        redis = redis_close(redis);
        unlink(path);
}

static void a_wrong_password_is_refused_and_not_told(void **state _unused_)
{
        char path[32];
        write_secret(path, "hunter2");
        _cleanup_error_ struct error error = {0};
        struct redis_options options = {.address = (char *)given("RUNBOOK_TEST_REDIS_LOCKED"),
                                        .password.file = path};
        struct redis *redis = NULL;
        assert_int_equal(redis_connect(&options, SOON, &redis, &error), -EACCES);
        assert_non_null(strstr(error_text(&error), "refused the login"));
        assert_null(strstr(error_text(&error), "hunter2"));
        unlink(path);
        assert_int_equal(redis_connect(&options, SOON, &redis, &error), -ENOENT);
        assert_null(redis);

        options.password.file = NULL;
        assert_int_equal(redis_connect(&options, SOON, &redis, &error), 0);
        assert_int_equal(redis_call(redis, SOON, NULL, &error, "PING", NULL), -EREMOTEIO);
        assert_non_null(strstr(error_text(&error), "NOAUTH"));
        redis_close(redis);
}

int main(void)
{
        signal(SIGPIPE, SIG_IGN); /* as the daemons have it */
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_command_is_answered),
                cmocka_unit_test(words_are_binary_and_large),
                cmocka_unit_test(the_same_goes_over_tls),
                cmocka_unit_test(a_reply_that_promises_too_much_is_not_waited_for),
                cmocka_unit_test(a_database_is_chosen),
                cmocka_unit_test(an_error_reply_leaves_the_connection_and_hides_the_arguments),
                cmocka_unit_test(queued_commands_are_answered_in_their_order),
                cmocka_unit_test(a_late_reply_ends_the_connection),
                cmocka_unit_test(a_closed_connection_is_noticed),
                cmocka_unit_test(who_does_not_answer_is_not_waited_for),
                cmocka_unit_test(who_does_not_speak_redis_is_told),
                cmocka_unit_test(nobody_there_is_an_error_at_once),
                cmocka_unit_test(a_unix_socket_will_do),
                cmocka_unit_test(a_password_is_read_from_its_file),
                cmocka_unit_test(a_wrong_password_is_refused_and_not_told),
        };
        return cmocka_run_group_tests_name("client_redis", tests, NULL, NULL);
}
