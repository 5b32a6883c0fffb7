/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers out of JSON: up to the first NUL the YAML of one metric, then a document. Whatever they are, the
 * page of it can be written, and every skipped item is counted with words that a log line can hold.
 */
#include <errno.h>

#include "exporter/kinds/shared/json_metrics.h"
#include "runbook/utf8.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 30000;
const char *const fuzz_words[] = {
        "name: ",   "value: ", "each: ", "keys: ", "labels: {a: ", "values: {", "format: timestamp",
        "factor: ", "^.",      "*",      ".*.",    "\\.",          "\"a\":",    "[",
        "]",        "{",       "}",      "null",   "true",         "1e9999",    "\"2026-01-01T00:00:00Z\"",
        "\xff",     "\0",      NULL,
};

struct holder {
        struct config_list metrics;
};

static const struct config_field fields[] = {
        {"metrics", CONFIG_LIST, offsetof(struct holder, metrics), .fields = json_metric_fields,
         .size = sizeof(struct json_metric), .help = "-"},
        {0},
};

static void measure(const struct json_metrics *metrics, const cJSON *document)
{
        struct skipped_items skipped = {0};
        struct sample_set set = {.skipped = &skipped, .limit = 100};
        const struct sample_set *const sets[] = {&set};
        _cleanup_text_ struct text page = {0};
        json_metrics_add(metrics, document, &(struct sample_sink){.set = &set});
        check_skip_invalid(&(struct sample_sink){.set = &set});
        check_skip_repeated(&(struct sample_sink){.set = &set});
        FUZZ_ASSERT(set.error == 0 && set.count <= 100);
        FUZZ_ASSERT(metrics_encode(METRICS_TEXT, sets, 1, NULL, &page, NULL) == 0);
        FUZZ_ASSERT(utf8_valid(text_string(&page)));
        for (enum skip_reason reason = 0; reason < SKIP_REASONS; reason++) {
                const char *items = skipped_items_text(&skipped, reason);
                FUZZ_ASSERT((skipped.of[reason].count > 0) == (*items != '\0') && utf8_valid(items));
        }
        sample_set_release(&set);
        skipped_items_release(&skipped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *yaml = fuzz_string(data, size);
        size_t length = strlen(yaml);
        _cleanup_config_ struct config *config = NULL;
        _cleanup_json_ cJSON *document = NULL;
        struct json_metrics *metrics = NULL;
        struct holder holder;
        if (length >= size || json_parse(yaml + length + 1, size - length - 1, &document, NULL) < 0)
                return 0;
        FUZZ_ASSERT(config_parse("m", yaml, &config, NULL) == 0);
        if (config_read(config_root(config), fields, &holder)) {
                struct config_node *list = config_member(config_root(config), "metrics");
                int r = json_metrics_new(&(const struct check){0}, &holder.metrics, list, true, &metrics);
                FUZZ_ASSERT((r == 0) == (config_complaints(config) == 0));
                if (r == 0)
                        measure(metrics, document);
        }
        json_metrics_free(metrics);
        config_release(fields, &holder);
        return 0;
}
