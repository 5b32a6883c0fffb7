/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder coverage`: printed, with an exit code for scripts. */
#include "responder/coverage/coverage.h"

#include <errno.h>

#include "responder/commands/coverage.h"
#include "responder/commands/table.h"

#define PROGRAM "runbook_responder"

static void put_coverage(const struct coverage *coverage, struct text *text)
{
        static const char *const heads[COVERAGE_COLUMNS] = {"MEASURED BY", "ALERT", "REMEDIATION",
                                                            "VERIFIED BY"};
        struct table table = {.columns = COVERAGE_COLUMNS};
        for (size_t i = 0; i < COVERAGE_COLUMNS; i++)
                table_cell(&table, heads[i]);
        for (size_t i = 0; i < coverage->row_count; i++)
                for (size_t k = 0; k < COVERAGE_COLUMNS; k++)
                        table_cell(&table, coverage->rows[i].cells[k]);
        table_put(&table, text);
        table_release(&table);
        text_putc(text, '\n');
        for (size_t i = 0; i < coverage->gap_count; i++)
                text_printf(text, "gap: %s\n", coverage->gaps[i]);
        text_printf(text, "%zu gap%s\n", coverage->gap_count, coverage->gap_count == 1 ? "" : "s");
}

int command_coverage(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *families = NULL;
        struct remediation_set *set = NULL;
        struct alert_rules rules = {0};
        struct coverage coverage = {0};
        size_t gaps = 0;
        const char *path = arguments->families;
        if (!path) {
                error_set(&error, EINVAL,
                          "coverage needs --families=FILE: what `runbook_exporter families` prints");
                program_complain(PROGRAM, &error);
                return EXIT_USAGE;
        }
        int r = remediation_set_load(arguments->daemon.config_file, &set, &error);
        if (r >= 0)
                r = alert_rules_load(arguments->alerts.items, &rules, &error);
        if (r >= 0)
                r = coverage_read_families(path, &families, &error);
        if (r >= 0)
                r = coverage_make(set, &rules, families, arguments->for_person, &coverage, &error);
        if (r >= 0)
                put_coverage(&coverage, &text);
        gaps = coverage.gap_count;
        coverage_release(&coverage);
        int printed = r < 0 ? program_complain(PROGRAM, &error) : program_print(&text);
        alert_rules_release(&rules);
        remediation_set_free(set);
        return printed == EXIT_FINE && gaps > 0 ? EXIT_FAILED : printed;
}
