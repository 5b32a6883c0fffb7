/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS handshake to look at.
 *
 * It goes through whatever the certificates are like, so that one that has expired is still seen; whether
 * they are to be trusted is told apart from that.
 */
#ifndef EXPORTER_KINDS_TLS_HANDSHAKE_H
#define EXPORTER_KINDS_TLS_HANDSHAKE_H

#include <openssl/ssl.h>

#include "runbook/stream.h"

/* What is said before the handshake, by the word of the option. */
enum tls_start { TLS_START_NONE, TLS_START_POSTGRES, TLS_STARTS };
extern const char *const tls_starts[];

struct tls_target {
        const char *host, *port;
        const char *server_name; /* for SNI, and what the certificate must be for; a name or an address */
        enum tls_start start;
        const struct tls_options *tls;
};

/* `ret_duration` is how long the handshake took, with the words before it, from the connected socket on.
 * -ETIMEDOUT at the deadline, -ECONNREFUSED, -EPROTO when it is no TLS, … */
int tls_connect(const struct tls_target *target, struct deadline deadline, struct stream **ret,
                nsec *ret_duration, struct error *error);

#endif
