/* SPDX-License-Identifier: Apache-2.0 */
/* Which checks run when, who waits for them, and what is told of those that hang. */
#include "tests/harness/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "exporter/check/samples.h"
#include "exporter/schedule/schedule.h"
#include "runbook/log.h"
#include "runbook/trace.h"

/* The system gives no more threads while the test says so. */
static bool no_threads;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
        int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;
        *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
        return no_threads ? EAGAIN : create(thread, attributes, run, argument);
}

/* A check whose runs end when the test says so. */
struct probe {
        struct room *room;
        unsigned begun, let_through; /* runs that began; runs that may end */
        int answer;
        double value;
};

enum { CHECKS = 3 };

struct room {
        pthread_mutex_t lock;
        pthread_cond_t moved;
        unsigned changes;
        struct probe probes[CHECKS];
        struct check checks[CHECKS];
        void *states[CHECKS];
        struct check_set set;
        struct workers *workers;
        struct schedule *schedule;
};

static const struct metric_family value_family = {"t_value", METRIC_GAUGE, NULL, "A value."};

static int probe_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct probe *probe = state;
        struct room *room = probe->room;
        pthread_mutex_lock(&room->lock);
        unsigned mine = ++probe->begun;
        trace_step(deadline, "waiting to be let through");
        pthread_cond_broadcast(&room->moved);
        while (probe->let_through < mine)
                pthread_cond_wait(&room->moved, &room->lock);
        int answer = probe->answer;
        SAMPLE_BARE(sink, &value_family, probe->value);
        pthread_mutex_unlock(&room->lock);
        return answer < 0 ? error_set(error, -answer, "as the test wants it") : 0;
}

static const struct check_kind probe_kind = {.name = "probe", .run = probe_run};

static void count_change(void *context)
{
        struct room *room = context;
        pthread_mutex_lock(&room->lock);
        room->changes++;
        pthread_cond_broadcast(&room->moved);
        pthread_mutex_unlock(&room->lock);
}

static int set_up(void **state)
{
        static const char *const names[CHECKS] = {"a", "b", "c"};
        struct room *room = calloc(1, sizeof(*room));
        pthread_mutex_init(&room->lock, NULL);
        pthread_cond_init(&room->moved, NULL);
        for (size_t i = 0; i < CHECKS; i++) {
                room->probes[i] = (struct probe){.room = room};
                room->states[i] = &room->probes[i];
                room->checks[i] = (struct check){
                        .name = (char *)names[i],
                        .title = (char *)names[i],
                        .kind = &probe_kind,
                        .timeout = 60 * NSEC_PER_SEC,
                        .max_series = 10,
                };
        }
        room->set = (struct check_set){.checks = room->checks, .states = room->states, .count = CHECKS};
        assert_int_equal(workers_new(CHECKS, &room->workers, NULL), 0);
        assert_int_equal(schedule_new(&room->set, room->workers, count_change, room, &room->schedule, NULL),
                         0);
        *state = room;
        return 0;
}

static int tear_down(void **state)
{
        struct room *room = *state;
        pthread_mutex_lock(&room->lock);
        for (size_t i = 0; i < CHECKS; i++)
                room->probes[i].let_through = UINT32_MAX;
        pthread_cond_broadcast(&room->moved);
        pthread_mutex_unlock(&room->lock);
        assert_int_equal(workers_stop(room->workers, deadline_in(30 * NSEC_PER_SEC)), 0);
        schedule_free(room->schedule);
        pthread_cond_destroy(&room->moved);
        pthread_mutex_destroy(&room->lock);
        free(room);
        return 0;
}

/* Lets one more run of a check end, with this answer. */
static void let_through(struct room *room, size_t check, int answer, double value)
{
        pthread_mutex_lock(&room->lock);
        room->probes[check].answer = answer;
        room->probes[check].value = value;
        room->probes[check].let_through++;
        pthread_cond_broadcast(&room->moved);
        pthread_mutex_unlock(&room->lock);
}

static void wait_ended(struct room *room, struct check_run run)
{
        pthread_mutex_lock(&room->lock);
        for (;;) {
                unsigned seen = room->changes;
                pthread_mutex_unlock(&room->lock);
                bool ended = schedule_ended(room->schedule, run);
                pthread_mutex_lock(&room->lock);
                if (ended)
                        break;
                while (room->changes == seen)
                        pthread_cond_wait(&room->moved, &room->lock);
        }
        pthread_mutex_unlock(&room->lock);
}

