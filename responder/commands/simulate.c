/* SPDX-License-Identifier: Apache-2.0 */
/* What a file of remediations would have done about the alerts that were; or what it does otherwise than
 * another. */
#include "responder/commands/simulate.h"

#include <errno.h>

#include "runbook/log.h"

#define PROGRAM "runbook_responder"

/* Nothing is let go of before it was told. */
#define FOR_EVER (100 * 365 * 24 * (3600 * NSEC_PER_SEC))

static int load(const char *path, struct remediation_set **ret, struct error *error)
{
        int r = remediation_set_load(path, ret, error);
        if (r < 0)
                return r;
        (*ret)->targets.journal_retention = FOR_EVER;
        (*ret)->targets.journal_size = 0;
        return 0;
}

static int rehearse(const struct remediation_set *set, const struct simulated *simulated, cJSON **ret,
                    struct rehearsal_counts *ret_counts, struct error *error)
{
        struct rehearsal *rehearsal = NULL;
        int r = rehearsal_new(set, simulated->since, &rehearsal, error);
        if (r >= 0)
                r = rehearsal_play(rehearsal, &simulated->history, simulated->until, error);
        if (r >= 0)
                r = rehearsal_outcomes(rehearsal, ret, error);
        if (r >= 0)
                *ret_counts = rehearsal_counts(rehearsal);
        rehearsal_free(rehearsal);
        return r;
}

static int put_json(struct text *text, const struct simulated *simulated,
                    const struct rehearsal_counts *counts, cJSON **take, const char *name)
{
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        char since[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
        if (json_put(json, "source", json_text(simulated->source)) < 0 ||
            json_put(json, "since", json_text(time_format(simulated->since, since))) < 0 ||
            json_put(json, "until", json_text(time_format(simulated->until, until))) < 0 ||
            json_put(json, "alerts", cJSON_CreateNumber((double)counts->alerts)) < 0 ||
            json_put(json, "matched", cJSON_CreateNumber((double)counts->matched)) < 0 ||
            json_put(json, name, TAKE_PTR(*take)) < 0)
                return -ENOMEM;
        _cleanup_free_ char *printed = json_print(json);
        if (printed)
                text_printf(text, "%s\n", printed);
        return printed ? 0 : -ENOMEM;
}

/* 1: something differs that is not expected. */
static int put_against(const struct responder_arguments *arguments, const struct simulated *simulated,
                       const struct rehearsal_counts *counts, const cJSON *now, struct text *text,
                       struct error *error)
{
        struct remediation_set *old = NULL;
        struct rehearsal_counts old_counts;
        _cleanup_json_ cJSON *before = NULL, *differences = NULL;
        _cleanup_text_ struct text told = {0};
        int r = load(arguments->rehearsal.against, &old, error);
        if (r >= 0)
                r = rehearse(old, simulated, &before, &old_counts, error);
        remediation_set_free(old);
        if (r >= 0)
                r = simulate_compare(before, now, &arguments->rehearsal.expected, &differences, error);
        if (r < 0)
                return r;
        bool unexpected = simulate_put_differences(&told, differences);
        if (!arguments->json)
                text_puts(text, text_string(&told));
        else if (put_json(text, simulated, counts, &differences, "differences") < 0)
                return error_oom(error);
        return unexpected;
}

static int put_alone(const struct responder_arguments *arguments, const struct simulated *simulated,
                     const struct rehearsal_counts *counts, cJSON **outcomes, struct text *text,
                     struct error *error)
{
        size_t limit = 0;
        int r = listing_limit(&arguments->listing, &limit, error);
        if (r < 0)
                return r;
        if (!arguments->json)
                simulate_put_all(text, simulated, counts, *outcomes, limit);
        else if (put_json(text, simulated, counts, outcomes, "incidents") < 0)
                return error_oom(error);
        return 0;
}

/* 1: what was compared differs, and was not expected to. */
static int simulate(const struct responder_arguments *arguments, struct text *text, struct error *error)
{
        struct remediation_set *set = NULL;
        struct simulated simulated = {0};
        struct rehearsal_counts counts = {0};
        _cleanup_json_ cJSON *outcomes = NULL;
        int r = load(arguments->daemon.config_file, &set, error);
        if (r >= 0)
                r = simulate_history(arguments, set, &simulated, error);
        if (r >= 0)
                r = rehearse(set, &simulated, &outcomes, &counts, error);
        if (r >= 0)
                r = arguments->rehearsal.against
                            ? put_against(arguments, &simulated, &counts, outcomes, text, error)
                            : put_alone(arguments, &simulated, &counts, &outcomes, text, error);
        simulated_release(&simulated);
        remediation_set_free(set);
        return r;
}

/* Whether what is asked for can be. */
static int check(const struct responder_arguments *arguments, struct error *error)
{
        const struct rehearsal_arguments *rehearsal = &arguments->rehearsal;
        size_t limit;
        if (rehearsal->webhooks && rehearsal->from_journal)
                return error_set(error, EINVAL, "--webhooks and --from-journal are two histories: give one");
        if (rehearsal->step < NSEC_PER_SEC)
                return error_set(error, EINVAL, "--step must be a second at least");
        if (rehearsal->expected.count > 0 && !rehearsal->against)
                return error_set(error, EINVAL, "--expect is for --against");
        return listing_limit(&arguments->listing, &limit, error);
}

/* A neighbour that cannot be asked. */
static bool is_unreached(int result)
{
        return result == -EREMOTEIO || result == -ECONNREFUSED || result == -ETIMEDOUT ||
               result == -EHOSTUNREACH;
}

int command_simulate(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        log_setup("error", arguments->program.log_format,
                  NULL); /* what it would have logged did not happen */
        int status = EXIT_USAGE, r = check(arguments, &error);
        if (r >= 0) {
                r = simulate(arguments, &text, &error);
                status = is_unreached(r) ? EXIT_UNREACHED : EXIT_FAILED;
        }
        if (r < 0) {
                program_complain(PROGRAM, &error);
                return status;
        }
        int printed = program_print(&text);
        return printed != EXIT_FINE ? printed : r > 0 ? EXIT_FAILED : EXIT_FINE;
}
