/* SPDX-License-Identifier: Apache-2.0 */
/* Whom an incident calls after whom: what each change of it makes of that, and what is said of it. */
#include "responder/incident/chain.h"

#include "responder/journal/transition.h"
#include "runbook/assert.h"
#include "runbook/text.h"

#define TOLD "told_at"
#define FAILED "failed"

/* Somebody has to answer for as long as it is so. */
static bool calls(enum incident_state state)
{
        return state == INCIDENT_AWAITING_APPROVAL || state == INCIDENT_ESCALATED ||
               state == INCIDENT_EXPIRED;
}

int chain_read(const struct incident *incident, cJSON **ret, struct error *error)
{
        *ret = NULL;
        return *incident->chain ? json_parse(incident->chain, strlen(incident->chain), ret, error) : 0;
}

static cJSON *level_json(const char *to, const struct escalation_level *level)
{
        char after[DURATION_TEXT_MAX];
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        if (json_put(json, "to", cJSON_CreateString(to)) < 0 ||
            json_put(json, "after", cJSON_CreateString(duration_format(level->after, after))) < 0 ||
            (level->contact && *level->contact &&
             json_put(json, "contact", cJSON_CreateString(level->contact)) < 0) ||
            (level->in_hours && json_put(json, "in_hours", cJSON_CreateTrue()) < 0))
                return NULL;
        return TAKE_PTR(json);
}

/* As the file has it now, but for the first, who is whoever is called now; NULL: there is nobody after him.
 */
static int make_chain(const struct incident_parts *parts, const struct incident *incident,
                      const char *receiver, cJSON **ret, struct error *error)
{
        const struct remediation *remediation = remediation_find(parts->set, incident->remediation);
        const struct escalation_chain *chain = remediation_chain(remediation, &incident->alert.labels);
        *ret = NULL;
        if (receiver_is_nobody(receiver) || !chain || chain->count < 2)
                return 0;
        _cleanup_json_ cJSON *json = cJSON_CreateArray();
        for (size_t i = 0; i < chain->count; i++)
                if (json_append(json,
                                level_json(i == 0 ? receiver : chain->levels[i].to, &chain->levels[i])) < 0)
                        return error_oom(error);
        *ret = TAKE_PTR(json);
        return 0;
}

/* Of one level: told, or (`failed`) not reached. */
static int mark(cJSON *chain, size_t level, const char *failed, nsec now, struct error *error)
{
        char at[TIME_TEXT_MAX];
        cJSON *item = cJSON_GetArrayItem(chain, (int)level);
        if (!item || json_string(item, TOLD))
                return 0;
        cJSON_DeleteItemFromObjectCaseSensitive(item, FAILED);
        int r = failed ? json_put(item, FAILED, cJSON_CreateString(failed))
                       : json_put(item, TOLD, cJSON_CreateString(time_format(now, at)));
        return r < 0 ? error_oom(error) : 0;
}

static bool all_told(const cJSON *chain)
{
        const cJSON *item;
        cJSON_ArrayForEach(item, chain)
        {
                if (!json_string(item, TOLD))
                        return false;
        }
        return true;
}

static void put(struct journal_entry *entry, enum climb climb, cJSON *chain, cJSON **ret_owned)
{
        entry->chain = *ret_owned = chain;
        entry->climb = chain && all_told(chain) ? CLIMB_ENDS : climb;
}

int chain_mark(const struct incident_parts *parts, const struct incident *incident, size_t level,
               const char *failed, struct journal_entry *entry, cJSON **ret_owned, struct error *error)
{
        _cleanup_json_ cJSON *chain = NULL;
        int r = chain_read(incident, &chain, error);
        if (r < 0 || !chain)
                return r;
        r = mark(chain, level, failed, world_wall(parts->world), error);
        if (r >= 0)
                put(entry, CLIMB_GOES_ON, TAKE_PTR(chain), ret_owned);
        return r;
}

int chain_change(const struct incident_parts *parts, const struct incident *incident, const char *receiver,
                 const struct incident_change *change, struct journal_entry *entry, cJSON **ret_owned,
                 struct error *error)
{
        const struct transition *way = transition_find(incident->state, change->to, change->event);
        bool lost = incident_is_lost(change->to) && !(way && way->ends);
        if (lost || parts_only_plan(parts, incident))
                return 0;
        if (!calls(change->to)) {
                entry->climb = !*incident->chain  ? CLIMB_UNCHANGED
                               : way && way->ends ? CLIMB_ENDS
                                                  : CLIMB_FORGET;
                return 0;
        }
        /* What nobody has answered while it was asked, or could be told, is the same matter. */
        bool same = *incident->chain;
        _cleanup_json_ cJSON *chain = NULL;
        int r = same ? chain_read(incident, &chain, error)
                     : make_chain(parts, incident, receiver, &chain, error);
        if (r < 0 || !chain)
                return r;
        /* A question is told once it is written; an end is written once it was told. */
        if (change->to != INCIDENT_AWAITING_APPROVAL)
                r = mark(chain, 0, NULL, world_wall(parts->world), error);
        if (r >= 0)
                put(entry, same ? CLIMB_GOES_ON : CLIMB_BEGINS, TAKE_PTR(chain), ret_owned);
        return r;
}

