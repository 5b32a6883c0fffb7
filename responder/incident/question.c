/* SPDX-License-Identifier: Apache-2.0 */
/* A question to a person: asked about one plan, answered by so many, and of no other plan. */
#include "responder/incident/question.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "responder/incident/planning.h"
#include "responder/remediation/essence.h"
#include "runbook/assert.h"

/* What is asked about every step that the rest depends on and that changes something: nobody is asked about
 * what only looks, or only accompanies the cure. */
static bool counts(const cJSON *item)
{
        return json_bool(item, "essential", true) && cJSON_IsObject(json_get(item, "plan", NULL)) &&
               action_changes(json_string(item, "action"));
}

static int64_t targets_of(const cJSON *plan)
{
        return (int64_t)json_number(plan, "targets", 0);
}

static int64_t changed_targets(const cJSON *plans)
{
        const cJSON *item;
        int64_t targets = 0;
        cJSON_ArrayForEach(item, plans)
        {
                if (counts(item))
                        targets += targets_of(json_get(item, "plan", NULL));
        }
        return targets;
}

/* Whether it has run so often that a person is asked from now on. */
static int ran_often(const struct remediation *remediation, const char *lock, struct journal *journal,
                     bool *ret, struct error *error)
{
        const struct rate *after = &remediation->approval.after;
        nsec began = 0;
        *ret = false;
        if (after->count <= 0 || !journal)
                return 0;
        int r = journal_nth_run(journal, remediation->name, lock, after->count,
                                journal_steady(journal) - after->period, &began, error);
        *ret = began != 0;
        return r;
}

int question_needed(const struct remediation *remediation, const struct remediation_set *set,
                    const cJSON *plans, const char *lock, nsec wall, struct journal *journal, char **ret,
                    struct error *error)
{
        const struct approval *approval = &remediation->approval;
        int64_t targets = changed_targets(plans);
        char within[DURATION_TEXT_MAX];
        bool often = false;
        *ret = NULL;
        if (!approval->wanted)
                return 0;
        int r = ran_often(remediation, lock, journal, &often, error);
        if (r < 0)
                return r;
        if (!approval->conditions)
                *ret = strdup("the remediation asks for approval");
        else if (approval->more_than > 0 && targets > approval->more_than)
                *ret = text_format("it would change %" PRId64 " targets, more than %" PRId64, targets,
                                   approval->more_than);
        else if (approval->outside_hours && set->hours && !hours_contain(set->hours, wall))
                *ret = strdup("it is outside the hours in which people are there");
        else if (often)
                *ret = text_format("it has run %" PRId64 " times within %s", approval->after.count,
                                   duration_format(approval->after.period, within));
        else
                return 0;
        return *ret ? 0 : error_oom(error);
}

/* {"sha256", "targets"} of one step's plan. */
static int step_json(const char *action, const cJSON *plan, cJSON **ret, struct error *error)
{
        char sum[DIGEST_TEXT_MAX];
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        int r = essence_digest(action, plan, sum, error);
        if (r < 0)
                return r;
        if (json_put(json, "sha256", json_text(sum)) < 0 ||
            json_put(json, "targets", cJSON_CreateNumber((double)targets_of(plan))) < 0)
                return error_oom(error);
        *ret = TAKE_PTR(json);
        return 0;
}

static int put_step(cJSON *steps, size_t step, const char *action, const cJSON *plan, struct error *error)
{
        char key[24];
        cJSON *json = NULL;
        snprintf(key, sizeof(key), "%zu", step);
        cJSON_DeleteItemFromObjectCaseSensitive(steps, key);
        int r = step_json(action, plan, &json, error);
        return r < 0 ? r : json_put(steps, key, json) < 0 ? error_oom(error) : 0;
}

