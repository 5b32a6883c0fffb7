/* SPDX-License-Identifier: Apache-2.0 */
/* Every target asked whether it would answer in an emergency: a row for each sort, by reading alone. */
#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "responder/targets/internal.h"

/* What is asked about: the i-th target of its sort. */
struct asked {
        struct targets *targets;
        const struct target_set *set;
        size_t index;
        struct deadline deadline;
};

/* Of what a peer says of its version. */
enum { VERSION_MOST = 60, VERSION_BODY_MOST = 64 * 1024 };

static void put_version(struct text *said, const char *program, const char *version)
{
        if (!version || !*version)
                return;
        text_printf(said, "%s ", program);
        text_put_line(said, version, VERSION_MOST);
        text_puts(said, ": ");
}

/* What a document under `base` has at "member.version". Who does not tell it is as good: it is no verdict. */
static void fetch_version(const struct asked *asked, const char *base, const char *path, const char *member,
                          const char *program, struct text *said)
{
        static const struct json_limits limits = {.depth = 16, .values = 10000};
        _cleanup_text_ struct text url = {0};
        _cleanup_http_response_ struct http_response response = {0};
        _cleanup_http_client_ struct http_client *client = http_client_new();
        _cleanup_json_ cJSON *document = NULL;
        http_put_url(&url, base, path);
        const struct http_request request = {
                .url = text_string(&url), .deadline = asked->deadline, .body_limit = VERSION_BODY_MOST};
        if (!client || text_error(&url) < 0 || http_fetch(client, &request, &response, NULL) < 0 ||
            response.status != 200 ||
            json_parse_strict(text_string(&response.body), response.body.length, &limits, &document, NULL) <
                    0)
                return;
        put_version(said, program,
                    json_string(cJSON_GetObjectItemCaseSensitive(document, member), "version"));
}

static size_t count_docker(const struct target_set *set)
{
        return set->docker.host && *set->docker.host;
}

static int ask_docker(const struct asked *asked, struct text *said, struct error *error)
{
        const char *project = asked->set->docker.project;
        _cleanup_docker_ struct docker *docker = NULL;
        _cleanup_json_ cJSON *containers = NULL;
        int r = targets_docker(asked->targets, &docker, error);
        if (r >= 0)
                r = docker_list(docker, project, NULL, asked->deadline, &containers, error);
        if (r < 0)
                return r;
        int count = cJSON_GetArraySize(containers);
        _cleanup_json_ cJSON *version = NULL;
        if (docker_call(docker, "GET", "/version", NULL, asked->deadline, &version, NULL) >= 0)
                put_version(said, "Docker Engine", json_string(version, "Version"));
        text_printf(said, "%d containers of the project %s", count, project);
        return count > 0 ? PROBE_FINE : PROBE_EMPTY;
}

static size_t count_databases(const struct target_set *set)
{
        return set->databases.count;
}

static const char *name_database(const struct target_set *set, size_t i)
{
        return ((const struct database *)set->databases.items)[i].name;
}

/* What the rights are that a step may need, in words: seen here, and not at night. */
static void put_rights(const PGresult *rows, struct text *said)
{
        put_version(said, "PostgreSQL", PQgetvalue(rows, 0, 0));
        text_puts(said, "connected as ");
        text_put_line(said, PQgetvalue(rows, 0, 1), VERSION_MOST);
        if (string_equal(PQgetvalue(rows, 0, 2), "t"))
                text_puts(said, "; a replica, or read-only: nothing can be changed here");
        if (string_equal(PQgetvalue(rows, 0, 3), "f"))
                text_puts(said, "; not in pg_signal_backend: queries of other users cannot be ended");
}

static int ask_database(const struct asked *asked, struct text *said, struct error *error)
{
        static const char rights[] =
                "SELECT current_setting('server_version'), current_user,"
                " pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on',"
                " pg_has_role(current_user, 'pg_signal_backend', 'USAGE')";
        struct postgres *postgres = NULL;
        PGresult *rows = NULL;
        int r = targets_database(asked->targets, name_database(asked->set, asked->index), asked->deadline,
                                 &postgres, error);
        if (r < 0)
                return r;
        r = postgres_query(postgres, rights, NULL, 0, asked->deadline, &rows, error);
        targets_database_release(asked->targets, postgres);
        if (r >= 0 && PQntuples(rows) == 1 && PQnfields(rows) == 4)
                put_rights(rows, said);
        else if (r >= 0)
                r = error_set(error, EPROTO, "it does not answer as a PostgreSQL server does");
        PQclear(rows);
        return r < 0 ? r : PROBE_FINE;
}

static size_t count_receivers(const struct target_set *set)
{
        return set->receivers.count;
}

static const char *name_receiver(const struct target_set *set, size_t i)
{
        return ((const struct receiver *)set->receivers.items)[i].name;
}

struct secrets {
        int result;
        size_t count;
        struct error *error;
};

static void read_secret(void *context, const char *name, const struct secret *secret)
{
        struct secrets *secrets = context;
        _cleanup_secret_ struct text value = {0};
        secrets->count++;
        if (secrets->result >= 0)
                secrets->result =
                        error_prefix(secrets->error, secret_read(secret, &value, secrets->error), "%s", name);
        if (secrets->result >= 0 && value.length == 0)
                secrets->result = error_set(secrets->error, ENODATA, "%s: it is empty", name);
}

