/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts that no remediation is for: whoever is to know is told, all that there are in one message. */
#include "responder/engine/internal.h"
#include "responder/incident/escalate.h"
#include "runbook/log.h"

#define TOLD_MOST 1000 /* at once */
#define NAMED_MOST 10
#define NAME_MOST 200

static void put_alert(struct text *text, const struct alert *alert)
{
        const char *name = alert_label(alert, "alertname");
        if (!name)
                name = alert->labels.count > 0 ? "(it has no name)" : "(it cannot be read)";
        text_put_line(text, name, NAME_MOST);
        for (size_t i = 0; i < alert->labels.count; i++) {
                if (string_equal(alert->labels.keys[i], "alertname"))
                        continue;
                text_putc(text, ' ');
                text_put_line(text, alert->labels.keys[i], NAME_MOST);
                text_puts(text, "=\"");
                text_put_line(text, alert->labels.values[i], NAME_MOST);
                text_putc(text, '"');
        }
}

static cJSON *details_of(const struct episode_list *list)
{
        cJSON *details = cJSON_CreateObject(), *alerts = cJSON_CreateArray();
        for (size_t i = 0; alerts && i < list->count && i < NAMED_MOST; i++)
                cJSON_AddItemToArray(alerts, alert_to_json(&list->items[i].alert));
        json_put(details, "alerts", alerts);
        json_put(details, "count", cJSON_CreateNumber((double)list->count));
        return details;
}

static int tell(struct engine *engine, const struct episode_list *list, struct error *error)
{
        _cleanup_text_ struct text text = {0}, names = {0};
        text_printf(&text, "%zu alert%s that no remediation is for", list->count,
                    list->count == 1 ? "" : "s");
        for (size_t i = 0; i < list->count && i < NAMED_MOST; i++) {
                text_puts(&names, i > 0 ? "\n" : "");
                put_alert(&names, &list->items[i].alert);
        }
        if (list->count > NAMED_MOST)
                text_printf(&names, "\nand %zu more", list->count - NAMED_MOST);
        _cleanup_json_ cJSON *details = details_of(list);
        if (text_error(&text) < 0 || text_error(&names) < 0 || !details)
                return error_oom(error);
        const struct message_part part = {"Alerts", text_string(&names)};
        const struct message message = {.text = text_string(&text),
                                        .mood = MESSAGE_TROUBLE,
                                        .host = engine->telling_by.host,
                                        .parts = &part,
                                        .part_count = 1,
                                        .details = details};
        _cleanup_error_ struct error why = {0};
        const char *receiver = engine->telling_by.set->unmatched_to;
        int r = call_receiver(&engine->telling_by, receiver, &message, &engine->tell_backoff, &why);
        if (r < 0)
                unheard_note(engine, UNHEARD_UNMATCHED, receiver, message.text, &why);
        if (r < 0)
                error_move(error, &why);
        return r;
}

/* All that are owed; 0 when none is left. */
static int tell_all(struct engine *engine, struct episode_list *list, struct error *error)
{
        const struct incident_parts *parts = &engine->telling_by;
        int r = journal_unanswered(parts->journal, TOLD_MOST, list, error);
        if (r >= 0 && list->count > 0)
                r = tell(engine, list, error);
        if (r < 0)
                return r;
        unheard_forget(engine, UNHEARD_UNMATCHED);
        return list->count > 0 ? journal_answer(parts->journal, list, parts->set->unmatched_to, error) : 0;
}

/* On a worker. */
static void tell_unmatched(void *context)
{
        struct engine *engine = context;
        assert_that(atomic_load(&engine->telling), "they are told by one at a time");
        struct episode_list list = {0};
        _cleanup_error_ struct error error = {0};
        int r = tell_all(engine, &list, &error);
        if (r < 0)
                log_event(LOG_WARN, "Cannot tell of alerts that no remediation is for", "receiver",
                          engine->telling_by.set->unmatched_to, "error", error_text(&error), NULL);
        if (r < 0 || list.count == TOLD_MOST)
                atomic_store(&engine->unanswered, true);
        episode_list_release(&list);
        parts_release(&engine->telling_by);
        atomic_store(&engine->telling, false);
        engine_wake(engine);
}

void engine_tell_unmatched(struct look *look)
{
        assert_that(is_looking(look->engine), "the engine's thread says when");
        struct engine *engine = look->engine;
        const struct incident_parts *parts = &engine->parts;
        if (parts->dry_run || receiver_is_nobody(parts->set->unmatched_to)) {
                unheard_forget(engine, UNHEARD_UNMATCHED); /* there is nobody any more who is to hear it */
                return;
        }
        if (!atomic_load(&engine->unanswered) || atomic_load(&engine->telling))
                return;
        if (look->now < engine->tell_backoff.at) {
                look_again_at(look, engine->tell_backoff.at);
                return;
        }
        atomic_store(&engine->unanswered, false);
        atomic_store(&engine->telling, true);
        if (engine_lend(engine, &engine->telling_by, WORLD_CALLS, parts->set->unmatched_to, tell_unmatched) >=
            0)
                return;
        atomic_store(&engine->telling, false);
        atomic_store(&engine->unanswered, true);
}
