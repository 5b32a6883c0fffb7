/* SPDX-License-Identifier: Apache-2.0 */
/* From a daemon's flag to what it has given up. */
#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "runbook/log.h"
#include "runbook/sandbox.h"
#include "runbook/text.h"

#ifdef __SANITIZE_ADDRESS__
enum { CHECKED_FOR_LEAKS = true };
#else
enum { CHECKED_FOR_LEAKS = false };
#endif

int sandbox_check_mode(const char *mode, struct error *error)
{
        if (string_equal(mode, "auto") || string_equal(mode, "require") || string_equal(mode, "off"))
                return 0;
        return error_set(error, EINVAL, "--sandbox: \"%s\" is none of auto, require and off", mode);
}

/* How one of the parts went: as it must be, told in `missing`, or an error. */
static int settle_mode(const struct sandbox *sandbox, int result, struct error *reason, struct text *missing,
                       struct error *error)
{
        if (result >= 0)
                return 0;
        if (string_equal(sandbox->mode, "require")) {
                error_move(error, reason);
                return error_prefix(error, result, "--sandbox=require");
        }
        text_printf(missing, "%s%s", missing->length > 0 ? "; " : "", error_text(reason));
        return 0;
}

/* The memory holds secrets, which a core would show, and a debugger or gcore of the same user. */
static int close_memory(struct error *error)
{
        struct rlimit cores;
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_set_errno(error, errno, "a memory that nobody looks into");
        if (getrlimit(RLIMIT_CORE, &cores) == 0 && cores.rlim_max == 0)
                return 0; /* a unit has said so, which may also keep us from saying it */
        cores = (struct rlimit){0, 0};
        return setrlimit(RLIMIT_CORE, &cores) < 0 ? error_set_errno(error, errno, "no cores") : 0;
}

static int enter_parts(struct sandbox *sandbox, const struct sandbox_options *options, const char *spared,
                       struct text *missing, struct error *error)
{
        _cleanup_error_ struct error no_landlock = {0}, no_seccomp = {0}, no_privacy = {0};
        int abi = 0, r = 0;
        if (spared)
                text_puts(missing, spared);
        else
                r = sandbox_landlock(options, &abi, &no_landlock);
        if (abi > 0)
                snprintf(sandbox->landlock, sizeof(sandbox->landlock), "%d", abi);
        r = settle_mode(sandbox, r, &no_landlock, missing, error);
        if (r < 0)
                return r;
        r = sandbox_seccomp(options, &no_seccomp);
        sandbox->seccomp = r >= 0;
        r = settle_mode(sandbox, r, &no_seccomp, missing, error);
        return r < 0 ? r : settle_mode(sandbox, close_memory(&no_privacy), &no_privacy, missing, error);
}

int sandbox_enter(struct sandbox *sandbox, struct sandbox_options options, const char *spared,
                  struct error *error)
{
        _cleanup_text_ struct text missing = {0};
        strcpy(sandbox->landlock, "none");
        sandbox->seccomp = false;
        sandbox->programs = options.programs;
        if (string_equal(sandbox->mode, "off"))
                return 0;
        options.tracing = CHECKED_FOR_LEAKS;
        int r = enter_parts(sandbox, &options, spared, &missing, error);
        if (r >= 0)
                log_event(LOG_INFO, "Entered the sandbox", "landlock", sandbox->landlock, "seccomp",
                          sandbox->seccomp ? "true" : "false", "missing",
                          missing.length > 0 ? text_string(&missing) : NULL, NULL);
        return r;
}

int sandbox_seal(const struct sandbox *sandbox, struct error *error)
{
        const struct sandbox_options options = {
                .programs = sandbox->programs,
                .tracing = CHECKED_FOR_LEAKS,
        };
        return sandbox->seccomp ? error_prefix(error, sandbox_seccomp(&options, error), "--sandbox") : 0;
}
