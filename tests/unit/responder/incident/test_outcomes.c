/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of alerts: counted where it is known, by one name in the metric, the page and the document. */
#include "tests/harness/engine.h"

#include <string.h>

#include "responder/incident/meters.h"
#include "runbook/file.h"
#include "runbook/http_client.h"

#define WITH_SERVICE "  - {name: one, match: ['service=\"web\"'], steps: [{act.once: {name: one}}]}\n"
#define WEB "\"service\":\"web\""

static void assert_count(const struct engine_fixture *fixture, enum alert_outcome outcome, double expected)
{
        double counts[OUTCOME_COUNT];
        alert_outcomes_count(fixture->meters, fixture->journal, counts);
        if (counts[outcome] != expected)
                fail_msg("%s: %g, and not %g", alert_outcome_name(outcome), counts[outcome], expected);
}

static struct engine_fixture *open_by_hand(bool dry_run)
{
        struct engine_fixture *fixture = fixture_prepare(WITH_SERVICE);
        hand_ahead = 0;
        fixture->dry_run = dry_run;
        fixture_start_by_hand(fixture);
        return fixture;
}

static void comes(struct engine_fixture *fixture, const char *name, bool firing, const char *labels)
{
        alert_arrives(fixture, name, firing, labels);
        look_until_idle(fixture);
}

static void test_each_is_counted_once(void **state _unused_)
{
        struct engine_fixture *fixture = open_by_hand(false);
        comes(fixture, "f2", true, WEB);
        comes(fixture, "f2", true, WEB);
        comes(fixture, "f3", true, "");
        comes(fixture, "f4", false, WEB);
        comes(fixture, "f2", false, WEB);
        for (int i = 0; i < 3; i++)
                look_until_idle(fixture);
        assert_count(fixture, OUTCOME_MATCHED, 1);
        assert_count(fixture, OUTCOME_REPEATED, 1);
        assert_count(fixture, OUTCOME_UNMATCHED, 1);
        assert_count(fixture, OUTCOME_LATE, 1);
        assert_count(fixture, OUTCOME_RESOLVED, 1);
        assert_count(fixture, OUTCOME_DRY_RUN, 0);
        assert_count(fixture, OUTCOME_SILENCED, 0);
        fixture_close(fixture);
}

static void test_of_a_dry_run(void **state _unused_)
{
        struct engine_fixture *fixture = open_by_hand(true);
        comes(fixture, "f2", true, WEB);
        assert_count(fixture, OUTCOME_DRY_RUN, 1);
        assert_count(fixture, OUTCOME_MATCHED, 0);
        fixture_close(fixture);
}

/* Other guards are none of these. */
static void test_what_its_sender_keeps_back(void **state _unused_)
{
        struct engine_fixture *fixture = open_by_hand(false);
        alert_outcomes_held(fixture->meters, "silenced");
        alert_outcomes_held(fixture->meters, "cooldown");
        alert_outcomes_held(fixture->meters, "matched");
        assert_count(fixture, OUTCOME_SILENCED, 1);
        assert_count(fixture, OUTCOME_MATCHED, 0);
        fixture_close(fixture);
}

/* The document says of each what the metric and the page say. */
static void test_the_document_has_the_table(void **state _unused_)
{
        struct text document = {0};
        assert_int_equal(file_read_whole("docs/responder.md", 1 << 20, &document, NULL), 0);
        for (enum alert_outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
                _cleanup_free_ char *row = text_format("| `%s` | %s |", alert_outcome_name(outcome),
                                                       alert_outcome_words(outcome));
                if (!strstr(text_string(&document), row))
                        fail_msg("docs/responder.md lacks the row\n%s", row);
        }
        text_free(&document);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_is_counted_once),
                cmocka_unit_test(test_of_a_dry_run),
                cmocka_unit_test(test_what_its_sender_keeps_back),
                cmocka_unit_test(test_the_document_has_the_table),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
