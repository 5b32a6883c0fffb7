/* SPDX-License-Identifier: Apache-2.0 */
/* What a person decides through the API: approve, deny, cancel, undo; pause and resume. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>

#include "responder/web/internal.h"
#include "runbook/utf8.h"

/* Who decides, and why, as the timeline has it. */
struct decider {
        char *actor;
        const char *reason; /* in `body`; NULL: none was given */
        const char *plan;   /* likewise: which it is that he agrees to */
        cJSON *body;
};

static void decider_release(struct decider *decider)
{
        free(decider->actor);
        cJSON_Delete(decider->body);
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

/* "uid 1000 (ada)" of "uid 1000". On a worker: whoever knows the names may have to ask a server. */
static char *name_local_user(const char *user)
{
        char buffer[1024];
        struct passwd entry, *found = NULL;
        getpwuid_r((uid_t)strtoul(user + strlen(LOCAL_USER), NULL, 10), &entry, buffer, sizeof(buffer),
                   &found);
        return found ? text_format("%s (%s)", user, found->pw_name) : strdup(user);
}

bool api_is_name(const char *name)
{
        return name && name[strspn(name, " ")] != '\0' && strlen(name) <= DECIDER_MOST && utf8_valid(name);
}

int api_name_actor(const struct http_exchange *exchange, const char *by, char **ret, struct error *error)
{
        const char *proved = http_user(exchange);
        bool by_token = !proved || string_starts(proved, "token ");
        if (by_token && !api_is_name(by))
                return error_set(error, EINVAL, "who is it? Send {\"by\": \"your name\", \"reason\": \"…\"}");
        /* A name that somebody gives himself is a remark beside what he has shown. */
        *ret = by_token ? text_format("%s (%s)", by, proved ? proved : "not proved")
               : string_starts(proved, LOCAL_USER) ? name_local_user(proved)
                                                   : strdup(proved);
        return *ret ? 0 : error_oom(error);
}

static const struct json_limits limits = {.depth = 8, .values = 1000};

/* Fills `ret`, which is to be released also after a failure. */
static int read_decider(const struct http_exchange *exchange, struct decider *ret, struct error *error)
{
        const struct text *body = http_body(exchange);
        const char *by = NULL;
        int r = 0;
        if (body->length > 0)
                r = json_parse_strict(body->data, body->length, &limits, &ret->body, error);
        if (r >= 0 && ret->body && !cJSON_IsObject(ret->body))
                r = error_set(error, EINVAL,
                              "the body must be an object: {\"by\": \"name\", \"reason\": \"…\"}");
        if (r >= 0)
                r = string_member(ret->body, "by", DECIDER_MOST, &by, error);
        if (r >= 0)
                r = string_member(ret->body, "reason", REASON_MOST, &ret->reason, error);
        if (r >= 0)
                r = string_member(ret->body, "plan", DIGEST_TEXT_MAX, &ret->plan, error);
        return r < 0 ? r : api_name_actor(exchange, by, &ret->actor, error);
}

int api_decide(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error)
{
        const struct api_route *route = http_route_data(exchange);
        _cleanup_(decider_release) struct decider decider = {0};
        int r = read_decider(exchange, &decider, error);
        const char *number = http_path_parameter(exchange);
        struct engine *engine = api->options.engine;
        if (r >= 0)
                r = route->decision == DECISION_APPROVE ? engine_approve(engine, number, decider.actor,
                                                                         decider.reason, decider.plan, error)
                                                        : engine_decide(engine, route->decision, number,
                                                                        decider.actor, decider.reason, error);
        return r < 0 ? r : api_show(api, exchange, ret, error);
}

int api_reload(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error)
{
        if (!api->options.enable_lifecycle)
                return error_set(error, EACCES, "reloads over HTTP are off: see --web.enable-lifecycle");
        int r = reloads_run(api->options.reloads, error);
        return r < 0 ? r : api_status(api, exchange, ret, error);
}

int api_pause(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error)
{
        const struct api_route *route = http_route_data(exchange);
        _cleanup_(decider_release) struct decider decider = {0};
        int r = read_decider(exchange, &decider, error);
        if (r >= 0)
                r = engine_pause(api->options.engine, route->pauses, decider.actor, decider.reason, error);
        return r < 0 ? r : api_status(api, exchange, ret, error);
}

int api_read_maintenance(const char *text, nsec *ret, struct error *error)
{
        enum { MOST = 7 * 24 };
        if (!text || !*text)
                return error_set(error, EINVAL, "for how long? Send {\"for\": \"30m\", \"reason\": \"…\"}");
        int r = duration_parse(text, ret, error);
        if (r >= 0 && (*ret < NSEC_PER_SEC || *ret > MOST * 3600 * NSEC_PER_SEC))
                r = error_set(error, EINVAL, "a maintenance lasts from 1s to 7d, and not %s", text);
        return r < 0 ? r : 0;
}

int api_maintain(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error)
{
        const struct api_route *route = http_route_data(exchange);
        _cleanup_(decider_release) struct decider decider = {0};
        const char *text = NULL;
        nsec duration = 0;
        int r = read_decider(exchange, &decider, error);
        if (r >= 0)
                r = string_member(decider.body, "for", 100, &text, error);
        if (r >= 0 && route->pauses)
                r = api_read_maintenance(text, &duration, error);
        if (r >= 0)
                r = engine_set_maintenance(api->options.engine, duration, decider.actor, decider.reason,
                                           error);
        return r < 0 ? r : api_status(api, exchange, ret, error);
}

int api_run(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error)
{
        _cleanup_(decider_release) struct decider decider = {0};
        _cleanup_free_ char *number = NULL;
        int r = read_decider(exchange, &decider, error);
        if (r >= 0)
                r = api_begin_by_hand(api, http_path_parameter(exchange),
                                      json_get(decider.body, "labels", NULL), decider.actor, decider.reason,
                                      &number, error);
        return r < 0 ? r : api_show_number(api, number, ret, error);
}
