/* SPDX-License-Identifier: Apache-2.0 */
/* A responder that runs, asked from a terminal. */
#include "responder/commands/remote.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runbook/http_client.h"

#define PROGRAM "runbook_responder"
#define PATIENCE (30 * NSEC_PER_SEC)
#define ANSWER_MOST ((size_t)64 << 20)
#define SENTENCE_MOST ((size_t)1000)
#define UNIT_SOCKET "/run/runbook-responder/operator.sock"

struct remote {
        const struct responder_arguments *arguments;
        struct http_client *client;
        const char *base;    /* URL */
        char *socket;        /* NULL: over TCP */
        char *shut;          /* a socket that is there, and not for this user; NULL: there is none */
        struct secret token; /* unset: none is shown */
        struct text login;   /* a header; empty: none is shown */
};

/* Beside the journal; NULL when out of memory. */
static char *beside(const char *journal, const char *name)
{
        const char *slash = strrchr(journal, '/');
        return text_format("%.*s%s", slash ? (int)(slash - journal) + 1 : 0, journal, name);
}

/* Takes the path: it is the remote's when this user may open it, or else what he is told of. */
static int try_socket(struct remote *remote, char *take, struct error *error)
{
        _cleanup_free_ char *path = take;
        if (!path)
                return error_oom(error);
        if (access(path, W_OK) == 0)
                remote->socket = TAKE_PTR(path);
        else if (errno == EACCES && !remote->shut)
                remote->shut = TAKE_PTR(path);
        return 0;
}

/* --web.operator-socket=FILE, or --url=unix:FILE, which says the same; NULL: none is named. */
static const char *named_socket(const struct responder_arguments *arguments)
{
        const char *url = arguments->remote.url;
        return url && string_starts(url, "unix:") ? url : arguments->operator_socket;
}

static bool comes_over_http(const struct responder_arguments *arguments)
{
        const struct remote_arguments *remote = &arguments->remote;
        return (remote->url && !string_starts(remote->url, "unix:")) || remote->token_file || remote->user;
}

static int find_socket(struct remote *remote, struct error *error)
{
        const struct responder_arguments *arguments = remote->arguments;
        const char *given = named_socket(arguments);
        if (given) {
                remote->socket = strdup(given + (string_starts(given, "unix:") ? strlen("unix:") : 0));
                return remote->socket ? 0 : error_oom(error);
        }
        int r = try_socket(remote, beside(arguments->journal, "operator.sock"), error);
        if (r >= 0 && !remote->socket)
                r = try_socket(remote, strdup(UNIT_SOCKET), error);
        return r;
}

/* "Authorization: Basic …" */
static int make_login(struct remote *remote, const char *user, const char *file, struct error *error)
{
        const struct secret secret = {.file = (char *)file};
        _cleanup_secret_ struct text pair = {0};
        text_printf(&pair, "%s:", user);
        if (error_prefix(error, secret_read(&secret, &pair, error), "--password-file") < 0)
                return -EINVAL;
        struct text *login = &remote->login;
        text_puts(login, "Authorization: Basic ");
        if (text_error(&pair) < 0 || !text_reserve(login, 4 * (pair.length / 3 + 1) + 1))
                return error_oom(error);
        login->length += (size_t)EVP_EncodeBlock((unsigned char *)login->data + login->length,
                                                 (const unsigned char *)pair.data, (int)pair.length);
        return 0;
}

static int find_token(struct remote *remote, struct error *error)
{
        const struct responder_arguments *arguments = remote->arguments;
        _cleanup_free_ char *file = arguments->remote.token_file
                                            ? strdup(arguments->remote.token_file)
                                            : beside(arguments->journal, "tokens/operator");
        if (!file)
                return error_oom(error);
        if (!arguments->remote.token_file && (arguments->remote.url || access(file, R_OK) < 0))
                return 0;
        const struct secret secret = {.file = file};
        _cleanup_secret_ struct text value = {0};
        if (error_prefix(error, secret_read(&secret, &value, error), "--token-file") < 0)
                return -EINVAL;
        remote->token.file = TAKE_PTR(file);
        return 0;
}

