/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a daemon: lets one of its calls fail, when and how the test says.
 *
 * The orders stand in a file that both map (RUNBOOK_FAULTS), so that a daemon lives through many of them: of
 * the call that is named the first `after` succeed, the next `times` fail with `error`. Only files are meant
 * by write and fsync, no sockets, and not what is logged.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* In the order of tests/lab/faults.py. */
enum call { CALL_FSYNC, CALL_WRITE, CALL_MALLOC, CALL_ACCEPT, CALL_PTHREAD_CREATE, CALL_COUNT };

struct orders {
        _Atomic int32_t after, times, error; /* after: below 0 when it has begun to fail */
        _Atomic int32_t call;                /* -1: none fails. Written last */
        _Atomic uint32_t failed;             /* calls that were let fail, ever */
        _Atomic uint32_t seen[CALL_COUNT];
};

static struct orders *orders;

__attribute__((constructor)) static void map_orders(void)
{
        const char *path = getenv("RUNBOOK_FAULTS");
        int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        void *map =
                fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (fd >= 0)
                close(fd);
        if (map != MAP_FAILED)
                orders = map;
}

/* Whether this call is one that fails: its error, else 0. */
static int fault(enum call call)
{
        if (!orders)
                return 0;
        atomic_fetch_add(&orders->seen[call], 1);
        if (atomic_load(&orders->call) != (int32_t)call || atomic_fetch_sub(&orders->after, 1) > 0 ||
            atomic_fetch_sub(&orders->times, 1) <= 0)
                return 0;
        atomic_fetch_add(&orders->failed, 1);
        return atomic_load(&orders->error);
}

static int is_file(int fd)
{
        struct stat status;
        return fd > STDERR_FILENO && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* The next library's of the same name. */
#define NEXT(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

#define FAILS(which, value)                 \
        do {                                \
                int failure = fault(which); \
                if (failure) {              \
                        errno = failure;    \
                        return value;       \
                }                           \
        } while (0)

int fsync(int fd)
{
        if (is_file(fd))
                FAILS(CALL_FSYNC, -1);
        return NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
        if (is_file(fd))
                FAILS(CALL_FSYNC, -1);
        return NEXT(fdatasync)(fd);
}

ssize_t write(int fd, const void *data, size_t size)
{
        if (is_file(fd))
                FAILS(CALL_WRITE, -1);
        return NEXT(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
        if (is_file(fd))
                FAILS(CALL_WRITE, -1);
        return NEXT(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
        if (is_file(fd))
                FAILS(CALL_WRITE, -1);
        return NEXT(pwrite64)(fd, data, size, at);
}

int accept(int fd, struct sockaddr *address, socklen_t *length)
{
        FAILS(CALL_ACCEPT, -1);
        return NEXT(accept)(fd, address, length);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
        FAILS(CALL_ACCEPT, -1);
        return NEXT(accept4)(fd, address, length, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context)
{
        int failure = fault(CALL_PTHREAD_CREATE);
        return failure ? failure : NEXT(pthread_create)(thread, attributes, run, context);
}

/* By names of the C library's own, for dlsym() allocates. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
        FAILS(CALL_MALLOC, NULL);
        return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
        FAILS(CALL_MALLOC, NULL);
        return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
        FAILS(CALL_MALLOC, NULL);
        return __libc_realloc(old, size);
}
