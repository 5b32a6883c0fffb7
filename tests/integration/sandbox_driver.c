/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enters the sandbox and then tries what it should not be able to do: "<attempt> <errno's name>" a line, 0
 * for what was done. Driven by test_sandbox.py.
 *
 *     sandbox_driver try MODE STATE OUTSIDE    in a state directory, and with OUTSIDE/{file,other,empty/}
 *     sandbox_driver without NUMBER PROGRAM…   starts a program on a kernel that has not got that call
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "runbook/sandbox.h"
#include "runbook/text.h"

static const char *state, *outside;
static int listener;  /* a TCP socket that listened before */
static pid_t starter; /* of this driver */

/* A path below one of the two; given back never, as the process ends soon. */
static const char *below(const char *directory, const char *name)
{
        return text_format("%s/%s", directory, name);
}

static long make_file(const char *path)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        return fd < 0 ? -1 : write(fd, "x", 1) == 1 ? close(fd) : -1;
}

static long state_is_written(void)
{
        const char *next = below(state, "kept.new"), *path = below(state, "kept");
        return make_file(next) < 0 || rename(next, path) < 0 ? -1 : unlink(path);
}

static long files_are_read(void)
{
        int fd = open(below(outside, "file"), O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -1 : close(fd);
}

static void *nothing(void *context)
{
        return context;
}

static long threads_are_started(void)
{
        pthread_t thread;
        errno = pthread_create(&thread, NULL, nothing, NULL);
        return errno ? -1 : pthread_join(thread, NULL);
}

static long tcp_is_connected(void)
{
        struct sockaddr_in address;
        socklen_t length = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        getsockname(listener, (struct sockaddr *)&address, &length);
        return connect(fd, (struct sockaddr *)&address, length);
}

static long own_signals(void)
{
        return kill(getpid(), 0);
}

static long null_is_written(void)
{
        int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -1 : close(fd);
}

static long write_outside(void)
{
        return make_file(below(outside, "new"));
}

static long truncate_outside(void)
{
        return truncate(below(outside, "file"), 0);
}

static long append_outside(void)
{
        return open(below(outside, "file"), O_WRONLY | O_APPEND | O_CLOEXEC);
}

static long rename_outside(void)
{
        return rename(below(outside, "other"), below(outside, "another"));
}

static long link_outside(void)
{
        return link(below(outside, "file"), below(outside, "link"));
}

static long symlink_outside(void)
{
        return symlink("file", below(outside, "symlink"));
}

static long mkdir_outside(void)
{
        return mkdir(below(outside, "directory"), 0700);
}

static long rmdir_outside(void)
{
        return rmdir(below(outside, "empty"));
}

static long unlink_outside(void)
{
        return unlink(below(outside, "file"));
}

static long mkdir_in_state(void)
{
        return mkdir(below(state, "directory"), 0700);
}

static long link_in_state(void)
{
        const char *path = below(state, "linked"), *other = below(state, "directory/linked");
        if (mkdir(below(state, "directory"), 0700) < 0 && errno != EEXIST)
                return -1;
        return make_file(path) < 0 || link(path, other) < 0 || unlink(other) < 0 ? -1 : unlink(path);
}

static long listen_again(void)
{
        return listen(listener, 8);
}

static long mkfifo_outside(void)
{
        return mkfifo(below(outside, "fifo"), 0600);
}

static long chmod_outside(void)
{
        return chmod(below(outside, "file"), 0777);
}

static long chown_outside(void)
{
        return chown(below(outside, "file"), getuid(), getgid());
}

static long utimes_outside(void)
{
        return utimes(below(outside, "file"), NULL);
}

static long execve_program(void)
{
        return execl("/bin/true", "true", NULL);
}

static long execveat_program(void)
{
        const char *const words[] = {"true", NULL};
        return syscall(SYS_execveat, AT_FDCWD, "/bin/true", words, environ, 0);
}

static long ptrace_itself(void)
{
        return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long read_memory(void)
{
        char from = 1, to;
        struct iovec local = {&to, 1}, remote = {&from, 1};
        return process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
}

static long signal_another(void)
{
        return kill(starter, 0);
}

static long unshare_user(void)
{
        return unshare(CLONE_NEWUSER);
}

static long clone_user(void)
{
        long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0)
                _exit(0);
        return pid;
}

static long enter_namespace(void)
{
        return setns(-1, 0);
}

static long bind_tcp(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        return bind(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&address,
                    sizeof(address));
}

static long bind_unix(void)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", below(outside, "socket"));
        return bind(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&address,
                    sizeof(address));
}

/* This and all below: with arguments that do no harm where they are let pass. */
static long mount_nothing(void)
{
        return mount("none", "/nonexistent", "tmpfs", 0, NULL);
}

static long unmount_nothing(void)
{
        return umount2("/nonexistent", 0);
}

static long change_root(void)
{
        return chroot("/");
}

static long swap_nothing(void)
{
        return swapon("/nonexistent", 0);
}

