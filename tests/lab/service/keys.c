/* SPDX-License-Identifier: Apache-2.0 */
/* API keys: known or not, revoked or not, and whether one is used from more addresses than its owner has. */
#include "service.h"

#include <pthread.h>
#include <string.h>

enum { KEYS_MAX = 32, ADDRESSES = 8 };

/* A key that is seen from this many addresses is suspicious. */
static const size_t normal_addresses = 4, enhanced_addresses = 2;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
        char name[128];
        char addresses[ADDRESSES][64];
        size_t count;
} seen[KEYS_MAX];

static bool suspicious(const char *name, const char *address)
{
        size_t limit = settings.enhanced ? enhanced_addresses : normal_addresses;
        bool verdict = false;
        pthread_mutex_lock(&lock);
        for (size_t i = 0; i < KEYS_MAX; i++) {
                if (!seen[i].name[0])
                        snprintf(seen[i].name, sizeof(seen[i].name), "%s", name);
                if (strcmp(seen[i].name, name) != 0)
                        continue;
                size_t at = 0;
                while (at < seen[i].count && strcmp(seen[i].addresses[at], address) != 0)
                        at++;
                if (at == seen[i].count && at < ADDRESSES)
                        snprintf(seen[i].addresses[seen[i].count++], sizeof(seen[i].addresses[0]), "%s",
                                 address);
                verdict = seen[i].count >= limit;
                break;
        }
        pthread_mutex_unlock(&lock);
        return verdict;
}

static void take_name(void *context, char *const *values, size_t count)
{
        if (count == 1 && values[0])
                snprintf(context, 128, "%s", values[0]);
}

int keys_check(const char *key, const char *address, char ret_name[static 128])
{
        ret_name[0] = '\0';
        struct pg *pg = pool_take();
        bool asked =
                pg && pg_query(pg,
                               "SELECT name FROM api_keys WHERE key_hash = md5($1) AND revoked_at IS NULL "
                               "AND (expires_at IS NULL OR expires_at > now())",
                               &key, 1, take_name, ret_name);
        if (pg)
                pool_give(pg, asked);
        if (!asked)
                return 503;
        if (!ret_name[0]) {
                stats_key("", "rejected");
                return 401;
        }
        stats_key(ret_name, suspicious(ret_name, address) ? "suspicious" : "accepted");
        return 200;
}
