/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets, read where they are kept at each use and wiped after it. */
#include "runbook/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>

#include "runbook/digest.h"
#include "runbook/file.h"
#include "runbook/mask.h"
#include "runbook/words.h"

enum { MAX_SECRET = 64 * 1024, RANDOM_BYTES = 32 };

bool secret_is_set(const struct secret *secret)
{
        return secret->file || secret->variable;
}

/* `where` names the file or the variable. Makes room first: growing later would leave copies behind. */
static int append_value(struct text *text, const char *value, size_t length, const char *where,
                        struct error *error)
{
        if (length > MAX_SECRET)
                return error_set(error, EFBIG, "%s is larger than 64 KiB", where);
        if (length > 0 && value[length - 1] == '\n')
                length--;
        if (length > 0 && value[length - 1] == '\r')
                length--;
        if (memchr(value, '\0', length))
                return error_set(error, EINVAL, "%s holds a NUL byte", where);
        if (!text_reserve(text, length + 1))
                return error_oom(error);
        text_append(text, value, length);
        mask_learn(value, length);
        return 0;
}

static int read_file(const char *path, struct text *text, struct error *error)
{
        _cleanup_free_ char *where = text_format("the secret file %s", path);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (!where)
                return error_oom(error);
        if (fd < 0)
                return error_set_errno(error, errno, "cannot open %s", where);

        char *buffer = malloc(MAX_SECRET + 1);
        if (!buffer)
                return error_oom(error);
        /* One byte more than is allowed, so that it shows that it was too much. */
        ssize_t length = file_read(fd, buffer, MAX_SECRET + 1);
        int result = length < 0 ? error_set_errno(error, (int)-length, "cannot read %s", where)
                                : append_value(text, buffer, (size_t)length, where, error);
        explicit_bzero(buffer, MAX_SECRET + 1);
        free(buffer);
        return result;
}

static int read_variable(const struct secret *secret, struct text *text, struct error *error)
{
        const char *value = getenv(secret->variable);
        if (!value)
                return error_set(error, ENOKEY, "the environment variable %s is not set", secret->variable);
        _cleanup_free_ char *where = text_format("the environment variable %s", secret->variable);
        return where ? append_value(text, value, strlen(value), where, error) : error_oom(error);
}

int secret_read(const struct secret *secret, struct text *text, struct error *error)
{
        int r = 0;
        if (secret->file)
                r = read_file(secret->file, text, error);
        else if (secret->variable)
                r = read_variable(secret, text, error);
        if (r == -ENOENT || r == -ENOKEY)
                error_not_set_up(error, r);
        return error_not_looked(error, r);
}

/* By their digests, which are of one length and tell nothing of how much was right. */
int secret_equals(const struct secret *secret, const char *given, bool *ret, struct error *error)
{
        _cleanup_secret_ struct text value = {0};
        unsigned char expected[DIGEST_SIZE], sum[DIGEST_SIZE], difference = 0;
        int r = secret_read(secret, &value, error);
        if (r < 0)
                return r;
        if (value.length == 0)
                return error_set(error, EINVAL, "the secret is empty");
        if (digest_of(value.data, value.length, expected) < 0 || digest_of(given, strlen(given), sum) < 0)
                return error_oom(error);
        for (size_t i = 0; i < DIGEST_SIZE; i++)
                difference |= expected[i] ^ sum[i];
        *ret = difference == 0;
        return 0;
}

int secret_make(const char *path, struct error *error)
{
        unsigned char random[RANDOM_BYTES];
        char digits[2 * RANDOM_BYTES + 2];
        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return error_set_errno(error, errno, "no randomness for %s", path);
        for (size_t i = 0; i < sizeof(random); i++)
                snprintf(digits + 2 * i, 3, "%02x", random[i]);
        digits[2 * RANDOM_BYTES] = '\n';
        int r = file_make(path, digits, 2 * RANDOM_BYTES + 1, 0600, error);
        explicit_bzero(digits, sizeof(digits));
        explicit_bzero(random, sizeof(random));
        if (r == -EEXIST && error)
                error_clear(error);
        return r == -EEXIST ? 0 : r < 0 ? r : 1;
}

/* "${credential:NAME}" to "NAME", which may be one that no file has; NULL when it is anything else. */
static char *credential_name(const char *text)
{
        size_t length = strlen(text);
        if (!string_starts(text, SECRET_CREDENTIAL) || text[length - 1] != '}')
                return NULL;
        return strndup(text + strlen(SECRET_CREDENTIAL), length - strlen(SECRET_CREDENTIAL) - 1);
}

/* As systemd has it: it becomes the name of a file in one directory, and of no other. */
static bool is_credential_name(const char *name)
{
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
        return length > 0 && !name[length] && !string_equal(name, ".") && !string_equal(name, "..");
}

int secret_locate(const char *text, char **ret, struct error *error)
{
        const char *passed = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_free_ char *name = NULL, *path = NULL;
        if (!strstr(text, SECRET_CREDENTIAL)) {
                path = strdup(text);
                if (!path)
                        return error_oom(error);
                *ret = TAKE_PTR(path);
                return 0;
        }
        name = credential_name(text);
        if (!name || !is_credential_name(name))
                return error_set(error, EINVAL,
                                 "takes " SECRET_CREDENTIAL
                                 "NAME} as the whole of it, with a name of letters, digits, "
                                 "'.', '_' and '-'");
        if (!passed || !*passed)
                return error_set(error, EINVAL,
                                 "is the credential %s, which systemd hands over (LoadCredential=%s), but "
                                 "CREDENTIALS_DIRECTORY is not set; by hand, set it to the directory of the "
                                 "files, such as "
                                 "/etc/credstore",
                                 name, name);
        path = text_format("%s/%s", passed, name);
        if (!path)
                return error_oom(error);
        *ret = TAKE_PTR(path);
        return 0;
}

int secret_credential(const char *name, char **ret, struct error *error)
{
        const char *passed = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_free_ char *path = text_format("%s/%s", passed ? passed : "", name);
        if (!path)
                return error_oom(error);
        *ret = passed && access(path, F_OK) == 0 ? TAKE_PTR(path) : NULL;
        return 0;
}

void secret_release(struct secret *secret)
{
        free(secret->file);
        free(secret->variable);
        *secret = (struct secret){0};
}
