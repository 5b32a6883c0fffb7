/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens in files, one of each role. */
#include "responder/web/tokens.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runbook/file.h"
#include "runbook/log.h"
#include "runbook/secret.h"

enum { TOKEN_LEAST = 16 };

static const struct {
        const char *name;
        bool made; /* at the first start */
} roles[] = {
        [ROLE_READER] = {"reader", false},
        [ROLE_SENDER] = {"alerts", true},
        [ROLE_OPERATOR] = {"operator", true},
        [ROLE_ADMIN] = {"admin", false},
};
tables_agree(roles, ROLE_COUNT);

struct tokens {
        struct secret files[ROLE_COUNT]; /* some of them not there */
};

const char *role_name(enum web_role role)
{
        return roles[role].name;
}

static int make_token(const char *path, struct error *error)
{
        int r = secret_make(path, error);
        if (r > 0)
                log_event(LOG_INFO, "Made a token", "file", path, NULL);
        return r;
}

/* That whoever can read the file is meant to. */
static int check_token(const struct secret *file, struct error *error)
{
        _cleanup_secret_ struct text token = {0};
        struct stat status;
        int r = secret_read(file, &token, error);
        if (r < 0)
                return r;
        if (token.length < TOKEN_LEAST)
                return error_set(error, EINVAL, "the token %s has fewer than %d bytes", file->file,
                                 TOKEN_LEAST);
        if (stat(file->file, &status) == 0 && status.st_mode & S_IROTH)
                log_event(LOG_WARN, "Everybody on this machine can read a token", "file", file->file, NULL);
        return 0;
}

/* `ret` stays NULL when there is no such token, and none is made. */
static int find_token(enum web_role role, const char *directory, char **ret, struct error *error)
{
        _cleanup_free_ char *path = text_format("%s/%s", directory, roles[role].name);
        if (!path)
                return error_oom(error);
        int r = secret_credential(roles[role].name, ret, error);
        if (r < 0 || *ret)
                return r;
        bool there = access(path, F_OK) == 0;
        if (!there && !roles[role].made)
                return 0;
        r = there ? 0 : file_make_directories(path, error);
        if (r >= 0 && !there)
                r = make_token(path, error);
        if (r >= 0)
                *ret = TAKE_PTR(path);
        return r;
}

int tokens_open(const char *directory, struct tokens **ret, struct error *error)
{
        struct tokens *tokens = calloc(1, sizeof(*tokens));
        if (!tokens)
                return error_oom(error);
        for (enum web_role role = 0; role < ROLE_COUNT; role++) {
                int r = find_token(role, directory, &tokens->files[role].file, error);
                if (r >= 0 && tokens->files[role].file)
                        r = check_token(&tokens->files[role], error);
                if (r < 0) {
                        tokens_free(tokens);
                        return r;
                }
        }
        *ret = tokens;
        return 0;
}

struct tokens *tokens_free(struct tokens *tokens)
{
        if (!tokens)
                return NULL;
        for (enum web_role role = 0; role < ROLE_COUNT; role++)
                secret_release(&tokens->files[role]);
        free(tokens);
        return NULL;
}

int tokens_read(const struct tokens *tokens, enum web_role role, struct text *ret, struct error *error)
{
        _cleanup_secret_ struct text token = {0};
        if (!tokens->files[role].file)
                return error_set(error, ENOENT, "there is no token %s", roles[role].name);
        int r = secret_read(&tokens->files[role], &token, error);
        if (r >= 0)
                text_append(ret, token.data, token.length);
        return r;
}

int tokens_find(const struct tokens *tokens, const char *token, enum web_role *ret)
{
        int found = 0, failure = 0;
        for (enum web_role role = 0; role < ROLE_COUNT; role++) {
                bool same = false;
                if (!tokens->files[role].file)
                        continue;
                int r = secret_equals(&tokens->files[role], token, &same, NULL);
                if (same) {
                        *ret = role;
                        found = 1;
                }
                /* One that is gone or empty is nobody's. */
                if (r < 0 && r != -ENOENT && r != -EINVAL)
                        failure = r;
        }
        return found || failure == 0 ? found : failure;
}
