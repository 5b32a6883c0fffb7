/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a connection, and the sentence for who was waited for in vain. */
#include <errno.h>

#include "lib/stream/internal.h"
#include "runbook/socket.h"

int stream_late(const struct stream *stream, struct error *error)
{
        return error_set(error, ETIMEDOUT, "%s did not answer in time", stream->peer);
}

int stream_wait(const struct stream *stream, short events, struct deadline deadline, struct error *error)
{
        int r = socket_wait(stream->fd, events, deadline);
        if (r == -ETIMEDOUT)
                return stream_late(stream, error);
        return r < 0 ? error_set_errno(error, -r, "the connection to %s broke", stream->peer) : 0;
}