/* Which question it is: by all that a person sees of it. */
static int put_name(cJSON *question, const char *definition, struct error *error)
{
        unsigned char sum[DIGEST_SIZE];
        char name[DIGEST_TEXT_MAX];
        _cleanup_text_ struct text text = {0};
        _cleanup_free_ char *steps = json_print(json_get(question, "steps", NULL));
        if (!steps)
                return error_oom(error);
        text_printf(&text, "%s %s %.0f", definition ? definition : "", steps, json_number(question, "at", 0));
        if (text_error(&text) < 0 || digest_of(text.data, text.length, sum) < 0)
                return error_oom(error);
        cJSON_DeleteItemFromObjectCaseSensitive(question, "plan");
        return json_put(question, "plan", json_text(digest_text(sum, name))) < 0 ? error_oom(error) : 0;
}

/* Of `take_steps`; nobody has agreed to it. */
static int make(const struct incident_run *run, cJSON *take_steps, bool whole, bool own, cJSON **ret,
                struct error *error)
{
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        const struct remediation *file = remediation_find(run->parts->set, run->incident.remediation);
        int64_t people = file && file->approval.wanted ? file->approval.people : 1;
        const nsec milliseconds = journal_steady(run->parts->journal) / NSEC_PER_MSEC;
        if (json_put(json, "steps", take_steps) < 0 || json_put(json, "whole", cJSON_CreateBool(whole)) < 0 ||
            json_put(json, "own", cJSON_CreateBool(own)) < 0 ||
            json_put(json, "people", cJSON_CreateNumber((double)people)) < 0 ||
            json_put(json, "at", cJSON_CreateNumber((double)milliseconds)) < 0 ||
            json_put(json, "agreed", cJSON_CreateArray()) < 0)
                return error_oom(error);
        *ret = TAKE_PTR(json);
        return 0;
}

int question_make(const struct incident_run *run, const cJSON *plans, const cJSON *definition, bool own,
                  cJSON **ret, struct error *error)
{
        _cleanup_json_ cJSON *steps = cJSON_CreateObject(), *json = NULL;
        _cleanup_free_ char *defined = definition ? json_print(definition) : NULL;
        const cJSON *item;
        int r = 0;
        cJSON_ArrayForEach(item, plans)
        {
                if (r >= 0 && counts(item))
                        r = put_step(steps, (size_t)json_number(item, "step", 0), json_string(item, "action"),
                                     json_get(item, "plan", NULL), error);
        }
        if (r >= 0)
                r = make(run, TAKE_PTR(steps), true, own, &json, error);
        if (r >= 0)
                r = put_name(json, defined ? defined : run->incident.definition, error);
        if (r >= 0)
                *ret = TAKE_PTR(json);
        return r;
}

/* NULL: nothing was asked yet, or by a version that did not keep it. */
static int read_asked(const struct incident *incident, cJSON **ret, struct error *error)
{
        *ret = NULL;
        return incident->asked && *incident->asked
                       ? json_parse(incident->asked, strlen(incident->asked), ret, error)
                       : 0;
}

int question_about_step(const struct incident_run *run, size_t step, const struct action *action,
                        const cJSON *plan, cJSON **ret, struct error *error)
{
        _cleanup_json_ cJSON *before = NULL, *steps = NULL, *json = NULL;
        bool agreed = run->incident.approved;
        int r = agreed ? read_asked(&run->incident, &before, error) : 0;
        if (r >= 0 &&
            !(steps = before ? cJSON_Duplicate(json_get(before, "steps", NULL), true) : cJSON_CreateObject()))
                r = error_oom(error);
        if (r >= 0)
                r = put_step(steps, step, action->name, plan, error);
        if (r >= 0)
                r = make(run, TAKE_PTR(steps), json_bool(before, "whole", false), false, &json, error);
        if (r >= 0)
                r = put_name(json, run->incident.definition, error);
        if (r >= 0)
                *ret = TAKE_PTR(json);
        return r;
}

/* What a plan touches may grow by itself (keys of a cache, rows): that is the same plan, within reason. */
static bool has_grown(const cJSON *then, const cJSON *plan)
{
        enum { SOME = 10 };
        int64_t before = (int64_t)json_number(then, "targets", 0), now = targets_of(plan);
        return now > 2 * before && now - before > SOME;
}

