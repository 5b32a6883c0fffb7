/* SPDX-License-Identifier: Apache-2.0 */
/* One world from its seed: its clock and events, the daemon's starts and deaths, and how it all comes to
 * rest. */
#include "tests/sim/claims.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH (1767225600 * NSEC_PER_SEC) /* 2026-01-01 */
#define REST (4 * 24 * HOUR)              /* within this everything must have come to its end */

/* A world is told that does more than this: in all, and within a minute. */
enum { STEPS_MOST = 1000000, STEPS_A_MINUTE = 20000 };

bool sim_trace;

nsec sim_wall(const struct sim *sim)
{
        return EPOCH + sim->now + sim->wall_offset;
}

/* Of this boot of the machine. */
nsec sim_monotonic(const struct sim *sim)
{
        return sim->now - sim->booted + NSEC_PER_SEC;
}

nsec sim_steady(const struct sim *sim)
{
        return sim->now + sim->steady_offset;
}

/* Remediations of one name are the same in all versions of the file, but for their steps and ends. */

uint64_t sim_digest(uint64_t digest, const char *text)
{
        for (; *text; text++)
                digest = (digest ^ (unsigned char)*text) * 0x100000001b3;
        return digest;
}

/* Events: a binary heap by time, then chance. */

static bool is_before(const struct event *a, const struct event *b)
{
        return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap_events(struct event *a, struct event *b)
{
        struct event event = *a;
        *a = *b;
        *b = event;
}

void sim_at(struct sim *sim, nsec when, event_function *happen, int64_t argument)
{
        if (sim->event_count == sim->event_space) {
                sim->event_space = sim->event_space ? 2 * sim->event_space : 256;
                sim->events = realloc(sim->events, sim->event_space * sizeof(*sim->events));
                assert(sim->events);
        }
        size_t i = sim->event_count++;
        sim->events[i] = (struct event){when, rng_next(&sim->rng), happen, argument};
        for (; i > 0 && is_before(&sim->events[i], &sim->events[(i - 1) / 2]); i = (i - 1) / 2)
                swap_events(&sim->events[i], &sim->events[(i - 1) / 2]);
}

void sim_after(struct sim *sim, nsec low, nsec high, event_function *happen, int64_t argument)
{
        sim_at(sim, sim->now + rng_between(&sim->rng, low, high), happen, argument);
}

static struct event take_event(struct sim *sim)
{
        struct event first = sim->events[0];
        sim->events[0] = sim->events[--sim->event_count];
        for (size_t i = 0;;) {
                size_t least = i;
                for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < sim->event_count; k++)
                        least = is_before(&sim->events[k], &sim->events[least]) ? k : least;
                if (least == i)
                        return first;
                swap_events(&sim->events[i], &sim->events[least]);
                i = least;
        }
}

void sim_fail(struct sim *sim, const char *format, ...)
{
        if (sim->failed)
                return;
        sim->failed = true;
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(sim->failure, sizeof(sim->failure), format, arguments);
        va_end(arguments);
        if (sim_trace)
                claims_print();
}

void sim_trouble(struct sim *sim)
{
        sim->clear_since = sim->now;
}

void sim_note(struct sim *sim, const char *what, int64_t number)
{
        if (sim_trace)
                printf("%14.3f %s %lld\n", nsec_to_seconds(sim->now), what, (long long)number);
        sim->digest = sim_digest(sim->digest, what);
        sim->digest = (sim->digest ^ (uint64_t)number ^ (uint64_t)sim->now) * 0x100000001b3;
}

/* The daemon. */

static event_function start_daemon;

const struct journal_key sim_key = {.bytes = "the key of the worlds"};

static bool open_journal(struct sim *sim)
{
        _cleanup_error_ struct error error = {0};
        int r = journal_open(JOURNAL_PATH, &sim_key, &sim->world, &sim->journal, &error);
        if (r >= 0) {
                claims_open(sim);
                return true;
        }
        if (!disk_is_dead(sim->disk) && r != -ENOSPC)
                sim_fail(sim, "the journal does not open after a crash: %s", error_text(&error));
        return false;
}

