/* SPDX-License-Identifier: Apache-2.0 */
/* What a person is told of incidents as they happen with the shipped remediations: enough to act upon it. */
#include "tests/harness/golden.h"

#include "responder/incident/report.h"
#include "responder/targets/formats/format.h"
#include "runbook/http_client.h"

/* One step, as the journal has it. */
struct told_step {
        enum step_status status;
        const char *summary; /* of its outcome; NULL: none */
        const char *plan;    /* likewise of its plan */
};

/* An incident with an alert and steps of the shipped file. */
struct situation {
        const char *remediation, *what, *reason;
        enum message_mood mood;
        enum incident_state state;
        const char *guard;
        struct told_step steps[6];
        bool resolved;
        const char *labels[8], *annotations[6]; /* name, value, …; closed by NULL */
};

struct fixture {
        struct remediation_set *set;
        struct incident_parts parts;
        struct incident_run run;
        struct report report;
};

static char *copy(const char *string)
{
        char *copied = strdup(string);
        assert_non_null(copied);
        return copied;
}

static void fill_map(struct config_map *map, const char *const *pairs)
{
        map->keys = calloc(8, sizeof(*map->keys));
        map->values = calloc(8, sizeof(*map->values));
        for (; pairs[0]; pairs += 2) {
                map->keys[map->count] = copy(pairs[0]);
                map->values[map->count++] = copy(pairs[1]);
        }
}

static void fill_steps(struct incident *incident, const struct remediation *remediation,
                       const struct told_step *steps)
{
        incident->step_count = remediation->step_count;
        incident->steps = calloc(incident->step_count, sizeof(*incident->steps));
        for (size_t i = 0; i < incident->step_count; i++) {
                struct step_record *record = &incident->steps[i];
                record->position = i + 1;
                record->action = copy(remediation->steps[i].action->name);
                record->status = steps[i].status;
                if (steps[i].plan) {
                        record->plan = cJSON_CreateObject();
                        cJSON_AddStringToObject(record->plan, "summary", steps[i].plan);
                }
                if (!steps[i].summary)
                        continue;
                record->outcome = cJSON_CreateObject();
                cJSON_AddStringToObject(record->outcome, "summary", steps[i].summary);
        }
}

static void fixture_make(struct fixture *fixture, const struct situation *situation)
{
        _cleanup_error_ struct error error = {0};
        *fixture = (struct fixture){0};
        if (remediation_set_load("rules/remediations.yml", &fixture->set, &error) < 0)
                fail_msg("%s", error_text(&error));
        fixture->parts = (struct incident_parts){.set = fixture->set, .address = "http://127.0.0.1:9878"};
        struct incident *incident = &fixture->run.incident;
        fixture->run.parts = &fixture->parts;
        fixture->run.remediation = remediation_find(fixture->set, situation->remediation);
        assert_non_null(fixture->run.remediation);
        incident->id = 7;
        incident->number = copy("INC-2026-0007");
        incident->remediation = copy(situation->remediation);
        incident->state = situation->state;
        incident->guard = copy(situation->guard ? situation->guard : "");
        incident->episode_open = !situation->resolved;
        incident->alert.fingerprint = copy("f");
        fill_map(&incident->alert.labels, situation->labels);
        fill_map(&incident->alert.annotations, situation->annotations);
        fill_steps(incident, fixture->run.remediation, situation->steps);
        assert_int_equal(report_make(&fixture->run, situation->mood, situation->what, situation->reason,
                                     &fixture->report, NULL),
                         0);
}

static void fixture_release(struct fixture *fixture)
{
        report_release(&fixture->report);
        incident_release(&fixture->run.incident);
        remediation_set_free(fixture->set);
}

static const struct situation key_still_live = {
        .remediation = "api_key_compromise",
        .what = "failed",
        .reason = "step 2 (docker.logs) cannot be planned: unix:///var/run/docker.sock: cannot connect",
        .state = INCIDENT_FAILED,
        .mood = MESSAGE_TROUBLE,
        .labels = {"alertname", "api_key_compromise", "key_name", "partner-key", "severity", "critical",
                   NULL},
        .annotations = {"summary", "The API key partner-key is used suspiciously", "runbook",
                        "Security incident response, api_key_compromise", NULL},
};

static const struct situation debug_in_force = {
        .remediation = "high_error_rate",
        .what = "not healed",
        .reason = "the query did not hold within 5m",
        .state = INCIDENT_NOT_HEALED,
        .mood = MESSAGE_TROUBLE,
        .steps = {{STEP_DONE, "logs of 3 containers saved", NULL},
                  {STEP_DONE, "1 container(s) recorded", NULL},
                  {STEP_DONE, "1 container(s) of rest-api recreated with the new environment",
                   "recreate with another LOG_LEVEL: mcp_rest-api_1"},
                  {STEP_DONE, "oncall was told", NULL}},
        .labels = {"alertname", "high_error_rate", "service", "rest-api", NULL},
        .annotations = {"summary", "20% of the requests to rest-api are answered with 5xx", NULL},
};

