/* SPDX-License-Identifier: Apache-2.0 */
/* Who may reach the responder, and who of them may operate it. */
#include <errno.h>

#include "responder/web/internal.h"
#include "runbook/log.h"
#include "runbook/web_config.h"

/* The next name of "name,name"; NULL when out of memory. */
static char *take_name(const char **at)
{
        size_t length = strcspn(*at, ",");
        char *name = strndup(*at, length);
        *at += length + ((*at)[length] == ',');
        return name;
}

/* Everybody who is named must be somebody whose password or certificate can be checked. */
static int check_names(const char *flag, const char *names, const struct web_config *web, struct error *error)
{
        if (names && !web_config_authenticates(web))
                return error_set(error, EINVAL,
                                 "--%s needs users or verified client certificates in --web.config.file: "
                                 "nobody could be told from anybody else",
                                 flag);
        for (const char *at = names; at && *at;) {
                _cleanup_free_ char *name = take_name(&at);
                if (!name)
                        return error_oom(error);
                if (!*name || (web_config_has_users(web) && !web_config_has_user(web, name)))
                        return error_set(error, EINVAL, "--%s: there is no user \"%s\" in --web.config.file",
                                         flag, name);
        }
        return 0;
}

/* The first address that others than this machine reach; NULL stays when there is none. */
static int find_open_address(const char *const *addresses, const char **ret, struct error *error)
{
        for (size_t i = 0; addresses[i]; i++) {
                bool loopback = false;
                int r = http_address_is_loopback(addresses[i], &loopback, error);
                if (r < 0)
                        return r;
                if (!loopback && !*ret)
                        *ret = addresses[i];
        }
        return 0;
}

/* Who has to say who he is by the web configuration alone may do what these flags let him do. */
static void warn_of_nobody(const struct api_options *api)
{
        if (!api->operators)
                log_event(LOG_WARN,
                          "Nobody may approve, deny, cancel, undo, pause or resume: --web.operators names "
                          "nobody",
                          NULL);
        if (!api->senders)
                log_event(LOG_WARN, "Nobody may send alerts: --web.senders names nobody", NULL);
}

int api_check_access(struct api_options *api, struct error *error)
{
        _cleanup_(web_config_unref_p) struct web_config *web = NULL;
        const char *open_to_all = NULL;
        int r = find_open_address(api->listen_addresses, &open_to_all, error);
        if (r >= 0 && api->web_config_file)
                r = web_config_load(api->web_config_file, &web, error);
        if (r >= 0)
                r = check_names("web.operators", api->operators, web, error);
        if (r >= 0)
                r = check_names("web.senders", api->senders, web, error);
        if (r < 0)
                return r;
        api->must_authenticate = web_config_authenticates(web);
        if (open_to_all && !api->must_authenticate)
                return error_set(
                        error, EPERM,
                        "refuses to listen on %s without authentication: name users or verified client "
                        "certificates in --web.config.file, or listen on 127.0.0.1:9878",
                        open_to_all);
        if (api->must_authenticate && api->anybody_local_may_act)
                return error_set(
                        error, EINVAL,
                        "--web.anybody-local-may-act gives up what --web.config.file asks for: leave one of "
                        "them out");
        if (api->must_authenticate)
                warn_of_nobody(api);
        if (api->anybody_local_may_act)
                log_event(LOG_WARN,
                          "Every process on this machine may send alerts and decide: "
                          "--web.anybody-local-may-act",
                          NULL);
        return 0;
}

/* A set of roles, as one bit each. */
#define AS(role) (1U << (role))
enum { EVERYBODY = AS(ROLE_COUNT) - 1 };

