/* SPDX-License-Identifier: Apache-2.0 */
/* What the JSON API tells of remediations: how far each goes by itself and what it has come to; what its
 * guards would say of an alert now, and what those of all of them do. */
#include <errno.h>

#include "responder/incident/trust.h"
#include "responder/web/internal.h"
#include "runbook/text.h"

static const char *const reaches[] = {
        [REACH_PLANS] = "plans",
        [REACH_ASKS] = "asks",
        [REACH_HAS_YET_TO_EARN] = "asks until it has earned to act",
        [REACH_HAS_EARNED] = "acts, as it has earned to",
        [REACH_ACTS] = "acts",
};
tables_agree(reaches, REACH_COUNT);

static cJSON *ledger_json(const struct ledger *ledger)
{
        const struct {
                const char *name;
                size_t count;
        } counts[] = {
                {"healed", ledger->healed},
                {"not_healed", ledger->not_healed},
                {"undone", ledger->undone},
                {"came_back", ledger->came_back},
                {"refused", ledger->refused},
                {"left_alone", ledger->left_alone},
                {"healed_by_itself", ledger->by_itself},
        };
        _cleanup_text_ struct text sentence = {0};
        cJSON *json = cJSON_CreateObject();
        for (size_t i = 0; i < N_ELEMENTS(counts); i++)
                json_put(json, counts[i].name, cJSON_CreateNumber((double)counts[i].count));
        ledger_put(ledger, &sentence);
        json_put(json, "heals_at_least", cJSON_CreateNumber(ledger->assured));
        json_put(json, "sentence", cJSON_CreateString(text_string(&sentence)));
        return json;
}

static cJSON *remediation_json(const struct remediation *remediation, const struct ledger *ledger)
{
        cJSON *json = cJSON_CreateObject(), *steps = cJSON_CreateArray();
        for (size_t i = 0; i < remediation->step_count; i++)
                (void)json_append(steps, cJSON_CreateString(remediation->steps[i].action->name));
        json_put(json, "remediation", cJSON_CreateString(remediation->name));
        json_put(json, "trust", cJSON_CreateString(trust_words[remediation->trust]));
        json_put(json, "reach", cJSON_CreateString(reaches[ledger_reach(ledger, remediation)]));
        json_put(json, "steps", steps);
        json_put(json, "record", ledger_json(ledger));
        return json;
}

int api_remediations(struct api *api, struct http_exchange *exchange _unused_, cJSON **ret,
                     struct error *error)
{
        _cleanup_(parts_release) struct incident_parts parts = engine_parts(api->options.engine);
        _cleanup_json_ cJSON *answer = cJSON_CreateObject(), *array = cJSON_CreateArray();
        for (size_t i = 0; i < parts.set->count; i++) {
                struct ledger ledger;
                int r = ledger_read(parts.journal, parts.set->remediations[i].name, &ledger, error);
                if (r >= 0)
                        r = json_append(array, remediation_json(&parts.set->remediations[i], &ledger));
                if (r < 0)
                        return r;
        }
        json_put(answer, "remediations", TAKE_PTR(array));
        *ret = TAKE_PTR(answer);
        return 0;
}

static const struct json_limits limits = {.depth = 8, .values = 10000};

/* The alert that the labels of the body {"labels": {…}} make, to be released after a success. */
static int read_labels(const struct http_exchange *exchange, struct alert *ret, struct error *error)
{
        const struct text *body = http_body(exchange);
        _cleanup_json_ cJSON *json = NULL, *only = cJSON_CreateObject();
        if (!only)
                return error_oom(error);
        int r = json_parse_strict(text_string(body), body->length, &limits, &json, error);
        if (r < 0)
                return r;
        cJSON *labels = cJSON_DetachItemFromObjectCaseSensitive(json, "labels");
        json_put(only, "labels", labels ? labels : cJSON_CreateObject());
        return alert_from_labels(only, clock_wall(), ret, error);
}

static cJSON *says_json(const struct guard_says *says)
{
        cJSON *json = cJSON_CreateObject();
        json_put(json, "guard", cJSON_CreateString(says->guard));
        json_put(json, "holds", cJSON_CreateBool(says->holds));
        json_put(json, "asks", cJSON_CreateBool(says->asks));
        json_put(json, "until", wall_json(says->until));
        json_put(json, "reason", json_text(*says->reason ? says->reason : NULL));
        json_put(json, "holder", json_text(*says->holder ? says->holder : NULL));
        return json;
}

static cJSON *guards_json(const struct guards_say *says)
{
        cJSON *json = cJSON_CreateObject(), *guards = cJSON_CreateArray();
        for (size_t i = 0; i < says->count; i++)
                (void)json_append(guards, says_json(&says->items[i]));
        json_put(json, "lock", json_text(says->lock));
        json_put(json, "guards", guards);
        return json;
}

int api_guards(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error)
{
        struct alert alert = {0};
        struct guards_say says = {0};
        int r = read_labels(exchange, &alert, error);
        if (r >= 0)
                r = engine_ask_guards(api->options.engine, http_path_parameter(exchange), &alert, &says,
                                      error);
        alert_release(&alert);
        if (r < 0)
                return r;
        *ret = guards_json(&says);
        free(says.lock);
        return 0;
}

/* Of one whose lock is by an alert's labels nothing is known before there is one. */
static cJSON *any_json(const struct guards_asked *asked, const struct remediation *remediation)
{
        struct guards_say says = {0};
        _cleanup_error_ struct error why = {0};
        int r = guards_ask_any(asked, remediation, &says, &why);
        cJSON *json = guards_json(&says);
        json_put(json, "remediation", cJSON_CreateString(remediation->name));
        json_put(json, "why_not_known", json_text(r < 0 ? error_text(&why) : NULL));
        free(says.lock);
        return json;
}

int api_all_guards(struct api *api, struct http_exchange *exchange _unused_, cJSON **ret, struct error *error)
{
        _cleanup_(parts_release) struct incident_parts parts = engine_parts(api->options.engine);
        struct guards_asked *asked = NULL;
        int r = guards_asked_new(api->options.engine, &asked, error);
        if (r < 0)
                return r;
        cJSON *answer = cJSON_CreateObject(), *array = cJSON_CreateArray();
        for (size_t i = 0; i < parts.set->count; i++)
                (void)json_append(array, any_json(asked, &parts.set->remediations[i]));
        json_put(answer, "remediations", array);
        guards_asked_free(asked);
        *ret = answer;
        return 0;
}