/* Each row of the table of realistic situations, and the words that a person needs. */
static const struct {
        struct situation situation;
        const char *says[6], *not_said;
} rows[] = {
        {{.remediation = "high_latency",
          .what = "not healed",
          .reason = "the query could not be asked within 5m: Prometheus: timed out",
          .state = INCIDENT_NOT_HEALED,
          .steps = {{STEP_DONE, "1 container(s) of mcp-server restarted", NULL},
                    {STEP_DONE, "2 keys removed", NULL}},
          .labels = {"alertname", "high_latency", "service", "mcp-server", NULL}},
         {"could not be asked within 5m", "service=\\\"mcp-server\\\"",
          "1. docker.restart: done: 1 container(s) of mcp-server restarted", "the alert fires", NULL},
         "nothing was changed"},
        /* Redis wants a password: that nothing was restarted has to be said. */
        {{.remediation = "high_latency",
          .what = "failed",
          .reason = "step 2 (redis.flush) cannot be planned: localhost:6379: NOAUTH",
          .state = INCIDENT_FAILED,
          .labels = {"alertname", "high_latency", "service", "mcp-server", NULL}},
         {"1. docker.restart: not run", "2. redis.flush: not run", "nothing was changed", "NOAUTH", NULL},
         "undo: runbook_responder undo"},
        /* The fourth of the day. */
        {{.remediation = "high_latency",
          .what = "is held",
          .reason = "by `limit` until 2026-11-28T03:00:00.000Z, and it expires after 1h",
          .state = INCIDENT_HELD,
          .guard = "limit",
          .labels = {"alertname", "high_latency", "service", "mcp-server", NULL}},
         {"is held: by `limit` until 2026-11-28T03:00:00.000Z", "nothing was changed",
          "cancel: runbook_responder cancel INC-2026-0007\\nor: curl -X POST "
          "http://127.0.0.1:9878/api/v1/incidents/INC-2026-0007/cancel",
          NULL},
         "resume"},
        {{.remediation = "high_latency",
          .what = "is held",
          .state = INCIDENT_HELD,
          .guard = "paused",
          .labels = {"alertname", "high_latency", "service", "mcp-server", NULL}},
         {"resume: runbook_responder resume\\nor: curl -X POST http://127.0.0.1:9878/-/resume", NULL},
         NULL},
        {{.remediation = "pool_exhausted",
          .what = "healed",
          .state = INCIDENT_HEALED,
          .steps = {{STEP_DONE, "nothing to end", NULL},
                    {STEP_DONE, "1 container(s) of mcp-server recreated", NULL}},
          .labels = {"alertname", "pool_exhausted", "service", "mcp-server", NULL}},
         {"step 2 (docker.set_env) is in force", "/INC-2026-0007/undo -d", NULL},
         "the alert fires"},
        {{.remediation = "api_key_compromise_all",
          .what = "awaits approval",
          .reason = "the remediation asks for approval",
          .state = INCIDENT_AWAITING_APPROVAL,
          .labels = {"alertname", "api_key_compromise", NULL}},
         {"/INC-2026-0007/approve -d", "/INC-2026-0007/deny -d", "API keys may still be live", NULL},
         "undo: runbook_responder undo"},
        {{.remediation = "high_error_rate",
          .what = "could not be undone",
          .reason = "step 3 (docker.set_env) could not be undone: somebody has replaced it",
          .state = INCIDENT_HEALED,
          .resolved = true,
          .steps = {{STEP_DONE, "x", NULL},
                    {STEP_DONE, "x", NULL},
                    {STEP_UNDO_FAILED, "recreated", NULL},
                    {STEP_DONE, "x", NULL}},
          .labels = {"alertname", "high_error_rate", "service", "worker", NULL}},
         {"step 3 (docker.set_env) could not be put back, and is still in force", "service=\\\"worker\\\"",
          "3. docker.set_env: undo failed: recreated", NULL},
         NULL},
        {{.remediation = "high_error_rate",
          .what = "failed",
          .reason = "step 3 (docker.set_env) was interrupted: remediations.yml has changed since",
          .state = INCIDENT_FAILED,
          .resolved = true,
          .steps = {{STEP_DONE, "x", NULL}, {STEP_DONE, "x", NULL}, {STEP_INTERRUPTED, NULL, NULL}},
          .labels = {"alertname", "high_error_rate", "service", "worker", NULL}},
         {"step 3 (docker.set_env) was under way: what it did is to be looked at", "the alert is resolved",
          "4. notify: not run", NULL},
         NULL},
};

static void test_words(void **state _unused_)
{
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                struct fixture fixture;
                fixture_make(&fixture, &rows[i].situation);
                _cleanup_json_ cJSON *slack = message_to_slack(&fixture.report.message);
                _cleanup_free_ char *text = json_print(slack);
                for (const char *const *says = rows[i].says; *says; says++)
                        if (!strstr(text, *says))
                                fail_msg("row %zu says nothing of \"%s\": %s", i, *says, text);
                if (rows[i].not_said && strstr(text, rows[i].not_said))
                        fail_msg("row %zu says \"%s\": %s", i, rows[i].not_said, text);
                fixture_release(&fixture);
        }
}

