/* SPDX-License-Identifier: Apache-2.0 */
/* The responder's routes, and the JSON API behind them. */
#include "responder/api.h"

#include <errno.h>
#include <stdio.h>

#include "responder/api_internal.h"
#include "runbook/log.h"

#define WEBHOOK_PATH "/api/v1/alerts"
#define WEBHOOK_LIMIT ((size_t)16 * 1024 * 1024)
#define DECISION_LIMIT ((size_t)64 * 1024)
#define DECIDER_MOST 100
#define REASON_MOST 1000
#define PAGE_DEFAULT 50
#define PAGE_MOST 500
#define ANSWERS_AT_ONCE 4

static void handle_alerts(struct http_exchange *, void *);
static void handle_landing(struct http_exchange *, void *);
static void handle_metrics(struct http_exchange *, void *);
static void handle_alive(struct http_exchange *, void *);
static void handle_list(struct http_exchange *, void *);
static void handle_show(struct http_exchange *, void *);
static void handle_status(struct http_exchange *, void *);
static void handle_decision(struct http_exchange *, void *);

static const struct http_route routes[] = {
        {"POST", WEBHOOK_PATH, handle_alerts, WEBHOOK_LIMIT},
        {"GET", "/api/v1/incidents", handle_list, 0},
        {"GET", "/api/v1/incidents/{id}", handle_show, 0},
        {"POST", "/api/v1/incidents/{id}/approve", handle_decision, DECISION_LIMIT},
        {"POST", "/api/v1/incidents/{id}/deny", handle_decision, DECISION_LIMIT},
        {"POST", "/api/v1/incidents/{id}/cancel", handle_decision, DECISION_LIMIT},
        {"POST", "/api/v1/incidents/{id}/undo", handle_decision, DECISION_LIMIT},
        {"GET", "/api/v1/status", handle_status, 0},
        {"POST", "/-/pause", handle_decision, DECISION_LIMIT},
        {"POST", "/-/resume", handle_decision, DECISION_LIMIT},
        {"GET", "/-/healthy", handle_alive, 0},
        {"GET", "/-/ready", handle_alive, 0},
        {"GET", "/metrics", handle_metrics, 0},
        {"GET", "/", handle_landing, 0},
        {0},
};

/* What a person may decide: the end of the path, and what then happens. */
struct decider {
        const char *actor, *reason;
};
typedef int decide_function(struct engine *engine, const char *number, const struct decider *by,
                            struct error *error);

static int decide_approve(struct engine *engine, const char *number, const struct decider *by,
                          struct error *error)
{
        return engine_approve(engine, number, by->actor, error);
}

static int decide_deny(struct engine *engine, const char *number, const struct decider *by,
                       struct error *error)
{
        return engine_deny(engine, number, by->actor, by->reason, error);
}

static int decide_cancel(struct engine *engine, const char *number, const struct decider *by,
                         struct error *error)
{
        return engine_cancel(engine, number, by->actor, error);
}

static int decide_undo(struct engine *engine, const char *number, const struct decider *by,
                       struct error *error)
{
        return engine_undo(engine, number, by->actor, error);
}

static int decide_pause(struct engine *engine, _unused_ const char *number, const struct decider *by,
                        struct error *error)
{
        return engine_pause(engine, true, by->actor, by->reason, error);
}

static int decide_resume(struct engine *engine, _unused_ const char *number, const struct decider *by,
                         struct error *error)
{
        return engine_pause(engine, false, by->actor, by->reason, error);
}

static const struct {
        const char *word;
        decide_function *decide;
} decisions[] = {
        {"approve", decide_approve}, {"deny", decide_deny},   {"cancel", decide_cancel},
        {"undo", decide_undo},       {"pause", decide_pause}, {"resume", decide_resume},
};

static const struct {
        int code;
        unsigned status;
} statuses[] = {
        {ENOENT, 404}, {ESTALE, 409}, {EINVAL, 400}, {EBADMSG, 400}, {EAGAIN, 503},
};

