/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: the responder's own metrics. */
#include "responder/engine/guard.h"
#include "responder/incident/trust.h"
#include "responder/web/internal.h"

#define FAMILIES(X)                                                                                       \
        X(incidents_family, GAUGE, "runbook_incidents", NULL, "Incidents that have not ended, by state.") \
        X(held_family, GAUGE, "runbook_incidents_held", NULL,                                             \
          "Incidents that are held, by the guard that holds them.")                                       \
        X(until_family, GAUGE, "runbook_incidents_held_until_timestamp_seconds", "seconds",               \
          "Until when a guard holds the last of these; absent: until something changes.")                 \
        X(unmatched_family, GAUGE, "runbook_alerts_unmatched", NULL,                                      \
          "Alerts that fire and that no remediation is for.")                                             \
        X(owed_family, GAUGE, "runbook_calls_owed", NULL, "Calls of a person that nobody has heard yet.") \
        X(paused_family, GAUGE, "runbook_paused", NULL,                                                   \
          "1 while the kill switch holds every remediation back.")                                        \
        X(earned_family, GAUGE, "runbook_remediation_earned", NULL,                                       \
          "1 when a remediation with trust: earned may act by itself; 0 while it asks first.")            \
        X(heals_family, GAUGE, "runbook_remediation_heals_ratio", "ratio",                                \
          "Share of its alerts that such a remediation heals at least, with 95 %.")                       \
        X(sandbox_family, INFO, "runbook_responder_sandbox_info", NULL,                                   \
          "What the responder has given up: by which version of Landlock, and by a seccomp filter.")      \
        X(build_family, INFO, "runbook_responder_build_info", NULL, "Always 1; the version is in the label.")

FAMILIES(DEFINE_FAMILY)

static void collect_incidents(struct journal *journal, struct sample_sink *sink)
{
        size_t counts[INCIDENT_STATE_COUNT];
        if (journal_count_open(journal, counts, NULL) < 0)
                return;
        for (enum incident_state state = INCIDENT_RECEIVED; state < INCIDENT_HEALED; state++)
                SAMPLE(sink, &incidents_family, (double)counts[state], {"state", incident_state_name(state)});
}

#define GUARDS_MOST 16

static void collect_held(struct journal *journal, struct sample_sink *sink)
{
        struct held_count held[GUARDS_MOST] = {0};
        size_t count = 0;
        while (count < GUARDS_MOST && (held[count].guard = guard_name(count)))
                count++;
        if (journal_count_held(journal, held, count, NULL) < 0)
                return;
        for (size_t i = 0; i < count; i++) {
                SAMPLE(sink, &held_family, (double)held[i].incidents, {"guard", held[i].guard});
                if (held[i].until != 0)
                        SAMPLE(sink, &until_family, nsec_to_seconds(held[i].until), {"guard", held[i].guard});
        }
}

/* Of the file that is in force: another one may be read meanwhile. */
static void collect_trust(const struct api *api, struct sample_sink *sink)
{
        _cleanup_(parts_release) struct incident_parts parts = engine_parts(api->options.engine);
        for (size_t i = 0; i < parts.set->count; i++) {
                const struct remediation *remediation = &parts.set->remediations[i];
                struct ledger ledger;
                if (remediation->trust != TRUST_EARNED ||
                    ledger_read(parts.journal, remediation->name, &ledger, NULL) < 0)
                        continue;
                SAMPLE(sink, &earned_family, ledger_earns(&ledger), {"remediation", remediation->name});
                SAMPLE(sink, &heals_family, ledger.assured, {"remediation", remediation->name});
        }
}

void api_metrics(struct api *api, struct http_exchange *exchange)
{
        const struct incident_parts *parts = &api->options.parts;
        struct sample_set set = {0};
        struct sample_sink sink = {&set};
        bool paused = false;
        nsec since = 0;
        meters_collect(parts->meters, &sink);
        alert_outcomes_collect(parts->meters, parts->journal, &sink);
        journal_metrics(parts->journal, &sink);
        collect_incidents(parts->journal, &sink);
        collect_held(parts->journal, &sink);
        struct journal_people people;
        if (journal_count_people(parts->journal, &people, NULL) >= 0) {
                SAMPLE_BARE(&sink, &unmatched_family, (double)people.unmatched);
                SAMPLE_BARE(&sink, &owed_family, (double)people.owed);
        }
        if (journal_paused(parts->journal, &paused, &since, NULL) >= 0)
                SAMPLE_BARE(&sink, &paused_family, paused ? 1 : 0);
        collect_trust(api, &sink);
        api_collect_deliveries(api, &sink);
        api_collect_targets(api, &sink);
        reloads_collect(api->options.reloads, &sink);
        const struct sandbox *sandbox = api->options.sandbox;
        if (sandbox)
                SAMPLE(&sink, &sandbox_family, 1, {"landlock", sandbox->landlock},
                       {"seccomp", sandbox->seccomp ? "true" : "false"});
        SAMPLE(&sink, &build_family, 1, {"version", RUNBOOK_VERSION});
        metrics_process(&sink);

        struct text page = {0};
        int r = metrics_encode_text((const struct sample_set *const[]){&set}, 1, &page, NULL);
        sample_set_release(&set);
        if (r < 0) {
                text_free(&page);
                http_reply_text(exchange, 500, "out of memory");
                return;
        }
        http_reply(exchange, 200, METRICS_TEXT_TYPE, &page);
}
