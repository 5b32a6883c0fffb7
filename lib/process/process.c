/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a program, reading what it says, and seeing it end. */
#include "runbook/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "runbook/file.h"
#include "runbook/trace.h"

#define ERRORS_MAX ((size_t)4096)
#define PATH_FALLBACK "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void process_result_release(struct process_result *result)
{
        text_free(&result->output);
        text_free(&result->errors);
        *result = (struct process_result){0};
}

/* Lists of strings as exec has them, closed by NULL. */
struct strings {
        char **items;
        size_t count;
};

static void strings_release(struct strings *strings)
{
        for (size_t i = 0; i < strings->count; i++)
                free(strings->items[i]);
        free(strings->items);
}

static int strings_new(size_t room, struct strings *ret)
{
        ret->items = calloc(room + 1, sizeof(*ret->items));
        return ret->items ? 0 : -ENOMEM;
}

static int strings_add(struct strings *strings, char *word)
{
        if (!word)
                return -ENOMEM;
        strings->items[strings->count++] = word;
        return 0;
}

static const char *own_variable(const char *name, const char *fallback)
{
        const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets any */
        return value && *value ? value : fallback;
}

/* What every program gets of this one's, unless the check gives it. */
static const struct {
        const char *name, *fallback;
} passed_on[] = {{"PATH", PATH_FALLBACK}, {"LANG", "C.UTF-8"}};

static int make_environment(const struct config_map *given, struct strings *ret)
{
        size_t count = given ? given->count : 0;
        int r = strings_new(count + N_ELEMENTS(passed_on), ret);
        for (size_t i = 0; r == 0 && i < count; i++)
                r = strings_add(ret, text_format("%s=%s", given->keys[i], given->values[i]));
        for (size_t i = 0; r == 0 && i < N_ELEMENTS(passed_on); i++)
                if (!given || !config_map_get(given, passed_on[i].name))
                        r = strings_add(ret,
                                        text_format("%s=%s", passed_on[i].name,
                                                    own_variable(passed_on[i].name, passed_on[i].fallback)));
        return r;
}

struct pipe_ends {
        int read, write;
};

static void pipe_close(struct pipe_ends *ends)
{
        close_p(&ends->read);
        close_p(&ends->write);
}

/* Only our end is non-blocking: a program does not expect that of its standard output. */
static int pipe_open(struct pipe_ends *ret, struct error *error)
{
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set_errno(error, errno, "pipe");
        *ret = (struct pipe_ends){ends[0], ends[1]};
        if (fcntl(ret->read, F_SETFL, O_NONBLOCK) < 0)
                return error_set_errno(error, errno, "pipe");
        return 0;
}

struct process {
        pid_t pid; /* and of its group; 0: none */
        int fd;    /* a pidfd, readable once it has ended */
        struct pipe_ends output, errors;
};

/* Its zombie keeps the group's number from being given to others until everyone in it was killed. */
static void process_end(struct process *process)
{
        if (process->pid > 0) {
                kill(-process->pid, SIGKILL);
                waitpid(process->pid, NULL, 0);
        }
        close_p(&process->fd);
        pipe_close(&process->output);
        pipe_close(&process->errors);
}

/* Signals as a program expects them: this process ignores some and blocks others. */
static int set_attributes(posix_spawnattr_t *attributes)
{
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        int r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                             POSIX_SPAWN_SETSIGDEF);
        if (r == 0)
                r = posix_spawnattr_setpgroup(attributes, 0);
        if (r == 0)
                r = posix_spawnattr_setsigmask(attributes, &none);
        return r ? r : posix_spawnattr_setsigdefault(attributes, &all);
}

static int set_files(posix_spawn_file_actions_t *actions, const struct process_options *options,
                     const struct process *process)
{
        int r = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = options->output_limit > 0
                            ? posix_spawn_file_actions_adddup2(actions, process->output.write, STDOUT_FILENO)
                            : posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY,
                                                               0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, process->errors.write, STDERR_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
        return r ? r
                 : posix_spawn_file_actions_addchdir_np(actions,
                                                        options->directory ? options->directory : "/");
}

