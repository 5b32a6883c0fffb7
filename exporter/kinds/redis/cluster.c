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

int redis_cluster_run(struct redis_session *session, struct error *error)
{
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_call(session->redis, session->deadline, &reply, error, "CLUSTER", "INFO", NULL);
        if (r < 0)
                return r;
        const char *state = redis_info_value(reply->str, "cluster_state");
        if (reply->type != REDIS_REPLY_STRING || !state)
                return error_set(error, EBADMSG, "CLUSTER INFO was answered with something else");
        SAMPLE_BARE(session->sink, &redis_family_cluster_ok, redis_value_is(state, "ok"));
        for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
                double value;
                if (redis_info_number(reply->str, numbers[i].field, &value))
                        SAMPLE_BARE(session->sink, numbers[i].family, value);
                else if (redis_info_value(reply->str, numbers[i].field))
                        check_skip(session->sink, SKIP_MALFORMED, "CLUSTER INFO's %s: not a number",
                                   numbers[i].field);
        }
        return 0;
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
