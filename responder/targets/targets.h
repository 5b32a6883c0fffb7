/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What steps act on: the named databases, receivers and services of remediations.yml, with their live
 * connections.
 *
 * `struct target_set` is what the file says; `struct targets` holds the connections. The connection to a
 * database is standing: opened at start, looked at every 15 s and opened again when lost, so that the
 * responder can act when the server has no connection left to give. Thread-safe: a lease locks one client.
 *
 * responder/targets is here so that actions, verifications and escalations reach all that lies outside by the
 * names that the file gives it. It uses responder/alert, lib/base, lib/config, lib/metrics, lib/docker,
 * lib/postgres, lib/prometheus and lib/http/client, and nothing else of the responder.
 */
#ifndef RESPONDER_TARGETS_TARGETS_H
#define RESPONDER_TARGETS_TARGETS_H

#include "runbook/clock.h"
#include "runbook/config.h"
#include "runbook/digest.h"
#include "runbook/docker.h"
#include "runbook/error.h"
#include "runbook/http_client.h"
#include "runbook/postgres.h"

/* How a receiver is told; each is a file of formats/. */
enum receiver_format {
        RECEIVER_FORMAT_SLACK,
        RECEIVER_FORMAT_JSON,
        RECEIVER_FORMAT_PAGERDUTY,
        RECEIVER_FORMAT_EMAIL,
        RECEIVER_FORMAT_TEAMS,
        RECEIVER_FORMAT_NTFY,
        RECEIVER_FORMAT_LOG,
        RECEIVER_FORMAT_COUNT,
};

/* Whom notify reaches. Which of these keys there are is the format's. */
struct receiver {
        char *name;
        int format; /* enum receiver_format */
        struct secret url, token, routing_key;
        char *smtp, *from, *username, *ca_file; /* of a mail */
        struct config_strings to;
        int tls; /* enum mail_tls */
        struct secret password;
};

struct database {
        char *name;
        struct postgres_options postgres;
};

/* What has ended since stays in the journal, whatever its size: people still ask for it. */
#define TARGETS_RETENTION_LEAST (7 * 24 * 3600 * NSEC_PER_SEC)

struct target_set {
        struct docker_options docker;               /* host is "" when there is no docker section */
        struct config_list databases;               /* struct database */
        struct config_list receivers;               /* struct receiver */
        char *prometheus_url;                       /* "" when absent */
        char *exporter_url;                         /* of a runbook_exporter, for verification by check */
        char *alertmanager_url;                     /* "" : not asked */
        struct config_strings alertmanager_members; /* the others of its cluster */
        struct config_strings twin_labels; /* what names an alert that has a twin: targets_names_twin() */
        nsec page_lease;                   /* so long a page waits for who holds it back; 2m */
        nsec repeat_interval;              /* Alertmanager's; 4h */
        nsec resolve_timeout;              /* likewise; 5m */
        char *evidence_directory;          /* default "var/evidence" */
        int64_t evidence_per_incident, evidence_total; /* bytes: the most that it takes */
        int64_t evidence_keep_free;                    /* and what it leaves of the disk */
        nsec journal_retention;                        /* 400d */
        int64_t journal_size;                          /* bytes; 1GiB */
        struct config_strings protect;                 /* names of containers that are never touched */
};

/* An Alertmanager tells the time to the second; and nobody is to sleep longer through a responder that died.
 */
#define PAGE_LEASE_LEAST (4 * NSEC_PER_SEC)
#define PAGE_LEASE_MOST (10 * 60 * NSEC_PER_SEC)

/* What of these an action may act upon. */
enum target_kind { TARGET_NONE, TARGET_DOCKER, TARGET_DATABASE, TARGET_RECEIVER, TARGET_KIND_COUNT };
extern const char *const target_words[]; /* "docker", "database", … ; by kind */

struct targets;

/* The table of the sections above, as they stand at the top of remediations.yml. */
extern const struct config_field target_fields[];

/* Complains about what the table cannot say (double names, DSNs that do not parse, ...). */
void target_set_check(const struct target_set *set, struct config_node *node);

const struct receiver *target_set_receiver(const struct target_set *set, const char *name);

/* Whether what it was told stays open there until it is told that it is over: somebody is called again and
 * again, or the list is never empty. False for NULL. */
