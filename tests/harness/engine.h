/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A room for tests of the engine: a real journal file, real targets, a table of tiny actions in place of the
 * shipped one, and an HTTP server that stands for Prometheus, Alertmanager and whoever is notified.
 */
#ifndef TESTS_HARNESS_ENGINE_H
#define TESTS_HARNESS_ENGINE_H

#include "tests/harness/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "responder/engine/engine.h"
#include "runbook/http_client.h"
#include "runbook/http_server.h"
#include "runbook/log.h"

/* What the actions did, one word each: "plan:a run:a undo:a settle:a". */
static struct {
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        struct text words;
        bool gate_open;
        bool fail; /* makes every run() of an action with `fails: true` fail */
} deeds = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .fail = true};

static void deed(const char *what, const char *name)
{
        pthread_mutex_lock(&deeds.mutex);
        text_printf(&deeds.words, "%s%s:%s", deeds.words.length > 0 ? " " : "", what, name);
        pthread_cond_broadcast(&deeds.changed);
        pthread_mutex_unlock(&deeds.mutex);
}

static bool deed_done(const char *word)
{
        pthread_mutex_lock(&deeds.mutex);
        bool done = strstr(text_string(&deeds.words), word) != NULL;
        pthread_mutex_unlock(&deeds.mutex);
        return done;
}

/* The deeds but plan and settle, which come at times of their own. */
static char *deeds_of(const char *kinds)
{
        struct text chosen = {0};
        pthread_mutex_lock(&deeds.mutex);
        _cleanup_free_ char *copy = strdup(text_string(&deeds.words));
        pthread_mutex_unlock(&deeds.mutex);
        char *rest = copy;
        for (char *word; (word = strsep(&rest, " "));) {
                size_t length = strcspn(word, ":");
                _cleanup_free_ char *kind = strndup(word, length);
                if (*word && strstr(kinds, kind))
                        text_printf(&chosen, "%s%s", chosen.length > 0 ? " " : "", word);
        }
        return text_error(&chosen) < 0 || chosen.length == 0 ? strdup("") : text_take(&chosen);
}

#define assert_deeds(kinds, wanted)                            \
        do {                                                   \
                _cleanup_free_ char *_deeds = deeds_of(kinds); \
                assert_string_equal(_deeds, wanted);           \
        } while (0)

struct act_config {
        char *name;
        int64_t targets;
        bool fails, plan_fails, undo_fails, waits;
        int found;
};

static const char *const found_words[] = {"done", "again", "unknown", NULL};

static const struct config_field act_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct act_config, name), .flags = CONFIG_REQUIRED | CONFIG_BIND},
        {"targets", CONFIG_INT, offsetof(struct act_config, targets), .fallback = "1"},
        {"fails", CONFIG_BOOL, offsetof(struct act_config, fails), .fallback = "false"},
        {"plan_fails", CONFIG_BOOL, offsetof(struct act_config, plan_fails), .fallback = "false"},
        {"undo_fails", CONFIG_BOOL, offsetof(struct act_config, undo_fails), .fallback = "false"},
        {"waits", CONFIG_BOOL, offsetof(struct act_config, waits), .fallback = "false"},
        {"found", CONFIG_ENUM, offsetof(struct act_config, found), .fallback = "done",
         .choices = found_words},
        {0},
};

static int act_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct act_config *config = run->config;
        deed("plan", config->name);
        if (config->plan_fails)
                return error_set(error, ESRCH, "there is nothing to do");
        cJSON *plan = cJSON_CreateObject();
        cJSON_AddStringToObject(plan, "summary", config->name);
        cJSON_AddNumberToObject(plan, "targets", (double)config->targets);
        *ret_plan = plan;
        return 0;
}

static cJSON *outcome_of(const char *what, const char *name)
{
        cJSON *outcome = cJSON_CreateObject();
        cJSON_AddStringToObject(outcome, "summary", what);
        cJSON_AddStringToObject(outcome, "name", name);
        return outcome;
}

static int act_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct act_config *config = run->config;
        assert_non_null(run->plan);
        assert_string_equal(json_string(run->plan, "summary"), config->name);
        _cleanup_json_ cJSON *progress = outcome_of("half way", config->name);
        int r = run->write_progress(run, progress, error);
        if (r < 0)
                return r;
        assert_string_equal(json_string(run->progress, "summary"), "half way");
        deed("run", config->name);
        pthread_mutex_lock(&deeds.mutex);
        while (config->waits && !deeds.gate_open)
                pthread_cond_wait(&deeds.changed, &deeds.mutex);
        bool fail = config->fails && deeds.fail;
        pthread_mutex_unlock(&deeds.mutex);
        if (fail)
                return error_set(error, EIO, "as the test wants it");
        *ret_outcome = outcome_of("ran", config->name);
        return 0;
}

