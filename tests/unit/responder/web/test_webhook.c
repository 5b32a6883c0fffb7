/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks over real sockets into a real journal; a small HTTP server answers as Alertmanager would. */
#include "tests/harness/peer.h"
#include "tests/harness/world.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "responder/web/webhook.h"
#include "runbook/http_client.h"
#include "runbook/log.h"

#define ENDLESS "0001-01-01T00:00:00Z"

struct room {
        char directory[64];
        char *path, *url; /* of the journal, of what stands for Alertmanager */
        struct journal *journal;
        struct workers *workers, *fetchers;
        struct webhook_receiver *receiver;
        struct meters *meters;
        struct http_server *server, *alertmanager;
        atomic_uint woken;

        /* What stands for Alertmanager answers, and what it was asked. */
        pthread_mutex_t lock;
        unsigned status;
        struct text answer, asked;
};

static void receive(struct http_exchange *exchange, void *context)
{
        struct room *room = context;
        webhook_receive(room->receiver, exchange);
}

static void put_filter(void *context, const char *value)
{
        text_printf(context, " <%s>", value);
}

static void list_alerts(struct http_exchange *exchange, void *context)
{
        struct room *room = context;
        struct text answer = {0};
        pthread_mutex_lock(&room->lock);
        text_puts(&room->asked, http_query(exchange, "receiver"));
        http_query_each(exchange, "filter", put_filter, &room->asked);
        text_puts(&answer, text_string(&room->answer));
        unsigned status = room->status;
        pthread_mutex_unlock(&room->lock);
        http_reply(exchange, status, HTTP_TYPE_JSON, &answer);
}

static void wake(void *context)
{
        struct room *room = context;
        atomic_fetch_add(&room->woken, 1);
}

static char *tell_url(void *context)
{
        const struct room *room = context;
        return strdup(room->url ? room->url : "");
}

static const struct http_route webhook_routes[] = {{"POST", "/alerts", receive, 16 << 20, NULL}, {0}};
static const struct http_route alertmanager_routes[] = {{"GET", "/am/api/v2/alerts", list_alerts, 0, NULL},
                                                        {0}};

static struct http_server *serve(const struct http_route *routes, void *context)
{
        struct http_server *server = NULL;
        const struct http_server_options options = {
                .listen_addresses = HTTP_ADDRESSES("127.0.0.1:0"), .routes = routes, .context = context};
        assert_int_equal(http_server_start(&options, &server, NULL), 0);
        return server;
}

/* `alertmanager_url`: NULL for the one in the room, "" for none, as a file that does not name it. */
static void open_room_with(struct room *room, const char *alertmanager_url)
{
        *room = (struct room){.directory = "/tmp/runbook-webhook-XXXXXX", .status = 200};
        pthread_mutex_init(&room->lock, NULL);
        assert_non_null(mkdtemp(room->directory));
        room->path = text_format("%s/journal.db", room->directory);
        room->alertmanager = serve(alertmanager_routes, room);
        assert_int_equal(journal_open(room->path, &test_key, &clocks_only, &room->journal, NULL), 0);
        assert_int_equal(workers_new(2, &room->workers, NULL), 0);
        assert_int_equal(workers_new(1, &room->fetchers, NULL), 0);
        if (!alertmanager_url)
                room->url = text_format("http://127.0.0.1:%d/am", http_server_port(room->alertmanager));
        else if (*alertmanager_url)
                room->url = strdup(alertmanager_url);
        room->meters = meters_new();
        const struct webhook_options options = {
                .journal = room->journal,
                .reading = {room->workers, 100},
                .fetching = {room->fetchers, 1},
                .meters = room->meters,
                .alertmanager_url = tell_url,
                .wake = wake,
                .context = room,
        };
        assert_int_equal(webhook_receiver_new(&options, &room->receiver, NULL), 0);
        room->server = serve(webhook_routes, room);
}