/* Which roles may use a route, and what others are told. */
static const struct {
        unsigned roles;
        const char *refusal;
} rights[] = {
        [RIGHT_NONE] = {EVERYBODY, ""},
        [RIGHT_ASSET] = {EVERYBODY, ""},
        [RIGHT_READ] = {AS(ROLE_READER) | AS(ROLE_OPERATOR) | AS(ROLE_ADMIN),
                        "whoever sends alerts does not read: show the token of a reader"},
        [RIGHT_SEND] = {AS(ROLE_SENDER),
                        "alerts are taken from who shows the token in the file \"alerts\", or is named by "
                        "--web.senders"},
        [RIGHT_OPERATE] =
                {AS(ROLE_OPERATOR) | AS(ROLE_ADMIN),
                 "decisions are taken from who shows the token in the file \"operator\", comes over the "
                 "operators' unix socket, or is named by --web.operators"},
        [RIGHT_ADMINISTER] = {AS(ROLE_ADMIN),
                              "reloads are for who shows the token in the file \"admin\", comes "
                              "over the operators' unix socket, or is named by --web.operators"},
};
tables_agree(rights, RIGHT_COUNT);

/* -ENOMEM */
static int is_named(const struct http_exchange *exchange, const char *names)
{
        for (const char *at = names; at && *at;) {
                _cleanup_free_ char *name = take_name(&at);
                if (!name)
                        return -ENOMEM;
                if (*name && http_user_is(exchange, name))
                        return 1;
        }
        return 0;
}

/* Who it is, as the timeline has it. A decision without it would be of whom its body names. */
static int name_user(struct http_exchange *exchange, char *take)
{
        http_set_user(exchange, take);
        return take ? 0 : -ENOMEM;
}

/* By a password or a certificate, which the server has checked. */
static int roles_of_named(const struct api *api, struct http_exchange *exchange, unsigned *ret)
{
        const char *user = http_user(exchange);
        unsigned roles = AS(ROLE_READER);
        int operates = is_named(exchange, api->options.operators);
        int sends = is_named(exchange, api->options.senders);
        if (operates < 0 || sends < 0)
                return -ENOMEM;
        if (operates)
                roles |= AS(ROLE_OPERATOR) | AS(ROLE_ADMIN);
        if (sends)
                roles = roles == AS(ROLE_READER) ? AS(ROLE_SENDER) : roles | AS(ROLE_SENDER);
        *ret = roles;
        if (!user)
                return 0;
        return name_user(exchange, http_user_by_password(exchange) ? text_format("%s (password)", user)
                                                                   : text_format("certificate %s", user));
}

/* Whoever could open the socket: the kernel says who it is. */
static int roles_of_local_user(struct http_exchange *exchange, uid_t uid, unsigned *ret)
{
        *ret = EVERYBODY;
        return name_user(exchange, text_format(LOCAL_USER "%u", uid));
}

/* By a token. -EACCES: one was shown, and it is nobody's. */
static int roles_of_token(const struct api *api, struct http_exchange *exchange, unsigned *ret)
{
        static const char scheme[] = "Bearer ";
        const char *shown = http_header(exchange, "Authorization");
        enum web_role role;
        *ret = AS(ROLE_READER);
        if (!shown || strncasecmp(shown, scheme, strlen(scheme)) != 0)
                return 0;
        shown += strlen(scheme);
        int r = tokens_find(api->tokens, shown + strspn(shown, " "), &role);
        if (r <= 0)
                return r < 0 ? r : -EACCES;
        *ret = AS(role);
        return name_user(exchange, text_format("token %s", role_name(role)));
}

static int mark_of(const void *context, const char *user, char ret[static DIGEST_TEXT_MAX])
{
        return http_password_mark(context, user, ret);
}

static int find_session(const struct api *api, const struct http_exchange *exchange, struct session *ret)
{
        const struct session_proofs proofs = {api->tokens, mark_of, exchange};
        return session_find(api->sessions, &proofs, http_header(exchange, "Cookie"), clock_monotonic(), ret);
}

/* By the cookie that the login page gave: for pages and forms, whose forms are shown to be ours. 1; 0: there
 * is none. */
static int roles_of_session(const struct api *api, struct http_exchange *exchange, struct api_caller *caller,
                            unsigned *ret)
{
        int r = find_session(api, exchange, &caller->session);
        if (r <= 0)
                return r;
        caller->signed_in = true;
        if (caller->session.role == ROLE_COUNT) {
                r = name_user(exchange, strdup(caller->session.name));
                if (r >= 0)
                        r = roles_of_named(api, exchange, ret);
                return r < 0 ? r : 1;
        }
        *ret = AS(caller->session.role);
        r = name_user(exchange, text_format("token %s", role_name(caller->session.role)));
        return r < 0 ? r : 1;
}

