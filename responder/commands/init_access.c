/* SPDX-License-Identifier: Apache-2.0 */
#include "responder/commands/init_access.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runbook/authority.h"
#include "runbook/clock.h"
#include "runbook/file.h"
#include "runbook/program.h"
#include "runbook/secret.h"

#define PROGRAM "runbook_responder"
#define LIFETIME (5 * 365 * 24 * 3600 * NSEC_PER_SEC)
#define ADDRESS_OF_DOCKER "host.docker.internal"
/* bcrypt's, as --web.config.file asks for it: what is random needs no more. */
enum { COST = 10, ALWAYS = 3, DEEP = 8, FILE_MODE = 0600, DIRECTORY_MODE = 0700 };

/* What is written, and how it will be found by those who read it. */
struct access {
        const char *address; /* of the daemons, for Prometheus and Alertmanager */
        const char *seen_as; /* the directory, where they find it */
        char *directory;     /* in which it is made: put in its place when it is whole */
        struct authority *authority;
        struct text users; /* of the web configuration */
};

static void access_release(struct access *access)
{
        free(access->directory);
        authority_free(access->authority);
        text_free(&access->users);
}

/* A file of one who asks, as a string of YAML. */
static void put_path(const struct access *access, const char *whose, const char *file, struct text *text)
{
        _cleanup_free_ char *path = text_format("%s/%s/%s", access->seen_as, whose, file);
        text_put_json(text, path ? path : "");
}

/* Who he is to the daemons, and who they are to him; `indent` deep. */
static void put_trust(const struct access *access, const char *whose, const char *indent, struct text *text)
{
        text_printf(text, "%sbasic_auth: {username: %s, password_file: ", indent, whose);
        put_path(access, whose, "password", text);
        text_printf(text, "}\n%stls_config: {ca_file: ", indent);
        put_path(access, whose, "ca.pem", text);
        text_puts(text, "}\n");
}

static void put_scrapes(const struct access *access, const char *whose, struct text *text)
{
        static const struct {
                const char *job;
                int port;
        } scrapes[] = {{"runbook_exporter", 9877}, {"runbook_responder", 9878}};
        text_puts(text, "# For prometheus.yml, below its `scrape_configs:`.\n");
        for (size_t i = 0; i < N_ELEMENTS(scrapes); i++) {
                text_printf(text, "  - job_name: %s\n    scheme: https\n", scrapes[i].job);
                put_trust(access, whose, "    ", text);
                text_printf(text, "    static_configs: [{targets: [\"%s:%d\"]}]\n", access->address,
                            scrapes[i].port);
        }
}

static void put_receiver(const struct access *access, const char *whose, struct text *text)
{
        text_printf(text,
                    "# For alertmanager.yml, below its `receivers:`.\n"
                    "  - name: runbook\n"
                    "    webhook_configs:\n"
                    "      - url: \"https://%s:9878/api/v1/alerts\"\n"
                    "        send_resolved: true\n"
                    "        max_alerts: 0\n"
                    "        http_config:\n",
                    access->address);
        put_trust(access, whose, "          ", text);
}

/* Who asks: a user of the web configuration, with a directory of his own that nobody else needs to read. */
static const struct caller {
        const char *name;
        const char *lines_file; /* NULL: he has no configuration that lines go into */
        void (*put_lines)(const struct access *access, const char *whose, struct text *text);
} callers[] = {
        {"prometheus", "scrape.yml", put_scrapes},
        {"alertmanager", "receiver.yml", put_receiver},
        {"operator", NULL, NULL},
};

static int make_file(const struct access *access, const char *whose, const char *file,
                     const struct text *text, struct error *error)
{
        _cleanup_free_ char *path = text_format("%s/%s/%s", access->directory, whose, file);
        if (!path || text_error(text) < 0)
                return error_oom(error);
        return file_make(path, text_string(text), text->length, FILE_MODE, error);
}

static int make_directory(const struct access *access, const char *whose, struct error *error)
{
        _cleanup_free_ char *path = text_format("%s%s%s", access->directory, *whose ? "/" : "", whose);
        if (!path)
                return error_oom(error);
        return mkdir(path, DIRECTORY_MODE) < 0 ? error_set_errno(error, errno, "%s", path) : 0;
}

/* A user of the web configuration, by a password that stands in his directory alone. */
static int make_user(struct access *access, const char *name, struct error *error)
{
        _cleanup_free_ char *path = text_format("%s/%s/password", access->directory, name);
        _cleanup_secret_ struct text password = {0};
        char salt[CRYPT_GENSALT_OUTPUT_SIZE];
        struct secret secret = {.file = path};
        int r = path ? secret_make(path, error) : error_oom(error);
        if (r >= 0)
                r = secret_read(&secret, &password, error);
        if (r < 0)
                return r;
        struct crypt_data *data = calloc(1, sizeof(*data));
        const char *hash = data && crypt_gensalt_rn("$2b$", COST, NULL, 0, salt, sizeof(salt))
                                   ? crypt_rn(text_string(&password), salt, data, (int)sizeof(*data))
                                   : NULL;
        if (hash)
                text_printf(&access->users, "  %s: %s\n", name, hash);
        r = hash ? 0 : error_set(error, ENOMEM, "the password of %s could not be hashed", name);
        if (data)
                explicit_bzero(data, sizeof(*data));
        free(data);
        return r;
}

