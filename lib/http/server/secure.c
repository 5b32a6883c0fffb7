/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server behind a web configuration: TLS put on each connection, callers asked who they are, and
 * the configuration read again when its files change. Everything here runs on the event thread, but for the
 * verdict on a password.
 */
#include <errno.h>

#include "lib/http/server/internal.h"
#include "lib/http/server/secure.h"
#include "runbook/log.h"

int http_secure_new(const char *path, bool must_authenticate, struct http_secure **ret, struct error *error)
{
        struct http_secure *secure = calloc(1, sizeof(*secure));

        if (!secure)
                return error_oom(error);
        secure->must_authenticate = must_authenticate;
        int r = web_config_load(path, &secure->config, error);
        if (r >= 0)
                r = web_checker_new(&secure->checker, error);
        if (r < 0) {
                http_secure_free(secure);
                return r;
        }
        memcpy(secure->tried, secure->config->stamps, sizeof(secure->tried));
        if (secure->config->http2_asked)
                log_event(LOG_INFO, "HTTP/2 is not served: http2 of the web configuration is of no matter",
                          "config", path, NULL);
        *ret = secure;
        return 0;
}

void http_secure_stop(struct http_secure *secure)
{
        if (secure)
                web_checker_stop(secure->checker);
}

struct http_secure *http_secure_free(struct http_secure *secure)
{
        if (!secure)
                return NULL;
        web_checker_free(secure->checker);
        web_config_unref(secure->config);
        free(secure);
        return NULL;
}

bool http_secure_has_tls(const struct http_secure *secure)
{
        return secure && secure->config->tls;
}

/* Whether a configuration that was read while the server runs may take the place of the present one. */
static int check_successor(const struct http_secure *secure, const struct web_config *next,
                           struct error *error)
{
        if (next->tls != secure->config->tls)
                return error_set(error, EBUSY, "TLS is only switched on or off by a restart");
        if (secure->must_authenticate && !web_config_authenticates(next))
                return error_set(error, EPERM,
                                 "without users or verified client certificates it would be open");
        return 0;
}

/* Reads the configuration again when one of its files has changed, and keeps it when that fails. */
void http_secure_refresh(struct http_secure *secure)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_(web_config_unref_p) struct web_config *next = NULL;
        struct web_config *present = secure->config;

        if (!web_stamps_differ(present->paths, secure->tried))
                return;
        web_stamps_take(present->paths, secure->tried);
        int r = web_config_load(present->paths[0], &next, &error);
        if (r >= 0)
                r = check_successor(secure, next, &error);
        if (r < 0) {
                log_event(LOG_ERROR, "The web configuration has changed and is not taken", "config",
                          present->paths[0], "reason", error_text(&error), NULL);
                return;
        }
        log_event(LOG_INFO, "The web configuration was read again", "config", present->paths[0], NULL);
        memcpy(secure->tried, next->stamps, sizeof(secure->tried));
        secure->config = TAKE_PTR(next);
        web_config_unref(present);
}

/* ---- connections ---- */

struct http_link *http_link_of(struct MHD_Connection *connection)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

        return info ? info->tls_session : NULL;
}

/* MHD has put its connection with the session. */
static int verify_peer(gnutls_session_t session)
{
        struct http_link *link = http_link_of(gnutls_session_get_ptr(session));

        return link && link->config ? web_tls_verify(link->config, session, &link->peer)
                                    : GNUTLS_E_INTERNAL_ERROR;
}

/*
 * MHD wants a certificate when it starts, and by this callback gets one from nobody: every session is given
 * its credentials in http_link_new(), and one that was not cannot shake hands.
 */
int http_secure_no_certificate(gnutls_session_t session _unused_, const gnutls_datum_t *authorities _unused_,
                               int count _unused_, const gnutls_pk_algorithm_t *algorithms _unused_,
                               int algorithm_count _unused_, gnutls_pcert_st **certificates _unused_,
                               unsigned *certificate_count _unused_, gnutls_privkey_t *key _unused_)
{
        return -1;
}

struct http_link *http_link_new(struct http_secure *secure, struct MHD_Connection *connection,
                                bool over_limit)
{
        if (!secure && !over_limit)
                return NULL;
        struct http_link *link = calloc(1, sizeof(*link));
        if (!link)
                return NULL;
        link->over_limit = over_limit;
        if (!http_secure_has_tls(secure))
                return link;
        http_secure_refresh(secure);
        gnutls_session_t session = session_of(connection);
        if (!session || web_tls_prepare(secure->config, session) < 0)
                return link; /* cannot shake hands */
        gnutls_session_set_verify_function(session, verify_peer);
        link->config = web_config_ref(secure->config);
        return link;
}

struct http_link *http_link_free(struct http_link *link)
{
        if (!link)
                return NULL;
        web_peer_release(&link->peer);
        web_config_unref(link->config);
        free(link);
        return NULL;
}

bool http_link_is_over_limit(struct MHD_Connection *connection)
{
        const struct http_link *link = http_link_of(connection);

        return link && link->over_limit;
}

/* ---- headers ---- */

void http_secure_put_headers(const struct http_secure *secure, struct MHD_Response *response)
{
        if (!secure)
                return;
        for (size_t i = 0; i < WEB_HEADERS; i++) {
                const char *value = secure->config->settings.http.headers[i], *present;

                if (!value || !*value)
                        continue;
                while ((present = MHD_get_response_header(response, web_header_names[i])))
                        if (MHD_del_response_header(response, web_header_names[i], present) != MHD_YES)
                                break;
                MHD_add_response_header(response, web_header_names[i], value);
        }
}