static void wait_begun(struct room *room, size_t check, unsigned count)
{
        pthread_mutex_lock(&room->lock);
        while (room->probes[check].begun < count)
                pthread_cond_wait(&room->moved, &room->lock);
        pthread_mutex_unlock(&room->lock);
}

static const bool only_a[CHECKS] = {true, false, false};

/* Asks for check a alone and lets it end; the number of runs that there were to wait for. */
static size_t run_a(struct room *room, int answer, double value)
{
        struct check_run runs[CHECKS];
        size_t count = schedule_start(room->schedule, only_a, runs);
        if (count > 0) {
                let_through(room, 0, answer, value);
                wait_ended(room, runs[0]);
        }
        return count;
}

static struct check_state state_of(struct room *room, size_t check)
{
        struct check_state states[CHECKS], wanted = {0};
        schedule_states(room->schedule, NULL, states, NULL, NULL);
        for (size_t i = 0; i < CHECKS; i++)
                if (i == check)
                        wanted = states[i];
                else
                        check_state_release(&states[i]);
        return wanted;
}

static double value_of(const struct check_state *state)
{
        assert_non_null(state->result);
        assert_int_equal(state->result->samples.count, 1);
        return state->result->samples.samples[0].value;
}

static void without_cache_every_scrape_measures(void **state)
{
        struct room *room = *state;
        assert_int_equal(run_a(room, 0, 1), 1);
        assert_int_equal(run_a(room, 0, 2), 1);
        assert_int_equal(room->probes[0].begun, 2);
        assert_int_equal(room->probes[1].begun, 0); /* nobody asked for b */

        struct check_state a = state_of(room, 0);
        assert_true(a.success);
        assert_true(a.last_success_wall > 0);
        assert_true(value_of(&a) == 2);
        assert_string_equal(check_state_reason(&a), "");
        check_state_release(&a);
}

static void a_success_is_remembered_and_a_failure_is_not(void **state)
{
        struct room *room = *state;
        room->checks[0].cache = 3600 * NSEC_PER_SEC;
        assert_int_equal(run_a(room, -ECONNREFUSED, 1), 1);
        struct check_state a = state_of(room, 0);
        assert_false(a.success);
        assert_int_equal(a.last_success_wall, 0);
        assert_string_equal(check_state_reason(&a), "as the test wants it");
        check_state_release(&a);

        assert_int_equal(run_a(room, 0, 2), 1);
        assert_int_equal(run_a(room, 0, 3), 0);
        assert_int_equal(room->probes[0].begun, 2);
}

static void all_due_checks_run_at_once(void **state)
{
        struct room *room = *state;
        struct check_run runs[CHECKS];
        assert_int_equal(schedule_start(room->schedule, NULL, runs), CHECKS);
        for (size_t i = 0; i < CHECKS; i++)
                wait_begun(room, i, 1); /* none has ended yet */
        for (size_t i = 0; i < CHECKS; i++)
                assert_false(schedule_ended(room->schedule, runs[i]));
}

static void scrapes_that_arrive_together_share_one_run(void **state)
{
        struct room *room = *state;
        struct check_run first[CHECKS], second[CHECKS];
        assert_int_equal(schedule_start(room->schedule, only_a, first), 1);
        assert_int_equal(schedule_start(room->schedule, only_a, second), 1);
        assert_int_equal(first[0].number, second[0].number);
        let_through(room, 0, 0, 1);
        wait_ended(room, second[0]);
        assert_true(schedule_ended(room->schedule, first[0]));
        assert_int_equal(room->probes[0].begun, 1);
}

static void what_was_late_keeps_running_and_nobody_waits_for_it(void **state)
{
        struct room *room = *state;
        struct check_run runs[CHECKS];
        run_a(room, 0, 1);
        assert_int_equal(schedule_start(room->schedule, only_a, runs), 1);
        schedule_mark_late(room->schedule, runs[0]);
        assert_int_equal(schedule_start(room->schedule, only_a, &(struct check_run[CHECKS]){{0}}[0]), 0);

        struct check_state a = state_of(room, 0);
        assert_true(a.running);
        assert_true(a.success);
        assert_true(value_of(&a) == 1); /* the last values, with their age */
        check_state_release(&a);

        uint64_t before = schedule_generation(room->schedule);
        let_through(room, 0, 0, 2);
        wait_ended(room, runs[0]);
        assert_true(schedule_generation(room->schedule) > before);
        assert_int_equal(run_a(room, 0, 3), 1);
        assert_int_equal(room->probes[0].begun, 3);
}