static int open_room(void **state)
{
        *state = calloc(1, sizeof(struct room));
        open_room_with(*state, NULL);
        return 0;
}

static int close_room(void **state)
{
        struct room *room = *state;
        http_server_stop(room->server);
        webhook_receiver_free(room->receiver);
        assert_int_equal(workers_stop(room->workers, deadline_in(10 * NSEC_PER_SEC)), 0);
        assert_int_equal(workers_stop(room->fetchers, deadline_in(10 * NSEC_PER_SEC)), 0);
        journal_close(room->journal);
        meters_free(room->meters);
        http_server_stop(room->alertmanager);
        const char *const files[] = {"", ".lock", "-wal", "-shm"};
        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                _cleanup_free_ char *file = text_format("%s%s", room->path, files[i]);
                unlink(file);
        }
        rmdir(room->directory);
        text_free(&room->answer);
        text_free(&room->asked);
        pthread_mutex_destroy(&room->lock);
        free(room->path);
        free(room->url);
        free(room);
        return 0;
}

static int open_room_without_alertmanager(void **state)
{
        *state = calloc(1, sizeof(struct room));
        open_room_with(*state, "");
        return 0;
}

static int open_room_with_dead_alertmanager(void **state)
{
        uint16_t port;
        char url[64];
        int fd = peer_listen(&port);
        close(fd);
        snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
        *state = calloc(1, sizeof(struct room));
        open_room_with(*state, url);
        return 0;
}

#define GROUP "\"alertname\":\"slow \\\"x\\\"\",\"d.c\":\"eu\""

static char *alert(const char *fingerprint, bool firing)
{
        return text_format("{\"status\":\"%s\",\"labels\":{" GROUP ",\"of\":\"%s\"},\"annotations\":{},"
                           "\"startsAt\":\"2026-01-01T00:00:00Z\",\"endsAt\":\"%s\",\"fingerprint\":\"%s\"}",
                           firing ? "firing" : "resolved", fingerprint,
                           firing ? ENDLESS : "2026-01-01T00:05:00Z", fingerprint);
}

static char *webhook(const char *alerts, int truncated)
{
        return text_format("{\"version\":\"4\",\"groupKey\":\"{}\",\"truncatedAlerts\":%d,"
                           "\"status\":\"firing\",\"receiver\":\"run\\\\.book\",\"groupLabels\":{" GROUP
                           "},\"alerts\":[%s]}",
                           truncated, alerts);
}

static void post_on(int fd, const char *body, struct peer_answer *answer)
{
        _cleanup_text_ struct text head = {0};
        text_printf(&head, "POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n",
                    strlen(body));
        peer_puts(fd, head.data);
        peer_puts(fd, body);
        peer_receive(fd, false, answer);
}

/* Posts on a connection of its own and gives the status; the text of the answer goes to `ret_text`. */
static int post(struct room *room, const char *body, char **ret_text)
{
        _cleanup_close_ int fd = peer_connect(http_server_port(room->server));
        _cleanup_answer_ struct peer_answer answer = {0};
        post_on(fd, body, &answer);
        if (ret_text)
                *ret_text = strdup(text_string(&answer.body));
        return answer.status;
}

static int post_alerts(struct room *room, const char *alerts, int truncated, char **ret_text)
{
        _cleanup_free_ char *body = webhook(alerts, truncated);
        return post(room, body, ret_text);
}

static int post_one(struct room *room, const char *fingerprint, bool firing)
{
        _cleanup_free_ char *one = alert(fingerprint, firing);
        return post_alerts(room, one, 0, NULL);
}

