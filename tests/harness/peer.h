/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw sockets for the tests of HTTP: a peer that sends exactly the bytes a test wants, also wrong ones.
 *
 * Everything has a deadline, so that a test fails rather than hangs. Sockets are for close().
 */
#ifndef TESTS_HARNESS_PEER_H
#define TESTS_HARNESS_PEER_H

#include "tests/harness/unit.h"

#include "runbook/text.h"

#define PEER_TIMEOUT_SECONDS 10

/* Gives the socket its deadlines, for one that a test accepts itself. */
int peer_limit(int fd);

/* Port of 127.0.0.1, or path of a Unix socket. */
int peer_connect(uint16_t port);
int peer_connect_unix(const char *path);
int peer_listen(uint16_t *ret_port);
int peer_listen_unix(const char *path);

void peer_send(int fd, const void *data, size_t length);
void peer_puts(int fd, const char *string);

/* Reads until `end` was seen; false at the end of the stream. */
bool peer_read_until(int fd, struct text *text, const char *end);
void peer_read_exactly(int fd, struct text *text, size_t length);

/* True when the peer has closed the connection and sends no more (within the deadline). */
bool peer_is_closed(int fd);

struct peer_answer {
        int status;
        struct text head, body;
};

void peer_answer_release(struct peer_answer *answer);

#define _cleanup_answer_ _cleanup_(peer_answer_release)

/* Reads one answer in place of what `answer` held; its body by Content-Length, unless asked for by HEAD. */
void peer_receive(int fd, bool head_only, struct peer_answer *answer);

/* Sends the text and reads one answer. */
void peer_ask(int fd, const char *request, struct peer_answer *answer);

#endif
