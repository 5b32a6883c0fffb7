/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon from its start to its end: signals, what systemd is told, and the order of starting and stopping.
 */
#ifndef RUNBOOK_DAEMON_H
#define RUNBOOK_DAEMON_H

#include "runbook/program.h"

/* What the flags of every daemon fill. */
struct daemon_arguments {
        const char *config_file, *web_config_file;
        struct flag_strings listen_addresses;
        bool systemd_socket, config_check;
};
/* Their rows, but for the two that each daemon words itself: config.file and web.listen-address. */
/* clang-format off */
#define DAEMON_FLAGS(to) \
        {"config.check", FLAG_SWITCH, &(to)->config_check, NULL, NULL, \
         "read the file, name every mistake in it, and end"}, \
        {"web.systemd-socket", FLAG_SWITCH, &(to)->systemd_socket, NULL, NULL, \
         "serve on the socket that systemd passes, instead of an address"}, \
        {"web.config.file", FLAG_STRING, &(to)->web_config_file, NULL, "FILE", \
         "TLS, client certificates, users and headers, as exporter-toolkit has them"}
/* clang-format on */
/* The names of all of them, for TAKES(). */
#define DAEMON_TAKES \
        "config.file", "config.check", "web.listen-address", "web.systemd-socket", "web.config.file"

/*
 * Where --config.file was not given: `installed`, which is an absolute path, where there is such a file, else
 * `otherwise`. Who may write into the directory that a command is called in does not come before the
 * machine's file.
 */
void daemon_settle_config(struct daemon_arguments *arguments, const char *installed, const char *otherwise);

/* Where to listen, closed by NULL: the addresses, or what stands for systemd's socket. */
const char *const *daemon_listen_addresses(const struct daemon_arguments *arguments);

/* All of them on one line, for a log. */
void daemon_put_addresses(const struct daemon_arguments *arguments, struct text *text);

struct daemon {
        const char *name; /* of the program */
        /* Does everything that can fail, logs that it listens, and leaves threads behind that serve. */
        int (*start)(void *context, struct error *error);
        void (*reload)(void *context); /* at SIGHUP; NULL: that is no signal of this daemon's */
        /* Ends what start() has begun, also when that got no further than half-way. */
        void (*stop)(void *context);
};

/*
 * Starts, waits for SIGTERM or SIGINT, stops; all by the calling thread, which has to be the only one. Every
 * thread inherits that these signals wait for it. EXIT_FAILED after a sentence on stderr when start() fails.
 */
int daemon_serve(const struct daemon *daemon, void *context);

/* Whether the web configuration (NULL: there is none) could be read as it stands now. */
int daemon_check_web(const char *web_config_file, struct error *error);

/*
 * --config.check: names every mistake of the web configuration (NULL: there is none to check) and of what
 * `read` reads, on stderr; `read` appends a line to `verdict` when it finds none. What to exit with.
 */
int daemon_check(const char *web_config_file,
                 int (*read)(const void *context, struct text *verdict, struct error *error),
                 const void *context);

#endif
