/* SPDX-License-Identifier: Apache-2.0 */
/* A session is who has shown a token, for as long as that is his; and nobody makes one by himself. */
#include "responder/web/sessions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runbook/file.h"
#include "tests/harness/files.h"
#include "tests/harness/unit.h"

struct doors {
        char directory[64];
        struct tokens *tokens;
        struct sessions *sessions;
        const char *mark; /* of a password */
};

static void write_token(const struct doors *doors, const char *role, const char *token)
{
        _cleanup_free_ char *path = text_format("%s/%s", doors->directory, role);
        assert_int_equal(file_replace(path, token, strlen(token), 0600, NULL), 0);
}

static int set_up(void **state)
{
        struct doors *doors = calloc(1, sizeof(*doors));
        strcpy(doors->directory, "/tmp/sessions-XXXXXX");
        assert_non_null(mkdtemp(doors->directory));
        write_token(doors, "operator", "0123456789abcdef-first\n");
        write_token(doors, "reader", "0123456789abcdef-reads\n");
        assert_int_equal(tokens_open(doors->directory, &doors->tokens, NULL), 0);
        assert_int_equal(sessions_new(&doors->sessions, NULL), 0);
        doors->mark = "first";
        *state = doors;
        return 0;
}

static int tear_down(void **state)
{
        struct doors *doors = *state;
        sessions_free(doors->sessions);
        tokens_free(doors->tokens);
        remove_directory(doors->directory);
        free(doors);
        return 0;
}

/* Of ada's password; nobody else has one. */
static int mark_of(const void *context, const char *user, char ret[static DIGEST_TEXT_MAX])
{
        const struct doors *doors = context;
        snprintf(ret, DIGEST_TEXT_MAX, "%s", doors->mark);
        return strcmp(user, "ada") == 0 ? 0 : -ENOENT;
}

static struct session_proofs proofs_of(const struct doors *doors)
{
        return (struct session_proofs){doors->tokens, mark_of, doors};
}

/* The Cookie header of a new session of that name, made at 1000 s. */
static char *cookie_of(const struct doors *doors, enum web_role role, const char *name)
{
        const struct session_proofs proofs = proofs_of(doors);
        struct session session = {.role = role};
        strcpy(session.name, name);
        _cleanup_free_ char *value = session_make(doors->sessions, &proofs, &session, 1000 * NSEC_PER_SEC);
        assert_non_null(value);
        return text_format("theme=dark; %s=%s; other=1", SESSION_COOKIE, value);
}

static bool holds(const struct doors *doors, const char *header, nsec at, struct session *ret)
{
        const struct session_proofs proofs = proofs_of(doors);
        int r = session_find(doors->sessions, &proofs, header, at, ret);
        assert_in_range(r, 0, 1);
        return r > 0;
}

static void a_session_is_found_by_its_cookie(void **state)
{
        static const char *const names[] = {"ada", "Ada Lovelace; Path=/",
                                            "\xc3\x84"
                                            "da\"<b>"};
        const struct doors *doors = *state;
        for (size_t i = 0; i < N_ELEMENTS(names); i++) {
                struct session session = {0};
                _cleanup_free_ char *header = cookie_of(doors, ROLE_OPERATOR, names[i]);
                assert_true(holds(doors, header, 1001 * NSEC_PER_SEC, &session));
                assert_int_equal(session.role, ROLE_OPERATOR);
                assert_string_equal(session.name, names[i]);
        }
        struct session session = {0};
        _cleanup_free_ char *reader = cookie_of(doors, ROLE_READER, "bob");
        assert_true(holds(doors, reader, 1001 * NSEC_PER_SEC, &session));
        assert_int_equal(session.role, ROLE_READER);
}

static void one_by_a_password_ends_with_it(void **state)
{
        struct doors *doors = *state;
        struct session session = {0};
        _cleanup_free_ char *header = cookie_of(doors, ROLE_COUNT, "ada");
        assert_true(holds(doors, header, 1001 * NSEC_PER_SEC, &session));
        assert_int_equal(session.role, ROLE_COUNT);
        assert_string_equal(session.name, "ada");
        doors->mark = "second";
        assert_false(holds(doors, header, 1001 * NSEC_PER_SEC, &session));
        const struct session_proofs proofs = proofs_of(doors);
        const struct session bob = {.role = ROLE_COUNT, .name = "bob"};
        assert_null(session_make(doors->sessions, &proofs, &bob, 0));
}

