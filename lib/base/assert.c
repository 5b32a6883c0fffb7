/* SPDX-License-Identifier: Apache-2.0 */
/* A contract that does not hold ends the process. */
#include "runbook/assert.h"

#include <stdio.h>

#include "runbook/log.h"

void contract_broken(const struct contract *contract)
{
        char line[16];
        snprintf(line, sizeof(line), "%d", contract->line);
        log_event(LOG_ERROR, "A contract of this program does not hold: it aborts", "contract",
                  contract->sentence, "condition", contract->condition, "file", contract->file, "line", line,
                  NULL);
        abort();
}
