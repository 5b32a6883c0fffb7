/* SPDX-License-Identifier: Apache-2.0 */
/* What a node says of its cluster. */
#include "exporter/kinds/redis/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exporter/check/skipped.h"

static const struct {
        const char *field;
        const struct metric_family *family;
} numbers[] = {
        {"cluster_slots_assigned", &redis_family_cluster_assigned},
        {"cluster_slots_ok", &redis_family_cluster_slots_ok},
        {"cluster_slots_pfail", &redis_family_cluster_pfail},
        {"cluster_slots_fail", &redis_family_cluster_fail},
        {"cluster_known_nodes", &redis_family_cluster_nodes},
        {"cluster_size", &redis_family_cluster_size},
};

static int add_state(const redisReply *reply, struct sample_sink *sink, struct error *error)
{
        const char *state = redis_info_value(reply->str, "cluster_state");
        if (reply->type != REDIS_REPLY_STRING || !state)
                return error_set(error, EBADMSG, "CLUSTER INFO was answered with something else");
        SAMPLE_BARE(sink, &redis_family_cluster_ok, redis_value_is(state, "ok"));
        for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
                double value;
                if (redis_info_number(reply->str, numbers[i].field, &value))
                        SAMPLE_BARE(sink, numbers[i].family, value);
                else if (redis_info_value(reply->str, numbers[i].field))
                        check_skip(sink, SKIP_MALFORMED, "CLUSTER INFO's %s: not a number", numbers[i].field);
        }
        return 0;
}

/* A word of a line of CLUSTER NODES, to be freed, and where the next begins; NULL when the line ends with it.
 */
static char *take_word(const char **line)
{
        const char *word = *line;
        size_t length = strcspn(word, " \r\n");
        if (length == 0 || word[length] != ' ')
                return NULL;
        *line += length + 1;
        return strndup(word, length);
}

static bool has_flag(const char *flags, const char *flag)
{
        for (; flags; flags = strchr(flags, ',')) {
                flags += *flags == ',';
                if (redis_value_is(flags, flag))
                        return true;
        }
        return false;
}

/*
 * "07c37df 127.0.0.1:6381@16381,host master,fail? - 0 0 3 connected 0-5460": whether the node fails; -1: not
 * understood. The bus and the name behind its address are no part of what it is called by. Who is just being
 * met is no node yet.
 */
static int add_node(const char *line, struct sample_sink *sink)
{
        _cleanup_free_ char *id = take_word(&line), *address = id ? take_word(&line) : NULL,
                            *flags = address ? take_word(&line) : NULL;
        if (!flags)
                return -1;
        if (has_flag(flags, "handshake"))
                return 0;
        bool failing = has_flag(flags, "fail") || has_flag(flags, "fail?") || has_flag(flags, "noaddr");
        address[strcspn(address, "@,")] = '\0';
        SAMPLE(sink, &redis_family_cluster_node_up, !failing, {"id", id}, {"node", address},
               {"role", has_flag(flags, "slave") ? "slave" : "master"});
        return failing;
}

static int add_nodes(const redisReply *reply, struct sample_sink *sink, struct error *error)
{
        size_t failing = 0;
        if (reply->type != REDIS_REPLY_STRING)
                return error_set(error, EBADMSG, "CLUSTER NODES was answered with something else");
        for (const char *line = reply->str; line && *line; line = redis_info_next_line(line)) {
                int fails = add_node(line, sink);
                if (fails < 0)
                        check_skip(sink, SKIP_MALFORMED, "CLUSTER NODES' line of a node: not understood");
                failing += fails > 0;
        }
        SAMPLE_BARE(sink, &redis_family_cluster_nodes_failing, (double)failing);
        return 0;
}

int redis_cluster_run(struct redis_session *session, struct error *error)
{
        static const struct {
                const char *command;
                int (*add)(const redisReply *reply, struct sample_sink *sink, struct error *error);
        } parts[] = {{"INFO", add_state}, {"NODES", add_nodes}};
        _cleanup_error_ struct error refused = {0}, misread = {0};
        int r = 0;
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(parts); i++)
                r = redis_ask(session, error, "CLUSTER", parts[i].command, NULL);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(parts); i++) {
                _cleanup_reply_ redisReply *reply = NULL;
                _cleanup_error_ struct error odd = {0};
                r = redis_take(session, &reply, error);
                if (r < 0)
                        return r;
                if (!reply)
                        redis_skip(session, &refused, "CLUSTER %s", parts[i].command);
                else if (parts[i].add(reply, session->sink, &odd) < 0 && !misread.message)
                        error_move(&misread, &odd);
        }
        if (r < 0)
                return r;
        if (misread.message) {
                error_move(error, &misread);
                return -EBADMSG;
        }
        return redis_group_result(&refused, error);
}

char *redis_moved_to(const struct error *refusal)
{
        const char *word = refusal->message ? strstr(error_text(refusal), "MOVED ") : NULL;
        const char *node = word ? strchr(word + strlen("MOVED "), ' ') : NULL;
        return node ? strndup(node + 1, strcspn(node + 1, " ")) : NULL;
}

int redis_cluster_slots(struct redis_session *session, redisReply **ret, struct error *error)
{
        int r = redis_ask(session, error, "CLUSTER", "SLOTS", NULL);
        return r < 0 ? r : redis_take(session, ret, error);
}

/* A node in CLUSTER SLOTS: [host or nil, port, …]. */
static bool is_node(const redisReply *node, const char *host, size_t host_length, const char *port)
{
        char number[24];
        if (node->type != REDIS_REPLY_ARRAY || node->elements < 2 ||
            node->element[1]->type != REDIS_REPLY_INTEGER)
                return false;
        const redisReply *told = node->element[0];
        (void)snprintf(number, sizeof(number), "%lld", node->element[1]->integer);
        size_t length = told->str ? told->len : 0;
        return strcmp(number, port) == 0 && length == host_length &&
               (length == 0 || memcmp(told->str, host, length) == 0);
}

/* Only primaries are led to: the first node of each range of slots, [from, to, node, replica, …]. */
static bool has_node(const redisReply *slots, const char *host, size_t host_length, const char *port)
{
        for (size_t i = 0; slots->type == REDIS_REPLY_ARRAY && i < slots->elements; i++) {
                const redisReply *range = slots->element[i];
                if (range->type == REDIS_REPLY_ARRAY && range->elements >= 3 &&
                    is_node(range->element[2], host, host_length, port))
                        return true;
        }
        return false;
}

/* The host of an address of ours, "rediss://[::1]:6379" or "localhost:6379", to be freed. */
static char *own_host(const char *address)
{
        const char *scheme = strstr(address, "://"), *host = scheme ? scheme + 3 : address;
        if (*host == '[')
                return strndup(host + 1, strcspn(host + 1, "]"));
        return strndup(host, strcspn(host, ":"));
}

char *redis_cluster_address(const redisReply *slots, const char *node, const struct redis_options *options)
{
        const char *colon = strrchr(node, ':');
        if (!colon || !has_node(slots, node, (size_t)(colon - node), colon + 1))
                return NULL;
        _cleanup_free_ char *host =
                colon == node ? own_host(options->address) : strndup(node, (size_t)(colon - node));
        return host ? redis_address_beside(options, host, colon + 1) : NULL;
}
