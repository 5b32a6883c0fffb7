/* SPDX-License-Identifier: Apache-2.0 */
/* Findings, a line each, and below what is broken a line of what to do. */
#include <errno.h>
#include <sys/timex.h>

#include "runbook/doctor.h"
#include "runbook/program.h"

enum { LINE_LIMIT = 400 };

static const char *const signs[] = {
        [FINDING_FINE] = "ok", [FINDING_EMPTY] = "empty", [FINDING_BROKEN] = "BROKEN"};
tables_agree(signs, FINDINGS);

/* What is mostly behind a failure, by its errno, and what to do about it. */
static const struct {
        int code;
        const char *advice;
} advices[] = {
        {ECONNREFUSED, "is it started, and does it listen at this address? ss -ltnp tells"},
        {ECONNRESET, "it hung up: its own log says why; another protocol than it speaks is mostly why"},
        {ETIMEDOUT, "a firewall on the way, or it hangs: ask it by hand from this machine"},
        {EHOSTUNREACH, "this machine does not know the name: getent hosts NAME, /etc/hosts, DNS"},
        {EACCES,
         "whoever runs this is not let in: the owner and mode of the file, the group of the socket, or the "
         "role's password and grants (docs/postgresql.md)"},
        {EPERM, "whoever runs this may not: the owner and mode of the file, or the unit's confinement"},
        {ENOENT, "make it, or correct its name in the file"},
        {ENOSPC, "make room: df -h, df -i"},
        {EROFS, "it is mounted read-only: dmesg says since when and why"},
};

static const char *find_advice(int code)
{
        for (size_t i = 0; i < N_ELEMENTS(advices); i++)
                if (advices[i].code == code)
                        return advices[i].advice;
        return NULL;
}

static void put_line(struct doctor *doctor, const char *sign, const char *what, const char *sentence)
{
        text_printf(&doctor->text, "%-6s  %s: ", sign, what);
        text_put_line(&doctor->text, sentence, LINE_LIMIT);
        text_putc(&doctor->text, '\n');
}

void doctor_tell(struct doctor *doctor, enum finding finding, const char *what, const char *format, ...)
{
        _cleanup_text_ struct text sentence = {0};
        va_list args;
        va_start(args, format);
        text_vprintf(&sentence, format, args);
        va_end(args);
        doctor->counts[finding]++;
        put_line(doctor, signs[finding], what, text_string(&sentence));
}

void doctor_advise(struct doctor *doctor, const char *advice)
{
        text_puts(&doctor->text, "        → ");
        text_put_line(&doctor->text, advice, LINE_LIMIT);
        text_putc(&doctor->text, '\n');
}

void doctor_tell_failure(struct doctor *doctor, const char *what, int result, const char *sentence,
                         const char *otherwise)
{
        const char *advice = find_advice(-result);
        doctor_tell(doctor, FINDING_BROKEN, what, "%s", sentence);
        if (advice || otherwise)
                doctor_advise(doctor, advice ? advice : otherwise);
}

void doctor_try_clock(struct doctor *doctor)
{
        struct timex state = {.modes = 0};
        if (adjtimex(&state) == TIME_ERROR || state.status & STA_UNSYNC) {
                put_line(doctor, "lacks", "clock", "nobody keeps it right, as far as the kernel knows");
                doctor_advise(doctor,
                              "timedatectl set-ntp true, or chrony; in a container it is the host's, which "
                              "may keep it all the same");
                return;
        }
        _cleanup_free_ char *sentence =
                text_format("it is kept; off by %.3f s at most", (double)state.maxerror / 1e6);
        put_line(doctor, signs[FINDING_FINE], "clock", sentence ? sentence : "it is kept");
}

void doctor_tell_kernel(struct doctor *doctor, int landlock_version, bool seccomp)
{
        _cleanup_free_ char *sentence =
                landlock_version > 0
                        ? text_format("Landlock %d, %s", landlock_version, seccomp ? "seccomp" : "no seccomp")
                        : text_format("no Landlock, %s", seccomp ? "seccomp" : "no seccomp");
        bool whole = landlock_version > 0 && seccomp;
        put_line(doctor, whole ? signs[FINDING_FINE] : "lacks", "sandbox",
                 sentence ? sentence : "out of memory");
        if (landlock_version == 0)
                doctor_advise(
                        doctor,
                        "a kernel since 5.13 with `landlock` in /sys/kernel/security/lsm; a container may "
                        "be kept from it by its own seccomp profile");
        if (!seccomp)
                doctor_advise(doctor, "a kernel with CONFIG_SECCOMP_FILTER");
}

/* The directory itself, or the one above it that is there. */
void doctor_try_directory(struct doctor *doctor, const char *what, const char *directory)
{
        _cleanup_free_ char *path = directory ? strdup(directory) : NULL;
        if (!path)
                return;
        while (access(path, W_OK | X_OK) < 0) {
                int code = errno;
                char *slash = strrchr(path, '/');
                if (code != ENOENT || slash == path) {
                        _cleanup_free_ char *sentence =
                                text_format("%s: it cannot be written to: %s", path, error_reason(code));
                        doctor_tell_failure(doctor, what, -code, sentence ? sentence : path, NULL);
                        return;
                }
                if (slash)
                        *slash = '\0';
                else
                        strcpy(path, ".");
        }
        doctor_tell(doctor, FINDING_FINE, what, "%s: it can be written to", directory);
}

struct secrets_of {
        struct doctor *doctor;
        const char *what;
};

static void try_secret(void *context, const char *name, const struct secret *secret)
{
        const struct secrets_of *of = context;
        _cleanup_secret_ struct text value = {0};
        _cleanup_error_ struct error error = {0};
        int r = secret_read(secret, &value, &error);
        if (r < 0) {
                error_prefix(&error, r, "%s", name);
                doctor_tell_failure(of->doctor, of->what, 0, error_text(&error),
                                    "put it there for whoever runs this alone, or hand it over by systemd: "
                                    "docs/operating.md");
        } else if (value.length == 0)
                doctor_tell(of->doctor, FINDING_EMPTY, of->what, "%s: it can be read, and is empty", name);
}

bool doctor_try_secrets(struct doctor *doctor, const char *what, const struct config_field *fields,
                        const void *config)
{
        struct secrets_of of = {doctor, what};
        const size_t before = doctor->counts[FINDING_BROKEN];
        config_visit_secrets(fields, config, try_secret, &of);
        return doctor->counts[FINDING_BROKEN] == before;
}

int doctor_end(struct doctor *doctor)
{
        text_printf(&doctor->text, "%zu answered, %zu of them with nothing; %zu broken\n",
                    doctor->counts[FINDING_FINE] + doctor->counts[FINDING_EMPTY],
                    doctor->counts[FINDING_EMPTY], doctor->counts[FINDING_BROKEN]);
        int printed = program_print(&doctor->text);
        text_free(&doctor->text);
        return doctor->counts[FINDING_BROKEN] > 0 ? EXIT_FAILED : printed;
}
