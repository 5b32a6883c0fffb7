/* SPDX-License-Identifier: Apache-2.0 */
/* What the JSON API shows: incidents, by page or one whole, and the state of the responder. */
#include <errno.h>

#include "responder/web/internal.h"

#define PAGE_DEFAULT 50
#define PAGE_MOST 500

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

int api_list(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error)
{
        enum incident_state state = INCIDENT_UNCHANGED;
        const char *wanted = http_query(exchange, "state");
        int64_t before = 0;
        size_t limit = PAGE_DEFAULT;
        bool open = string_equal(wanted, "open");
        if (wanted && *wanted && !open && incident_state_parse(wanted, &state) < 0)
                return error_set(error, EINVAL, "there is no state \"%s\"", wanted);
        int r = page_size(http_query(exchange, "limit"), &limit, error);
        if (r >= 0)
                r = before_id(api, http_query(exchange, "before"), &before, error);
        struct incident_list list = {0};
        if (r >= 0)
                r = open ? journal_list_open(api->options.parts.journal, before, limit, &list, error)
                         : journal_list(api->options.parts.journal, state, before, limit, &list, error);
        if (r < 0)
                return r;

        cJSON *answer = cJSON_CreateObject();
        cJSON *array = cJSON_CreateArray();
        for (size_t i = 0; array && i < list.count; i++)
                cJSON_AddItemToArray(array, incident_json(&list.items[i], false, NULL));
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

int api_show_number(struct api *api, const char *number, cJSON **ret, struct error *error)
{
        return incident_whole(api->options.parts.journal, number, ret, error);
}

int api_show(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error)
{
        return api_show_number(api, http_path_parameter(exchange), ret, error);
}

/* By ?format=, else by what the caller would rather read, which is kept with the exchange. */
static int wanted_format(const struct http_exchange *exchange, enum report_format *ret, struct error *error)
{
        const char *format = http_query(exchange, "format"), *accept = http_kept(exchange);
        if (format && !string_equal(format, "html") && !string_equal(format, "markdown"))
                return error_set(error, EINVAL, "format must be markdown or html");
        bool html = format ? string_equal(format, "html") : accept && strstr(accept, "text/html");
        *ret = html ? REPORT_HTML : REPORT_MARKDOWN;
        return 0;
}

void api_report(struct api *api, struct http_exchange *exchange)
{
        enum report_format format = REPORT_MARKDOWN;
        _cleanup_json_ cJSON *whole = NULL;
        _cleanup_error_ struct error error = {0};
        int r = wanted_format(exchange, &format, &error);
        if (r >= 0)
                r = api_show(api, exchange, &whole, &error);
        if (r < 0) {
                api_reply_error(exchange, r, &error);
                return;
        }
        struct text text = {0};
        json_mask(whole);
        report_write(whole, format, &text);
        http_reply(exchange, 200, format == REPORT_HTML ? HTTP_TYPE_HTML : "text/markdown; charset=utf-8",
                   &text);
}

/* null: there is none. */
static cJSON *maintenance_json(struct journal *journal)
{
        struct maintenance_shown shown = {0};
        if (maintenance_show(journal, &shown, NULL) < 0 || !shown.holds) {
                maintenance_shown_release(&shown);
                return cJSON_CreateNull();
        }
        cJSON *json = cJSON_CreateObject();
        json_put(json, "since", wall_json(shown.since));
        json_put(json, "until", wall_json(shown.until));
        json_put(json, "by", json_text(shown.by));
        json_put(json, "reason", json_text(shown.reason));
        json_put(json, "silenced", cJSON_CreateBool(shown.silenced));
        maintenance_shown_release(&shown);
        return json;
}

int api_status(struct api *api, struct http_exchange *exchange _unused_, cJSON **ret, struct error *error)
{
        _cleanup_(parts_release) struct incident_parts held = engine_parts(api->options.engine);
        const struct incident_parts *parts = &held;
        size_t counts[INCIDENT_STATE_COUNT];
        bool paused = false;
        nsec since = 0;
        _cleanup_free_ char *by = NULL, *reason = NULL;
        struct journal_people people;
        int r = journal_paused(parts->journal, &paused, &since, error);
        if (r >= 0 && paused)
                r = journal_paused_by(parts->journal, since, &by, &reason, error);
        if (r >= 0)
                r = journal_count_people(parts->journal, &people, error);
        if (r >= 0)
                r = journal_count_open(parts->journal, counts, error);
        if (r < 0)
                return r;

        cJSON *states = cJSON_CreateObject(), *names = cJSON_CreateArray(), *answer = cJSON_CreateObject();
        for (enum incident_state state = INCIDENT_RECEIVED; state < INCIDENT_HEALED; state++)
                json_put(states, incident_state_name(state), cJSON_CreateNumber((double)counts[state]));
        for (size_t i = 0; names && i < parts->set->count; i++)
                cJSON_AddItemToArray(names, cJSON_CreateString(parts->set->remediations[i].name));
        if (counts[INCIDENT_UNCHANGED] > 0)
                json_put(states, "unreadable", cJSON_CreateNumber((double)counts[INCIDENT_UNCHANGED]));
        json_put(answer, "version", cJSON_CreateString(RUNBOOK_VERSION));
        json_put(answer, "paused", cJSON_CreateBool(paused));
        json_put(answer, "paused_since", wall_json(paused ? since : 0));
        json_put(answer, "paused_by", by ? cJSON_CreateString(by) : cJSON_CreateNull());
        json_put(answer, "paused_reason", reason ? cJSON_CreateString(reason) : cJSON_CreateNull());
        json_put(answer, "maintenance", maintenance_json(parts->journal));
        json_put(answer, "dry_run", cJSON_CreateBool(parts->dry_run));
        json_put(answer, "incidents", states);
        json_put(answer, "remediations", names);
        json_put(answer, "alerts_unmatched", cJSON_CreateNumber((double)people.unmatched));
        json_put(answer, "calls_owed", cJSON_CreateNumber((double)people.owed));
        *ret = answer;
        return 0;
}
