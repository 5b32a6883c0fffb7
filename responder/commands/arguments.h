/* SPDX-License-Identifier: Apache-2.0 */
/* What the responder's command line says: filled by main's flags, read by the daemon and by every command. */
#ifndef RESPONDER_COMMANDS_ARGUMENTS_H
#define RESPONDER_COMMANDS_ARGUMENTS_H

#include "runbook/daemon.h"

/* Of commands that ask a responder that runs: where it is, and who asks. NULL: not given. */
struct remote_arguments {
        const char *url, *token_file, *user, *password_file, *ca_file, *cert_file, *key_file;
        const char *by, *reason; /* of a decision */
        const char *plan;        /* of an approval: what is agreed to */
        const char *lasts;       /* of a maintenance: how long; NULL: not given */
        bool ends;               /* likewise: it is over */
};

/* Which incidents are listed. */
struct listing_arguments {
        const char *state, *remediation, *limit; /* NULL: any, any */
        nsec since, until;                       /* how long ago at most, and at least; 0: whenever */
};

/* How many of them; -EINVAL: --limit is no number that may be. */
int listing_limit(const struct listing_arguments *listing, size_t *ret, struct error *error);

/* What is rehearsed. */
struct rehearsal_arguments {
        const char *webhooks, *against; /* NULL: not given */
        struct flag_strings expected;   /* remediations that may differ */
        nsec step;
        bool from_journal;
};

struct responder_arguments {
        struct program_arguments program;
        struct daemon_arguments daemon;
        struct remote_arguments remote;
        struct listing_arguments listing;
        struct rehearsal_arguments rehearsal;
        struct flag_strings labels;        /* of an alert: NAME=VALUE */
        const char *families, *for_person; /* of coverage */
        struct flag_strings alerts;        /* likewise */
        const char *journal, *journal_key, *head, *alert, *operators, *senders, *tokens, *operator_socket,
                *sandbox;
        const char *external_url;
        struct flag_strings names;                 /* of init-access: what the daemons are reached by */
        const char *mounted;                       /* likewise: where its directory is seen */
        const char *docker_listen, *docker_engine; /* of docker-access */
        bool seal_as_it_is, dry_run, json, html, enable_lifecycle, anybody_local_may_act;
};

#endif
