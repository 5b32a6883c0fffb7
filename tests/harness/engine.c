/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/engine.h"
#include "tests/harness/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runbook/http_server.h"
#include "runbook/log.h"
#include "tests/harness/files.h"
#include "tests/harness/journal.h"

static bool asks_for_alerts(struct http_exchange *exchange)
{
        const struct text *body = http_body(exchange);
        return body && strstr(text_string(body), "ALERTS");
}

static void serve_firing(struct http_exchange *exchange, const struct engine_fixture *fixture)
{
        struct text body = {0};
        if (atomic_load(&fixture->no_firing)) {
                http_reply_text(exchange, 500, "broken");
                return;
        }
        text_printf(&body, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[%s]}}",
                    atomic_load(&fixture->fires)
                            ? "{\"metric\":{\"__name__\":\"ALERTS\",\"alertstate\":\"firing\","
                              "\"alertname\":\"a\"},\"value\":[1,\"1\"]}"
                            : "");
        http_reply(exchange, 200, HTTP_TYPE_JSON, &body);
}

static void serve_query(struct http_exchange *exchange, void *context)
{
        struct engine_fixture *fixture = context;
        if (asks_for_alerts(exchange)) {
                serve_firing(exchange, fixture);
                return;
        }
        atomic_fetch_add(&fixture->asked, 1);
        if (atomic_load(&fixture->unreachable)) {
                http_reply_text(exchange, 500, "broken");
                return;
        }
        /* Of `x == 1` the left side is always there, unless nothing is. */
        bool compares = strstr(text_string(http_body(exchange)), "%3D%3D") != NULL;
        bool found = !atomic_load(&fixture->nothing) && (!compares || atomic_load(&fixture->holds));
        struct text body = {0};
        text_printf(&body, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[%s]}}",
                    found ? "{\"metric\":{},\"value\":[1,\"1.5\"]}" : "");
        http_reply(exchange, 200, HTTP_TYPE_JSON, &body);
}

static void serve_person(struct http_exchange *exchange, void *context)
{
        struct engine_fixture *fixture = context;
        pthread_mutex_lock(&fixture->lock);
        text_printf(&fixture->messages, "%s\n", text_string(http_body(exchange)));
        pthread_mutex_unlock(&fixture->lock);
        atomic_fetch_add(&fixture->told, 1);
        http_reply_text(exchange,
                        atomic_load(&fixture->deaf)      ? 500
                        : atomic_load(&fixture->refuses) ? 404
                                                         : 200,
                        "ok");
}

static void serve_alerts(struct http_exchange *exchange, void *context)
{
        struct engine_fixture *fixture = context;
        struct text body = {0};
        const char *by = atomic_load(&fixture->silenced) ? "\"s1\"" : "";
        if (atomic_load(&fixture->no_alertmanager)) {
                http_reply_text(exchange, 500, "broken");
                return;
        }
        text_puts(&body, "[");
        pthread_mutex_lock(&fixture->lock);
        _cleanup_free_ char *known = strdup(text_string(&fixture->known));
        pthread_mutex_unlock(&fixture->lock);
        char *rest = NULL;
        const char *labels = atomic_load(&fixture->gone) ? NULL : strtok_r(known, "\n", &rest);
        for (; labels; labels = strtok_r(NULL, "\n", &rest))
                text_printf(&body,
                            "%s{\"fingerprint\":\"another's\",\"labels\":%s,"
                            "\"annotations\":{},\"startsAt\":\"2026-01-01T00:00:00Z\","
                            "\"endsAt\":\"2036-01-01T00:00:00Z\",\"status\":{\"state\":\"active\","
                            "\"silencedBy\":[%s],\"inhibitedBy\":[]},\"receivers\":[]}",
                            body.length > 1 ? "," : "", labels, by);
        text_puts(&body, "]");
        http_reply(exchange, 200, HTTP_TYPE_JSON, &body);
}

static void serve_silences(struct http_exchange *exchange, void *context _unused_)
{
        struct text body = {0};
        text_puts(&body, "[{\"id\":\"s0\"},{\"id\":\"s1\",\"createdBy\":\"ada\",\"comment\":\"migration\"}]");
        http_reply(exchange, 200, HTTP_TYPE_JSON, &body);
}