static void plan_death(struct sim *sim)
{
        if (!sim->ending && rng_chance(&sim->rng, 700))
                disk_die_after(sim->disk, 1 + rng_below(&sim->rng, rng_chance(&sim->rng, 300) ? 200 : 20000));
}

/* The machine starts anew: the monotonic clock begins again, and how long it was away only the wall clock
 * tells, which may lie. */
static void boot_machine(struct sim *sim)
{
        sim->booted = sim->now;
        sim->reboots++;
        sim->steady_offset = 0;
        snprintf(sim->boot, sizeof(sim->boot), "%llu", (unsigned long long)sim->reboots);
        sim_note(sim, "boot", (int64_t)sim->reboots);
}

/* Between two starts somebody may have changed remediations.yml, or put it back. */
static void edit_file(struct sim *sim)
{
        if (sim->ending || !rng_chance(&sim->rng, 250))
                return;
        size_t version = rng_chance(&sim->rng, 500) ? 0 : rng_below(&sim->rng, sim->set_count);
        sim->edits += sim->set != sim->sets[version];
        sim->set = sim->sets[version];
        sim_note(sim, "the file is version", (int64_t)version);
}

/* The engine's own minute is for wake-ups that were missed, of which there must be none: so here it is
 * longer. */
#define IDLE (20 * MINUTE)

static void start_daemon(struct sim *sim, int64_t argument)
{
        (void)argument;
        _cleanup_error_ struct error error = {0};
        sim->dead = sim->stopping = false;
        sim->stopped_until = 0;
        sim_trouble(sim);
        tamper(sim);
        plan_death(sim);
        if (!open_journal(sim)) {
                disk_restart(sim->disk);
                sim_after(sim, NSEC_PER_SEC, MINUTE, start_daemon, 0);
                return;
        }
        edit_file(sim);
        /* Let it run with --dry-run; then without. */
        if (sim->dry_run && sim->leaves_dry_run && rng_chance(&sim->rng, 300))
                sim->dry_run = false;
        sim->looked = false;
        const struct incident_parts parts = {.world = &sim->world,
                                             .set = sim->set,
                                             .journal = sim->journal,
                                             .meters = sim->meters,
                                             .dry_run = sim->dry_run};
        assert(engine_new(&parts, &sim->engine, &error) >= 0);
        engine_rest_at_most(sim->engine, IDLE);
        sim->engine_due = sim->now;
        if (sim->calm_since != INT64_MAX)
                sim->calm_since = sim->now;
        sim->restarts++;
        sim_note(sim, "start", (int64_t)sim->restarts);
        if (!disk_is_dead(sim->disk))
                claims_after_start(sim);
}

/* What is left of a dead daemon runs on as ghosts until it is gone; then the machine is there again. */
static void bury_daemon(struct sim *sim)
{
        sim->dead = true;
        disk_kill(sim->disk);
        if (sim->engine)
                engine_hold_still(sim->engine);
        tasks_drain(sim);
        assert(!engine_stop(sim->engine, (struct deadline){0}));
        sim->engine = NULL;
        claims_close();
        sim->journal = journal_close(sim->journal);
        disk_restart(sim->disk);
        sim->kills++;
        if (rng_chance(&sim->rng, 150))
                boot_machine(sim);
        sim_note(sim, "killed", (int64_t)sim->kills);
        sim_after(sim, NSEC_PER_SEC, 10 * MINUTE, start_daemon, 0);
}

bool sim_is_dead(const struct sim *sim)
{
        return sim->dead || disk_is_dead(sim->disk);
}

void sim_die(struct sim *sim)
{
        sim->dead = true;
        disk_kill(sim->disk);
        if (sim->engine)
                engine_hold_still(sim->engine);
}

/* SIGTERM: steps under way are waited for, up to a point; then it is as if it were killed. */
static void finish_daemon(struct sim *sim, int64_t argument)
{
        nsec patience = argument;
        if (!sim->engine || sim->dead)
                return;
        if (tasks_under_way() > 0 && sim->now < patience) {
                sim_at(sim, sim->now + NSEC_PER_SEC, finish_daemon, patience);
                return;
        }
        if (tasks_under_way() > 0) {
                sim_die(sim);
                return;
        }
        tasks_drop();
        assert(!engine_stop(sim->engine, (struct deadline){0}));
        sim->engine = NULL;
        claims_close();
        sim->journal = journal_close(sim->journal);
        sim_note(sim, "stopped", 0);
        sim_after(sim, NSEC_PER_SEC, MINUTE, start_daemon, 0);
}

