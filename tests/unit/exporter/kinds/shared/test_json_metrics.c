/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers out of JSON: which values, of which items, with which labels; and what is no value. */
#include "exporter/kinds/shared/json_metrics.h"

#include <errno.h>
#include <string.h>

#include "tests/harness/kind.h"

/* What one document becomes. */
struct outcome {
        char *page;
        struct skipped_items skipped;
};

struct holder {
        struct config_list metrics;
};

static const struct config_field fields[] = {
        {"metrics", CONFIG_LIST, offsetof(struct holder, metrics), .fields = json_metric_fields,
         .size = sizeof(struct json_metric), .help = "-"},
        {0},
};

static struct outcome measure(const char *yaml, const char *json)
{
        struct outcome outcome = {0};
        struct sample_set set = {.skipped = &outcome.skipped};
        const struct sample_set *const all = &set;
        _cleanup_config_ struct config *config = NULL;
        _cleanup_json_ cJSON *document = NULL;
        _cleanup_text_ struct text whole = {0}, page = {0};
        struct holder holder;
        struct json_metrics *metrics = NULL;
        text_printf(&whole, "metrics: [%s]", yaml);
        assert_int_equal(config_parse("m", text_string(&whole), &config, NULL), 0);
        if (!config_read(config_root(config), fields, &holder) ||
            json_metrics_new(&(const struct check){0}, &holder.metrics,
                             config_member(config_root(config), "metrics"), true, &metrics) < 0)
                fail_msg("%s", config_complaints_text(config));
        assert_int_equal(json_parse(json, strlen(json), &document, NULL), 0);
        json_metrics_add(metrics, document, &(struct sample_sink){&set});
        assert_int_equal(metrics_encode_text(&all, 1, &page, NULL), 0);
        text_puts(&page, "");
        sample_set_release(&set);
        json_metrics_free(metrics);
        config_release(fields, &holder);
        outcome.page = text_take(&page);
        return outcome;
}

static void release(struct outcome *outcome)
{
        free(outcome->page);
        skipped_items_release(&outcome->skipped);
}

static size_t skipped(const struct outcome *outcome)
{
        size_t count = 0;
        for (size_t i = 0; i < SKIP_REASONS; i++)
                count += outcome->skipped.of[i].count;
        return count;
}

static void values_of_one_document(void **state _unused_)
{
        static const struct {
                const char *yaml, *json, *line; /* line NULL: no sample */
                enum skip_reason reason;        /* SKIP_REASONS: nothing is skipped */
        } cases[] = {
                {"{name: a, value: x.y}", "{\"x\":{\"y\":1.5}}", "a 1.5", SKIP_REASONS},
                {"{name: a, value: x.1}", "{\"x\":[1,2]}", "a 2", SKIP_REASONS},
                {"{name: a, value: 'x\\.y'}", "{\"x.y\":3,\"x\":{\"y\":1}}", "a 3", SKIP_REASONS},
                {"{name: a, value: .}", "7", "a 7", SKIP_REASONS},
                {"{name: a, value: x}", "{\"x\":true}", "a 1", SKIP_REASONS},
                {"{name: a, value: x}", "{\"x\":false}", "a 0", SKIP_REASONS},
                {"{name: a, value: x}", "{\"x\":\"-1.5e3\"}", "a -1500", SKIP_REASONS},
                {"{name: a, value: x, factor: 0.001}", "{\"x\":\"250\"}", "a 0.25", SKIP_REASONS},
                {"{name: a, value: x, factor: 0.001}", "{\"x\":250}", "a 0.25", SKIP_REASONS},
                {"{name: a, value: x}", "{\"x\":null}", NULL, SKIP_REASONS},
                {"{name: a, value: x}", "{}", NULL, SKIP_MISSING},
                {"{name: a, value: x.y.z}", "{\"x\":1}", NULL, SKIP_MISSING},
                {"{name: a, value: x}", "{\"x\":\"\"}", NULL, SKIP_MALFORMED},
                {"{name: a, value: x}", "{\"x\":\" 1\"}", NULL, SKIP_MALFORMED},
                {"{name: a, value: x}", "{\"x\":\"0x10\"}", NULL, SKIP_MALFORMED},
                {"{name: a, value: x}", "{\"x\":\"12 ms\"}", NULL, SKIP_MALFORMED},
                {"{name: a, value: x}", "{\"x\":\"nan\"}", NULL, SKIP_MALFORMED},
                {"{name: a, value: x}", "{\"x\":[1]}", NULL, SKIP_MALFORMED},
                {"{name: a, value: x}", "{\"x\":{}}", NULL, SKIP_MALFORMED},
                {"{name: a, value: x, values: {ok: 1, degraded: 0}}", "{\"x\":\"degraded\"}", "a 0",
                 SKIP_REASONS},
                {"{name: a, value: x, values: {ok: 1, degraded: 0}}", "{\"x\":\"else\"}", NULL,
                 SKIP_MALFORMED},
                {"{name: a, value: x, values: {ok: 1, '*': -1}}", "{\"x\":\"else\"}", "a -1", SKIP_REASONS},
                {"{name: a, value: x, values: {'true': 5}}", "{\"x\":true}", "a 5", SKIP_REASONS},
                {"{name: a, value: x, values: {ok: 1}}", "{\"x\":4}", "a 4", SKIP_REASONS},
                {"{name: a, value: x, values: {'*': 1}}", "{\"x\":null}", NULL, SKIP_REASONS},
                {"{name: a, value: x, format: timestamp}", "{\"x\":\"1970-01-01T01:00:01.5+01:00\"}", "a 1.5",
                 SKIP_REASONS},
                {"{name: a, value: x, format: timestamp}", "{\"x\":\"0001-01-01T00:00:00Z\"}", NULL,
                 SKIP_REASONS},
                {"{name: a, value: x, format: timestamp}", "{\"x\":\"yesterday\"}", NULL, SKIP_MALFORMED},
                {"{name: a, value: x, format: timestamp}", "{\"x\":12}", "a 12", SKIP_REASONS},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct outcome outcome = measure(cases[i].yaml, cases[i].json);
                bool told =
                        cases[i].reason == SKIP_REASONS
                                ? skipped(&outcome) == 0
                                : skipped(&outcome) == 1 && outcome.skipped.of[cases[i].reason].count == 1;
                if (!told)
                        fail_msg("%s of %s: %zu skipped", cases[i].yaml, cases[i].json, skipped(&outcome));
                if (cases[i].line)
                        assert_line(outcome.page, cases[i].line);
                else
                        assert_nowhere(outcome.page, "\na ");
                release(&outcome);
        }
}