static void serve_status(struct http_exchange *exchange, void *context)
{
        struct engine_fixture *fixture = context;
        struct text body = {0};
        char now[TIME_TEXT_MAX];
        text_printf(&body, "{\"uptime\":\"%s\"}",
                    atomic_load(&fixture->young) ? time_format(clock_wall(), now) : "2020-01-01T00:00:00Z");
        http_reply(exchange, 200, HTTP_TYPE_JSON, &body);
}

bool person_was_told(struct engine_fixture *fixture, const char *words)
{
        pthread_mutex_lock(&fixture->lock);
        bool told = strstr(text_string(&fixture->messages), words) != NULL;
        pthread_mutex_unlock(&fixture->lock);
        return told;
}

static const struct http_route routes[] = {
        {"GET", "/api/v1/query", serve_query, 0, NULL},
        {"POST", "/api/v1/query", serve_query, 65536, NULL},
        {"POST", "/person", serve_person, 65536, NULL},
        {"GET", "/api/v2/alerts", serve_alerts, 0, NULL},
        {"GET", "/api/v2/silences", serve_silences, 0, NULL},
        {"GET", "/api/v2/status", serve_status, 0, NULL},
        {0},
};

/* Work that was given to a world by hand. */
static struct {
        void (*work)(void *argument);
        void *argument;
} given[16];
static size_t given_count;

_Atomic nsec hand_ahead;

static int take_work(void *context _unused_, enum world_pool pool _unused_, const char *whose _unused_,
                     void (*work)(void *argument), void *argument)
{
        assert_true(given_count < N_ELEMENTS(given));
        given[given_count].work = work;
        given[given_count++].argument = argument;
        return 0;
}

static nsec read_later(void *context _unused_)
{
        return clock_monotonic() + hand_ahead;
}

static nsec read_wall_later(void *context _unused_)
{
        return clock_wall() + hand_ahead;
}

size_t look_by_hand(struct engine_fixture *fixture, nsec *ret_next)
{
        assert_int_equal(engine_look(fixture->engine, ret_next, NULL), 0);
        return given_count;
}

void work_by_hand(void)
{
        for (size_t i = 0; i < given_count; i++)
                given[i].work(given[i].argument);
        given_count = 0;
}

void look_until_idle(struct engine_fixture *fixture)
{
        nsec next = 0;
        /* What a look has written brings another one. */
        for (int quiet = 0; quiet < 3; quiet++) {
                if (look_by_hand(fixture, &next) > 0)
                        quiet = 0;
                work_by_hand();
        }
}

static void open_journal_in(struct engine_fixture *fixture, bool by_hand)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *path = text_format("%s/journal.db", fixture->directory);
        if (production_new(&fixture->production, &error) < 0 ||
            place_new(fixture->production, fixture->targets, &fixture->place, &error) < 0)
                fail_msg("%s", error_text(&error));
        const struct world *world = production_machine(fixture->production);
        if (by_hand) {
                fixture->by_hand = *place_world(fixture->place);
                fixture->by_hand.run = take_work;
                fixture->by_hand.monotonic = read_later;
                fixture->by_hand.wall = read_wall_later;
                world = &fixture->by_hand;
        }
        if (journal_open(path, &test_key, world, &fixture->journal, &error) < 0)
                fail_msg("%s", error_text(&error));
}

void fixture_open_journal(struct engine_fixture *fixture)
{
        open_journal_in(fixture, false);
}

void fixture_close_journal(struct engine_fixture *fixture)
{
        fixture->journal = journal_close(fixture->journal);
        fixture->place = place_free(fixture->place);
        fixture->production = production_free(fixture->production);
}

void fixture_start(struct engine_fixture *fixture)
{
        _cleanup_error_ struct error error = {0};
        fixture_open_journal(fixture);
        const struct incident_parts parts = {.world = place_world(fixture->place),
                                             .set = fixture->set,
                                             .journal = fixture->journal,
                                             .meters = fixture->meters,
                                             .dry_run = fixture->dry_run,
                                             .address = "http://127.0.0.1:9878"};
        if (engine_start(&parts, &fixture->engine, &error) < 0)
                fail_msg("%s", error_text(&error));
}

