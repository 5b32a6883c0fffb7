/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handle takes 12 KB with what libcurl keeps beside it, so that a thousand checks with one each would take
 * 12 MB and never find theirs in the processor's caches; the few threads that run them do.
 */
#include "lib/http/client/handle.h"

#include <pthread.h>

static pthread_key_t key; /* as libcurl's own globals: made once, and never changed */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
        if (pthread_key_create(&key, curl_easy_cleanup) != 0)
                abort(); /* of 1024 keys, a few are taken */
}

bool http_closes(const struct http_request *request)
{
        for (const char *const *line = request->headers; line && *line; line++)
                if (strcasecmp(*line, "Connection: close") == 0)
                        return true;
        return false;
}

CURL *http_thread_handle(void)
{
        pthread_once(&once, make_key);
        CURL *handle = pthread_getspecific(key);

        if (!handle) {
                handle = curl_easy_init();
                if (handle && pthread_setspecific(key, handle) != 0) {
                        curl_easy_cleanup(handle);
                        handle = NULL;
                }
        }
        return handle;
}