/* The plan of a step as the question had it, out of the timeline; NULL when that is not known. */
static cJSON *plan_then(const struct incident_run *run, size_t step)
{
        _cleanup_json_ cJSON *plans = NULL, *one = NULL;
        const cJSON *item;
        (void)journal_last_detail(run->parts->journal, run->incident.id, "plans", &plans, NULL);
        (void)journal_last_detail(run->parts->journal, run->incident.id, "plan", &one, NULL);
        if (one && cJSON_IsObject(json_get(one, "plan", NULL)) &&
            (size_t)json_number(one, "about_step", 0) == step)
                return cJSON_DetachItemFromObjectCaseSensitive(one, "plan");
        cJSON_ArrayForEach(item, json_get(plans, "plans", NULL))
        {
                if ((size_t)json_number(item, "step", 0) == step)
                        return cJSON_Duplicate(json_get(item, "plan", NULL), true);
        }
        return NULL;
}

static int say_difference(const struct incident_run *run, size_t step, const char *action, const cJSON *plan,
                          char **ret, struct error *error)
{
        _cleanup_json_ cJSON *then = plan_then(run, step);
        _cleanup_free_ char *words = NULL;
        int r = then ? essence_compare(action, then, plan, &words, error) : 0;
        if (r < 0)
                return r;
        *ret = text_format("the plan is another than the one that was agreed to: step %zu (%s) %s%s%s", step,
                           action, words ? words : "would not do the same",
                           then ? ", by which it would " : "", then ? json_string(plan, "summary") : "");
        return *ret ? 0 : error_oom(error);
}

/* Of one step: `question` may be NULL. */
static int differs(const struct incident_run *run, const cJSON *question, size_t step, const char *action,
                   const cJSON *plan, char **ret, struct error *error)
{
        char key[24], sum[DIGEST_TEXT_MAX];
        *ret = NULL;
        if (!question)
                return 0;
        snprintf(key, sizeof(key), "%zu", step);
        const cJSON *then = json_get(question, "steps", key, NULL);
        if (!then && !json_bool(question, "whole", false))
                return 0;
        int r = essence_digest(action, plan, sum, error);
        if (r < 0)
                return r;
        bool same = then && string_equal(json_string(then, "sha256"), sum) && !has_grown(then, plan);
        return same ? 0 : say_difference(run, step, action, plan, ret, error);
}

int question_differs(const struct incident_run *run, const cJSON *plans, char **ret, struct error *error)
{
        _cleanup_json_ cJSON *question = NULL;
        const cJSON *item;
        *ret = NULL;
        int r = read_asked(&run->incident, &question, error);
        cJSON_ArrayForEach(item, plans)
        {
                if (r >= 0 && !*ret && counts(item))
                        r = differs(run, question, (size_t)json_number(item, "step", 0),
                                    json_string(item, "action"), json_get(item, "plan", NULL), ret, error);
        }
        return r;
}

int question_step_differs(const struct incident_run *run, size_t step, const struct action *action,
                          const cJSON *plan, char **ret, struct error *error)
{
        _cleanup_json_ cJSON *question = NULL;
        *ret = NULL;
        if (!action_changes(action->name))
                return 0;
        int r = read_asked(&run->incident, &question, error);
        return r < 0 ? r : differs(run, question, step, action->name, plan, ret, error);
}

static bool has_agreed(const cJSON *agreed, const char *who)
{
        const cJSON *one;
        cJSON_ArrayForEach(one, agreed)
        {
                if (string_equal(json_string(one, "who"), who))
                        return true;
        }
        return false;
}

/* A question of before, which nothing was kept of: one is enough, and any plan is meant. */
static int read_or_make(const struct incident *incident, cJSON **ret, struct error *error)
{
        int r = read_asked(incident, ret, error);
        if (r < 0 || *ret)
                return r;
        *ret = cJSON_CreateObject();
        return json_put(*ret, "people", cJSON_CreateNumber(1)) < 0 ||
                               json_put(*ret, "agreed", cJSON_CreateArray()) < 0
                       ? error_oom(error)
                       : 0;
}