static enum resumption act_resume(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct act_config *config = run->config;
        assert_non_null(run->plan);
        deed("resume", config->name);
        if (config->found == 0)
                *ret_outcome = outcome_of("had run", config->name);
        if (config->found == 2)
                error_set(error, EIO, "nobody can tell");
        return (enum resumption)config->found;
}

static int act_undo(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct act_config *config = run->config;
        /* What run() wrote is there, however often it is undone; nothing, when it failed midway. */
        if (config->fails)
                assert_null(run->outcome);
        else
                assert_string_equal(json_string(run->outcome, "summary"), "ran");
        deed("undo", config->name);
        pthread_mutex_lock(&deeds.mutex);
        bool fail = config->undo_fails && deeds.fail;
        pthread_mutex_unlock(&deeds.mutex);
        if (fail)
                return error_set(error, EIO, "cannot be put back");
        *ret_outcome = outcome_of("undone", config->name);
        return 0;
}

static int act_settle(struct step_run *run, _unused_ struct error *error)
{
        deed("settle", ((const struct act_config *)run->config)->name);
        return 0;
}

#define ACT(word, ...)                                                                                      \
        {                                                                                                   \
                .name = word, .help = word, .fields = act_fields, .config_size = sizeof(struct act_config), \
                .plan = act_plan, .run = act_run, __VA_ARGS__                                               \
        }

static const struct action act_once = ACT("act.once", .effect = EFFECT_IRREVERSIBLE);
static const struct action act_again = ACT("act.again", .effect = EFFECT_IRREVERSIBLE, .repeatable = true);
static const struct action act_resumed =
        ACT("act.resumed", .effect = EFFECT_IRREVERSIBLE, .resume = act_resume);
static const struct action act_undone =
        ACT("act.undone", .effect = EFFECT_REVERSIBLE, .undo = act_undo, .settle = act_settle);

/* In place of the shipped table: the linker takes this one. */
const struct action *const actions[] = {&act_once, &act_again, &act_resumed, &act_undone, NULL};

const struct action *action_find(const char *name)
{
        for (size_t i = 0; actions[i]; i++)
                if (string_equal(actions[i]->name, name))
                        return actions[i];
        return NULL;
}

struct room {
        char directory[64];
        char number[4][24]; /* of the incidents 1 … */
        struct http_server *server;
        struct remediation_set *set;
        struct targets *targets;
        struct meters *meters;
        struct journal *journal;
        struct engine *engine;
        bool dry_run;
        atomic_bool holds;       /* what Prometheus answers */
        atomic_bool unreachable; /* Prometheus answers 500 */
        atomic_bool deaf;        /* whoever is notified answers 500 */
        atomic_bool gone;        /* Alertmanager no longer has the alert */
        atomic_uint asked, told;
        char last_message[2048];
};

static void serve_query(struct http_exchange *exchange, void *context)
{
        struct room *room = context;
        atomic_fetch_add(&room->asked, 1);
        if (atomic_load(&room->unreachable)) {
                http_reply_text(exchange, 500, "broken");
                return;
        }
        struct text body = {0};
        text_printf(&body, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[%s]}}",
                    atomic_load(&room->holds) ? "{\"metric\":{},\"value\":[1,\"1.5\"]}" : "");
        http_reply(exchange, 200, HTTP_TYPE_JSON, &body);
}

static void serve_person(struct http_exchange *exchange, void *context)
{
        struct room *room = context;
        pthread_mutex_lock(&deeds.mutex);
        snprintf(room->last_message, sizeof(room->last_message), "%s", text_string(http_body(exchange)));
        pthread_mutex_unlock(&deeds.mutex);
        atomic_fetch_add(&room->told, 1);
        http_reply_text(exchange, atomic_load(&room->deaf) ? 500 : 200, "ok");
}

