/* SPDX-License-Identifier: Apache-2.0 */
/* Files: read and written whatever interrupts, replaced whole, on the disk before anybody is told so. */
#include "runbook/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/harness/unit.h"

static char directory[64], path[80];
static int sync_file_error, sync_directory_error;
static bool sync_is_idle;
static char syncs[128]; /* what was synced, and what the file held then */

static const char *held(void)
{
        static char bytes[32];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes) - 1);
        if (fd >= 0)
                close(fd);
        bytes[got > 0 ? got : 0] = '\0';
        return fd < 0 ? "nothing" : bytes;
}

/* Of libc, for all of this program. */
int fsync(int fd)
{
        struct stat status;
        if (sync_is_idle)
                return 0;
        assert_int_equal(fstat(fd, &status), 0);
        bool is_directory = S_ISDIR(status.st_mode);
        size_t length = strlen(syncs);
        snprintf(syncs + length, sizeof(syncs) - length, "%s: %s; ", is_directory ? "directory" : "file",
                 held());
        errno = is_directory ? sync_directory_error : sync_file_error;
        return errno ? -1 : (int)syscall(SYS_fsync, fd);
}

static int start(void **state _unused_)
{
        strcpy(directory, "/tmp/runbook-test-file-XXXXXX");
        assert_non_null(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/page", directory);
        sync_file_error = sync_directory_error = 0;
        sync_is_idle = false;
        syncs[0] = '\0';
        return 0;
}

/* Also shows that nothing was left beside the file. */
static int stop(void **state _unused_)
{
        unlink(path);
        return rmdir(directory);
}

static int replace(const char *content, struct error *error)
{
        return file_replace(path, content, strlen(content), 0644, error);
}

static void the_old_content_or_the_new_one(void **state _unused_)
{
        assert_int_equal(replace("one", NULL), 0);
        assert_string_equal(syncs, "file: nothing; directory: one; ");
        syncs[0] = '\0';
        assert_int_equal(replace("two", NULL), 0);
        assert_string_equal(syncs, "file: one; directory: two; ");
        assert_int_equal(file_replace(path, "", 0, 0644, NULL), 0);
        assert_string_equal(held(), "");
}

static void a_failure_leaves_what_was_there(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        char sentence[128];
        assert_int_equal(replace("one", NULL), 0);
        sync_file_error = EIO;
        assert_int_equal(replace("two", &error), -EIO);
        snprintf(sentence, sizeof(sentence), "cannot write %s: Input/output error", path);
        assert_string_equal(error_text(&error), sentence);
        assert_string_equal(held(), "one");
        sync_file_error = 0;

        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(replace("three", NULL), -EISDIR);
        assert_int_equal(rmdir(path), 0);
        strcat(path, "/below");
        assert_int_equal(replace("four", NULL), -ENOENT);
}

static void the_rename_is_on_the_disk_too(void **state _unused_)
{
        sync_directory_error = EIO;
        assert_int_equal(replace("one", NULL), -EIO);
        sync_directory_error = EINVAL; /* the file system has no such thing */
        assert_int_equal(replace("two", NULL), 0);
        assert_string_equal(held(), "two");
}

static void the_mode_is_that_of_the_new_file(void **state _unused_)
{
        static const mode_t modes[] = {0600, 0400, 0644};
        mode_t before = umask(022);
        for (size_t i = 0; i < N_ELEMENTS(modes); i++) {
                struct stat status;
                assert_int_equal(file_replace(path, "x", 1, modes[i], NULL), 0);
                assert_int_equal(stat(path, &status), 0);
                assert_int_equal(status.st_mode & 07777, modes[i]);
        }
        umask(before);
}

/* Neither what a crash has left, nor what a stranger has put there as a way to another file. */
static void what_lies_beside_is_not_written_to(void **state _unused_)
{
        char beside[128], other[128];
        snprintf(beside, sizeof(beside), "%s.%d.new", path, (int)getpid());
        snprintf(other, sizeof(other), "%s/other", directory);
        assert_int_equal(symlink(other, beside), 0);
        assert_int_equal(replace("one", NULL), 0);
        assert_string_equal(held(), "one");
        assert_int_equal(access(other, F_OK), -1);
}

static void names_without_a_directory_are_here(void **state _unused_)
{
        int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(here >= 0);
        assert_int_equal(chdir(directory), 0);
        assert_int_equal(file_replace("page", "here", 4, 0600, NULL), 0);
        assert_int_equal(fchdir(here), 0);
        close(here);
        assert_string_equal(held(), "here");
}

enum { WRITERS = 4, ROUNDS = 50, LONG = 16384 };

static void write_for_ever(char letter)
{
        static char content[LONG];
        memset(content, letter, LONG);
        for (int i = 0; i < ROUNDS; i++)
                if (file_replace(path, content, LONG, 0644, NULL) < 0)
                        _exit(1);
        _exit(0);
}

static void assert_of_one_letter(void)
{
        _cleanup_text_ struct text text = {0};
        if (file_read_whole(path, LONG, &text, NULL) == -ENOENT)
                return;
        assert_int_equal(text.length, LONG);
        assert_int_equal(strspn(text.data, (char[]){text.data[0], '\0'}), LONG);
}

static void several_processes_replace_one_file(void **state _unused_)
{
        pid_t writers[WRITERS];
        int status;
        sync_is_idle = true;
        for (int i = 0; i < WRITERS; i++) {
                writers[i] = fork();
                assert_true(writers[i] >= 0);
                if (writers[i] == 0)
                        write_for_ever((char)('a' + i));
        }
        for (int i = 0; i < WRITERS; i++) {
                while (waitpid(writers[i], &status, WNOHANG) == 0)
                        assert_of_one_letter();
                assert_int_equal(status, 0);
        }
        assert_of_one_letter();
}

/* Written whole, or not at all: nothing is left beside it, which stop() sees. */
static void what_is_there_is_not_made_again(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        char other[128];
        assert_int_equal(file_make(path, "one", 3, 0600, NULL), 0);
        assert_string_equal(syncs, "file: nothing; directory: one; ");
        assert_int_equal(file_make(path, "two", 3, 0600, &error), -EEXIST);
        assert_string_equal(held(), "one");
        snprintf(other, sizeof(other), "%s/other", directory);
        assert_int_equal(file_make(other, "two", 3, 0600, NULL), 0);
        assert_int_equal(file_rename_new(other, path, NULL), -EEXIST);
        assert_string_equal(held(), "one");
        assert_int_equal(unlink(path), 0);
        assert_int_equal(file_rename_new(other, path, NULL), 0);
        assert_string_equal(held(), "two");
        assert_int_equal(access(other, F_OK), -1);
        assert_int_equal(file_rename_new(other, path, NULL), -ENOENT);
}

static int read_limited(size_t limit, struct text *text, struct error *error)
{
        return file_read_whole(path, limit, text, error);
}

static void a_file_is_read_up_to_the_limit(void **state _unused_)
{
        static char content[3 << 20];
        static const struct {
                size_t length, limit;
                const char *unit;
        } cases[] = {
                {0, 1, NULL},
                {1, 1, NULL},
                {4096, 4096, NULL},
                {4097, 4096, "4 KiB"},
                {4095, 4095, NULL},
                {4096, 4095, "4095 bytes"},
                {3 << 20, 3 << 20, NULL},
                {100000, SIZE_MAX, NULL},
                {3 << 20, 1 << 20, "1 MiB"},
        };
        memset(content, 'x', sizeof(content));
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text text = {0};
                _cleanup_error_ struct error error = {0};
                char sentence[128];
                text_puts(&text, "before ");
                assert_int_equal(file_replace(path, content, cases[i].length, 0600, NULL), 0);
                int r = read_limited(cases[i].limit, &text, &error);
                if (cases[i].unit) {
                        snprintf(sentence, sizeof(sentence), "%s is larger than %s", path, cases[i].unit);
                        assert_int_equal(r, -EFBIG);
                        assert_string_equal(error_text(&error), sentence);
                } else {
                        assert_int_equal(r, 0);
                        assert_int_equal(text.length, 7 + cases[i].length);
                        assert_memory_equal(text.data, "before ", 7);
                        assert_memory_equal(text.data + 7, content, cases[i].length);
                        assert_int_equal(text.data[text.length], '\0');
                }
        }
}

