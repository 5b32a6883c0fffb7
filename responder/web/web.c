/* SPDX-License-Identifier: Apache-2.0 */
/* The responder's routes; what takes time is answered from a few threads of their own. */
#include "responder/web/web.h"

#include <errno.h>

#include "responder/web/internal.h"
#include "runbook/html.h"

#define WEBHOOK_PATH "/api/v1/alerts"
#define WEBHOOK_LIMIT ((size_t)16 * 1024 * 1024)
#define DECISION_LIMIT ((size_t)64 * 1024)
#define FORM_LIMIT ((size_t)16 * 1024)

static http_handler handle_alerts, handle_later, handle_report, handle_alive, handle_events, handle_login;

/* clang-format off */
#define ROUTE(...) &(const struct api_route){__VA_ARGS__}
/* Answered by a worker. */
#define READING(...) handle_later, 0, ROUTE(.right = RIGHT_READ, __VA_ARGS__)
/* A decision that waits for the engine: not where the kill switch would wait behind it. */
#define RUN(...) handle_later, DECISION_LIMIT, ROUTE(.right = RIGHT_OPERATE, .pool = API_ASKS, __VA_ARGS__)
/* The same, with a body that says about what. */
#define ASKING(...) handle_later, DECISION_LIMIT, ROUTE(.right = RIGHT_READ, __VA_ARGS__)
#define DECISION(...) handle_later, DECISION_LIMIT, ROUTE(.right = RIGHT_OPERATE, .pool = API_DECISIONS, __VA_ARGS__)
/* A page that asks before something is done, and the form that does it. */
#define ASKED_FIRST(path, which)                                                                        \
        {"GET", path, READING(.shows = page_ask, .act = which)},                                   \
        {"POST", path, FORM(.form = form_act, .act = which)}
#define FORM_IN(which, ...) handle_later, FORM_LIMIT, ROUTE(.right = RIGHT_READ, .pool = which, __VA_ARGS__)
#define FORM(...) FORM_IN(API_DECISIONS, __VA_ARGS__)
#define RELOAD handle_later, DECISION_LIMIT, ROUTE(.right = RIGHT_ADMINISTER, .pool = API_DECISIONS, .document = api_reload)
/* clang-format on */

/* Browsers that listen at once; others ask now and then. */
enum { STREAMS = 64 };

/* How many threads each has, and how much may wait for one. What is soon done waits for its turn, however
 * many ask: there are never so many connections. */
enum { EVERYBODY = 4096 };
static const struct {
        unsigned at_once, waiting;
} pools[] = {
        [API_PAGES] = {4, 64},   [API_DECISIONS] = {2, EVERYBODY}, [API_METRICS] = {2, EVERYBODY},
        [API_READING] = {2, 64}, [API_FETCHES] = {4, 8},           [API_ASKS] = {2, 16},
};
tables_agree(pools, API_POOL_COUNT);