static void a_run_beyond_its_timeout_fails_and_is_not_started_again(void **state)
{
        struct room *room = *state;
        struct check_run runs[CHECKS];
        run_a(room, 0, 1);
        room->checks[0].timeout = -NSEC_PER_SEC; /* over as soon as it begins, whatever the grace */
        assert_int_equal(schedule_start(room->schedule, only_a, runs), 1);
        wait_begun(room, 0, 2);
        assert_int_equal(schedule_expire(room->schedule), INT64_MAX);
        assert_true(schedule_ended(room->schedule, runs[0]));
        assert_int_equal(schedule_start(room->schedule, only_a, runs), 0);

        struct check_state a = state_of(room, 0);
        assert_true(a.running && a.overdue);
        assert_false(a.success);
        assert_true(value_of(&a) == 1);
        assert_string_equal(check_state_reason(&a), "still running after its timeout");
        nsec shown = a.result->started_wall;
        check_state_release(&a);

        unsigned changes = room->changes;
        let_through(room, 0, 0, 2);
        pthread_mutex_lock(&room->lock);
        while (room->changes == changes)
                pthread_cond_wait(&room->moved, &room->lock);
        pthread_mutex_unlock(&room->lock);
        a = state_of(room, 0);
        assert_true(a.success && !a.running && !a.overdue);
        assert_true(value_of(&a) == 2);
        assert_true(a.result->started_wall > shown);
        check_state_release(&a);
        assert_int_equal(room->probes[0].begun, 2);
}

static char *steps_of(const struct check_result *result)
{
        struct text text = {0};
        assert_non_null(result->trace);
        trace_put(result->trace, &text);
        return text_take(&text);
}

static void a_traced_run_is_fresh_and_tells_its_steps(void **state)
{
        struct room *room = *state;
        nsec age;
        struct check_run run;
        room->checks[0].cache = 3600 * NSEC_PER_SEC;
        run_a(room, 0, 1);
        assert_int_equal(run_a(room, 0, 1), 0); /* remembered */
        struct check_result *result = schedule_trace(room->schedule, 0, true, &run, &age);
        assert_non_null(result);
        wait_begun(room, 0, 2);
        assert_false(schedule_finished(room->schedule, run));
        _cleanup_free_ char *so_far = steps_of(result);
        assert_non_null(strstr(so_far, "the run begins; its timeout is 1m\n"));

        let_through(room, 0, 0, 2);
        wait_ended(room, run);
        assert_true(schedule_finished(room->schedule, run));
        _cleanup_free_ char *steps = steps_of(result);
        assert_non_null(strstr(steps, "  waiting to be let through\n"));
        assert_int_equal(result->samples.count, 1);

        struct check_state a = state_of(room, 0); /* whoever asks next sees it */
        assert_ptr_equal(a.result, result);
        assert_true(value_of(&a) == 2);
        check_state_release(&a);
        check_result_unref(result);
}

/* Whoever it is: the target works for one run, and all the others are shown that. */
static void a_traced_run_is_had_by_anybody_as_often_as_the_cache_allows(void **state)
{
        struct room *room = *state;
        struct check_run run, again;
        nsec age;
        room->checks[0].cache = 3600 * NSEC_PER_SEC;
        struct check_result *first = schedule_trace(room->schedule, 0, false, &run, &age);
        assert_non_null(first);
        assert_int_equal(age, 0);
        wait_begun(room, 0, 1);
        struct check_result *joined = schedule_trace(room->schedule, 0, false, &again, &age); /* it runs */
        assert_ptr_equal(joined, first);
        assert_int_equal(again.number, run.number);
        check_result_unref(joined);
        let_through(room, 0, 0, 2);
        wait_ended(room, run);
        for (int i = 0; i < 200; i++) {
                struct check_result *shown = schedule_trace(room->schedule, 0, false, &again, &age);
                assert_ptr_equal(shown, first);
                assert_true(age > 0);
                assert_true(schedule_finished(room->schedule, again));
                check_result_unref(shown);
        }
        assert_int_equal(room->probes[0].begun, 1);

        /* Who is known has it run, and that is what the others are shown then, also when it failed. */
        struct check_result *known = schedule_trace(room->schedule, 0, true, &run, &age);
        assert_ptr_not_equal(known, first);
        wait_begun(room, 0, 2);
        let_through(room, 0, -EIO, 0);
        wait_ended(room, run);
        struct check_result *shown = schedule_trace(room->schedule, 0, false, &again, &age);
        assert_ptr_equal(shown, known);
        check_result_unref(shown);
        assert_int_equal(room->probes[0].begun, 2);
        check_result_unref(known);
        check_result_unref(first);
}

