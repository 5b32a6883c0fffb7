/* SPDX-License-Identifier: Apache-2.0 */
/* Kind redis, against a server that answers what no real one would be brought to. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/harness/kind.h"
#include "tests/harness/peer.h"

/* What is answered to a command that starts with these words; the first that fits. NULL: the connection ends.
 */
struct answer {
        const char *command, *reply;
};

static const struct answer *answers; /* under the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int listener;
static uint16_t port;
static pthread_t thread;

#define PONG                        \
        {                           \
                "PING", "+PONG\r\n" \
        }
#define EMPTY                \
        {                    \
                "", "*0\r\n" \
        }

static const char refusal[] = "-NOPERM this user has no permissions to run the command\r\n";

/* One command as its words with blanks between; false at the end of the connection. */
static bool read_command(int fd, struct text *command)
{
        _cleanup_text_ struct text line = {0};
        unsigned words;
        text_clear(command);
        if (!peer_read_until(fd, &line, "\r\n") || sscanf(line.data, "*%u", &words) != 1)
                return false;
        for (unsigned i = 0; i < words; i++) {
                _cleanup_text_ struct text head = {0}, word = {0};
                unsigned length;
                if (!peer_read_until(fd, &head, "\r\n") || sscanf(head.data, "$%u", &length) != 1)
                        return false;
                peer_read_exactly(fd, &word, length + 2);
                text_puts(command, i ? " " : "");
                text_append(command, word.data, length);
        }
        return true;
}

static void *serve(void *unused _unused_)
{
        for (;;) {
                _cleanup_close_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                _cleanup_text_ struct text command = {0};
                const char *reply = "";
                if (fd < 0)
                        return NULL;
                while (reply && read_command(fd, &command)) {
                        pthread_mutex_lock(&lock);
                        const struct answer *answer = answers;

                        while (!string_starts(command.data, answer->command))
                                answer++;
                        reply = answer->reply;
                        if (reply)
                                (void)!send(fd, reply, strlen(reply), MSG_NOSIGNAL);
                        pthread_mutex_unlock(&lock);
                }
        }
}

static void answer_with(const struct answer *given)
{
        pthread_mutex_lock(&lock);
        answers = given;
        pthread_mutex_unlock(&lock);
}

static int start(void **state _unused_)
{
        struct timeval forever = {0};
        listener = peer_listen(&port);
        assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever)), 0);
        return pthread_create(&thread, NULL, serve, NULL);
}

static int stop(void **state _unused_)
{
        shutdown(listener, SHUT_RDWR);
        pthread_join(thread, NULL);
        close(listener);
        return 0;
}

static struct check_set *load(const char *options)
{
        _cleanup_free_ char *yaml = text_format("{address: \"127.0.0.1:%u\"%s}", port, options);
        return load_check("redis", yaml, NULL);
}

/* Runs once against the answers: the page, and the reason of a failure. */
static int run(const struct answer *given, const char *options, char **ret_page, struct error *error)
{
        struct check_set *set = load(options);
        answer_with(given);
        int r = run_check(set, 5 * NSEC_PER_SEC, ret_page, error);
        answer_with(NULL); /* they end with the test */
        check_set_free(set);
        return r;
}

static void assert_page(const struct answer *given, const char *options, const char *const lines[],
                        const char *const nowhere[])
{
        _cleanup_free_ char *page = NULL;
        _cleanup_error_ struct error error = {0};
        if (run(given, options, &page, &error) < 0)
                fail_msg("%s", error_text(&error));
        for (size_t i = 0; lines[i]; i++)
                assert_line(page, lines[i]);
        for (size_t i = 0; nowhere && nowhere[i]; i++)
                assert_nowhere(page, nowhere[i]);
}

#define LIST(...)                 \
        (const char *const[])     \
        {                         \
                __VA_ARGS__, NULL \
        }

/* The reply is made of it with its length. */
static char *bulk(const char *text)
{
        return text_format("$%zu\r\n%s\r\n", strlen(text), text);
}

