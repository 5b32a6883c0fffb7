/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Landlock takes, as far as the running kernel has it.
 *
 * Numbers and structures are the kernel's interface (Documentation/userspace-api/landlock.rst), written out
 * as the headers of a distribution are older than the kernels it runs on.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "runbook/sandbox.h"
#include "runbook/text.h"

#define UNIX_PREFIX "unix:"

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { CREATE_RULESET_VERSION = 1 };
enum { RULE_PATH_BENEATH = 1 };

struct ruleset {
        uint64_t files, net, scoped;
};

struct __attribute__((packed)) path_rule {
        uint64_t allowed;
        int32_t directory;
};

enum {
        EXECUTE = 1 << 0,
        WRITE_FILE = 1 << 1,
        /* READ_FILE is 1 << 2 and READ_DIR 1 << 3: both are left alone. */
        REMOVE_DIR = 1 << 4,
        REMOVE_FILE = 1 << 5,
        MAKE_CHAR = 1 << 6,
        MAKE_DIR = 1 << 7,
        MAKE_REG = 1 << 8,
        MAKE_SOCK = 1 << 9,
        MAKE_FIFO = 1 << 10,
        MAKE_BLOCK = 1 << 11,
        MAKE_SYM = 1 << 12,
        REFER = 1 << 13,
        TRUNCATE = 1 << 14,
        IOCTL_DEV = 1 << 15,
        KEEPING = WRITE_FILE | TRUNCATE | MAKE_REG | REMOVE_FILE, /* what is needed to keep files */
};

/* What each version can take, on top of those before it. Version 5 has ioctl on devices, 7 nothing to take.
 */
static const struct {
        int abi;
        struct ruleset taken;
} versions[] = {
        {1,
         {.files = EXECUTE | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_CHAR | MAKE_DIR | MAKE_REG |
                   MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK | MAKE_SYM}},
        {2, {.files = REFER}},
        {3, {.files = TRUNCATE}},
        {4, {.net = 1 << 0 /* to bind TCP */}},
        {5, {.files = IOCTL_DEV}},
        /* Signals. Abstract unix sockets are left: systemd's notifications and libpq may use one. */
        {6, {.scoped = 1 << 1}},
};

static struct ruleset ruleset_of(int abi, const struct sandbox_options *options)
{
        struct ruleset ruleset = {0};
        for (size_t i = 0; i < N_ELEMENTS(versions) && versions[i].abi <= abi; i++) {
                ruleset.files |= versions[i].taken.files;
                ruleset.net |= versions[i].taken.net;
                ruleset.scoped |= versions[i].taken.scoped;
        }
        if (options->programs)
                ruleset.files &= ~(uint64_t)EXECUTE;
        if (options->sockets)
                ruleset.net = 0;
        return ruleset;
}

static int fail_with(const char *doing, int code, struct error *error)
{
        return error_set_errno(error, code, "Landlock: %s", doing);
}

/* What of `allowed` this kernel's Landlock takes otherwise is allowed below `path`. */
static int allow_path(int fd, const struct ruleset *ruleset, const char *path, uint64_t allowed,
                      struct error *error)
{
        if (!path)
                return 0;
        _cleanup_close_ int directory = open(path, O_PATH | O_CLOEXEC);
        /* What this process cannot reach it will not write to either. */
        if (directory < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
                return 0;
        if (directory < 0)
                return fail_with(path, errno, error);
        const struct path_rule rule = {.allowed = allowed & ruleset->files, .directory = directory};
        return syscall(ADD_RULE, fd, RULE_PATH_BENEATH, &rule, 0) < 0 ? fail_with(path, errno, error) : 0;
}

/* The directory of the socket's file, which is removed at the end. */
static int allow_socket(int fd, const struct ruleset *ruleset, const char *address, bool make,
                        struct error *error)
{
        if (!string_starts(address, UNIX_PREFIX))
                return 0;
        const char *path = address + strlen(UNIX_PREFIX), *slash = strrchr(path, '/');
        _cleanup_free_ char *directory = !slash          ? strdup(".")
                                         : slash == path ? strdup("/")
                                                         : strndup(path, (size_t)(slash - path));
        if (!directory)
                return error_oom(error);
        return allow_path(fd, ruleset, directory, REMOVE_FILE | (make ? MAKE_SOCK : 0), error);
}

static int allow_all(int fd, const struct ruleset *ruleset, const struct sandbox_options *options,
                     struct error *error)
{
        int r = allow_path(fd, ruleset, options->state_directory, KEEPING, error);
        for (const char *const *at = options->directories; r == 0 && at && *at; at++)
                r = allow_path(fd, ruleset, *at, KEEPING | MAKE_DIR | REFER, error);
        for (const char *const *at = options->addresses; r == 0 && at && *at; at++)
                r = allow_socket(fd, ruleset, *at, options->sockets, error);
        /* What is written there is nowhere. Programs get it as their output. */
        return r < 0 ? r : allow_path(fd, ruleset, "/dev/null", WRITE_FILE | TRUNCATE | IOCTL_DEV, error);
}

#ifdef __SANITIZE_THREAD__
enum { THREADS = 2 }; /* one is the sanitizer's own */
#else
enum { THREADS = 1 };
#endif

/* Landlock takes from the calling thread and those that it will start: one that runs already would escape. */
static bool is_alone(void)
{
        struct stat tasks;
        return stat("/proc/self/task", &tasks) < 0 || tasks.st_nlink - 2 <= THREADS;
}

int sandbox_landlock_version(void)
{
        long abi = syscall(CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
        return abi < 1 ? 0 : (int)abi;
}

int sandbox_landlock(const struct sandbox_options *options, int *ret_abi, struct error *error)
{
        int abi = sandbox_landlock_version();
        if (abi == 0)
                return error_set(error, EOPNOTSUPP, "the kernel has no Landlock, or does not let it be used");
        if (!is_alone())
                return error_set(error, EBUSY, "Landlock: other threads run already");
        struct ruleset ruleset = ruleset_of((int)abi, options);
        /* An older kernel takes a longer structure as long as what it does not know is 0. */
        _cleanup_close_ int fd = (int)syscall(CREATE_RULESET, &ruleset, sizeof(ruleset), 0);
        if (fd < 0)
                return fail_with("a ruleset", errno, error);
        int r = allow_all(fd, &ruleset, options, error);
        if (r < 0)
                return r;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return fail_with("no_new_privs", errno, error);
        if (syscall(RESTRICT_SELF, fd, 0) < 0)
                return fail_with("entering it", errno, error);
        *ret_abi = (int)abi;
        return 0;
}
