/* SPDX-License-Identifier: Apache-2.0 */
/* remediations.yml: what is read, and the mistakes that are named with their place. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdio.h>

#include "responder/remediation/remediation.h"
#include "runbook/http_client.h"

static const char top[] = "receivers:\n  - {name: oncall, format: log}\n  - {name: security, format: log}\n"
                          "prometheus_url: http://127.0.0.1:9090\nescalate_to: oncall\n";

/* Loads `top` with what follows; the complaints are in `error`. */
static struct remediation_set *load(const char *head, const char *rest, struct error *error)
{
        char path[] = "/tmp/runbook-remediation-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        FILE *file = fdopen(fd, "w");
        assert_non_null(file);
        assert_true(fprintf(file, "%s%s", head, rest) > 0);
        assert_int_equal(fclose(file), 0);
        struct remediation_set *set = NULL;
        int r = remediation_set_load(path, &set, error);
        assert_true(r == 0 || r == -EINVAL);
        assert_true((r == 0) == (set != NULL));
        unlink(path);
        return set;
}

static void test_whole(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        struct remediation_set *set = load(
                top,
                "remediations:\n"
                "  - name: one\n"
                "    match: ['alertname=~\"a|b\"', 'service!=\"\"']\n"
                "    cooldown: 15m\n"
                "    limit: 3 per 1d\n"
                "    lock: service/${labels.service}\n"
                "    expire: 2h\n"
                "    approval: true\n"
                "    on_failure: undo\n"
                "    escalate_to: security\n"
                "    steps:\n"
                "      - host.memory: {}\n"
                "      - notify: {to: oncall, text: 'x ${labels.service}'}\n"
                "        timeout: 7s\n"
                "        max: 4\n"
                "        on_failure: continue\n"
                "    verify: {query: 'up{job=\"${labels.job}\"} == 1', for: 30s, within: 6m, every: 2s}\n"
                "  - {name: two, match: 'alertname=\"c\"', steps: [{host.memory: {}}]}\n",
                &error);
        if (!set)
                fail_msg("%s", error_text(&error));
        assert_int_equal(set->count, 2);
        const struct remediation *one = remediation_find(set, "one");
        assert_non_null(one);
        assert_int_equal(one->match.count, 2);
        assert_int_equal(one->cooldown, 15 * 60 * NSEC_PER_SEC);
        assert_int_equal(one->limit.count, 3);
        assert_int_equal(one->limit.period, 24 * 3600 * NSEC_PER_SEC);
        assert_string_equal(one->lock, "service/${labels.service}");
        assert_true(one->approval.wanted);
        assert_int_equal(one->expire, 2 * 3600 * NSEC_PER_SEC);
        assert_int_equal(one->on_failure, ON_FAILURE_UNDO);
        assert_string_equal(one->escalate_to, "security");
        assert_int_equal(one->step_count, 2);
        assert_string_equal(one->steps[0].action->name, "host.memory");
        assert_int_equal(one->steps[0].on_failure, ON_FAILURE_UNDO); /* the remediation's */
        assert_true(one->steps[0].timeout > 0);
        assert_int_equal(one->steps[1].timeout, 7 * NSEC_PER_SEC);
        assert_int_equal(one->steps[1].max, 4);
        assert_int_equal(one->steps[1].on_failure, ON_FAILURE_CONTINUE);
        assert_true(one->steps[0].essential == 1 && one->steps[1].essential == 0);
        assert_non_null(one->verify.query);
        assert_null(one->verify.check);
        assert_int_equal(one->verify.hold_for, 30 * NSEC_PER_SEC);
        assert_int_equal(one->verify.within, 6 * 60 * NSEC_PER_SEC);
        assert_int_equal(one->verify.every, 2 * NSEC_PER_SEC);

        const struct remediation *two = remediation_find(set, "two");
        assert_null(two->lock);
        assert_null(two->verify.query);
        assert_null(two->verify.check);
        assert_string_equal(two->escalate_to, "oncall");
        assert_int_equal(two->expire, 3600 * NSEC_PER_SEC);
        assert_int_equal(two->on_failure, ON_FAILURE_ESCALATE);
        assert_null(remediation_find(set, "three"));
        remediation_set_free(set);
}

