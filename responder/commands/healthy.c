/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder healthy`: whether there is one. */
#include "responder/commands/incidents.h"
#include "responder/commands/remote.h"
#include "runbook/http_client.h"

int command_healthy(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        int r = http_client_global_init(&error);
        if (r >= 0)
                r = http_find_alive(arguments->remote.url ? arguments->remote.url : REMOTE_LOCAL_URL, &error);
        return r < 0 ? program_complain("runbook_responder", &error) : EXIT_FINE;
}
