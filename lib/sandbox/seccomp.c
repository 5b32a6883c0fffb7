/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deny list of system calls, and the filter that it becomes.
 *
 * The kernel finds out by itself which calls such a filter always lets pass, and runs it for the others
 * alone: the calls of a scrape cost what they cost without.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "runbook/sandbox.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define FIRST_FOREIGN 0x40000000U /* the calls of x32 */
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define FIRST_FOREIGN UINT32_MAX
#endif

enum { ALWAYS, UNLESS_TRACING, UNLESS_PROGRAMS, UNLESS_FILES, UNLESS_SOCKETS };

/* Not every architecture has every call, and older headers do not know the newer ones. */
static const struct {
        uint32_t number;
        int when;
} denied[] = {
        /* other processes */
        {SYS_ptrace, UNLESS_TRACING},
        {SYS_process_vm_readv, ALWAYS},
        {SYS_process_vm_writev, ALWAYS},
        {SYS_process_madvise, ALWAYS},
        {SYS_pidfd_getfd, ALWAYS},
        {SYS_kcmp, ALWAYS},
        {SYS_setns, ALWAYS},
        {SYS_unshare, ALWAYS},
        {SYS_execve, UNLESS_PROGRAMS},
        {SYS_execveat, UNLESS_PROGRAMS},
        /* the machine */
        {SYS_reboot, ALWAYS},
        {SYS_kexec_load, ALWAYS},
#ifdef SYS_kexec_file_load
        {SYS_kexec_file_load, ALWAYS},
#endif
        {SYS_init_module, ALWAYS},
        {SYS_finit_module, ALWAYS},
        {SYS_delete_module, ALWAYS},
        {SYS_swapon, ALWAYS},
        {SYS_swapoff, ALWAYS},
        {SYS_sethostname, ALWAYS},
        {SYS_setdomainname, ALWAYS},
        {SYS_settimeofday, ALWAYS},
        {SYS_clock_settime, ALWAYS},
        {SYS_clock_adjtime, ALWAYS},
        {SYS_adjtimex, ALWAYS},
        {SYS_acct, ALWAYS},
        {SYS_syslog, ALWAYS},
        {SYS_vhangup, ALWAYS},
#ifdef SYS_iopl
        {SYS_iopl, ALWAYS},
        {SYS_ioperm, ALWAYS},
        {SYS_modify_ldt, ALWAYS},
#endif
        /* file systems */
        {SYS_mount, ALWAYS},
        {SYS_umount2, ALWAYS},
        {SYS_pivot_root, ALWAYS},
        {SYS_chroot, ALWAYS},
        {SYS_move_mount, ALWAYS},
        {SYS_open_tree, ALWAYS},
        {SYS_fsopen, ALWAYS},
        {SYS_fsconfig, ALWAYS},
        {SYS_fsmount, ALWAYS},
        {SYS_fspick, ALWAYS},
        {SYS_mount_setattr, ALWAYS},
        {467 /* open_tree_attr */, ALWAYS},
        {SYS_quotactl, ALWAYS},
        {SYS_quotactl_fd, ALWAYS},
        {SYS_fanotify_init, ALWAYS},
        {SYS_open_by_handle_at, ALWAYS},
        {SYS_mknodat, ALWAYS},
#ifdef SYS_mknod
        {SYS_mknod, ALWAYS},
#endif
        /* more of the kernel; io_uring would also go round this very list */
        {SYS_bpf, ALWAYS},
        {SYS_perf_event_open, ALWAYS},
        {SYS_userfaultfd, ALWAYS},
        {SYS_io_uring_setup, ALWAYS},
        {SYS_io_uring_enter, ALWAYS},
        {SYS_io_uring_register, ALWAYS},
        {SYS_keyctl, ALWAYS},
        {SYS_add_key, ALWAYS},
        {SYS_request_key, ALWAYS},
        /* a socket that nobody asked for */
        {SYS_listen, UNLESS_SOCKETS},
        /* what Landlock does not know of writing */
        {SYS_fchmod, UNLESS_FILES},
        {SYS_fchmodat, UNLESS_FILES},
        {452 /* fchmodat2 */, UNLESS_FILES},
        {SYS_fchown, UNLESS_FILES},
        {SYS_fchownat, UNLESS_FILES},
        {SYS_setxattr, UNLESS_FILES},
        {SYS_lsetxattr, UNLESS_FILES},
        {SYS_fsetxattr, UNLESS_FILES},
        {463 /* setxattrat */, UNLESS_FILES},
        {SYS_removexattr, UNLESS_FILES},
        {SYS_lremovexattr, UNLESS_FILES},
        {SYS_fremovexattr, UNLESS_FILES},
        {466 /* removexattrat */, UNLESS_FILES},
        {469 /* file_setattr */, UNLESS_FILES},
        {SYS_utimensat, UNLESS_FILES},
#ifdef SYS_chmod
        {SYS_chmod, UNLESS_FILES},
        {SYS_chown, UNLESS_FILES},
        {SYS_lchown, UNLESS_FILES},
        {SYS_utime, UNLESS_FILES},
        {SYS_utimes, UNLESS_FILES},
        {SYS_futimesat, UNLESS_FILES},
#endif
};

