/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a server by TCP or a unix socket, with TLS or without, and one deadline for all of it.
 *
 * One thread at a time. Errors are a negative errno and a sentence that names the peer; -ETIMEDOUT is the
 * deadline's, and after any of them stream_close() is all that is left to do. TLS needs SIGPIPE ignored,
 * which http_client_init() does.
 *
 * lib/stream is for protocols that we speak by ourselves because their library would connect, wait or
 * encrypt in its own way or not at all. It uses lib/base and lib/config.
 */
#ifndef RUNBOOK_STREAM_H
#define RUNBOOK_STREAM_H

#include "runbook/clock.h"
#include "runbook/config.h"

/* `tls_config:` as Prometheus has it. */
struct tls_options {
        char *ca_file, *cert_file, *key_file, *server_name;
        bool insecure_skip_verify;
};
extern const struct config_field tls_option_fields[];

/* Complains when what was read from `node`, which has `tls_config`, does not go together; false then. */
bool tls_options_check(const struct tls_options *tls, struct config_node *node);

/* Whether any of them was given. */
bool tls_options_given(const struct tls_options *tls);

struct stream;

/* Where to, and by which name sentences call it: "Redis". All of it is borrowed, `peer` until the close. */
struct stream_target {
        const char *peer;
        const char *host, *port; /* both, or */
        const char *path;        /* that of a unix socket */
};

int stream_connect(const struct stream_target *target, struct deadline deadline, struct stream **ret,
                   struct error *error);
struct stream *stream_close(struct stream *stream); /* takes NULL, returns NULL */
DEFINE_CLEANUP(struct stream *, stream_close);
#define _cleanup_stream_ _cleanup_(stream_close_p)

/*
 * Begins TLS on a connection. The certificate must be for `name`, a host's or an address, unless the options
 * have a server_name. One that is not to be trusted is -EPROTO, before anything was sent under it, or is
 * looked over with insecure_skip_verify. Files are read anew each time.
 */
int stream_secure(struct stream *stream, const struct tls_options *tls, const char *name,
                  struct deadline deadline, struct error *error);

/* Sends all of it. */
int stream_send(struct stream *stream, const void *data, size_t length, struct deadline deadline,
                struct error *error);

/* Waits for some bytes, at most `size`, and says how many came; never 0. -ECONNRESET at the end. */
int stream_receive(struct stream *stream, void *buffer, size_t size, struct deadline deadline,
                   size_t *ret_length, struct error *error);

/* Of a connection by TCP, the address that took it; "" of others. */
const char *stream_address(const struct stream *stream);

/* What was agreed in the handshake, as OpenSSL's SSL; NULL without TLS. */
struct ssl_st *stream_tls(const struct stream *stream);

/* Why the certificate is not to be trusted; NULL when it is. Borrowed from OpenSSL, for ever. */
const char *stream_refusal(const struct stream *stream);

#endif
