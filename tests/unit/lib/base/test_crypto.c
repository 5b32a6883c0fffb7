/* SPDX-License-Identifier: Apache-2.0 */
/* libcrypto begins with memory, or not at all; later want of memory is a failure like any other. */
#include "runbook/crypto.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "runbook/digest.h"
#include "runbook/file.h"
#include "tests/harness/unit.h"

/* More than there is, of whatever is set up on its own. */
static const size_t TOO_MUCH = (size_t)1 << 60;

/* ASan's own end of what is too much would be none of the program's. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
        return "allocator_may_return_null=1";
}

enum { SAID = 4096 };

/* What `act` ends with in a process of its own, and what that says. */
static int end_of(int (*act)(void), char said[static SAID])
{
        int ends[2], status = 0;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                dup2(ends[1], STDERR_FILENO);
                crypto_begin("tester");
                _exit(act());
        }
        close(ends[1]);
        ssize_t length = file_read(ends[0], said, SAID - 1);
        assert_true(length >= 0);
        said[length] = '\0';
        close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static int want_too_much_while_it_begins(void)
{
        return OPENSSL_malloc(TOO_MUCH) ? 2 : 3;
}

static int want_too_much_afterwards(void)
{
        unsigned char sum[DIGEST_SIZE];
        crypto_settle();
        void *some = OPENSSL_malloc(10), *more = OPENSSL_realloc(some, 1000);
        bool fine = more && !OPENSSL_malloc(TOO_MUCH) && !OPENSSL_realloc(more, TOO_MUCH) &&
                    !OPENSSL_malloc(0) && !OPENSSL_realloc(more, 0);
        return fine && digest_of("", 0, sum) >= 0 ? 7 : 2;
}

static void want_of_memory_at_the_begin_is_the_end(void **state _unused_)
{
        char said[SAID];
        assert_int_equal(end_of(want_too_much_while_it_begins, said), 1);
        assert_non_null(strstr(said, "tester: out of memory\n"));
}

static void want_of_memory_later_is_a_failure(void **state _unused_)
{
        char said[SAID];
        assert_int_equal(end_of(want_too_much_afterwards, said), 7);
        assert_null(strstr(said, "out of memory\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(want_of_memory_at_the_begin_is_the_end),
                cmocka_unit_test(want_of_memory_later_is_a_failure),
        };
        return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