/* The fingerprints of the open episodes, in the order of their opening. */
#define assert_open(room, wanted)                                                           \
        do {                                                                                \
                _cleanup_text_ struct text _open = {0};                                     \
                struct episode_list _list;                                                  \
                assert_int_equal(journal_unmatched((room)->journal, 100, &_list, NULL), 0); \
                for (size_t _i = 0; _i < _list.count; _i++)                                 \
                        text_printf(&_open, " %s", _list.items[_i].alert.fingerprint);      \
                episode_list_release(&_list);                                               \
                assert_string_equal(text_string(&_open), wanted);                           \
        } while (0)

static void test_what_was_answered_with_200_is_journaled(void **state)
{
        struct room *room = *state;
        assert_int_equal(post_one(room, "1", true), 200);
        assert_open(room, " 1");
        assert_int_equal(room->woken, 1);
        assert_int_equal(post_one(room, "2", true), 200);
        assert_int_equal(post_one(room, "1", true), 200);
        assert_open(room, " 1 2");
        assert_int_equal(post_one(room, "1", false), 200);
        assert_open(room, " 2");
        assert_int_equal(room->woken, 4);
        assert_string_equal(text_string(&room->asked), "");
}

static void test_alerts_of_one_body_are_taken_in_their_order(void **state)
{
        struct room *room = *state;
        _cleanup_free_ char *fires = alert("1", true), *ends = alert("1", false);
        _cleanup_free_ char *ends_first = text_format("%s,%s", ends, fires);
        _cleanup_free_ char *fires_first = text_format("%s,%s", fires, ends);
        assert_int_equal(post_alerts(room, ends_first, 0, NULL), 200);
        assert_open(room, " 1");
        assert_int_equal(post_alerts(room, fires_first, 0, NULL), 200);
        assert_open(room, "");
}

