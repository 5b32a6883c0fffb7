/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder test`: the tests of files of remediations. */
#include <errno.h>

#include "responder/commands/simulate.h"
#include "responder/rehearsal/cases.h"
#include "runbook/log.h"
#include "runbook/text.h"

#define PROGRAM "runbook_responder"

int command_test(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_text_ struct text text = {0};
        int status = EXIT_FINE;
        log_setup("error", arguments->program.log_format, NULL); /* nothing of it happens */
        for (size_t i = 0; arguments->program.operands[i]; i++) {
                _cleanup_error_ struct error error = {0};
                const char *path = arguments->program.operands[i];
                size_t count = 0;
                if (cases_run(path, &count, &error) < 0) {
                        status = program_complain(PROGRAM, &error);
                        continue;
                }
                text_printf(&text, "%s: %zu test%s, all as expected\n", path, count, count == 1 ? "" : "s");
        }
        int printed = program_print(&text);
        return status != EXIT_FINE ? status : printed;
}
