/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/breaking.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runbook/common.h"
#include "runbook/log.h"

static _Noreturn void act_alone(int log, const char *format, void (*act)(void *argument), void *argument)
{
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL); /* cmocka has a handler of its own */
        dup2(log, STDERR_FILENO);
        log_setup("error", format, NULL);
        act(argument);
        _exit(0);
}

char *log_of_breaking(const char *format, void (*act)(void *argument), void *argument)
{
        enum { LOG_MOST = 4096 };
        int pipes[2], status = 0;
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
                act_alone(pipes[1], format, act, argument);
        close(pipes[1]);
        char *logged = calloc(1, LOG_MOST);
        size_t length = 0;
        for (ssize_t got;
             length < LOG_MOST - 1 && (got = read(pipes[0], logged + length, LOG_MOST - 1 - length)) > 0;)
                length += (size_t)got;
        close(pipes[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
                fail_msg("no contract was broken: %s", logged);
        return logged;
}

void must_break(const char *sentence, void (*act)(void *argument), void *argument)
{
        _cleanup_free_ char *logged = log_of_breaking("logfmt", act, argument);
        if (!strstr(logged, sentence))
                fail_msg("the contract that %s was not broken, but: %s", sentence, logged);
}
