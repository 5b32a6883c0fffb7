/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind heartbeat: jobs that nobody watches say when they start, succeed and fail (POST /ping/NAME), and are
 * missed when they do not.
 *
 * A job that was never heard of is not set up, and neither late nor well. There is no timer: whether one is
 * late is looked at when somebody asks, as all else is.
 */
#include <errno.h>

#include "exporter/check/check.h"
#include "exporter/kinds/heartbeat/expectation.h"
#include "exporter/pings/pings.h"

struct heartbeat_config {
        nsec period, grace;
        char *cron, *timezone;
        struct secret token;
};

static const struct config_field fields[] = {
        {"period", CONFIG_DURATION, offsetof(struct heartbeat_config, period), .flags = CONFIG_POSITIVE,
         .help = "How often the job succeeds, counted from its last success; or cron: one of the two"},
        {"cron", CONFIG_STRING, offsetof(struct heartbeat_config, cron), .flags = CONFIG_NOT_EMPTY,
         .help = "When it starts, as in its crontab: `15 2 * * *`, `@daily`"},
        {"timezone", CONFIG_STRING, offsetof(struct heartbeat_config, timezone), .flags = CONFIG_NOT_EMPTY,
         .help = "With cron: by which clock, such as `Europe/Berlin`, `UTC`, or `local` for that of this "
                 "system"},
        {"grace", CONFIG_DURATION, offsetof(struct heartbeat_config, grace), .flags = CONFIG_REQUIRED,
         .help = "How much later a success may come, the job's own time included, before it is late"},
        {"token", CONFIG_SECRET, offsetof(struct heartbeat_config, token),
         .help = "What a ping has to show as `Authorization: Bearer …`, from anywhere; without it (and "
                 "without users) "
                 "pings are taken from this host alone"},
        {0},
};