/* Each is one mistake, and what the complaint must say, with its line (counted in the whole file). */
static const struct mistake {
        const char *yaml;
        const char *says;
} mistakes[] = {
        {"remediations: []\n", "at least one remediation"},
        {"remediations:\n  - {name: a, match: [], steps: [{host.memory: {}}]}\n", "match"},
        {"remediations:\n  - {name: a, match: ['env!=\"prod\"', 'x=\"\"'], steps: [{host.memory: {}}]}\n",
         "these matchers do not say which alerts are meant"},
        {"remediations:\n  - {name: a, match: ['x'], steps: [{host.memory: {}}]}\n", "7:23"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: []}\n", "at least one step"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memry: {}}]}\n",
         "did you mean \"host.memory\""},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{undo: never}]}\n", "needs an action"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}, notify: {to: oncall, "
         "text: x}}]}\n",
         "one action"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}, undo: "
         "when_resolved}]}\n",
         "cannot be undone"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}, max: -1}]}\n",
         "negative"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], limit: 3 a day, steps: [{host.memory: {}}]}\n",
         "3 per 1d"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], limit: 0 per 1d, steps: [{host.memory: {}}]}\n",
         "3 per 1d"},
        {"breaker: 5\nremediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}]}\n",
         "\"5\" is no limit: write it as \"3 per 1d\""},
        {"storm: 2000 per 1h\nremediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}]}\n",
         "2000 is too many: 1000 is the most"},
        {"fresh_within: 6m\nprometheus_url: http://p\nremediations:\n  - {name: a, match: ['x=\"1\"'], "
         "steps: [{host.memory: {}}]}\n",
         "6:15: is longer than Prometheus looks back: 5m is the most"},
        {"fresh_within: soon\nremediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}]}\n",
         "6:15: "},
        {"limit_all: 20 an hour\nremediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: "
         "{}}]}\n",
         "6:12: \"20 an hour\" is no limit: write it as \"3 per 1d\""},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], limit: 2 per 1, steps: [{host.memory: {}}]}\n",
         "not a duration"},
        {"remediations:\n  - {name: 'a b', match: ['x=\"1\"'], steps: [{host.memory: {}}]}\n", "is no name"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}]}\n  - {name: a, match: "
         "['x=\"1\"'], steps: [{host.memory: {}}]}\n",
         "already"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], escalate_to: somebody, steps: [{host.memory: "
         "{}}]}\n",
         "no receiver \"somebody\""},
#define APPROVAL(what) \
        "remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}], approval: " what "}\n"
        {APPROVAL("yes please"), "must be true or false, or a mapping"},
        {APPROVAL("{on_timeout: run}"), ": needs a `deadline`"},
        {APPROVAL("{deadline: 1h}"), "must be shorter than `expire` (1h)"},
        {APPROVAL("{deadline: 1m, on_timeout: run, people: 2}"), "does not run because nobody has answered"},
        {APPROVAL("{people: 3}"), "3 are too many: 2 are the most"},
        {APPROVAL("{when: {outside_hours: true}}"), "needs `hours` at the top of the file"},
        {APPROVAL("{when: {outside_hours: false}}"), "nobody would ever be asked"},
        {APPROVAL("{when: {after: 3 a day}}"), "3 per 1d"},
        {APPROVAL("{when: {more_than: 0}}"), "more_than"},
        {APPROVAL("{wen: {more_than: 1}}"), "did you mean"},
        {"hours: [Mon-Fri 9-17]\n" APPROVAL("true"), "6:9: \"Mon-Fri 9-17\" is no time of the week"},
        {"hours: [Mon]\ntime_zone: Europe/Berlim\n" APPROVAL("true"), "7:12: "},
#define MAINTENANCE(what) "maintenance: " what "\n" APPROVAL("true")
        {MAINTENANCE("{hours: [Sun 2-4]}"), "6:23: \"Sun 2-4\" is no time of the week"},
        {MAINTENANCE("{hours: [Sun-Sat]}"), "nothing would ever be begun"},
        {MAINTENANCE("{silence: ['x']}"), "6:25"},
        {MAINTENANCE("{silence: ['a!=\"b\"']}"), "Alertmanager takes no silence"},
        {MAINTENANCE("{silences: false, silence: ['a=\"b\"']}"), "contradicts `silences: false`"},
        {MAINTENANCE("{hour: [Sun]}"), "did you mean"},
#undef MAINTENANCE
#define ESCALATION(what) "escalation: " what "\n" APPROVAL("true")
        {ESCALATION("[]"), "must be a list of 1 to 8 levels"},
        {ESCALATION("oncall"), "must be a list of 1 to 8 levels"},
        {ESCALATION("[{to: oncall}, {to: lead, after: 5m}]"), "6:33: there is no receiver \"lead\""},
        {ESCALATION("[{to: oncall, after: 5m}]"), "6:34: the first level is called at once"},
        {ESCALATION("[{to: oncall}, {to: oncall}]"), "longer than that of the level before"},
        {ESCALATION("[{to: oncall}, {to: oncall, after: 5m}, {to: oncall, after: 5m}]"),
         "6:73: `after` must be longer"},
        {ESCALATION("[{to: oncall}, {to: oncall, after: 5m, in_hours: true}]"), "needs `hours` at the top"},
        {ESCALATION("[{after: 5m}]"), "to"},
        {ESCALATION("{chains: [{to: oncall}]}"), "must be a mapping of at most 32 chains"},
        {ESCALATION("{by: x}"), "chains"},
        {ESCALATION("{chains: {P1: []}}"), "6:27: must be a list of 1 to 8 levels"},
#undef ESCALATION
#undef APPROVAL
        {"tell: [heald]\nremediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}]}\n",
         "6:7: there is no end \"heald\"; did you mean \"healed\"?"},
        {"human_signs: [docker, dokcer]\nremediations:\n  - {name: a, match: ['x=\"1\"'], steps: "
         "[{host.memory: "
         "{}}]}\n",
         "6:23: there is no sign \"dokcer\"; did you mean \"docker\"?"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], tell: [escalated], steps: [{host.memory: {}}]}\n",
         "there is no end \"escalated\""},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], at_stake: '${labels.}', steps: [{host.memory: "
         "{}}]}\n",
         "7:"},
        {"unmatched_to: somebody\nremediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: "
         "{}}]}\n",
         "6:15: there is no receiver \"somebody\""},
        {"external_url: runbook\nremediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: "
         "{}}]}\n",
         "6:15: 'external_url' must begin with"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], lock: '${labels.}', steps: [{host.memory: {}}]}\n",
         "7:"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}], verify: {}}\n",
         "either a query or a check"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}], verify: {check: c}}\n",
         "exporter_url"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}], verify: {query: up, "
         "for: 5m, within: 5m}}\n",
         "shorter than `within`"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}], verify: {query: "
         "'histogram_quantile(0.95, sum by (le) (rate(x_bucket[1m]))) < 2)'}}\n",
         "7:140: 'query' is not PromQL: this ')' closes nothing"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}], verify: {query: "
         "'ratee(up{a=\"${labels.x}\"}[5m]) < 2'}}\n",
         "did you mean \"rate\"?"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}], verify: {query: "
         "'scalar(up) < bool 2'}}\n",
         "'query' gives a scalar, where an instant vector is wanted"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}], veryfy: {query: "
         "up}}\n",
         "verify"},
        {"remediation:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}]}\n", "remediations"},
        {"remediations: {}\n", "list"},
        {"remediations:\n  - text\n", "7:5"},
        {"remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [text]}\n", "a step is a mapping"},
};

