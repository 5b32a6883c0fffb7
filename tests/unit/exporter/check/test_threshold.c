/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds: what may be written, and which series are beyond one. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "exporter/check/internal.h"

static const struct metric_family used = {"t_used_bytes", METRIC_GAUGE, "bytes", "U."},
                                  size = {"t_size_bytes", METRIC_GAUGE, "bytes", "S."},
                                  expiry = {"t_expiry_timestamp_seconds", METRIC_GAUGE, "seconds", "E."},
                                  lag = {"t_lag_seconds", METRIC_GAUGE, "seconds", "L."},
                                  stall = {"t_pause_seconds", METRIC_GAUGE, "seconds", "P."},
                                  share = {"t_share_ratio", METRIC_GAUGE, NULL, "S."},
                                  max = {"t_max", METRIC_GAUGE, NULL, "M."},
                                  open = {"t_open", METRIC_GAUGE, NULL, "O."},
                                  times = {"t_time_seconds", METRIC_HISTOGRAM, "seconds", "T."};
static const struct metric_family *const families[] = {&used,  &size, &expiry, &lag,   &stall,
                                                       &share, &max,  &open,   &times, NULL};

#define NOW (1000000 * NSEC_PER_SEC)

/* What a run measured: two disks, three keys, connections by state. */
static void measure(struct sample_set *set)
{
        struct sample_sink sink = {set};
        SAMPLE(&sink, &used, 90, {"disk", "a"});
        SAMPLE(&sink, &size, 100, {"disk", "a"});
        SAMPLE(&sink, &used, 20, {"disk", "b,\"disk=\\a"});
        SAMPLE(&sink, &size, 100, {"disk", "b,\"disk=\\a"});
        SAMPLE(&sink, &used, 5, {"disk", "without size"});
        SAMPLE(&sink, &expiry, 1000000 + 86400, {"name", "soon"});
        SAMPLE(&sink, &expiry, 1000000 + 864000, {"name", "late"});
        SAMPLE(&sink, &expiry, 1000000 - 60, {"name", "gone"});
        SAMPLE(&sink, &open, 30, {"db", "x"}, {"state", "active"});
        SAMPLE(&sink, &open, 65, {"db", "x"}, {"state", "idle"});
        SAMPLE(&sink, &open, 4, {"db", "y"}, {"state", "idle"});
        SAMPLE_BARE(&sink, &max, 100);
        SAMPLE_BARE(&sink, &lag, NAN);
        SAMPLE_BARE(&sink, &stall, 1.7);
        SAMPLE_BARE(&sink, &share, 0.81);
        assert_int_equal(set->error, 0);
}

struct seen {
        struct text text;
};

static void see(const struct judgement *judgement, void *context)
{
        struct seen *seen = context;
        text_printf(&seen->text, "%.*s%s=", (int)judgement->labels_length, judgement->labels,
                    judgement->beyond ? "!" : "");
        judgement_put_value(&seen->text, judgement);
        text_puts(&seen->text, ";");
}

/* How many are beyond `condition`, and what was seen of each. */
static void assert_judged(const char *condition, size_t beyond, const char *expected)
{
        struct thresholds one = {.items = calloc(1, sizeof(struct threshold)), .count = 1};
        _cleanup_error_ struct error error = {0};
        struct sample_set set = {0};
        struct seen seen = {0};
        assert_non_null(one.items);
        if (threshold_parse(condition, THRESHOLD_WARN, one.items, &error) < 0)
                fail_msg("%s: %s", condition, error_text(&error));
        thresholds_bind(&one, families, NULL, NULL);
        measure(&set);
        assert_int_equal(threshold_judge(one.items, &set, NOW, see, &seen), beyond);
        assert_string_equal(text_string(&seen.text), expected);
        text_free(&seen.text);
        sample_set_release(&set);
        thresholds_release(&one);
}

