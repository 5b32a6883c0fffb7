/* SPDX-License-Identifier: Apache-2.0 */
/* Redis, as far as it goes without a server: INFO and addresses. */
#include "tests/harness/unit.h"

#include <errno.h>

#include "lib/redis/address.h"
#include "runbook/redis.h"

static const char info[] = "# Memory\r\n"
                           "used_memory:1048576\r\n"
                           "used_memory_human:1.00M\r\n"
                           "mem_fragmentation_ratio:1.25\r\n"
                           "used_memory_peak:-3\r\n"
                           "maxmemory_policy:noeviction\r\n"
                           "hexadecimal:0x10\r\n"
                           "infinite:inf\r\n"
                           "spaced: 5\r\n"
                           "empty:\r\n"
                           "# Keyspace\r\n"
                           "db0:keys=3,expires=1,avg_ttl=0\r\n"
                           "last:7";

static void numbers_are_found_by_their_whole_name(void **state _unused_)
{
        static const struct {
                const char *field;
                double expected;
        } cases[] = {{"used_memory", 1048576},
                     {"mem_fragmentation_ratio", 1.25},
                     {"used_memory_peak", -3},
                     {"last", 7}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                double value = 0;
                assert_true(redis_info_number(info, cases[i].field, &value));
                assert_true(value == cases[i].expected);
        }
}

static void what_is_not_a_number_is_refused(void **state _unused_)
{
        static const char *const fields[] = {"used_memory_human",
                                             "maxmemory_policy",
                                             "hexadecimal",
                                             "infinite",
                                             "spaced",
                                             "empty",
                                             "db0",
                                             "memory",
                                             "used",
                                             "# Memory",
                                             ""};
        for (size_t i = 0; i < N_ELEMENTS(fields); i++) {
                double value = 42;
                assert_false(redis_info_number(info, fields[i], &value));
                assert_true(value == 42);
        }
        double value = 42;
        assert_false(redis_info_number(NULL, "used_memory", &value));
}

static void parts_of_a_value_are_found_by_their_whole_name(void **state _unused_)
{
        static const char line[] = "keys=3,expires=1,avg_ttl=,state=online\r\nother=4,last=5";
        double value = 42;
        assert_true(redis_value_number(redis_value_part(line, "keys"), &value));
        assert_true(value == 3);
        assert_true(redis_value_number(redis_value_part(line, "expires"), &value));
        assert_true(value == 1);
        assert_true(redis_value_is(redis_value_part(line, "state"), "online"));
        assert_false(redis_value_is(redis_value_part(line, "state"), "onlin"));
        assert_false(redis_value_is(redis_value_part(line, "state"), "online\r"));
        assert_false(redis_value_number(redis_value_part(line, "avg_ttl"), &value));
        assert_null(redis_value_part(line, "key"));
        assert_null(redis_value_part(line, "xpires"));
        assert_null(redis_value_part(line, "other")); /* of another line */
        assert_null(redis_value_part("", "keys"));
        assert_string_equal(redis_info_value(info, "last"), "7");
        assert_null(redis_info_value(info, "nothing"));
        assert_false(redis_value_number("1e999", &value));
}

static void assert_address(const char *string, const char *host, const char *port, const char *path)
{
        _cleanup_(redis_address_release) struct redis_address address = {0};
        assert_int_equal(redis_address_parse(string, &address, NULL), 0);
        assert_true(string_equal(address.host, host));
        assert_true(string_equal(address.port, port));
        assert_true(string_equal(address.path, path));
}

static void addresses_are_taken_apart(void **state _unused_)
{
        assert_address("localhost:6380", "localhost", "6380", NULL);
        assert_address("cache.example.com", "cache.example.com", "6379", NULL);
        assert_address("[::1]:7000", "::1", "7000", NULL);
        assert_address("[fe80::1]", "fe80::1", "6379", NULL);
        assert_address("/run/redis.sock", NULL, NULL, "/run/redis.sock");
        assert_address("unix:/run/redis.sock", NULL, NULL, "/run/redis.sock");
        assert_address("rediss://cache.example.com", "cache.example.com", "6379", NULL);
        assert_address("rediss://[::1]:6380", "::1", "6380", NULL);
}

static void what_a_server_tells_is_an_address_and_never_a_path(void **state _unused_)
{
        static const struct {
                const char *own, *host, *port, *beside;
        } cases[] = {
                {"localhost:6379", "10.0.0.7", "6380", "10.0.0.7:6380"},
                {"rediss://localhost:6379", "node-7.example", "6380", "rediss://node-7.example:6380"},
                {"rediss://localhost", "fe80::7", "1", "rediss://[fe80::7]:1"},
                {"localhost", "/run/docker.sock", "0", NULL},
                {"localhost", "unix:/run/docker.sock", "1", NULL},
                {"localhost", "me@host", "1", NULL},
                {"localhost", "", "6379", NULL},
                {"localhost", "host", "0", NULL},
                {"localhost", "host", "6379@16379", NULL},
                {"localhost", "ho st", "6379", NULL},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                const struct redis_options options = {.address = (char *)cases[i].own};
                _cleanup_free_ char *beside = redis_address_beside(&options, cases[i].host, cases[i].port);
                if (cases[i].beside)
                        assert_string_equal(beside, cases[i].beside);
                else
                        assert_null(beside);
        }
}

static void wrong_addresses_say_what_would_be_right(void **state _unused_)
{
        static const char *const wrong[] = {"",
                                            ":6379",
                                            "host:",
                                            "host:0",
                                            "host:65536",
                                            "host:6379x",
                                            "::1",
                                            "[::1",
                                            "[::1]6379",
                                            "[]:6379",
                                            "unix:",
                                            "unix:run/x",
                                            "host:-1",
                                            "host: 6379",
                                            "rediss://",
                                            "rediss:///run/redis.sock",
                                            "rediss://unix:/x",
                                            "rediss://h/0"};
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
                _cleanup_error_ struct error error = {0};
                struct redis_address address = {0};
                assert_int_equal(redis_address_parse(wrong[i], &address, &error), -EINVAL);
                assert_non_null(strstr(error_text(&error), "host:port"));
                assert_null(address.host);
        }
}

static void a_url_with_a_password_is_refused_without_repeating_it(void **state _unused_)
{
        static const char *const urls[] = {"redis://:hunter2@localhost:6379",
                                           "rediss://me:hunter2@localhost:6379", "me:hunter2@localhost:6379"};
        for (size_t i = 0; i < N_ELEMENTS(urls); i++) {
                _cleanup_error_ struct error error = {0};
                struct redis_address address = {0};
                assert_int_equal(redis_address_parse(urls[i], &address, &error), -EINVAL);
                assert_null(strstr(error_text(&error), "hunter2"));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_are_found_by_their_whole_name),
                cmocka_unit_test(what_is_not_a_number_is_refused),
                cmocka_unit_test(parts_of_a_value_are_found_by_their_whole_name),
                cmocka_unit_test(addresses_are_taken_apart),
                cmocka_unit_test(what_a_server_tells_is_an_address_and_never_a_path),
                cmocka_unit_test(wrong_addresses_say_what_would_be_right),
                cmocka_unit_test(a_url_with_a_password_is_refused_without_repeating_it),
        };
        return cmocka_run_group_tests_name("redis", tests, NULL, NULL);
}
