/* SPDX-License-Identifier: Apache-2.0 */
/* The rooms of the Docker client: a raw request, copying a container's description, carrying its files over.
 */
#ifndef LIB_DOCKER_INTERNAL_H
#define LIB_DOCKER_INTERNAL_H

#include "runbook/docker.h"
#include "runbook/docker_container.h"
#include "runbook/docker_recreate.h"
#include "runbook/http_client.h"

/* API versions: older Engines are refused, newer ones are spoken to as this one. */
#define DOCKER_API_OLDEST 40
#define DOCKER_API_NEWEST 51

/* The name of what docker_recreate() keeps: "<name>.runbook-<tag>.old"; a version before made ".new" as well.
 */
#define DOCKER_KEPT_MARK ".runbook-"
#define DOCKER_KEPT_OLD ".old"
#define DOCKER_KEPT_NEW ".new"

/* Our own labels: the tag of the change that made a container; and, before the names of labels that are put
 * aside on a kept one, of what they were on. */
#define DOCKER_LABEL_CHANGE "runbook.change"
#define DOCKER_LABEL_ASIDE "runbook.kept/"

/* Compose's labels. */
#define DOCKER_LABEL_PROJECT "com.docker.compose.project"
#define DOCKER_LABEL_SERVICE "com.docker.compose.service"
#define DOCKER_LABEL_NUMBER "com.docker.compose.container-number"
#define DOCKER_LABEL_DEPENDS_ON "com.docker.compose.depends_on"
#define DOCKER_LABEL_ONE_OFF "com.docker.compose.oneoff"

struct docker {
        struct http_client *client;
        char *host;   /* as it was given, for messages */
        char *socket; /* NULL for TCP */
        char *base;   /* "http://docker", "http://127.0.0.1:2375" or "https://…" */
        char *ca_file, *cert_file, *key_file;
        bool tls;
        bool podman;
        int minor; /* of the API version; 0: not asked yet */
        nsec time; /* the Engine's, of its last answer */
};

/* docker.c: a request of any kind, without a body; and what its answer says of the Engine's clock. */
struct http_request docker_describe(const struct docker *docker, const char *method, const char *url,
                                    struct deadline deadline);
void docker_take_time(struct docker *docker, const struct http_response *response);

/* A request that failed, told as Docker's. */
int docker_failed(struct docker *docker, int result, struct error *error);

/* docker.c: one call with a body and an answer of any type; `type` NULL: no body. */
struct docker_body {
        const char *type;
        const void *data;
        size_t length;
        size_t answer_limit; /* 0: 16 MiB */
        int (*on_data)(void *context, const char *data, size_t length);
        void *context;
};
int docker_request(struct docker *docker, const char *method, const char *path,
                   const struct docker_body *body, struct deadline deadline, struct http_response *ret,
                   struct error *error);

/* What an answer of 4xx or 5xx means, with the Engine's message. */
int docker_answer_error(long status, const char *body, size_t length, struct error *error);

/* The same of a request's answer. After a 400 the version is asked for anew, as it may be what was refused.
 */
int docker_refused(struct docker *docker, const struct http_response *response, struct error *error);

/* The N of API version 1.N, asked of the Engine the first time. */
int docker_api_minor(struct docker *docker, struct deadline deadline, int *ret, struct error *error);

/* Feeds raw bytes of a log stream through the frame decoder; kept across calls in `decoder`. For fuzzing too.
 * The sink may also be given stream 3, an error of the Engine's own. -EBADMSG for what cannot be a frame. */
struct docker_frame_decoder {
        bool raw;    /* the container has a TTY: no frames */
        bool begins; /* for the sink: this piece is its frame's first */
        unsigned char header[8];
        size_t header_length;
        uint32_t left;
};
int docker_decode(struct docker_frame_decoder *decoder, const char *data, size_t length, docker_log_sink sink,
                  void *context);

/*
 * What docker_log_lines() does with each piece of a log, for tests and fuzzing. `begins` says that it is a
 * frame's first; of a log that is `raw` nobody can say. -EBADMSG for what does not start with its time.
 */
struct docker_line_reader {
        bool raw;
        size_t limit;
        docker_line_sink sink;
        void *context;
        struct docker_line {        /* of stdout, and of stderr */
                char head[31];      /* its time, to the nanosecond, and a blank */
                char next[31];      /* that of the message that comes in now, */
                size_t next_length; /* as far as it has come */
                bool open;          /* the line has begun, and its end has not come */
                struct text text;   /* what there is of it, behind its time */
        } lines[2];
};
int docker_line_reader_take(struct docker_line_reader *reader, bool begins, int stream, const char *data,
                            size_t length);
int docker_line_reader_end(struct docker_line_reader *reader); /* gives lines that have no break */
void docker_line_reader_release(struct docker_line_reader *reader);

/* logs.c: the log of an inspected container. The decoder is the caller's, so that its sink can see in
 * it where frames begin. */
int docker_logs_read(struct docker *docker, const cJSON *inspected, const struct docker_logs_range *range,
                     struct docker_frame_decoder *decoder, struct deadline deadline, docker_log_sink sink,
                     void *context, struct error *error);

/*
 * copy.c: what POST /containers/create needs to make the same container again, by reading only.
 * `ret_connect` is an array of {"network", "endpoint"}: what has to be connected afterwards, because an API
 * before 1.44 takes one network at creation.
 */
int docker_copy(const cJSON *inspected, const char *image, const struct docker_change *change, int api_minor,
                cJSON **ret_body, cJSON **ret_connect, struct error *error);

/*
 * layer.c: files that stand in the container's writable layer since before it was started last, as
 * Compose puts inline configs and secrets there. They would vanish with the container. An array of paths;
 * -ENOTSUP when there are too many or too large ones to be carried over.
 */
int docker_layer_find(struct docker *docker, const cJSON *inspected, struct deadline deadline,
                      cJSON **ret_paths, struct error *error);
int docker_layer_carry(struct docker *docker, const char *from, const char *to, const cJSON *paths,
                       struct deadline deadline, struct error *error);

/* many.c: appends what docker_events() has for an answer, one document a line, to `array`. -EMSGSIZE. */
int docker_read_events(const struct text *body, cJSON *array, struct error *error);

/* self.c: docker_is_self(), told by the files of `proc` (/proc) and the host's name. */
int docker_self_look(const char *proc, const char *host_name, const char *id, struct error *error);

/* tar.c: appends the one file of the tar stream `data` to the tar stream `tar`, under the name `path`.
 */
int docker_tar_append(struct text *tar, const char *data, size_t length, const char *path,
                      struct error *error);
void docker_tar_end(struct text *tar);

#endif
