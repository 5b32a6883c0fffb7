/* SPDX-License-Identifier: Apache-2.0 */
/* The sections at the top of remediations.yml: what steps may act on, and whom notifications reach. */
#include <errno.h>

#include "responder/alert/alert.h"
#include "responder/targets/internal.h"
#include "responder/targets/targets.h"

/* Offsets of a nested table count from the nested structure. */
struct docker_section {
        struct docker_options options;
};

static const struct config_field docker_fields[] = {
        DOCKER_CONFIG_FIELDS(struct docker_section, options),
        {0},
};

static const struct config_field database_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct database, name), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "by which steps call it"},
        POSTGRES_CONFIG_FIELDS(struct database, postgres),
        {0},
};

const struct config_field target_fields[] = {
        {"docker", CONFIG_OBJECT, offsetof(struct target_set, docker), .fields = docker_fields,
         .size = sizeof(struct docker_options), .help = "the Docker Engine of the docker.* actions"},
        {"databases", CONFIG_LIST, offsetof(struct target_set, databases), .fields = database_fields,
         .size = sizeof(struct database),
         .help = "PostgreSQL databases; one connection to each is kept open, for when the server has no "
                 "other"},
        {"receivers", CONFIG_LIST, offsetof(struct target_set, receivers), .fields = receiver_fields,
         .size = sizeof(struct receiver), .help = "whom notifications reach"},
        {"prometheus_url", CONFIG_STRING, offsetof(struct target_set, prometheus_url),
         .help = "the Prometheus that `verify: {query: …}` asks, and whether an alert that was resolved "
                 "fires all "
                 "the same"},
        {"exporter_url", CONFIG_STRING, offsetof(struct target_set, exporter_url),
         .help = "the runbook_exporter that `verify: {check: …}` asks"},
        {"alertmanager_url", CONFIG_STRING, offsetof(struct target_set, alertmanager_url),
         .help = "the Alertmanager that is asked before anything begins, for alerts that fell silent, and "
                 "for those "
                 "that go on after they were healed; not asked when absent"},
        {"alertmanager_members", CONFIG_STRINGS, offsetof(struct target_set, alertmanager_members),
         .help = "the other members of its cluster, by their URLs: each has to hear that a page is held "
                 "back, "
                 "for each of them calls by itself"},
        {"twin_labels", CONFIG_STRINGS, offsetof(struct target_set, twin_labels),
         .help = "the labels that name an alert of which there are twins (`stage`): an alert with any other "
                 "label is never held back; the common ones when absent, which `alertmanager-config` prints"},
        {"page_lease", CONFIG_DURATION, offsetof(struct target_set, page_lease), .fallback = "2m",
         .help = "how long a page stays held back by a responder that says nothing more; said anew every "
                 "quarter of it"},
        {"repeat_interval", CONFIG_DURATION, offsetof(struct target_set, repeat_interval), .fallback = "4h",
         .flags = CONFIG_POSITIVE,
         .help = "Alertmanager's own; after it an open alert that was not sent again is asked for"},
        {"resolve_timeout", CONFIG_DURATION, offsetof(struct target_set, resolve_timeout), .fallback = "5m",
         .flags = CONFIG_POSITIVE,
         .help = "Alertmanager's own; how long it must be up before what it does not have has ended, and how "
                 "young a webhook must be to be acted upon when it does not answer"},
        {"evidence_directory", CONFIG_STRING, offsetof(struct target_set, evidence_directory),
         .fallback = "var/evidence", .flags = CONFIG_NOT_EMPTY,
         .help = "where docker.logs keeps what it saved, one directory an incident"},
        {"evidence_per_incident", CONFIG_SIZE, offsetof(struct target_set, evidence_per_incident),
         .fallback = "512MiB", .flags = CONFIG_POSITIVE,
         .help = "most bytes of evidence of one incident; what goes beyond is cut or left out, and that is "
                 "told"},
        {"evidence_total", CONFIG_SIZE, offsetof(struct target_set, evidence_total), .fallback = "4GiB",
         .flags = CONFIG_POSITIVE, .help = "most bytes of all evidence; none is ever removed by itself"},
        {"evidence_keep_free", CONFIG_SIZE, offsetof(struct target_set, evidence_keep_free),
         .fallback = "512MiB", .help = "how much of its disk evidence leaves to others"},
        {"journal_retention", CONFIG_DURATION, offsetof(struct target_set, journal_retention),
         .fallback = "400d", .flags = CONFIG_POSITIVE,
         .help = "what has ended goes from the journal after this; at least 7d, and longer than every "
                 "cooldown and "
                 "limit"},
        {"journal_size", CONFIG_SIZE, offsetof(struct target_set, journal_size), .fallback = "1GiB",
         .flags = CONFIG_POSITIVE,
         .help = "when the journal is larger, the oldest that has ended goes sooner, but for the last 7d"},
        {"protect", CONFIG_STRINGS, offsetof(struct target_set, protect),
         .help = "names of containers that no step may change"},
        {0},
};

static void url_check(struct config_node *node, const char *key, const char *url)
{
        if (url && *url && !string_starts(url, "http://") && !string_starts(url, "https://"))
                config_complain(node, key, "'%s' must begin with http:// or https://", key);
}

static void members_check(const struct target_set *set, struct config_node *node)
{
        const struct config_strings *members = &set->alertmanager_members;
        struct config_node *list = config_member(node, "alertmanager_members");
        if (members->count > 0 && !(set->alertmanager_url && *set->alertmanager_url))
                config_complain(node, "alertmanager_members", "needs `alertmanager_url`");
        if (members->count >= ALERTMANAGERS_MOST)
                config_complain(node, "alertmanager_members", "%d are the most", ALERTMANAGERS_MOST - 1);
        for (size_t i = 0; i < members->count; i++)
                if (!string_starts(members->items[i], "http://") &&
                    !string_starts(members->items[i], "https://"))
                        config_complain(config_is_list(list) ? config_item(list, i) : list, NULL,
                                        "must begin with http:// or https://");
}

