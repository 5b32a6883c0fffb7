/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting, the words before the handshake, and the handshake. */
#include "exporter/kinds/tls/handshake.h"

#include <errno.h>

#include "runbook/trace.h"

const char *const tls_starts[] = {"none", "postgres", NULL};
tables_agree(tls_starts, TLS_STARTS + 1);

static int start_postgres(struct stream *stream, struct deadline deadline, struct error *error)
{
        static const unsigned char request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
        char answer = 0;
        size_t length;
        trace_step(deadline, "asking for TLS as PostgreSQL's clients do");
        int r = stream_send(stream, request, sizeof(request), deadline, error);
        if (r >= 0)
                r = stream_receive(stream, &answer, 1, deadline, &length, error);
        if (r < 0 || answer == 'S')
                return r;
        return error_set(error, EPROTO,
                         answer == 'N' ? "the server does not offer TLS"
                                       : "the server does not speak PostgreSQL's protocol");
}

int tls_connect(const struct tls_target *target, struct deadline deadline, struct stream **ret,
                nsec *ret_duration, struct error *error)
{
        _cleanup_stream_ struct stream *stream = NULL;
        const struct stream_target to = {.peer = "the server", .host = target->host, .port = target->port};
        struct tls_options look_on = *target->tls;
        look_on.insecure_skip_verify = true;

        trace_step(deadline, "connecting to %s, port %s", target->host, target->port);
        int r = stream_connect(&to, deadline, &stream, error);
        if (r < 0)
                return r;
        trace_step(deadline, "connected to %s", stream_address(stream));
        nsec begun = clock_monotonic();
        if (target->start == TLS_START_POSTGRES)
                r = start_postgres(stream, deadline, error);
        if (r >= 0)
                r = stream_secure(stream, &look_on, target->server_name, deadline, error);
        if (r < 0)
                return r;
        *ret_duration = clock_monotonic() - begun;
        *ret = TAKE_PTR(stream);
        return 0;
}
