/* SPDX-License-Identifier: Apache-2.0 */
/* The responder's routes; what takes time is answered from a few threads of their own. */
#include "responder/web/web.h"

#include <errno.h>

#include "responder/web/internal.h"

#define WEBHOOK_PATH "/api/v1/alerts"
#define WEBHOOK_LIMIT ((size_t)16 * 1024 * 1024)
#define DECISION_LIMIT ((size_t)64 * 1024)
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
        {"POST", WEBHOOK_PATH, handle_alerts, WEBHOOK_LIMIT, NULL},
        {"GET", "/api/v1/incidents", handle_list, 0, NULL},
        {"GET", "/api/v1/incidents/{id}", handle_show, 0, NULL},
        {"POST", "/api/v1/incidents/{id}/approve", handle_decision, DECISION_LIMIT, NULL},
        {"POST", "/api/v1/incidents/{id}/deny", handle_decision, DECISION_LIMIT, NULL},
        {"POST", "/api/v1/incidents/{id}/cancel", handle_decision, DECISION_LIMIT, NULL},
        {"POST", "/api/v1/incidents/{id}/undo", handle_decision, DECISION_LIMIT, NULL},
        {"GET", "/api/v1/status", handle_status, 0, NULL},
        {"POST", "/-/pause", handle_decision, DECISION_LIMIT, NULL},
        {"POST", "/-/resume", handle_decision, DECISION_LIMIT, NULL},
        {"GET", "/-/healthy", handle_alive, 0, NULL},
        {"GET", "/-/ready", handle_alive, 0, NULL},
        {"GET", "/metrics", handle_metrics, 0, NULL},
        {"GET", "/", handle_landing, 0, NULL},
        {0},
};

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
        answer_later(exchange, context, api_list);
}

static void handle_show(struct http_exchange *exchange, void *context)
{
        answer_later(exchange, context, api_show);
}

static void handle_status(struct http_exchange *exchange, void *context)
{
        answer_later(exchange, context, api_status);
}

/* Those who send alerts do not approve what they set off. */
static bool may_operate(const struct api *api, const struct http_exchange *exchange, struct error *error)
{
        const char *operators = api->options.operators;
        if (!operators)
                return true;
        for (const char *at = operators; *at;) {
                size_t length = strcspn(at, ",");
                _cleanup_free_ char *name = strndup(at, length);
                if (name && *name && http_user_is(exchange, name))
                        return true;
                at += length + (at[length] == ',');
        }
        const char *user = http_user(exchange);
        error_set(error, EACCES, "%s may send alerts and read, but not operate: see --web.operators",
                  user ? user : "who has no name");
        return false;
}

static void handle_decision(struct http_exchange *exchange, void *context)
{
        _cleanup_error_ struct error error = {0};
        if (!may_operate(context, exchange, &error)) {
                api_reply_error(exchange, -EACCES, &error);
                return;
        }
        answer_later(exchange, context, api_decision);
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
                .web_config_file = options->web_config_file,
                .must_authenticate = options->must_authenticate,
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