static void what_is_no_file_does_not_hold_anybody_up(void **state _unused_)
{
        _cleanup_text_ struct text text = {0};
        _cleanup_error_ struct error error = {0};
        char sentence[128];
        assert_int_equal(read_limited(10, &text, &error), -ENOENT);
        snprintf(sentence, sizeof(sentence), "cannot open %s: No such file or directory", path);
        assert_string_equal(error_text(&error), sentence);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(read_limited(10, &text, &error), -EINVAL);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(file_read_whole(directory, 10, &text, NULL), -EINVAL);
        _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(file_read_rest(fd, "the directory", 10, &text, &error), -EISDIR);
        assert_string_equal(error_text(&error), "cannot read the directory: Is a directory");
        assert_int_equal(text.length, 0);
}

/* A pipe whose other end is served by a signal, each of which interrupts who waits for it: a millisecond
 * after the last one was seen to, so that something is done between them on the slowest machine, too. */
static int ends[2];
static unsigned rounds;
static char received[400000];
static size_t received_length;

static void interrupt_soon(void)
{
        const struct itimerval soon = {.it_value = {0, 1000}};
        setitimer(ITIMER_REAL, &soon, NULL);
}

static void feed(int number _unused_)
{
        if (++rounds % 3 == 0 && rounds <= 12)
                (void)!write(ends[1], "abc", 3);
        else if (rounds == 13)
                close(ends[1]);
        interrupt_soon();
}