static void serve_alerts(struct http_exchange *exchange, void *context)
{
        struct room *room = context;
        struct text body = {0};
        text_puts(&body, atomic_load(&room->gone)
                                 ? "[]"
                                 : "[{\"fingerprint\":\"f1\",\"labels\":{\"alertname\":\"a\"},"
                                   "\"annotations\":{},\"startsAt\":\"2026-01-01T00:00:00Z\","
                                   "\"endsAt\":\"2036-01-01T00:00:00Z\",\"status\":{\"state\":\"active\","
                                   "\"silencedBy\":[],\"inhibitedBy\":[]},\"receivers\":[]}]");
        http_reply(exchange, 200, HTTP_TYPE_JSON, &body);
}

/* Whether the person was last told something with these words in it. */
_unused_ static bool told_of(struct room *room, const char *words)
{
        pthread_mutex_lock(&deeds.mutex);
        bool told = strstr(room->last_message, words) != NULL;
        pthread_mutex_unlock(&deeds.mutex);
        return told;
}

static const struct http_route room_routes[] = {
        {"GET", "/api/v1/query", serve_query, 0},
        {"POST", "/api/v1/query", serve_query, 65536},
        {"POST", "/person", serve_person, 65536},
        {"GET", "/api/v2/alerts", serve_alerts, 0},
        {0},
};

