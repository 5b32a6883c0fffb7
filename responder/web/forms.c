/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages' forms send. They go through the very functions of the engine that the API's posts go
 * through. */
#include "responder/web/forms.h"

#include <errno.h>

#include "responder/web/internal.h"
#include "runbook/log.h"
#include "runbook/utf8.h"

/* That the form is one of ours, which was shown to whoever sends it. */
static int check_form(const struct visit *visit, struct error *error)
{
        _cleanup_free_ char *token = http_form_value(visit->exchange, FIELD_TOKEN);
        if (token && *visit->form_token && session_same(token, visit->form_token))
                return 0;
        return error_set(
                error, EACCES,
                "This form is not of this session: it has ended, or the responder was restarted. Sign in, "
                "and look again.");
}

/* A page of ours, and of nobody else: "//elsewhere" is none. */
static bool is_own_path(const char *path)
{
        return path && path[0] == '/' && path[1] != '/' &&
               path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_")] ==
                       '\0';
}

static void set_cookie(const struct visit *visit, const char *value, nsec life)
{
        const struct api_caller *caller = http_kept(visit->exchange);
        http_set_header(visit->exchange, "Set-Cookie",
                        text_format(SESSION_COOKIE "=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
                                    value, (long long)(life / NSEC_PER_SEC),
                                    caller && caller->secure ? "; Secure" : ""));
}

static void refuse_login(const struct visit *visit, unsigned status, const char *why)
{
        struct visit again = *visit;
        again.complaint = why;
        again.status = status;
        page_login(&again);
}

/* Whose token it is, or that the password is right; 0: it is refused, and the visit answered. */
static int find_role(const struct api *api, const struct visit *visit, const char *token, enum web_role *ret)
{
        const struct api_caller *caller = http_kept(visit->exchange);
        if (caller && caller->passwords) {
                /* As it was: with the answer the caller goes. */
                const int verdict = caller->verdict;
                *ret = ROLE_COUNT;
                if (verdict == HTTP_PASSWORD_RIGHT)
                        return 1;
                refuse_login(visit, verdict == HTTP_PASSWORD_BUSY ? 503 : 401,
                             verdict == HTTP_PASSWORD_BUSY ? "Too many sign in at once: please try again."
                                                           : "Name or password is not right.");
                return 0;
        }
        int r = token && api->tokens ? tokens_find(api->tokens, token, ret) : 0;
        if (r < 0)
                refuse_login(visit, 503, "Whose token this is cannot be known now: please try again.");
        else if (r == 0)
                refuse_login(visit, 401, "This token is nobody's.");
        else if (*ret == ROLE_SENDER)
                refuse_login(visit, 401, "This token is Alertmanager's: it sends alerts, and reads nothing.");
        else
                return 1;
        return 0;
}

/* As it was when the password was checked. */
static int mark_of(const void *context, const char *user _unused_, char ret[static DIGEST_TEXT_MAX])
{
        const struct api_caller *caller = context;
        memcpy(ret, caller->mark, DIGEST_TEXT_MAX);
        return *caller->mark ? 0 : -ENOENT;
}

static void sign_in(const struct api *api, const struct visit *visit, const struct session *session)
{
        const struct session_proofs proofs = {api->tokens, mark_of, http_kept(visit->exchange)};
        _cleanup_free_ char *next = http_form_value(visit->exchange, FIELD_NEXT);
        _cleanup_free_ char *cookie = session_make(api->sessions, &proofs, session, clock_monotonic());
        if (!cookie) {
                refuse_login(visit, 503, "That did not work: please try again.");
                return;
        }
        log_event(LOG_INFO, "Signed in", "by", session->name, "role",
                  session->role == ROLE_COUNT ? "by password" : role_name(session->role), NULL);
        set_cookie(visit, cookie, SESSION_LIFE);
        http_reply_elsewhere(visit->exchange, is_own_path(next) ? next : "/");
}

void form_login(struct api *api, const struct visit *visit)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *name = http_form_value(visit->exchange, FIELD_NAME);
        _cleanup_free_ char *token = http_form_value(visit->exchange, FIELD_SECRET);
        struct session session = {0};
        if (check_form(visit, &error) < 0)
                refuse_login(visit, 401, "This page was too old: please try again.");
        else if (!name || !api_is_name(name))
                refuse_login(visit, 401, "Say who you are, in at most 100 bytes.");
        else if (find_role(api, visit, token, &session.role) > 0) {
                memcpy(session.name, name, strlen(name) + 1);
                sign_in(api, visit, &session);
        }
}

