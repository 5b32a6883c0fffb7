/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a browser sends to say who it is: a cookie, a token, a form. Nobody is let in by what was not made
 * here, letter by letter; nor by what was, once its time is over or its password is another.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/http/server/internal.h"
#include "responder/web/sessions.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 20000;
const char *const fuzz_words[] = {SESSION_COOKIE "=",
                                  "; ",
                                  "2.43200000000000.616461.",
                                  "4.",
                                  "9223372036854775807",
                                  "token=",
                                  "&by=ada",
                                  "form=",
                                  "%2e",
                                  "%00",
                                  "+",
                                  NULL};

static char directory[] = "/tmp/runbook-fuzz-sessions-XXXXXX";
static struct sessions *sessions;
static struct tokens *tokens;
static struct text secrets[ROLE_COUNT];
static char *cookies[2]; /* of a token's owner, and of one with a password */
static const char *mark = "as it is";

static int mark_of(const void *context _unused_, const char *user, char ret[static DIGEST_TEXT_MAX])
{
        snprintf(ret, DIGEST_TEXT_MAX, "%s", mark);
        return strcmp(user, "bob") == 0 ? 0 : -ENOENT;
}

static void end(void)
{
        for (enum web_role role = 0; role < ROLE_COUNT; role++) {
                _cleanup_free_ char *path = text_format("%s/%s", directory, role_name(role));
                unlink(path);
                text_free(&secrets[role]);
        }
        rmdir(directory);
        free(cookies[0]);
        free(cookies[1]);
        tokens_free(tokens);
        sessions_free(sessions);
}

static const struct session_proofs *proofs(void)
{
        static struct session_proofs made = {.password_mark = mark_of};
        made.tokens = tokens;
        return &made;
}

static void begin(void)
{
        const struct session owners[] = {{ROLE_OPERATOR, "ada"}, {ROLE_COUNT, "bob"}};
        if (sessions)
                return;
        FUZZ_ASSERT(mkdtemp(directory) && sessions_new(&sessions, NULL) >= 0 &&
                    tokens_open(directory, &tokens, NULL) >= 0);
        for (enum web_role role = 0; role < ROLE_COUNT; role++)
                (void)tokens_read(tokens, role, &secrets[role], NULL);
        for (size_t i = 0; i < N_ELEMENTS(cookies); i++)
                FUZZ_ASSERT((cookies[i] = session_make(sessions, proofs(), &owners[i], 0)));
        atexit(end);
}

/* What only the responder knows, so that inputs come near to it. */
const char *fuzz_table_word(size_t number)
{
        begin();
        return number < 2 ? cookies[number] : number == 2 ? text_string(&secrets[ROLE_OPERATOR]) : NULL;
}

static void try_cookie(const char *header)
{
        struct session session;
        size_t length = 0;
        const char *value = session_cookie(header, &length);
        if (session_find(sessions, proofs(), header, 0, &session) <= 0)
                return;
        const char *made = cookies[session.role == ROLE_COUNT];
        FUZZ_ASSERT(value && length == strlen(made) && memcmp(value, made, length) == 0);
        FUZZ_ASSERT(session_find(sessions, proofs(), header, SESSION_LIFE, &session) == 0);
        mark = "another";
        FUZZ_ASSERT((session_find(sessions, proofs(), header, 0, &session) > 0) == (made == cookies[0]));
        mark = "as it is";
}

static void try_token(const char *shown)
{
        enum web_role role = ROLE_COUNT;
        if (tokens_find(tokens, shown, &role) > 0)
                FUZZ_ASSERT(strcmp(shown, text_string(&secrets[role])) == 0);
}

/* A field is what stands there, and never longer. */
static void try_form(const uint8_t *data, size_t size)
{
        struct http_exchange exchange = {0};
        text_append(&exchange.body, data, size);
        for (const char *const *name = (const char *const[]){"token", "by", "form", "", NULL}; *name;
             name++) {
                _cleanup_free_ char *value = http_form_value(&exchange, *name);
                FUZZ_ASSERT(!value || strlen(value) <= size);
        }
        text_free(&exchange.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *input = fuzz_string(data, size);
        begin();
        try_cookie(input);
        try_token(input);
        try_form(data, size);
        return 0;
}
