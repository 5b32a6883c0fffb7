/* SPDX-License-Identifier: Apache-2.0 */
/* The connections that checks share, and whose turn it is. */
#include "exporter/kinds/postgres/connection.h"

#include <errno.h>
#include <pthread.h>

#include "runbook/trace.h"

struct postgres_target {
        struct postgres_target *next;
        char *dsn, *file, *variable; /* what tells it from others */
        unsigned references;         /* by the lock of all */

        pthread_mutex_t lock;
        pthread_cond_t free; /* CLOCK_MONOTONIC */
        bool taken;

        /* Below: by who has the turn. */
        struct postgres *postgres;
        nsec first_timeout; /* of a new session */
        nsec timeout;       /* of the session whose backend is `pid` */
        int pid;
};

/* All there are. Checks know nothing of each other, and outlive the file that they were read from: so it is
 * here, and not with them, that two of one server meet. */
static struct {
        pthread_mutex_t lock;
        struct postgres_target *first;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static nsec lock_timeout(nsec statement_timeout)
{
        return statement_timeout / 5 > NSEC_PER_MSEC ? statement_timeout / 5 : NSEC_PER_MSEC;
}

static void target_free(struct postgres_target *target)
{
        postgres_free(target->postgres);
        free(target->dsn);
        free(target->file);
        free(target->variable);
        pthread_mutex_destroy(&target->lock);
        pthread_cond_destroy(&target->free);
        free(target);
}

static bool copy(const char *from, char **to)
{
        return !from || (*to = strdup(from));
}

static int target_new(const struct postgres_options *options, nsec statement_timeout,
                      struct postgres_target **ret, struct error *error)
{
        struct postgres_target *target = calloc(1, sizeof(*target));
        struct postgres_options own = *options;
        pthread_condattr_t monotonic;
        int r;

        if (!target)
                return error_oom(error);
        pthread_mutex_init(&target->lock, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&target->free, &monotonic);
        pthread_condattr_destroy(&monotonic);

        own.application_name = "runbook_exporter";
        own.read_only = true;
        own.statement_timeout = statement_timeout;
        own.lock_timeout = lock_timeout(statement_timeout);
        target->first_timeout = statement_timeout;
        target->references = 1;
        r = postgres_new(&own, &target->postgres, error);
        if (r >= 0 && (!copy(options->dsn, &target->dsn) || !copy(options->password.file, &target->file) ||
                       !copy(options->password.variable, &target->variable)))
                r = error_oom(error);
        if (r < 0) {
                target_free(target);
                return r;
        }
        *ret = target;
        return 0;
}

int postgres_target_open(const struct postgres_options *options, nsec statement_timeout,
                         struct postgres_target **ret, struct error *error)
{
        int r = 0;

        pthread_mutex_lock(&all.lock);
        struct postgres_target *target = all.first;
        while (target && !(string_equal(target->dsn, options->dsn) &&
                           string_equal(target->file, options->password.file) &&
                           string_equal(target->variable, options->password.variable)))
                target = target->next;
        if (target) {
                target->references++;
        } else {
                r = target_new(options, statement_timeout, &target, error);
                if (target) {
                        target->next = all.first;
                        all.first = target;
                }
        }
        pthread_mutex_unlock(&all.lock);
        if (target)
                *ret = target;
        return r;
}

struct postgres_target *postgres_target_close(struct postgres_target *target)
{
        if (!target)
                return NULL;
        pthread_mutex_lock(&all.lock);
        bool last = --target->references == 0;
        if (last) {
                struct postgres_target **at = &all.first;

                while (*at != target)
                        at = &(*at)->next;
                *at = target->next;
        }
        pthread_mutex_unlock(&all.lock);
        if (last)
                target_free(target);
        return NULL;
}

static bool wait_for_turn(struct postgres_target *target, struct deadline deadline)
{
        const struct timespec until = {.tv_sec = deadline.at / NSEC_PER_SEC,
                                       .tv_nsec = deadline.at % NSEC_PER_SEC};
        bool mine;

        pthread_mutex_lock(&target->lock);
        if (target->taken)
                trace_step(deadline, "waiting for the connection, which another check of the server has");
        while (target->taken && pthread_cond_timedwait(&target->free, &target->lock, &until) != ETIMEDOUT)
                ;
        mine = !target->taken;
        if (mine)
                target->taken = true;
        pthread_mutex_unlock(&target->lock);
        return mine;
}

int postgres_target_take(struct postgres_target *target, struct deadline deadline, struct error *error)
{
        if (!wait_for_turn(target, deadline))
                return error_set(error, EBUSY,
                                 "another check of this server kept the connection busy for too long");
        if (postgres_connected(target->postgres))
                trace_step(deadline, "over the connection of before");
        int r = postgres_connect(target->postgres, deadline, error);
        if (r < 0)
                postgres_target_give(target);
        return r;
}

void postgres_target_give(struct postgres_target *target)
{
        pthread_mutex_lock(&target->lock);
        target->taken = false;
        pthread_cond_signal(&target->free);
        pthread_mutex_unlock(&target->lock);
}

/* A session may have been replaced by another one, which begins anew. */
static nsec present_timeout(struct postgres_target *target)
{
        int pid = postgres_backend_pid(target->postgres);

        if (pid != target->pid) {
                target->pid = pid;
                target->timeout = target->first_timeout;
        }
        return target->timeout;
}

static int set_timeouts(struct postgres_target *target, nsec most, struct deadline deadline,
                        struct error *error)
{
        nsec present = present_timeout(target);

        if (present >= most - most / 4 && present <= most + most / 4)
                return 0;
        _cleanup_free_ char *statement = text_format("%lldms", (long long)(most / NSEC_PER_MSEC));
        _cleanup_free_ char *lock = text_format("%lldms", (long long)(lock_timeout(most) / NSEC_PER_MSEC));
        if (!statement || !lock)
                return error_oom(error);
        int r = postgres_query(
                target->postgres,
                "SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false)",
                (const char *const[]){statement, lock}, 2, deadline, NULL, error);
        if (r < 0)
                return r;
        target->pid = postgres_backend_pid(target->postgres);
        target->timeout = most;
        return 0;
}

int postgres_target_query(struct postgres_target *target, const char *sql, const char *const *parameters,
                          int count, nsec most, struct deadline deadline, PGresult **ret, struct error *error)
{
        int r = set_timeouts(target, most > NSEC_PER_MSEC ? most : NSEC_PER_MSEC, deadline, error);

        return r < 0 ? r : postgres_query(target->postgres, sql, parameters, count, deadline, ret, error);
}

bool postgres_target_error_is(const struct postgres_target *target, const char *sqlstate)
{
        return strcmp(postgres_sqlstate(target->postgres), sqlstate) == 0;
}
