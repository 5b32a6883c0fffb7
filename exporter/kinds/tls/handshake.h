/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS handshake to look at, by OpenSSL over a non-blocking socket.
 *
 * It goes through whatever the certificates are like, so that one that has expired is still seen; whether
 * they are to be trusted is told apart from that.
 */
#ifndef EXPORTER_KINDS_TLS_HANDSHAKE_H
#define EXPORTER_KINDS_TLS_HANDSHAKE_H

#include <openssl/ssl.h>

#include "exporter/kinds/shared/http_options.h"

/* What is said before the handshake, by the word of the option. */
enum tls_start { TLS_START_NONE, TLS_START_POSTGRES, TLS_STARTS };
extern const char *const tls_starts[];

struct tls_target {
        const char *host, *port;
        const char *server_name; /* for SNI, and what the certificate must be for; a name or an address */
        enum tls_start start;
        const struct tls_options *tls;
};

struct tls_peer {
        SSL *ssl;
        int fd;
        char address[64];    /* which of the host's it was */
        nsec handshake;      /* how long it took, from the connected socket on */
        const char *refused; /* why the certificates are not to be trusted; NULL when they are */
};

/* -ETIMEDOUT at the deadline, -ECONNREFUSED, -EPROTO when it is no TLS, …; else tls_peer_release() it. */
int tls_connect(const struct tls_target *target, struct deadline deadline, struct tls_peer *ret,
                struct error *error);
void tls_peer_release(struct tls_peer *peer);

#endif