/* The whole of it, in some formats; those of all are in tests/unit/responder/targets/formats. */
static void test_golden(void **state _unused_)
{
        static const struct {
                const char *name;
                const struct situation *situation;
        } situations[] = {{"key", &key_still_live}, {"debug", &debug_in_force}};
        for (size_t i = 0; i < N_ELEMENTS(situations); i++) {
                struct fixture fixture;
                fixture_make(&fixture, situations[i].situation);
                const struct message *message = &fixture.report.message;
                _cleanup_json_ cJSON *slack = message_to_slack(message), *json = message_to_json(message, 0);
                _cleanup_free_ char *line = message_to_line(message);
                const char *name = situations[i].name;
                const struct {
                        const char *format;
                        char *said;
                } told[] = {{"slack.json", cJSON_Print(slack)},
                            {"generic.json", cJSON_Print(json)},
                            {"log.txt", strdup(line)}};
                for (size_t k = 0; k < N_ELEMENTS(told); k++) {
                        _cleanup_free_ char *path =
                                text_format("tests/data/golden/messages/report_%s-%s", name, told[k].format);
                        check_golden(path, told[k].said);
                        free(told[k].said);
                }
                fixture_release(&fixture);
        }
}

/* Labels come from anywhere: none forges a mention, a line or a field, and none makes the message too long.
 */
static void test_strangers_labels(void **state _unused_)
{
        struct situation situation = debug_in_force;
        _cleanup_free_ char *endless = calloc(1, 100001);
        memset(endless, 'x', 100000);
        const char *const labels[] = {"alertname", "<!channel> a\nNext: rm -rf /", "service", endless,
                                      "b\"",       "`*_<http://x|y>\x1b[2J\xff",   NULL};
        memcpy(situation.labels, labels, sizeof(labels));
        situation.annotations[1] = endless;
        struct fixture fixture;
        fixture_make(&fixture, &situation);
        _cleanup_json_ cJSON *json = message_to_slack(&fixture.report.message);
        _cleanup_free_ char *text = json_print(json), *line = message_to_line(&fixture.report.message);
        assert_null(strstr(text, "<!channel"));
        assert_null(strstr(text, "<http"));
        assert_null(strstr(text, "\\nNext: rm"));
        assert_null(strstr(line, "\n"));
        assert_non_null(strstr(text, "\"mrkdwn\":false"));
        assert_true(strlen(text) < 8000);
        fixture_release(&fixture);
}

static void test_many_labels(void **state _unused_)
{
        struct fixture fixture;
        fixture_make(&fixture, &debug_in_force);
        report_release(&fixture.report);
        struct config_map *labels = &fixture.run.incident.alert.labels;
        labels->keys = reallocarray(labels->keys, 100, sizeof(*labels->keys));
        labels->values = reallocarray(labels->values, 100, sizeof(*labels->values));
        for (; labels->count < 100; labels->count++) {
                labels->keys[labels->count] = text_format("l%zu", labels->count);
                labels->values[labels->count] = copy("v");
        }
        assert_int_equal(report_make(&fixture.run, MESSAGE_TROUBLE, "failed", NULL, &fixture.report, NULL),
                         0);
        assert_string_equal(fixture.report.text, "INC-2026-0007 high_error_rate: failed");
        assert_non_null(strstr(fixture.report.parts[0].text, ", and 87 more labels"));
        fixture_release(&fixture);
}

/* Where people reach it: what the file says, else where it listens, else nothing is made up. */
static void test_link(void **state _unused_)
{
        struct fixture fixture;
        fixture_make(&fixture, &debug_in_force);
        assert_string_equal(fixture.report.link, "http://127.0.0.1:9878/incidents/INC-2026-0007");
        report_release(&fixture.report);
        fixture.set->external_url = copy("https://runbook.example/a//");
        assert_int_equal(report_make(&fixture.run, MESSAGE_TROUBLE, "failed", "x", &fixture.report, NULL), 0);
        assert_string_equal(fixture.report.link, "https://runbook.example/a/incidents/INC-2026-0007");
        report_release(&fixture.report);
        free(fixture.set->external_url);
        fixture.set->external_url = NULL;
        fixture.parts.address = NULL;
        assert_int_equal(report_make(&fixture.run, MESSAGE_TROUBLE, "failed", "x", &fixture.report, NULL), 0);
        assert_null(fixture.report.link);
        _cleanup_json_ cJSON *json = message_to_slack(&fixture.report.message);
        _cleanup_free_ char *text = json_print(json);
        assert_null(strstr(text, "curl"));
        assert_null(strstr(text, "button"));
        fixture_release(&fixture);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_golden),
                cmocka_unit_test(test_strangers_labels),
                cmocka_unit_test(test_many_labels),
                cmocka_unit_test(test_link),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