#define NAMESPACES                                                                                    \
        (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
         CLONE_NEWNET)

#ifdef ARCHITECTURE

#define REFUSE(code) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))
#define PASS BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))

static const struct sock_filter head[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        REFUSE(EPERM),
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_FOREIGN, 0, 1),
        REFUSE(EPERM),
        /* No filter can see what clone3 is asked for; libraries fall back on clone, whose flags it can. */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        REFUSE(ENOSYS),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1),
        REFUSE(EPERM),
        PASS,
};

static bool is_denied(int when, const struct sandbox_options *options)
{
        switch (when) {
        case UNLESS_TRACING: return !options->tracing;
        case UNLESS_PROGRAMS: return !options->programs;
        /* A unix socket is given its mode. */
        case UNLESS_FILES: return !options->files && !options->sockets;
        case UNLESS_SOCKETS: return !options->sockets;
        default: return true;
        }
}

bool sandbox_has_seccomp(void)
{
        const uint32_t refusing = SECCOMP_RET_ERRNO;
        return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &refusing) == 0;
}

int sandbox_seccomp(const struct sandbox_options *options, struct error *error)
{
        struct sock_filter filter[N_ELEMENTS(head) + 2 * N_ELEMENTS(denied) + 1];
        size_t length = N_ELEMENTS(head);
        memcpy(filter, head, sizeof(head));
        for (size_t i = 0; i < N_ELEMENTS(denied); i++)
                if (is_denied(denied[i].when, options)) {
                        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                                        denied[i].number, 0, 1);
                        filter[length++] = (struct sock_filter)REFUSE(EPERM);
                }
        filter[length++] = (struct sock_filter)PASS;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_set_errno(error, errno, "no_new_privs");
        const struct sock_fprog program = {.len = (unsigned short)length, .filter = filter};
        /* TSYNC takes in a thread that a library may have started already. No foreign code runs in this
         * process, which alone the mitigations that SPEC_ALLOW declines are for. */
        long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                         SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
        if (r > 0)
                return error_set(error, EBUSY, "seccomp: thread %ld has a filter of its own", r);
        if (r < 0)
                r = error_set_errno(error, errno, "seccomp");
        return r == -ENOSYS || r == -EINVAL ? -EOPNOTSUPP : (int)r;
}

#else

bool sandbox_has_seccomp(void)
{
        return false;
}

int sandbox_seccomp(const struct sandbox_options *options _unused_, struct error *error)
{
        return error_set(error, EOPNOTSUPP, "no list of system calls was written for this architecture");
}

#endif