static void drain(int number _unused_)
{
        ssize_t got = read(ends[0], received + received_length, sizeof(received) - received_length);
        if (got > 0)
                received_length += (size_t)got;
        interrupt_soon();
}

static void interrupt_by(void (*handler)(int number))
{
        const struct sigaction action = {.sa_handler = handler};
        rounds = 0;
        received_length = 0;
        assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
        interrupt_soon();
}

static void interrupt_no_more(void)
{
        signal(SIGALRM, SIG_IGN);
}

static void no_signal_cuts_reading_short(void **state _unused_)
{
        char bytes[7];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        interrupt_by(feed);
        assert_int_equal(file_read(ends[0], bytes, 7), 7);
        assert_memory_equal(bytes, "abcabca", 7);
        assert_int_equal(file_read(ends[0], bytes, 7), 5);
        assert_memory_equal(bytes, "bcabc", 5);
        assert_int_equal(file_read(ends[0], bytes, 7), 0);
        interrupt_no_more();
        close(ends[0]);
}

static void no_signal_cuts_writing_short(void **state _unused_)
{
        static char content[sizeof(received)];
        for (size_t i = 0; i < sizeof(content); i++)
                content[i] = (char)(i * 7 + i / 4096);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
        interrupt_by(drain);
        assert_int_equal(file_write(ends[1], content, sizeof(content)), 0);
        interrupt_no_more();
        drain(0);
        while (received_length < sizeof(received))
                drain(0);
        assert_memory_equal(received, content, sizeof(content));
        close(ends[0]);
        signal(SIGPIPE, SIG_IGN);
        assert_int_equal(file_write(ends[1], "x", 1), -EPIPE);
        close(ends[1]);
}

