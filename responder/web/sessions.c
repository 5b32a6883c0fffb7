/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies that are signed, and the tokens of forms. */
#include "responder/web/sessions.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "runbook/text.h"

enum { KEY_SIZE = 32, COOKIE_MOST = 512 };

struct sessions {
        unsigned char key[KEY_SIZE];
};

int sessions_new(struct sessions **ret, struct error *error)
{
        struct sessions *sessions = calloc(1, sizeof(*sessions));
        if (!sessions)
                return error_oom(error);
        if (getrandom(sessions->key, KEY_SIZE, 0) != KEY_SIZE) {
                free(sessions);
                return error_set_errno(error, errno, "no randomness for sessions");
        }
        *ret = sessions;
        return 0;
}

struct sessions *sessions_free(struct sessions *sessions)
{
        if (sessions)
                explicit_bzero(sessions->key, KEY_SIZE);
        free(sessions);
        return NULL;
}

/* The HMAC of a text, which is wiped: a secret may be in it. */
static int sign(const struct sessions *sessions, struct text *take, char ret[static DIGEST_TEXT_MAX])
{
        unsigned char sum[DIGEST_SIZE];
        unsigned length = sizeof(sum);
        int r = text_error(take);
        if (r >= 0 && !HMAC(EVP_sha256(), sessions->key, KEY_SIZE, (const unsigned char *)take->data,
                            take->length, sum, &length))
                r = -EIO;
        if (take->data)
                explicit_bzero(take->data, take->length);
        text_free(take);
        if (r >= 0)
                digest_text(sum, ret);
        return r;
}

/* Appends what the session was given for. */
static int read_proof(const struct session_proofs *proofs, const struct session *session, struct text *text)
{
        char mark[DIGEST_TEXT_MAX];
        if (session->role != ROLE_COUNT)
                return proofs->tokens ? tokens_read(proofs->tokens, session->role, text, NULL) : -ENOENT;
        int r = proofs->password_mark ? proofs->password_mark(proofs->context, session->name, mark) : -ENOENT;
        if (r >= 0)
                text_puts(text, mark);
        return r;
}

/* Of what a cookie says, and of what it was given for. */
static int sign_session(const struct sessions *sessions, const struct session_proofs *proofs,
                        const struct session *session, const char *said, size_t length,
                        char ret[static DIGEST_TEXT_MAX])
{
        struct text text = {0};
        text_reserve(&text, 2 * COOKIE_MOST); /* so that growing leaves no copy of the token behind */
        text_puts(&text, "session ");
        text_append(&text, said, length);
        text_putc(&text, ' ');
        int r = read_proof(proofs, session, &text);
        if (r >= 0)
                return sign(sessions, &text, ret);
        text_free(&text);
        return r;
}

char *session_make(const struct sessions *sessions, const struct session_proofs *proofs,
                   const struct session *session, nsec now)
{
        _cleanup_text_ struct text cookie = {0};
        char mac[DIGEST_TEXT_MAX];
        const nsec ends = now + SESSION_LIFE;
        text_printf(&cookie, "%d.%lld.", (int)session->role, (long long)ends);
        for (const char *c = session->name; *c; c++)
                text_printf(&cookie, "%02x", (unsigned char)*c);
        if (text_error(&cookie) < 0 ||
            sign_session(sessions, proofs, session, cookie.data, cookie.length, mac) < 0)
                return NULL;
        text_printf(&cookie, ".%s", mac);
        return text_take(&cookie);
}

const char *session_cookie(const char *header, size_t *ret_length)
{
        const size_t name = strlen(SESSION_COOKIE "=");
        while (header && *header) {
                header += strspn(header, " ;");
                size_t length = strcspn(header, ";");
                if (length > name && strncmp(header, SESSION_COOKIE "=", name) == 0) {
                        *ret_length = length - name;
                        return header + name;
                }
                header += length;
        }
        return NULL;
}

static bool read_name(const char *hex, char ret[static SESSION_NAME_MOST + 1])
{
        size_t length = strlen(hex);
        if (length == 0 || length % 2 != 0 || length / 2 > SESSION_NAME_MOST ||
            hex[strspn(hex, "0123456789abcdef")])
                return false;
        for (size_t i = 0; i < length / 2; i++) {
                const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};
                ret[i] = (char)strtol(digits, NULL, 16);
        }
        ret[length / 2] = '\0';
        return true;
}

bool session_same(const char *a, const char *b)
{
        size_t length = strlen(a);
        return length == strlen(b) && CRYPTO_memcmp(a, b, length) == 0;
}

int session_find(const struct sessions *sessions, const struct session_proofs *proofs, const char *header,
                 nsec now, struct session *ret)
{
        char cookie[COOKIE_MOST], mac[DIGEST_TEXT_MAX];
        size_t length = 0;
        const char *found = session_cookie(header, &length);
        if (!found || length >= sizeof(cookie))
                return 0;
        memcpy(cookie, found, length);
        cookie[length] = '\0';
        char *shown = strrchr(cookie, '.');
        int role = 0, parts = 0;
        long long until = 0;
        if (!shown || sscanf(cookie, "%1d.%19lld.%n", &role, &until, &parts) != 2 || parts == 0 || role < 0 ||
            role > ROLE_COUNT || cookie + parts > shown)
                return 0;
        *shown++ = '\0';
        struct session session = {.role = (enum web_role)role};
        if (!read_name(cookie + parts, session.name))
                return 0;
        int r = sign_session(sessions, proofs, &session, cookie, strlen(cookie), mac);
        /* With a token that is gone or empty its sessions are. */
        if (r < 0)
                return r == -ENOENT || r == -EINVAL ? 0 : r;
        if (!session_same(shown, mac) || until <= now)
                return 0;
        *ret = session;
        return 1;
}

int session_form_token(const struct sessions *sessions, const char *whom, char ret[static DIGEST_TEXT_MAX])
{
        struct text text = {0};
        text_puts(&text, "form ");
        text_puts(&text, whom);
        return sign(sessions, &text, ret);
}