static void every_field_of_info_has_its_metric(void **state _unused_)
{
        static const struct {
                const char *field, *metric;
        } fields[] = {
                {"uptime_in_seconds", "uptime_seconds"},
                {"connected_clients", "connected_clients"},
                {"maxclients", "max_clients"},
                {"blocked_clients", "blocked_clients"},
                {"total_connections_received", "connections_received_total"},
                {"rejected_connections", "rejected_connections_total"},
                {"used_memory", "memory_used_bytes"},
                {"used_memory_rss", "memory_rss_bytes"},
                {"used_memory_peak", "memory_peak_bytes"},
                {"maxmemory", "memory_max_bytes"},
                {"mem_fragmentation_ratio", "memory_fragmentation_ratio"},
                {"total_commands_processed", "commands_processed_total"},
                {"total_error_replies", "error_replies_total"},
                {"keyspace_hits", "keyspace_hits_total"},
                {"keyspace_misses", "keyspace_misses_total"},
                {"expired_keys", "expired_keys_total"},
                {"evicted_keys", "evicted_keys_total"},
                {"total_net_input_bytes", "network_input_bytes_total"},
                {"total_net_output_bytes", "network_output_bytes_total"},
                {"loading", "loading"},
                {"rdb_changes_since_last_save", "rdb_changes_since_last_save"},
                {"rdb_last_save_time", "rdb_last_save_timestamp_seconds"},
                {"rdb_last_bgsave_time_sec", "rdb_last_bgsave_duration_seconds"},
                {"rdb_bgsave_in_progress", "rdb_bgsave_in_progress"},
                {"aof_enabled", "aof_enabled"},
                {"aof_rewrite_in_progress", "aof_rewrite_in_progress"},
                {"aof_last_rewrite_time_sec", "aof_last_rewrite_duration_seconds"},
                {"aof_current_size", "aof_size_bytes"},
                {"connected_slaves", "connected_replicas"},
                {"master_sync_in_progress", "master_sync_in_progress"},
        };
        _cleanup_text_ struct text info = {0};
        _cleanup_free_ char *page = NULL;
        for (size_t i = 0; i < N_ELEMENTS(fields); i++)
                text_printf(&info, "%s:%zu\r\n", fields[i].field, i + 100);
        _cleanup_free_ char *reply = bulk(info.data);
        const struct answer given[] = {PONG, {"INFO", reply}, EMPTY};
        _cleanup_error_ struct error error = {0};
        assert_int_equal(run(given, "", &page, &error), 0);
        for (size_t i = 0; i < N_ELEMENTS(fields); i++) {
                _cleanup_free_ char *line = text_format("runbook_redis_%s %zu", fields[i].metric, i + 100);
                assert_line(page, line);
        }
        assert_line(page, "runbook_redis_memory_used_ratio 0.9724770642201835"); /* 106 of 109 */
}

static const char odd_info[] = "# Server\r\n"
                               "redis_version:8.\"9\"\r\n"
                               "# Memory\r\n"
                               "used_memory:many\r\n"
                               "used_memory:5\r\n"
                               "maxmemory:0\r\n"
                               "used_memory_rss:\r\n"
                               "# Persistence\r\n"
                               "rdb_last_save_time:-1\r\n"
                               "rdb_last_bgsave_status:err\r\n"
                               "rdb_last_bgsave_time_sec:-1\r\n"
                               "aof_enabled:0\r\n"
                               "aof_last_bgrewrite_status:ok\r\n"
                               "aof_last_write_status:err\r\n" /* of the AOF that there was */
                               "aof_current_size:7\r\n"
                               "# Stats\r\n"
                               "keyspace_hits:0\r\n"
                               "keyspace_misses:0\r\n"
                               "expired_keys:nan\r\n"
                               "# Replication\r\n"
                               "role:slave\r\n"
                               "master_link_status:down\r\n"
                               "master_last_io_seconds_ago:-1\r\n"
                               "master_repl_offset:100\r\n"
                               "slave0:ip=::1,port=6380,state=wait_bgsave,offset=0,lag=0\r\n"
                               "slave1:ip=10.0.0.9,port=6381,state=online,offset=150,lag=-1\r\n"
                               "slave2:nonsense\r\n"
                               "slave_priority:100\r\n"
                               "# Keyspace\r\n"
                               "db0:keys=12,expires=x,avg_ttl=0\r\n"
                               "db99999999999:keys=1\r\n"
                               "dbx:keys=1\r\n"
                               "db7\r\n"
                               "db8:keys";

