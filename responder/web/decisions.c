/* SPDX-License-Identifier: Apache-2.0 */
/* What a person decides through the API: approve, deny, cancel, undo; pause and resume. */
#include <errno.h>

#include "responder/web/internal.h"

#define DECIDER_MOST 100
#define REASON_MOST 1000

/* What a person may decide: the end of the path, and what then happens. */
struct decider {
        const char *actor, *reason;
};
typedef int decide_function(struct engine *engine, const char *number, const struct decider *by,
                            struct error *error);

static int decide_approve(struct engine *engine, const char *number, const struct decider *by,
                          struct error *error)
{
        return engine_decide(engine, DECISION_APPROVE, number, by->actor, by->reason, error);
}

static int decide_deny(struct engine *engine, const char *number, const struct decider *by,
                       struct error *error)
{
        return engine_decide(engine, DECISION_DENY, number, by->actor, by->reason, error);
}

static int decide_cancel(struct engine *engine, const char *number, const struct decider *by,
                         struct error *error)
{
        return engine_decide(engine, DECISION_CANCEL, number, by->actor, by->reason, error);
}

static int decide_undo(struct engine *engine, const char *number, const struct decider *by,
                       struct error *error)
{
        return engine_decide(engine, DECISION_UNDO, number, by->actor, by->reason, error);
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

        /* Whoever has proved who he is does not sign as somebody else. */
        if (http_user(exchange))
                by = http_user(exchange);
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

void api_decision(struct api *api, struct http_exchange *exchange)
{
        _cleanup_error_ struct error error = {0};
        const char *number = http_path_parameter(exchange);
        cJSON *answer = NULL;
        int r = take_decision(api, exchange, &error);
        if (r >= 0)
                r = number && *number ? api_show_incident(api, number, &answer, &error)
                                      : api_status_json(api, &answer, &error);
        if (r < 0)
                api_reply_error(exchange, r, &error);
        else
                api_reply_json(exchange, 200, answer);
}
