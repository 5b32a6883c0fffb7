/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RESPONDER_COMMANDS_INIT_ACCESS_H
#define RESPONDER_COMMANDS_INIT_ACCESS_H

#include "responder/commands/arguments.h"

/*
 * `runbook_responder init-access DIRECTORY`: a web configuration for the daemons with users and TLS, and for
 * each who asks them what he shows and trusts, with the lines for his own configuration. All of it new, in a
 * directory that was not there: nothing is ever overwritten. Takes a responder_arguments; EXIT_FINE,
 * EXIT_FAILED, or EXIT_USAGE for a name that is none.
 */
int command_init_access(const void *context);

#define INIT_ACCESS_FLAGS(to)                                                                             \
        {"name",                                                                                          \
         FLAG_STRINGS,                                                                                    \
         &(to)->names,                                                                                    \
         NULL,                                                                                            \
         "NAME",                                                                                          \
         "init-access: a name or address that the daemons are reached by, the first one in the "          \
         "lines that are written; host.docker.internal, when not given; may be given again"},             \
        {                                                                                                 \
                "mounted", FLAG_STRING, &(to)->mounted, NULL, "DIRECTORY",                                \
                        "init-access: where Prometheus and Alertmanager find that directory, when it is " \
                        "elsewhere for them"                                                              \
        }

#endif