static void a_traced_run_waits_for_the_one_before(void **state)
{
        struct room *room = *state;
        nsec age;
        struct check_run runs[CHECKS], run;
        assert_int_equal(schedule_start(room->schedule, only_a, runs), 1);
        wait_begun(room, 0, 1);
        assert_null(schedule_trace(room->schedule, 0, true, &run, &age));
        let_through(room, 0, 0, 1);
        wait_ended(room, runs[0]);
        struct check_result *result = schedule_trace(room->schedule, 0, true, &run, &age);
        assert_non_null(result);
        assert_null(schedule_trace(room->schedule, 0, true, &run, &age));
        assert_int_equal(schedule_start(room->schedule, only_a, runs), 1); /* a scrape shares it */
        assert_int_equal(runs[0].number, run.number);
        let_through(room, 0, 0, 1);
        wait_ended(room, run);
        assert_int_equal(room->probes[0].begun, 2);
        check_result_unref(result);
}

static void an_overdue_run_has_not_finished(void **state)
{
        struct room *room = *state;
        nsec age;
        struct check_run run;
        room->checks[0].timeout = -NSEC_PER_SEC;
        struct check_result *result = schedule_trace(room->schedule, 0, true, &run, &age);
        wait_begun(room, 0, 1);
        schedule_expire(room->schedule);
        assert_true(schedule_ended(room->schedule, run));
        assert_false(schedule_finished(room->schedule, run));
        check_result_unref(result);
}

static void other_targets_are_asked_by_their_name_alone(void **state)
{
        static const bool only_c[CHECKS] = {false, false, true};
        struct room *room = *state;
        struct check_run runs[CHECKS];
        struct check_state states[CHECKS];
        room->checks[2].probe_target = (char *)"another"; /* as if it stood behind the others in a set */
        assert_int_equal(schedule_start(room->schedule, NULL, runs), 2);
        for (size_t i = 0; i < 2; i++) {
                let_through(room, i, 0, 1);
                wait_ended(room, runs[i]);
        }
        uint64_t before = schedule_generation(room->schedule);
        assert_int_equal(schedule_start(room->schedule, only_c, runs), 1);
        let_through(room, 2, 0, 7);
        wait_ended(room, runs[0]);
        assert_int_equal(schedule_generation(room->schedule), before); /* the page of all is as it was */
        assert_int_equal(schedule_states(room->schedule, NULL, states, NULL, NULL), 2);
        check_state_release(&states[0]);
        check_state_release(&states[1]);
        assert_int_equal(schedule_states(room->schedule, only_c, states, NULL, NULL), 1);
        assert_ptr_equal(states[0].check, &room->checks[2]);
        assert_true(value_of(&states[0]) == 7);
        check_state_release(&states[0]);
}

static void what_gets_no_thread_is_due_as_before(void **state)
{
        struct room *room = *state;
        struct check_run runs[CHECKS];
        no_threads = true;
        assert_int_equal(schedule_start(room->schedule, NULL, runs), CHECKS);
        no_threads = false;
        assert_int_equal(room->changes, CHECKS); /* who waits is told */
        for (size_t i = 0; i < CHECKS; i++) {
                struct check_state one = state_of(room, i);
                assert_true(schedule_ended(room->schedule, runs[i]));
                assert_false(one.running || one.success || one.result);
                assert_int_equal(room->probes[i].begun, 0);
        }
        assert_int_equal(run_a(room, 0, 1), 1);
        assert_int_equal(room->probes[0].begun, 1);
}

static void the_next_look_is_when_a_run_would_be_overdue(void **state)
{
        struct room *room = *state;
        struct check_run runs[CHECKS];
        nsec before = clock_monotonic();
        room->checks[1].timeout = 30 * NSEC_PER_SEC;
        schedule_start(room->schedule, NULL, runs);
        nsec next = schedule_expire(room->schedule);
        assert_true(next >= before + 30 * NSEC_PER_SEC);
        assert_true(next < before + 60 * NSEC_PER_SEC);
}

