/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that say too much, or never stop. */
#include "tests/harness/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runbook/postgres.h"

/* What a server says: once for a session, then for ever. */
struct talker {
        int listener;
        struct text greeting, answer, flood;
        pthread_t thread;
};

/* A message of the protocol, but for those whose length is a lie. */
static void put_message(struct text *text, char type, const void *body, size_t length, size_t claimed)
{
        const uint32_t size = htonl((uint32_t)claimed + 4);
        text_putc(text, type);
        text_append(text, (const char *)&size, sizeof(size));
        text_append(text, body, length);
}

#define PUT(text, type, literal) \
        put_message((text), (type), (literal), sizeof(literal) - 1, sizeof(literal) - 1)

static void put_session(struct text *text)
{
        PUT(text, 'R', "\0\0\0\0");
        PUT(text, 'S', "application_name\0x\0");
        PUT(text, 'K', "\0\0\0\1\0\0\0\1");
        PUT(text, 'Z', "I");
}

/* Of a statement of the frame. */
static void put_done(struct text *text, const char *command)
{
        PUT(text, '1', "");
        PUT(text, '2', "");
        PUT(text, 'n', "");
        put_message(text, 'C', command, strlen(command) + 1, strlen(command) + 1);
}

static void put_columns(struct text *text)
{
        PUT(text, '1', "");
        PUT(text, '2', "");
        PUT(text, 'T', "\0\1x\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0");
}

static bool say(int fd, const struct text *text)
{
        for (size_t at = 0; at < text->length;) {
                ssize_t n = send(fd, text->data + at, text->length - at, MSG_NOSIGNAL);
                if (n <= 0)
                        return false;
                at += (size_t)n;
        }
        return true;
}

static void *talk(void *context)
{
        const struct talker *talker = context;
        char buffer[65536];
        _cleanup_close_ int fd = accept(talker->listener, NULL, NULL);
        if (fd < 0 || recv(fd, buffer, sizeof(buffer), 0) <= 0 || !say(fd, &talker->greeting))
                return NULL;
        if (talker->answer.length > 0 &&
            (recv(fd, buffer, sizeof(buffer), 0) <= 0 || !say(fd, &talker->answer)))
                return NULL;
        while (talker->flood.length > 0 && say(fd, &talker->flood))
                ;
        (void)recv(fd, buffer, sizeof(buffer), MSG_WAITALL);
        return NULL;
}

/* Asks such a server for something, and says what became of it. */
static int ask(struct talker *talker, nsec time, struct error *error)
{
        uint16_t port = 0;
        talker->listener = peer_listen(&port);
        assert_int_equal(pthread_create(&talker->thread, NULL, talk, talker), 0);
        _cleanup_free_ char *dsn =
                text_format("host=127.0.0.1 port=%d user=x dbname=x sslmode=disable", port);
        _cleanup_(postgres_free_p) struct postgres *postgres = NULL;
        const struct postgres_options options = {
                .dsn = dsn, .application_name = "x", .terms = {.read_only = true, .own = true}};
        assert_int_equal(postgres_new(&options, &postgres, NULL), 0);
        /* No time at all is for the statement: there is a session before. */
        if (time == 0)
                assert_int_equal(postgres_connect(postgres, deadline_in(20 * NSEC_PER_SEC), NULL), 0);
        int r = postgres_query(postgres, "SELECT 1", NULL, 0, deadline_in(time), NULL, error);
        assert_false(r < 0 && r != -EREMOTEIO && postgres_connected(postgres));
        /* Whoever asked for a cancel has been refused by then, or waits in the backlog. */
        postgres_disconnect(postgres);
        shutdown(talker->listener, SHUT_RDWR);
        close(talker->listener);
        pthread_join(talker->thread, NULL);
        text_free(&talker->greeting);
        text_free(&talker->answer);
        text_free(&talker->flood);
        return r;
}

#define A_NOTICE "SNOTICE\0VNOTICE\0C00000\0Mhello\0\0"

/* There is always more to read, so that nobody ever waits. */
static void notices_without_end_end_at_the_deadline(void **state _unused_)
{
        struct talker talker = {0};
        put_session(&talker.greeting);
        for (int i = 0; i < 4096; i++)
                PUT(&talker.flood, 'N', A_NOTICE);
        assert_int_equal(ask(&talker, 0, NULL), -ETIMEDOUT);
}

static void so_they_do_before_there_is_a_session(void **state _unused_)
{
        struct talker talker = {0};
        PUT(&talker.greeting, 'R', "\0\0\0\0");
        PUT(&talker.flood, 'N', A_NOTICE);
        assert_int_equal(ask(&talker, 100 * NSEC_PER_MSEC, NULL), -ETIMEDOUT);
}

