/* SPDX-License-Identifier: Apache-2.0 */
/* The frames of a log stream, however they are cut; and files moved from one tar stream to another. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdio.h>

#include "lib/docker/internal.h"
#include "tests/harness/archive.h"

struct seen {
        struct text streams[4];
        int fail_with;
};

static int take(void *context, int stream, const char *data, size_t length)
{
        struct seen *seen = context;
        assert_true(stream >= 1 && stream <= 3);
        assert_true(length > 0);
        if (seen->fail_with)
                return seen->fail_with;
        text_append(&seen->streams[stream], data, length);
        return 0;
}

static void seen_free(struct seen *seen)
{
        for (size_t i = 0; i < N_ELEMENTS(seen->streams); i++)
                text_free(&seen->streams[i]);
}

#define FRAME(stream, length) stream "\0\0\0\0\0\0" length

/* stdout "hello\n", stderr "oh", an empty frame, stdin (which counts as stdout) "in", the Engine's "why" */
static const char stream[] = FRAME("\1", "\6") "hello\n" FRAME("\2", "\2") "oh" FRAME("\1", "\0")
        FRAME("\0", "\2") "in" FRAME("\3", "\3") "why";
static const size_t stream_length = sizeof(stream) - 1;

static void frames_survive_any_cut(void **state _unused_)
{
        for (size_t piece = 1; piece <= stream_length; piece++) {
                _cleanup_(seen_free) struct seen seen = {0};
                struct docker_frame_decoder decoder = {0};
                for (size_t at = 0; at < stream_length; at += piece) {
                        size_t n = stream_length - at < piece ? stream_length - at : piece;
                        assert_int_equal(docker_decode(&decoder, stream + at, n, take, &seen), 0);
                }
                assert_string_equal(text_string(&seen.streams[1]), "hello\nin");
                assert_string_equal(text_string(&seen.streams[2]), "oh");
                assert_string_equal(text_string(&seen.streams[3]), "why");
                assert_int_equal(decoder.left, 0);
                assert_int_equal(decoder.header_length, 0);
        }
}

static void a_length_is_big_endian_and_may_be_huge(void **state _unused_)
{
        _cleanup_(seen_free) struct seen seen = {0};
        struct docker_frame_decoder decoder = {0};
        assert_int_equal(docker_decode(&decoder, "\1\0\0\0\xfe\xdc\xba\x98x", 9, take, &seen), 0);
        assert_int_equal(decoder.left, UINT32_C(0xfedcba98) - 1);
        assert_string_equal(text_string(&seen.streams[1]), "x");
}

static void what_cannot_be_a_frame_is_refused(void **state _unused_)
{
        static const char *const wrong[] = {"\4\0\0\0\0\0\0\1x", "\1\1\0\0\0\0\0\1x", "\1\0\1\0\0\0\0\1x",
                                            "\1\0\0\1\0\0\0\1x", "{\"messag"};
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
                _cleanup_(seen_free) struct seen seen = {0};
                struct docker_frame_decoder decoder = {0};
                assert_int_equal(docker_decode(&decoder, wrong[i], 9, take, &seen), -EBADMSG);
                assert_int_equal(seen.streams[1].length, 0);
        }
}

static void a_terminal_has_no_frames(void **state _unused_)
{
        _cleanup_(seen_free) struct seen seen = {0};
        struct docker_frame_decoder decoder = {.raw = true};
        assert_int_equal(docker_decode(&decoder, "plain", 5, take, &seen), 0);
        assert_int_equal(docker_decode(&decoder, "", 0, take, &seen), 0);
        assert_string_equal(text_string(&seen.streams[1]), "plain");
}

static void what_the_sink_says_ends_it(void **state _unused_)
{
        _cleanup_(seen_free) struct seen seen = {.fail_with = -ENOSPC};
        struct docker_frame_decoder decoder = {0};
        assert_int_equal(docker_decode(&decoder, stream, stream_length, take, &seen), -ENOSPC);
}