static const struct http_route routes[] = {
        {"POST", WEBHOOK_PATH, handle_alerts, WEBHOOK_LIMIT, ROUTE(.right = RIGHT_SEND)},
        {"GET", "/api/v1/incidents", READING(.document = api_list)},
        {"GET", "/api/v1/incidents/{id}", READING(.document = api_show)},
        {"GET", "/api/v1/incidents/{id}/report", handle_report, 0,
         ROUTE(.right = RIGHT_READ, .page = api_report)},
        {"POST", "/api/v1/incidents/{id}/approve",
         DECISION(.document = api_decide, .decision = DECISION_APPROVE)},
        {"POST", "/api/v1/incidents/{id}/deny", DECISION(.document = api_decide, .decision = DECISION_DENY)},
        {"POST", "/api/v1/incidents/{id}/cancel",
         DECISION(.document = api_decide, .decision = DECISION_CANCEL)},
        {"POST", "/api/v1/incidents/{id}/ack", DECISION(.document = api_decide, .decision = DECISION_ACK)},
        {"POST", "/api/v1/incidents/{id}/take", DECISION(.document = api_decide, .decision = DECISION_TAKE)},
        {"POST", "/api/v1/incidents/{id}/give-back",
         DECISION(.document = api_decide, .decision = DECISION_GIVE_BACK)},
        {"POST", "/api/v1/incidents/{id}/resend",
         DECISION(.document = api_decide, .decision = DECISION_RESEND)},
        {"GET", "/api/v1/deliveries", READING(.document = api_deliveries)},
        {"POST", "/api/v1/incidents/{id}/undo", DECISION(.document = api_decide, .decision = DECISION_UNDO)},
        {"POST", "/api/v1/remediations/{id}/run", RUN(.document = api_run)},
        {"POST", "/api/v1/remediations/{id}/guards", ASKING(.document = api_guards)},
        {"GET", "/api/v1/guards", READING(.document = api_all_guards)},
        {"GET", "/api/v1/remediations", READING(.document = api_remediations)},
        {"GET", "/api/v1/status", READING(.document = api_status)},
        {"GET", "/api/v1/targets", READING(.document = api_targets)},
        {"POST", "/-/maintenance", DECISION(.document = api_maintain, .pauses = true)},
        {"POST", "/-/maintenance/end", DECISION(.document = api_maintain, .pauses = false)},
        {"POST", "/-/pause", DECISION(.document = api_pause, .pauses = true)},
        {"POST", "/-/resume", DECISION(.document = api_pause, .pauses = false)},
        {"POST", "/-/reload", RELOAD},
        {"PUT", "/-/reload", RELOAD},
        {"GET", "/-/healthy", handle_alive, 0, ROUTE(.right = RIGHT_NONE)},
        {"GET", "/-/ready", handle_later, 0,
         ROUTE(.right = RIGHT_NONE, .page = api_ready, .pool = API_METRICS)},
        {"GET", "/metrics", READING(.page = api_metrics, .pool = API_METRICS)},
        {"GET", "/", READING(.shows = page_now)},
        {"GET", PATH_EVENTS, handle_events, 0, ROUTE(.right = RIGHT_READ, .for_people = true)},
        {"GET", "/incidents", READING(.shows = page_history)},
        {"GET", "/incidents/{id}", READING(.shows = page_incident)},
        {"GET", "/remediations", READING(.shows = page_remediations)},
        {"GET", "/coverage", READING(.shows = page_coverage)},
        {"GET", "/incidents/{id}/evidence", READING(.shows = page_evidence)},
        ASKED_FIRST("/incidents/{id}/approve", ACT_APPROVE),
        ASKED_FIRST("/incidents/{id}/deny", ACT_DENY),
        ASKED_FIRST("/incidents/{id}/cancel", ACT_CANCEL),
        ASKED_FIRST("/incidents/{id}/undo", ACT_UNDO),
        ASKED_FIRST("/incidents/{id}/ack", ACT_ACK),
        ASKED_FIRST("/incidents/{id}/take", ACT_TAKE),
        ASKED_FIRST("/incidents/{id}/give-back", ACT_GIVE_BACK),
        ASKED_FIRST("/incidents/{id}/resend", ACT_RESEND),
        {"GET", "/incidents/{id}/run", READING(.shows = page_ask, .act = ACT_RUN, .pool = API_ASKS)},
        {"POST", "/incidents/{id}/run", FORM_IN(API_ASKS, .form = form_act, .act = ACT_RUN)},
        ASKED_FIRST("/pause", ACT_PAUSE),
        ASKED_FIRST("/resume", ACT_RESUME),
        ASKED_FIRST("/maintenance", ACT_MAINTAIN),
        ASKED_FIRST("/maintenance/end", ACT_END_MAINTENANCE),
        {"GET", "/login", READING(.shows = page_login, .login = true)},
        {"POST", "/login", handle_login, FORM_LIMIT,
         ROUTE(.right = RIGHT_READ, .pool = API_DECISIONS, .form = form_login, .login = true)},
        {"POST", "/logout", FORM(.form = form_logout)},
        {"GET", HTML_ASSETS "/{id}", html_handle_asset, 0, ROUTE(.right = RIGHT_ASSET)},
        {0},
};

/* An exchange on its way to a worker. */
struct later {
        struct api *api;
        struct http_exchange *exchange;
        uint64_t news; /* as of its handler: by now the server may be gone */
};

/* "ada (token operator)", as the timeline would have it. */
static char *name_caller(const struct http_exchange *exchange, const struct api_caller *caller)
{
        const char *user = http_user(exchange);
        return !user ? NULL
               : caller->signed_in && caller->session.role != ROLE_COUNT
                       ? text_format("%s (%s)", caller->session.name, user)
                       : strdup(user);
}