static void stop_daemon(struct sim *sim, int64_t argument)
{
        (void)argument;
        if (sim->engine && !sim->ending) {
                sim->stopping = true;
                engine_hold_still(sim->engine);
                tasks_drop();
                finish_daemon(sim, sim->now + 25 * NSEC_PER_SEC);
        }
        if (!sim->ending)
                sim_after(sim, HOUR, 20 * HOUR, stop_daemon, 0);
}

static void kill_daemon(struct sim *sim, int64_t argument)
{
        (void)argument;
        if (sim->ending)
                return;
        if (sim->engine)
                sim_die(sim);
        sim_after(sim, 10 * MINUTE, 10 * HOUR, kill_daemon, 0);
}

/* A laptop that is closed, a virtual machine that is moved: the world goes on. */
static void stop_process(struct sim *sim, int64_t argument)
{
        (void)argument;
        if (sim->ending)
                return;
        nsec most = rng_chance(&sim->rng, 700) ? MINUTE : 20 * MINUTE;
        sim->stopped_until = sim->now + rng_between(&sim->rng, 3 * NSEC_PER_SEC, most);
        if (sim->calm_since < sim->stopped_until)
                sim->calm_since = sim->stopped_until;
        sim->stops++;
        if (sim->calm_since < sim->stopped_until)
                sim->calm_since = sim->stopped_until;
        sim_note(sim, "stopped for a while", (int64_t)sim->stops);
        sim_after(sim, 10 * MINUTE, 4 * HOUR, stop_process, 0);
}

/* Trouble from outside: the clock jumps, the disk is full, neighbours are down. */

static void jump_clock(struct sim *sim, int64_t argument)
{
        (void)argument;
        if (sim->ending)
                return;
        nsec reach = rng_chance(&sim->rng, 100)   ? 10 * 365 * 24 * HOUR
                     : rng_chance(&sim->rng, 300) ? 48 * HOUR
                                                  : 2 * HOUR;
        sim->wall_offset = (nsec)rng_below(&sim->rng, 2 * (uint64_t)reach) - reach;
        sim->jumps++;
        sim_note(sim, "clock jumps", sim->wall_offset / NSEC_PER_SEC);
        sim_after(sim, HOUR, 20 * HOUR, jump_clock, 0);
}

/* Now and then somebody looks whether everybody was told. */
static void look_for_calls(struct sim *sim, int64_t argument)
{
        (void)argument;
        if (sim->engine && !sim_is_dead(sim) && !sim->stopping) {
                claim_told(sim);
                claim_expiry(sim);
                claim_climbed(sim);
        }
        if (!sim->ending)
                sim_after(sim, MINUTE, 5 * MINUTE, look_for_calls, 0);
}

/* The run. */

/* As the engine's thread does it: what comes together is looked at together. */
#define GATHER (5 * NSEC_PER_MSEC)

void sim_wake(struct sim *sim)
{
        if (sim->engine_due > sim->now + GATHER)
                sim->engine_due = sim->now + GATHER;
}

static nsec engine_due(const struct sim *sim)
{
        return sim->engine_due > sim->stopped_until ? sim->engine_due : sim->stopped_until;
}

static void look(struct sim *sim)
{
        _cleanup_error_ struct error error = {0};
        if (!sim->engine || sim->dead || sim->stopping || sim->now < engine_due(sim))
                return;
        sim->engine_due = INT64_MAX;
        nsec next = 0;
        bool failed = engine_look(sim->engine, &next, &error) < 0;
        nsec again = sim->now + (failed ? NSEC_PER_SEC : next - sim_monotonic(sim));
        if (again < sim->engine_due)
                sim->engine_due = again;
        if (sim_is_dead(sim))
                return;
        sim->incidents = (uint64_t)claims_number("SELECT coalesce(max(id), 0) FROM incidents", "");
        claims_looked(sim, !failed);
}