void fixture_start_by_hand(struct engine_fixture *fixture)
{
        open_journal_in(fixture, true);
        const struct incident_parts parts = {.world = &fixture->by_hand,
                                             .set = fixture->set,
                                             .journal = fixture->journal,
                                             .meters = fixture->meters,
                                             .dry_run = fixture->dry_run};
        given_count = 0;
        assert_int_equal(engine_new(&parts, &fixture->engine, NULL), 0);
}

void fixture_stop(struct engine_fixture *fixture)
{
        assert_null(engine_stop(fixture->engine, deadline_in(20 * NSEC_PER_SEC)));
        fixture->engine = NULL;
        fixture_close_journal(fixture);
}

/* Writes remediations.yml and reads it. */
static void load_file(struct engine_fixture *fixture, const char *remediations)
{
        _cleanup_error_ struct error error = {0};
        unsigned port = http_server_port(fixture->server);
        _cleanup_free_ char *yaml = text_format(
                "receivers:\n  - {name: oncall, format: json, url_file: %s/url}\n"
                "  - {name: pager, format: pagerduty, url_file: %s/url, routing_key_file: %s/url}\n"
                "  - {name: lead, format: json, url_file: %s/url}\n"
                "  - {name: boss, format: json, url_file: %s/url}\n"
                "prometheus_url: http://127.0.0.1:%u\n"
                "alertmanager_url: http://127.0.0.1:%u\n"
                "repeat_interval: 1s\n"
                "escalate_to: oncall\nbreaker: off\nstorm: off\nremediations:\n%s",
                fixture->directory, fixture->directory, fixture->directory, fixture->directory,
                fixture->directory, port, port, remediations);
        write_file(fixture->directory, "remediations.yml", yaml, strlen(yaml));
        _cleanup_free_ char *path = text_format("%s/remediations.yml", fixture->directory);
        if (remediation_set_load(path, &fixture->set, &error) < 0)
                fail_msg("%s", error_text(&error));
        if (targets_new(&fixture->set->targets, &fixture->targets, &error) < 0)
                fail_msg("%s", error_text(&error));
}

void fixture_change_file(struct engine_fixture *fixture, const char *remediations)
{
        fixture_stop(fixture);
        targets_free(fixture->targets);
        remediation_set_free(fixture->set);
        load_file(fixture, remediations);
        reset_actions();
        fixture_start(fixture);
}

struct engine_fixture *fixture_prepare(const char *remediations)
{
        _cleanup_error_ struct error error = {0};
        struct engine_fixture *fixture = calloc(1, sizeof(*fixture));
        assert_non_null(fixture);
        pthread_mutex_init(&fixture->lock, NULL);
        snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/runbook-engine-XXXXXX");
        assert_non_null(mkdtemp(fixture->directory));
        assert_int_equal(log_setup("error", "logfmt", NULL), 0);

        const struct http_server_options server = {
                .listen_addresses = HTTP_ADDRESSES("127.0.0.1:0"), .routes = routes, .context = fixture};
        if (http_server_start(&server, &fixture->server, &error) < 0)
                fail_msg("%s", error_text(&error));
        unsigned port = http_server_port(fixture->server);

        _cleanup_free_ char *url = text_format("http://127.0.0.1:%u/person\n", port);
        write_file(fixture->directory, "url", url, strlen(url));
        load_file(fixture, remediations);
        fixture->meters = meters_new();

        char now[TIME_TEXT_MAX];
        time_format(clock_wall(), now);
        for (int i = 1; i < (int)N_ELEMENTS(fixture->number); i++)
                snprintf(fixture->number[i], sizeof(fixture->number[i]), "INC-%.4s-%04d", now, i);
        reset_actions();
        return fixture;
}

struct engine_fixture *fixture_open(const char *remediations)
{
        struct engine_fixture *fixture = fixture_prepare(remediations);
        fixture_start(fixture);
        return fixture;
}

void fixture_close(struct engine_fixture *fixture)
{
        open_gate();
        if (fixture->engine)
                fixture_stop(fixture);
        meters_free(fixture->meters);
        targets_free(fixture->targets);
        remediation_set_free(fixture->set);
        http_server_stop(fixture->server);
        remove_directory(fixture->directory);
        text_free(&fixture->known);
        text_free(&fixture->messages);
        pthread_mutex_destroy(&fixture->lock);
        free(fixture);
}