/* Many at once, of what libpq drops and of what it keeps. */
static void what_is_no_row_is_bounded(void **state _unused_)
{
        static const char types[] = "NSA";
        for (const char *type = types; *type; type++) {
                _cleanup_error_ struct error error = {0};
                struct talker talker = {0};
                put_session(&talker.greeting);
                PUT(&talker.answer, 'N', A_NOTICE);
                for (int i = 0; i < 4096; i++) {
                        if (*type == 'N')
                                PUT(&talker.flood, 'N', A_NOTICE);
                        else if (*type == 'S')
                                PUT(&talker.flood, 'S', "x\0the value of a parameter\0");
                        else
                                PUT(&talker.flood, 'A', "\0\0\0\1channel\0payload\0");
                }
                assert_int_equal(ask(&talker, 20 * NSEC_PER_SEC, &error), -EMSGSIZE);
                assert_non_null(strstr(error_text(&error), "16 MiB"));
        }
}

/* The most memory that this process ever had, in KiB; 0 where the sanitizer keeps what was freed. */
static long most_memory(void)
{
#ifdef __SANITIZE_ADDRESS__
        return 0;
#else
        struct rusage usage = {0};
        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_maxrss;
#endif
}

enum { GIGABYTE = 0x3ffffff6 };
static const char zeros[1 << 20];

/* A message that begins, and as much of it as is taken: which is no more than an answer may have, however
 * fast it comes. */
static void a_message_that_says_it_is_a_gigabyte_is_given_up(void **state _unused_)
{
        static const struct {
                char type;
                const char *begin;
                size_t length;
        } messages[] = {
                {'D', "\0\1\x3f\xff\xff\xf0", 6}, /* a row of one value, */
                {'T', "\0\1x", 3},                /* the name of a column, */
                {'N', "SNOTICE\0M", 9},           /* notices, */
                {'E', "SERROR\0M", 8},            /* errors, */
                {'A', "\0\0\0\1x", 5},            /* and a notification */
        };
        for (size_t i = 0; i < N_ELEMENTS(messages); i++) {
                _cleanup_error_ struct error error = {0};
                struct talker talker = {0};
                put_session(&talker.greeting);
                put_done(&talker.answer, "BEGIN");
                put_columns(&talker.answer);
                PUT(&talker.answer, 'C', "SELECT 0\0");
                if (messages[i].type == 'D')
                        put_columns(&talker.answer);
                put_message(&talker.answer, messages[i].type, messages[i].begin, messages[i].length,
                            GIGABYTE);
                text_append(&talker.flood, zeros, sizeof(zeros));
                const long before = most_memory();
                assert_int_equal(ask(&talker, 20 * NSEC_PER_SEC, &error), -EMSGSIZE);
                assert_non_null(strstr(error_text(&error), "16 MiB"));
                assert_true(most_memory() - before < 48 << 10);
        }
}

static void so_it_is_before_there_is_a_session(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        struct talker talker = {0};
        PUT(&talker.greeting, 'R', "\0\0\0\0");
        put_message(&talker.greeting, 'N', "SNOTICE\0M", 9, GIGABYTE);
        text_append(&talker.flood, zeros, sizeof(zeros));
        const long before = most_memory();
        assert_int_equal(ask(&talker, 20 * NSEC_PER_SEC, &error), -EMSGSIZE);
        assert_non_null(strstr(error_text(&error), "16 MiB"));
        assert_true(most_memory() - before < 48 << 10);
}

/* An answer to the daemon's own statement that no PostgreSQL gives. */
static void what_is_no_answer_has_a_sentence(void **state _unused_)
{
        _cleanup_error_ struct error error = {0}, bare = {0};
        struct talker talker = {0}, silent = {0};
        PUT(&talker.greeting, 'R', "\0\0\0\0");
        PUT(&talker.greeting, 'K', "\0\0\0\1\0\0\0\1");
        PUT(&talker.greeting, 'Z', "I");
        put_done(&talker.answer, "SET");
        PUT(&talker.answer, 'Z', "I");
        assert_int_equal(ask(&talker, 20 * NSEC_PER_SEC, &error), -EPROTO);
        assert_string_equal(error_text(&error), "cannot set the session up: the server gave no rows");

        put_session(&silent.greeting);
        PUT(&silent.answer, 'E', "SERROR\0\0");
        PUT(&silent.answer, 'Z', "I");
        assert_int_equal(ask(&silent, 20 * NSEC_PER_SEC, &bare), -EREMOTEIO);
        assert_null(strstr(error_text(&bare), "(null)"));
        assert_true(strlen(error_text(&bare)) > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(notices_without_end_end_at_the_deadline),
                cmocka_unit_test(so_they_do_before_there_is_a_session),
                cmocka_unit_test(what_is_no_row_is_bounded),
                cmocka_unit_test(a_message_that_says_it_is_a_gigabyte_is_given_up),
                cmocka_unit_test(so_it_is_before_there_is_a_session),
                cmocka_unit_test(what_is_no_answer_has_a_sentence),
        };
        return cmocka_run_group_tests_name("postgres_flood", tests, NULL, NULL);
}