static void freshness_ends_when_something_is_due(void **state)
{
        struct room *room = *state;
        struct check_state states[CHECKS];
        struct check_run runs[CHECKS];
        nsec fresh_until, now = clock_monotonic();
        for (size_t i = 0; i < CHECKS; i++)
                room->checks[i].cache = (nsec)(i + 1) * 3600 * NSEC_PER_SEC;
        assert_int_equal(schedule_start(room->schedule, NULL, runs), CHECKS);
        schedule_states(room->schedule, NULL, states, NULL, &fresh_until);
        assert_int_equal(fresh_until, INT64_MIN); /* they are being waited for */
        for (size_t i = 0; i < CHECKS; i++) {
                check_state_release(&states[i]);
                let_through(room, i, 0, 1);
                wait_ended(room, runs[i]);
        }
        uint64_t generation;
        schedule_states(room->schedule, NULL, states, &generation, &fresh_until);
        assert_true(fresh_until >= now + 3600 * NSEC_PER_SEC);
        assert_true(fresh_until < now + 7200 * NSEC_PER_SEC);
        assert_int_equal(generation, schedule_generation(room->schedule));
        for (size_t i = 0; i < CHECKS; i++)
                check_state_release(&states[i]);
}

static void what_is_new_runs_once_and_is_shared(void **state)
{
        struct room *room = *state;
        struct check_run runs[CHECKS];
        assert_int_equal(run_a(room, 0, 1), 1);
        schedule_start_new(room->schedule);
        wait_begun(room, 1, 1);
        wait_begun(room, 2, 1);
        assert_int_equal(room->probes[0].begun, 1); /* it has run before */
        schedule_start_new(room->schedule);
        assert_int_equal(schedule_start(room->schedule, NULL, runs),
                         CHECKS); /* a's own, and those of before */
        wait_begun(room, 0, 2);
        for (size_t i = 0; i < CHECKS; i++) {
                let_through(room, i, 0, 1);
                wait_ended(room, runs[i]);
        }
        assert_int_equal(room->probes[1].begun, 1);
        assert_int_equal(room->probes[2].begun, 1);
        schedule_start_new(room->schedule);
        assert_int_equal(room->probes[1].begun, 1);
}

static void every_check_tells_of_itself(void **state)
{
        struct room *room = *state;
        struct sample_set set = {0};
        const struct sample_set *const sets[] = {&set};
        _cleanup_text_ struct text page = {0};
        struct check_state b = state_of(room, 1);
        check_samples_add(&(struct sample_sink){&set}, &b);
        assert_int_equal(metrics_encode_text(sets, 1, &page, NULL), 0);
        assert_non_null(strstr(page.data, "runbook_check_success{check=\"b\"} 0\n"));
        assert_non_null(strstr(page.data, "runbook_check_last_run_timestamp_seconds{check=\"b\"} 0\n"));
        assert_non_null(strstr(page.data, "runbook_check_last_success_timestamp_seconds{check=\"b\"} 0\n"));
        assert_non_null(strstr(page.data, "runbook_check_duration_seconds{check=\"b\"} 0\n"));
        assert_non_null(strstr(page.data, "runbook_check_info{check=\"b\",kind=\"probe\",title=\"b\"} 1\n"));
        check_state_release(&b);
        sample_set_release(&set);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(without_cache_every_scrape_measures),
                TEST(a_success_is_remembered_and_a_failure_is_not),
                TEST(all_due_checks_run_at_once),
                TEST(what_is_new_runs_once_and_is_shared),
                TEST(scrapes_that_arrive_together_share_one_run),
                TEST(what_was_late_keeps_running_and_nobody_waits_for_it),
                TEST(a_run_beyond_its_timeout_fails_and_is_not_started_again),
                TEST(a_traced_run_is_fresh_and_tells_its_steps),
                TEST(a_traced_run_waits_for_the_one_before),
                TEST(a_traced_run_is_had_by_anybody_as_often_as_the_cache_allows),
                TEST(an_overdue_run_has_not_finished),
                TEST(other_targets_are_asked_by_their_name_alone),
                TEST(what_gets_no_thread_is_due_as_before),
                TEST(the_next_look_is_when_a_run_would_be_overdue),
                TEST(freshness_ends_when_something_is_due),
                TEST(every_check_tells_of_itself),
        };
        log_setup("error", "logfmt", NULL);
        return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