bool receiver_keeps_open(const struct receiver *receiver); /* NULL: none */
const struct database *target_set_database(const struct target_set *set,
                                           const char *name); /* "" : the only one */

/*
 * The SHA-256 of how a target is defined, where it is rather than by which password it is entered: of a
 * receiver, whose URL is one, where that is kept. It tells whether a name still means what it meant.
 * -ENOENT: there is none of that name.
 */
int target_set_digest(const struct target_set *set, enum target_kind kind, const char *name,
                      char ret[static DIGEST_TEXT_MAX], struct error *error);

/* `set` is borrowed. Starts the thread that keeps the standing connections. */
int targets_new(const struct target_set *set, struct targets **ret, struct error *error);
struct targets *targets_free(struct targets *targets);
const struct target_set *targets_set(const struct targets *targets);

/*
 * Leases: exclusive until released. A database is waited for until the deadline (-ETIMEDOUT) and is connected
 * when handed out; a Docker or HTTP client is made for the lease.
 */
int targets_database(struct targets *targets, const char *name, struct deadline deadline,
                     struct postgres **ret, struct error *error);
void targets_database_release(struct targets *targets, struct postgres *postgres);
int targets_docker(struct targets *targets, struct docker **ret, struct error *error); /* docker_free() it */

/* Our application_name in PostgreSQL, by which postgres.terminate_queries knows our own sessions. */
#define TARGETS_APPLICATION "runbook_responder"

/* One fact of a message: a title, and one or more lines. */
struct message_part {
        const char *title, *text;
};

/* What a message leads to. The URL begins with http:// or https:// and holds nothing but what a URL may. */
struct message_link {
        const char *title, *url;
};

/* What a message is to its reader. */
enum message_mood {
        MESSAGE_NOTE,    /* to be known */
        MESSAGE_WAITS,   /* for a person, who may decide */
        MESSAGE_TROUBLE, /* a person is needed */
        MESSAGE_TAKEN,   /* somebody, or the responder, is at what was told before */
        MESSAGE_OVER,    /* what was told before */
        MESSAGE_MOOD_COUNT,
};

/* What a receiver is told: people see the text and the parts, programs the details. */
struct message {
        const char *text; /* one line */
        enum message_mood mood;
        const char *key;      /* what all messages about one thing share; NULL: this is the only one */
        const char *host;     /* where it is; NULL: not known */
        const char *incident; /* or NULL */
        const char *remediation;
        const char *state;
        const struct message_link *links; /* the first is where more of it is */
        size_t link_count;
        const struct message_part *parts;
        size_t part_count;
        const cJSON *details; /* object or NULL */
};

/* Sends one message to a receiver. -EIO etc. without anything secret in the sentence. `*ret_wait` (may be
 * NULL) is how long the receiver wants to be left alone, where a failure says so (Retry-After); else it is
 * untouched.
 */
int targets_notify(struct targets *targets, const char *receiver, const struct message *message,
                   struct deadline deadline, nsec *ret_wait, struct error *error);

/* What was measured longer ago than the `age` of a question is no answer; TARGETS_ANY_AGE: any is. */
#define TARGETS_ANY_AGE INT64_MAX

/* Whether a condition in PromQL holds: see promql_holds(). -ENODATA when that cannot be known, also when
 * Prometheus has only a part of the answer. */
int targets_query_holds(struct targets *targets, const char *query, nsec age, struct deadline deadline,
                        bool *ret_holds, double *ret_value, struct error *error);

/* What a condition compares was from one wall time to another, in about so many points: an array of [seconds
 * since the epoch, value]. -ENODATA when it compares nothing with a number. */
int targets_query_past(struct targets *targets, const char *query, nsec from, nsec to, unsigned points,
                       struct deadline deadline, cJSON **ret, struct error *error);

/* Whether one check succeeds and does not fail by its conditions, asked of the exporter (collect[]=name).
 * -ENOENT: it has no such check; -ENODATA: it does not know how it stands, or knows it from before. */
int targets_check_holds(struct targets *targets, const char *check, nsec age, struct deadline deadline,
                        bool *ret_holds, struct error *error);

/* How Alertmanager has an alert. */
enum alert_presence {
        ALERT_ABSENT,
        ALERT_ACTIVE,
        ALERT_SILENCED, /* by a person */
        ALERT_INHIBITED,
        ALERT_MUTED, /* by a time interval; of those that tell it */
        ALERT_PRESENCE_COUNT,
};

