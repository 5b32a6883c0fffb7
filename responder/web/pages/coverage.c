/* SPDX-License-Identifier: Apache-2.0 */
/* GET /coverage: from check over alert to remediation and verification, and where something is missing. */
#include "responder/coverage/coverage.h"

#include <string.h>

#include "responder/web/pages/internal.h"

enum { WORD_SHOWN = 48 };

/* What a cell that is empty stands for, where it should not be. */
static const char *const missing[COVERAGE_COLUMNS + 1] = {
        [COVERAGE_CHECK] = "nothing measures it",
        [COVERAGE_ALERT] = "no alert",
        [COVERAGE_REMEDIATION] = "sets nothing off",
        [COVERAGE_VERIFIED] = "nothing verifies it",
};

static void put_row(const struct coverage_row *row, struct text *page)
{
        text_puts(page, "<tr>");
        for (size_t i = 0; i < COVERAGE_COLUMNS; i++) {
                const char *cell = row->cells[i];
                bool word = !strchr(cell, ' ') && strlen(cell) < WORD_SHOWN; /* not to be broken in two */
                text_puts(page, i == 0 ? "<th scope=\"row\">" : word ? "<td class=\"word\">" : "<td>");
                if (row->missing == i)
                        text_printf(page, "<span class=\"s bad\">%s</span>", missing[i]);
                else if (i == 0 && !*cell)
                        text_puts(page, "<span class=\"dim\">nothing</span>");
                else
                        html_put_line(page, cell, SENTENCE_MOST);
                text_puts(page, i == 0 ? "</th>" : "</td>");
        }
        text_puts(page, "</tr>\n");
}

static void put_gaps(const struct coverage *coverage, struct text *page)
{
        if (coverage->gap_count == 0) {
                text_puts(page,
                          "<section class=\"card good\"><p class=\"lead\">No gap: each alert sets something "
                          "off or "
                          "is for a person, and each verification reads what is measured.</p></section>\n");
                return;
        }
        text_printf(page,
                    "<section class=\"card bad\" aria-label=\"Gaps\"><p class=\"lead\">%zu gap%s</p><ul>",
                    coverage->gap_count, coverage->gap_count == 1 ? "" : "s");
        for (size_t i = 0; i < coverage->gap_count; i++) {
                text_puts(page, "<li>");
                html_put_line(page, coverage->gaps[i], SENTENCE_MOST);
                text_puts(page, "</li>");
        }
        text_puts(page, "</ul></section>\n");
}

static int find(const struct visit *visit, struct coverage *ret, struct error *error)
{
        const struct coverage_files *files = visit->coverage;
        _cleanup_json_ cJSON *families = NULL;
        struct alert_rules rules = {0};
        int r = coverage_read_families(files->families, &families, error);
        if (r >= 0)
                r = alert_rules_load(files->alerts, &rules, error);
        if (r >= 0)
                r = coverage_make(visit->parts->set, &rules, families, files->for_person, ret, error);
        alert_rules_release(&rules);
        return r;
}

static void put_unknown(struct text *page)
{
        text_puts(page,
                  "<section class=\"card wait\"><p class=\"lead\">It is not known what is "
                  "measured.</p><p>Write what the "
                  "exporter has, and start the responder with it:</p><pre tabindex=\"0\" "
                  "aria-label=\"Commands\">"
                  "runbook_exporter families --config.file=checks.yml &gt; families.json\n"
                  "runbook_responder --families=families.json --alerts=prometheus.yml …</pre></section>\n");
}

void page_coverage(const struct visit *visit)
{
        static const char *const columns[] = {"Measured by", "Alert", "Remediation", "Verified by", NULL};
        struct text page = {0};
        struct coverage coverage = {0};
        _cleanup_error_ struct error error = {0};
        page_begin(visit, "Coverage", "/coverage", 0, &page);
        text_puts(&page, "<h1>Coverage</h1>\n");
        if (!visit->coverage->families || string_equal(visit->coverage->families, "-")) {
                put_unknown(&page);
        } else if (find(visit, &coverage, &error) < 0) {
                text_puts(&page, "<p class=\"note\">It cannot be told: ");
                html_put_line(&page, error_text(&error), 4 * SENTENCE_MOST);
                text_puts(&page, "</p>\n");
        } else {
                put_gaps(&coverage, &page);
                html_table_begin(&page, "Coverage", columns);
                for (size_t i = 0; i < coverage.row_count; i++)
                        put_row(&coverage.rows[i], &page);
                html_table_end(&page);
        }
        page_send(visit, 200, &page);
        coverage_release(&coverage);
}