#define FAMILIES(X)                                                                                       \
        X(pinged, GAUGE, "runbook_heartbeat_pinged", NULL,                                                \
          "Whether the job was ever heard of. While it was not, this alone is told of it: it is not set " \
          "up.")                                                                                          \
        X(late, GAUGE, "runbook_heartbeat_late", NULL,                                                    \
          "Whether the next success has not come by its time and the grace.")                             \
        X(expected_by, GAUGE, "runbook_heartbeat_expected_by_timestamp_seconds", "seconds",               \
          "By when the next success is expected, the grace included.")                                    \
        X(last_ping, GAUGE, "runbook_heartbeat_last_ping_timestamp_seconds", "seconds",                   \
          "When the job was heard of last.")                                                              \
        X(last_start, GAUGE, "runbook_heartbeat_last_start_timestamp_seconds", "seconds",                 \
          "When it said last that it starts; not there when it never did.")                               \
        X(last_success, GAUGE, "runbook_heartbeat_last_success_timestamp_seconds", "seconds",             \
          "When it said last that it succeeded; not there when it never did.")                            \
        X(last_failure, GAUGE, "runbook_heartbeat_last_failure_timestamp_seconds", "seconds",             \
          "When it said last that it failed; not there when it never did.")                               \
        X(running, GAUGE, "runbook_heartbeat_running", NULL,                                              \
          "Whether it said that it starts, and of no end since.")                                         \
        X(failed, GAUGE, "runbook_heartbeat_failed", NULL,                                                \
          "Whether the last end that it told was a failure.")                                             \
        X(duration, GAUGE, "runbook_heartbeat_duration_seconds", "seconds",                               \
          "How long its last run took, from start to end; not there when it did not tell both.")          \
        X(exit_code, GAUGE, "runbook_heartbeat_exit_code", NULL,                                          \
          "What its last run exited with; not there when it did not tell it.")                            \
        X(pings, COUNTER, "runbook_heartbeat_pings_total", NULL,                                          \
          "How often it was heard of since the first time, by the event: start, success, fail.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

struct heartbeat_state {
        const struct check *check;
        struct schedule_of_job job;
};

static void *heartbeat_close(void *state)
{
        struct heartbeat_state *heartbeat = state;
        if (!heartbeat)
                return NULL;
        zone_free(heartbeat->job.zone);
        free(heartbeat);
        return NULL;
}
DEFINE_CLEANUP(void *, heartbeat_close);

/* What one word of the mapping means; complains about it where that is not right. */
static int complain(struct config_node *node, const char *key, const char *value, int result,
                    const struct error *error)
{
        if (result == -ENOMEM)
                return result;
        config_complain(node, key, "%s", error->message ? error_text(error) : value);
        return -EINVAL;
}

static int read_cron(const struct heartbeat_config *config, struct config_node *node,
                     struct schedule_of_job *job)
{
        _cleanup_error_ struct error error = {0};
        if (!config->timezone) {
                config_complain(node, "cron",
                                "a timezone is needed with it: that of the job's cron, such as "
                                "Europe/Berlin, UTC, or "
                                "local");
                return -EINVAL;
        }
        int r = cron_parse(config->cron, &job->cron, &error);
        if (r < 0)
                return complain(node, "cron", config->cron, r, &error);
        r = zone_load(config->timezone, &job->zone, &error);
        if (r < 0)
                return complain(node, "timezone", config->timezone, r, &error);
        if (cron_next(&job->cron, job->zone, clock_wall() / NSEC_PER_SEC) != CRON_NEVER)
                return 0;
        config_complain(node, "cron", "\"%s\" is on no calendar: it never comes", config->cron);
        return -EINVAL;
}

static int heartbeat_open(const struct check *check, struct config_node *node, void **ret_state,
                          struct error *error)
{
        const struct heartbeat_config *config = check->config;
        struct heartbeat_state *heartbeat = calloc(1, sizeof(*heartbeat));
        _cleanup_(heartbeat_close_p) void *owned = heartbeat;
        int r = 0;
        if (!heartbeat)
                return error_oom(error);
        heartbeat->check = check;
        heartbeat->job.period = config->period;
        heartbeat->job.grace = config->grace;
        if (!config->cron == !config->period) {
                config_complain(node, NULL, "one of period and cron is needed, and only one");
                return -EINVAL;
        }
        if (config->timezone && !config->cron) {
                config_complain(node, "timezone", "a period has no timezone");
                return -EINVAL;
        }
        if (config->cron)
                r = read_cron(config, node, &heartbeat->job);
        if (r < 0)
                return r == -ENOMEM ? error_oom(error) : r;
        *ret_state = TAKE_PTR(owned);
        return 0;
}

static const struct secret *heartbeat_token(const void *config)
{
        return &((const struct heartbeat_config *)config)->token;
}

static void add_time(struct sample_sink *sink, const struct metric_family *family, int64_t fact)
{
        if (fact != PING_UNKNOWN)
                SAMPLE_BARE(sink, family, nsec_to_seconds(fact));
}

static void add_samples(struct sample_sink *sink, const struct ping_record *record,
                        const struct expectation *expectation)
{
        static const enum ping_fact counts[] = {
                [PING_START] = PING_STARTS, [PING_SUCCESS] = PING_SUCCESSES, [PING_FAILURE] = PING_FAILURES};
        tables_agree(counts, PING_EVENTS);
        const int64_t *facts = record->facts;
        SAMPLE_BARE(sink, &late, expectation->late);
        if (expectation->by != INT64_MAX)
                SAMPLE_BARE(sink, &expected_by, nsec_to_seconds(expectation->by));
        add_time(sink, &last_ping, facts[PING_LAST]);
        add_time(sink, &last_start, facts[PING_STARTED]);
        add_time(sink, &last_success, facts[PING_SUCCEEDED]);
        add_time(sink, &last_failure, facts[PING_FAILED]);
        SAMPLE_BARE(sink, &running, (double)facts[PING_RUNNING]);
        SAMPLE_BARE(sink, &failed, (double)facts[PING_ENDED_BADLY]);
        add_time(sink, &duration, facts[PING_DURATION]);
        if (facts[PING_EXIT_CODE] != PING_UNKNOWN)
                SAMPLE_BARE(sink, &exit_code, (double)facts[PING_EXIT_CODE]);
        for (size_t i = 0; i < PING_EVENTS; i++)
                SAMPLE(sink, &pings, (double)facts[counts[i]], {"event", ping_event_names[i]});
}

static int judge(const struct ping_record *record, const struct expectation *expectation, struct error *error)
{
        char by[TIME_TEXT_MAX], last[TIME_TEXT_MAX];
        const int64_t *facts = record->facts;
        if (facts[PING_FIRST] == PING_UNKNOWN)
                return error_not_set_up(error, error_set(error, ENOENT, "it was never heard of"));
        if (expectation->late)
                error_set(error, ETIMEDOUT, "late: a success was expected by %s, the last one was %s",
                          time_format(expectation->by, by),
                          facts[PING_SUCCEEDED] == PING_UNKNOWN ? "never"
                                                                : time_format(facts[PING_SUCCEEDED], last));
        else if (!facts[PING_ENDED_BADLY])
                return 0;
        else if (facts[PING_EXIT_CODE] == PING_UNKNOWN)
                error_set(error, EREMOTEIO, "its last run failed, at %s",
                          time_format(facts[PING_FAILED], last));
        else
                error_set(error, EREMOTEIO, "its last run failed with exit code %lld, at %s",
                          (long long)facts[PING_EXIT_CODE], time_format(facts[PING_FAILED], last));
        return error_failed(error, expectation->late ? -ETIMEDOUT : -EREMOTEIO);
}

static int heartbeat_run(void *state, struct deadline deadline _unused_, struct sample_sink *sink,
                         struct error *error)
{
        const struct heartbeat_state *heartbeat = state;
        struct ping_box *box = heartbeat->check->pings;
        struct ping_record record;
        struct expectation expectation = {0};
        _cleanup_error_ struct error trouble = {0};
        if (!box)
                return error_not_looked(error, error_set(error, ENODATA,
                                                         "nobody keeps its pings here: they are in the "
                                                         "exporter's --state.directory"));
        int r = ping_box_read(box, &record, error);
        if (r < 0)
                return error_not_looked(error, r);
        int saved = ping_box_save(box, NULL, &trouble); /* what could not be written when it came */
        bool known = record.facts[PING_FIRST] != PING_UNKNOWN;
        SAMPLE_BARE(sink, &pinged, known);
        if (known) {
                expectation = expectation_of(&heartbeat->job, &record, clock_wall(), clock_monotonic());
                add_samples(sink, &record, &expectation);
        }
        r = judge(&record, &expectation, error);
        if (r < 0 || saved >= 0)
                return r;
        error_move(error, &trouble);
        return error_not_looked(error, saved);
}

const struct check_kind check_kind_heartbeat = {
        .name = "heartbeat",
        .help = "A job that nobody watches: it posts to /ping/NAME when it starts, succeeds or fails, and is "
                "missed "
                "when it does not.",
        .fields = fields,
        .config_size = sizeof(struct heartbeat_config),
        .families = families,
        .open = heartbeat_open,
        .run = heartbeat_run,
        .close = heartbeat_close,
        .ping_token = heartbeat_token,
};
