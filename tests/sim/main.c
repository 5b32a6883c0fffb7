/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worlds from fresh seeds, until the time is up or there were enough incidents; the first claim that does not
 * hold ends it with 1 and the seed that shows it.
 *
 *     sim [--from=N] [--seconds=N (60)] [--incidents=N (as many as there is time for)] [--jobs=N] [--twice]
 *     sim --seed=N [--trace] [--twice]
 *
 * With --seed one world alone is run, which prints its digest: the same each time. With --twice each world is
 * run twice, and must be the same both times.
 */
#include <malloc.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runbook/log.h"
#include "runbook/text.h"
#include "tests/sim/claims.h"

static const char rules[] =
        "receivers: [{name: oncall, format: log}, {name: lead, format: log}, {name: boss, format: log},"
        " {name: pager, format: pagerduty, routing_key: \"${KEY}\"}]\n"
        "prometheus_url: http://model\n"
        "alertmanager_url: http://model\n"
        "alertmanager_members: [http://two, http://three]\n"
        "exporter_url: http://model\n"
        "repeat_interval: 2h\n"
        "escalate_to: oncall\n"
        "escalation: {chains: {info: [{to: oncall}, {to: lead, after: 10m}, {to: boss, after: 30m}]},"
        " else: [{to: oncall}, {to: lead, after: 20m}]}\n"
        "limit_all: 14 per 2h\n"
        "breaker: 4 per 3h\n"
        "storm: 2 per 5m\n"
        "remediations:\n"
        "  - name: slow\n"
        "    match: ['alertname=~\"slow|level\"']\n"
        "    lock: service/${labels.subject}\n"
        "    cooldown: 15m\n"
        "    limit: 3 per 4h\n"
        "    page_after: 3m\n"
        "    tell: [healed]\n"
        "    steps:\n"
        "      - model.restart: {subject: '${labels.subject}'}\n"
        "      - model.flush: {subject: cache}\n"
        "        max: 30\n"
        "      - model.note: {subject: '${labels.subject}'}\n"
        "        essential: no\n"
        "    verify: {query: 'slow{subject=\"${labels.subject}\"}', within: 5m, for: 10s}\n"
        "  - name: errors\n"
        "    match: ['alertname=\"errors\"']\n"
        "    lock: service/${labels.subject}\n"
        "    limit: 6 per 6h\n"
        "    on_failure: undo\n"
        "    escalate_to: pager\n"
        "    expire: 2h\n"
        "    steps:\n"
        "      - model.level: {subject: '${labels.subject}', level: 2}\n"
        "        undo: when_resolved\n"
        "      - model.restart: {subject: '${labels.subject}'}\n"
        "      - model.level: {subject: '${labels.subject}', level: 3}\n"
        "        undo: when_resolved\n"
        "    verify: {query: 'errors{subject=\"${labels.subject}\"}', within: 3m, every: 10s}\n"
        "  - name: level\n"
        "    match: ['alertname=~\"level|errors\"']\n"
        "    cooldown: 5m\n"
        "    lock: level/${labels.subject}\n"
        "    fresh_within: 2m\n"
        "    on_failure: stop\n"
        "    expire: 30m\n"
        "    approval: {when: {after: 1 per 2h}, deadline: 10m, on_timeout: run}\n"
        "    steps:\n"
        "      - model.note: {subject: '${labels.subject}'}\n"
        "      - model.flush: {subject: cache}\n"
        "        max: 35\n"
        "  - name: leak\n"
        "    match: ['alertname=\"leak\"']\n"
        "    approval: {people: 2, deadline: 50m, on_timeout: deny}\n"
        "    escalate_to: pager\n"
        "    lock: key/${labels.subject}\n"
        "    limit: 2 per 6h\n"
        "    steps:\n"
        "      - model.note: {subject: '${labels.nobody_has_it}'}\n"
        "        on_failure: continue\n"
        "      - model.revoke: {subject: '${labels.subject}'}\n"
        "      - model.note: {subject: '${labels.subject}'}\n"
        "        essential: no\n"
        "      - model.restart: {subject: '${labels.subject}'}\n"
        "        timeout: 2m\n";