static void write_file(const struct room *room, const char *name, const char *content)
{
        _cleanup_free_ char *path = text_format("%s/%s", room->directory, name);
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fputs(content, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void room_start(struct room *room)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *path = text_format("%s/journal.db", room->directory);
        if (journal_open(path, &room->journal, &error) < 0)
                fail_msg("%s", error_text(&error));
        const struct engine_options options = {room->set, room->targets, room->journal, room->meters,
                                               room->dry_run};
        if (engine_start(&options, &room->engine, &error) < 0)
                fail_msg("%s", error_text(&error));
}

static void room_stop(struct room *room)
{
        assert_null(engine_stop(room->engine, deadline_in(20 * NSEC_PER_SEC)));
        room->engine = NULL;
        room->journal = journal_close(room->journal);
}

/* Opens everything but journal and engine; `remediations` is the list in YAML, indented by two. */
static struct room *room_prepare(const char *remediations)
{
        _cleanup_error_ struct error error = {0};
        struct room *room = calloc(1, sizeof(*room));
        assert_non_null(room);
        snprintf(room->directory, sizeof(room->directory), "/tmp/runbook-engine-XXXXXX");
        assert_non_null(mkdtemp(room->directory));
        assert_int_equal(log_setup("error", "logfmt", NULL), 0);

        const struct http_server_options server = {
                .listen_address = "127.0.0.1:0", .routes = room_routes, .context = room};
        if (http_server_start(&server, &room->server, &error) < 0)
                fail_msg("%s", error_text(&error));
        unsigned port = http_server_port(room->server);

        _cleanup_free_ char *url = text_format("http://127.0.0.1:%u/person\n", port);
        write_file(room, "url", url);
        _cleanup_free_ char *yaml =
                text_format("receivers:\n  - {name: oncall, format: json, url_file: %s/url}\n"
                            "prometheus_url: http://127.0.0.1:%u\n"
                            "alertmanager_url: http://127.0.0.1:%u\n"
                            "repeat_interval: 1s\n"
                            "escalate_to: oncall\nremediations:\n%s",
                            room->directory, port, port, remediations);
        write_file(room, "remediations.yml", yaml);
        _cleanup_free_ char *path = text_format("%s/remediations.yml", room->directory);
        if (remediation_set_load(path, &room->set, &error) < 0)
                fail_msg("%s", error_text(&error));
        if (targets_new(&room->set->targets, &room->targets, &error) < 0)
                fail_msg("%s", error_text(&error));
        room->meters = meters_new();

        char now[TIME_TEXT_MAX];
        time_format(clock_wall(), now);
        for (int i = 1; i < 4; i++)
                snprintf(room->number[i], sizeof(room->number[i]), "INC-%.4s-%04d", now, i);
        text_free(&deeds.words);
        deeds.gate_open = false;
        deeds.fail = true;
        return room;
}

_unused_ static struct room *room_open(const char *remediations)
{
        struct room *room = room_prepare(remediations);
        room_start(room);
        return room;
}

static void open_gate(void)
{
        pthread_mutex_lock(&deeds.mutex);
        deeds.gate_open = true;
        pthread_cond_broadcast(&deeds.changed);
        pthread_mutex_unlock(&deeds.mutex);
}

_unused_ static void room_close(struct room *room)
{
        open_gate();
        if (room->engine)
                room_stop(room);
        meters_free(room->meters);
        targets_free(room->targets);
        remediation_set_free(room->set);
        http_server_stop(room->server);
        _cleanup_free_ char *command = text_format("rm -rf %s", room->directory);
        assert_int_equal(system(command), 0);
        free(room);
}

static void accepted(void *context, int result)
{
        atomic_store((atomic_int *)context, result == 0 ? 1 : -1);
}

static void nap(void)
{
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* One alert arrives; `labels` as JSON members. */
static void alert_arrives(struct room *room, const char *fingerprint, bool firing, const char *labels)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *body =
                text_format("{\"version\":\"4\",\"groupKey\":\"k\",\"truncatedAlerts\":0,\"status\":"
                            "\"firing\",\"receiver\":\"r\","
                            "\"groupLabels\":{},\"commonLabels\":{},\"commonAnnotations\":{},\"externalURL\":"
                            "\"\",\"alerts\":["
                            "{\"status\":\"%s\",\"labels\":{\"alertname\":\"a\"%s%s},\"annotations\":{},"
                            "\"startsAt\":\"2026-01-01T00:00:00Z\",\"endsAt\":\"%s\",\"generatorURL\":\"\","
                            "\"fingerprint\":\"%s\"}]}",
                            firing ? "firing" : "resolved", *labels ? "," : "", labels,
                            firing ? "0001-01-01T00:00:00Z" : "2026-01-01T01:00:00Z", fingerprint);
        struct webhook webhook = {0};
        if (webhook_parse(body, strlen(body), &webhook, &error) < 0)
                fail_msg("%s", error_text(&error));
        atomic_int result = 0;
        assert_int_equal(journal_accept(room->journal, &webhook, accepted, &result), 0);
        while (atomic_load(&result) == 0)
                nap();
        assert_int_equal(atomic_load(&result), 1);
        if (room->engine)
                engine_wake(room->engine);
}

typedef bool condition(struct room *room, const struct incident *incident, int argument);

/* Waits until the n-th incident is as it should be. */
_unused_ static void await(struct room *room, int n, condition *holds, int argument, const char *what)
{
        struct deadline deadline = deadline_in(20 * NSEC_PER_SEC);
        for (;;) {
                struct incident incident = {0};
                bool done = journal_find(room->journal, room->number[n], &incident, NULL) >= 0 &&
                            holds(room, &incident, argument);
                if (!done && deadline_passed(deadline))
                        fail_msg("waited for %s to be %s; it is %s by \"%s\"; deeds: %s", room->number[n],
                                 what, incident_state_name(incident.state), incident.guard,
                                 text_string(&deeds.words));
                incident_release(&incident);
                if (done)
                        return;
                nap();
        }
}

_unused_ static bool is_in_state(_unused_ struct room *room, const struct incident *incident, int state)
{
        return incident->state == (enum incident_state)state;
}

_unused_ static bool is_settled(_unused_ struct room *room, const struct incident *incident,
                                _unused_ int argument)
{
        for (size_t i = 0; i < incident->step_count; i++)
                if (incident->steps[i].status == STEP_DONE && !incident->steps[i].settled)
                        return false;
        return true;
}

_unused_ static bool first_step_is(_unused_ struct room *room, const struct incident *incident, int status)
{
        return incident->steps[0].status == (enum step_status)status;
}

_unused_ static void await_state(struct room *room, int n, enum incident_state state)
{
        await(room, n, is_in_state, (int)state, incident_state_name(state));
}

_unused_ static void await_deed(const char *word)
{
        struct deadline deadline = deadline_in(20 * NSEC_PER_SEC);
        while (!deed_done(word)) {
                if (deadline_passed(deadline))
                        fail_msg("waited for %s; deeds: %s", word, text_string(&deeds.words));
                nap();
        }
}

/* The timeline of the n-th incident as "event event …", one a line. */
_unused_ static char *events_of(struct room *room, int n)
{
        struct incident incident = {0};
        _cleanup_json_ cJSON *timeline = NULL;
        struct text events = {0};
        assert_int_equal(journal_find(room->journal, room->number[n], &incident, NULL), 0);
        assert_int_equal(journal_timeline(room->journal, incident.id, &timeline, NULL), 0);
        const cJSON *row;
        cJSON_ArrayForEach(row, timeline) text_printf(&events, "%s\n", json_string(row, "event"));
        incident_release(&incident);
        return text_take(&events);
}

#endif
