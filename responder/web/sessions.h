/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: who has shown a token on the login page shows a signed cookie from then on; and tokens of forms,
 * by which it is known that a form is one of ours, shown to who sends it.
 *
 * Nothing is kept of a session: the cookie says whose it is, in which role, and until when, under an HMAC by
 * a key of this process and by the token that was shown. So a restart ends all sessions, and a replaced token
 * file those of that token.
 */
#ifndef RESPONDER_WEB_SESSIONS_H
#define RESPONDER_WEB_SESSIONS_H

#include "responder/web/tokens.h"
#include "runbook/clock.h"
#include "runbook/digest.h"

#define SESSION_COOKIE "runbook_session"
#define SESSION_LIFE (12 * 3600 * NSEC_PER_SEC)
enum { SESSION_NAME_MOST = 100 };

struct sessions;

/* What a session is bound to, and ends with: the token that was shown, or the password of a user. */
struct session_proofs {
        const struct tokens *tokens; /* NULL: there are none */
        /* What stands for a user's password now; -ENOENT: there is no such user. NULL: there are none. */
        int (*password_mark)(const void *context, const char *user, char ret[static DIGEST_TEXT_MAX]);
        const void *context; /* handed to it */
};

int sessions_new(struct sessions **ret, struct error *error);
struct sessions *sessions_free(struct sessions *sessions); /* takes NULL */

struct session {
        enum web_role role; /* of the token; ROLE_COUNT: it was a password, and the name is a user's */
        char name[SESSION_NAME_MOST + 1]; /* as its owner has given it */
};

/* The value of the cookie, from now (monotonic) on; NULL: out of memory, or the token cannot be read. */
char *session_make(const struct sessions *sessions, const struct session_proofs *proofs,
                   const struct session *session, nsec now);

/* Whether a Cookie header (may be NULL) has one of ours that still holds: 1; 0: it has none; -ENOMEM,
 * -EMFILE, -EIO…: that cannot be known now. Any thread. */
int session_find(const struct sessions *sessions, const struct session_proofs *proofs, const char *header,
                 nsec now, struct session *ret);

/* The token of a form that is shown to `whom`: his session's cookie, or what else he is known by. */
int session_form_token(const struct sessions *sessions, const char *whom, char ret[static DIGEST_TEXT_MAX]);

/* Whether two strings are the same, in a time that does not tell how much of them is. */
bool session_same(const char *a, const char *b);

/* The cookie's value in a header, of `*ret_length`; NULL: there is none. */
const char *session_cookie(const char *header, size_t *ret_length);

#endif