static int check(const struct responder_arguments *arguments, struct error *error)
{
        const struct remote_arguments *remote = &arguments->remote;
        if (named_socket(arguments) && comes_over_http(arguments))
                return error_set(error, EINVAL,
                                 "over a socket (--web.operator-socket, --url=unix:…) nothing else is shown: "
                                 "leave out --url, --user and --token-file, or it");
        if (!remote->user != !remote->password_file)
                return error_set(error, EINVAL, "--user and --password-file go together");
        if (remote->user && remote->token_file)
                return error_set(error, EINVAL, "show a token or a password, and not both");
        if (!remote->cert_file != !remote->key_file)
                return error_set(error, EINVAL, "--cert-file and --key-file go together");
        return 0;
}

int remote_open(const struct responder_arguments *arguments, struct remote **ret, struct error *error)
{
        const struct remote_arguments *given = &arguments->remote;
        int r = check(arguments, error);
        if (r >= 0)
                r = http_client_global_init(error);
        if (r < 0)
                return r;
        _cleanup_remote_ struct remote *remote = calloc(1, sizeof(*remote));
        if (!remote || !(remote->client = http_client_new()))
                return error_oom(error);
        remote->arguments = arguments;
        remote->base = given->url ? given->url : REMOTE_LOCAL_URL;
        if (!comes_over_http(arguments))
                r = find_socket(remote, error);
        if (r >= 0 && given->user)
                r = make_login(remote, given->user, given->password_file, error);
        else if (r >= 0 && !remote->socket)
                r = find_token(remote, error);
        if (r >= 0)
                *ret = TAKE_PTR(remote);
        return r;
}

struct remote *remote_close(struct remote *remote)
{
        if (!remote)
                return NULL;
        http_client_free(remote->client);
        secret_release(&remote->token);
        text_wipe(&remote->login);
        free(remote->socket);
        free(remote->shut);
        free(remote);
        return NULL;
}

/* What the statuses of the API mean; of any other nothing follows. */
static const struct {
        long status;
        int result;
} meanings[] = {{400, -EINVAL}, {401, -EACCES}, {403, -EACCES}, {404, -ENOENT}, {409, -ESTALE}};

static int refuse(const struct remote *remote, const struct http_response *response, const cJSON *answer,
                  struct error *error)
{
        const char *sentence = json_string(answer, "error");
        int result = -EIO;
        for (size_t i = 0; i < N_ELEMENTS(meanings); i++)
                if (meanings[i].status == response->status)
                        result = meanings[i].result;
        /* Who is not let in is told so before anything answers in JSON. */
        if (!sentence && result == -EACCES)
                sentence = text_string(&response->body);
        if (!sentence)
                return error_set(error, EIO, "%s answered %ld: is it a responder?",
                                 remote->socket ? remote->socket : remote->base, response->status);
        _cleanup_text_ struct text shown = {0};
        _cleanup_free_ char *line = strndup(sentence, strcspn(sentence, "\n"));
        text_put_line(&shown, line ? line : "", SENTENCE_MOST);
        if (result == -EACCES && remote->shut)
                return error_set(error, EACCES, "%s; or come over %s, which this user may not open",
                                 text_string(&shown), remote->shut);
        return error_set(error, -result, "%s", text_string(&shown));
}

static int ask(struct remote *remote, const char *method, const char *path, const char *body,
               const char *member, cJSON **ret, struct error *error)
{
        const struct remote_arguments *given = &remote->arguments->remote;
        const char *headers[3] = {NULL};
        size_t count = 0;
        if (body)
                headers[count++] = "Content-Type: application/json";
        if (remote->login.length > 0)
                headers[count++] = text_string(&remote->login);
        _cleanup_text_ struct text url = {0};
        http_put_url(&url, remote->socket ? "http://localhost" : remote->base, path);
        if (text_error(&url) < 0)
                return error_oom(error);
        const struct http_request request = {
                .method = method,
                .url = text_string(&url),
                .unix_socket = remote->socket,
                .headers = headers,
                .body = body,
                .body_length = body ? strlen(body) : 0,
                .body_limit = ANSWER_MOST,
                .deadline = deadline_in(PATIENCE),
                .bearer = secret_is_set(&remote->token) ? &remote->token : NULL,
                .ca_file = given->ca_file,
                .cert_file = given->cert_file,
                .key_file = given->key_file,
        };
        _cleanup_http_response_ struct http_response response = {0};
        _cleanup_json_ cJSON *answer = NULL;
        int r = http_fetch(remote->client, &request, &response, error);
        if (r == -ETIMEDOUT && body)
                return error_set(error, ETIMEDOUT, "no answer within 30s: whether it was done is not known");
        if (r < 0)
                return r == -EINVAL ? r : error_prefix(error, -EIO, "the responder cannot be reached");
        r = json_parse_strict(text_string(&response.body), response.body.length, &json_answer_limits, &answer,
                              NULL);
        if (response.status != 200 || r < 0 || !json_get(answer, member, NULL))
                return refuse(remote, &response, answer, error);
        *ret = TAKE_PTR(answer);
        return 0;
}

