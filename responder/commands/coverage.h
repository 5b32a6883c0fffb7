/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder coverage`: what to exit with; EXIT_FAILED when there is a gap. */
#ifndef RESPONDER_COMMANDS_COVERAGE_H
#define RESPONDER_COMMANDS_COVERAGE_H

#include "responder/commands/arguments.h"

int command_coverage(const void *arguments);

#endif
