/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mail, by SMTP: one connection, one message, one deadline for all of it.
 *
 * It lives with the HTTP client because that is the one place that knows libcurl. Thread-safe; nothing is
 * kept between two mails.
 */
#ifndef RUNBOOK_MAIL_H
#define RUNBOOK_MAIL_H

#include "runbook/clock.h"
#include "runbook/error.h"
#include "runbook/secret.h"

enum mail_tls {
        MAIL_TLS_STARTTLS, /* nothing is sent to a server that does not offer it */
        MAIL_TLS_IMPLICIT, /* from the first byte */
        MAIL_TLS_NONE,
        MAIL_TLS_COUNT,
};
extern const char *const mail_tls_words[]; /* closed by NULL */

struct mail_request {
        const char *server; /* host:port */
        enum mail_tls tls;
        const char *username;          /* NULL or "": nobody logs in */
        const struct secret *password; /* read anew each time */
        const char *ca_file;           /* NULL: the system's authorities */
        const char *from;              /* bare addresses */
        const char *const *to;
        size_t to_count;
        const char *data; /* headers and body, in lines that end with CR LF */
        size_t length;
        struct deadline deadline;
};

/* "mail.example.org:587", "[::1]:25": a host and a port, and nothing else. */
bool mail_server_valid(const char *server);

/*
 * Sends it. Who of several is refused does not keep it from the others. -EREMOTEIO: the server has refused
 * it, with `*ret_status`, SMTP's number of three digits; -EACCES: user or password is not taken; -ETIMEDOUT,
 * -ECONNREFUSED, -EHOSTUNREACH, -EPROTO (TLS, or no SMTP) as of http_fetch(); and those of secret_read().
 * Nothing that the server said is in the sentence. What a server puts off (4xx), and who is not there, may
 * pass.
 */
int mail_send(const struct mail_request *request, long *ret_status, struct error *error);

#endif
