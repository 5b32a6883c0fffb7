/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RESPONDER_COMMANDS_ALERTMANAGER_CONFIG_H
#define RESPONDER_COMMANDS_ALERTMANAGER_CONFIG_H

#include "responder/commands/arguments.h"

/* `runbook_responder alertmanager-config`: Alertmanager's file, out of the matchers and the receivers of
 * ours. Takes a responder_arguments; EXIT_FINE or EXIT_FAILED. */
int command_alertmanager_config(const void *context);

#endif
