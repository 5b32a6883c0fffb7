/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where lines of logs come from: files, journald, Docker. Each source reads on from where it was left, also
 * over restarts, and gives every line once.
 *
 * A source has members whose lines are counted apart (units, services), or none (files, which are one sum).
 */
#ifndef EXPORTER_KINDS_LOG_SOURCE_H
#define EXPORTER_KINDS_LOG_SOURCE_H

#include "runbook/clock.h"
#include "runbook/config.h"
#include "runbook/metrics.h"

#define LOG_MEMBERS_MAX 64

/* One line, without its line break and at most options.line_limit bytes of it, of the source's member
 * `member` (0 when it has none). NUL-terminated; bytes of zero in it are blanks. */
typedef void (*log_line_sink)(void *context, size_t member, const char *line, size_t length);

struct log_source_options {
        const char *state_path; /* where to keep the places; NULL: nowhere. Borrowed */
        bool from_start;        /* what is there at the very first run is read, too */
        size_t line_limit;
        uint64_t bytes_limit; /* of lines from Docker in one run; 0: 64 MiB */
};

/* A sort of source. `config` is what its header declares: its part of the check's, borrowed. */
struct log_source_type {
        const char *key;   /* of its part of the check's mapping */
        const char *label; /* what the members are; NULL: there are none */

        /* The members. NULL: there are none. */
        const struct config_strings *(*members)(const void *config);

        /* -EINVAL after complaints about `node`, the source's part of the mapping; no target is touched yet.
         */
        int (*open)(const void *config, struct config_node *node, const struct log_source_options *options,
                    void **ret_state, struct error *error);

        /*
         * Gives what is new, until there is no more (`ret_caught_up`) or `deadline` has passed; the rest then
         * is for the next time. What does not answer is waited for until `patience`, which is later. Lines
         * were given and stay so even when it fails.
         */
        int (*run)(void *state, struct deadline deadline, struct deadline patience, log_line_sink each,
                   void *context, bool *ret_caught_up, struct error *error);

        /* Adds the samples that only this sort of source has, as the last run found them. */
        void (*add_samples)(const void *state, struct sample_sink *sink);

        void *(*free)(void *state); /* takes NULL */
};

/* The family that several sorts have. */
#define LOG_SOURCE_FAMILIES(X)                                                                            \
        X(log_family_gaps, COUNTER, "runbook_log_gaps_total", NULL,                                       \
          "How often what was read last was not in the journal, or in a container's log, any more: what " \
          "came "                                                                                         \
          "behind it may have been lost unread.")
LOG_SOURCE_FAMILIES(DECLARE_FAMILY)

/* Complains about more than LOG_MEMBERS_MAX members, and about one that is there twice. */
bool log_members_check(const struct config_strings *members, struct config_node *node, const char *key);

#endif