int chain_begin_unheard(const struct incident_parts *parts, const struct incident *incident,
                        const char *receiver, const char *failed, struct journal_entry *entry,
                        cJSON **ret_owned, struct error *error)
{
        assert_that(failed, "what nobody has received has failed");
        _cleanup_json_ cJSON *chain = NULL;
        if (incident->climbing_steady > 0)
                return chain_mark(parts, incident, 0, failed, entry, ret_owned, error);
        if (!incident->episode_open || calls(incident->state))
                return 0;
        int r = make_chain(parts, incident, receiver, &chain, error);
        if (r >= 0 && chain)
                r = mark(chain, 0, failed, 0, error);
        if (r >= 0 && chain)
                put(entry, CLIMB_BEGINS, TAKE_PTR(chain), ret_owned);
        return r;
}

bool chain_has_failed(const struct incident *incident, size_t level)
{
        _cleanup_json_ cJSON *chain = NULL;
        (void)chain_read(incident, &chain, NULL);
        return json_string(cJSON_GetArrayItem(chain, (int)level), FAILED) != NULL;
}

int chain_left(const struct incident *incident, struct chain_next ret[static CHAIN_NEXT_MOST],
               size_t *ret_count, struct error *error)
{
        _cleanup_json_ cJSON *chain = NULL;
        size_t count = 0, level = 0;
        int r = chain_read(incident, &chain, error);
        const cJSON *item;
        *ret_count = 0;
        if (r < 0)
                return r;
        cJSON_ArrayForEach(item, chain)
        {
                const char *to = json_string(item, "to"), *after = json_string(item, "after");
                nsec wait = 0;
                if (level++ == 0 || json_string(item, TOLD) || !to || !after || count == CHAIN_NEXT_MOST ||
                    duration_parse(after, &wait, NULL) < 0)
                        continue;
                struct chain_next *next = &ret[count];
                *next = (struct chain_next){.level = level - 1,
                                            .to = strdup(to),
                                            .at = incident->climbing_steady + wait,
                                            .in_hours = cJSON_IsTrue(json_get(item, "in_hours", NULL))};
                if (!next->to) {
                        chain_left_release(ret, count);
                        return error_oom(error);
                }
                count++;
        }
        *ret_count = count;
        return 0;
}

int chain_keepers(const struct incident_parts *parts, const struct incident *incident,
                  const char *ret[static CHAIN_NEXT_MOST], size_t *ret_count, struct error *error)
{
        _cleanup_json_ cJSON *chain = NULL;
        size_t count = 0, level = 0;
        int r = chain_read(incident, &chain, error);
        const cJSON *item;
        cJSON_ArrayForEach(item, chain)
        {
                const struct receiver *receiver =
                        target_set_receiver(&parts->set->targets, json_string(item, "to"));
                if (level++ > 0 && json_string(item, TOLD) && receiver_keeps_open(receiver) &&
                    count < CHAIN_NEXT_MOST)
                        ret[count++] = receiver->name;
        }
        *ret_count = count;
        return r;
}

void chain_left_release(struct chain_next *left, size_t count)
{
        for (size_t i = 0; i < count; i++)
                free(left[i].to);
}

int chain_say(const struct incident *incident, char **ret, struct error *error)
{
        _cleanup_json_ cJSON *chain = NULL;
        _cleanup_text_ struct text text = {0};
        int r = chain_read(incident, &chain, error);
        const cJSON *item;
        if (r < 0)
                return r;
        cJSON_ArrayForEach(item, chain)
        {
                const char *to = json_string(item, "to"), *told = json_string(item, TOLD),
                           *failed = json_string(item, FAILED);
                if (!to || (!told && !failed))
                        continue;
                const char *contact = json_string(item, "contact");
                text_printf(&text, "%s%s", text.length > 0 ? ", " : "", to);
                if (contact) {
                        text_puts(&text, " (");
                        text_put_line(&text, contact, 200);
                        text_puts(&text, ")");
                }
                text_puts(&text, told ? " was told at " : " could not be reached (");
                text_put_line(&text, told ? told : failed, 200);
                text_puts(&text, told ? "" : ")");
        }
        *ret = text.length > 0 ? text_take(&text) : strdup("nobody could be told");
        return *ret ? 0 : error_oom(error);
}
