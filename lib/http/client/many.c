/* SPDX-License-Identifier: Apache-2.0 */
/* Many HTTP requests at once on one thread, by libcurl's multi handle, which keeps their connections. */
#include "lib/http/client/internal.h"

#include <errno.h>

#define LOOK_EVERY_MS 1000 /* libcurl wakes earlier for its own time-outs */

/* Takes one request after the other. */
struct lane {
        CURL *curl;
        struct http_exchange *exchange; /* NULL: free */
        struct transfer transfer;
};

struct crossing {
        CURLM *multi;
        struct lane *lanes;
        size_t count, busy;
};

static void lane_end(struct crossing *crossing, struct lane *lane, CURLcode code)
{
        struct http_exchange *exchange = lane->exchange;
        curl_multi_remove_handle(crossing->multi, lane->curl);
        exchange->result =
                http_transfer_end(lane->curl, &lane->transfer, code, &exchange->response, &exchange->error);
        lane->exchange = NULL;
        crossing->busy--;
}

static void crossing_release(struct crossing *crossing)
{
        for (size_t i = 0; crossing->lanes && i < crossing->count; i++) {
                if (crossing->lanes[i].exchange)
                        lane_end(crossing, &crossing->lanes[i], CURLE_OUT_OF_MEMORY);
                curl_easy_cleanup(crossing->lanes[i].curl);
        }
        free(crossing->lanes);
}

/* False when there was no more than a result to give. */
static bool lane_start(struct crossing *crossing, struct lane *lane, struct http_exchange *exchange)
{
        exchange->result =
                http_transfer_begin(lane->curl, &lane->transfer, &exchange->request, &exchange->error);
        if (exchange->result < 0)
                return false;
        curl_easy_setopt(lane->curl, CURLOPT_PRIVATE, lane);
        lane->exchange = exchange;
        crossing->busy++;
        if (curl_multi_add_handle(crossing->multi, lane->curl) == CURLM_OK)
                return true;
        lane_end(crossing, lane, CURLE_OUT_OF_MEMORY);
        return false;
}

static int run(struct crossing *crossing, struct http_exchange *exchanges, size_t count)
{
        for (size_t next = 0;;) {
                for (size_t i = 0; i < crossing->count; i++)
                        while (!crossing->lanes[i].exchange && next < count)
                                lane_start(crossing, &crossing->lanes[i], &exchanges[next++]);
                if (crossing->busy == 0)
                        return 0;

                int left = 0, running = 0;
                if (curl_multi_perform(crossing->multi, &running) != CURLM_OK)
                        return -ENOMEM;
                bool ended = false;
                for (CURLMsg *message; (message = curl_multi_info_read(crossing->multi, &left));) {
                        struct lane *lane = NULL;
                        CURLcode code = message->data.result;
                        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &lane);
                        lane_end(crossing, lane, code);
                        ended = true;
                }
                if (!ended && curl_multi_poll(crossing->multi, NULL, 0, LOOK_EVERY_MS, NULL) != CURLM_OK)
                        return -ENOMEM;
        }
}

static CURLM *multi_of(struct http_client *client)
{
        if (!client->multi) {
                client->multi = curl_multi_init();
                curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_AT_ONCE);
        }
        return client->multi;
}

static int cross(struct http_client *client, struct http_exchange *exchanges, size_t count)
{
        _cleanup_(crossing_release) struct crossing crossing = {.multi = multi_of(client)};
        crossing.count = count < HTTP_AT_ONCE ? count : HTTP_AT_ONCE;
        crossing.lanes = calloc(crossing.count + 1, sizeof(*crossing.lanes));
        if (!crossing.multi || !crossing.lanes)
                return -ENOMEM;
        for (size_t i = 0; i < crossing.count; i++) {
                crossing.lanes[i].curl = curl_easy_init();
                if (!crossing.lanes[i].curl)
                        return -ENOMEM;
        }
        int r = run(&crossing, exchanges, count);
        if (count > 0)
                http_thread_done(exchanges[0].request.url);
        return r;
}

int http_fetch_all(struct http_client *client, struct http_exchange *exchanges, size_t count,
                   struct error *error)
{
        if (cross(client, exchanges, count) >= 0)
                return 0;
        for (size_t i = 0; i < count; i++)
                http_exchange_release(&exchanges[i]);
        return error_oom(error);
}

void http_exchange_release(struct http_exchange *exchange)
{
        http_response_release(&exchange->response);
        error_clear(&exchange->error);
}
