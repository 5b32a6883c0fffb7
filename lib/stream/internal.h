/* SPDX-License-Identifier: Apache-2.0 */
/* What the connection and its TLS share. */
#ifndef LIB_STREAM_INTERNAL_H
#define LIB_STREAM_INTERNAL_H

#include <openssl/ssl.h>

#include "runbook/stream.h"

struct stream {
        int fd;
        bool tls;               /* asked for, be it that it failed */
        SSL *ssl;               /* NULL: as it is on the wire */
        bool wants_certificate; /* the server has asked for one that we do not have */
        bool broken;            /* nothing more is said, not even goodbye */
        const char *peer;       /* as sentences call it */
        const char *refused;    /* see stream_refusal() */
        char address[64];
};

/* Waits for POLLIN or POLLOUT; stream_late() is -ETIMEDOUT with its sentence. */
int stream_wait(const struct stream *stream, short events, struct deadline deadline, struct error *error);
int stream_late(const struct stream *stream, struct error *error);

/* Sends or receives some: how many bytes; 0 when it has waited instead and is to be asked again. */
ssize_t tls_send_some(struct stream *stream, const void *data, size_t length, struct deadline deadline,
                      struct error *error);
ssize_t tls_receive_some(struct stream *stream, void *buffer, size_t size, struct deadline deadline,
                         struct error *error);
void tls_end(struct stream *stream);

#endif
