/* SPDX-License-Identifier: Apache-2.0 */
/* What was acknowledged is there: with many writers, on a full disk, and after SIGKILL. */
#include "tests/harness/journal.h"
#include "tests/harness/world.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { THREADS = 16, WEBHOOKS_EACH = 40, ENTRIES_EACH = 20 };

struct writer {
        struct journal_fixture *fixture;
        int number, failed;
};

/* No assertions here: cmocka's work on the thread of the test alone. */
static void *write_many(void *context)
{
        struct writer *writer = context;
        for (int i = 0; i < WEBHOOKS_EACH; i++) {
                _cleanup_free_ char *words = text_format("t%d.%d shared", writer->number, i);
                writer->failed += try_accept(writer->fixture->journal, words) != 0;
                if (i % (WEBHOOKS_EACH / ENTRIES_EACH) != 0)
                        continue;
                /* Every other one is refused, amid the commits of the others. */
                const struct journal_entry entry = {.incident = 1,
                                                    .actor = "t",
                                                    .event = "e",
                                                    .expect = i % 4 ? INCIDENT_HEALED : INCIDENT_RECEIVED};
                int r = journal_write(writer->fixture->journal, &entry, NULL);
                writer->failed += r != (i % 4 ? -ESTALE : 0);
        }
        return NULL;
}

static double metric(struct journal *journal, const char *name)
{
        struct sample_set set = {0};
        double value = -1;
        journal_metrics(journal, &(struct sample_sink){&set});
        for (size_t i = 0; i < set.count; i++)
                if (string_equal(set.samples[i].family->name, name) && set.samples[i].suffix == SAMPLE_PLAIN)
                        value = set.samples[i].value;
        sample_set_release(&set);
        return value;
}

static void test_many_writers_share_commits(void **state)
{
        struct journal_fixture *fixture = *state;
        struct writer writers[THREADS];
        pthread_t threads[THREADS];
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        for (int i = 0; i < THREADS; i++) {
                writers[i] = (struct writer){fixture, i, 0};
                assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
        }
        for (int i = 0; i < THREADS; i++) {
                pthread_join(threads[i], NULL);
                assert_int_equal(writers[i].failed, 0);
        }
        assert_int_equal(unmatched_count(fixture), THREADS * WEBHOOKS_EACH + 1);
        assert_int_equal(verified_rows(fixture), 1 + THREADS * ENTRIES_EACH / 2);

        double commits = metric(fixture->journal, "runbook_journal_commits_total");
        double entries = metric(fixture->journal, "runbook_journal_entries_total");
        assert_true(commits > 0 && entries > commits);
        assert_true(metric(fixture->journal, "runbook_journal_size_bytes") > 4096);
}

struct gate {
        pthread_mutex_t lock;
        atomic_bool reached;
};

static void hold_writer(void *context, _unused_ int result)
{
        struct gate *gate = context;
        atomic_store(&gate->reached, true);
        pthread_mutex_lock(&gate->lock);
        pthread_mutex_unlock(&gate->lock);
}

static void count_result(void *context, int result)
{
        atomic_fetch_add((atomic_int *)context, result == 0 ? 1 : 1000000);
}

/* While one commit is being told, 4,096 webhooks may wait; then it says so at once. Closing commits them all.
 */
static void test_no_more_than_so_many_wait(void **state)
{
        struct journal_fixture *fixture = *state;
        struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER};
        atomic_int told = 0;
        int taken = 0, r = 0;
        bool freed = true;
        struct webhook first = webhook_of("first");
        pthread_mutex_lock(&gate.lock);
        int accepted = journal_accept(fixture->journal, &first, hold_writer, &gate);
        while (accepted == 0 && !atomic_load(&gate.reached))
                sched_yield();
        while (r == 0 && taken < 10000) {
                struct webhook webhook = webhook_of("f1");
                r = journal_accept(fixture->journal, &webhook, count_result, &told);
                freed = freed && !webhook.alerts; /* also when it was refused */
                taken += r == 0;
        }
        int told_before = atomic_load(&told);
        pthread_mutex_unlock(&gate.lock);
        assert_true(accepted == 0 && freed);
        assert_int_equal(r, -EAGAIN);
        assert_int_equal(taken, 4096);
        assert_int_equal(told_before, 0);
        fixture->journal = journal_close(fixture->journal);
        assert_int_equal(atomic_load(&told), taken);
        open_journal(fixture);
        assert_int_equal(unmatched_count(fixture), 2);
}

