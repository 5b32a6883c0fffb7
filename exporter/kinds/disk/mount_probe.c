/* SPDX-License-Identifier: Apache-2.0 */
/* One job for each path on a pool of threads of its own; whoever comes last frees what they share. */
#include "exporter/kinds/disk/mount_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "runbook/text.h"
#include "runbook/wait.h"
#include "runbook/workers.h"

/* For idle threads to end in; only those that hang take all of it. */
#define STOP_TIME (100 * NSEC_PER_MSEC)

struct probe {
        struct shared *shared;
        char *path;
        bool running, awaited; /* awaited: asked by the present run */
        struct mount_answer answer;
};

/* All fields under `lock`. */
struct shared {
        pthread_mutex_t lock;
        pthread_cond_t answered;
        unsigned references; /* the owner's, and one of each probe that runs */
        size_t count;
        struct probe *probes;
};

struct mount_probes {
        struct workers *workers;
        struct shared *shared;
};

static void shared_free(struct shared *shared)
{
        for (size_t i = 0; i < shared->count; i++)
                free(shared->probes[i].path);
        free(shared->probes);
        pthread_cond_destroy(&shared->answered);
        pthread_mutex_destroy(&shared->lock);
        free(shared);
}

/* With the lock held, which it gives back. */
static void unref_and_unlock(struct shared *shared)
{
        bool last = --shared->references == 0;
        pthread_mutex_unlock(&shared->lock);
        if (last)
                shared_free(shared);
}

static struct shared *shared_new(const char *const *paths, size_t count)
{
        struct shared *shared = calloc(1, sizeof(*shared));
        if (!shared)
                return NULL;
        pthread_mutex_init(&shared->lock, NULL);
        condition_init(&shared->answered);
        shared->references = 1;
        shared->probes = calloc(count + 1, sizeof(*shared->probes));
        shared->count = shared->probes ? count : 0;
        bool fine = shared->probes != NULL;
        for (size_t i = 0; i < shared->count; i++) {
                shared->probes[i] = (struct probe){.shared = shared, .path = strdup(paths[i])};
                fine &= shared->probes[i].path != NULL;
        }
        if (fine)
                return shared;
        shared_free(shared);
        return NULL;
}

struct mount_probes *mount_probes_free(struct mount_probes *probes)
{
        if (!probes)
                return NULL;
        if (probes->workers)
                workers_stop(probes->workers, deadline_in(STOP_TIME));
        if (probes->shared) {
                pthread_mutex_lock(&probes->shared->lock);
                unref_and_unlock(probes->shared);
        }
        free(probes);
        return NULL;
}

int mount_probes_new(const char *const *paths, size_t count, struct mount_probes **ret, struct error *error)
{
        _cleanup_(mount_probes_free_p) struct mount_probes *probes = calloc(1, sizeof(*probes));
        if (!probes)
                return error_oom(error);
        probes->shared = shared_new(paths, count);
        if (!probes->shared)
                return error_oom(error);
        int r = workers_new((unsigned)count, &probes->workers, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(probes);
        return 0;
}

/* By the device of what is above, where the kernel does not say it: bind mounts within one are not seen so.
 */
static bool differs_from_above(const char *path, const struct statx *own)
{
        _cleanup_free_ char *above = text_format("%s/..", path);
        struct statx status;
        if (!above || statx(AT_FDCWD, above, 0, STATX_BASIC_STATS, &status) < 0)
                return false;
        return status.stx_dev_major != own->stx_dev_major || status.stx_dev_minor != own->stx_dev_minor ||
               status.stx_ino == own->stx_ino; /* the root is its own parent */
}

static int look_at_mount(const char *path, struct mount_answer *answer)
{
        struct statx status;
        if (statvfs(path, &answer->fs) < 0 ||
            statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_MNT_ID, &status) < 0)
                return errno;
        answer->mounted = status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT
                                  ? (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0
                                  : differs_from_above(path, &status);
        answer->mount = status.stx_mask & STATX_MNT_ID ? status.stx_mnt_id : 0;
        return 0;
}

static void ask_mount(void *context)
{
        struct probe *probe = context;
        struct mount_answer answer = {0};
        answer.error = look_at_mount(probe->path, &answer);
        pthread_mutex_lock(&probe->shared->lock);
        probe->answer = answer;
        probe->running = false;
        pthread_cond_signal(&probe->shared->answered);
        unref_and_unlock(probe->shared);
}

/* With the lock held. */
static int start_probe(struct workers *workers, struct probe *probe)
{
        probe->awaited = !probe->running;
        if (probe->running)
                return 0;
        int r = workers_run(workers, ask_mount, probe);
        probe->running = r == 0;
        probe->shared->references += r == 0;
        return r;
}

/* With the lock held. */
static bool is_waiting(const struct shared *shared)
{
        for (size_t i = 0; i < shared->count; i++)
                if (shared->probes[i].running && shared->probes[i].awaited)
                        return true;
        return false;
}

int mount_probes_ask(struct mount_probes *probes, struct deadline deadline, struct mount_answer *answers,
                     struct error *error)
{
        struct shared *shared = probes->shared;
        int r = 0;
        pthread_mutex_lock(&shared->lock);
        for (size_t i = 0; i < shared->count && r == 0; i++)
                r = start_probe(probes->workers, &shared->probes[i]);
        while (r == 0 && is_waiting(shared) &&
               condition_wait_until(&shared->answered, &shared->lock, deadline.at))
                ;
        for (size_t i = 0; i < shared->count; i++) {
                answers[i] = shared->probes[i].answer;
                answers[i].hung = shared->probes[i].running;
        }
        pthread_mutex_unlock(&shared->lock);
        return r < 0 ? error_set_errno(error, -r, "there is no thread to ask a file system") : 0;
}