static long reboot_nothing(void)
{
        return syscall(SYS_reboot, 0, 0, 0, NULL);
}

static long set_no_time(void)
{
        struct timeval wrong = {.tv_usec = -1};
        return syscall(SYS_settimeofday, &wrong, NULL);
}

static long load_no_module(void)
{
        return syscall(SYS_finit_module, -1, "", 0);
}

static long load_no_program(void)
{
        return syscall(SYS_bpf, -1, NULL, 0);
}

static long open_ring(void)
{
        return syscall(SYS_io_uring_setup, 0, NULL);
}

static long read_key(void)
{
        return syscall(SYS_keyctl, -1, 0, 0, 0, 0);
}

#ifdef __x86_64__
static long call_of_x32(void)
{
        return syscall(0x40000000 | SYS_getpid);
}
#endif

static const struct {
        const char *name;
        long (*run)(void);
} attempts[] = {
        {"state_is_written", state_is_written},
        {"files_are_read", files_are_read},
        {"threads_are_started", threads_are_started},
        {"tcp_is_connected", tcp_is_connected},
        {"own_signals", own_signals},
        {"null_is_written", null_is_written},
        {"bind_unix", bind_unix},
        {"bind_tcp", bind_tcp},
        {"write_outside", write_outside},
        {"append_outside", append_outside},
        {"truncate_outside", truncate_outside},
        {"link_outside", link_outside},
        {"symlink_outside", symlink_outside},
        {"mkdir_outside", mkdir_outside},
        {"rmdir_outside", rmdir_outside},
        {"mkdir_in_state", mkdir_in_state},
        {"link_in_state", link_in_state},
        {"listen_again", listen_again},
        {"mkfifo_outside", mkfifo_outside},
        {"chmod_outside", chmod_outside},
        {"chown_outside", chown_outside},
        {"utimes_outside", utimes_outside},
        {"unlink_outside", unlink_outside},
        {"rename_outside", rename_outside},
        {"execve_program", execve_program},
        {"execveat_program", execveat_program},
        {"ptrace_itself", ptrace_itself},
        {"read_memory", read_memory},
        {"signal_another", signal_another},
        {"unshare_user", unshare_user},
        {"clone_user", clone_user},
        {"enter_namespace", enter_namespace},
        {"mount_nothing", mount_nothing},
        {"unmount_nothing", unmount_nothing},
        {"change_root", change_root},
        {"swap_nothing", swap_nothing},
        {"reboot_nothing", reboot_nothing},
        {"set_no_time", set_no_time},
        {"load_no_module", load_no_module},
        {"load_no_program", load_no_program},
        {"open_ring", open_ring},
        {"read_key", read_key},
#ifdef __x86_64__
        {"call_of_x32", call_of_x32},
#endif
};

/* In a process of its own, as some attempts change it. No leaks are looked for: that needs what was given up.
 */
static int attempt(long (*run)(void))
{
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
                errno = 0;
                _exit(run() < 0 ? errno : 0);
        }
        waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

/* As the exporter does, or (opening, sealed) as the responder. */
static bool enter(const char *mode)
{
        _cleanup_error_ struct error error = {0};
        bool sealed = string_equal(mode, "sealed"), doors = sealed || string_equal(mode, "opening");
        const char *const directories[] = {doors ? state : NULL, NULL};
        const struct sandbox_options options = {
                .state_directory = doors ? NULL : state,
                .directories = directories,
                .programs = string_equal(mode, "readers") || string_equal(mode, "seccomp"),
                .files = string_equal(mode, "seccomp"),
                .sockets = doors,
        };
        const struct sandbox sandbox = {.seccomp = true};
        int abi;
        if (string_equal(mode, "none"))
                return true;
        if ((!string_equal(mode, "seccomp") && sandbox_landlock(&options, &abi, &error) < 0) ||
            (!string_equal(mode, "landlock") && sandbox_seccomp(&options, &error) < 0) ||
            (sealed && sandbox_seal(&sandbox, &error) < 0)) {
                fprintf(stderr, "%s\n", error_text(&error));
                return false;
        }
        return true;
}

static int try_all(const char *mode)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 8) < 0)
                return 1;
        if (!enter(mode))
                return 1;
        for (size_t i = 0; i < N_ELEMENTS(attempts); i++) {
                int code = attempt(attempts[i].run);
                printf("%s %s\n", attempts[i].name, code ? strerrorname_np(code) : "0");
                fflush(stdout);
        }
        return 0;
}

static int start_without(const char *number, char **words)
{
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)strtoul(number, NULL, 10), 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog program = {.len = N_ELEMENTS(filter), .filter = filter};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                return 1;
        execv(words[0], words);
        return 1;
}

int main(int argc, char **argv)
{
        if (argc == 5 && string_equal(argv[1], "try")) {
                starter = getppid();
                state = argv[3];
                outside = argv[4];
                _exit(try_all(argv[2]));
        }
        if (argc > 3 && string_equal(argv[1], "without"))
                return start_without(argv[2], argv + 3);
        return 2;
}