/* Steps that wait for longer than they may take, and what looks at once at a verification. */
static void test_times_that_contradict(void **state _unused_)
{
        static const char head[] = "receivers: [{name: oncall, format: log}]\nescalate_to: oncall\n"
                                   "docker: {project: p}\ndatabases: [{name: d, dsn: 'host=/x'}]\n"
                                   "exporter_url: http://127.0.0.1:1\nremediations:\n"
                                   "  - name: a\n    match: ['x=\"1\"']\n    steps:\n";
        static const struct {
                const char *yaml, *says; /* NULL: nothing */
        } cases[] = {
                {"      - docker.restart: {service: w, wait_healthy: 60s}\n        timeout: 10s\n",
                 ":11:18: 10s is less than the 1m which docker.restart in line 10 may take"},
                {"      - docker.restart: {service: w, wait_healthy: 40s, stop_grace: 30s}\n        timeout: "
                 "1m\n",
                 "1m is less than the 1m10s"},
                {"      - docker.set_env: {service: w, env: {A: b}, wait_healthy: 1h}\n",
                 "1h is more than the"},
                {"      - postgres.terminate_queries: {grace: 2m}\n        timeout: 30s\n",
                 "30s is less than the 2m which postgres.terminate_queries"},
                {"      - docker.restart: {service: w, wait_healthy: 60s}\n        timeout: 60s\n", NULL},
                {"      - docker.restart: {service: w}\n        timeout: 10s\n",
                 NULL}, /* its end is the step's */
                {"      - host.memory: {}\n    verify: {check: c, within: 10s, every: 11s}\n",
                 "must not be longer than `within`"},
                {"      - host.memory: {}\n    verify: {check: c, within: 10s, for: 10s}\n",
                 "must be shorter than `within`"},
                {"      - host.memory: {}\n    verify: {check: c, within: 4s}\n", NULL},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                struct remediation_set *set = load(head, cases[i].yaml, &error);
                if (!set != !!cases[i].says || (!set && !strstr(error_text(&error), cases[i].says)))
                        fail_msg("%s\nis said to be: %s", cases[i].yaml, set ? "fine" : error_text(&error));
                remediation_set_free(set);
        }
}

