/* SPDX-License-Identifier: Apache-2.0 */
/* The web configuration: its table, what the table cannot say, and whether its files have changed. */
#include "lib/http/server/access/internal.h"

#include <errno.h>
#include <strings.h>
#include <sys/stat.h>

enum {
        LEAST_COST = 4,
        MOST_COST = 18, /* of bcrypt: some seconds; every step doubles them */
        HASH_LENGTH = 60,
};

static const char *const auth_types[] = {"NoClientCert",
                                         "RequestClientCert",
                                         "RequireAnyClientCert",
                                         "RequireClientCert",
                                         "VerifyClientCertIfGiven",
                                         "RequireAndVerifyClientCert",
                                         NULL};
tables_agree(auth_types, CLIENT_AUTHS + 1);
static const char *const versions[] = {"TLS10", "TLS11", "TLS12", "TLS13", NULL};
tables_agree(versions, WEB_TLS_VERSIONS + 1);

#define TLS_OFFSET(member) offsetof(struct web_tls_settings, member)
static const struct config_field tls_fields[] = {
        {"cert_file", CONFIG_STRING, TLS_OFFSET(cert_file), .flags = CONFIG_NOT_EMPTY | CONFIG_PATH},
        {"key_file", CONFIG_STRING, TLS_OFFSET(key_file), .flags = CONFIG_NOT_EMPTY | CONFIG_PATH},
        {"cert", CONFIG_STRING, TLS_OFFSET(cert), .flags = CONFIG_NOT_EMPTY},
        {"key", CONFIG_STRING, TLS_OFFSET(key), .flags = CONFIG_NOT_EMPTY},
        {"client_auth_type", CONFIG_ENUM, TLS_OFFSET(client_auth), .fallback = "NoClientCert",
         .choices = auth_types},
        {"client_ca_file", CONFIG_STRING, TLS_OFFSET(client_ca_file),
         .flags = CONFIG_NOT_EMPTY | CONFIG_PATH},
        {"client_ca", CONFIG_STRING, TLS_OFFSET(client_ca), .flags = CONFIG_NOT_EMPTY},
        {"client_allowed_sans", CONFIG_STRINGS, TLS_OFFSET(allowed_sans), .flags = CONFIG_NOT_EMPTY},
        {"min_version", CONFIG_ENUM, TLS_OFFSET(min_version), .fallback = "TLS12", .choices = versions},
        {"max_version", CONFIG_ENUM, TLS_OFFSET(max_version), .fallback = "TLS13", .choices = versions},
        {"cipher_suites", CONFIG_STRINGS, TLS_OFFSET(cipher_suites), .flags = 0},
        {"prefer_server_cipher_suites", CONFIG_BOOL, TLS_OFFSET(prefer_server), .fallback = "true"},
        {"curve_preferences", CONFIG_STRINGS, TLS_OFFSET(curves), .flags = 0},
        {0},
};

#define HEADERS(X)                      \
        X(0, "Content-Security-Policy") \
        X(1, "X-Frame-Options")         \
        X(2, "X-Content-Type-Options")  \
        X(3, "X-XSS-Protection")        \
        X(4, "Strict-Transport-Security")
#define HEADER_NAME(number, name) name,
#define HEADER_FIELD(number, name) {name, CONFIG_STRING, (number) * sizeof(char *), .flags = 0},
const char *const web_header_names[] = {HEADERS(HEADER_NAME)};
tables_agree(web_header_names, WEB_HEADERS);
static const struct config_field header_fields[] = {HEADERS(HEADER_FIELD){0}};
tables_agree(header_fields, WEB_HEADERS + 1);

static const struct config_field http_fields[] = {
        {"http2", CONFIG_BOOL, 0, .fallback = "true"},
        {"headers", CONFIG_OBJECT,
         offsetof(struct web_settings, http.headers) - offsetof(struct web_settings, http),
         .fields = header_fields},
        {0},
};

static const struct config_field fields[] = {
        {"tls_server_config", CONFIG_OBJECT, offsetof(struct web_settings, tls), .fields = tls_fields},
        {"http_server_config", CONFIG_OBJECT, offsetof(struct web_settings, http), .fields = http_fields},
        {"basic_auth_users", CONFIG_MAP, offsetof(struct web_settings, users), .flags = 0},
        {0},
};
static const char *const elsewhere[] = {"rate_limit", NULL};

static bool tls_is_asked(const struct web_tls_settings *tls)
{
        return tls->cert || tls->key || tls->cert_file || tls->key_file || tls->client_ca ||
               tls->client_ca_file || tls->client_auth != NO_CERT;
}

