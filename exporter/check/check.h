/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A check, and the contract of every kind of check.
 *
 * This room reads checks.yml, judges what was measured by the thresholds in it, and describes all that may
 * stand there. It is below the kinds, so that none of them knows another one, and below schedule, pages and
 * commands, which speak of checks alone. It uses lib/base, lib/config and lib/metrics, and the kinds by their
 * table.
 *
 * A new kind is one file in exporter/kinds that defines a `const struct check_kind`, and one line in kinds.c.
 */
#ifndef EXPORTER_CHECK_CHECK_H
#define EXPORTER_CHECK_CHECK_H

#include "exporter/check/threshold.h"
#include "runbook/clock.h"
#include "runbook/config.h"
#include "runbook/error.h"
#include "runbook/metrics.h"

struct ping_box;    /* exporter/pings/pings.h */
struct history_box; /* exporter/history/history.h */

/* One entry of checks.yml. Immutable once loaded. */
struct check {
        char *name;  /* unique; the label `check` of every sample */
        char *title; /* for people; the name when not given */
        const struct check_kind *kind;
        int64_t step;               /* of the morning checklist; 0: it is none of it */
        char *advice, *runbook_url; /* what to do, and where that is told; NULL when not given */
        struct thresholds thresholds;
        struct config_strings needs; /* names of the checks of what it cannot work without */
        size_t *needed;              /* which of the set they are, once needs.h has looked them up */
        size_t needed_count;
        nsec timeout;         /* of one run */
        nsec cache;           /* how old its samples may be; 0: due at every scrape */
        int64_t max_series;   /* samples of one run beyond this are judged, but on no page, and counted */
        int when_empty;       /* enum when_empty: what a metric of the operator's without a series says */
        struct label *labels; /* that all of its series have, those about itself too; owned */
        size_t label_count;
        char *probe_target; /* one of its `targets:`, which it is pointed at instead; NULL: it is the check
                               itself */
        void *config;       /* the structure that kind->fields describes */
        const char *state_directory; /* where a kind may keep what must outlive a restart, in files named
                                        after the check; NULL: nowhere. Borrowed */
        struct ping_box *pings; /* what its job has said of itself, by exporter/pings; NULL: none is taken
                                   here. Borrowed */
        struct history_box *history; /* how it stood, by exporter/history; NULL: that is not kept. Borrowed */
        char *definition; /* as it stands in the file, with its defaults: what is the same is unchanged */
};

/* What a check starts beside its own threads: the process gives up rights that no check needs. */
enum check_programs {
        CHECK_STARTS_NOTHING,
        CHECK_STARTS_READERS, /* programs known to write no files */
        CHECK_STARTS_ANYTHING,
};

struct check_kind {
        const char *name; /* the key in checks.yml */
        const char *help; /* one sentence for the reference page */
        const struct config_field *fields;
        size_t config_size;
        const char *target_key; /* the field that says where to look, by which it is pointed elsewhere;
                                   NULL: none */
        const struct metric_family *const *families; /* every one it can emit, closed by NULL; an operator's
                                                        own metrics come on top */
        const char *const *labels; /* the names of all labels that their series may have, closed by NULL;
                                      NULL: they have none */

        /*
         * Validates what the table cannot say (complaining about `node`, the kind's mapping) and prepares.
         * Does not touch the target: a check of a service that is down still opens. -EINVAL after complaints.
         */
        int (*open)(const struct check *check, struct config_node *node, void **ret_state,
                    struct error *error);

        /*
         * Measures once, by the deadline, on a worker thread; never two runs of one check at a time. A
         * failure is a negative errno with the reason; samples that were added before it are still shown,
         * so add only what is true. What the failure says of the check is put down in the error by
         * error_failed(), error_not_looked() and error_not_set_up(); unsaid, `indirect` decides.
         */
        int (*run)(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error);

        void *(*close)(void *state); /* takes NULL, returns NULL */

        /* The metrics that the operator defined for this check, closed by NULL. NULL: the kind has none. */
        const struct metric_family *const *(*own_families)(const void *state);

        /* What it asks is not what its checks are about, but tells of that: when a run fails, or does not
         * end, nothing was looked at, and a check is unknown. Of the others, it fails. */
        bool indirect;

        /* The operator's metrics have series only once something was found for them: none yet says nothing.
         */
        bool sparse;

        /* What a job has to show that pings a check of this `config`, which may be unset. NULL: nobody pings
         * checks of the kind. */
        const struct secret *(*ping_token)(const void *config);

        /* What a check of this `config` starts. NULL: nothing, whatever it says. */
        enum check_programs (*programs)(const void *config);

        /* Which calls of Docker's Engine a check of this `config` makes: enum docker_access. NULL: none,
         * whatever it says. */
        unsigned (*docker_access)(const void *config);
};

/* The kinds there are, closed by NULL; the list is exporter/kinds/kinds.c. */
extern const struct check_kind *const check_kinds[];

/* Whether all series of the check have a label of that name: an operator's own metric may not have it, too.
 */
bool check_has_label(const struct check *check, const char *name);

/* How a check tells that the past, on which its other values are built, is too short for them: what there is
 * and what is needed, in seconds. The capacity report gives it as the reason. */
#define CHECK_HISTORY_METRIC "runbook_check_history_seconds"
#define CHECK_HISTORY_NEEDED_METRIC "runbook_check_history_needed_seconds"

/* What the capacity report shows: sections of rows, each the series of one metric, whichever checks measure
 * it. */
struct capacity_row {
        char *title, *metric;
        char *absent; /* what is said for 0 and for no series; NULL: there is always some */
};
struct capacity_section {
        char *title;
        struct config_list rows; /* of struct capacity_row */
};

/* Where people find what goes with the checks; NULL where the file does not say. */
struct check_links {
        char *responder_url, *prometheus_url, *grafana_url;
};

/*
 * All checks of a file, with their opened states. Behind them stand those that `targets:` makes of them: each
 * a check of its own under the same name, which runs when /probe asks for it and is on no other page.
 */
struct check_set {
        char *title; /* whose checks these are; NULL when the file does not say */
        struct check_links links;
        struct config_list capacity; /* of struct capacity_section */
        struct check *checks;
        void **states; /* of checks[i] */
        size_t count, target_count;
        size_t *needs_order;   /* of all checks, what is needed before what needs it: see needs.h */
        struct config *config; /* kept: states may point into it */
        unsigned shared;       /* references beside its owner's; by check_set_ref() */
};

/* Loads and opens; `state_directory` is borrowed and may be NULL. On failure -EINVAL, and `error` holds every
 * complaint, one a line. */
int check_set_load(const char *path, const char *state_directory, struct check_set **ret,
                   struct error *error);
static inline size_t check_set_size(const struct check_set *set)
{
        return set->count + set->target_count;
}

struct check_set *check_set_ref(struct check_set *set);
struct check_set *check_set_free(struct check_set *set); /* gives a reference back; takes NULL */

/* Closes the state of one check, when it is no longer of use but others of the set are. */
void check_set_close(struct check_set *set, size_t i);
DEFINE_CLEANUP(struct check_set *, check_set_free);

/* The reference page of all kinds, their options and metrics, in Markdown. */
void check_kinds_describe(struct text *text);

/* Their names, for --help. */
void check_kinds_list(struct text *text);

#endif