static void it_ends(void **state)
{
        const struct doors *doors = *state;
        struct session session = {0};
        _cleanup_free_ char *header = cookie_of(doors, ROLE_OPERATOR, "ada");
        nsec end = 1000 * NSEC_PER_SEC + SESSION_LIFE;
        assert_true(holds(doors, header, end - 1, &session));
        assert_false(holds(doors, header, end, &session));
        /* With the process that has its key; */
        struct doors other = *doors;
        assert_int_equal(sessions_new(&other.sessions, NULL), 0);
        assert_false(holds(&other, header, end - 1, &session));
        sessions_free(other.sessions);
        /* and with the token that was shown, while those of another token stay. */
        _cleanup_free_ char *reader = cookie_of(doors, ROLE_READER, "bob");
        write_token(doors, "operator", "0123456789abcdef-second\n");
        assert_false(holds(doors, header, end - 1, &session));
        assert_true(holds(doors, reader, end - 1, &session));
}

/* Where the token cannot be read, nobody can say whether it still holds; where it is gone, it does not. */
static void what_cannot_be_read_ends_none(void **state)
{
        const struct doors *doors = *state;
        struct session session = {0};
        _cleanup_free_ char *header = cookie_of(doors, ROLE_OPERATOR, "ada");
        _cleanup_free_ char *path = text_format("%s/operator", doors->directory);
        const struct session_proofs proofs = proofs_of(doors);
        assert_int_equal(unlink(path), 0);
        assert_false(holds(doors, header, 1001 * NSEC_PER_SEC, &session));
        assert_int_equal(mkdir(path, 0700), 0);
        assert_in_range(-session_find(doors->sessions, &proofs, header, 1001 * NSEC_PER_SEC, &session), 1,
                        4095);
        assert_int_equal(rmdir(path), 0);
        write_token(doors, "operator", "0123456789abcdef-first\n");
        assert_true(holds(doors, header, 1001 * NSEC_PER_SEC, &session));
        assert_string_equal(session.name, "ada");
}

/* Whatever single character of it is another one, it is nobody's; and so is what was never made by us. */
static void nobody_makes_one_by_himself(void **state)
{
        static const char *const made_up[] = {NULL,
                                              "",
                                              "runbook_session",
                                              "runbook_session=",
                                              "runbook_session=.",
                                              "runbook_session=....",
                                              "runbook_session=2.99999999999999.616461.",
                                              "runbook_session=2.99999999999999.616461.00",
                                              "runbook_session=9.1.61.00",
                                              "runbook_session=-1.1.61.00",
                                              "xrunbook_session=2.1.61.00"};
        const struct doors *doors = *state;
        struct session session = {0};
        for (size_t i = 0; i < N_ELEMENTS(made_up); i++)
                assert_false(holds(doors, made_up[i], 0, &session));
        _cleanup_free_ char *header = cookie_of(doors, ROLE_READER, "bob");
        char *value = strstr(header, "=0.");
        assert_non_null(value);
        for (char *at = value + 1; *at != ';'; at++) {
                char was = *at;
                *at = was == '2' ? '3' : '2';
                assert_false(holds(doors, header, 1001 * NSEC_PER_SEC, &session));
                *at = was;
        }
        assert_true(holds(doors, header, 1001 * NSEC_PER_SEC, &session));
        _cleanup_text_ struct text longest = {0};
        text_puts(&longest, SESSION_COOKIE "=2.1.");
        for (size_t i = 0; i < 4096; i++)
                text_puts(&longest, "61");
        assert_false(holds(doors, text_string(&longest), 0, &session));
}

static void a_form_is_for_whom_it_was_shown_to(void **state)
{
        const struct doors *doors = *state;
        char ada[DIGEST_TEXT_MAX], again[DIGEST_TEXT_MAX], bob[DIGEST_TEXT_MAX];
        assert_int_equal(session_form_token(doors->sessions, "session ada", ada), 0);
        assert_int_equal(session_form_token(doors->sessions, "session ada", again), 0);
        assert_int_equal(session_form_token(doors->sessions, "session bob", bob), 0);
        assert_true(session_same(ada, again));
        assert_false(session_same(ada, bob));
        assert_false(session_same(ada, ""));
        assert_false(session_same(ada, "0"));
}

#define WITH_DOORS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
        WITH_DOORS(a_session_is_found_by_its_cookie), WITH_DOORS(it_ends),
        WITH_DOORS(one_by_a_password_ends_with_it),   WITH_DOORS(what_cannot_be_read_ends_none),
        WITH_DOORS(nobody_makes_one_by_himself),      WITH_DOORS(a_form_is_for_whom_it_was_shown_to),
};

int main(void)
{
        return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