/* What is taken, and told: labels that may be absent (N-21), two for one alert (N-31), a hold that never
 * ends. */
static void test_doubts(void **state _unused_)
{
        static const struct {
                const char *yaml, *says; /* NULL: nothing */
        } cases[] = {
                {"  - {name: a, match: ['service=\"w\"'], lock: 's/${labels.servce}', steps: [{host.memory: "
                 "{}}]}\n",
                 ":9:57: no matcher makes sure of the label 'servce', and an alert without it cannot be "
                 "bound "
                 "here; did you mean 'service'?"},
                {"  - {name: a, match: ['service=\"w\"'], steps: [{notify: {to: oncall, text: "
                 "'${labels.key}'}}]}\n",
                 "the label 'key'"},
                {"  - {name: a, match: ['x=\"w\"'], steps: [{host.memory: {}}],\n"
                 "     verify: {query: 'up{job=\"${labels.job}\"} == 1'}}\n",
                 ":10:40: no matcher makes sure of the label 'job'"},
                {"  - {name: a, match: ['x=\"w\"', 'y=~\"|b\"'], lock: '${labels.y}', steps: [{host.memory: "
                 "{}}]}\n",
                 "the label 'y'"},
                {"  - {name: a, match: ['x=\"w\"', 'y=~\".+\"', 'z!=\"\"'], lock: "
                 "'${labels.x}${labels.y}${labels.z}',\n"
                 "     steps: [{notify: {to: oncall, text: '$${labels.no} ${annotations.x} "
                 "${incident.id}'}}]}\n",
                 NULL},
                {"  - {name: a, match: ['x=~\"high.*\"', 's!=\"\"'], steps: [{host.memory: {}}]}\n"
                 "  - {name: b, match: ['x=\"highest\"', 's=~\"q|r\"'], steps: [{host.memory: {}}]}\n",
                 ":10:22: one alert sets off \"a\" as well, and each does its own: {x=\"highest\", s=\"q\"}"},
                {"  - {name: a, match: ['x=\"1\"', 's!=\"q\"'], steps: [{host.memory: {}}]}\n"
                 "  - {name: b, match: ['x=\"1\"', 's=\"q\"'], steps: [{host.memory: {}}]}\n"
                 "  - {name: c, match: ['x=~\"2|3\"'], steps: [{host.memory: {}}]}\n",
                 NULL},
                {"  - {name: a, match: ['x=\"1\"'], cooldown: 2h, steps: [{host.memory: {}}]}\n",
                 "what the cooldown holds"},
                {"  - {name: a, match: ['x=\"1\"', 's!=\"\"', 'x=~\"2|3\"'], steps: [{host.memory: {}}]}\n",
                 ":9:22: no alert sets it off: what one matcher wants of the label 'x' another one refuses"},
                {"  - {name: a, match: ['x=\"1\"', 'x!=\"1\"'], steps: [{host.memory: {}}]}\n",
                 "no alert sets"},
                {"  - {name: a, match: ['x=\"1\"', 'x=~\"1|3\"', 'x!=\"3\"'], steps: [{host.memory: {}}]}\n",
                 NULL},
                {"  - {name: a, match: ['x=\"1\"'], lock: a, steps: [{docker.restart: {service: w}}]}\n"
                 "  - {name: b, match: ['x=\"2\"'], steps: [{docker.set_env: {service: w, env: {A: b}}}]}\n",
                 ":10:40: \"a\" changes the service w as well, and under another lock"},
                {"  - {name: a, match: ['x=\"1\"'], steps: [{docker.restart: {service: w}}]}\n"
                 "  - {name: b, match: ['x=\"2\"'], steps: [{docker.set_env: {service: w, env: {A: b}}}]}\n"
                 "  - {name: c, match: ['x=\"3\"'], lock: c, urgent: true, steps: [{docker.restart: "
                 "{service: w}}]}\n"
                 "  - {name: d, match: ['x=\"4\"'], lock: d, steps: [{docker.record: {service: w}}]}\n",
                 NULL},
                {"  - {name: a, match: ['x=\"1\"'], cooldown: 2h, expire: 2h, steps: [{host.memory: {}}]}\n",
                 NULL},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_text_ struct text yaml = {0};
                text_printf(&yaml,
                            "exporter_url: http://127.0.0.1:1\ndocker: {project: p}\nremediations:\n%s",
                            cases[i].yaml);
                struct remediation_set *set = load(top, text_string(&yaml), &error);
                if (!set)
                        fail_msg("%s: %s", cases[i].yaml, error_text(&error));
                if (!set->doubts != !cases[i].says || (set->doubts && !strstr(set->doubts, cases[i].says)))
                        fail_msg("%s\nis doubted: %s", cases[i].yaml, set->doubts ? set->doubts : "not");
                remediation_set_free(set);
        }
}