void api_reply_error(struct http_exchange *exchange, int result, const struct error *error)
{
        unsigned status = 500;
        for (size_t i = 0; i < N_ELEMENTS(statuses); i++)
                if (statuses[i].code == -result)
                        status = statuses[i].status;
        struct text body = {0};
        text_puts(&body, "{\"error\":");
        text_put_json(&body, error_text(error));
        text_puts(&body, "}\n");
        http_reply(exchange, status, HTTP_TYPE_JSON, &body);
}

void api_reply_json(struct http_exchange *exchange, unsigned status, cJSON *take)
{
        _cleanup_free_ char *printed = take ? json_print(take) : NULL;
        cJSON_Delete(take);
        if (!printed) {
                http_reply_text(exchange, 500, "out of memory");
                return;
        }
        struct text body = {0};
        text_puts(&body, printed);
        text_putc(&body, '\n');
        http_reply(exchange, status, HTTP_TYPE_JSON, &body);
}

/* An exchange on its way to a worker. */
struct later {
        struct api *api;
        struct http_exchange *exchange;
        api_answer *answer;
};

static void later_run(void *context)
{
        struct later *later = context;
        later->answer(later->api, later->exchange);
        free(later);
}

static void answer_later(struct http_exchange *exchange, void *context, api_answer *answer)
{
        struct api *api = context;
        struct later *later = malloc(sizeof(*later));
        if (!later) {
                http_reply_text(exchange, 503, "out of memory");
                return;
        }
        *later = (struct later){api, exchange, answer};
        http_suspend(exchange);
        if (workers_run(api->workers, later_run, later) < 0) {
                free(later);
                http_reply_text(exchange, 503, "no worker is free");
        }
}

/* An incident's number, or its plain id; 0 for no parameter. */
static int before_id(struct api *api, const char *text, int64_t *ret, struct error *error)
{
        if (!text || !*text) {
                *ret = 0;
                return 0;
        }
        struct incident incident = {0};
        int r = journal_find(api->options.parts.journal, text, &incident, error);
        if (r < 0)
                return r;
        *ret = incident.id;
        incident_release(&incident);
        return 0;
}

static int page_size(const char *text, size_t *ret, struct error *error)
{
        unsigned long limit = PAGE_DEFAULT;
        if (text) {
                char *end = NULL;
                errno = 0;
                limit = strtoul(text, &end, 10);
                if (end == text || *end || errno != 0 || *text == '-' || limit < 1 || limit > PAGE_MOST)
                        return error_set(error, EINVAL, "limit must be a number from 1 to %d", PAGE_MOST);
        }
        *ret = limit;
        return 0;
}

static int list_incidents(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error)
{
        enum incident_state state = INCIDENT_UNCHANGED;
        const char *wanted = http_query(exchange, "state");
        int64_t before = 0;
        size_t limit = PAGE_DEFAULT;
        if (wanted && *wanted && incident_state_parse(wanted, &state) < 0)
                return error_set(error, EINVAL, "there is no state \"%s\"", wanted);
        int r = page_size(http_query(exchange, "limit"), &limit, error);
        if (r >= 0)
                r = before_id(api, http_query(exchange, "before"), &before, error);
        struct incident_list list = {0};
        if (r >= 0)
                r = journal_list(api->options.parts.journal, state, before, limit, &list, error);
        if (r < 0)
                return r;

        cJSON *answer = cJSON_CreateObject();
        cJSON *array = cJSON_CreateArray();
        for (size_t i = 0; array && i < list.count; i++)
                cJSON_AddItemToArray(array, api_incident(&list.items[i], false, NULL));
        if (answer) {
                json_put(answer, "incidents", array);
                json_put(answer, "next_before",
                         list.count == limit ? cJSON_CreateString(list.items[list.count - 1].number)
                                             : cJSON_CreateNull());
        } else {
                cJSON_Delete(array);
        }
        incident_list_release(&list);
        *ret = answer;
        return 0;
}

static void answer_list(struct api *api, struct http_exchange *exchange)
{
        _cleanup_error_ struct error error = {0};
        cJSON *answer = NULL;
        int r = list_incidents(api, exchange, &answer, &error);
        if (r < 0)
                api_reply_error(exchange, r, &error);
        else
                api_reply_json(exchange, 200, answer);
}

