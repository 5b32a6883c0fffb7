/* SPDX-License-Identifier: Apache-2.0 */
/* The reference page, from the tables of all kinds. */
#include "exporter/check/exporter_samples.h"
#include "exporter/check/internal.h"
#include "exporter/check/samples.h"

static const char *const type_words[] = {
        [METRIC_GAUGE] = "gauge",
        [METRIC_COUNTER] = "counter",
        [METRIC_HISTOGRAM] = "histogram",
        [METRIC_INFO] = "info",
};
tables_agree(type_words, METRIC_TYPES);

static void describe_heading(struct text *text)
{
        text_puts(text, "| metric | type | unit | meaning |\n|---|---|---|---|\n");
}

static void describe_families(const struct metric_family *const *families, struct text *text)
{
        for (size_t i = 0; families[i]; i++)
                text_printf(text, "| `%s` | %s | %s | %s |\n", families[i]->name,
                            type_words[families[i]->type], families[i]->unit ? families[i]->unit : "",
                            families[i]->help);
}

static void describe_labels(const char *const *labels, struct text *text)
{
        for (size_t i = 0; labels && labels[i]; i++)
                text_printf(text, "%s`%s`", i == 0 ? "\nLabels of its own series: " : ", ", labels[i]);
        if (labels && labels[0])
                text_puts(text, ".\n");
}

void check_kinds_describe(struct text *text)
{
        text_puts(text, "# Checks\n\n"
                        "Written by `runbook_exporter describe` from the tables in the code.\n\n"
                        "## The file\n\n");
        config_describe(check_file_fields, text);
        text_puts(text, "\nAnd `checks`, a list of these:\n\n## Every check\n\n");
        config_describe(check_section_fields, text);
        text_puts(text,
                  "\nBeside these, exactly one kind. `defaults:` takes `timeout`, `cache`, `max_series` and "
                  "`labels` for all checks.\n\n");
        describe_heading(text);
        describe_families(check_sample_families, text);
        describe_families(exporter_sample_families, text);
        text_putc(text, '\n');
        for (size_t i = 0; check_kinds[i]; i++) {
                text_printf(text, "## %s\n\n%s\n\n", check_kinds[i]->name, check_kinds[i]->help);
                config_describe(check_kinds[i]->fields, text);
                if (check_kinds[i]->target_key)
                        text_printf(text, "\n`targets:` are other values of `%s`.\n",
                                    check_kinds[i]->target_key);
                describe_labels(check_kinds[i]->labels, text);
                text_putc(text, '\n');
                describe_heading(text);
                describe_families(check_kinds[i]->families, text);
                text_putc(text, '\n');
        }
}

void check_kinds_list(struct text *text)
{
        text_puts(text, "\nKinds of checks:\n ");
        for (size_t i = 0; check_kinds[i]; i++)
                text_printf(text, "%s %s", i > 0 ? "," : "", check_kinds[i]->name);
        text_putc(text, '\n');
}
