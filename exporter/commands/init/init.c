/* SPDX-License-Identifier: Apache-2.0 */
/* The table of finders, and where they look. */
#include "exporter/commands/init/internal.h"

#include <errno.h>
#include <string.h>

/* In the order in which their checks stand in the file. A finder may add places for those behind it. */
static const struct {
        const char *what; /* is looked for */
        finder_function *find;
} finders[] = {
        {"the machine itself", find_machine},
        {"file systems that are mounted", find_mounts},
        {"systemd and its failed units", find_units},
        {"Docker's Engine, its Compose projects and their services", find_docker},
        {"PostgreSQL, its databases and what expires in them", find_postgres},
        {"Redis", find_redis},
        {"Prometheus, Alertmanager, Grafana, health documents and certificates", find_web},
        {"backups and logs in directories", find_directories},
        {"buckets of S3", find_buckets},
};

/* How a place is written says what it is. */
static bool read_place(const char *where, enum place_kind *ret)
{
        static const struct {
                const char *begins;
                enum place_kind kind;
        } forms[] = {
                {"http://", PLACE_URL},          {"https://", PLACE_URL},   {"postgresql://", PLACE_POSTGRES},
                {"postgres://", PLACE_POSTGRES}, {"redis://", PLACE_REDIS}, {"rediss://", PLACE_REDIS},
                {"s3://", PLACE_BUCKET},         {"/", PLACE_DIRECTORY}};
        for (size_t i = 0; i < N_ELEMENTS(forms); i++)
                if (string_starts(where, forms[i].begins)) {
                        *ret = forms[i].kind;
                        return true;
                }
        *ret = strchr(where, '=') ? PLACE_POSTGRES : PLACE_ADDRESS;
        return strchr(where, '=') || strrchr(where, ':');
}

/* A password in an address would end up in the file. */
static bool holds_a_password(const char *where)
{
        const char *host = strstr(where, "://");
        return host && memchr(host + 3, '@', strcspn(host + 3, "/?#"));
}

static int read_places(struct search *search, const struct flag_strings *places, struct error *error)
{
        for (size_t i = 0; i < places->count; i++) {
                enum place_kind kind;
                if (!read_place(places->items[i], &kind))
                        return error_set(
                                error, EINVAL,
                                "--look: \"%s\" is no host:port, URL, connection string, s3://BUCKET "
                                "or absolute path",
                                places->items[i]);
                if (kind == PLACE_URL && holds_a_password(places->items[i]))
                        return error_set(error, EINVAL,
                                         "--look: a URL with a password in it would put that into a file");
                look_also(search, kind, places->items[i], "--look");
        }
        return 0;
}

/* Addresses that programs go by themselves. */
static void read_environment(struct search *search)
{
        static const char *const names[] = {"DATABASE_URL", "REDIS_URL", "PROMETHEUS_URL", "ALERTMANAGER_URL",
                                            "GRAFANA_URL"};
        for (size_t i = 0; i < N_ELEMENTS(names); i++) {
                enum place_kind kind;
                const char *where = init_environment(names[i]);
                if (where && read_place(where, &kind) && !(kind == PLACE_URL && holds_a_password(where)))
                        look_also(search, kind, where, names[i]);
        }
}

int init_look(const struct flag_strings *places, struct proposals *ret, struct error *error)
{
        struct proposals found = {0};
        struct search search = {.found = &found, .client = http_client_new()};
        int r = search.client ? read_places(&search, places, error) : error_oom(error);
        if (r >= 0)
                read_environment(&search);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(finders); i++) {
                finders[i].find(&search);
                if (search.result < 0 || text_error(&found.told) < 0)
                        r = error_oom(error);
        }
        http_client_free(search.client);
        for (size_t i = 0; i < search.made_count; i++)
                free(search.made[i]);
        if (r < 0)
                proposals_release(&found);
        else
                *ret = found;
        return r;
}