/* What an Alertmanager knows at one moment. */
struct alertmanager_view {
        struct alert_seen {
                char key[DIGEST_TEXT_MAX]; /* alert_key(): of its labels, whatever fingerprint a sender gives
                                            */
                enum alert_presence presence;
                char *by; /* "silence 1f3c… by ada: migration"; NULL: nothing keeps it back */
        } * items;        /* by their keys, in order */
        size_t count;
        nsec up; /* since when it has been up: it knows nothing of before; by its clock and ours, never
                    negative */
};

/*
 * What the configured Alertmanager knows of all its alerts, in up to three requests, until the deadline.
 * -ENOTSUP when there is none in the configuration. An answer that could not be had, or read, is an error,
 * never an empty list; of silences that could not be had only the id is told.
 */
int targets_alertmanager(struct targets *targets, struct deadline deadline, struct alertmanager_view *ret,
                         struct error *error);

/* Puts the items in order, for who has filled in a view; borrows: NULL when it has no such alert. */
void alertmanager_view_sort(struct alertmanager_view *view);
const struct alert_seen *alertmanager_view_find(const struct alertmanager_view *view, const char *key);
void alertmanager_view_release(struct alertmanager_view *view);

/* The Alertmanagers that are told of leases: `alertmanager_url`, then the others. NULL behind the last. */
enum { ALERTMANAGERS_MOST = 16 };
const char *target_set_alertmanager(const struct target_set *set, size_t member);

/* The labels that name an alert: those of `twin_labels`, or the common ones where the file gives none. NULL
 * behind the last. */
const char *target_set_twin_label(const struct target_set *set, size_t index);

/*
 * What holds back the page of an alert, at one of the Alertmanagers: see responder/engine/lease.h. It holds
 * until `until`, an instant of the monotonic clock; what is past is ended at once. All until the deadline.
 */
struct page_lease {
        const cJSON *labels;
        const char *summary;
        nsec until;
};
int targets_lease(struct targets *targets, size_t member, const struct page_lease *leases, size_t count,
                  struct deadline deadline, struct error *error);

/* A target as it is called: its section or key in the file, and its name there, "" where there is one alone.
 */
struct target_name {
        const char *kind, *name; /* the set's */
};

/* How something is asked that is none of the set's: see action.h. */
struct target_probe {
        struct target_name name;
        int (*ask)(const void *context, struct deadline deadline, struct text *said, struct error *error);
        const void *context;
        bool of_rights; /* it is asked what one would be let do there */
};

/* Whether it answers. */
struct target_standing {
        struct target_name name;
        int up;               /* 1: it does; 0: it does not; -1: not asked yet, or not to be known now */
        bool empty;           /* it answers, and there is nothing */
        bool of_rights;       /* what one would be let do, and not whether it answers */
        nsec asked_at, up_at; /* wall: the last time that it was asked, and that it answered; 0: never */
        char *said;           /* what it has to say, or why it does not answer; owned */
};
void target_standings_free(struct target_standing *list, size_t count);

/*
 * All that the set names, counted from 0, and one of them asked by reading alone what an emergency would ask
 * of it. `said` is given what it has to say. PROBE_EMPTY: it answers, and there is nothing; PROBE_UNKNOWN: it
 * cannot be told, `said` says why; else why it does not.
 */
enum { PROBE_FINE, PROBE_EMPTY, PROBE_UNKNOWN };
size_t targets_probe_count(const struct target_set *set);
struct target_name targets_probe_name(const struct target_set *set, size_t index);
int targets_probe(struct targets *targets, size_t index, struct deadline deadline, struct text *said,
                  struct error *error);

/*
 * Of Alertmanager's silences that are not over and whose comment begins with `mark`, those are to be there
 * that are `wanted`, by their comments, and no others: an array of silences, as its API has them.
 */
int targets_silence(struct targets *targets, const char *mark, const cJSON *wanted, struct deadline deadline,
                    struct error *error);

/* What the rules of the configured Prometheus say fires: an array with an object of labels for each. -ENOTSUP
 * when there is no Prometheus in the configuration. */
int targets_firing(struct targets *targets, struct deadline deadline, cJSON **ret, struct error *error);

#endif