static void a_series_for_each_item(void **state _unused_)
{
        struct outcome outcome = measure(
                "{name: q, each: queues, value: stats.length, "
                "labels: {queue: name, id: id, ready: stats.ready, gone: nowhere}}",
                "{\"queues\":[{\"name\":\"in\",\"id\":3045210000000,\"stats\":{\"length\":3,\"ready\":true}},"
                "{\"name\":\"out\",\"id\":null,\"stats\":{\"length\":0}},"
                "{\"name\":\"none\",\"stats\":{\"length\":null}},{\"name\":\"bad\"},[]]}");
        assert_line(outcome.page, "q{queue=\"in\",id=\"3045210000000\",ready=\"true\"} 3");
        assert_line(outcome.page, "q{queue=\"out\"} 0");
        assert_nowhere(outcome.page, "none");
        assert_int_equal(outcome.skipped.of[SKIP_MISSING].count, 2);
        assert_string_equal(skipped_items_text(&outcome.skipped, SKIP_MISSING),
                            "q, item 3: stats.length is not there; q, item 4: stats.length is not there");
        release(&outcome);
}

/* json_exporter#83, #96, #197, #215, #343: mappings by their keys. */
static void a_mapping_gives_its_keys(void **state _unused_)
{
        struct outcome outcome = measure("{name: v, each: values, keys: phase, value: value}, {name: n, "
                                         "each: ., keys: name, value: count}",
                                         "{\"values\":{\"V_L1\":{\"value\":229.906},\"V_L2\":{\"value\":"
                                         "\"231.95\"}},\"b\":{\"count\":2}}");
        assert_line(outcome.page, "v{phase=\"V_L1\"} 229.906");
        assert_line(outcome.page, "v{phase=\"V_L2\"} 231.95");
        assert_line(outcome.page, "n{name=\"b\"} 2");
        assert_int_equal(outcome.skipped.of[SKIP_MISSING].count, 1); /* values.count */
        release(&outcome);
}

