/* SPDX-License-Identifier: Apache-2.0 */
/* Panels by dashboard, and below a heading. */
#include "exporter/commands/grafana/panels.h"

#define RATE(metric, of) "rate(" metric "{" of "}[5m])"
#define BY_MACHINE "sum by (job, instance) "
#define QUANTILE(q, metric, labels)                                                        \
        "histogram_quantile(" q ", sum by (job, instance, le" labels ") (increase(" metric \
        "_bucket{" OF_CHOSEN "}[1h])))"

#define ROW(section, kind, title, look, shown, width, expression, legend) \
        {                                                                 \
                section, kind,                                            \
                {                                                         \
                        title, look, shown, width, 0, expression, legend  \
                }                                                         \
        }
#define ROWS(name, table) const struct panel_rows name = {table, N_ELEMENTS(table)}

static const struct panel_row overview[] = {
        ROW(NULL, NULL, "Checks that fail", LOOK_NUMBER, SHOWN_NUMBER, 6,
            BY_MACHINE "(runbook_check_standing{" OF_CHOSEN ",standing=\"fail\"})", "{{instance}}"),
        ROW(NULL, NULL, "Checks that warn", LOOK_NUMBER, SHOWN_NUMBER, 6,
            BY_MACHINE "(runbook_check_standing{" OF_CHOSEN ",standing=\"warn\"})", "{{instance}}"),
        ROW(NULL, NULL, "Checks of which nothing is known", LOOK_NUMBER, SHOWN_NUMBER, 6,
            BY_MACHINE "(runbook_check_standing{" OF_CHOSEN ",standing=\"unknown\"})", "{{instance}}"),
        ROW(NULL, "system", "CPUs used", LOOK_NUMBER, SHOWN_PERCENT, 6,
            "1 - " BY_MACHINE
            "(" RATE("runbook_system_cpu_seconds_total",
                     OF_CHOSEN ",mode=\"idle\"") ") / " BY_MACHINE
                                                 "(" RATE("runbook_system_cpu_seconds_total", OF_CHOSEN) ")",
            "{{instance}}"),
        ROW("The machine", "system", "CPU by mode", LOOK_LINES, SHOWN_NUMBER, 12,
            "sum by (job, instance, mode) (" RATE("runbook_system_cpu_seconds_total",
                                                  OF_CHOSEN ",mode!=\"idle\"") ")",
            "{{instance}} {{mode}}"),
        ROW("The machine", "system", "Load average", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_system_load_average{" OF_CHOSEN "}", "{{instance}} {{window}}"),
        ROW("The machine", "system", "Memory available", LOOK_LINES, SHOWN_PERCENT, 12,
            "runbook_system_memory_available_bytes{" OF_CHOSEN
            "} / runbook_system_memory_total_bytes{" OF_CHOSEN "}",
            "{{instance}}"),
        ROW("The machine", "system", "Network, received", LOOK_LINES, SHOWN_BYTES_PER_SECOND, 12,
            RATE("runbook_system_network_received_bytes_total", OF_CHOSEN), "{{instance}} {{interface}}"),
        ROW("The machine", "disk", "Disk used", LOOK_LINES, SHOWN_PERCENT, 12,
            "runbook_disk_used_ratio{" OF_CHOSEN "}", "{{instance}} {{mountpoint}}"),
        ROW("The machine", "disk", "Disk available", LOOK_LINES, SHOWN_BYTES, 12,
            "runbook_disk_available_bytes{" OF_CHOSEN "}", "{{instance}} {{mountpoint}}"),
        ROW("The machine", "systemd", "Units that have failed", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_systemd_units{" OF_CHOSEN ",state=\"failed\"}", "{{instance}} {{type}}"),
        ROW("Services", "docker", "Replicas that do not run", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_docker_service_replicas_wanted{" OF_SERVICES "} - "
            "runbook_docker_service_replicas_running{" OF_SERVICES "}",
            "{{instance}} {{service}}"),
        ROW("Services", "docker", "Healthy", LOOK_STATES, SHOWN_GOOD, 12,
            "runbook_docker_container_healthy{" OF_SERVICES "}", "{{instance}} {{container}}"),
        ROW("Services", "docker", "Restarts by the Engine in an hour", LOOK_LINES, SHOWN_NUMBER, 12,
            "increase(runbook_docker_container_restarts_total{" OF_SERVICES "}[1h])",
            "{{instance}} {{container}}"),
        ROW("Services", "docker", "Running since", LOOK_NUMBER, SHOWN_SINCE, 12,
            "1000 * runbook_docker_container_start_timestamp_seconds{" OF_SERVICES "}",
            "{{instance}} {{container}}"),
        ROW("Services", "docker", "CPUs used", LOOK_LINES, SHOWN_NUMBER, 12,
            RATE("runbook_docker_container_cpu_seconds_total", OF_SERVICES), "{{instance}} {{container}}"),
        ROW("Services", "docker", "Memory used", LOOK_LINES, SHOWN_BYTES, 12,
            "runbook_docker_container_memory_usage_bytes{" OF_SERVICES "}", "{{instance}} {{container}}"),
        ROW("Services", "docker", "Network, received", LOOK_LINES, SHOWN_BYTES_PER_SECOND, 12,
            RATE("runbook_docker_container_network_receive_bytes_total", OF_SERVICES),
            "{{instance}} {{container}}"),
        ROW("Services", "docker", "Processes", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_docker_container_pids{" OF_SERVICES "}", "{{instance}} {{container}}"),
        ROW("Certificates and backups", "tls", "Certificates end", LOOK_NUMBER, SHOWN_SINCE, 12,
            "1000 * runbook_tls_leaf_not_after_timestamp_seconds{" OF_CHOSEN "}", "{{instance}} {{check}}"),
        ROW("Certificates and backups", "files", "The newest file", LOOK_NUMBER, SHOWN_SINCE, 12,
            "1000 * runbook_files_newest_timestamp_seconds{" OF_CHOSEN "}", "{{instance}} {{check}}"),
};
ROWS(panels_overview, overview);

static const struct panel_row application[] = {
        ROW("HTTP", "http", "Answered after", LOOK_LINES, SHOWN_SECONDS, 12,
            "sum by (job, instance, check) (runbook_http_duration_seconds{" OF_CHOSEN "})",
            "{{instance}} {{check}}"),
        ROW("HTTP", "http", "Answers by phase", LOOK_LINES, SHOWN_SECONDS, 12,
            "runbook_http_duration_seconds{" OF_CHOSEN "}", "{{instance}} {{check}} {{phase}}"),
        ROW("HTTP", "http", "Parts that a service says are healthy", LOOK_STATES, SHOWN_GOOD, 12,
            "runbook_http_component_healthy{" OF_CHOSEN "}", "{{instance}} {{check}} {{component}}"),
        ROW("PostgreSQL", "postgres", "Connections", LOOK_LINES, SHOWN_PERCENT, 12,
            "sum by (job, instance, check) (runbook_postgres_connections{" OF_CHOSEN
            "}) / on (job, instance, check) "
            "runbook_postgres_max_connections{" OF_CHOSEN "}",
            "{{instance}} {{check}}"),
        ROW("PostgreSQL", "postgres", "Longest query", LOOK_LINES, SHOWN_SECONDS, 12,
            "runbook_postgres_longest_query_seconds{" OF_CHOSEN "}", "{{instance}} {{database}}"),
        ROW("PostgreSQL", "postgres", "Queries that take long", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_postgres_long_running_queries{" OF_CHOSEN "}", "{{instance}} {{database}}"),
        ROW("PostgreSQL", "postgres", "Dead rows", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_postgres_table_dead_rows{" OF_CHOSEN "}", "{{instance}} {{schema}}.{{table}}"),
        ROW("Redis", "redis", "PING answered after", LOOK_LINES, SHOWN_SECONDS, 12,
            "runbook_redis_ping_seconds{" OF_CHOSEN "}", "{{instance}} {{check}}"),
        ROW("Redis", "redis", "Keys that were found", LOOK_LINES, SHOWN_PERCENT, 12,
            RATE("runbook_redis_keyspace_hits_total", OF_CHOSEN) " / (" RATE(
                    "runbook_redis_keyspace_hits_total",
                    OF_CHOSEN) " + " RATE("runbook_redis_keyspace_misses_total", OF_CHOSEN) ")",
            "{{instance}} {{check}}"),
        ROW("Redis", "redis", "Commands", LOOK_LINES, SHOWN_PER_SECOND, 12,
            RATE("runbook_redis_commands_processed_total", OF_CHOSEN), "{{instance}} {{check}}"),
        ROW("Redis", "redis", "Memory used", LOOK_LINES, SHOWN_BYTES, 12,
            "runbook_redis_memory_used_bytes{" OF_CHOSEN "}", "{{instance}} {{check}}"),
        ROW("Redis", "redis", "Clients", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_redis_connected_clients{" OF_CHOSEN "}", "{{instance}} {{check}}"),
        ROW("Redis", "redis", "Evicted", LOOK_LINES, SHOWN_PER_SECOND, 12,
            RATE("runbook_redis_evicted_keys_total", OF_CHOSEN), "{{instance}} {{check}}"),
        ROW("Logs", "log", "Lines that match", LOOK_LINES, SHOWN_PER_SECOND, 24,
            RATE("runbook_log_matched_lines_total", OF_CHOSEN), "{{instance}} {{check}} {{pattern}}"),
};
ROWS(panels_application, application);

static const struct panel_row alerting[] = {
        ROW(NULL, NULL, "Alerts that fire", LOOK_NUMBER, SHOWN_NUMBER, 12,
            "count by (job, instance, severity) (ALERTS{" OF_CHOSEN
            ",alertstate=\"firing\",stage!=\"act\"})", /* of twins, one */
            "{{instance}} {{severity}}"),
        ROW(NULL, NULL, "Alerts that no remediation is for", LOOK_NUMBER, SHOWN_NUMBER, 6,
            "runbook_alerts_unmatched", "{{instance}}"),
        ROW(NULL, NULL, "Calls that nobody has heard yet", LOOK_NUMBER, SHOWN_NUMBER, 6, "runbook_calls_owed",
            "{{instance}}"),
        ROW(NULL, NULL, "What fires", LOOK_STATES, SHOWN_BAD, 24,
            "max by (job, instance, alertname, check, service) (ALERTS{" OF_CHOSEN ",alertstate=\"firing\"})",
            "{{instance}} {{alertname}} {{check}} {{service}}"),
        ROW(NULL, NULL, "What is about to fire", LOOK_STATES, SHOWN_BAD, 24,
            "max by (job, instance, alertname, check, service) (ALERTS{" OF_CHOSEN
            ",alertstate=\"pending\"})",
            "{{instance}} {{alertname}} {{check}} {{service}}"),
        ROW("What came of them", NULL, "Alerts that came in", LOOK_LINES, SHOWN_NUMBER, 12,
            "increase(runbook_alerts_total[1h])", "{{instance}} {{outcome}}"),
        ROW("What came of them", NULL, "Messages to people", LOOK_LINES, SHOWN_NUMBER, 12,
            "increase(runbook_notifications_total[1h])", "{{instance}} {{receiver}} {{result}}"),
        ROW("What came of them", NULL, "Webhooks by answer", LOOK_LINES, SHOWN_NUMBER, 12,
            "increase(runbook_webhooks_total[1h])", "{{instance}} {{code}}"),
        ROW("What came of them", NULL, "Where one cannot act", LOOK_STATES, SHOWN_GOOD, 12,
            "runbook_responder_target_up", "{{instance}} {{target}} {{name}}"),
};
ROWS(panels_alerting, alerting);

static const struct panel_row remediations[] = {
        ROW(NULL, NULL, "Is it paused?", LOOK_NUMBER, SHOWN_BAD, 6, "runbook_paused{" OF_CHOSEN "}",
            "{{instance}}"),
        ROW(NULL, NULL, "Incidents that go on", LOOK_NUMBER, SHOWN_NUMBER, 6,
            BY_MACHINE "(runbook_incidents{" OF_CHOSEN "})", "{{instance}}"),
        ROW(NULL, NULL, "Incidents that are held", LOOK_NUMBER, SHOWN_NUMBER, 6,
            BY_MACHINE "(runbook_incidents_held{" OF_CHOSEN "})", "{{instance}}"),
        ROW(NULL, NULL, "Targets that do not answer", LOOK_NUMBER, SHOWN_NUMBER, 6,
            BY_MACHINE "(1 - runbook_responder_target_up{" OF_CHOSEN "})", "{{instance}}"),
        ROW("Incidents", NULL, "What goes on", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_incidents{" OF_CHOSEN "}", "{{instance}} {{state}}"),
        ROW("Incidents", NULL, "Held by which guard", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_incidents_held{" OF_CHOSEN "}", "{{instance}} {{guard}}"),
        ROW("Incidents", NULL, "How they ended, in a day", LOOK_LINES, SHOWN_NUMBER, 12,
            "increase(runbook_incidents_total{" OF_CHOSEN "}[1d])",
            "{{instance}} {{remediation}} {{outcome}}"),
        ROW("Incidents", NULL, "Share that healed, in a week", LOOK_LINES, SHOWN_PERCENT, 12,
            "sum by (job, instance, remediation) (increase(runbook_incidents_total{" OF_CHOSEN
            ",outcome=\"healed\"}[7d])) / "
            "sum by (job, instance, remediation) (increase(runbook_incidents_total{" OF_CHOSEN "}[7d]))",
            "{{instance}} {{remediation}}"),
        ROW("How fast", NULL, "From the alert to the first step, median", LOOK_LINES, SHOWN_SECONDS, 12,
            QUANTILE("0.5", "runbook_alert_to_action_seconds", ", remediation"),
            "{{instance}} {{remediation}}"),
        ROW("How fast", NULL, "From the alert to healed, median", LOOK_LINES, SHOWN_SECONDS, 12,
            QUANTILE("0.5", "runbook_alert_to_healed_seconds", ", remediation"),
            "{{instance}} {{remediation}}"),
        ROW("How fast", NULL, "Steps, 95 of 100 within", LOOK_LINES, SHOWN_SECONDS, 12,
            QUANTILE("0.95", "runbook_step_duration_seconds", ", action"), "{{instance}} {{action}}"),
        ROW("How fast", NULL, "Steps by how they ended, in a day", LOOK_LINES, SHOWN_NUMBER, 12,
            "increase(runbook_steps_total{" OF_CHOSEN "}[1d])", "{{instance}} {{action}} {{result}}"),
};
ROWS(panels_remediations, remediations);

static const struct panel_row capacity[] = {
        ROW("Growth", "disk", "Disk, grown in a day", LOOK_LINES, SHOWN_BYTES, 12,
            "-delta(runbook_disk_available_bytes{" OF_CHOSEN "}[1d])", "{{instance}} {{mountpoint}}"),
        ROW("Growth", "postgres", "Database, grown in a day", LOOK_LINES, SHOWN_BYTES, 12,
            "delta(runbook_postgres_database_size_bytes{" OF_CHOSEN "}[1d])", "{{instance}} {{database}}"),
        ROW("Growth", "disk", "Disk used in 30 days, by the growth of 7", LOOK_LINES, SHOWN_PERCENT, 12,
            "clamp(predict_linear(runbook_disk_used_ratio{" OF_CHOSEN "}[7d], 30 * 86400), 0, 1)",
            "{{instance}} {{mountpoint}}"),
};
ROWS(panels_capacity, capacity);

static const struct panel_row daemons[] = {
        ROW(NULL, NULL, "Memory", LOOK_LINES, SHOWN_BYTES, 12, "process_resident_memory_bytes{" OF_CHOSEN "}",
            "{{job}} {{instance}}"),
        ROW(NULL, NULL, "CPUs used", LOOK_LINES, SHOWN_NUMBER, 12,
            RATE("process_cpu_seconds_total", OF_CHOSEN), "{{job}} {{instance}}"),
        ROW(NULL, NULL, "Open files", LOOK_LINES, SHOWN_NUMBER, 12, "process_open_fds{" OF_CHOSEN "}",
            "{{job}} {{instance}}"),
        ROW(NULL, NULL, "Running since", LOOK_NUMBER, SHOWN_SINCE, 12,
            "1000 * process_start_time_seconds{" OF_CHOSEN "}", "{{job}} {{instance}}"),
        ROW("The exporter", NULL, "Its file was taken at the last reload", LOOK_STATES, SHOWN_GOOD, 12,
            "runbook_exporter_config_last_reload_successful{" OF_CHOSEN "}", "{{instance}}"),
        ROW("The exporter", NULL, "How long a check takes", LOOK_LINES, SHOWN_SECONDS, 12,
            "runbook_check_duration_seconds{" OF_CHOSEN "}", "{{instance}} {{check}}"),
        ROW("The exporter", NULL, "Series that had no place on the page", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_check_dropped_series{" OF_CHOSEN "}", "{{instance}} {{check}}"),
        ROW("The exporter", NULL, "Checks whose conditions nothing is known of", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_check_conditions_unknown{" OF_CHOSEN "}", "{{instance}} {{check}}"),
        ROW("The responder", NULL, "Its file was taken at the last reload", LOOK_STATES, SHOWN_GOOD, 12,
            "runbook_responder_config_last_reload_successful{" OF_CHOSEN "}", "{{instance}}"),
        ROW("The responder", NULL, "Requests that were refused", LOOK_LINES, SHOWN_PER_SECOND, 12,
            RATE("runbook_requests_refused_total", OF_CHOSEN), "{{instance}} {{route}} {{code}}"),
        ROW("The responder", NULL, "Journal's size", LOOK_LINES, SHOWN_BYTES, 12,
            "runbook_journal_size_bytes{" OF_CHOSEN "}", "{{instance}}"),
        ROW("The responder", NULL, "Rows under the journal's seal", LOOK_LINES, SHOWN_NUMBER, 12,
            "runbook_journal_head_rows{" OF_CHOSEN "}", "{{instance}}"),
        ROW("The responder", NULL, "Entries a second", LOOK_LINES, SHOWN_PER_SECOND, 12,
            RATE("runbook_journal_entries_total", OF_CHOSEN), "{{instance}}"),
        ROW("The responder", NULL, "A commit takes, 99 of 100 within", LOOK_LINES, SHOWN_SECONDS, 12,
            QUANTILE("0.99", "runbook_journal_commit_duration_seconds", ""), "{{instance}}"),
};
ROWS(panels_daemons, daemons);