int remote_get(struct remote *remote, const char *path, const char *member, cJSON **ret, struct error *error)
{
        return ask(remote, "GET", path, NULL, member, ret, error);
}

int remote_ask(struct remote *remote, const char *path, const cJSON *body, const char *member, cJSON **ret,
               struct error *error)
{
        _cleanup_free_ char *printed = json_print(body);
        return printed ? ask(remote, "POST", path, printed, member, ret, error) : error_oom(error);
}

/* Whose account this is: what a token does not tell. NULL: nobody knows. */
static char *own_name(void)
{
        char buffer[1024];
        struct passwd entry, *found = NULL;
        getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found);
        return found ? strdup(found->pw_name) : text_format("uid %u", (unsigned)geteuid());
}

int remote_post(struct remote *remote, const char *path, const cJSON *more, const char *member, cJSON **ret,
                struct error *error)
{
        const struct remote_arguments *given = &remote->arguments->remote;
        _cleanup_json_ cJSON *document = more ? cJSON_Duplicate(more, true) : cJSON_CreateObject();
        _cleanup_free_ char *name = given->by ? strdup(given->by) : own_name();
        if (!document || !name)
                return error_oom(error);
        json_put(document, "by", cJSON_CreateString(name));
        if (given->reason)
                json_put(document, "reason", cJSON_CreateString(given->reason));
        _cleanup_free_ char *body = json_print(document);
        return body ? ask(remote, "POST", path, body, member, ret, error) : error_oom(error);
}

/* "7" is this year's INC-2026-0007. */
static void put_number(struct text *path, const char *number)
{
        time_t now = (time_t)(clock_wall() / NSEC_PER_SEC);
        struct tm parts;
        if (*number && strspn(number, "0123456789") == strlen(number) && gmtime_r(&now, &parts))
                text_printf(path, "INC-%d-%04ld", parts.tm_year + 1900, strtol(number, NULL, 10));
        else
                text_put_escaped(path, number);
}

int remote_put_incident(struct text *path, const char *number, const char *decision, struct error *error)
{
        if (strpbrk(number, "./%"))
                return error_set(error, EINVAL, "an incident is called INC-2026-0007, or 7 of this year");
        text_puts(path, "/api/v1/incidents/");
        put_number(path, number);
        text_printf(path, "%s%s", decision ? "/" : "", decision ? decision : "");
        return text_error(path) < 0 ? error_oom(error) : 0;
}

cJSON *remote_labels(const struct flag_strings *given, struct error *error)
{
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        cJSON *labels = cJSON_CreateObject();
        json_put(json, "labels", labels);
        for (size_t i = 0; i < given->count; i++) {
                const char *equals = strchr(given->items[i], '=');
                _cleanup_free_ char *name =
                        equals ? strndup(given->items[i], (size_t)(equals - given->items[i])) : NULL;
                if (!name || !*name) {
                        error_set(error, EINVAL, "--label takes NAME=VALUE, and not \"%s\"", given->items[i]);
                        return NULL;
                }
                if (json_get(labels, name, NULL)) {
                        error_set(error, EINVAL, "the label %s is given twice", name);
                        return NULL;
                }
                if (json_put(labels, name, cJSON_CreateString(equals + 1)) < 0) {
                        error_oom(error);
                        return NULL;
                }
        }
        return TAKE_PTR(json);
}

int remote_complain(int result, const struct error *error)
{
        program_complain(PROGRAM, error);
        switch (result) {
        case -EINVAL: return EXIT_USAGE;
        case -ENOENT:
        case -ESTALE: return EXIT_FAILED;
        case -EACCES: return EXIT_FORBIDDEN;
        default: return EXIT_UNREACHED;
        }
}

int remote_print_json(const cJSON *json)
{
        _cleanup_free_ char *printed = json_print(json);
        _cleanup_text_ struct text text = {.error = printed ? 0 : -ENOMEM};
        if (printed)
                text_printf(&text, "%s\n", printed);
        return program_print(&text);
}