static void test_what_is_wrong_for_ever_is_400_and_leaves_nothing(void **state)
{
        struct room *room = *state;
        struct {
                const char *body, *sentence;
        } cases[] = {
                {"", "not valid JSON at line 1, column 1: it ends before it is whole\n"},
                {"{", "not valid JSON at line 1, column 2: a member's name is missing\n"},
                {"[]", "not a JSON object\n"},
                {"{\"version\":\"3\",\"alerts\":[]}",
                 "version: another, but version \"4\" of Alertmanager's webhook is expected\n"},
                {"{\"version\":\"4\"}", "alerts: not a list\n"},
                {"{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\"}]}", "alerts[0].labels: missing\n"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *sentence = NULL;
                assert_int_equal(post(room, cases[i].body, &sentence), 400);
                assert_string_equal(sentence, cases[i].sentence);
        }
        assert_open(room, "");
        assert_int_equal(room->woken, 0);
}

/* An alert that nobody can read costs itself: its neighbours are taken, and the sender is told. */
static void test_one_bad_alert_costs_no_neighbour(void **state)
{
        struct room *room = *state;
        _cleanup_free_ char *first = alert("1", true), *last = alert("2", true), *sentence = NULL;
        _cleanup_free_ char *alerts = text_format(
                "%s,{\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":{\"a\":\"x\\u0000\"}},7,%s",
                first, last);
        assert_int_equal(post_alerts(room, alerts, 0, &sentence), 200);
        assert_string_equal(sentence,
                            "accepted, but for 2 alerts: alerts[1].labels.a: a NUL character, which no label "
                            "may hold\n");
        assert_open(room, " 1 2");
        struct sample_set set = {0};
        meters_collect(room->meters, &(struct sample_sink){&set});
        assert_int_equal(set.count, 1);
        assert_string_equal(set.samples[0].family->name, "runbook_alerts_unreadable_total");
        assert_true(set.samples[0].value == 2);
        sample_set_release(&set);
}

static void test_a_large_body_is_worked_on_elsewhere(void **state)
{
        enum { COUNT = 2000 };
        struct room *room = *state;
        _cleanup_text_ struct text alerts = {0};
        for (int i = 0; i < COUNT; i++) {
                char fingerprint[16];
                snprintf(fingerprint, sizeof(fingerprint), "%d", i);
                _cleanup_free_ char *one = alert(fingerprint, true);
                text_printf(&alerts, "%s%s", i > 0 ? "," : "", one);
        }
        assert_int_equal(post_alerts(room, alerts.data, 0, NULL), 200);
        struct episode_list list;
        assert_int_equal(journal_unmatched(room->journal, 2 * COUNT, &list, NULL), 0);
        assert_int_equal(list.count, COUNT);
        episode_list_release(&list);

        _cleanup_free_ char *sentence = NULL;
        text_putc(&alerts, ',');
        assert_int_equal(post_alerts(room, alerts.data, 0, &sentence), 400);
        assert_non_null(strstr(sentence, "not valid JSON"));
}

static void test_the_rest_of_a_cut_group_is_fetched_first(void **state)
{
        struct room *room = *state;
        text_puts(&room->answer, "[");
        for (int i = 1; i <= 3; i++)
                text_printf(&room->answer,
                            "{\"fingerprint\":\"%d\",\"labels\":{" GROUP ",\"of\":\"%d\"},\"annotations\":{},"
                            "\"startsAt\":\"2026-01-01T00:00:00Z\",\"endsAt\":\"2036-01-01T00:00:00Z\","
                            "\"status\":{\"state\":\"active\"}},",
                            i, i);
        /* Not of this group, whatever was asked for. */
        text_puts(&room->answer,
                  "{\"fingerprint\":\"4\",\"labels\":{\"alertname\":\"slow \\\"x\\\"\",\"of\":\"4\"}},"
                  "{\"fingerprint\":\"5\",\"labels\":{\"alertname\":\"slow\",\"d.c\":\"eu\"}}");
        text_puts(&room->answer, "]");
        _cleanup_free_ char *one = alert("2", true);
        assert_int_equal(post_alerts(room, one, 2, NULL), 200);
        assert_open(room, " 2 1 3");
        assert_string_equal(text_string(&room->asked),
                            "run\\.book <alertname=\"slow \\\"x\\\"\"> <\"d.c\"=\"eu\">");
}

static void test_a_cut_group_whose_rest_cannot_be_had_is_put_off(void **state)
{
        static const struct {
                unsigned status;
                const char *answer;
        } cases[] = {
                {500, "[]"}, {200, "<html>"}, {200, "{}"}, {200, "[{\"labels\":{}}]"}, {404, ""},
        };
        struct room *room = *state;
        _cleanup_free_ char *one = alert("1", true);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                room->status = cases[i].status;
                text_clear(&room->answer);
                text_puts(&room->answer, cases[i].answer);
                _cleanup_free_ char *sentence = NULL;
                assert_int_equal(post_alerts(room, one, 1, &sentence), 503);
                assert_true(string_starts(sentence,
                                          "not accepted, send it again: what was sent is, but not the "
                                          "rest of a group that max_alerts has cut: "));
        }
        /* What was sent is taken all the same, and once. */
        assert_open(room, " 1");
        assert_int_equal(room->woken, N_ELEMENTS(cases));
}

static void test_a_dead_alertmanager_puts_off_only_what_is_cut(void **state)
{
        struct room *room = *state;
        _cleanup_free_ char *one = alert("1", true);
        _cleanup_free_ char *other = alert("2", true);
        assert_int_equal(post_alerts(room, one, 1, NULL), 503);
        assert_open(room, " 1");
        assert_int_equal(post_alerts(room, other, 0, NULL), 200);
        assert_open(room, " 1 2");
}

static void test_without_an_alertmanager_a_cut_group_is_taken_as_it_is(void **state)
{
        struct room *room = *state;
        _cleanup_free_ char *one = alert("1", true);
        assert_int_equal(post_alerts(room, one, 7, NULL), 200);
        assert_open(room, " 1");
}

static void test_a_journal_that_fails_is_503(void **state)
{
        struct room *room = *state;
        sqlite3 *other = NULL;
        assert_int_equal(post_one(room, "1", true), 200);
        assert_int_equal(sqlite3_open(room->path, &other), SQLITE_OK);
        assert_int_equal(sqlite3_exec(other, "ALTER TABLE episodes RENAME TO gone", NULL, NULL, NULL),
                         SQLITE_OK);
        _cleanup_free_ char *one = alert("2", true), *sentence = NULL;
        assert_int_equal(post_alerts(room, one, 0, &sentence), 503);
        assert_string_equal(sentence, "not accepted, send it again: the journal could not be written\n");
        assert_int_equal(room->woken, 2); /* somebody is to be told */

        assert_int_equal(sqlite3_exec(other, "ALTER TABLE gone RENAME TO episodes", NULL, NULL, NULL),
                         SQLITE_OK);
        sqlite3_close(other);
        assert_int_equal(post_alerts(room, one, 0, NULL), 200);
        assert_open(room, " 1 2");
}

enum { SENDERS = 8, EACH = 100 };

struct sender {
        struct room *room;
        unsigned number, accepted;
        pthread_t thread;
};

static void *send_many(void *context)
{
        struct sender *sender = context;
        _cleanup_close_ int fd = peer_connect(http_server_port(sender->room->server));
        for (unsigned i = 0; i < EACH; i++) {
                char fingerprint[32];
                snprintf(fingerprint, sizeof(fingerprint), "%u.%u", sender->number, i);
                _cleanup_free_ char *one = alert(fingerprint, true), *body = webhook(one, 0);
                _cleanup_answer_ struct peer_answer answer = {0};
                post_on(fd, body, &answer);
                sender->accepted += answer.status == 200;
        }
        return NULL;
}

static void test_senders_at_once_share_commits_and_lose_nothing(void **state)
{
        struct room *room = *state;
        struct sender senders[SENDERS];
        for (unsigned i = 0; i < SENDERS; i++) {
                senders[i] = (struct sender){.room = room, .number = i};
                assert_int_equal(pthread_create(&senders[i].thread, NULL, send_many, &senders[i]), 0);
        }
        for (unsigned i = 0; i < SENDERS; i++) {
                pthread_join(senders[i].thread, NULL);
                assert_int_equal(senders[i].accepted, EACH);
        }
        struct episode_list list;
        assert_int_equal(journal_unmatched(room->journal, 10 * SENDERS * EACH, &list, NULL), 0);
        assert_int_equal(list.count, SENDERS * EACH);
        episode_list_release(&list);
        assert_int_equal(room->woken, SENDERS * EACH);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, open_room, close_room)

int main(void)
{
        const struct CMUnitTest tests[] = {
                IN_ROOM(test_what_was_answered_with_200_is_journaled),
                IN_ROOM(test_alerts_of_one_body_are_taken_in_their_order),
                IN_ROOM(test_what_is_wrong_for_ever_is_400_and_leaves_nothing),
                IN_ROOM(test_one_bad_alert_costs_no_neighbour),
                IN_ROOM(test_a_large_body_is_worked_on_elsewhere),
                IN_ROOM(test_the_rest_of_a_cut_group_is_fetched_first),
                IN_ROOM(test_a_cut_group_whose_rest_cannot_be_had_is_put_off),
                cmocka_unit_test_setup_teardown(test_a_dead_alertmanager_puts_off_only_what_is_cut,
                                                open_room_with_dead_alertmanager, close_room),
                cmocka_unit_test_setup_teardown(test_without_an_alertmanager_a_cut_group_is_taken_as_it_is,
                                                open_room_without_alertmanager, close_room),
                IN_ROOM(test_a_journal_that_fails_is_503),
                IN_ROOM(test_senders_at_once_share_commits_and_lose_nothing),
        };
        assert_int_equal(http_client_global_init(NULL), 0);
        return cmocka_run_group_tests_name("webhook", tests, NULL, NULL);
}