static void check_pair(struct config_node *node, const char *word, const char *inline_text, const char *file,
                       bool needed)
{
        if (inline_text && file)
                config_complain(node, word, "give either %s or %s_file, not both", word, word);
        else if (!inline_text && !file && needed)
                config_complain(node, NULL, "%s_file is missing", word);
}

static void check_tls(const struct web_tls_settings *tls, struct config_node *node)
{
        bool has_ca = tls->client_ca || tls->client_ca_file;
        bool verifies = tls->client_auth == VERIFY_IF_GIVEN || tls->client_auth == REQUIRE_VERIFIED;
        check_pair(node, "cert", tls->cert, tls->cert_file, true);
        check_pair(node, "key", tls->key, tls->key_file, true);
        check_pair(node, "client_ca", tls->client_ca, tls->client_ca_file, verifies);
        if (has_ca && tls->client_auth == NO_CERT)
                config_complain(node, tls->client_ca ? "client_ca" : "client_ca_file",
                                "authorities are of no use without a client_auth_type such as "
                                "RequireAndVerifyClientCert");
        if (tls->allowed_sans.count > 0 && tls->client_auth != REQUIRE_ANY &&
            tls->client_auth != REQUIRE_ANY_OLD && tls->client_auth != REQUIRE_VERIFIED)
                config_complain(node, "client_allowed_sans",
                                "client_allowed_sans needs client_auth_type RequireAndVerifyClientCert (or "
                                "RequireAnyClientCert)");
        if (tls->min_version > tls->max_version)
                config_complain(node, "min_version", "min_version is above max_version");
        web_tls_check(tls, node);
}

static void check_headers(char *const *headers, struct config_node *node)
{
        const char *frame = headers[1], *type = headers[2];
        if (frame && *frame && strcasecmp(frame, "deny") != 0 && strcasecmp(frame, "sameorigin") != 0)
                config_complain(node, web_header_names[1], "X-Frame-Options takes deny or sameorigin");
        if (type && *type && strcasecmp(type, "nosniff") != 0)
                config_complain(node, web_header_names[2], "X-Content-Type-Options takes nosniff");
        for (size_t i = 0; i < WEB_HEADERS; i++)
                if (headers[i] && headers[i][strcspn(headers[i], "\r\n")] != '\0')
                        config_complain(node, web_header_names[i], "a header must not have line breaks");
}

