/* SPDX-License-Identifier: Apache-2.0 */
/* What a remediation has come to so far, out of the journal. */
#include "responder/incident/trust.h"

#include <errno.h>

#include "runbook/assert.h"
#include "runbook/beta.h"

#define HOUR (3600 * NSEC_PER_SEC)
#define SURE 0.95

enum judgement { NOTHING_KNOWN, HEALED, NOT_HEALED, CAME_BACK, UNDONE, REFUSED, LEFT_ALONE, BY_ITSELF };

/* The incidents that are looked at, newest first, with the keys of their alerts. */
struct looked {
        struct incident_list list;
        char (*keys)[DIGEST_TEXT_MAX];
};

static void looked_release(struct looked *looked)
{
        incident_list_release(&looked->list);
        free(looked->keys);
}

static int look(struct journal *journal, const char *remediation, struct looked *ret, struct error *error)
{
        const struct journal_search search = {.remediation = remediation, .limit = LEDGER_MOST};
        int r = journal_search(journal, &search, &ret->list, error);
        if (r < 0)
                return r;
        ret->keys = calloc(ret->list.count + 1, sizeof(*ret->keys));
        if (!ret->keys)
                return error_oom(error);
        for (size_t i = 0; i < ret->list.count && r >= 0; i++)
                if (!ret->list.items[i].unreadable)
                        r = alert_key(&ret->list.items[i].alert, ret->keys[i], error);
        return r;
}

/* Whether the same alert has set it off again so soon after this one had ended. */
static bool came_back(const struct looked *looked, size_t index)
{
        const struct incident *one = &looked->list.items[index];
        for (size_t i = 0; i < index; i++) {
                const struct incident *later = &looked->list.items[i];
                if (!later->unreadable && later->opened_at >= one->ended_at &&
                    later->opened_at - one->ended_at <= HOUR &&
                    string_equal(looked->keys[i], looked->keys[index]))
                        return true;
        }
        return false;
}

/* What its timeline says of how it was lost, and whether a person has undone it. */
static int read_timeline(struct journal *journal, const struct incident *incident, bool *ret_undone,
                         enum incident_state *ret_lost, struct error *error)
{
        _cleanup_json_ cJSON *timeline = NULL;
        int r = journal_timeline(journal, incident->id, &timeline, error);
        const cJSON *row;
        cJSON_ArrayForEach(row, timeline)
        {
                enum incident_state state = INCIDENT_UNCHANGED;
                const char *name = json_string(row, "state");
                *ret_undone |= string_equal(json_string(row, "event"), "undo asked for");
                if (name && incident_state_parse(name, &state) >= 0 && incident_is_lost(state))
                        *ret_lost = state;
        }
        return r;
}

static bool has_undone_step(const struct incident *incident)
{
        for (size_t i = 0; i < incident->step_count; i++)
                if (incident->steps[i].status == STEP_UNDONE || incident->steps[i].status == STEP_UNDO_FAILED)
                        return true;
        return false;
}

/* Of one that has run, and ended. */
static int judge_run(struct journal *journal, const struct looked *looked, size_t index, enum judgement *ret,
                     struct error *error)
{
        const struct incident *incident = &looked->list.items[index];
        enum incident_state lost = incident_is_lost(incident->state) ? incident->state : INCIDENT_UNCHANGED;
        bool undone = false;
        int r = 0;
        if (incident->state == INCIDENT_ESCALATED || has_undone_step(incident))
                r = read_timeline(journal, incident, &undone, &lost, error);
        if (undone)
                *ret = UNDONE;
        else if (lost == INCIDENT_UNVERIFIED)
                *ret = NOTHING_KNOWN;
        else if (lost != INCIDENT_UNCHANGED || incident->state == INCIDENT_ESCALATED)
                *ret = NOT_HEALED; /* escalated without having been lost: healed, and its alert went on */
        else if (incident->state == INCIDENT_HEALED)
                *ret = came_back(looked, index) ? CAME_BACK : HEALED;
        return r;
}

/* Denied or cancelled: what runs is asked to end by a person, and is ended by the engine. */
static int judge_by_who(struct journal *journal, const struct incident *incident, enum judgement *ret,
                        struct error *error)
{
        _cleanup_json_ cJSON *timeline = NULL;
        int r = journal_timeline(journal, incident->id, &timeline, error);
        const char *actor = NULL;
        const cJSON *row;
        cJSON_ArrayForEach(row, timeline)
        {
                const char *event = json_string(row, "event");
                if (actor_person(actor) ||
                    (!string_equal(event, "cancelled") && !string_equal(event, "denied")))
                        continue;
                actor = json_string(row, "actor");
        }
        if (actor_person(actor))
                *ret = REFUSED;
        else if (incident->running_at == 0)
                *ret = string_equal(actor, "alert") ? BY_ITSELF : LEFT_ALONE;
        return r;
}