void alert_arrives(struct engine_fixture *fixture, const char *fingerprint, bool firing, const char *labels)
{
        _cleanup_error_ struct error error = {0};
        /* All but the first have a label of their own, for an alert is its labels. */
        bool first = string_equal(fingerprint, "f1");
        _cleanup_free_ char *all =
                text_format("{\"alertname\":\"a\"%s%s%s%s%s}", first ? "" : ",\"told_as\":\"",
                            first ? "" : fingerprint, first ? "" : "\"", *labels ? "," : "", labels);
        _cleanup_free_ char *body =
                text_format("{\"version\":\"4\",\"groupKey\":\"k\",\"truncatedAlerts\":0,\"status\":"
                            "\"firing\",\"receiver\":\"r\","
                            "\"groupLabels\":{},\"commonLabels\":{},\"commonAnnotations\":{},\"externalURL\":"
                            "\"\",\"alerts\":["
                            "{\"status\":\"%s\",\"labels\":%s,\"annotations\":{},"
                            "\"startsAt\":\"2026-01-01T00:00:00Z\",\"endsAt\":\"%s\",\"generatorURL\":\"\","
                            "\"fingerprint\":\"%s\"}]}",
                            firing ? "firing" : "resolved", all,
                            firing ? "0001-01-01T00:00:00Z" : "2026-01-01T01:00:00Z", fingerprint);
        struct webhook webhook = {0};
        if (webhook_parse(body, strlen(body), &webhook, &error) < 0)
                fail_msg("%s", error_text(&error));
        pthread_mutex_lock(&fixture->lock);
        text_printf(&fixture->known, "%s\n", all);
        pthread_mutex_unlock(&fixture->lock);
        assert_int_equal(accept_webhook(fixture->journal, &webhook), 0);
        if (fixture->engine)
                engine_wake(fixture->engine);
}

void await_incident(struct engine_fixture *fixture, int n, condition *holds, int argument, const char *what)
{
        struct deadline deadline = deadline_in(20 * NSEC_PER_SEC);
        for (;;) {
                struct incident incident = {0};
                bool done = journal_find(fixture->journal, fixture->number[n], &incident, NULL) >= 0 &&
                            holds(fixture, &incident, argument);
                if (!done && deadline_passed(deadline))
                        fail_msg("waited for %s to be %s; it is %s by \"%s\"; called were: %s",
                                 fixture->number[n], what, incident_state_name(incident.state),
                                 incident.guard, action_calls("plan run resume undo settle"));
                incident_release(&incident);
                if (done)
                        return;
                poll_pause();
        }
}

bool is_in_state(struct engine_fixture *fixture _unused_, const struct incident *incident, int state)
{
        return incident->state == (enum incident_state)state;
}

bool is_settled(struct engine_fixture *fixture _unused_, const struct incident *incident,
                int argument _unused_)
{
        for (size_t i = 0; i < incident->step_count; i++)
                if (incident->steps[i].status == STEP_DONE && !incident->steps[i].settled)
                        return false;
        return true;
}

bool first_step_is(struct engine_fixture *fixture _unused_, const struct incident *incident, int status)
{
        return incident->steps[0].status == (enum step_status)status;
}

bool owes_nothing(struct engine_fixture *fixture _unused_, const struct incident *incident,
                  int argument _unused_)
{
        return !*incident->owes;
}

void await_state(struct engine_fixture *fixture, int n, enum incident_state state)
{
        await_incident(fixture, n, is_in_state, (int)state, incident_state_name(state));
}

char *events_of(struct engine_fixture *fixture, int n)
{
        struct incident incident = {0};
        _cleanup_json_ cJSON *timeline = NULL;
        struct text events = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[n], &incident, NULL), 0);
        assert_int_equal(journal_timeline(fixture->journal, incident.id, &timeline, NULL), 0);
        const cJSON *row;
        cJSON_ArrayForEach(row, timeline) text_printf(&events, "%s\n", json_string(row, "event"));
        incident_release(&incident);
        return text_take(&events);
}
