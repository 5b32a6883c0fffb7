/* SPDX-License-Identifier: Apache-2.0 */
/* A container's log by lines: the Engine's messages put together, however the stream was cut. */
#include <errno.h>

#include "lib/docker/internal.h"
#include "tests/harness/unit.h"

#define T0 "2026-01-31T12:00:00.000000000Z "
#define T1 "2026-01-31T12:00:00.000000001Z "
#define T2 "2026-01-31T12:00:01.000000000Z "

/* Each line as "<nanoseconds since T0>:<text>|". */
static int note(void *context, nsec wall, const char *line, size_t length)
{
        struct text *seen = context;
        nsec zero = 0;
        assert_int_equal(time_parse("2026-01-31T12:00:00Z", &zero, NULL), 0);
        assert_int_equal(strlen(line), length);
        text_printf(seen, "%lld:%s|", (long long)(wall - zero), line);
        return strstr(line, "full") ? -ENOSPC : 0;
}

struct message {
        int stream;
        const char *data;
};

/* Gives messages in pieces of `piece` bytes; the result of the first that was refused. */
static int read_messages(const struct message *messages, bool raw, size_t limit, size_t piece, bool ends,
                         struct text *seen)
{
        struct docker_line_reader reader = {.raw = raw, .limit = limit, .sink = note, .context = seen};
        int r = 0;
        for (; messages->data && r == 0; messages++)
                for (size_t at = 0, length = strlen(messages->data); at < length && r == 0; at += piece)
                        r = docker_line_reader_take(&reader, !raw && at == 0, messages->stream,
                                                    messages->data + at,
                                                    length - at < piece ? length - at : piece);
        if (ends && r == 0)
                r = docker_line_reader_end(&reader);
        docker_line_reader_release(&reader);
        return r;
}

static void assert_lines(const struct message *messages, bool raw, bool ends, const char *expected)
{
        for (size_t piece = 1; piece < 80; piece++) {
                _cleanup_text_ struct text seen = {0};
                assert_int_equal(read_messages(messages, raw, 100, piece, ends, &seen), 0);
                assert_string_equal(text_string(&seen), expected);
        }
}

static void messages_are_lines(void **state _unused_)
{
        static const struct message messages[] = {{1, T0 "one\n"},
                                                  {2, T0 "two\r\n"},
                                                  {1, T1 "\n"},
                                                  {1, T2 "2026-01-31T12:00:00Z is text\n"},
                                                  {0}};
        assert_lines(messages, false, false, "0:one|0:two|1:|1000000000:2026-01-31T12:00:00Z is text|");
        assert_lines(messages, true, false, "0:one|0:two|1:|1000000000:2026-01-31T12:00:00Z is text|");
}

static void pieces_of_one_time_are_one_line(void **state _unused_)
{
        static const struct message messages[] = {{1, T0 "a"},   {2, T1 "between\n"}, {1, T0 "b"},
                                                  {1, T0 "c\n"}, {1, T0 "next\n"},    {0}};
        assert_lines(messages, false, false, "1:between|0:abc|0:next|");
}

static void a_line_without_an_end_ends_at_another_time(void **state _unused_)
{
        static const struct message messages[] = {{1, T0 "died"}, {1, T1 "again\n"}, {1, T2 "di"}, {0}};
        assert_lines(messages, false, false, "0:died|1:again|");
        assert_lines(messages, false, true, "0:died|1:again|1000000000:di|");
}

static void of_a_raw_log_a_line_goes_on_to_its_end(void **state _unused_)
{
        static const struct message messages[] = {{1, T0 "a"}, {1, T0 "b\r\n" T1 "c\r\n" T1 "d"}, {0}};
        assert_lines(messages, true, false, "0:ab|1:c|");
}

static void of_a_long_line_the_limit_is_given(void **state _unused_)
{
        static const struct message messages[] = {{1, T0 "123456789"}, {1, T0 "0\n"}, {1, T1 "12\n"}, {0}};
        _cleanup_text_ struct text seen = {0};
        assert_int_equal(read_messages(messages, false, 4, 3, false, &seen), 0);
        assert_string_equal(text_string(&seen), "0:1234|1:12|");
}

static void bytes_of_zero_are_blanks(void **state _unused_)
{
        _cleanup_text_ struct text seen = {0};
        struct docker_line_reader reader = {.limit = 100, .sink = note, .context = &seen};
        assert_int_equal(docker_line_reader_take(&reader, true, 1, T0 "a\0b\n", sizeof(T0) - 1 + 4), 0);
        assert_string_equal(text_string(&seen), "0:a b|");
        docker_line_reader_release(&reader);
}

static void what_has_no_time_is_refused(void **state _unused_)
{
        static const struct message wrong[][2] = {
                {{1, "Error grabbing logs: it is broken, and badly so\n"}, {0}},
                {{1, "2026-13-31T12:00:00.000000000Z a\n"}, {0}},
                {{1, "2026-01-31T12:00:00.000000000Za\n"}, {0}},
        };
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++)
                for (size_t piece = 1; piece < 50; piece++) {
                        _cleanup_text_ struct text seen = {0};
                        assert_int_equal(read_messages(wrong[i], i == 1, 100, piece, false, &seen), -EBADMSG);
                        assert_string_equal(text_string(&seen), "");
                }
}

static void an_error_of_the_sink_ends_it(void **state _unused_)
{
        static const struct message messages[] = {{1, T0 "full\n"}, {1, T0 "more\n"}, {0}};
        _cleanup_text_ struct text seen = {0};
        assert_int_equal(read_messages(messages, false, 100, 7, false, &seen), -ENOSPC);
        assert_string_equal(text_string(&seen), "0:full|");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(messages_are_lines),
                cmocka_unit_test(pieces_of_one_time_are_one_line),
                cmocka_unit_test(a_line_without_an_end_ends_at_another_time),
                cmocka_unit_test(of_a_raw_log_a_line_goes_on_to_its_end),
                cmocka_unit_test(of_a_long_line_the_limit_is_given),
                cmocka_unit_test(bytes_of_zero_are_blanks),
                cmocka_unit_test(what_has_no_time_is_refused),
                cmocka_unit_test(an_error_of_the_sink_ends_it),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
