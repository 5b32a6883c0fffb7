/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where lines of logs come from: files, journald, Docker. Each source reads on from where it was left, also
 * over restarts, and gives every line once.
 *
 * A source has members whose lines are counted apart (units, services), or none (files, which are one sum).
 */
#ifndef EXPORTER_LOG_SOURCE_H
#define EXPORTER_LOG_SOURCE_H

#include "runbook/clock.h"
#include "runbook/config.h"
#include "runbook/docker.h"
#include "runbook/metrics.h"

#define LOG_MEMBERS_MAX 64

/* One line, without its line break and at most options.line_limit bytes of it, of the source's member
 * `member` (0 when it has none). NUL-terminated; bytes of zero in it are blanks. */
typedef void (*log_line_sink)(void *context, size_t member, const char *line, size_t length);

struct log_source_type {
        const char *label; /* what the members are; NULL: there are none */

        /*
         * Gives what is new, until there is no more (`ret_caught_up`) or `deadline` has passed; the rest then
         * is for the next time. What does not answer is waited for until `patience`, which is later. Lines
         * were given and stay so even when it fails.
         */
        int (*run)(void *state, struct deadline deadline, struct deadline patience, log_line_sink each,
                   void *context, bool *ret_caught_up, struct error *error);

        /* Adds the samples that only this sort of source has, as the last run found them. */
        void (*tell)(const void *state, struct sample_sink *sink);

        void *(*free)(void *state); /* takes NULL */
};

struct log_source {
        const struct log_source_type *type; /* NULL: not opened */
        void *state;
};

struct log_source_options {
        const char *state_path; /* where to keep the places; NULL: nowhere. Borrowed */
        bool from_start;        /* what is there at the very first run is read, too */
        size_t line_limit;
        uint64_t bytes_limit; /* of lines from Docker in one run; 0: 64 MiB */
};

struct log_journal_config {
        char *directory;
        struct config_strings units;
        int priority; /* as syslog has them: 0 to 7 */
};

struct log_docker_config {
        struct docker_options docker;
        struct config_strings services;
};

extern const struct config_field log_journal_fields[], log_docker_fields[];
extern const struct metric_family log_family_files, log_family_behind, log_family_containers, log_family_gaps;

/* The configuration is borrowed. -EINVAL after complaints about `node`, the source's mapping; no target is
 * touched yet. */
int log_files_open(const struct config_strings *files, struct config_node *node,
                   const struct log_source_options *options, struct log_source *ret, struct error *error);
int log_journal_open(const struct log_journal_config *config, struct config_node *node,
                     const struct log_source_options *options, struct log_source *ret, struct error *error);
int log_docker_open(const struct log_docker_config *config, struct config_node *node,
                    const struct log_source_options *options, struct log_source *ret, struct error *error);

/* Complains about more than LOG_MEMBERS_MAX members, and about one that is there twice. */
bool log_members_check(const struct config_strings *members, struct config_node *node, const char *key);

#endif