/* What whoever answers has to know of who asks. A form's token is for whom it was shown to: by his session,
 * or by what he is known by. */
static void keep_caller(const struct api *api, struct http_exchange *exchange,
                        const struct api_caller *caller)
{
        struct api_caller *kept = malloc(sizeof(*kept));
        size_t length = 0;
        const char *cookie =
                caller->signed_in ? session_cookie(http_header(exchange, "Cookie"), &length) : NULL;
        const char *user = http_user(exchange), *origin = http_header(exchange, "Origin");
        _cleanup_free_ char *whom = cookie ? text_format("session %.*s", (int)length, cookie)
                                           : text_format("user %s", user ? user : "");
        if (!kept)
                return;
        *kept = *caller;
        kept->secure = origin && string_starts(origin, "https://");
        if (!whom || session_form_token(api->sessions, whom, kept->form_token) < 0)
                *kept->form_token = '\0';
        http_keep(exchange, kept);
}

static bool is_for_people(const struct api_route *route)
{
        return route->shows || route->form || route->for_people;
}

bool api_comes_otherwise(struct http_exchange *exchange, void *context)
{
        const struct api *api = context;
        const struct api_route *route = http_route_data(exchange);
        const char *accepts = http_header(exchange, "Accept");
        struct session session;
        if (route->login || route->right == RIGHT_ASSET)
                return true;
        if (!is_for_people(route))
                return false;
        /* A browser is led to the login page; whatever else asks is asked for a password, as ever. */
        return find_session(api, exchange, &session) > 0 ||
               (route->shows && accepts && strstr(accepts, "text/html"));
}

bool api_must_sign_in(const struct api *api, const struct http_exchange *exchange)
{
        const struct api_route *route = http_route_data(exchange);
        return api->options.must_authenticate && http_user_by_password(exchange) && !http_user(exchange) &&
               !route->login;
}

/* Of who has shown no password: he has signed in, or is led to where one does. */
static int roles_of_unnamed(const struct api *api, struct http_exchange *exchange, struct api_caller *caller,
                            unsigned *ret)
{
        *ret = AS(ROLE_READER);
        return is_for_people(http_route_data(exchange)) ? roles_of_session(api, exchange, caller, ret) : 0;
}

bool api_may_decide(const struct api_caller *caller)
{
        return caller->roles & rights[RIGHT_OPERATE].roles;
}

struct http_refusal api_admit(struct http_exchange *exchange, void *context)
{
        const struct api *api = context;
        const struct api_route *route = http_route_data(exchange);
        const bool for_people = is_for_people(route);
        struct api_caller caller = {0};
        unsigned roles = EVERYBODY;
        uid_t uid;
        int r = 0;
        if (api->options.must_authenticate && http_user_by_password(exchange) && !http_user(exchange))
                r = roles_of_unnamed(api, exchange, &caller, &roles);
        else if (api->options.must_authenticate)
                r = roles_of_named(api, exchange, &roles);
        else if (http_peer_uid(exchange, &uid))
                r = roles_of_local_user(exchange, uid, &roles);
        else if (api->options.anybody_local_may_act)
                roles = EVERYBODY;
        else if (!for_people || (r = roles_of_session(api, exchange, &caller, &roles)) == 0)
                r = roles_of_token(api, exchange, &roles);
        if (route->right > RIGHT_ASSET && r == -EACCES)
                return (struct http_refusal){401, "this token is nobody's"};
        /* Not the sender's fault: an alert that is refused for good is lost. */
        if (route->right > RIGHT_ASSET && r < 0)
                return (struct http_refusal){503, "who this is cannot be known now, try again"};
        caller.roles = r < 0 ? 0 : roles;
        caller.passwords = api->options.must_authenticate && http_user_by_password(exchange);
        if (for_people)
                keep_caller(api, exchange, &caller);
        if (route->right <= RIGHT_ASSET || roles & rights[route->right].roles)
                return (struct http_refusal){0};
        /* Who has shown nothing may come again with something; who has is known, and may not. */
        return (struct http_refusal){http_user(exchange) ? 403 : 401, rights[route->right].refusal};
}