/* What people make of that file between two starts: what is found is replaced. */
static const struct edit {
        const char *from, *to; /* NULL: no more */
} versions[][4] = {
        {{NULL, NULL}},
        /* other arguments */
        {{"level: 2}", "level: 5}"},
         {"level: 3}", "level: 6}"},
         {"model.revoke: {", "model.revoke: {level: 4, "}},
        /* two steps that have changed their places */
        {{"level: 2}", "level: 9}"}, {"level: 3}", "level: 2}"}, {"level: 9}", "level: 3}"}},
        /* a remediation of another name, and steps of other actions */
        {{"name: errors", "name: errors2"},
         {"model.note: {subject: '${labels.subject}'}\n        essential",
          "model.flush: {subject: cache}\n        essential"}},
        /* other ends */
        {{"on_failure: undo", "on_failure: escalate"},
         {"within: 5m, for: 10s", "within: 6m"},
         {"lock: level/", "lock: levels/"}},
};
enum { VERSIONS = N_ELEMENTS(versions), JOBS_MOST = 64 };

struct totals {
        atomic_ullong worlds, incidents, acts, kills, restarts, reboots, jumps, lost_calls, pauses, tampered;
        atomic_bool failed;
        uint64_t seeds[JOBS_MOST]; /* of the world that each job is in */
};

struct options {
        uint64_t seed, seconds, incidents, jobs;
        bool one, twice;
};

static char *replaced(const char *text, const struct edit *edit)
{
        const char *at = strstr(text, edit->from);
        if (!at)
                abort();
        return text_format("%.*s%s%s", (int)(at - text), text, edit->to, at + strlen(edit->from));
}

static struct remediation_set *load_rules(const struct edit *edits)
{
        _cleanup_free_ char *text = strdup(rules);
        for (size_t i = 0; i < N_ELEMENTS(versions[0]) && edits[i].from; i++) {
                char *next = replaced(text, &edits[i]);
                free(text);
                text = next;
        }
        char path[] = "/tmp/runbook-sim-XXXXXX";
        _cleanup_error_ struct error error = {0};
        struct remediation_set *set = NULL;
        int fd = mkstemp(path);
        if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) < 0)
                abort();
        if (remediation_set_load(path, &set, &error) < 0) {
                fprintf(stderr, "%s\n", error_text(&error));
                abort();
        }
        unlink(path);
        /* The family of the model's actions is none that a file may name. */
        char *sign = strdup("model"), **signs = calloc(1, sizeof(char *));
        if (!sign || !signs)
                abort();
        signs[0] = sign;
        set->human_signs = (struct config_strings){.items = signs, .count = 1};
        return set;
}

static void add_up(struct totals *totals, const struct sim *sim)
{
        totals->worlds++;
        totals->incidents += sim->incidents;
        totals->acts += sim->acts;
        totals->kills += sim->kills;
        totals->restarts += sim->restarts;
        totals->reboots += sim->reboots;
        totals->jumps += sim->jumps;
        totals->tampered += sim->tampered;
        totals->lost_calls += sim->lost_calls;
        totals->pauses += sim->pauses;
}

static bool run_world(struct totals *totals, uint64_t seed, struct remediation_set *const *sets,
                      const struct options *options)
{
        static struct sim sim;
        const struct sim_size size = {.incidents = 200, .sets = sets, .set_count = VERSIONS};
        bool held = sim_run(&sim, seed, &size);
        uint64_t digest = sim.digest;
        if (held && options->twice && (held = sim_run(&sim, seed, &size)) && sim.digest != digest) {
                sim_fail(&sim, "the same seed is another world the second time");
                held = false;
        }
        add_up(totals, &sim);
        if (!held) {
                printf("seed %llu: %s\n  make sim SEED=%llu shows it again\n", (unsigned long long)seed,
                       sim.failure, (unsigned long long)seed);
                totals->failed = true;
        }
        if (!held || options->one)
                printf("digest %016llx after %.1f days\n", (unsigned long long)sim.digest,
                       nsec_to_seconds(sim.now) / 86400);
        fflush(stdout);
        return held;
}

static bool read_option(const char *argument, const char *name, uint64_t *ret)
{
        size_t length = strlen(name);
        if (strncmp(argument, name, length) != 0 || argument[length] != '=')
                return false;
        *ret = strtoull(argument + length + 1, NULL, 10);
        return true;
}

