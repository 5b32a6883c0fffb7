/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder plan`: what each step would do right now about an alert; nothing is changed or kept. */
#include "responder/commands/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "responder/commands/plan_around.h"
#include "responder/incident/planning.h"
#include "responder/incident/question.h"
#include "responder/incident/verify.h"
#include "runbook/file.h"

#define ALERT_FILE_MOST ((size_t)16 * 1024 * 1024)
#define NO_INCIDENT "INC-0000-0000"
#define LOOK_TIMEOUT (10 * NSEC_PER_SEC)

static int read_file(const char *path, struct text *text, struct error *error)
{
        bool standard = string_equal(path, "-");
        _cleanup_close_ int opened = standard ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        if (!standard && opened < 0)
                return error_set_errno(error, errno, "cannot open %s", path);
        return file_read_rest(standard ? STDIN_FILENO : opened, path, ALERT_FILE_MOST, text, error);
}

/* One alert, or a webhook's list of them. */
static int read_alerts(const char *path, nsec now, struct alert **ret, size_t *ret_count, struct error *error)
{
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *json = NULL;
        int r = read_file(path, &text, error);
        if (r >= 0)
                r = error_prefix(
                        error,
                        json_parse_strict(text_string(&text), text.length, &json_answer_limits, &json, error),
                        "%s", path);
        if (r < 0)
                return r;
        const cJSON *list = json_get(json, "alerts", NULL);
        size_t count = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 1;
        struct alert *alerts = calloc(count + 1, sizeof(*alerts));
        if (!alerts)
                return error_oom(error);
        size_t done = 0;
        for (; r >= 0 && done < count; done += r >= 0)
                r = error_prefix(
                        error,
                        alert_from_labels(cJSON_IsArray(list) ? cJSON_GetArrayItem(list, (int)done) : json,
                                          now, &alerts[done], error),
                        "%s: alert %zu", path, done + 1);
        if (r < 0) {
                while (done-- > 0)
                        alert_release(&alerts[done]);
                free(alerts);
                return r;
        }
        *ret = alerts;
        *ret_count = count;
        return 0;
}

/* The alert that --label=NAME=VALUE makes. */
static int make_alert(const struct flag_strings *given, nsec now, struct alert **ret, size_t *ret_count,
                      struct error *error)
{
        _cleanup_json_ cJSON *json = remote_labels(given, error);
        if (!json)
                return -EINVAL;
        struct alert *alert = calloc(1, sizeof(*alert));
        if (!alert)
                return error_oom(error);
        int r = alert_from_labels(json, now, alert, error);
        if (r < 0) {
                free(alert);
                return error_prefix(error, r, "--label");
        }
        *ret = alert;
        *ret_count = 1;
        return 0;
}

/* What an alert or a neighbour says stays within its line. */
static void put_said(struct text *text, const char *said)
{
        text_put_line(text, said ? said : "", SIZE_MAX);
}

static void put_sentence(struct text *text, const char *before, const char *said, const char *after)
{
        text_puts(text, before);
        put_said(text, said);
        text_puts(text, after);
}

static void put_indent(struct text *text, unsigned depth)
{
        for (unsigned i = 0; i < depth; i++)
                text_puts(text, "  ");
}

static bool is_leaf(const cJSON *json)
{
        return !cJSON_IsObject(json) && !cJSON_IsArray(json);
}

static void put_leaf(struct text *text, const cJSON *json)
{
        if (cJSON_IsString(json))
                put_said(text, json->valuestring);
        else if (cJSON_IsNumber(json))
                text_put_double(text, json->valuedouble);
        else
                text_puts(text, cJSON_IsTrue(json) ? "yes" : cJSON_IsFalse(json) ? "no" : "none");
}

/* The members of a list element on one line when they are all plain: "name=mcp-server id=4f…". */
static bool put_row(struct text *text, const cJSON *object)
{
        const cJSON *member;
        cJSON_ArrayForEach(member, object)
        {
                if (!is_leaf(member))
                        return false;
        }
        cJSON_ArrayForEach(member, object)
        {
                if (member != object->child)
                        text_puts(text, " ");
                put_said(text, member->string);
                text_putc(text, '=');
                put_leaf(text, member);
        }
        return true;
}

/* What the plan holds beyond its summary, for reading. */
static void put_details(struct text *text, const cJSON *object, unsigned depth)
{
        const cJSON *member;
        cJSON_ArrayForEach(member, object)
        {
                if (member->string &&
                    (string_equal(member->string, "summary") || string_equal(member->string, "targets")))
                        continue;
                put_indent(text, depth);
                put_said(text, member->string);
                text_puts(text, member->string ? ": " : "- ");
                if (is_leaf(member)) {
                        put_leaf(text, member);
                        text_puts(text, "\n");
                } else if (!member->child) {
                        text_puts(text, "none\n");
                } else if (!member->string && cJSON_IsObject(member) && put_row(text, member)) {
                        text_puts(text, "\n");
                } else {
                        text_puts(text, "\n");
                        put_details(text, member, depth + 1);
                }
        }
}

/* What is asked afterwards, asked now: whether it can be, and what it says before anything was done. */
static void put_verification(struct text *text, const struct remediation *remediation,
                             const struct alert *alert, const struct world *world)
{
        const struct verification *verify = &remediation->verify;
        _cleanup_error_ struct error error = {0};
        struct alert_bindings bindings;
        struct verify_answer answer;
        char within[DURATION_TEXT_MAX];
        if (!verify_wanted(verify))
                return;
        alert_bindings_init(&bindings, alert, NO_INCIDENT);
        int r = verify_ask(verify, &bindings.bindings, world, TARGETS_ANY_AGE,
                           world_deadline(world, LOOK_TIMEOUT), &answer, &error);
        text_printf(text, "  then the %s%s must %s within %s; ", verify->check ? "check " : "query",
                    verify->check ? verify->check : "", verify->check ? "succeed" : "hold",
                    duration_format(verify->within, within));
        if (r < 0)
                put_sentence(text, r == -ENODATA ? "it has no answer now: " : "it cannot be asked now: ",
                             error_text(&error), "\n");
        else if (verify->check)
                text_printf(text, "now it %s\n", answer.holds ? "succeeds" : "fails");
        else if (answer.holds)
                text_printf(text, "now it holds, with %g\n", answer.value);
        else
                text_puts(text, "now it does not hold\n");
}

static void put_plans(struct text *text, const struct remediation *remediation, const struct alert *alert,
                      const struct world *world, const struct planning *planning)
{
        const cJSON *item;
        cJSON_ArrayForEach(item, planning->plans)
        {
                const cJSON *plan = json_get(item, "plan", NULL);
                text_printf(text, "  %.0f. %s (%s)\n", json_number(item, "step", 0),
                            json_string(item, "action"), json_string(item, "effect"));
                put_indent(text, 3);
                if (plan) {
                        put_sentence(text, "", json_string(plan, "summary"), "\n");
                        put_details(text, plan, 4);
                } else {
                        text_puts(text, json_bool(item, "essential", true) ? "" : "not essential, and ");
                        put_sentence(text, "cannot be planned: ", json_string(item, "error"), "\n");
                }
        }
        put_verification(text, remediation, alert, world);
        if (planning->failure)
                put_sentence(text, "  It would not run: ", planning->failure, ".\n");
        else if (planning->stops)
                put_sentence(text, "  It would end there, and call a person: ", planning->stops, ".\n");
        if (planning->failure)
                return;
        if (planning->asks)
                put_sentence(text, "  It would ask a person first: ", planning->asks, ".\n");
}

static cJSON *planning_json(const struct alert *alert, const struct remediation *remediation,
                            struct planning *planning)
{
        cJSON *json = cJSON_CreateObject();
        if (!json)
                return NULL;
        json_put(json, "remediation", cJSON_CreateString(remediation->name));
        json_put(json, "fingerprint", cJSON_CreateString(alert->fingerprint ? alert->fingerprint : ""));
        json_put(json, "plans", TAKE_PTR(planning->plans));
        json_put(json, "failure", json_text(planning->failure));
        json_put(json, "stops", json_text(planning->stops));
        json_put(json, "asks", json_text(planning->asks));
        return json;
}

/* What is gathered over all alerts and remediations. */
struct answer {
        struct text *text;
        cJSON *list;           /* NULL: for a person */
        struct remote *remote; /* whose guards are asked; NULL: nobody's */
        size_t matches, failures;
};

static int plan_alert(const struct remediation_set *set, const struct alert *alert, const struct world *world,
                      struct answer *answer, struct error *error)
{
        const char *name = alert_label(alert, "alertname");
        const size_t before = answer->matches;
        for (size_t i = 0; i < set->count; i++) {
                const struct remediation *remediation = &set->remediations[i];
                if (!remediation_answers(remediation, &alert->labels))
                        continue;
                struct planning planning = {0};
                int r = planning_make(remediation, NULL, alert, NO_INCIDENT, world, &planning, error);
                if (r >= 0 && !planning.asks)
                        r = question_needed(remediation, set, planning.plans, remediation->name,
                                            world_wall(world), NULL, &planning.asks, error);
                if (r < 0)
                        return r;
                answer->failures += planning.failure || planning.stops;
                _cleanup_json_ cJSON *guards = plan_ask_guards(answer->remote, remediation->name, alert);
                if (answer->list) {
                        cJSON *item = planning_json(alert, remediation, &planning);
                        json_put(item, "guards", TAKE_PTR(guards));
                        (void)json_append(answer->list, item);
                } else {
                        put_sentence(answer->text, answer->matches > 0 ? "\n" : "", name ? name : "The alert",
                                     " sets off ");
                        text_printf(answer->text, "%s:\n", remediation->name);
                        put_plans(answer->text, remediation, alert, world, &planning);
                        plan_put_guards(guards, answer->text);
                }
                answer->matches++;
                planning_release(&planning);
        }
        if (answer->list && answer->matches == before)
                for (size_t i = 0; i < set->count; i++)
                        (void)json_append(answer->list, plan_refused_json(&set->remediations[i], alert));
        if (answer->list)
                return 0;
        text_puts(answer->text, answer->text->length > 0 ? "\n" : "");
        return plan_put_refused(set, alert, answer->text, error);
}

int plan_check(const struct responder_arguments *arguments, struct error *error)
{
        if ((arguments->labels.count > 0) != (arguments->alert != NULL))
                return 0;
        return error_set(error, EINVAL,
                         "plan needs --label=NAME=VALUE, as often as there are labels, or --alert=FILE");
}

static int get_alerts(const struct responder_arguments *arguments, nsec now, struct alert **ret,
                      size_t *ret_count, struct error *error)
{
        return arguments->labels.count > 0 ? make_alert(&arguments->labels, now, ret, ret_count, error)
                                           : read_alerts(arguments->alert, now, ret, ret_count, error);
}

int plan_command(const struct remediation_set *set, const struct world *world,
                 const struct responder_arguments *arguments, struct text *text, struct error *error)
{
        const bool as_json = arguments->json;
        struct alert *alerts = NULL;
        size_t count = 0;
        _cleanup_remote_ struct remote *remote = NULL;
        int r = remote_open(arguments, &remote, error);
        if (r >= 0)
                r = get_alerts(arguments, world_wall(world), &alerts, &count, error);
        if (r < 0)
                return r;
        _cleanup_json_ cJSON *list = as_json ? cJSON_CreateArray() : NULL;
        struct answer answer = {.text = text, .list = list, .remote = remote};
        if (as_json && !list)
                r = error_oom(error);
        for (size_t i = 0; r >= 0 && i < count; i++)
                r = plan_alert(set, &alerts[i], world, &answer, error);
        for (size_t i = 0; i < count; i++)
                alert_release(&alerts[i]);
        free(alerts);
        if (r < 0)
                return r;

        if (list) {
                _cleanup_free_ char *printed = json_print(list);
                if (!printed)
                        return error_oom(error);
                text_printf(text, "%s\n", printed);
        }
        if (answer.matches == 0)
                return error_set(error, ENOENT, "no remediation matches");
        if (answer.failures > 0)
                return error_set(error, ECANCELED, "not every step can be planned");
        return text_error(text) < 0 ? error_oom(error) : 0;
}
