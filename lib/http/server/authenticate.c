/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: by a password, or by a client certificate. */
#include <errno.h>

#include "lib/http/server/internal.h"
#include "lib/http/server/secure.h"

static void deny_exchange(struct http_exchange *exchange)
{
        free(TAKE_PTR(exchange->user));
        http_refuse(exchange, MHD_HTTP_UNAUTHORIZED, "unauthorized");
}

void http_secure_decide(struct http_exchange *exchange)
{
        if (exchange->verdict == WEB_BUSY)
                http_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "too many sign in at once, try again");
        else if (exchange->verdict != WEB_ALLOWED)
                deny_exchange(exchange);
}

/* The verdict on a password; then MHD calls on_request() with the head once more. */
static void on_verdict(void *context, enum web_verdict verdict)
{
        struct http_exchange *exchange = context;
        struct http_ledger *ledger = exchange->ledger;
        pthread_mutex_lock(&ledger->lock);
        exchange->verdict = (int)verdict;
        MHD_resume_connection(exchange->connection);
        pthread_mutex_unlock(&ledger->lock);
}

/* By a client certificate, where there are no users. */
static void take_peer(struct http_exchange *exchange)
{
        const struct http_link *link = http_link_of(exchange->connection);
        if (link && link->peer.verified && link->peer.names.count > 0)
                exchange->user = strdup(link->peer.names.items[0]);
}

bool http_secure_ask(struct http_exchange *exchange)
{
        struct http_secure *secure = exchange->server->secure;
        _cleanup_secret_ struct text password = {0};
        http_secure_refresh(secure);
        const struct http_link *link = http_link_of(exchange->connection);
        if (secure->config->tls &&
            (!link || !link->config ||
             (link->config->settings.tls.client_auth == REQUIRE_VERIFIED && !link->peer.verified))) {
                http_refuse(exchange, MHD_HTTP_FORBIDDEN, "no certificate was verified");
                return true;
        }
        if (!web_config_has_users(secure->config)) {
                take_peer(exchange);
                return true;
        }
        int r = web_basic_parse(http_header(exchange, MHD_HTTP_HEADER_AUTHORIZATION), &exchange->user,
                                &password);
        if (r == 0 && exchange->route && !exchange->refusal && exchange->server->comes_otherwise &&
            exchange->server->comes_otherwise(exchange, exchange->server->context))
                return true;
        if (r <= 0) {
                if (r < 0)
                        http_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory, try again");
                else
                        deny_exchange(exchange);
                return true;
        }
        exchange->verdict =
                (int)web_checker_recall(secure->checker, secure->config, exchange->user, &password);
        if (exchange->verdict != WEB_UNKNOWN) {
                http_secure_decide(exchange);
                return true;
        }
        exchange->asking = true;
        http_hold(exchange);
        web_checker_check(secure->checker, secure->config, link ? link->place.peer : NULL, exchange->user,
                          &password, on_verdict, exchange);
        return false;
}

/* Somebody who waits for a verdict on what a form has said. */
struct form_check {
        void (*done)(void *context, enum http_password verdict);
        void *context;
};

static void on_form_verdict(void *context, enum web_verdict verdict)
{
        struct form_check *check = context;
        check->done(check->context, verdict == WEB_ALLOWED  ? HTTP_PASSWORD_RIGHT
                                    : verdict == WEB_DENIED ? HTTP_PASSWORD_WRONG
                                                            : HTTP_PASSWORD_BUSY);
        free(check);
}

void http_check_password(struct http_exchange *exchange, const char *user, const char *password,
                         void (*done)(void *context, enum http_password verdict), void *context)
{
        struct http_secure *secure = exchange->server->secure;
        const struct http_place *place = http_link_place(exchange->connection);
        _cleanup_secret_ struct text shown = {0};
        struct form_check *check = malloc(sizeof(*check));
        text_puts(&shown, password);
        if (!check || text_error(&shown) < 0 || !http_user_by_password(exchange)) {
                free(check);
                done(context, HTTP_PASSWORD_BUSY);
                return;
        }
        *check = (struct form_check){done, context};
        enum web_verdict verdict = web_checker_recall(secure->checker, secure->config, user, &shown);
        if (verdict != WEB_UNKNOWN)
                on_form_verdict(check, verdict);
        else
                web_checker_check(secure->checker, secure->config, place ? place->peer : NULL, user, &shown,
                                  on_form_verdict, check);
}

int http_password_mark(const struct http_exchange *exchange, const char *user,
                       char ret[static DIGEST_TEXT_MAX])
{
        const struct http_secure *secure = exchange->server->secure;
        const char *hash = secure ? config_map_get(&secure->config->settings.users, user) : NULL;
        unsigned char sum[DIGEST_SIZE];
        int r = hash ? digest_of(hash, strlen(hash), sum) : -ENOENT;
        if (r >= 0)
                digest_text(sum, ret);
        return r;
}

const char *http_user(const struct http_exchange *exchange)
{
        return exchange->user;
}

bool http_user_by_password(const struct http_exchange *exchange)
{
        const struct http_secure *secure = exchange->server->secure;
        return secure && web_config_has_users(secure->config);
}

void http_set_user(struct http_exchange *exchange, char *take)
{
        free(exchange->user);
        exchange->user = take;
}

bool http_user_is(const struct http_exchange *exchange, const char *name)
{
        const struct http_secure *secure = exchange->server->secure;
        const struct http_link *link = secure ? http_link_of(exchange->connection) : NULL;
        if (!exchange->user)
                return false;
        if (strcmp(exchange->user, name) == 0)
                return true;
        if (!link || !link->peer.verified || web_config_has_users(secure->config))
                return false;
        return config_strings_have(&link->peer.names, name);
}