static void test_mistakes(void **state _unused_)
{
        for (size_t i = 0; i < N_ELEMENTS(mistakes); i++) {
                _cleanup_error_ struct error error = {0};
                struct remediation_set *set = load(top, mistakes[i].yaml, &error);
                if (set)
                        fail_msg("taken: %s", mistakes[i].yaml);
                if (!strstr(error_text(&error), mistakes[i].says))
                        fail_msg("%s\nis said to be: %s\nand not: %s", mistakes[i].yaml, error_text(&error),
                                 mistakes[i].says);
        }
}

static void test_every_mistake_at_once(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        assert_null(load("escalate_to: oncall\nnonsense: 1\n",
                         "remediations:\n  - {name: 'a b', match: ['x'], steps: [{host.memry: {}}]}\n",
                         &error));
        for (const char *const *says =
                     (const char *const[]){"escalate_to", "nonsense", "is no name", "host.memory", NULL};
             *says; says++)
                if (!strstr(error_text(&error), *says))
                        fail_msg("nothing about %s in: %s", *says, error_text(&error));
}

/* Somebody has to hear of what needs a person, or the file says that nobody does. */
static void test_somebody(void **state _unused_)
{
        static const char steps[] = "match: ['x=\"1\"'], steps: [{host.memory: {}}]";
        static const struct {
                const char *head, *own, *says; /* says: NULL: taken */
        } rows[] = {
                {"", "", "3:12: nobody is called when this needs a person: give `escalate_to` a receiver"},
                {"", "on_failure: stop, ", "3:12: nobody is called"}, /* it may expire all the same */
                {"", "escalate_to: nobody, ", NULL},
                {"", "escalate_to: oncall, ", NULL},
                {"escalate_to: nobody\n", "", NULL},
                {"escalate_to: nobody\n", "approval: true, ", NULL},
                {"escalate_to: oncall\n", "escalate_to: nobody, ", NULL},
        };
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *rest = text_format("%sremediations:\n  - {name: a, %s%s}\n",
                                                        rows[i].head, rows[i].own, steps);
                struct remediation_set *set =
                        load("receivers: [{name: oncall, format: log}]\n", rest, &error);
                if (!set != (rows[i].says != NULL) ||
                    (rows[i].says && !strstr(error_text(&error), rows[i].says)))
                        fail_msg("%s is %s: %s", rest, set ? "taken" : "refused", error_text(&error));
                remediation_set_free(set);
        }
        _cleanup_error_ struct error error = {0};
        assert_null(load("receivers: [{name: nobody, format: log}]\n",
                         "remediations:\n  - {name: a, match: ['x=\"1\"'], steps: [{host.memory: {}}]}\n",
                         &error));
        assert_non_null(strstr(error_text(&error), "1:20: a receiver cannot be called nobody"));
}

