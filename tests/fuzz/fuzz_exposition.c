/* SPDX-License-Identifier: Apache-2.0 */
/* Any page is read to its end or to a line that is named; what was read can be written, and reads the same.
 */
#include <errno.h>
#include <math.h>

#include "runbook/exposition.h"
#include "runbook/utf8.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {
        "# HELP ",
        "# TYPE ",
        "runbook_check_success",
        "{",
        "}",
        "check=",
        "\"",
        "\\\"",
        "\\\\",
        "\\n",
        "\\x",
        ",",
        " 1",
        " NaN",
        "+Inf",
        " 1e5",
        "-",
        "\r\n",
        "\n",
        "\t",
        "__name__",
        "le=",
        " 1700000000000",
        "=",
        "_total",
        NULL,
};

static bool is_plain(const struct exposition_sample *sample)
{
        for (size_t i = 0; i < sample->label_count; i++) {
                const char *value = sample->labels[i].value;
                /* What label_put() would change: it leaves nothing out, cuts, and replaces what is no UTF-8.
                 */
                if (!*value || strlen(value) > 1024)
                        return false;
                for (size_t n; *value; value += n)
                        if ((n = utf8_length(value)) == 0)
                                return false;
        }
        return true;
}

static void read_again(const struct exposition_sample *sample)
{
        _cleanup_text_ struct text page = {0};
        _cleanup_(exposition_release) struct exposition again;
        struct exposition_sample other;
        text_printf(&page, "%s{", sample->name);
        for (size_t i = 0; i < sample->label_count; i++) {
                label_put(&page, &sample->labels[i]);
                text_putc(&page, ',');
        }
        text_puts(&page, "} ");
        text_put_double(&page, sample->value);
        exposition_init(&again, text_string(&page), page.length);
        FUZZ_ASSERT(page.length > EXPOSITION_LINE_MAX || exposition_next(&again, &other) == 1);
        FUZZ_ASSERT(strcmp(sample->name, other.name) == 0 && sample->label_count == other.label_count);
        FUZZ_ASSERT(sample->value == other.value || (isnan(sample->value) && isnan(other.value)));
        for (size_t i = 0; i < other.label_count; i++)
                FUZZ_ASSERT(strcmp(sample->labels[i].name, other.labels[i].name) == 0 &&
                            strcmp(sample->labels[i].value, other.labels[i].value) == 0);
        FUZZ_ASSERT(exposition_next(&again, &other) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *all = fuzz_string(data, size);
        _cleanup_(exposition_release) struct exposition page;
        struct exposition_sample sample;
        size_t before = 0;
        int r;
        exposition_init(&page, all, size);
        while ((r = exposition_next(&page, &sample)) != 0) {
                FUZZ_ASSERT(r == 1 || r == -EPROTO || r == -E2BIG);
                FUZZ_ASSERT(page.line > before);
                before = page.line;
                if (r < 0)
                        continue;
                FUZZ_ASSERT(*sample.name);
                FUZZ_ASSERT(sample.label_count <= EXPOSITION_LABELS_MAX);
                for (size_t i = 0; i < sample.label_count; i++)
                        FUZZ_ASSERT(label_name_valid(sample.labels[i].name));
                if (metric_name_valid(sample.name) && is_plain(&sample))
                        read_again(&sample);
        }
        FUZZ_ASSERT(page.at == page.end);
        return 0;
}