/* One whole incident. */
static int show_incident(struct api *api, const char *number, cJSON **ret, struct error *error)
{
        struct incident incident = {0};
        cJSON *timeline = NULL;
        int r = journal_find(api->options.parts.journal, number, &incident, error);
        if (r >= 0)
                r = journal_timeline(api->options.parts.journal, incident.id, &timeline, error);
        if (r >= 0)
                *ret = api_incident(&incident, true, timeline);
        incident_release(&incident);
        return r;
}

static void answer_show(struct api *api, struct http_exchange *exchange)
{
        _cleanup_error_ struct error error = {0};
        cJSON *answer = NULL;
        int r = show_incident(api, http_path_parameter(exchange), &answer, &error);
        if (r < 0)
                api_reply_error(exchange, r, &error);
        else
                api_reply_json(exchange, 200, answer);
}

static int status_json(struct api *api, cJSON **ret, struct error *error)
{
        const struct engine_options *parts = &api->options.parts;
        struct incident_list active = {0};
        bool paused = false;
        nsec since = 0;
        char time[TIME_TEXT_MAX];
        int r = journal_paused(parts->journal, &paused, &since, error);
        if (r >= 0)
                r = journal_active(parts->journal, &active, error);
        if (r < 0)
                return r;

        double counts[INCIDENT_STATE_COUNT] = {0};
        for (size_t i = 0; i < active.count; i++)
                if (active.items[i].ended_at == 0)
                        counts[active.items[i].state]++;
        incident_list_release(&active);

        cJSON *states = cJSON_CreateObject(), *names = cJSON_CreateArray(), *answer = cJSON_CreateObject();
        for (enum incident_state state = INCIDENT_RECEIVED; states && state <= INCIDENT_NOT_HEALED; state++)
                json_put(states, incident_state_name(state), cJSON_CreateNumber(counts[state]));
        for (size_t i = 0; names && i < parts->set->count; i++)
                cJSON_AddItemToArray(names, cJSON_CreateString(parts->set->remediations[i].name));
        if (!answer) {
                cJSON_Delete(states);
                cJSON_Delete(names);
                return error_oom(error);
        }
        json_put(answer, "version", cJSON_CreateString(RUNBOOK_VERSION));
        json_put(answer, "paused", cJSON_CreateBool(paused));
        json_put(answer, "paused_since",
                 paused ? cJSON_CreateString(time_format(since, time)) : cJSON_CreateNull());
        json_put(answer, "dry_run", cJSON_CreateBool(parts->dry_run));
        json_put(answer, "incidents", states);
        json_put(answer, "remediations", names);
        *ret = answer;
        return 0;
}

static void answer_status(struct api *api, struct http_exchange *exchange)
{
        _cleanup_error_ struct error error = {0};
        cJSON *answer = NULL;
        int r = status_json(api, &answer, &error);
        if (r < 0)
                api_reply_error(exchange, r, &error);
        else
                api_reply_json(exchange, 200, answer);
}

static int string_member(const cJSON *json, const char *key, size_t most, const char **ret,
                         struct error *error)
{
        const cJSON *item = json_get(json, key, NULL);
        if (!item)
                return 0;
        if (!cJSON_IsString(item) || strlen(item->valuestring) > most)
                return error_set(error, EINVAL, "\"%s\" must be a string of at most %zu bytes", key, most);
        *ret = item->valuestring;
        return 0;
}