static void what_info_does_not_say_is_absent(void **state _unused_)
{
        _cleanup_free_ char *reply = bulk(odd_info);
        const struct answer given[] = {PONG, {"INFO", reply}, EMPTY};
        assert_page(
                given, ", groups: [server, memory, persistence, stats, replication, keyspace]",
                LIST("runbook_redis_server_info{version=\"8.\\\"9\\\"\"} 1",
                     "runbook_redis_memory_max_bytes 0", "runbook_redis_rdb_last_bgsave_success 0",
                     "runbook_redis_aof_enabled 0", "runbook_redis_role_info{role=\"slave\"} 1",
                     "runbook_redis_master_link_up 0", "runbook_redis_replica_online{replica=\"::1:6380\"} 0",
                     "runbook_redis_replica_lag_bytes{replica=\"::1:6380\"} 100",
                     "runbook_redis_replica_online{replica=\"10.0.0.9:6381\"} 1",
                     "runbook_redis_replica_lag_bytes{replica=\"10.0.0.9:6381\"} 0",
                     "runbook_redis_cut_off 1", "runbook_redis_keys{db=\"0\"} 12",
                     "runbook_redis_aof_last_rewrite_success 1", "runbook_redis_aof_last_write_success 1"),
                LIST("memory_used", "memory_rss", "ratio", "save_timestamp", "bgsave_duration",
                     "aof_last_rewrite_duration", "aof_size", "expired", "master_last_io", "keys_expiring",
                     "99999", "dbx", "\"7\"", "\"8\"", "lag_seconds{replica=\"10", "slave2"));
}