/* What turns in a circle is told, not waited for. */
static void count_step(struct sim *sim)
{
        if (sim->now - sim->minute_began >= MINUTE) {
                sim->minute_began = sim->now;
                sim->steps_this_minute = 0;
        }
        if (++sim->steps_this_minute > STEPS_A_MINUTE || ++sim->steps > STEPS_MOST)
                sim_fail(sim,
                         "it does not come to rest: %llu steps, %llu of them within a minute; %zu events "
                         "wait, the daemon is %s",
                         (unsigned long long)sim->steps, (unsigned long long)sim->steps_this_minute,
                         sim->event_count, sim->engine ? "up" : "down");
}

static void step(struct sim *sim)
{
        count_step(sim);
        bool looks = sim->engine && !sim_is_dead(sim) && !sim->stopping;
        bool due = looks && (sim->event_count == 0 || engine_due(sim) < sim->events[0].at);
        if (due) {
                sim->now = engine_due(sim) > sim->now ? engine_due(sim) : sim->now;
        } else {
                struct event event = take_event(sim);
                sim->now = event.at > sim->now ? event.at : sim->now;
                event.happen(sim, event.argument);
        }
        look(sim);
        if (sim->engine && sim_is_dead(sim))
                bury_daemon(sim);
}

static bool is_at_rest(struct sim *sim)
{
        return sim->engine && tasks_under_way() == 0 &&
               claims_number("SELECT (SELECT count(*) FROM incidents WHERE active = 1) +"
                             " (SELECT count(*) FROM episodes WHERE closed_at IS NULL)",
                             "") == 0;
}

/* No more trouble: whoever is ill gets well, and everything that was begun must come to an end. */
static void come_to_rest(struct sim *sim)
{
        sim->ending = true;
        disk_die_after(sim->disk, 0);
        troubles_end(sim);
        model_end(sim);
        nsec end = sim->now + REST, look_at = sim->now + HOUR;
        while (!sim->failed && sim->now < end && (sim->event_count > 0 || sim->engine)) {
                step(sim);
                if (sim->now >= look_at) {
                        if (is_at_rest(sim))
                                break;
                        look_at = sim->now + HOUR;
                }
        }
        if (!sim->failed)
                claims_at_rest(sim);
}

static void begin(struct sim *sim)
{
        sim->disk = disk_new(&sim->rng);
        sim->meters = meters_new();
        sim->done = calloc(INCIDENTS_MOST, sizeof(*sim->done));
        assert(sim->meters && sim->done);
        sim->dry_run = rng_chance(&sim->rng, 90);
        sim->leaves_dry_run = rng_chance(&sim->rng, 500);
        boot_machine(sim);
        reality_fill(sim);
        sim_at(sim, 0, start_daemon, 0);
        sim_after(sim, 10 * MINUTE, 10 * HOUR, kill_daemon, 0);
        sim_after(sim, HOUR, 20 * HOUR, stop_daemon, 0);
        sim_after(sim, 10 * MINUTE, 4 * HOUR, stop_process, 0);
        sim_after(sim, HOUR, 20 * HOUR, jump_clock, 0);
        sim_after(sim, 20 * MINUTE, 4 * HOUR, troubles_begin, 0);
        sim_after(sim, MINUTE, 5 * MINUTE, look_for_calls, 0);
        model_begin(sim);
        neighbours_begin(sim);
        people_begin(sim);
}

static void end(struct sim *sim)
{
        if (sim->engine) {
                sim->dead = true;
                engine_hold_still(sim->engine);
                tasks_drain(sim);
                engine_stop(sim->engine, (struct deadline){0});
                claims_close();
                journal_close(sim->journal);
        }
        meters_free(sim->meters);
        disk_copy_free(sim->old);
        disk_free(sim->disk);
        free(sim->events);
        for (size_t i = 0; sim->done && i < INCIDENTS_MOST; i++)
                free(sim->done[i].question);
        free(sim->done);
}

bool sim_run(struct sim *sim, uint64_t seed, const struct sim_size *size)
{
        *sim = (struct sim){.rng = {seed},
                            .seed = seed,
                            .sets = size->sets,
                            .set_count = size->set_count,
                            .set = size->sets[0]};
        begin(sim);
        while (!sim->failed && sim->incidents < size->incidents)
                step(sim);
        if (!sim->failed)
                come_to_rest(sim);
        end(sim);
        return !sim->failed;
}
