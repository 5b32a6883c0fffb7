/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that ask the neighbours of the file by hand, and change nothing. */
#include "responder/by_hand.h"

#include <errno.h>

#include "responder/commands/arguments.h"
#include "responder/commands/doctor.h"
#include "responder/commands/plan.h"
#include "responder/production.h"
#include "runbook/http_client.h"
#include "runbook/log.h"

#define PROGRAM "runbook_responder"

int run_plan(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        struct remediation_set *set = NULL;
        struct targets *targets = NULL;
        struct production *production = NULL;
        struct place *place = NULL;
        int status = plan_check(arguments, &error) < 0 ? EXIT_USAGE : EXIT_FAILED;
        int r = status == EXIT_USAGE ? -EINVAL : http_client_global_init(&error);
        if (r >= 0)
                r = remediation_set_load(arguments->daemon.config_file, &set, &error);
        if (r >= 0)
                r = targets_new(&set->targets, &targets, &error);
        if (r >= 0)
                r = production_new(&production, &error);
        if (r >= 0)
                r = place_new(production, targets, &place, &error);
        if (r >= 0 && (r = plan_command(set, place_world(place), arguments, &text, &error)) == -EINVAL)
                status = EXIT_USAGE;
        int printed = program_print(&text);
        place_free(place);
        production_free(production);
        targets_free(targets);
        remediation_set_free(set);
        if (r < 0)
                program_complain(PROGRAM, &error);
        return r < 0 ? status : printed;
}

int run_doctor(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        struct remediation_set *set = NULL;
        struct targets *targets = NULL;
        int status = EXIT_FAILED;
        log_setup("error", arguments->program.log_format, NULL); /* what fails stands in what is printed */
        int r = http_client_global_init(&error);
        if (r >= 0)
                r = remediation_set_load(arguments->daemon.config_file, &set, &error);
        if (r >= 0)
                r = targets_new(&set->targets, &targets, &error);
        if (r >= 0)
                status = doctor_command(set, targets, arguments->journal);
        targets_free(targets);
        remediation_set_free(set);
        return r < 0 ? program_complain(PROGRAM, &error) : status;
}