static void what_does_not_block_gives_what_it_has(void **state _unused_)
{
        char bytes[8];
        assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        assert_int_equal(file_read(ends[0], bytes, 8), -EAGAIN);
        assert_int_equal(file_write(ends[1], "abc", 3), 0);
        assert_int_equal(file_read(ends[0], bytes, 8), 3);
        assert_int_equal(file_read(ends[0], bytes, 8), -EAGAIN);
        close(ends[1]);
        assert_int_equal(file_read(ends[0], bytes, 8), 0);
        close(ends[0]);
        assert_int_equal(file_read(-1, bytes, 8), -EBADF);
}

static void reads_at_an_offset(void **state _unused_)
{
        char bytes[8];
        assert_int_equal(replace("0123456789", NULL), 0);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(file_read_at(fd, bytes, 4, 3), 4);
        assert_memory_equal(bytes, "3456", 4);
        assert_int_equal(file_read_at(fd, bytes, 8, 8), 2);
        assert_memory_equal(bytes, "89", 2);
        assert_int_equal(file_read_at(fd, bytes, 8, 10), 0);
        assert_int_equal(file_read_at(fd, bytes, 8, -1), -EINVAL);
        assert_int_equal(file_read(fd, bytes, 2), 2); /* from its own place, which is the beginning still */
        assert_memory_equal(bytes, "01", 2);
}

static void directories_are_made_on_the_way(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        char way[128], sentence[160];
        struct stat status;
        snprintf(way, sizeof(way), "%s/a//b/file", directory);
        assert_int_equal(file_make_directories(way, NULL), 0);
        assert_int_equal(file_make_directories(way, NULL), 0);
        assert_int_equal(access(way, F_OK), -1);
        snprintf(way, sizeof(way), "%s/a/b", directory);
        assert_int_equal(stat(way, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0700);

        snprintf(way, sizeof(way), "%s/a/b/c", directory);
        close(open(way, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        snprintf(way, sizeof(way), "%s/a/b/c/d/", directory);
        assert_int_equal(file_make_directories(way, &error), -ENOTDIR);
        snprintf(sentence, sizeof(sentence), "cannot make the directory %s/a/b/c/d: Not a directory",
                 directory);
        assert_string_equal(error_text(&error), sentence);
        assert_int_equal(file_make_directories("", NULL), 0);
        assert_int_equal(file_make_directories("name", NULL), 0);
        assert_int_equal(file_make_directories("/", NULL), 0);

        static const char *const made[] = {"a/b/c", "a/b", "a"};
        for (size_t i = 0; i < N_ELEMENTS(made); i++) {
                snprintf(way, sizeof(way), "%s/%s", directory, made[i]);
                assert_int_equal(remove(way), 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_old_content_or_the_new_one, start, stop),
                cmocka_unit_test_setup_teardown(a_failure_leaves_what_was_there, start, stop),
                cmocka_unit_test_setup_teardown(the_rename_is_on_the_disk_too, start, stop),
                cmocka_unit_test_setup_teardown(the_mode_is_that_of_the_new_file, start, stop),
                cmocka_unit_test_setup_teardown(what_lies_beside_is_not_written_to, start, stop),
                cmocka_unit_test_setup_teardown(names_without_a_directory_are_here, start, stop),
                cmocka_unit_test_setup_teardown(several_processes_replace_one_file, start, stop),
                cmocka_unit_test_setup_teardown(what_is_there_is_not_made_again, start, stop),
                cmocka_unit_test_setup_teardown(a_file_is_read_up_to_the_limit, start, stop),
                cmocka_unit_test_setup_teardown(what_is_no_file_does_not_hold_anybody_up, start, stop),
                cmocka_unit_test_setup_teardown(no_signal_cuts_reading_short, start, stop),
                cmocka_unit_test_setup_teardown(no_signal_cuts_writing_short, start, stop),
                cmocka_unit_test_setup_teardown(what_does_not_block_gives_what_it_has, start, stop),
                cmocka_unit_test_setup_teardown(reads_at_an_offset, start, stop),
                cmocka_unit_test_setup_teardown(directories_are_made_on_the_way, start, stop),
        };
        return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