/* Nobody is called to find out whether he can be: what it takes to call him is looked at. */
static int ask_receiver(const struct asked *asked, struct text *said, struct error *error)
{
        const struct receiver *receiver =
                &((const struct receiver *)asked->set->receivers.items)[asked->index];
        struct secrets secrets = {.error = error};
        config_visit_secrets(receiver_fields, receiver, read_secret, &secrets);
        if (secrets.result < 0)
                return secrets.result;
        text_puts(said, secrets.count > 0 ? "its secrets can be read; nothing was sent" : "needs no secret");
        return PROBE_FINE;
}

static size_t count_url(const char *url)
{
        return url && *url;
}

static size_t count_prometheus(const struct target_set *set)
{
        return count_url(set->prometheus_url);
}

static int ask_prometheus(const struct asked *asked, struct text *said, struct error *error)
{
        bool holds = false;
        double value = 0;
        int r = targets_query_holds(asked->targets, "vector(1) == 1", TARGETS_ANY_AGE, asked->deadline,
                                    &holds, &value, error);
        if (r < 0)
                return r;
        fetch_version(asked, asked->set->prometheus_url, "/api/v1/status/buildinfo", "data", "Prometheus",
                      said);
        text_puts(said, "it evaluates queries");
        return PROBE_FINE;
}

static size_t count_exporter(const struct target_set *set)
{
        return count_url(set->exporter_url);
}

static int ask_exporter(const struct asked *asked, struct text *said, struct error *error)
{
        _cleanup_text_ struct text url = {0};
        _cleanup_http_response_ struct http_response response = {0};
        _cleanup_http_client_ struct http_client *client = http_client_new();
        http_put_url(&url, asked->set->exporter_url, "/-/ready");
        if (!client || text_error(&url) < 0)
                return error_oom(error);
        const struct http_request request = {.url = text_string(&url), .deadline = asked->deadline};
        int r = http_fetch(client, &request, &response, error);
        if (r < 0)
                return r;
        if (response.status != 200)
                return error_set(error, EPROTO, "%s answered %ld", text_string(&url), response.status);
        text_puts(said, "it is ready");
        return PROBE_FINE;
}

static size_t count_alertmanager(const struct target_set *set)
{
        return count_url(set->alertmanager_url);
}

static int ask_alertmanager(const struct asked *asked, struct text *said, struct error *error)
{
        struct alertmanager_view view = {0};
        int r = targets_alertmanager(asked->targets, asked->deadline, &view, error);
        if (r < 0)
                return r;
        alertmanager_view_release(&view);
        fetch_version(asked, asked->set->alertmanager_url, "/api/v2/status", "versionInfo", "Alertmanager",
                      said);
        text_puts(said, "it tells its alerts");
        return PROBE_FINE;
}

static size_t count_one(const struct target_set *set _unused_)
{
        return 1;
}

/* It is made when there is something to be kept. */
static int ask_evidence(const struct asked *asked, struct text *said, struct error *error)
{
        const char *path = asked->set->evidence_directory;
        struct statvfs disk;
        if (access(path, W_OK | X_OK) < 0 && errno == ENOENT) {
                text_puts(said, "not there yet: it is made when there is evidence");
                return PROBE_FINE;
        }
        if (access(path, W_OK | X_OK) < 0 || statvfs(path, &disk) < 0)
                return error_set_errno(error, errno, "%s", path);
        double left = (double)disk.f_bavail * (double)disk.f_frsize;
        if (left <= (double)asked->set->evidence_keep_free)
                return error_set(error, ENOSPC, "%s: the disk has no more than evidence_keep_free", path);
        text_puts(said, "it can be written to");
        return PROBE_FINE;
}

/* `name` NULL: there is one at most. What doctor calls it, and the API's and the metrics' word. */
static const struct probe {
        const char *kind;
        size_t (*count)(const struct target_set *set);
        const char *(*name)(const struct target_set *set, size_t i);
        int (*ask)(const struct asked *asked, struct text *said, struct error *error);
} probes[] = {
        {"docker", count_docker, NULL, ask_docker},
        {"database", count_databases, name_database, ask_database},
        {"receiver", count_receivers, name_receiver, ask_receiver},
        {"prometheus_url", count_prometheus, NULL, ask_prometheus},
        {"exporter_url", count_exporter, NULL, ask_exporter},
        {"alertmanager_url", count_alertmanager, NULL, ask_alertmanager},
        {"evidence_directory", count_one, NULL, ask_evidence},
};

size_t targets_probe_count(const struct target_set *set)
{
        size_t count = 0;
        for (size_t i = 0; i < N_ELEMENTS(probes); i++)
                count += probes[i].count(set);
        return count;
}

/* The sort of the `index`-th target, and which of its sort it is. */
static const struct probe *find(const struct target_set *set, size_t index, size_t *ret_of_sort)
{
        for (size_t i = 0; i < N_ELEMENTS(probes); i++) {
                size_t count = probes[i].count(set);
                *ret_of_sort = index;
                if (index < count)
                        return &probes[i];
                index -= count;
        }
        return NULL;
}

struct target_name targets_probe_name(const struct target_set *set, size_t index)
{
        size_t of_sort;
        const struct probe *probe = find(set, index, &of_sort);
        if (!probe)
                return (struct target_name){"", ""};
        return (struct target_name){probe->kind, probe->name ? probe->name(set, of_sort) : ""};
}

int targets_probe(struct targets *targets, size_t index, struct deadline deadline, struct text *said,
                  struct error *error)
{
        struct asked asked = {.targets = targets, .set = targets_set(targets), .deadline = deadline};
        const struct probe *probe = find(asked.set, index, &asked.index);
        return probe ? probe->ask(&asked, said, error) : error_set(error, ENOENT, "there is no such target");
}
