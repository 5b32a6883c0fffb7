/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work to count the instructions of, for what contracts (runbook/assert.h) cost: on one thread, without any
 * neighbour, from alert to end.
 *
 *     contracts webhook COUNT DIRECTORY    parses and accepts so many webhooks, each of an alert of its own
 *     contracts step COUNT DIRECTORY       carries so many incidents of two steps to their end, one by one,
 * and their alerts with them
 *
 * Counted by `valgrind --tool=callgrind` for two COUNTs and in two builds, one with NO_CONTRACTS=1: what the
 * differences differ by is the cost.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "responder/engine/engine.h"
#include "runbook/file.h"
#include "runbook/log.h"

struct work {
        void (*function)(void *argument);
        void *argument;
};

static struct work waiting[512];
static size_t waiting_count;

static _Noreturn void die(const char *what, const struct error *error)
{
        fprintf(stderr, "contracts: %s: %s\n", what, error_text(error));
        exit(1);
}

static nsec read_wall(void *context _unused_)
{
        return clock_wall();
}

static nsec read_monotonic(void *context _unused_)
{
        return clock_monotonic();
}

static void wake(void *context _unused_) {}

static int run_later(void *context _unused_, enum world_pool pool _unused_, const char *whose _unused_,
                     void (*work)(void *argument), void *argument)
{
        if (waiting_count == N_ELEMENTS(waiting))
                return -EAGAIN;
        waiting[waiting_count++] = (struct work){work, argument};
        return 0;
}

static unsigned finish(void *context _unused_, struct deadline deadline _unused_)
{
        return 0;
}

static int plan_step(void *context _unused_, const struct action *action _unused_,
                     struct step_run *run _unused_, cJSON **ret_plan, struct error *error)
{
        return json_parse("{\"summary\":\"nothing\",\"targets\":1}", 35, ret_plan, error);
}

static int run_step(void *context _unused_, const struct action *action _unused_,
                    struct step_run *run _unused_, cJSON **ret_outcome, struct error *error)
{
        return json_parse("{\"summary\":\"nothing\"}", 21, ret_outcome, error);
}

static int settle_step(void *context _unused_, const struct action *action _unused_,
                       struct step_run *run _unused_, struct error *error _unused_)
{
        return 0;
}

static const struct world world = {
        .wall = read_wall,
        .monotonic = read_monotonic,
        .wake = wake,
        .run = run_later,
        .finish = finish,
        .plan_step = plan_step,
        .run_step = run_step,
        .settle_step = settle_step,
        .alone = true,
};

static void accepted(void *context _unused_, int result)
{
        if (result < 0)
                die("a webhook was not accepted", NULL);
}

static void accept_webhook(struct journal *journal, unsigned number, bool firing)
{
        _cleanup_error_ struct error error = {0};
        char body[1024];
        struct webhook webhook = {0};
        const char *status = firing ? "firing" : "resolved";
        const char *ends_at = firing ? "0001-01-01T00:00:00Z" : "2026-01-01T01:00:00Z";
        int length = snprintf(body, sizeof(body),
                              "{\"version\":\"4\",\"receiver\":\"runbook\",\"status\":\"%s\",\"alerts\":["
                              "{\"status\":\"%s\",\"labels\":{\"alertname\":\"a\",\"of\":\"%u\"},"
                              "\"annotations\":{\"summary\":\"something is slow\"},"
                              "\"startsAt\":\"2026-01-01T00:00:00Z\",\"endsAt\":\"%s\","
                              "\"fingerprint\":\"f%u\"}]}",
                              status, status, number, ends_at, number);
        if (webhook_parse(body, (size_t)length, &webhook, &error) < 0)
                die("a webhook", &error);
        if (journal_accept(journal, &webhook, accepted, NULL) < 0)
                die("a webhook was not taken", NULL);
        journal_commit_waiting(journal);
}

static struct remediation_set *load_remediation(const char *directory)
{
        static const char text[] = "escalate_to: nobody\n"
                                   "remediations:\n"
                                   "  - {name: two, match: ['alertname=\"a\"'], lock: '${labels.of}',\n"
                                   "     steps: [{host.memory: {}}, {host.memory: {}}]}\n";
        _cleanup_error_ struct error error = {0};
        char path[512];
        snprintf(path, sizeof(path), "%s/remediations.yml", directory);
        FILE *file = fopen(path, "we");
        if (!file || fputs(text, file) < 0 || fclose(file) != 0)
                die(path, NULL);
        struct remediation_set *set = NULL;
        if (remediation_set_load(path, &set, &error) < 0)
                die("the remediation", &error);
        return set;
}

/* What has ended is active for as long as its alert fires. */
static void carry_to_end(struct engine *engine, struct journal *journal, bool fires)
{
        _cleanup_error_ struct error error = {0};
        for (size_t count = 1; count > 0;) {
                nsec next;
                if (engine_look(engine, &next, &error) < 0)
                        die("a look", &error);
                for (size_t i = 0; i < waiting_count; i++)
                        waiting[i].function(waiting[i].argument);
                waiting_count = 0;
                struct incident_list active = {0};
                if (journal_active(journal, &active, &error) < 0)
                        die("the incidents", &error);
                count = 0;
                for (size_t i = 0; i < active.count; i++)
                        count += !fires || active.items[i].ended_at == 0;
                incident_list_release(&active);
        }
}

static void carry_each(struct journal *journal, unsigned count, const char *directory)
{
        _cleanup_error_ struct error error = {0};
        struct remediation_set *set = load_remediation(directory);
        struct meters *meters = meters_new();
        const struct incident_parts parts = {
                .world = &world, .set = set, .journal = journal, .meters = meters};
        struct engine *engine = NULL;
        if (engine_new(&parts, &engine, &error) < 0)
                die("the engine", &error);
        for (unsigned i = 0; i < count; i++) {
                accept_webhook(journal, i, true);
                carry_to_end(engine, journal, true);
                accept_webhook(journal, i, false);
                carry_to_end(engine, journal, false);
        }
        engine_stop(engine, (struct deadline){0});
        meters_free(meters);
        remediation_set_free(set);
}

static const struct journal_key test_key = {.bytes = "the key of the bench"};

int main(int argc, char **argv)
{
        _cleanup_error_ struct error error = {0};
        if (argc != 4) {
                fprintf(stderr, "usage: contracts webhook|step COUNT DIRECTORY\n");
                return 2;
        }
        char path[512];
        struct journal *journal = NULL;
        unsigned count = (unsigned)strtoul(argv[2], NULL, 10);
        snprintf(path, sizeof(path), "%s/journal.db", argv[3]);
        log_setup("error", "logfmt", NULL);
        if (journal_open(path, &test_key, &world, &journal, &error) < 0)
                die("the journal", &error);
        if (strcmp(argv[1], "step") == 0)
                carry_each(journal, count, argv[3]);
        for (unsigned i = 0; strcmp(argv[1], "webhook") == 0 && i < count; i++)
                accept_webhook(journal, i, true);
        journal_close(journal);
        return 0;
}