/* The cost of a bcrypt hash; 0 when it is none. */
static int bcrypt_cost(const char *hash)
{
        static const char letters[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        if (strlen(hash) != HASH_LENGTH || hash[0] != '$' || hash[1] != '2' || !strchr("aby", hash[2]) ||
            hash[3] != '$' || hash[6] != '$' || strspn(hash + 7, letters) != HASH_LENGTH - 7)
                return 0;
        if (hash[4] < '0' || hash[4] > '9' || hash[5] < '0' || hash[5] > '9')
                return 0;
        return (hash[4] - '0') * 10 + hash[5] - '0';
}

/* Checks the hashes, and makes one of the highest cost among them that no password fits. */
static int check_users(struct web_config *config, struct config_node *node)
{
        const struct config_map *users = &config->settings.users;
        int highest = LEAST_COST;
        for (size_t i = 0; i < users->count; i++) {
                int cost = bcrypt_cost(users->values[i]);
                if (!*users->keys[i] || strchr(users->keys[i], ':'))
                        config_complain(node, users->keys[i], "a user's name is not empty and has no \":\"");
                if (cost == 0)
                        config_complain(node, users->keys[i],
                                        "%s needs a bcrypt hash such as $2y$10$…, made by `htpasswd -nBC 10`",
                                        users->keys[i]);
                else if (cost < LEAST_COST || cost > MOST_COST)
                        config_complain(node, users->keys[i],
                                        "bcrypt's cost of %s is %d, which is not from %d to %d",
                                        users->keys[i], cost, LEAST_COST, MOST_COST);
                else if (cost > highest)
                        highest = cost;
        }
        /* The salt is of no matter: an unknown user is denied whatever comes out. */
        config->unknown_hash = text_format("$2b$%02d$......................", highest);
        return config->unknown_hash ? 0 : -ENOMEM;
}

/* A file that the configuration names, beside it unless absolute. */
static int resolve_path(char **name, const char *path)
{
        const char *slash = strrchr(path, '/');
        if (!*name || **name == '/' || !slash)
                return 0;
        char *joined = text_format("%.*s/%s", (int)(slash - path), path, *name);
        if (!joined)
                return -ENOMEM;
        free(*name);
        *name = joined;
        return 0;
}

static int take_paths(struct web_config *config, const char *path)
{
        struct web_tls_settings *tls = &config->settings.tls;
        char **files[WEB_FILES] = {NULL, &tls->cert_file, &tls->key_file, &tls->client_ca_file};
        config->paths[0] = strdup(path);
        for (size_t i = 1; i < WEB_FILES; i++) {
                if (resolve_path(files[i], path) < 0)
                        return -ENOMEM;
                if (*files[i] && !(config->paths[i] = strdup(*files[i])))
                        return -ENOMEM;
        }
        return config->paths[0] ? 0 : -ENOMEM;
}

void web_stamps_take(char *const *paths, struct web_stamp *ret)
{
        for (size_t i = 0; i < WEB_FILES; i++) {
                struct stat status;
                memset(&ret[i], 0, sizeof(ret[i]));
                if (!paths[i] || stat(paths[i], &status) < 0)
                        continue;
                ret[i].device = status.st_dev;
                ret[i].inode = status.st_ino;
                ret[i].size = status.st_size;
                ret[i].modified = status.st_mtim;
                ret[i].changed = status.st_ctim;
        }
}

bool web_stamps_differ(char *const *paths, const struct web_stamp *stamps)
{
        struct web_stamp now[WEB_FILES];
        memset(now, 0, sizeof(now));
        web_stamps_take(paths, now);
        return memcmp(now, stamps, sizeof(now)) != 0;
}

/* Reads the document into `config`; mistakes are complaints. */
static int read_document(struct web_config *config, const char *path, struct config *document)
{
        struct config_node *root = config_root(document);
        struct web_settings *settings = &config->settings;
        if (!root)
                return 0;
        config_read_some(root, fields, settings, elsewhere);
        if (config_member(root, "rate_limit"))
                config_complain(root, "rate_limit",
                                "rate_limit is not supported: this server has limits of its own");
        struct config_node *http = config_member(root, "http_server_config");
        struct config_node *tls = config_member(root, "tls_server_config");

        config->http2_asked = http && config_member(http, "http2") && settings->http.http2;
        config->tls = tls && tls_is_asked(&settings->tls);
        if (config->tls)
                check_tls(&settings->tls, tls);
        if (http)
                check_headers(settings->http.headers, config_member(http, "headers"));
        if (take_paths(config, path) < 0)
                return -ENOMEM;
        return check_users(config, config_member(root, "basic_auth_users"));
}

/* An empty file configures nothing, as in exporter-toolkit. What is no file, such as a pipe, has no size. */
static bool is_empty(const char *path)
{
        struct stat status;
        return stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
}

int web_config_load(const char *path, struct web_config **ret, struct error *error)
{
        _cleanup_(web_config_unref_p) struct web_config *config = calloc(1, sizeof(*config));
        _cleanup_config_ struct config *document = NULL;
        char *const only[WEB_FILES] = {(char *)path};
        if (!config)
                return error_oom(error);
        atomic_init(&config->references, 1);
        web_stamps_take(only, config->stamps);
        int r = is_empty(path) ? config_parse(path, "{}", &document, error)
                               : config_load(path, &document, error);
        if (r < 0)
                return r;
        if (read_document(config, path, document) < 0)
                return error_oom(error);
        if (config_complaints(document) > 0)
                return error_set(error, EINVAL, "%s", config_complaints_text(document));
        if (!config->paths[0] && !(config->paths[0] = strdup(path)))
                return error_oom(error);

        /* That of the document stays as it was before it was read. */
        struct web_stamp before = config->stamps[0];
        web_stamps_take(config->paths, config->stamps);
        config->stamps[0] = before;
        if (config->tls) {
                r = web_tls_open(config, error);
                if (r < 0)
                        return error_prefix(error, r, "%s", path);
        }
        *ret = TAKE_PTR(config);
        return 0;
}

struct web_config *web_config_ref(struct web_config *config)
{
        if (config)
                atomic_fetch_add(&config->references, 1);
        return config;
}

struct web_config *web_config_unref(struct web_config *config)
{
        if (!config || atomic_fetch_sub(&config->references, 1) > 1)
                return NULL;
        web_tls_close(config);
        char *key = config->settings.tls.key;
        if (key)
                explicit_bzero(key, strlen(key));
        config_release(fields, &config->settings);
        for (size_t i = 0; i < WEB_FILES; i++)
                free(config->paths[i]);
        free(config->unknown_hash);
        free(config);
        return NULL;
}

bool web_config_has_users(const struct web_config *config)
{
        return config->settings.users.count > 0;
}

bool web_config_has_user(const struct web_config *config, const char *name)
{
        return config_map_get(&config->settings.users, name) != NULL;
}

bool web_config_authenticates(const struct web_config *config)
{
        return config && (web_config_has_users(config) ||
                          (config->tls && config->settings.tls.client_auth == REQUIRE_VERIFIED));
}