static void no_false_up_only_pong_is_success(void **state _unused_)
{
        static const struct {
                struct answer ping;
                const char *reason;
        } cases[] = {
                {{"PING", "+PING\r\n"}, "PING was not answered with PONG"},
                {{"PING", ":1\r\n"}, "PING was not answered with PONG"},
                {{"PING", "*0\r\n"}, "PING was not answered with PONG"},
                {{"PING", "$-1\r\n"}, "PING was not answered with PONG"},
                {{"PING", "-BUSY Redis is busy running a script\r\n"}, "the server is busy with a script"},
                {{"PING", "-MASTERDOWN Link with MASTER is down\r\n"}, "this replica has lost its primary"},
                {{"PING", "-NOAUTH Authentication required.\r\n"}, "the server wants a login"},
                {{"PING", "HTTP/1.1 400 Bad Request\r\n"}, "does not speak Redis' protocol"},
                {{"PING", NULL}, "Redis closed the connection"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                const struct answer given[] = {cases[i].ping, {"INFO", "$9\r\nloading:1\r\n"}, EMPTY};
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *page = NULL;
                assert_true(run(given, "", &page, &error) < 0);
                if (!strstr(error_text(&error), cases[i].reason))
                        fail_msg("\"%s\" is not in \"%s\"", cases[i].reason, error_text(&error));
                assert_nowhere(page, "ping_seconds");
                assert_nowhere(page, "group_success");
        }
}

static void a_server_that_refuses_ping_still_tells_how_it_is(void **state _unused_)
{
        static const struct answer given[] = {{"PING", "-LOADING Redis is loading the dataset in memory\r\n"},
                                              {"INFO", "$9\r\nloading:1\r\n"},
                                              EMPTY};
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *page = NULL;
        assert_int_equal(run(given, "", &page, &error), -EREMOTEIO);
        assert_line(page, "runbook_redis_loading 1");
        assert_non_null(strstr(error_text(&error), "still loading its data"));
}

static void what_is_not_understood_is_no_success_of_its_group(void **state _unused_)
{
        static const struct {
                struct answer odd;
                const char *line;
        } cases[] = {
                {{"INFO", ":5\r\n"}, "runbook_redis_group_success{group=\"keyspace\"} 0"},
                {{"INFO", "-ERR unknown command 'INFO'\r\n"},
                 "runbook_redis_group_success{group=\"server\"} 0"},
                {{"LATENCY", "*1\r\n*2\r\n$1\r\na\r\n:1\r\n"},
                 "runbook_redis_group_success{group=\"latency\"} 0"},
                {{"LATENCY", "*1\r\n*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n"},
                 "runbook_redis_group_success{group=\"latency\"} 0"},
                {{"LATENCY", "*1\r\n+command\r\n"}, "runbook_redis_group_success{group=\"latency\"} 0"},
                {{"SLOWLOG", "+none\r\n"}, "runbook_redis_group_success{group=\"slowlog\"} 0"},
                {{"SLOWLOG", "*1\r\n*2\r\n:1\r\n:1\r\n"}, "runbook_redis_group_success{group=\"slowlog\"} 0"},
                {{"SLOWLOG", "*1\r\n*3\r\n+a\r\n:1\r\n:1\r\n"},
                 "runbook_redis_group_success{group=\"slowlog\"} 0"},
                {{"SCAN", "*1\r\n$1\r\n0\r\n"}, "runbook_redis_group_success{group=\"big_keys\"} 0"},
                {{"SCAN", "*2\r\n$2\r\n0x\r\n*0\r\n"}, "runbook_redis_group_success{group=\"big_keys\"} 0"},
                {{"SCAN", "*2\r\n$30\r\n000000000000000000000000000000\r\n*0\r\n"},
                 "runbook_redis_group_success{group=\"big_keys\"} 0"},
                {{"SCAN", "*2\r\n$1\r\n0\r\n*1\r\n:1\r\n"},
                 "runbook_redis_group_success{group=\"big_keys\"} 0"},
                {{"SCAN", refusal}, "runbook_redis_group_success{group=\"big_keys\"} 0"},
                {{"MEMORY", refusal}, "runbook_redis_group_success{group=\"big_keys\"} 0"},
                {{"MEMORY", refusal}, "runbook_redis_group_success{group=\"keys\"} 0"},
                {{"TYPE", refusal}, "runbook_redis_group_success{group=\"keys\"} 0"},
                {{"LLEN", refusal}, "runbook_redis_group_success{group=\"keys\"} 0"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                const struct answer given[] = {
                        cases[i].odd,
                        PONG,
                        {"INFO", "$12\r\ndb0:keys=1\r\n\r\n"},
                        {"SCAN", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n"},
                        {"TYPE", "+list\r\n"},
                        {"MEMORY", ":64\r\n"},
                        {"LLEN", ":3\r\n"},
                        EMPTY,
                };
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *page = NULL;
                if (run(given, ", keys: [{key: k}], big_keys: {}", &page, &error) < 0)
                        fail_msg("%s", error_text(&error));
                assert_null(error.message);
                assert_line(page, cases[i].line);
                assert_non_null(strstr(page, "\nrunbook_redis_ping_seconds "));
        }
}

static void a_key_that_changes_under_the_look_is_no_refusal(void **state _unused_)
{
        static const struct answer given[] = {
                PONG,
                {"TYPE", "+stream\r\n"},
                {"MEMORY", "$-1\r\n"},
                {"XLEN", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"},
                {"XINFO", "-ERR no such key\r\n"},
                EMPTY};
        assert_page(given, ", groups: [], keys: [{key: k}]",
                    LIST("runbook_redis_group_success{group=\"keys\"} 1",
                         "runbook_redis_key_exists{db=\"0\",key=\"k\"} 1"),
                    LIST("key_length", "key_memory"));
}

static void consumer_groups_of_older_and_odder_servers(void **state _unused_)
{
        static const struct answer given[] = {
                PONG,
                {"TYPE j", "+ReJSON-RL\r\n"},
                {"TYPE", "+stream\r\n"},
                {"MEMORY", ":64\r\n"},
                {"XLEN", ":3\r\n"},
                {"XINFO", "*5\r\n"
                          "*6\r\n+name\r\n$1\r\na\r\n+consumers\r\n:2\r\n+pending\r\n:1\r\n" /* before 7.0 */
                          "*4\r\n+name\r\n$1\r\nb\r\n+lag\r\n$-1\r\n"
                          "*3\r\n+name\r\n$1\r\nc\r\n+lag\r\n"
                          "*2\r\n+lag\r\n:5\r\n"
                          ":1\r\n"},
                EMPTY};
        assert_page(given, ", groups: [], keys: [{key: k}, {key: j}]",
                    LIST("runbook_redis_group_success{group=\"keys\"} 1",
                         "runbook_redis_stream_group_consumers{db=\"0\",key=\"k\",group=\"a\"} 2",
                         "runbook_redis_stream_group_pending{db=\"0\",key=\"k\",group=\"a\"} 1",
                         "runbook_redis_key_exists{db=\"0\",key=\"j\"} 1",
                         "runbook_redis_key_memory_bytes{db=\"0\",key=\"j\"} 64"),
                    LIST("stream_group_lag", "key_length{db=\"0\",key=\"j\""));
}

static void a_walk_over_empty_places_ends_and_goes_on_the_next_time(void **state _unused_)
{
        /* A table that was emptied: places without keys, as far as one looks. */
        static const struct answer given[] = {PONG,
                                              {"INFO", "$19\r\ndb2:keys=1\r\ndb5:k=1\r\n"},
                                              {"SELECT 2", "+OK\r\n"},
                                              {"SELECT", "-ERR DB index is out of range\r\n"},
                                              {"SCAN", "*2\r\n$2\r\n17\r\n*0\r\n"},
                                              EMPTY};
        struct check_set *set = load(", groups: [], big_keys: {sample: 250}");
        answer_with(given);
        for (int i = 0; i < 3; i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *page = NULL;
                assert_int_equal(run_check(set, 5 * NSEC_PER_SEC, &page, &error), 0);
                assert_line(page, "runbook_redis_big_keys_scanned_total 0");
                assert_line(page, "runbook_redis_big_keys_rounds_total 0");
        }
        check_set_free(set);
}

static void a_connection_that_ends_midway_fails_the_check(void **state _unused_)
{
        static const char *const commands[] = {"INFO",   "LATENCY", "SLOWLOG", "TYPE",
                                               "MEMORY", "LLEN",    "SCAN"};
        for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
                const struct answer given[] = {
                        {commands[i], NULL},
                        PONG,
                        {"INFO", "$12\r\ndb0:keys=1\r\n\r\n"},
                        {"SCAN", "*2\r\n$1\r\n0\r\n*0\r\n"},
                        {"TYPE", "+list\r\n"},
                        {"MEMORY", ":64\r\n"},
                        {"LLEN", ":3\r\n"},
                        EMPTY,
                };
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *page = NULL;
                assert_int_equal(run(given, ", keys: [{key: k}], big_keys: {}", &page, &error), -ECONNRESET);
                assert_non_null(strstr(page, "\nrunbook_redis_ping_seconds "));
        }
}

/* Flags that a cluster of three at rest does not show: suspected, failed, of no known address, being met. */
static void each_node_of_a_cluster_is_told_by_its_flags(void **state _unused_)
{
        static const char nodes[] =
                "a1 10.0.0.1:6379@16379,one.example,shard-id=5 myself,master - 0 0 1 connected 0-8191\n"
                "b2 10.0.0.2:6379@16379 master,fail? - 0 0 2 connected 8192-16383\n"
                "c3 10.0.0.1:6379@16379 slave,fail a1 0 0 1 disconnected\n"
                "d4 fd00::4:6379@16379 slave,nofailover a1 0 0 1 connected\n"
                "e5 :0@0 slave,noaddr b2 0 0 2 disconnected\n"
                "f6 10.0.0.6:6379@16379 handshake - 0 0 0 disconnected\n"
                "what is\n"
                "\n"
                "g7 10.0.0.7:6379 master,failing - 0 0 3 connected\n";
        _cleanup_free_ char *told = bulk(nodes), *info = bulk("cluster_state:ok\r\n");
        assert_page((const struct answer[]){PONG, {"CLUSTER NODES", told}, {"CLUSTER INFO", info}, EMPTY},
                    ", groups: [cluster]",
                    LIST("runbook_redis_cluster_node_up{id=\"a1\",node=\"10.0.0.1:6379\",role=\"master\"} 1",
                         "runbook_redis_cluster_node_up{id=\"b2\",node=\"10.0.0.2:6379\",role=\"master\"} 0",
                         "runbook_redis_cluster_node_up{id=\"c3\",node=\"10.0.0.1:6379\",role=\"slave\"} 0",
                         "runbook_redis_cluster_node_up{id=\"d4\",node=\"fd00::4:6379\",role=\"slave\"} 1",
                         "runbook_redis_cluster_node_up{id=\"e5\",node=\":0\",role=\"slave\"} 0",
                         "runbook_redis_cluster_node_up{id=\"g7\",node=\"10.0.0.7:6379\",role=\"master\"} 1",
                         "runbook_redis_cluster_nodes_failing 3",
                         "runbook_redis_group_success{group=\"cluster\"} 1"),
                    LIST("10.0.0.6"));
        /* One that is not understood costs itself. */
        assert_page((const struct answer[]){PONG, {"CLUSTER NODES", ":1\r\n"}, {"CLUSTER INFO", info}, EMPTY},
                    ", groups: [cluster]",
                    LIST("runbook_redis_cluster_ok 1", "runbook_redis_group_success{group=\"cluster\"} 0"),
                    LIST("cluster_node"));
        assert_page((const struct answer[]){PONG, {"CLUSTER NODES", told}, {"CLUSTER INFO", ":1\r\n"}, EMPTY},
                    ", groups: [cluster]",
                    LIST("runbook_redis_cluster_nodes_failing 3",
                         "runbook_redis_group_success{group=\"cluster\"} 0"),
                    LIST("cluster_ok"));
}

static void mistakes_are_named_with_their_places(void **state _unused_)
{
        static const struct {
                const char *yaml, *complaint;
        } cases[] = {
                {"{groups: [memory, mmory]}", "there is no group \"mmory\"; did you mean \"memory\"?"},
                {"{groups: big_keys}", "there is no group \"big_keys\""},
                {"{keys: [{key: a}, {key: a}]}", "\"a\" is listed twice"},
                {"{keys: [{key: a, db: -1}]}", "'db' must be from 0 to 10000"},
                {"{keys: [{db: 1}]}", "key"},
                {"{big_keys: {top: 101}}", "'top' must be 100 at most"},
                {"{big_keys: {sample: 100001}}", "'sample' must be 100000 at most"},
                {"{big_keys: {sample: 0}}", "sample"},
                {"{address: \"redis://localhost\"}", "a Redis address is host:port"},
                {"{user: me}", "a user is of no use without password_file"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                assert_complaint("redis", cases[i].yaml, cases[i].complaint);

        _cleanup_text_ struct text many = {0};
        for (int i = 0; i < 101; i++)
                text_printf(&many, "%s{key: k%d}", i ? ", " : "{keys: [", i);
        text_puts(&many, "]}");
        assert_complaint("redis", many.data, "100 keys at most");
        check_set_free(
                load_check("redis", "{keys: [{key: a}, {key: a, db: 1}], big_keys: {}, groups: []}", NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_field_of_info_has_its_metric),
                cmocka_unit_test(what_info_does_not_say_is_absent),
                cmocka_unit_test(no_false_up_only_pong_is_success),
                cmocka_unit_test(a_server_that_refuses_ping_still_tells_how_it_is),
                cmocka_unit_test(what_is_not_understood_is_no_success_of_its_group),
                cmocka_unit_test(a_key_that_changes_under_the_look_is_no_refusal),
                cmocka_unit_test(consumer_groups_of_older_and_odder_servers),
                cmocka_unit_test(a_walk_over_empty_places_ends_and_goes_on_the_next_time),
                cmocka_unit_test(a_connection_that_ends_midway_fails_the_check),
                cmocka_unit_test(each_node_of_a_cluster_is_told_by_its_flags),
                cmocka_unit_test(mistakes_are_named_with_their_places),
        };
        return cmocka_run_group_tests_name("kind_redis", tests, start, stop);
}