static void limit_files(rlim_t size)
{
        struct rlimit limit;
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
        limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static struct webhook large_webhook(int number, int alerts)
{
        _cleanup_text_ struct text words = {0};
        for (int i = 0; i < alerts; i++)
                text_printf(&words, "%sw%d.%d", i > 0 ? " " : "", number, i);
        return webhook_of(text_string(&words));
}

static int64_t count_of(const struct journal_fixture *fixture, int number)
{
        _cleanup_free_ char *query =
                text_format("SELECT count(*) FROM episodes WHERE fingerprint GLOB 'w%d.*'", number);
        return query_number(fixture, query);
}

static void store_result(void *context, int result)
{
        atomic_store((atomic_int *)context, result == 0 ? 1 : result);
}

static void wait_for_result(atomic_int *result)
{
        while (atomic_load(result) == 0)
                sched_yield();
}

enum { LARGE = 1200, ROUND = 6 }; /* larger than SQLite's cache: it writes also amid a transaction */

/* Webhooks large and small in one commit: each is there as a whole or not at all. */
static void fill(struct journal_fixture *fixture, int round, int *failures)
{
        struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER};
        atomic_int results[ROUND] = {0};
        pthread_mutex_lock(&gate.lock);
        struct webhook first = webhook_of("first");
        int refused = journal_accept(fixture->journal, &first, hold_writer, &gate) != 0;
        while (!refused && !atomic_load(&gate.reached))
                sched_yield();
        for (int i = 0; i < ROUND; i++) {
                struct webhook webhook = large_webhook(round * ROUND + i, i % 2 ? 3 : LARGE);
                refused += journal_accept(fixture->journal, &webhook, store_result, &results[i]) != 0;
        }
        pthread_mutex_unlock(&gate.lock);
        assert_int_equal(refused, 0);
        for (int i = 0; i < ROUND; i++)
                wait_for_result(&results[i]);
        for (int i = 0; i < ROUND; i++) {
                int result = atomic_load(&results[i]);
                *failures += result < 0;
                assert_int_equal(count_of(fixture, round * ROUND + i), result < 0 ? 0 : i % 2 ? 3 : LARGE);
        }
}

static void test_full_disk(void **state)
{
        struct journal_fixture *fixture = *state;
        void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
        int failures = 0, healthy = 0;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        WRITE(fixture, .state = INCIDENT_RUNNING);

        limit_files(2 * 1024 * 1024);
        for (int round = 0; round < 4; round++)
                fill(fixture, round, &failures);
        assert_true(failures > 0);

        /* Not even one entry, when there is no room at all. */
        _cleanup_error_ struct error error = {0};
        const struct journal_entry entry = {
                .incident = 1, .actor = "engine", .event = "all steps done", .state = INCIDENT_DONE};
        limit_files(0);
        int r = journal_write(fixture->journal, &entry, &error);
        limit_files(RLIM_INFINITY);
        assert_true(r == -EIO || r == -ENOSPC);
        assert_true(string_equal(error_text(&error), "the journal: disk I/O error") ||
                    string_equal(error_text(&error), "no space is left for the journal"));
        struct incident incident = only_active(fixture);
        assert_int_equal(incident.state, INCIDENT_RUNNING);
        incident_release(&incident);

        /* There is room again: it goes on as if nothing had been. */
        fill(fixture, 4, &healthy);
        assert_int_equal(healthy, 0);
        WRITE(fixture, .state = INCIDENT_DONE);
        assert_int_equal(verified_rows(fixture), 3);
        reopen_journal(fixture);
        assert_int_equal(verified_rows(fixture), 3);
        signal(SIGXFSZ, before);
}

/* The child: a flood of webhooks and entries, each told to the pipe once it is acknowledged. */
static int told_fd;

