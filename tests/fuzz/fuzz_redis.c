/* SPDX-License-Identifier: Apache-2.0 */
/* Redis' replies: what the gauge lets through, hiredis reads as the same replies. Input: a seed, then bytes.
 */
#include <errno.h>
#include <hiredis/hiredis.h>

#include "exporter/kinds/redis/cluster.h"
#include "lib/redis/gauge.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 100000;
const char *const fuzz_words[] = {"*2\r\n",
                                  "*0\r\n",
                                  "*-1\r\n",
                                  "$1\r\nx\r\n",
                                  "$-1\r\n",
                                  "+OK\r\n",
                                  ":1\r\n",
                                  "-E\r\n",
                                  "\r\n",
                                  "*262144\r\n",
                                  "$67108864\r\n",
                                  "\n",
                                  "*3\r\n",
                                  ":6379\r\n",
                                  "$9\r\n10.0.0.7\r\n",
                                  "-MOVED 1 10.0.0.7:6379\r\n",
                                  "*1\r\n*",
                                  "$0\r\n",
                                  "\r",
                                  "*1000000000\r\n",
                                  NULL};

static size_t count_elements(const redisReply *reply)
{
        size_t count = 0;
        if (reply->type == REDIS_REPLY_ARRAY)
                for (size_t i = 0; i < reply->elements; i++)
                        count += 1 + count_elements(reply->element[i]);
        return count;
}

static void try_slots(const redisReply *reply)
{
        static const char *const nodes[] = {"10.0.0.7:6379", ":6379", "/x:6379", "nowhere", ""};
        const struct redis_options options = {.address = (char *)"rediss://localhost"};
        for (size_t i = 0; i < N_ELEMENTS(nodes); i++) {
                _cleanup_free_ char *address = redis_cluster_address(reply, nodes[i], &options);
                FUZZ_ASSERT(!address || i < 2);
        }
        if (reply->type == REDIS_REPLY_ERROR) {
                _cleanup_error_ struct error refusal = {0};
                (void)error_set(&refusal, EREMOTEIO, "Redis: %s", reply->str);
                _cleanup_free_ char *node = redis_moved_to(&refusal);
                FUZZ_ASSERT(!node || !strchr(node, ' '));
        }
}

/* How many replies the reader takes from what the gauge let through; SIZE_MAX when it refuses. */
static size_t read_replies(redisReader *reader, size_t replies)
{
        for (;;) {
                void *reply = NULL;
                if (redisReaderGetReply(reader, &reply) != REDIS_OK)
                        return SIZE_MAX;
                if (!reply)
                        return replies;
                FUZZ_ASSERT(count_elements(reply) <= REPLY_ELEMENTS_MAX);
                try_slots(reply);
                freeReplyObject(reply);
                replies++;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        const char *bytes = (const char *)data + 1;
        size_t length = size - 1, step = data[0] % 16 + 1, replies = 0;
        struct reply_gauge whole = {0}, pieces = {0};
        redisReader *reader = redisReaderCreate();
        int result = reply_gauge_take(&whole, bytes, length, NULL), other = 0;
        FUZZ_ASSERT(reader);
        for (size_t at = 0; at < length && other == 0; at += step) {
                size_t part = length - at < step ? length - at : step;
                other = reply_gauge_take(&pieces, bytes + at, part, NULL);
                if (other == 0 && replies != SIZE_MAX) {
                        FUZZ_ASSERT(redisReaderFeed(reader, bytes + at, part) == REDIS_OK);
                        replies = read_replies(reader, replies);
                        FUZZ_ASSERT(replies == SIZE_MAX || replies == pieces.replies);
                }
        }
        FUZZ_ASSERT(result == 0 || result == -EPROTO || result == -EMSGSIZE);
        FUZZ_ASSERT(result == other);
        redisReaderFree(reader);
        return 0;
}