static void values_stand_to_their_limits(void **state _unused_)
{
        assert_judged("t_open{db=\"x\", state=\"idle\"} > 64", 1, "db=\"x\",state=\"idle\"!=65;");
        assert_judged("t_open{state=\"idle\"}>=65", 1,
                      "db=\"x\",state=\"idle\"!=65;db=\"y\",state=\"idle\"=4;");
        assert_judged("t_open{db=\"x\",} < 31", 1,
                      "db=\"x\",state=\"active\"!=30;db=\"x\",state=\"idle\"=65;");
        assert_judged("t_open{db=\"y\"} == 4", 1, "db=\"y\",state=\"idle\"!=4;");
        assert_judged("t_open{db=\"y\"} != 4", 0, "db=\"y\",state=\"idle\"=4;");
        assert_judged("t_max <= 100", 1, "!=100;");
        assert_judged("t_used_bytes{disk=\"a\"} > 80B", 1, "disk=\"a\"!=90 B;");
        assert_judged("t_open{db=\"nowhere\"} > 0", 0, "");
        assert_judged("t_pause_seconds > 1500ms", 1, "!=1.7 s;"); /* "1s" would not be beyond it */
        assert_judged("t_share_ratio > 80 %", 1, "!=81 %;");      /* as it is told itself */
        assert_judged("t_lag_seconds > 0", 0, "=not a number;");  /* not a number is beyond nothing */
}

/* A label's value may look like another label; only equal values meet. */
static void two_metrics_meet_where_their_labels_are_equal(void **state _unused_)
{
        assert_judged("t_used_bytes / t_size_bytes > 80%", 1,
                      "disk=\"a\"!=90 %;disk=\"b,\\\"disk=\\\\a\"=20 %;");
        assert_judged("t_used_bytes{disk=\"b,\\\"disk=\\\\a\"} / t_size_bytes > 0", 1,
                      "disk=\"b,\\\"disk=\\\\a\"!=0.2;");
        assert_judged("t_size_bytes - t_used_bytes < 11B", 1,
                      "disk=\"a\"!=10 B;disk=\"b,\\\"disk=\\\\a\"=80 B;");
        assert_judged("t_open{db=\"y\"} / max(t_max) > 3.9%", 1, "db=\"y\",state=\"idle\"!=4 %;");
}

static void aggregates_are_over_all_series(void **state _unused_)
{
        assert_judged("sum(t_open{db=\"x\"}) / t_max > 90%", 1, "!=95 %;");
        assert_judged("t_open{db=\"y\"} / t_max > 3.9%", 0, ""); /* their labels differ */
        assert_judged("max(t_open) / max(t_max) > 0.7", 0, "=0.65;");
        assert_judged("min(t_open) < 5", 1, "!=4;");
        assert_judged("sum(t_open{db=\"nowhere\"}) < 5", 0, ""); /* of nothing there is no sum */
}

static void moments_are_compared_with_now(void **state _unused_)
{
        assert_judged("t_expiry_timestamp_seconds - time() < 7d", 2,
                      "name=\"soon\"!=1d;name=\"late\"=10d;name=\"gone\"!=-1m;");
        assert_judged("time() - t_expiry_timestamp_seconds > 30s", 1,
                      "name=\"soon\"=-1d;name=\"late\"=-10d;name=\"gone\"!=1m;");
        assert_judged("time() - max(t_expiry_timestamp_seconds) > 24h", 0, "=-10d;");
}

static void assert_refused(const char *condition, const char *expected)
{
        _cleanup_error_ struct error error = {0};
        struct threshold threshold;
        assert_int_equal(threshold_parse(condition, THRESHOLD_FAIL, &threshold, &error), -EINVAL);
        threshold_release(&threshold);
        if (!strstr(error_text(&error), expected))
                fail_msg("%s: no \"%s\" in: %s", condition, expected, error_text(&error));
}

static void blanks_count_within_quotes_alone(void **state _unused_)
{
        struct threshold threshold;
        assert_int_equal(
                threshold_parse("  t_open{db = \"a  \\\"  b\"}\n  <\t5 ", THRESHOLD_WARN, &threshold, NULL),
                0);
        assert_string_equal(threshold.expression, "t_open{db = \"a  \\\"  b\"}");
        assert_string_equal(threshold.written, "t_open{db = \"a  \\\"  b\"} < 5");
        threshold_release(&threshold);
}