void form_logout(struct api *api _unused_, const struct visit *visit)
{
        _cleanup_error_ struct error error = {0};
        if (check_form(visit, &error) < 0) {
                page_fail(visit, -EACCES, &error);
                return;
        }
        set_cookie(visit, "", 0);
        http_reply_elsewhere(visit->exchange, "/");
}

static const enum decision decisions[ACT_COUNT] = {
        [ACT_APPROVE] = DECISION_APPROVE,     [ACT_DENY] = DECISION_DENY,     [ACT_CANCEL] = DECISION_CANCEL,
        [ACT_UNDO] = DECISION_UNDO,           [ACT_ACK] = DECISION_ACK,       [ACT_TAKE] = DECISION_TAKE,
        [ACT_GIVE_BACK] = DECISION_GIVE_BACK, [ACT_RESEND] = DECISION_RESEND,
};

/* For the labels of the incident, without those that say by whom it was begun. */
static int run_again(struct api *api, const struct visit *visit, const char *actor, const char *reason,
                     char **ret_number, struct error *error)
{
        struct incident incident = {0};
        int r = journal_find(visit->parts->journal, http_path_parameter(visit->exchange), &incident, error);
        if (r >= 0 && (incident.unreadable || incident.ended_at == 0))
                r = error_set(error, ESTALE, "%s has not ended: it is not run again yet.", incident.number);
        if (r >= 0) {
                _cleanup_json_ cJSON *labels = cJSON_CreateObject();
                for (size_t i = 0; i < incident.alert.labels.count; i++) {
                        const char *name = incident.alert.labels.keys[i];
                        if (!string_equal(name, ALERT_LABEL_RUN) &&
                            !string_equal(name, ALERT_LABEL_REMEDIATION))
                                json_put(labels, name, cJSON_CreateString(incident.alert.labels.values[i]));
                }
                r = api_begin_by_hand(api, incident.remediation, labels, actor, reason, ret_number, error);
        }
        incident_release(&incident);
        return r;
}

static int maintain(struct api *api, const struct visit *visit, const char *actor, const char *reason,
                    struct error *error)
{
        _cleanup_free_ char *text = http_form_value(visit->exchange, FIELD_FOR);
        nsec duration = 0;
        int r = visit->act == ACT_MAINTAIN ? api_read_maintenance(text, &duration, error) : 0;
        return r < 0 ? r : engine_set_maintenance(api->options.engine, duration, actor, reason, error);
}

static int act(struct api *api, const struct visit *visit, char **ret_number, struct error *error)
{
        _cleanup_free_ char *by = http_form_value(visit->exchange, FIELD_NAME);
        _cleanup_free_ char *reason = http_form_value(visit->exchange, FIELD_REASON);
        _cleanup_free_ char *plan = http_form_value(visit->exchange, FIELD_PLAN);
        _cleanup_free_ char *actor = NULL;
        const struct api_caller *caller = http_kept(visit->exchange);
        if (!visit->may_decide)
                return error_set(error, EACCES, "Sign in with the operator's token first.");
        int r = check_form(visit, error);
        if (r >= 0)
                r = api_name_actor(visit->exchange, caller->signed_in ? caller->session.name : by, &actor,
                                   error);
        if (r >= 0 && reason && (strlen(reason) > REASON_MOST || !utf8_valid(reason)))
                r = error_set(error, EINVAL, "Say why in at most %d bytes of UTF-8.", REASON_MOST);
        if (r < 0)
                return r;
        if (visit->act == ACT_APPROVE)
                return engine_approve(api->options.engine, http_path_parameter(visit->exchange), actor,
                                      reason, plan, error);
        if (visit->act == ACT_MAINTAIN || visit->act == ACT_END_MAINTENANCE)
                return maintain(api, visit, actor, reason, error);
        if (visit->act == ACT_RUN)
                return run_again(api, visit, actor, reason, ret_number, error);
        return visit->act >= ACT_PAUSE
                       ? engine_pause(api->options.engine, visit->act == ACT_PAUSE, actor, reason, error)
                       : engine_decide(api->options.engine, decisions[visit->act],
                                       http_path_parameter(visit->exchange), actor, reason, error);
}

void form_act(struct api *api, const struct visit *visit)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *begun = NULL;
        int r = act(api, visit, &begun, &error);
        if (r < 0) {
                page_fail(visit, r, &error);
                return;
        }
        _cleanup_free_ char *path =
                visit->act >= ACT_PAUSE
                        ? strdup("/")
                        : text_format("/incidents/%s", begun ? begun : http_path_parameter(visit->exchange));
        http_reply_elsewhere(visit->exchange, path ? path : "/");
}