static void answer_person(const struct later *later, const struct api_route *route)
{
        struct api *api = later->api;
        struct http_exchange *exchange = later->exchange;
        _cleanup_(parts_release) struct incident_parts parts = engine_parts(api->options.engine);
        const struct api_caller nobody = {0}, *kept = http_kept(exchange), *caller = kept ? kept : &nobody;
        const char *user = http_user(exchange);
        _cleanup_free_ char *who = name_caller(exchange, caller);
        const struct visit visit = {
                .parts = &parts,
                .coverage = &api->options.coverage,
                .engine = api->options.engine,
                .exchange = exchange,
                .now = clock_wall(),
                .started_at = api->started_at,
                .webhook_at = atomic_load(&api->webhook_at),
                .who = who,
                .may_decide = api_may_decide(caller),
                .must_say_name = !caller->signed_in && (!user || string_starts(user, "token ")),
                .may_sign_in = (api->tokens || caller->passwords) && !caller->signed_in && !user,
                .by_password = caller->passwords,
                .signed_in = caller->signed_in,
                .form_token = caller->form_token,
                .news = later->news,
                .act = route->act,
        };
        if (route->form)
                route->form(api, &visit);
        else
                route->shows(&visit);
}

static void later_run(void *context)
{
        struct later *later = context;
        struct http_exchange *exchange = later->exchange;
        const struct api_route *route = http_route_data(exchange);
        _cleanup_error_ struct error error = {0};
        cJSON *answer = NULL;
        int r;
        if (route->page)
                route->page(later->api, exchange);
        else if (route->shows || route->form)
                answer_person(later, route);
        else if ((r = route->document(later->api, exchange, &answer, &error)) < 0)
                api_reply_error(exchange, r, &error);
        else
                api_reply_json(exchange, answer);
        free(later);
}

static void go_on(struct later *later)
{
        const struct api_route *route = http_route_data(later->exchange);
        struct http_exchange *exchange = later->exchange;
        if (workers_try(later->api->pools[route->pool], pools[route->pool].waiting, later_run, later) < 0) {
                free(later);
                http_reply_text(exchange, 503, "too much is asked at once, try again");
        }
}

/* By whoever checks passwords. */
static void on_password(void *context, enum http_password verdict)
{
        struct later *later = context;
        struct api_caller *caller = http_kept(later->exchange);
        caller->verdict = (int)verdict;
        go_on(later);
}

/* The password of a user is checked where those of requests are, and holds up nobody meanwhile. */
static void handle_login(struct http_exchange *exchange, void *context)
{
        struct api *api = context;
        struct api_caller *caller = http_kept(exchange);
        _cleanup_free_ char *name = http_form_value(exchange, FIELD_NAME);
        _cleanup_free_ char *password = http_form_value(exchange, FIELD_SECRET);
        if (!caller || !caller->passwords || !name || !password) {
                handle_later(exchange, context);
                return;
        }
        struct later *later = malloc(sizeof(*later));
        if (!later) {
                http_reply_text(exchange, 503, "out of memory");
                return;
        }
        *later = (struct later){api, exchange, http_server_news(api->server)};
        if (http_password_mark(exchange, name, caller->mark) < 0)
                *caller->mark = '\0';
        http_suspend(exchange);
        http_check_password(exchange, name, password, on_password, later);
        explicit_bzero(password, strlen(password));
}

static void handle_later(struct http_exchange *exchange, void *context)
{
        struct api *api = context;
        if (api_must_sign_in(api, exchange)) {
                _cleanup_free_ char *login = text_format("/login?" FIELD_NEXT "=%s", http_path(exchange));
                http_reply_elsewhere(exchange, login ? login : "/login");
                return;
        }
        struct later *later = malloc(sizeof(*later));
        if (!later) {
                http_reply_text(exchange, 503, "out of memory");
                return;
        }
        *later = (struct later){api, exchange, http_server_news(api->server)};
        http_suspend(exchange);
        go_on(later);
}

/* What the caller would rather read is kept for the worker: headers are there for the handler alone. */
static void handle_report(struct http_exchange *exchange, void *context)
{
        const char *accept = http_header(exchange, "Accept");
        http_keep(exchange, accept ? strdup(accept) : NULL);
        handle_later(exchange, context);
}

static void handle_alerts(struct http_exchange *exchange, void *context)
{
        struct api *api = context;
        webhook_receive(api->webhook, exchange);
}

