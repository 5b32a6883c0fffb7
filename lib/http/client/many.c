/* SPDX-License-Identifier: Apache-2.0 */
/* Many HTTP requests at once on one thread, by libcurl's multi handle, which keeps their connections. */
#include "lib/http/client/internal.h"

#include <errno.h>

#define LOOK_EVERY_MS 1000 /* libcurl wakes earlier for its own time-outs */

/* A handle that takes one call after the other. */
struct slot {
        CURL *curl;
        struct http_call *call; /* NULL: free */
        struct transfer transfer;
};

/* Calls that are made together, over as many slots as may be busy at once. */
struct batch {
        CURLM *multi;
        struct slot *slots;
        size_t count, busy;
};

static void slot_end(struct batch *batch, struct slot *slot, CURLcode code)
{
        struct http_call *call = slot->call;
        curl_multi_remove_handle(batch->multi, slot->curl);
        call->result =
                http_transfer_end(slot->curl, &slot->transfer, http_transfer_code(&slot->transfer, code),
                                  &call->response, &call->error);
        slot->call = NULL;
        batch->busy--;
}

static void batch_release(struct batch *batch)
{
        for (size_t i = 0; batch->slots && i < batch->count; i++) {
                if (batch->slots[i].call)
                        slot_end(batch, &batch->slots[i], CURLE_OUT_OF_MEMORY);
                curl_easy_cleanup(batch->slots[i].curl);
        }
        free(batch->slots);
}

/* Fills a free slot; a call that cannot even begin has its result at once, and the slot is free again. */
static void slot_start(struct batch *batch, struct slot *slot, struct http_call *call)
{
        call->result = http_transfer_begin(slot->curl, &slot->transfer, &call->request, &call->error);
        if (call->result < 0)
                return;
        curl_easy_setopt(slot->curl, CURLOPT_PRIVATE, slot);
        slot->call = call;
        batch->busy++;
        if (curl_multi_add_handle(batch->multi, slot->curl) != CURLM_OK)
                slot_end(batch, slot, CURLE_OUT_OF_MEMORY);
}

static int batch_run(struct batch *batch, struct http_call *calls, size_t count)
{
        for (size_t next = 0;;) {
                for (size_t i = 0; i < batch->count; i++)
                        while (!batch->slots[i].call && next < count)
                                slot_start(batch, &batch->slots[i], &calls[next++]);
                if (batch->busy == 0)
                        return 0;

                int left = 0, running = 0;
                if (curl_multi_perform(batch->multi, &running) != CURLM_OK)
                        return -ENOMEM;
                bool ended = false;
                for (CURLMsg *message; (message = curl_multi_info_read(batch->multi, &left));) {
                        struct slot *slot = NULL;
                        CURLcode code = message->data.result;
                        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
                        slot_end(batch, slot, code);
                        ended = true;
                }
                if (!ended && curl_multi_poll(batch->multi, NULL, 0, LOOK_EVERY_MS, NULL) != CURLM_OK)
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

static int fetch_batch(struct http_client *client, struct http_call *calls, size_t count)
{
        _cleanup_(batch_release) struct batch batch = {.multi = multi_of(client)};
        batch.count = count < HTTP_AT_ONCE ? count : HTTP_AT_ONCE;
        batch.slots = calloc(batch.count + 1, sizeof(*batch.slots));
        if (!batch.multi || !batch.slots)
                return -ENOMEM;
        for (size_t i = 0; i < batch.count; i++) {
                batch.slots[i].curl = curl_easy_init();
                if (!batch.slots[i].curl)
                        return -ENOMEM;
        }
        int r = batch_run(&batch, calls, count);
        if (count > 0)
                http_thread_done(calls[0].request.url);
        return r;
}

int http_fetch_all(struct http_client *client, struct http_call *calls, size_t count, struct error *error)
{
        if (fetch_batch(client, calls, count) >= 0)
                return 0;
        for (size_t i = 0; i < count; i++)
                http_call_release(&calls[i]);
        return error_oom(error);
}

void http_call_release(struct http_call *call)
{
        http_response_release(&call->response);
        error_clear(&call->error);
}