static void page_lease_check(const struct target_set *set, struct config_node *node)
{
        if (set->page_lease < PAGE_LEASE_LEAST || set->page_lease > PAGE_LEASE_MOST)
                config_complain(node, "page_lease", "'page_lease' must be between 4s and 10m");
}

static void twin_labels_check(const struct target_set *set, struct config_node *node)
{
        const struct config_strings *labels = &set->twin_labels;
        bool named = labels->count == 0;
        for (size_t i = 0; i < labels->count; i++) {
                named |= string_equal(labels->items[i], "alertname");
                if (!*labels->items[i] || string_equal(labels->items[i], ALERT_LABEL_STAGE))
                        config_complain(node, "twin_labels", "\"%s\" names no alert", labels->items[i]);
        }
        if (!named)
                config_complain(node, "twin_labels",
                                "must have `alertname`: another alert of the same labels would be held back");
}

static void databases_check(const struct target_set *set, struct config_node *list)
{
        const struct database *databases = set->databases.items;
        for (size_t i = 0; i < set->databases.count; i++) {
                struct config_node *node = config_item(list, i);
                for (size_t j = 0; databases[i].name && j < i; j++)
                        if (string_equal(databases[i].name, databases[j].name))
                                config_complain(node, "name", "there is a database \"%s\" already",
                                                databases[i].name);

                _cleanup_error_ struct error error = {0};
                const char *dsn = databases[i].postgres.dsn;
                if (dsn && *dsn && postgres_check_dsn(dsn, &error) < 0)
                        config_complain(node, "dsn", "%s", error_text(&error));
        }
}

void target_set_check(const struct target_set *set, struct config_node *node)
{
        const char *host = set->docker.host;
        if (host && *host)
                docker_check_options(&set->docker, config_member(node, "docker"));
        databases_check(set, config_member(node, "databases"));
        receivers_check(&set->receivers, config_member(node, "receivers"));
        url_check(node, "prometheus_url", set->prometheus_url);
        url_check(node, "exporter_url", set->exporter_url);
        url_check(node, "alertmanager_url", set->alertmanager_url);
        members_check(set, node);
        twin_labels_check(set, node);
        page_lease_check(set, node);
        if (set->journal_retention < TARGETS_RETENTION_LEAST)
                config_complain(node, "journal_retention", "'journal_retention' must be at least 7d");
        for (size_t i = 0; i < set->protect.count; i++)
                if (!*set->protect.items[i])
                        config_complain(node, "protect",
                                        "'protect' holds an empty name, which protects nothing");
}

const struct receiver *target_set_receiver(const struct target_set *set, const char *name)
{
        const struct receiver *receivers = set->receivers.items;
        for (size_t i = 0; i < set->receivers.count; i++)
                if (string_equal(receivers[i].name, name))
                        return &receivers[i];
        return NULL;
}

const struct database *target_set_database(const struct target_set *set, const char *name)
{
        const struct database *databases = set->databases.items;
        if (!name || !*name)
                return set->databases.count == 1 ? databases : NULL;
        for (size_t i = 0; i < set->databases.count; i++)
                if (string_equal(databases[i].name, name))
                        return &databases[i];
        return NULL;
}

const char *const target_words[] = {
        [TARGET_NONE] = "nothing",
        [TARGET_DOCKER] = "docker",
        [TARGET_DATABASE] = "database",
        [TARGET_RECEIVER] = "receiver",
};
tables_agree(target_words, TARGET_KIND_COUNT);

/* The table by which a target was read, and where it lies; false when there is none of that name. */
static bool find_target(const struct target_set *set, enum target_kind kind, const char *name,
                        const struct config_field **ret_fields, const void **ret)
{
        static const struct config_field *const tables[] = {
                [TARGET_NONE] = NULL,
                [TARGET_DOCKER] = docker_fields,
                [TARGET_DATABASE] = database_fields,
                [TARGET_RECEIVER] = receiver_fields,
        };
        tables_agree(tables, TARGET_KIND_COUNT);
        const bool has_docker = set->docker.host && *set->docker.host;
        const void *const places[] = {
                [TARGET_NONE] = NULL,
                [TARGET_DOCKER] = has_docker ? &set->docker : NULL,
                [TARGET_DATABASE] = target_set_database(set, name),
                [TARGET_RECEIVER] = name ? target_set_receiver(set, name) : NULL,
        };
        *ret_fields = tables[kind];
        *ret = places[kind];
        return *ret;
}

int target_set_digest(const struct target_set *set, enum target_kind kind, const char *name,
                      char ret[static DIGEST_TEXT_MAX], struct error *error)
{
        const struct config_field *fields = NULL;
        const void *target = NULL;
        if (!find_target(set, kind, name, &fields, &target))
                return error_set(error, ENOENT, "there is no %s%s%s%s", target_words[kind],
                                 name && *name ? " \"" : "", name ? name : "", name && *name ? "\"" : "");
        _cleanup_json_ cJSON *json = config_to_json(fields, target);
        for (const struct config_field *field = fields; field->name; field++)
                if (kind == TARGET_RECEIVER ? !receiver_is_defined_by(target, field->name)
                                            : field->type == CONFIG_SECRET)
                        cJSON_DeleteItemFromObjectCaseSensitive(json, field->name);
        return json_digest(json, ret, error);
}
