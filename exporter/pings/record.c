/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a job, and how it is kept: a line for each fact, and their sum. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "exporter/pings/internal.h"
#include "runbook/state_file.h"

#define TITLE "runbook pings 1"

enum fact_form { A_TIME, A_DURATION, A_CODE, A_FLAG, A_COUNT };

static const struct {
        const char *name;
        enum fact_form form;
        int64_t most;
} facts[] = {
        [PING_FIRST] = {"first", A_TIME, INT64_MAX},
        [PING_LAST] = {"last", A_TIME, INT64_MAX},
        [PING_STARTED] = {"started", A_TIME, INT64_MAX},
        [PING_SUCCEEDED] = {"succeeded", A_TIME, INT64_MAX},
        [PING_FAILED] = {"failed", A_TIME, INT64_MAX},
        [PING_DURATION] = {"duration", A_DURATION, INT64_MAX},
        [PING_EXIT_CODE] = {"exit_code", A_CODE, 255},
        [PING_RUNNING] = {"running", A_FLAG, 1},
        [PING_ENDED_BADLY] = {"ended_badly", A_FLAG, 1},
        [PING_STARTS] = {"starts", A_COUNT, INT64_MAX},
        [PING_SUCCESSES] = {"successes", A_COUNT, INT64_MAX},
        [PING_FAILURES] = {"failures", A_COUNT, INT64_MAX},
};
tables_agree(facts, PING_FACTS);

void ping_record_clear(struct ping_record *record)
{
        *record = (struct ping_record){0};
        for (size_t i = 0; i < PING_FACTS; i++)
                record->facts[i] = facts[i].form == A_FLAG || facts[i].form == A_COUNT ? 0 : PING_UNKNOWN;
}

static void note_time(struct ping_record *record, enum ping_fact fact, const struct ping *ping)
{
        record->facts[fact] = ping->wall;
        record->steady[fact] = ping->steady;
}

void ping_record_note(struct ping_record *record, const struct ping *ping)
{
        static const struct {
                enum ping_fact time, count;
        } of_event[] = {
                [PING_START] = {PING_STARTED, PING_STARTS},
                [PING_SUCCESS] = {PING_SUCCEEDED, PING_SUCCESSES},
                [PING_FAILURE] = {PING_FAILED, PING_FAILURES},
        };
        tables_agree(of_event, PING_EVENTS);
        int64_t *fact = record->facts;
        if (fact[PING_FIRST] == PING_UNKNOWN)
                note_time(record, PING_FIRST, ping);
        note_time(record, PING_LAST, ping);
        note_time(record, of_event[ping->event].time, ping);
        fact[of_event[ping->event].count] += fact[of_event[ping->event].count] < INT64_MAX;
        if (ping->event == PING_START) {
                fact[PING_RUNNING] = 1;
                return;
        }
        fact[PING_DURATION] = fact[PING_RUNNING] ? ping->steady - record->steady[PING_STARTED] : PING_UNKNOWN;
        fact[PING_EXIT_CODE] = ping->exit_code;
        fact[PING_RUNNING] = 0;
        fact[PING_ENDED_BADLY] = ping->event == PING_FAILURE;
}

static bool parse_fact(const char *line, size_t i, int64_t *ret)
{
        size_t length = strlen(facts[i].name);
        int end = 0;
        return strncmp(line, facts[i].name, length) == 0 &&
               sscanf(line + length, " %" SCNd64 "%n", ret, &end) == 1 &&
               line[length + (size_t)end] == '\0' && *ret >= PING_UNKNOWN && *ret <= facts[i].most;
}

int ping_record_load(const char *path, struct ping_record *ret, struct error *error)
{
        _cleanup_text_ struct text lines = {0};
        struct ping_record record;
        const nsec wall = clock_wall(), steady = clock_monotonic();
        ping_record_clear(&record);
        int r = state_file_load(path, TITLE, &lines, error);
        if (r < 0)
                return r;
        if (r > 0 && !state_file_take_sum(&lines))
                return state_file_broken(path, TITLE, error);
        char *rest = r > 0 ? lines.data : NULL;
        for (size_t i = 0; rest && i < PING_FACTS; i++) {
                const char *line = strsep(&rest, "\n");
                if (!line || !parse_fact(line, i, &record.facts[i]))
                        return state_file_broken(path, TITLE, error);
                const nsec ago = wall - record.facts[i];
                if (facts[i].form == A_TIME)
                        record.steady[i] = steady - (ago > 0 ? ago : 0);
        }
        *ret = record;
        return 0;
}

int ping_record_save(const char *path, const struct ping_record *record, struct error *error)
{
        _cleanup_text_ struct text lines = {0};
        for (size_t i = 0; i < PING_FACTS; i++)
                text_printf(&lines, "%s %" PRId64 "\n", facts[i].name, record->facts[i]);
        state_file_put_sum(&lines);
        return state_file_save(path, TITLE, &lines, error);
}