static int take_decision(struct api *api, struct http_exchange *exchange, struct error *error)
{
        const struct text *body = http_body(exchange);
        _cleanup_json_ cJSON *json = NULL;
        const char *by = NULL, *reason = NULL;
        int r = 0;
        if (body && body->length > 0)
                r = json_parse(body->data, body->length, &json, error);
        if (r >= 0 && json && !cJSON_IsObject(json))
                r = error_set(error, EINVAL,
                              "the body must be an object: {\"by\": \"name\", \"reason\": \"…\"}");
        if (r >= 0)
                r = string_member(json, "by", DECIDER_MOST, &by, error);
        if (r >= 0)
                r = string_member(json, "reason", REASON_MOST, &reason, error);
        if (r < 0)
                return r;

        /* Marked as a person, so that nobody can sign as the engine. */
        _cleanup_free_ char *actor = by && *by ? text_format("person:%s", by) : strdup("person");
        if (!actor)
                return error_oom(error);
        const struct decider decider = {actor, reason};
        const char *word = strrchr(http_path(exchange), '/');
        for (size_t i = 0; word && i < N_ELEMENTS(decisions); i++)
                if (string_equal(decisions[i].word, word + 1))
                        return decisions[i].decide(api->options.engine, http_path_parameter(exchange),
                                                   &decider, error);
        return error_set(error, ENOENT, "there is no such decision");
}

static void answer_decision(struct api *api, struct http_exchange *exchange)
{
        _cleanup_error_ struct error error = {0};
        cJSON *answer = NULL;
        int r = take_decision(api, exchange, &error);
        if (r >= 0)
                r = http_path_parameter(exchange)
                            ? show_incident(api, http_path_parameter(exchange), &answer, &error)
                            : status_json(api, &answer, &error);
        if (r < 0)
                api_reply_error(exchange, r, &error);
        else
                api_reply_json(exchange, 200, answer);
}

static void handle_alerts(struct http_exchange *exchange, void *context)
{
        struct api *api = context;
        webhook_receive(api->webhook, exchange);
}

static void handle_landing(struct http_exchange *exchange, void *context)
{
        answer_later(exchange, context, api_landing);
}

static void handle_metrics(struct http_exchange *exchange, void *context)
{
        answer_later(exchange, context, api_metrics);
}

static void handle_list(struct http_exchange *exchange, void *context)
{
        answer_later(exchange, context, answer_list);
}

static void handle_show(struct http_exchange *exchange, void *context)
{
        answer_later(exchange, context, answer_show);
}

static void handle_status(struct http_exchange *exchange, void *context)
{
        answer_later(exchange, context, answer_status);
}

static void handle_decision(struct http_exchange *exchange, void *context)
{
        answer_later(exchange, context, answer_decision);
}

/* It serves once the journal is open and the engine runs: then it is healthy and ready alike. */
static void handle_alive(struct http_exchange *exchange, _unused_ void *context)
{
        http_reply_text(exchange, 200, "runbook_responder is up");
}

static void on_done(void *context, const char *route_path, unsigned status)
{
        struct api *api = context;
        if (string_equal(route_path, WEBHOOK_PATH))
                meters_webhook(api->options.parts.meters, status);
}

static void wake_engine(void *context)
{
        engine_wake(context);
}

int api_start(const struct api_options *options, struct api **ret, struct error *error)
{
        struct api *api = calloc(1, sizeof(*api));
        if (!api)
                return error_oom(error);
        api->options = *options;
        const struct http_server_options server = {
                .listen_address = options->listen_address,
                .routes = routes,
                .context = api,
                .on_done = on_done,
        };
        int r = workers_new(ANSWERS_AT_ONCE, &api->workers, error);
        const struct webhook_options webhook = {
                .journal = options->parts.journal,
                .workers = api->workers,
                .alertmanager_url = options->parts.set->targets.alertmanager_url,
                .wake = wake_engine,
                .context = options->engine,
        };
        if (r >= 0)
                r = webhook_receiver_new(&webhook, &api->webhook, error);
        if (r >= 0)
                r = http_server_start(&server, &api->server, error);
        if (r < 0) {
                api_stop(api);
                return r;
        }
        *ret = api;
        return 0;
}

uint16_t api_port(const struct api *api)
{
        return http_server_port(api->server);
}

struct api *api_stop(struct api *api)
{
        if (!api)
                return NULL;
        http_server_stop(api->server);
        /* Before the workers: it waits for deliveries that still have to be taken up by one. */
        webhook_receiver_free(api->webhook);
        if (api->workers)
                workers_stop(api->workers, DEADLINE_NEVER);
        free(api);
        return NULL;
}