static int spawn_program(const struct process_options *options, struct process *process, struct error *error)
{
        _cleanup_(strings_release) struct strings argv = {0}, environment = {0};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r = strings_new(options->command->count, &argv);
        for (size_t i = 0; r == 0 && i < options->command->count; i++)
                r = strings_add(&argv, strdup(options->command->items[i]));
        if (r == 0)
                r = make_environment(options->environment, &environment);
        if (r < 0 || posix_spawn_file_actions_init(&actions) != 0)
                return error_oom(error);
        if (posix_spawnattr_init(&attributes) != 0) {
                posix_spawn_file_actions_destroy(&actions);
                return error_oom(error);
        }
        r = set_attributes(&attributes);
        if (r == 0)
                r = set_files(&actions, options, process);
        if (r == 0)
                r = posix_spawn(&process->pid, options->command->items[0], &actions, &attributes, argv.items,
                                environment.items);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        if (r != 0) {
                process->pid = 0;
                return error_set_errno(error, r, "%s", options->command->items[0]);
        }
        return 0;
}

/* Reads what is there; 0 at the end of it, -EAGAIN while more may come. Beyond `limit` it only looks. */
static int read_some(int fd, size_t limit, struct text *text, bool *ret_too_much)
{
        for (;;) {
                char buffer[4096];
                ssize_t got = file_read(fd, buffer, sizeof(buffer));
                if (got <= 0)
                        return got == 0 ? 0 : -EAGAIN;
                size_t room = limit - text->length;
                text_append(text, buffer, (size_t)got < room ? (size_t)got : room);
                if ((size_t)got > room)
                        *ret_too_much = true;
        }
}

/* Reads until the process has ended; what it left running may hold its pipes open and is not waited for. */
static int listen_to(struct process *process, size_t limit, struct deadline deadline,
                     struct process_result *result, struct error *error)
{
        struct pollfd sources[] = {
                {.fd = process->fd, .events = POLLIN},
                {.fd = limit > 0 ? process->output.read : -1, .events = POLLIN},
                {.fd = process->errors.read, .events = POLLIN},
        };
        bool too_much = false, ignored;
        for (bool ended = false; !ended;) {
                int r = poll(sources, N_ELEMENTS(sources), deadline_left_ms(deadline));
                if (r < 0 && errno != EINTR)
                        return error_set_errno(error, errno, "poll");
                if (r == 0)
                        return error_set(error, ETIMEDOUT, "it did not end in time and was killed");
                if (r < 0)
                        continue;
                ended = sources[0].revents != 0;
                if (sources[1].fd >= 0 && read_some(sources[1].fd, limit, &result->output, &too_much) == 0)
                        sources[1].fd = -1;
                if (sources[2].fd >= 0 &&
                    read_some(sources[2].fd, ERRORS_MAX, &result->errors, &ignored) == 0)
                        sources[2].fd = -1;
                if (too_much)
                        return error_set(error, EFBIG, "it wrote more than %zu bytes and was killed", limit);
                if (deadline_passed(deadline) && !ended)
                        return error_set(error, ETIMEDOUT, "it did not end in time and was killed");
        }
        return text_error(&result->output) < 0 || text_error(&result->errors) < 0 ? error_oom(error) : 0;
}

int process_run(const struct process_options *options, struct deadline deadline, struct process_result *ret,
                struct error *error)
{
        _cleanup_(process_end) struct process process = {.fd = -1, .output = {-1, -1}, .errors = {-1, -1}};
        _cleanup_(process_result_release) struct process_result result = {0};
        siginfo_t end = {0};
        trace_step(deadline, "starting %s", options->command->items[0]);
        int r = pipe_open(&process.output, error);
        if (r == 0)
                r = pipe_open(&process.errors, error);
        if (r == 0)
                r = spawn_program(options, &process, error);
        if (r < 0)
                return r;
        close_p(&process.output.write);
        close_p(&process.errors.write);
        process.output.write = process.errors.write = -1;
        process.fd = (int)syscall(SYS_pidfd_open, process.pid, 0);
        if (process.fd < 0)
                return error_set_errno(error, errno, "pidfd_open");
        r = listen_to(&process, options->output_limit, deadline, &result, error);
        if (r < 0)
                return error_prefix(error, r, "%s", options->command->items[0]);
        /* WNOWAIT leaves the zombie to process_end(). */
        if (waitid(P_PID, (id_t)process.pid, &end, WEXITED | WNOWAIT) < 0)
                return error_set_errno(error, errno, "waitid");
        result.code = end.si_code == CLD_EXITED ? end.si_status : -end.si_status;
        trace_step(deadline, "it %s %d after writing %zu bytes",
                   result.code < 0 ? "was ended by signal" : "ended with",
                   result.code < 0 ? -result.code : result.code, result.output.length);
        *ret = result;
        result = (struct process_result){0};
        return 0;
}
