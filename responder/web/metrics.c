/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: the responder's own metrics. */
#include "responder/web/internal.h"

static const struct metric_family incidents_family = {
        .name = "runbook_incidents",
        .type = METRIC_GAUGE,
        .help = "Incidents that have not ended, by state.",
};
static const struct metric_family paused_family = {
        .name = "runbook_paused",
        .type = METRIC_GAUGE,
        .help = "1 while the kill switch holds every remediation back.",
};
static const struct metric_family build_family = {
        .name = "runbook_responder_build_info",
        .type = METRIC_INFO,
        .help = "Always 1; the version is in the label.",
};

static void incidents_by_state(struct journal *journal, struct sample_sink *sink)
{
        struct incident_list active = {0};
        if (journal_active(journal, &active, NULL) < 0)
                return;
        double counts[INCIDENT_STATE_COUNT] = {0};
        for (size_t i = 0; i < active.count; i++)
                if (active.items[i].ended_at == 0)
                        counts[active.items[i].state]++;
        incident_list_release(&active);
        for (enum incident_state state = INCIDENT_RECEIVED; state <= INCIDENT_NOT_HEALED; state++)
                SAMPLE(sink, &incidents_family, counts[state], {"state", incident_state_name(state)});
}

void api_metrics(struct api *api, struct http_exchange *exchange)
{
        const struct incident_parts *parts = &api->options.parts;
        struct sample_set set = {0};
        struct sample_sink sink = {&set};
        bool paused = false;
        nsec since = 0;

        meters_collect(parts->meters, &sink);
        journal_metrics(parts->journal, &sink);
        incidents_by_state(parts->journal, &sink);
        if (journal_paused(parts->journal, &paused, &since, NULL) >= 0)
                SAMPLE_BARE(&sink, &paused_family, paused ? 1 : 0);
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