static void what_is_no_condition_is_refused(void **state _unused_)
{
        assert_refused("", "a metric is needed");
        assert_refused("> 5", "a metric is needed at \"> 5\"");
        assert_refused("t_max", "a comparison");
        assert_refused("t_max => 5", "a comparison (< <= > >= == !=) is needed at \" => 5\"");
        assert_refused("t_max > ", "\"\" is no number");
        assert_refused("t_max > five", "\"five\" is no number: 0.8, 80%, 7d and 5GiB would be");
        assert_refused("t_max > 5 or t_open > 3", "\"5 or t_open > 3\" is no number");
        assert_refused("t_max > x%", "is no percentage");
        assert_refused("t_open{db=x} > 5", "a value in double quotes is needed after db=");
        assert_refused("t_open{db=\"x\" > 5", "\"}\" is missing");
        assert_refused("t_open{db=\"\"} > 5", "a value in double quotes");
        assert_refused("t_open{db=\"x} > 5", "a value in double quotes");
        assert_refused("t_open{db=~\"x\"} > 5", "a value in double quotes");
        assert_refused("avg(t_open) > 5", "avg() is not known: sum, min, max and time() are");
        assert_refused("sum(t_open > 5", "\")\" is missing");
        assert_refused("time() > 5", "there is no metric");
        assert_refused("time() - t_lag_seconds > 5s", "end in _timestamp_seconds");
        assert_refused("t_expiry_timestamp_seconds / time() > 5", "end in _timestamp_seconds");
        assert_refused("t_expiry_timestamp_seconds < 7d", "write t_expiry_timestamp_seconds - time()");
        assert_refused("t_max > 5m", "not in seconds");
        assert_refused("t_share_ratio > 80",
                       "t_share_ratio is a ratio, 1 of which is the whole: write 80%, or 8000%");
        assert_refused("t_used_bytes > 80%",
                       "a percentage is compared with t_used_bytes: divide that by its whole");
        assert_refused("t_lag_seconds > 5%", "a percentage is compared");
        assert_refused("t_lag_seconds > 5KiB", "not in bytes");
        assert_refused("t_used_bytes / t_size_bytes > 5KiB", "not in bytes");
}

/* Each complaint stands at the condition itself. */
static void conditions_are_of_the_checks_own_metrics(void **state _unused_)
{
        static const char yaml[] = "checks:\n"
                                   "  - name: root\n"
                                   "    step: 4\n"
                                   "    disk: {mountpoints: [/]}\n"
                                   "    warn:\n"
                                   "      - runbook_disk_used_ratio > 80%\n"
                                   "      - runbook_disk_used_ratios > 80%\n"
                                   "    fail: runbook_redis_keys > 5\n"
                                   "  - {name: b, step: 4, disk: {mountpoints: [/]}, warn: nonsense}\n"
                                   "  - name: c\n"
                                   "    disk: {mountpoints: [/]}\n"
                                   "    fail: runbook_disk_used_ratio > 70%\n"
                                   "    warn:\n"
                                   "      - runbook_disk_used_ratio > 70%\n"
                                   "      - runbook_disk_used_ratio < 0.1%\n"
                                   "      - runbook_disk_used_ratio   > 0.8\n"
                                   "      - \"\"\n";
        char path[] = "/tmp/runbook-test-threshold-XXXXXX";
        int fd = mkstemp(path);
        struct check_set *set = NULL;
        _cleanup_error_ struct error error = {0};
        assert_true(fd >= 0);
        assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
        close(fd);
        assert_int_equal(check_set_load(path, NULL, &set, &error), -EINVAL);
        unlink(path);
        for (const char *const *expected =
                     (const char *const[]){
                             ":7:9: the check measures no \"runbook_disk_used_ratios\"; did you mean "
                             "\"runbook_disk_used_ratio\"?",
                             ":8:11: the check measures no \"runbook_redis_keys\"",
                             ":9:21: step 4 is check \"root\" already", ":9:56: a comparison",
                             ":16:9: there is a limit for runbook_disk_used_ratio > already under warn",
                             ":17:9: an item of 'warn' must not be empty", NULL};
             *expected; expected++)
                if (!strstr(error_text(&error), *expected))
                        fail_msg("no \"%s\" in:\n%s", *expected, error_text(&error));
        assert_null(strstr(error_text(&error), ":6:"));
        assert_null(strstr(error_text(&error), ":12:"));
        assert_null(
                strstr(error_text(&error), "a metric is needed")); /* what is empty is said to be so, once */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_stand_to_their_limits),
                cmocka_unit_test(two_metrics_meet_where_their_labels_are_equal),
                cmocka_unit_test(aggregates_are_over_all_series),
                cmocka_unit_test(moments_are_compared_with_now),
                cmocka_unit_test(blanks_count_within_quotes_alone),
                cmocka_unit_test(what_is_no_condition_is_refused),
                cmocka_unit_test(conditions_are_of_the_checks_own_metrics),
        };
        return cmocka_run_group_tests_name("threshold", tests, NULL, NULL);
}
