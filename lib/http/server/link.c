/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection keeps for as long as it is open: the TLS it was made with, and its peer's certificate. */
#include "lib/http/server/internal.h"
#include "lib/http/server/secure.h"

/* From 1.0 on libmicrohttpd puts every answer into one place of the connection's, so that one is gone with
 * the next question: each is taken out at once, here and nowhere else. */
static union MHD_ConnectionInfo info_of(struct MHD_Connection *connection, enum MHD_ConnectionInfoType what)
{
        const union MHD_ConnectionInfo none = {0}, *info = MHD_get_connection_info(connection, what);
        return info ? *info : none;
}

const struct sockaddr *http_connection_address(struct MHD_Connection *connection)
{
        return info_of(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS).client_addr;
}

int http_connection_fd(struct MHD_Connection *connection)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        return info ? info->connect_fd : -1;
}

size_t http_connection_head_size(struct MHD_Connection *connection)
{
        return info_of(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE).header_size;
}

struct http_link *http_link_of(struct MHD_Connection *connection)
{
        return info_of(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT).socket_context;
}

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
        return info_of(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION).tls_session;
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

static void take_place(struct http_link *link, struct http_places *places, struct MHD_Connection *connection)
{
        http_places_enter(places, &link->place, http_connection_fd(connection),
                          http_connection_address(connection), clock_monotonic());
}

struct http_link *http_link_new(struct http_secure *secure, struct http_places *places,
                                struct MHD_Connection *connection)
{
        struct http_link *link = calloc(1, sizeof(*link));
        if (!link)
                return NULL;
        take_place(link, places, connection);
        if (!secure || !secure->config->tls)
                return link;
        http_secure_refresh(secure);
        gnutls_session_t session = session_of(connection);
        if (!session || web_tls_prepare(secure->config, session) < 0)
                return link; /* cannot shake hands */
        gnutls_session_set_verify_function(session, verify_peer);
        link->config = web_config_ref(secure->config);
        return link;
}

struct http_link *http_link_free(struct http_link *link, struct http_places *places)
{
        if (!link)
                return NULL;
        http_places_leave(places, &link->place);
        web_peer_release(&link->peer);
        web_config_unref(link->config);
        free(link);
        return NULL;
}

struct http_place *http_link_place(struct MHD_Connection *connection)
{
        struct http_link *link = http_link_of(connection);
        return link ? &link->place : NULL;
}

void http_connection_patience(struct MHD_Connection *connection, nsec patience)
{
        MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, http_seconds(patience));
}

void http_hold(struct http_exchange *exchange)
{
        struct http_place *place = http_link_place(exchange->connection);
        if (place)
                place->held = true;
        MHD_suspend_connection(exchange->connection);
}
