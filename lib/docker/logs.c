/* SPDX-License-Identifier: Apache-2.0 */
/* A container's logs: the frames of its stream taken apart, piece by piece as they come. */
#include <errno.h>
#include <string.h>

#include "lib/docker/internal.h"

#define STREAM_STDIN 0 /* nobody writes it; the Engine's own reader takes it for stdout */
#define STREAM_STDOUT 1
#define STREAM_DAEMON 3 /* not a log: the Engine tells why it cannot go on */
#define MESSAGE_LIMIT 1024

/*
 * A frame is 8 bytes, {stream, 0, 0, 0, length as a big-endian uint32}, and `length` bytes; see "Attach to a
 * container" in the Engine API's documentation. -EBADMSG for what cannot be a frame.
 */
int docker_decode(struct docker_frame_decoder *decoder, const char *data, size_t length, docker_log_sink sink,
                  void *context)
{
        if (decoder->raw)
                return length > 0 ? sink(context, STREAM_STDOUT, data, length) : 0;

        while (length > 0) {
                if (decoder->left == 0) {
                        unsigned char *header = decoder->header;
                        size_t missing = sizeof(decoder->header) - decoder->header_length;
                        size_t n = length < missing ? length : missing;
                        memcpy(header + decoder->header_length, data, n);
                        decoder->header_length += n;
                        data += n;
                        length -= n;
                        if (decoder->header_length < sizeof(decoder->header))
                                return 0;
                        if (header[0] > STREAM_DAEMON || header[1] || header[2] || header[3])
                                return -EBADMSG;
                        decoder->left = (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 |
                                        (uint32_t)header[6] << 8 | header[7];
                        decoder->header_length = 0;
                        decoder->begins = true;
                        continue; /* a frame may be empty */
                }

                size_t n = length < decoder->left ? length : decoder->left;
                int stream = decoder->header[0] == STREAM_STDIN ? STREAM_STDOUT : decoder->header[0];
                int r = sink(context, stream, data, n);
                if (r < 0)
                        return r;
                decoder->begins = false;
                decoder->left -= (uint32_t)n;
                data += n;
                length -= n;
        }
        return 0;
}

struct transfer {
        struct docker_frame_decoder *decoder;
        docker_log_sink sink;
        void *context;
        struct text message; /* the Engine's own, from a frame of stream 3 */
        bool begun, refused; /* an answer of 4xx or 5xx came instead of a log */
        struct text refusal;
        int result; /* what ended the transfer */
};

static int take_frame(void *context, int stream, const char *data, size_t length)
{
        struct transfer *transfer = context;
        if (stream != STREAM_DAEMON)
                return transfer->sink(transfer->context, stream, data, length);
        if (transfer->message.length < MESSAGE_LIMIT)
                text_append(&transfer->message, data, length < MESSAGE_LIMIT ? length : MESSAGE_LIMIT);
        return 0;
}

static int take_data(void *context, const char *data, size_t length)
{
        struct transfer *transfer = context;
        /* Every line of a log starts with its time, and every frame with a small number: this is neither. */
        if (!transfer->begun && length > 0) {
                transfer->begun = true;
                transfer->refused = *data == '{';
        }
        if (transfer->refused) {
                if (transfer->refusal.length < MESSAGE_LIMIT)
                        text_append(&transfer->refusal, data,
                                    length < MESSAGE_LIMIT ? length : MESSAGE_LIMIT);
                return 0;
        }
        transfer->result = docker_decode(transfer->decoder, data, length, take_frame, transfer);
        return transfer->result;
}

static int transfer_error(const struct transfer *transfer, int r, struct error *error)
{
        if (transfer->result == -EBADMSG)
                return error_set(error, EBADMSG, "Docker's log stream is broken");
        if (transfer->result < 0)
                return error_set_errno(error, -transfer->result, "the logs could not be kept");
        if (transfer->refused)
                (void)docker_answer_error(0, transfer->refusal.data, transfer->refusal.length, error);
        return r;
}

int docker_logs_read(struct docker *docker, const cJSON *inspected, const struct docker_logs_range *range,
                     struct docker_frame_decoder *decoder, struct deadline deadline, docker_log_sink sink,
                     void *context, struct error *error)
{
        _cleanup_text_ struct text path = {0};
        text_printf(&path,
                    "/containers/%s/logs?stdout=1&stderr=1&timestamps=1&tail=", json_string(inspected, "Id"));
        if (range->tail > 0)
                text_printf(&path, "%lld", (long long)range->tail);
        else
                text_puts(&path, "all");
        if (range->since_wall > 0)
                text_printf(&path, "&since=%lld.%09lld", (long long)(range->since_wall / NSEC_PER_SEC),
                            (long long)(range->since_wall % NSEC_PER_SEC));
        if (text_error(&path) < 0)
                return error_oom(error);

        /* Only an Engine of 1.42 and later says by the content type whether there are frames. */
        *decoder = (struct docker_frame_decoder){
                .raw = cJSON_IsTrue(json_get(inspected, "Config", "Tty", NULL)),
        };
        struct transfer transfer = {.decoder = decoder, .sink = sink, .context = context};
        const struct docker_body body = {.on_data = take_data, .context = &transfer};
        _cleanup_http_response_ struct http_response response = {0};
        int r = docker_request(docker, "GET", text_string(&path), &body, deadline, &response, error);
        if (r < 0)
                r = transfer_error(&transfer, r, error);
        else if (decoder->left > 0 || decoder->header_length > 0)
                r = error_set(error, ECONNRESET, "Docker's log stream ended in the middle of a frame");
        else if (transfer.message.length > 0)
                r = error_set(error, EREMOTEIO, "Docker: %s", text_string(&transfer.message));
        text_free(&transfer.message);
        text_free(&transfer.refusal);
        return r;
}

int docker_logs(struct docker *docker, const char *id, int64_t tail, nsec since_wall,
                struct deadline deadline, docker_log_sink sink, void *context, struct error *error)
{
        const struct docker_logs_range range = {.tail = tail, .since_wall = since_wall};
        struct docker_frame_decoder decoder;
        _cleanup_json_ cJSON *inspected = NULL;
        int r = docker_inspect(docker, id, deadline, &inspected, error);
        if (r < 0)
                return r;
        return docker_logs_read(docker, inspected, &range, &decoder, deadline, sink, context, error);
}
