/* SPDX-License-Identifier: Apache-2.0 */
/* Findings, a line each. */
#include "runbook/doctor.h"
#include "runbook/program.h"

enum { LINE_LIMIT = 400 };

static const char *const signs[] = {
        [FINDING_FINE] = "ok", [FINDING_EMPTY] = "empty", [FINDING_BROKEN] = "BROKEN"};
tables_agree(signs, FINDINGS);

void doctor_tell(struct doctor *doctor, enum finding finding, const char *what, const char *format, ...)
{
        _cleanup_text_ struct text sentence = {0};
        va_list args;
        va_start(args, format);
        text_vprintf(&sentence, format, args);
        va_end(args);
        doctor->counts[finding]++;
        text_printf(&doctor->text, "%-6s  %s: ", signs[finding], what);
        text_put_line(&doctor->text, text_string(&sentence), LINE_LIMIT);
        text_putc(&doctor->text, '\n');
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
        if (r < 0)
                doctor_tell(of->doctor, FINDING_BROKEN, of->what, "%s: %s", name, error_text(&error));
        else if (value.length == 0)
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
