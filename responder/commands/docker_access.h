/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RESPONDER_COMMANDS_DOCKER_ACCESS_H
#define RESPONDER_COMMANDS_DOCKER_ACCESS_H

#include "responder/commands/arguments.h"

/* `runbook_responder docker-access`: a proxy's configuration, out of the steps of the file. Takes a
 * responder_arguments; EXIT_FINE or EXIT_FAILED. */
int command_docker_access(const void *context);

#endif
