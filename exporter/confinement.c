/* SPDX-License-Identifier: Apache-2.0 */
/* From a flag and the checks to a sandbox. */
#include "exporter/confinement.h"

#include <errno.h>

#include "runbook/text.h"

/* The most that the checks start, and one of those that do. */
static enum check_programs programs_of(const struct check_set *set, const struct check **ret_check)
{
        enum check_programs most = CHECK_STARTS_NOTHING;
        for (size_t i = 0; i < set->count; i++) {
                const struct check *check = &set->checks[i];
                enum check_programs programs =
                        check->kind->programs ? check->kind->programs(check->config) : CHECK_STARTS_NOTHING;
                if (programs > most) {
                        most = programs;
                        *ret_check = check;
                }
        }
        return most;
}

int confinement_enter(struct confinement *confinement, const struct check_set *set, struct error *error)
{
        const struct check *starter = NULL;
        struct sandbox *sandbox = &confinement->sandbox;
        enum check_programs programs = programs_of(set, &starter);
        const struct sandbox_options options = {
                .state_directory = confinement->state_directory,
                .addresses = confinement->listen_addresses,
                .programs = programs > CHECK_STARTS_NOTHING,
                .files = programs == CHECK_STARTS_ANYTHING,
        };
        _cleanup_free_ char *spared = NULL;
        if (programs == CHECK_STARTS_ANYTHING) {
                spared = text_format("check \"%s\" starts a program, which would inherit Landlock's limits",
                                     starter->name);
                if (!spared)
                        return error_oom(error);
        }
        int r = sandbox_enter(sandbox, options, spared, error);
        if (r < 0)
                return r;
        bool entered = sandbox->seccomp || !string_equal(sandbox->landlock, "none");
        confinement->programs = entered ? programs : CHECK_STARTS_ANYTHING;
        return 0;
}

int confinement_admit(const struct confinement *confinement, const struct check_set *set, struct error *error)
{
        const struct check *starter = NULL;
        enum check_programs programs = programs_of(set, &starter);
        if (programs <= confinement->programs)
                return 0;
        return error_set(
                error, EPERM,
                "check \"%s\" starts a program, and this process has given up what that needs: restart it",
                starter->name);
}