/* Which ends are told is the remediation's own, else the file's. */
static void test_tell(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        struct remediation_set *set =
                load(top,
                     "tell: [healed, done]\nremediations:\n"
                     "  - {name: file, match: ['x=\"1\"'], steps: [{host.memory: {}}]}\n"
                     "  - {name: own, match: ['x=\"1\"'], tell: cancelled, steps: [{host.memory: {}}]}\n"
                     "  - {name: none, match: ['x=\"1\"'], tell: [], at_stake: 'key ${labels.k}', steps: "
                     "[{host.memory: {}}]}\n",
                     &error);
        if (!set)
                fail_msg("%s", error_text(&error));
        assert_true(remediation_tells(remediation_find(set, "file"), "healed"));
        assert_true(remediation_tells(remediation_find(set, "file"), "done"));
        assert_false(remediation_tells(remediation_find(set, "file"), "cancelled"));
        assert_true(remediation_tells(remediation_find(set, "own"), "cancelled"));
        assert_false(remediation_tells(remediation_find(set, "own"), "healed"));
        assert_false(remediation_tells(remediation_find(set, "none"), "healed"));
        assert_false(remediation_tells(NULL, "healed"));
        assert_string_equal(remediation_find(set, "none")->at_stake, "key ${labels.k}");
        remediation_set_free(set);
}

static void test_empty(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        assert_null(load("\n", "", &error));
        assert_null(load("- a\n", "", &error));
        assert_null(load("a: [\n", "", &error));
        struct remediation_set *set = NULL;
        assert_int_equal(remediation_set_load("/nonexistent/remediations.yml", &set, &error), -ENOENT);
}

/* Beside a step, and what it comes to under a remediation's own `on_failure`. */
static void test_essential(void **state _unused_)
{
        static const struct {
                const char *beside, *policy;
                int essential, on_failure; /* -1: a mistake */
        } cases[] = {
                {"", "escalate", 1, ON_FAILURE_ESCALATE},
                {", essential: no", "escalate", 0, ON_FAILURE_CONTINUE},
                {", essential: false", "undo", 0, ON_FAILURE_CONTINUE},
                {", essential: yes", "undo", 1, ON_FAILURE_UNDO},
                {", essential: true", "stop", 1, ON_FAILURE_STOP},
                {", on_failure: continue", "stop", 0, ON_FAILURE_CONTINUE},
                {", essential: no, on_failure: continue", "stop", 0, ON_FAILURE_CONTINUE},
                {"", "continue", 0, ON_FAILURE_CONTINUE},
                {", on_failure: undo", "continue", 1, ON_FAILURE_UNDO},
                {", essential: yes", "continue", 1, ON_FAILURE_ESCALATE},
                {", essential: yes, on_failure: continue", "escalate", -1, 0},
                {", essential: no, on_failure: undo", "escalate", -1, 0},
                {", essential: maybe", "escalate", -1, 0},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *yaml = text_format("remediations:\n  - {name: a, match: ['x=\"1\"'], "
                                                        "on_failure: %s, steps: [{host.memory: "
                                                        "{}%s}]}\n",
                                                        cases[i].policy, cases[i].beside);
                struct remediation_set *set = load(top, yaml, &error);
                if ((cases[i].essential < 0) != !set)
                        fail_msg("%s: %s", yaml, error_text(&error));
                if (!set) {
                        assert_non_null(strstr(error_text(&error), "essential"));
                        continue;
                }
                const struct step *step = &set->remediations[0].steps[0];
                assert_int_equal(step->essential, cases[i].essential);
                assert_int_equal(step->on_failure, cases[i].on_failure);
                remediation_set_free(set);
        }
}

/* What only looks, tidies up or tells never keeps the shipped cures from being done. */
static void check_shipped_steps(const struct remediation *remediation)
{
        for (size_t i = 0; i < remediation->step_count; i++) {
                const struct step *step = &remediation->steps[i];
                bool accompanies = step->action->effect == EFFECT_READ_ONLY ||
                                   string_equal(step->action->name, "docker.prune");
                if (step->essential == accompanies)
                        fail_msg("%s: step %zu (%s)", remediation->name, i + 1, step->action->name);
        }
}

static void test_shipped(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        struct remediation_set *set = NULL;
        if (remediation_set_load("rules/remediations.yml", &set, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_non_null(remediation_find(set, "high_latency"));
        assert_non_null(remediation_find(set, "high_error_rate"));
        assert_non_null(remediation_find(set, "pool_exhausted"));
        assert_non_null(remediation_find(set, "api_key_compromise"));
        for (size_t i = 0; i < set->count; i++)
                check_shipped_steps(&set->remediations[i]);
        assert_null(set->doubts);
        remediation_set_free(set);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_times_that_contradict),
                cmocka_unit_test(test_doubts),
                cmocka_unit_test(test_every_mistake_at_once),
                cmocka_unit_test(test_somebody),
                cmocka_unit_test(test_tell),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_essential),
                cmocka_unit_test(test_shipped),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