/* json_exporter#85, #132, #133: lists within lists, and labels of what is above. */
static void lists_within_lists_know_what_is_above(void **state _unused_)
{
        static const char document[] = "{\"category\":\"living\",\"beings\":[{\"kind\":\"animals\","
                                       "\"specifics\":[{\"noun\":\"lion\",\"population\":123},"
                                       "{\"noun\":\"deer\",\"population\":456}]},{\"kind\":\"fish\","
                                       "\"specifics\":null},{\"kind\":\"trees\"},"
                                       "{\"kind\":\"stones\",\"specifics\":7}]}";
        struct outcome outcome =
                measure("{name: p, each: beings.*.specifics, value: population, keys: [a, b], "
                        "labels: {noun: noun, kind: ^.kind, category: ^^.category}}",
                        document);
        assert_line(outcome.page,
                    "p{a=\"0\",b=\"0\",noun=\"lion\",kind=\"animals\",category=\"living\"} 123");
        assert_line(outcome.page,
                    "p{a=\"0\",b=\"1\",noun=\"deer\",kind=\"animals\",category=\"living\"} 456");
        assert_string_equal(skipped_items_text(&outcome.skipped, SKIP_MISSING),
                            "p, item 2: specifics is not there");
        assert_string_equal(skipped_items_text(&outcome.skipped, SKIP_MALFORMED),
                            "p, item 3: specifics is no list or mapping");
        release(&outcome);
        outcome = measure("{name: m, each: '*.*', keys: [row, column, cell]}", "{\"x\":[[1,2],{\"y\":3}]}");
        assert_line(outcome.page, "m{row=\"x\",column=\"0\",cell=\"1\"} 2");
        assert_line(outcome.page, "m{row=\"x\",column=\"1\",cell=\"y\"} 3");
        release(&outcome);
}

static void labels_that_are_none_cost_their_item(void **state _unused_)
{
        _cleanup_text_ struct text json = {0};
        text_puts(&json, "[{\"l\":\"\xff\",\"v\":1},{\"l\":{},\"v\":2},{\"l\":\"");
        for (int i = 0; i < 1025; i++)
                text_putc(&json, 'x');
        text_puts(&json, "\",\"v\":3},{\"l\":\"a\\n\\\"b\",\"v\":4}]");
        struct outcome outcome = measure("{name: a, each: ., value: v, labels: {l: l}}", text_string(&json));
        assert_string_equal(outcome.page, "# HELP a Measured by a query of the operator.\n# TYPE a gauge\n"
                                          "a{l=\"a\\n\\\"b\"} 4\n");
        assert_int_equal(outcome.skipped.of[SKIP_NOT_UTF8].count, 1);
        assert_int_equal(outcome.skipped.of[SKIP_MALFORMED].count, 1);
        assert_int_equal(outcome.skipped.of[SKIP_BEYOND_LIMIT].count, 1);
        release(&outcome);
}

static void mistakes_have_their_place(void **state _unused_)
{
#define HTTP(metric) "{url: \"http://h/\", metrics: [" metric "]}"
        assert_complaint("http", HTTP("{name: a}"), "where its value stands is missing");
        assert_complaint("http", HTTP("{name: a_total, value: x}"), "counters, and only they");
        assert_complaint("http", HTTP("{name: a, value: ^.x}"), "goes up 1, but there are 0 above");
        assert_complaint("http", HTTP("{name: a, each: x, value: ^^.x}"), "goes up 2, but there is 1 above");
        assert_complaint("http", HTTP("{name: a, each: x, value: ^y}"), "behind ^ comes a dot");
        assert_complaint("http", HTTP("{name: a, value: x..y}"),
                         "\"x..y\" has no name beside one of its dots");
        assert_complaint("http", HTTP("{name: a, value: .x}"), "has no name beside one of its dots");
        assert_complaint("http", HTTP("{name: a, each: x., value: y}"), "has no name beside one of its dots");
        assert_complaint("http", HTTP("{name: a, each: x, value: ^.y.}"),
                         "has no name beside one of its dots");
        assert_complaint("http", HTTP("{name: a, each: a.*.b.*.c.*.d.*.e}"), "at most 3 times");
        assert_complaint("http", HTTP("{name: a, each: x, keys: [b, c]}"),
                         "one for each level of `each`, which are 1");
        assert_complaint("http", HTTP("{name: a, value: x, keys: [b]}"), "which are 0");
        assert_complaint("http", HTTP("{name: a, each: x, labels: {check: y}}"),
                         "the label \"check\" already");
        assert_complaint("http", HTTP("{name: a, each: x, keys: le}"), "for the rows of histograms");
        assert_complaint("http", HTTP("{name: a, each: x, keys: b, labels: {b: y}}"), "among `keys` already");
        assert_complaint("http", HTTP("{name: a, value: x, values: {ok: good}}"), "ok: ");
        assert_complaint("exec", "{command: /bin/true, output: prometheus, metrics: [{name: a, value: x}]}",
                         "value is of use to JSON alone");
        assert_complaint("exec", "{command: /bin/true, output: json}", "go together");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_of_one_document),
                cmocka_unit_test(a_series_for_each_item),
                cmocka_unit_test(a_mapping_gives_its_keys),
                cmocka_unit_test(lists_within_lists_know_what_is_above),
                cmocka_unit_test(labels_that_are_none_cost_their_item),
                cmocka_unit_test(mistakes_have_their_place),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