static nsec wall_now(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static void run_worlds(struct totals *totals, const struct options *options, uint64_t job)
{
        struct remediation_set *sets[VERSIONS];
        for (size_t i = 0; i < VERSIONS; i++)
                sets[i] = load_rules(versions[i]);
        nsec end = wall_now() + (nsec)options->seconds * NSEC_PER_SEC;
        for (uint64_t i = job; !totals->failed; i += options->jobs) {
                totals->seeds[job] = options->seed + i;
                if (!run_world(totals, options->seed + i, sets, options) || options->one)
                        break;
                if (wall_now() >= end || (options->incidents > 0 && totals->incidents >= options->incidents))
                        break;
        }
        for (size_t i = 0; i < VERSIONS; i++)
                remediation_set_free(sets[i]);
        tasks_free();
}

/* Each job is a process; one that crashes has its seed told. */
static void run_jobs(struct totals *totals, const struct options *options)
{
        pid_t processes[JOBS_MOST] = {0};
        for (uint64_t job = 0; job < options->jobs; job++) {
                processes[job] = fork();
                if (processes[job] == 0) {
                        run_worlds(totals, options, job);
                        exit(0);
                }
        }
        int status = 0;
        for (pid_t process; (process = wait(&status)) > 0;) {
                if (status == 0)
                        continue;
                totals->failed = true;
                for (uint64_t job = 0; job < options->jobs; job++)
                        if (processes[job] == process)
                                printf("seed %llu: it crashes (signal %d)\n",
                                       (unsigned long long)totals->seeds[job], WTERMSIG(status));
        }
}

int main(int argc, char **argv)
{
        struct options options = {.jobs = 1};
        for (int i = 1; i < argc; i++) {
                if (read_option(argv[i], "--seed", &options.seed))
                        options.one = true;
                else if (string_equal(argv[i], "--twice"))
                        options.twice = true;
                else if (string_equal(argv[i], "--trace"))
                        sim_trace = true;
                else if (!read_option(argv[i], "--from", &options.seed) &&
                         !read_option(argv[i], "--seconds", &options.seconds) &&
                         !read_option(argv[i], "--incidents", &options.incidents) &&
                         !read_option(argv[i], "--jobs", &options.jobs)) {
                        fprintf(stderr, "what is \"%s\"? See tests/sim/main.c.\n", argv[i]);
                        return 2;
                }
        }
        if (options.seconds == 0)
                options.seconds = options.incidents > 0 ? UINT32_MAX : 60;
        /* A fresh seed each time, which is printed. */
        if (!options.one && options.seed == 0)
                options.seed = (uint64_t)wall_now() % 1000000000 * 1000;
        /* There is one thread, and what was allocated once is kept. */
        sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        mallopt(M_MMAP_THRESHOLD, 64 << 20);
        mallopt(M_TRIM_THRESHOLD, 512 << 20);
        if (options.jobs < 1 || options.one)
                options.jobs = 1;
        if (options.jobs > JOBS_MOST)
                options.jobs = JOBS_MOST;
        log_setup("error", "logfmt", NULL);
        if (!sim_trace && !freopen("/dev/null", "w", stderr))
                return 2;
        if (sim_trace)
                setvbuf(stdout, NULL, _IOLBF, 0);

        struct totals *totals =
                mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        printf("seeds from %llu\n", (unsigned long long)options.seed);
        fflush(stdout);
        nsec began = wall_now();
        if (options.one)
                run_worlds(totals, &options, 0);
        else
                run_jobs(totals, &options);
        double took = nsec_to_seconds(wall_now() - began);
        printf("%llu incidents in %llu worlds in %.1f s (%.0f/s): %llu acts, %llu deaths, %llu starts, "
               "%llu boots, %llu jumps of the clock, %llu pauses, %llu lost calls, %llu journals changed; "
               "%s\n",
               totals->incidents, totals->worlds, took, (double)totals->incidents / took, totals->acts,
               totals->kills, totals->restarts, totals->reboots, totals->jumps, totals->pauses,
               totals->lost_calls, totals->tampered,
               totals->failed ? "a claim does not hold" : "every claim holds");
        return totals->failed;
}
