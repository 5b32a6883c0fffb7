/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting, the words before the handshake, and the handshake. */
#include "exporter/kinds/tls/handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "runbook/socket.h"
#include "runbook/trace.h"

const char *const tls_starts[] = {"none", "postgres", NULL};
tables_agree(tls_starts, TLS_STARTS + 1);

static void context_free_p(SSL_CTX **context)
{
        SSL_CTX_free(*context);
}

void tls_peer_release(struct tls_peer *peer)
{
        SSL_free(peer->ssl);
        close_p(&peer->fd);
        *peer = (struct tls_peer){.fd = -1};
}

/* The sentence of OpenSSL's last error on this thread, which is cleared. */
static const char *take_reason(void)
{
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());
        ERR_clear_error();
        return reason ? reason : "no reason given";
}

static int wait_for(int fd, short events, struct deadline deadline, struct error *error)
{
        int r = socket_wait(fd, events, deadline);
        if (r == -ETIMEDOUT)
                return error_set(error, ETIMEDOUT, "no answer in time");
        return r < 0 ? error_set_errno(error, -r, "the connection broke") : 0;
}

static int look_up(const struct tls_target *target, struct deadline deadline, struct addrinfo **ret,
                   struct error *error)
{
        const char *reason = NULL;
        int r = socket_resolve(target->host, target->port, deadline, ret, &reason);
        if (r == -ETIMEDOUT)
                return error_set(error, ETIMEDOUT, "%s: the name was not found in time", target->host);
        return r < 0 ? error_set(error, -r, "%s: %s", target->host, reason ? reason : error_reason(-r)) : 0;
}

/* Tries the host's addresses in the resolver's order. */
static int connect_any(const struct tls_target *target, struct deadline deadline, struct tls_peer *peer,
                       struct error *error)
{
        struct addrinfo *addresses = NULL;
        const struct addrinfo *at = NULL;
        int r = look_up(target, deadline, &addresses, error);
        if (r < 0)
                return r;
        r = socket_connect_any(addresses, deadline, &peer->fd, &at);
        if (r >= 0)
                getnameinfo(at->ai_addr, at->ai_addrlen, peer->address, sizeof(peer->address), NULL, 0,
                            NI_NUMERICHOST);
        freeaddrinfo(addresses);
        if (r == -ETIMEDOUT)
                return error_set(error, ETIMEDOUT, "no answer in time");
        return r < 0 ? error_set_errno(error, -r, "cannot connect") : 0;
}

/* The eight bytes fit into any socket's buffer, so that they go at once. The answer is one byte. */
static int start_postgres(int fd, struct deadline deadline, struct error *error)
{
        static const unsigned char request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
        char answer;
        if (send(fd, request, sizeof(request), MSG_NOSIGNAL) != (ssize_t)sizeof(request))
                return error_set(error, ECONNRESET, "the request for TLS could not be sent");
        int r = wait_for(fd, POLLIN, deadline, error);
        if (r < 0)
                return r;
        if (recv(fd, &answer, 1, 0) != 1)
                return error_set(error, ECONNRESET, "the server closed the connection instead of answering");
        if (answer == 'S')
                return 0;
        return error_set(error, EPROTO,
                         answer == 'N' ? "the server does not offer TLS"
                                       : "the server does not speak PostgreSQL's protocol");
}

/* Asks for no passphrase: there is nobody at the terminal. */
static int no_passphrase(char *buffer _unused_, int size _unused_, int writing _unused_, void *data _unused_)
{
        return 0;
}

static int make_context(const struct tls_options *tls, SSL_CTX **ret, struct error *error)
{
        _cleanup_(context_free_p) SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        if (!context)
                return error_oom(error);
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL); /* goes on; the result is asked for later */
        SSL_CTX_set_default_passwd_cb(context, no_passphrase);
        if (tls->ca_file ? SSL_CTX_load_verify_locations(context, tls->ca_file, NULL) != 1
                         : SSL_CTX_set_default_verify_paths(context) != 1)
                return error_set(error, EINVAL, "%s: %s", tls->ca_file ? tls->ca_file : "authorities",
                                 take_reason());
        if (tls->cert_file && SSL_CTX_use_certificate_chain_file(context, tls->cert_file) != 1)
                return error_set(error, EINVAL, "%s: %s", tls->cert_file, take_reason());
        if (tls->key_file && SSL_CTX_use_PrivateKey_file(context, tls->key_file, SSL_FILETYPE_PEM) != 1)
                return error_set(error, EINVAL, "%s: %s", tls->key_file, take_reason());
        *ret = TAKE_PTR(context);
        return 0;
}

/* SNI is for names alone (RFC 6066). */
static bool expect_name(SSL *ssl, const char *name)
{
        unsigned char binary[sizeof(struct in6_addr)];
        if (inet_pton(AF_INET, name, binary) == 1 || inet_pton(AF_INET6, name, binary) == 1)
                return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
        return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

static int shake_hands(struct tls_peer *peer, struct deadline deadline, struct error *error)
{
        for (;;) {
                ERR_clear_error();
                int r = SSL_connect(peer->ssl), why;

                if (r == 1)
                        return 0;
                why = SSL_get_error(peer->ssl, r);
                if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
                        return error_set(error, EPROTO, "TLS handshake: %s",
                                         ERR_peek_last_error() ? take_reason() : "the connection was closed");
                r = wait_for(peer->fd, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline, error);
                if (r < 0)
                        return error_prefix(error, r, "TLS handshake");
        }
}

int tls_connect(const struct tls_target *target, struct deadline deadline, struct tls_peer *ret,
                struct error *error)
{
        _cleanup_(tls_peer_release) struct tls_peer peer = {.fd = -1};
        _cleanup_(context_free_p) SSL_CTX *context = NULL;
        nsec begun;
        int r = make_context(target->tls, &context, error);
        if (r < 0)
                return r;
        trace_step(deadline, "connecting to %s, port %s", target->host, target->port);
        r = connect_any(target, deadline, &peer, error);
        if (r < 0)
                return r;
        trace_step(deadline, "connected to %s", peer.address);
        begun = clock_monotonic();
        if (target->start == TLS_START_POSTGRES) {
                trace_step(deadline, "asking for TLS as PostgreSQL's clients do");
                r = start_postgres(peer.fd, deadline, error);
                if (r < 0)
                        return r;
        }
        peer.ssl = SSL_new(context);
        if (!peer.ssl || SSL_set_fd(peer.ssl, peer.fd) != 1 || !expect_name(peer.ssl, target->server_name))
                return error_set(error, EINVAL, "TLS for %s: %s", target->server_name, take_reason());
        trace_step(deadline, "TLS handshake for %s", target->server_name);
        r = shake_hands(&peer, deadline, error);
        if (r < 0)
                return r;
        peer.handshake = clock_monotonic() - begun;
        long verdict = SSL_get_verify_result(peer.ssl);
        if (verdict != X509_V_OK)
                peer.refused = X509_verify_cert_error_string(verdict);
        trace_step(deadline, "%s, %s; the certificate is %s", SSL_get_version(peer.ssl),
                   SSL_get_cipher_name(peer.ssl), peer.refused ? peer.refused : "trusted");
        *ret = peer;
        peer = (struct tls_peer){.fd = -1};
        return 0;
}