static int check_plan(const cJSON *question, const char *plan, const char *number, struct error *error)
{
        const char *asked = json_string(question, "plan");
        size_t length = plan ? strlen(plan) : 0;
        if (length == 0 || (asked && length >= QUESTION_SHOWN && string_starts(asked, plan)))
                return 0;
        return error_set(error, ESTALE,
                         "%s asks about another plan by now than %.*s: look at it again, and decide about "
                         "what it says",
                         number, QUESTION_SHOWN, plan);
}

int question_agree(const struct incident *incident, const char *actor, const char *plan, cJSON **ret,
                   bool *ret_enough, struct error *error)
{
        _cleanup_json_ cJSON *question = NULL;
        _cleanup_free_ char *who = actor_identity(actor);
        if (!who)
                return error_oom(error);
        int r = read_or_make(incident, &question, error);
        if (r >= 0)
                r = check_plan(question, plan, incident->number, error);
        if (r < 0)
                return r;
        cJSON *agreed = cJSON_GetObjectItemCaseSensitive(question, "agreed"), *one = cJSON_CreateObject();
        if (has_agreed(agreed, who)) {
                cJSON_Delete(one);
                return error_set(error, EALREADY,
                                 "%s has agreed to %s already, and it needs two people: somebody else, who "
                                 "shows who that is",
                                 who, incident->number);
        }
        if (json_put(one, "who", json_text(who)) < 0 || json_put(one, "actor", json_text(actor)) < 0) {
                cJSON_Delete(one);
                return error_oom(error);
        }
        if (json_append(agreed, one) < 0)
                return error_oom(error);
        *ret_enough = cJSON_GetArraySize(agreed) >= (int)json_number(question, "people", 1);
        *ret = TAKE_PTR(question);
        return 0;
}

nsec question_deadline(const struct incident *incident, const struct remediation *remediation)
{
        _cleanup_json_ cJSON *question = NULL;
        nsec deadline = remediation->approval.deadline;
        if (deadline <= 0 || read_asked(incident, &question, NULL) < 0 || !question)
                return 0;
        return (nsec)json_number(question, "at", 0) * NSEC_PER_MSEC + deadline;
}

/* What something else asks about as well than `approval:` is not run for want of an answer. */
int question_on_timeout(const struct incident *incident, const struct remediation *remediation)
{
        _cleanup_json_ cJSON *question = NULL;
        int on_timeout = remediation->approval.on_timeout;
        if (on_timeout != ON_TIMEOUT_RUN)
                return on_timeout;
        bool may = read_asked(incident, &question, NULL) >= 0 && json_bool(question, "own", false) &&
                   json_number(question, "people", 1) < 2;
        return may ? ON_TIMEOUT_RUN : ON_TIMEOUT_ESCALATE;
}

bool question_is_answered(const struct incident *incident)
{
        _cleanup_json_ cJSON *question = NULL;
        /* Before there were questions, people alone approved. */
        if (!incident->approved || !incident->asked || !*incident->asked)
                return incident->approved;
        return read_asked(incident, &question, NULL) >= 0 &&
               cJSON_GetArraySize(json_get(question, "agreed", NULL)) >=
                       (int)json_number(question, "people", 1);
}

int question_show(const struct incident *incident, struct question_shown *ret, struct error *error)
{
        _cleanup_json_ cJSON *question = NULL;
        _cleanup_text_ struct text who = {0};
        const cJSON *one;
        int r = read_or_make(incident, &question, error);
        if (r < 0)
                return r;
        const cJSON *agreed = json_get(question, "agreed", NULL);
        cJSON_ArrayForEach(one, agreed)
        {
                const char *actor = json_string(one, "actor");
                text_printf(&who, "%s%s", who.length > 0 ? ", " : "", actor ? actor : "?");
        }
        *ret = (struct question_shown){.people = (int64_t)json_number(question, "people", 1),
                                       .agreed = cJSON_GetArraySize(agreed)};
        const char *plan = json_string(question, "plan");
        snprintf(ret->plan, sizeof(ret->plan), "%.*s", QUESTION_SHOWN, plan ? plan : "");
        ret->who = who.length > 0 ? text_take(&who) : strdup("");
        return ret->who ? 0 : error_oom(error);
}