static int make_caller(struct access *access, const struct caller *caller, struct error *error)
{
        _cleanup_text_ struct text lines = {0}, trusted = {0};
        int r = make_directory(access, caller->name, error);
        if (r >= 0)
                r = make_user(access, caller->name, error);
        if (r >= 0)
                r = authority_certificate(access->authority, &trusted, error);
        if (r >= 0)
                r = make_file(access, caller->name, "ca.pem", &trusted, error);
        if (r < 0 || !caller->lines_file)
                return r;
        caller->put_lines(access, caller->name, &lines);
        return make_file(access, caller->name, caller->lines_file, &lines, error);
}

/* The daemons' own: known by the names that were given, and as what they are on this machine. */
static int issue(const struct access *access, const struct flag_strings *given, struct text *certificate,
                 struct text *key, struct error *error)
{
        const char *names[FLAG_STRINGS_MAX + ALWAYS];
        size_t count = 0;
        for (; count < given->count; count++)
                names[count] = given->items[count];
        names[count++] = "localhost";
        names[count++] = "127.0.0.1";
        names[count++] = "::1";
        return authority_issue(access->authority, names, count, certificate, key, error);
}

static int make_daemon(const struct access *access, const struct text *certificate, const struct text *key,
                       struct error *error)
{
        _cleanup_text_ struct text web = {0};
        text_printf(&web,
                    "# Written by `runbook_responder init-access`; the passwords stand beside it, in a "
                    "directory\n"
                    "# of each user's own.\n"
                    "tls_server_config: {cert_file: server.pem, key_file: server.key}\n"
                    "basic_auth_users:\n%s",
                    text_string(&access->users));
        int r = make_directory(access, "daemon", error);
        if (r >= 0)
                r = make_file(access, "daemon", "server.pem", certificate, error);
        if (r >= 0)
                r = make_file(access, "daemon", "server.key", key, error);
        return r < 0 ? r : make_file(access, "daemon", "web.config.yml", &web, error);
}

static int remove_one(const char *path, const struct stat *stat _unused_, int type _unused_,
                      struct FTW *where _unused_)
{
        return remove(path);
}

/* All of it, or nothing. */
static int make_all(struct access *access, const struct flag_strings *names, const char *directory,
                    struct error *error)
{
        _cleanup_text_ struct text certificate = {0};
        _cleanup_secret_ struct text key = {0};
        int r = authority_new(LIFETIME, &access->authority, error);
        if (r >= 0)
                r = issue(access, names, &certificate, &key, error);
        if (r >= 0)
                r = make_directory(access, "", error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < N_ELEMENTS(callers) && r >= 0; i++)
                r = make_caller(access, &callers[i], error);
        if (r >= 0)
                r = make_daemon(access, &certificate, &key, error);
        if (r >= 0)
                r = file_rename_new(access->directory, directory, error);
        if (r < 0)
                (void)nftw(access->directory, remove_one, DEEP, FTW_DEPTH | FTW_PHYS);
        return r;
}

static void put_next(const char *directory, const struct access *access, struct text *text)
{
        text_printf(text,
                    "%s: users prometheus, alertmanager and operator, and a certificate for five years\n"
                    "  the responder:  --web.listen-address=:9878 --web.config.file=%s/daemon/web.config.yml "
                    "--web.senders=alertmanager --web.operators=operator\n"
                    "  the exporter:   --web.config.file=%s/daemon/web.config.yml\n"
                    "  Prometheus:     the lines of %s/prometheus/scrape.yml; it finds its files in "
                    "%s/prometheus\n"
                    "  Alertmanager:   the lines of %s/alertmanager/receiver.yml; it finds its files in "
                    "%s/alertmanager\n"
                    "  you:            --url=https://%s:9878 --user=operator "
                    "--password-file=%s/operator/password "
                    "--ca-file=%s/operator/ca.pem\n"
                    "Each directory is to be read by the account of its reader alone: chown it.\n",
                    directory, directory, directory, directory, access->seen_as, directory, access->seen_as,
                    access->address, directory, directory);
}

/* The directory as a whole path, without a slash at its end. */
static char *whole_path(const char *path)
{
        size_t length = strlen(path);
        while (length > 1 && path[length - 1] == '/')
                length--;
        _cleanup_free_ char *here = *path == '/' ? NULL : getcwd(NULL, 0);
        return text_format("%s%s%.*s", here ? here : "", here ? "/" : "", (int)length, path);
}

int command_init_access(const void *context)
{
        const struct responder_arguments *arguments = context;
        static const struct flag_strings by_docker = {{ADDRESS_OF_DOCKER}, 1};
        const struct flag_strings *names = arguments->names.count > 0 ? &arguments->names : &by_docker;
        _cleanup_(access_release) struct access access = {.address = names->items[0]};
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        _cleanup_free_ char *directory = whole_path(arguments->program.operand);
        access.seen_as = arguments->mounted ? arguments->mounted : directory;
        access.directory = directory ? text_format("%s.%d.new", directory, (int)getpid()) : NULL;
        int r = access.directory ? 0 : error_oom(&error);
        if (r >= 0 && directory && faccessat(AT_FDCWD, directory, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                r = error_set(&error, EEXIST, "%s: it is there already, and nothing is ever overwritten",
                              directory);
        if (r >= 0)
                r = make_all(&access, names, directory, &error);
        if (r >= 0)
                put_next(directory, &access, &text);
        if (r < 0)
                program_complain(PROGRAM, &error);
        return r == -EINVAL ? EXIT_USAGE : r < 0 ? EXIT_FAILED : program_print(&text);
}