static int judge_plan(struct journal *journal, const struct incident *incident, enum judgement *ret,
                      struct error *error)
{
        nsec ended = 0;
        int r = incident->episode_open ? 0 : journal_alert_ended(journal, incident->episode, &ended, error);
        *ret = ended != 0 && ended - incident->opened_at <= HOUR ? BY_ITSELF : LEFT_ALONE;
        return r;
}

static int judge(struct journal *journal, const struct looked *looked, size_t index, enum judgement *ret,
                 struct error *error)
{
        const struct incident *incident = &looked->list.items[index];
        if (incident->unreadable || incident->ended_at == 0)
                return 0;
        if (incident->state == INCIDENT_DENIED || incident->state == INCIDENT_CANCELLED)
                return judge_by_who(journal, incident, ret, error);
        if (incident->state == INCIDENT_PLANNED)
                return judge_plan(journal, incident, ret, error);
        if (incident->running_at != 0)
                return judge_run(journal, looked, index, ret, error);
        if (incident->state == INCIDENT_EXPIRED)
                *ret = LEFT_ALONE;
        return 0;
}

static void count(struct ledger *ledger, enum judgement judgement, bool *harmed)
{
        size_t *const counts[] = {
                [HEALED] = &ledger->healed,       [NOT_HEALED] = &ledger->not_healed,
                [CAME_BACK] = &ledger->came_back, [UNDONE] = &ledger->undone,
                [REFUSED] = &ledger->refused,     [LEFT_ALONE] = &ledger->left_alone,
                [BY_ITSELF] = &ledger->by_itself,
        };
        if (judgement == NOTHING_KNOWN)
                return;
        (*counts[judgement])++;
        ledger->left_alone += judgement == BY_ITSELF;
        *harmed |= judgement >= NOT_HEALED && judgement <= REFUSED;
        ledger->since_harm += judgement == HEALED && !*harmed;
}

int ledger_read(struct journal *journal, const char *remediation, struct ledger *ret, struct error *error)
{
        struct looked looked = {0};
        struct ledger ledger = {0};
        bool harmed = false;
        int r = look(journal, remediation, &looked, error);
        for (size_t i = 0; i < looked.list.count && r >= 0; i++) {
                enum judgement judgement = NOTHING_KNOWN;
                r = judge(journal, &looked, i, &judgement, error);
                count(&ledger, judgement, &harmed);
        }
        looked_release(&looked);
        if (r < 0)
                return r;
        ledger.assured = beta_share_at_least(ledger.healed, ledger_runs(&ledger) - ledger.healed, SURE);
        *ret = ledger;
        return 0;
}

bool ledger_earns(const struct ledger *ledger)
{
        return ledger->since_harm >= TRUST_RUNS && ledger->assured >= TRUST_SHARE;
}

enum reach ledger_reach(const struct ledger *ledger, const struct remediation *remediation)
{
        return remediation->dry_run                 ? REACH_PLANS
               : remediation->trust == TRUST_ASK    ? REACH_ASKS
               : remediation->trust != TRUST_EARNED ? REACH_ACTS
               : ledger_earns(ledger)               ? REACH_HAS_EARNED
                                                    : REACH_HAS_YET_TO_EARN;
}

void ledger_put(const struct ledger *ledger, struct text *text)
{
        const size_t runs = ledger_runs(ledger);
        if (runs == 0)
                text_puts(text, "nothing is known yet of whether it heals");
        else
                text_printf(text, "it heals %zu of %zu", ledger->healed, runs);
        if (ledger->came_back > 0)
                text_printf(text, "; %zu came back within an hour", ledger->came_back);
        if (ledger->undone > 0)
                text_printf(text, "; %zu undone by a person", ledger->undone);
        if (ledger->refused > 0)
                text_printf(text, "; %zu refused", ledger->refused);
        if (ledger->left_alone > 0)
                text_printf(text, "; %zu of %zu left alone healed by themselves", ledger->by_itself,
                            ledger->left_alone);
}

static char *say_why(const struct ledger *ledger)
{
        struct text text = {0};
        text_puts(&text, "it has not earned to act by itself: ");
        ledger_put(ledger, &text);
        text_printf(&text,
                    "; %zu healed since the last harm, of %d that it takes, and %.0f %% for sure, of %.0f %%",
                    ledger->since_harm, TRUST_RUNS, 100 * ledger->assured, 100 * TRUST_SHARE);
        return text_take(&text);
}

int trust_asks(const struct remediation *remediation, struct journal *journal, char **ret,
               struct error *error)
{
        struct ledger ledger = {0};
        char *why = NULL;
        *ret = NULL;
        if (remediation->trust == TRUST_ASK) {
                why = strdup("it is trusted to ask, not to act");
        } else if (remediation->trust == TRUST_EARNED) {
                int r = ledger_read(journal, remediation->name, &ledger, error);
                if (r < 0 || ledger_earns(&ledger))
                        return r;
                why = say_why(&ledger);
        } else {
                return 0;
        }
        *ret = why;
        return why ? 0 : error_oom(error);
}