/* Runs tar(1) over a stream in a temporary file; its output. */
static char *tar_says(const struct text *tar, const char *options)
{
        char path[] = "/tmp/runbook-tar-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, tar->data, tar->length), tar->length);
        close(fd);
        _cleanup_free_ char *command = text_format("tar %s %s 2>&1", options, path);
        FILE *pipe = popen(command, "r");
        char buffer[4096] = "";
        size_t n = fread(buffer, 1, sizeof(buffer) - 1, pipe);
        buffer[n] = '\0';
        assert_int_equal(pclose(pipe), 0);
        unlink(path);
        return strdup(buffer);
}

static void files_get_their_whole_path_and_keep_the_rest(void **state _unused_)
{
        _cleanup_free_ char *deep = calloc(1, 300);
        for (int i = 0; i < 28; i++)
                memcpy(deep + 10 * i, "/directory", 10);
        strcat(deep, "/\xc3\xa9");

        _cleanup_text_ struct text one = {0}, two = {0}, empty = {0}, tar = {0};
        archive_of(&one, "secret", "s3cret", 6, ARCHIVE_TIME);
        archive_of(&two, "e", "deep", 4, ARCHIVE_TIME);
        archive_of(&empty, "empty", "", 0, ARCHIVE_TIME);
        assert_int_equal(docker_tar_append(&tar, one.data, one.length, "/run/secrets/secret", NULL), 0);
        assert_int_equal(docker_tar_append(&tar, two.data, two.length, deep, NULL), 0);
        assert_int_equal(docker_tar_append(&tar, empty.data, empty.length, "/etc/empty", NULL), 0);

        /* And once more: what has a pax header already gets another path. */
        _cleanup_text_ struct text again = {0};
        docker_tar_end(&tar);
        assert_int_equal(docker_tar_append(&again, tar.data, tar.length, "/other/name", NULL), 0);
        docker_tar_end(&again);

        _cleanup_free_ char *expected = text_format("run/secrets/secret\n%s\netc/empty\n", deep + 1);
        _cleanup_free_ char *names = tar_says(&tar, "--quoting-style=literal -tf");
        assert_string_equal(names, expected);
        _cleanup_free_ char *content = tar_says(&tar, "-Oxf");
        assert_string_equal(content, "s3cretdeep");
        _cleanup_free_ char *details = tar_says(&again, "--numeric-owner --utc -tvf");
        assert_string_equal(details, "-rw-r----- 7/8               6 2020-09-13 12:26 other/name\n");
        _cleanup_free_ char *moved = tar_says(&again, "-Oxf");
        assert_string_equal(moved, "s3cret");
}

static void a_broken_archive_is_refused(void **state _unused_)
{
        _cleanup_text_ struct text one = {0}, tar = {0};
        archive_of(&one, "x", "0123456789", 10, ARCHIVE_TIME);
        for (size_t length = 0; length < 1024; length += 64)
                assert_int_equal(docker_tar_append(&tar, one.data, length, "/x", NULL), -EBADMSG);
        one.data[156] = '5'; /* a directory */
        assert_int_equal(docker_tar_append(&tar, one.data, one.length, "/x", NULL), -EBADMSG);
        memset(one.data + 124, '7', 11);
        assert_int_equal(docker_tar_append(&tar, one.data, one.length, "/x", NULL), -EBADMSG);
        one.data[124] = (char)0x80; /* base 256 */
        assert_int_equal(docker_tar_append(&tar, one.data, one.length, "/x", NULL), -EBADMSG);
        assert_int_equal(tar.length, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(frames_survive_any_cut),
                cmocka_unit_test(a_length_is_big_endian_and_may_be_huge),
                cmocka_unit_test(what_cannot_be_a_frame_is_refused),
                cmocka_unit_test(a_terminal_has_no_frames),
                cmocka_unit_test(what_the_sink_says_ends_it),
                cmocka_unit_test(files_get_their_whole_path_and_keep_the_rest),
                cmocka_unit_test(a_broken_archive_is_refused),
        };
        return cmocka_run_group_tests_name("docker_decode", tests, NULL, NULL);
}