static void tell_parent(int number)
{
        if (write(told_fd, &number, sizeof number) != (ssize_t)sizeof number)
                _exit(3);
}

struct numbered {
        int number;
        atomic_int *waiting;
};

static void webhook_acknowledged(void *context, int result)
{
        struct numbered *numbered = context;
        if (result == 0)
                tell_parent(numbered->number);
        atomic_fetch_sub(numbered->waiting, 1);
        free(numbered);
}

static void *write_entries(void *context)
{
        struct journal *journal = context;
        for (int i = 1;; i++) {
                _cleanup_free_ char *event = text_format("k%d", i);
                const struct journal_entry entry = {.actor = "child", .event = event};
                if (journal_write(journal, &entry, NULL) == 0)
                        tell_parent(-i);
        }
        return NULL;
}

static void flood(const char *path, int first)
{
        struct journal *journal = NULL;
        atomic_int waiting = 0;
        pthread_t thread;
        if (journal_open(path, &test_key, &clocks_only, &journal, NULL) < 0 ||
            pthread_create(&thread, NULL, write_entries, journal) != 0)
                _exit(2);
        for (int i = first;; i++) {
                _cleanup_free_ char *word = text_format("k%d", i);
                struct webhook webhook = webhook_of(word);
                struct numbered *numbered = calloc(1, sizeof(*numbered));
                while (atomic_load(&waiting) >= 64)
                        sched_yield();
                *numbered = (struct numbered){i, &waiting};
                atomic_fetch_add(&waiting, 1);
                if (journal_accept(journal, &webhook, webhook_acknowledged, numbered) < 0)
                        _exit(2);
        }
}

enum { ROUNDS = 8, PER_ROUND = 1000000 };

static void check_acknowledged(const struct journal_fixture *fixture, int number, int64_t timeline_before)
{
        _cleanup_free_ char *query =
                number > 0 ? text_format("SELECT count(*) FROM episodes WHERE fingerprint = 'k%d'", number)
                           : text_format("SELECT count(*) FROM timeline WHERE event = 'k%d' AND id > %lld",
                                         -number, (long long)timeline_before);
        if (query_number(fixture, query) != 1)
                fail_msg("%s %d was acknowledged and is not there", number > 0 ? "webhook" : "entry",
                         abs(number));
}

static void kill_once(struct journal_fixture *fixture, int round, size_t acknowledgements)
{
        int pipes[2], status = 0, number;
        int64_t timeline_before = query_number(fixture, "SELECT count(*) FROM timeline");
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                close(pipes[0]);
                told_fd = pipes[1];
                flood(fixture->path, round * PER_ROUND + 1);
        }
        close(pipes[1]);
        size_t count = 0;
        int *numbers = calloc(100000, sizeof(*numbers));
        assert_non_null(numbers);
        bool killed = false;
        while (read(pipes[0], &number, sizeof number) == (ssize_t)sizeof number && count < 100000) {
                numbers[count++] = number;
                if (count >= acknowledgements && !killed) {
                        killed = true;
                        assert_int_equal(kill(child, SIGKILL), 0);
                }
        }
        close(pipes[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

        open_journal(fixture);
        verified_rows(fixture);
        fixture->journal = journal_close(fixture->journal);
        for (size_t i = 0; i < count; i++)
                check_acknowledged(fixture, numbers[i], timeline_before);
        free(numbers);
}

static void test_acknowledged_survives_a_kill(void **state)
{
        struct journal_fixture *fixture = *state;
        fixture->journal = journal_close(fixture->journal); /* nothing of it goes to the child */
        /* Also within the first commit, and after a checkpoint. */
        static const size_t acknowledgements[ROUNDS] = {1, 2, 17, 90, 200, 300, 600, 40};
        for (int round = 0; round < ROUNDS; round++)
                kill_once(fixture, round, acknowledgements[round]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_many_writers_share_commits),
                ON_JOURNAL(test_no_more_than_so_many_wait),
                ON_JOURNAL(test_full_disk),
                ON_JOURNAL(test_acknowledged_survives_a_kill),
        };
        return cmocka_run_group_tests_name("journal_durable", tests, NULL, NULL);
}
