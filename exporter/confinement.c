/* SPDX-License-Identifier: Apache-2.0 */
/* From a flag and the checks to a sandbox. */
#include "exporter/confinement.h"

#include <errno.h>
#include <stdio.h>

#include "runbook/http_server.h"
#include "runbook/log.h"
#include "runbook/sandbox.h"
#include "runbook/text.h"

#define UNIX_PREFIX "unix:"

#ifdef __SANITIZE_ADDRESS__
enum { CHECKED_FOR_LEAKS = true };
#else
enum { CHECKED_FOR_LEAKS = false };
#endif

int confinement_check_mode(const char *mode, struct error *error)
{
        if (string_equal(mode, "auto") || string_equal(mode, "require") || string_equal(mode, "off"))
                return 0;
        return error_set(error, EINVAL, "--sandbox: \"%s\" is none of auto, require and off", mode);
}

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

/* Where the socket's file stands, which is removed at the end; NULL when there is none. */
static char *socket_directory(const char *listen_address)
{
        if (!string_starts(listen_address, UNIX_PREFIX))
                return NULL;
        const char *path = listen_address + strlen(UNIX_PREFIX), *slash = strrchr(path, '/');
        if (!slash)
                return strdup(".");
        return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* Closed by NULL; -ENOMEM. */
static int socket_directories(const char *const *addresses, char **ret)
{
        size_t count = 0;
        for (size_t i = 0; addresses[i]; i++) {
                ret[count] = socket_directory(addresses[i]);
                if (ret[count])
                        count++;
                else if (string_starts(addresses[i], UNIX_PREFIX))
                        return -ENOMEM;
        }
        return 0;
}

static void free_strings(char *(*strings)[HTTP_LISTENERS_MAX + 1])
{
        for (size_t i = 0; (*strings)[i]; i++)
                free((*strings)[i]);
}

/* The outcome of one half: as it must be, told in `missing`, or an error. */
static int settle_mode(const struct confinement *confinement, int result, struct error *reason,
                       struct text *missing, struct error *error)
{
        if (result >= 0)
                return 0;
        if (string_equal(confinement->mode, "require")) {
                error_move(error, reason);
                return error_prefix(error, result, "--sandbox=require");
        }
        text_printf(missing, "%s%s", missing->length > 0 ? "; " : "", error_text(reason));
        return 0;
}

static int restrict_files(struct confinement *confinement, const struct sandbox_options *options,
                          struct text *missing, struct error *error)
{
        _cleanup_error_ struct error reason = {0};
        int abi = 0, r = sandbox_landlock(options, &abi, &reason);
        if (r >= 0)
                snprintf(confinement->landlock, sizeof(confinement->landlock), "%d", abi);
        return settle_mode(confinement, r, &reason, missing, error);
}

static int restrict_calls(struct confinement *confinement, const struct sandbox_options *options,
                          struct text *missing, struct error *error)
{
        _cleanup_error_ struct error reason = {0};
        int r = sandbox_seccomp(options, &reason);
        confinement->seccomp = r >= 0;
        return settle_mode(confinement, r, &reason, missing, error);
}

int confinement_enter(struct confinement *confinement, const struct check_set *set, struct error *error)
{
        _cleanup_text_ struct text missing = {0};
        const struct check *starter = NULL;
        strcpy(confinement->landlock, "none");
        confinement->programs = CHECK_STARTS_ANYTHING;
        if (string_equal(confinement->mode, "off"))
                return 0;
        enum check_programs programs = programs_of(set, &starter);
        _cleanup_(free_strings) char *directories[HTTP_LISTENERS_MAX + 1] = {NULL};
        if (socket_directories(confinement->listen_addresses, directories) < 0)
                return error_oom(error);
        const struct sandbox_options options = {
                .state_directory = confinement->state_directory,
                .socket_directories = (const char *const *)directories,
                .programs = programs > CHECK_STARTS_NOTHING,
                .files = programs == CHECK_STARTS_ANYTHING,
                .tracing = CHECKED_FOR_LEAKS,
        };
        int r = 0;

        if (programs == CHECK_STARTS_ANYTHING)
                text_printf(&missing, "check \"%s\" starts a program, which would inherit Landlock's limits",
                            starter->name);
        else
                r = restrict_files(confinement, &options, &missing, error);
        if (r >= 0)
                r = restrict_calls(confinement, &options, &missing, error);
        if (r < 0)
                return r;
        if (confinement->seccomp || !string_equal(confinement->landlock, "none"))
                confinement->programs = programs;
        log_event(LOG_INFO, "Entered the sandbox", "landlock", confinement->landlock, "seccomp",
                  confinement->seccomp ? "true" : "false", "missing",
                  missing.length > 0 ? text_string(&missing) : NULL, NULL);
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