/* It serves once the journal is open and the engine runs. */
static void handle_alive(struct http_exchange *exchange, void *context _unused_)
{
        http_reply_text(exchange, 200, "runbook_responder is up");
}

/* A browser that comes again says what it has heard in a header. */
static void handle_events(struct http_exchange *exchange, void *context)
{
        if (api_must_sign_in(context, exchange)) {
                http_reply_text(exchange, 401, "sign in first");
                return;
        }
        const char *again = http_header(exchange, "Last-Event-ID");
        const char *seen = again ? again : http_query(exchange, PARAMETER_SEEN);
        http_reply_events(exchange, seen ? strtoull(seen, NULL, 10) : 0);
}

static void on_done(void *context, const char *route_path, unsigned status)
{
        struct api *api = context;
        if (string_equal(route_path, WEBHOOK_PATH))
                meters_webhook(api->options.parts.meters, status);
        if (string_equal(route_path, WEBHOOK_PATH) && status == 200)
                atomic_store(&api->webhook_at, clock_wall());
        refusals_note(&api->refusals, api->options.parts.meters, route_path, status, clock_monotonic());
}

static void tell_of_change(void *context)
{
        http_server_tell(context);
}

/* Who may listen, and what there is to be seen, is another matter now. */
static void end_streams(void *context)
{
        http_server_end_streams(context);
}

static void wake_engine(void *context)
{
        engine_wake(context);
}

static int make_pools(struct api *api, struct error *error)
{
        int r = 0;
        for (size_t i = 0; r >= 0 && i < API_POOL_COUNT; i++)
                r = workers_new(pools[i].at_once, &api->pools[i], error);
        return r;
}

static char *find_alertmanager(void *context)
{
        _cleanup_(parts_release) struct incident_parts parts = engine_parts(context);
        const char *url = parts.set->targets.alertmanager_url;
        return strdup(url ? url : "");
}

int api_start(const struct api_options *options, struct api **ret, struct error *error)
{
        struct api *api = calloc(1, sizeof(*api));
        if (!api)
                return error_oom(error);
        api->options = *options;
        api->started_at = clock_wall();
        const struct http_server_options server = {
                .listen_addresses = options->listen_addresses,
                .routes = routes,
                .context = api,
                .admit = api_admit,
                .comes_otherwise = api_comes_otherwise,
                .on_done = on_done,
                .web_config_file = options->web_config_file,
                .must_authenticate = options->must_authenticate,
                .external_url = options->external_url,
                .stream_limit = STREAMS,
        };
        int r = make_pools(api, error);
        if (r >= 0)
                r = sessions_new(&api->sessions, error);
        if (r >= 0 && !options->must_authenticate && !options->anybody_local_may_act)
                r = tokens_open(options->token_directory, &api->tokens, error);
        const struct webhook_options webhook = {
                .journal = options->parts.journal,
                .reading = {api->pools[API_READING], pools[API_READING].waiting},
                .fetching = {api->pools[API_FETCHES], pools[API_FETCHES].waiting},
                .meters = options->parts.meters,
                .alertmanager_url = find_alertmanager,
                .wake = wake_engine,
                .context = options->engine,
        };
        if (r >= 0)
                r = webhook_receiver_new(&webhook, &api->webhook, error);
        /* In two steps: a request may come before the second returns. */
        if (r >= 0)
                r = http_server_open(&server, &api->server, error);
        if (r >= 0)
                r = http_server_run(api->server, error);
        if (r < 0) {
                api_stop(api);
                return r;
        }
        journal_listen(options->parts.journal, tell_of_change, api->server);
        reloads_listen(options->reloads, end_streams, api->server);
        *ret = api;
        return 0;
}

struct api *api_stop(struct api *api)
{
        if (!api)
                return NULL;
        journal_listen(api->options.parts.journal, NULL, NULL);
        reloads_listen(api->options.reloads, NULL, NULL);
        http_server_stop(api->server);
        /* Before the workers: it waits for deliveries that still have to be taken up by one. */
        webhook_receiver_free(api->webhook);
        for (size_t i = 0; i < API_POOL_COUNT; i++)
                if (api->pools[i])
                        workers_stop(api->pools[i], DEADLINE_NEVER);
        sessions_free(api->sessions);
        tokens_free(api->tokens);
        free(api);
        return NULL;
}
