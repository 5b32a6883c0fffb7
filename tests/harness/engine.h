/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the engine: a real journal file, real targets, the tiny actions of actions.h, and an HTTP
 * server that stands for Prometheus, Alertmanager and whoever is notified.
 *
 * What cannot be done fails the test; so does what is waited for, after 20 seconds. main() calls
 * http_client_global_init() first.
 */
#ifndef TESTS_HARNESS_ENGINE_H
#define TESTS_HARNESS_ENGINE_H

#include "tests/harness/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "responder/engine/engine.h"
#include "responder/production.h"
#include "tests/harness/actions.h"

struct engine_fixture {
        char directory[64];
        char number[10][24]; /* of the incidents 1 … 9 */
        struct http_server *server;
        struct remediation_set *set;
        struct targets *targets;
        struct production *production; /* with the journal, once that is open */
        struct place *place;           /* on it, with `targets` */
        struct meters *meters;
        struct journal *journal;
        struct engine *engine; /* NULL while it does not run */
        struct world by_hand;
        bool dry_run;
        atomic_bool holds, nothing;             /* what Prometheus answers */
        atomic_bool unreachable;                /* Prometheus answers 500 */
        atomic_bool deaf;                       /* whoever is notified answers 500 */
        atomic_bool refuses;                    /* or 404 */
        atomic_bool gone;                       /* Alertmanager no longer has the alert */
        atomic_bool silenced;                   /* it has it, silenced */
        atomic_bool young;                      /* it was started just now */
        atomic_bool no_alertmanager, no_firing; /* it answers 500; Prometheus does, asked for its alerts */
        atomic_bool fires;                      /* Prometheus says that the alert fires */
        atomic_uint asked, told;                /* Prometheus, the person: how often */
        pthread_mutex_t lock;                   /* of what follows */
        struct text messages;                   /* whatever the person was told, a line each */
        struct text known; /* the labels of all alerts that have arrived, a line each: Alertmanager's */
};

/* Opens everything but journal and engine; `remediations` is the list in YAML, indented by two. */
struct engine_fixture *fixture_prepare(const char *remediations);

/* Opens the journal and starts the engine over it; ends both, as often as a test likes. */
void fixture_start(struct engine_fixture *fixture);
void fixture_stop(struct engine_fixture *fixture);

/*
 * The same without threads: work is done, and time passes, only when the test says so. The clocks of that
 * world are `hand_ahead` of this machine's. fixture_stop() ends it as well.
 */
extern _Atomic nsec hand_ahead;
void fixture_start_by_hand(struct engine_fixture *fixture);
size_t look_by_hand(struct engine_fixture *fixture, nsec *ret_next); /* how much work is given by now */
void work_by_hand(void);                                             /* all of it */
void look_until_idle(struct engine_fixture *fixture); /* looks, and does the work, until there is none */

/* Ends it, and starts it again with another file and an empty record of calls. */
void fixture_change_file(struct engine_fixture *fixture, const char *remediations);

/* fixture_prepare() and fixture_start(); and all of it away, after opening the gate. */
struct engine_fixture *fixture_open(const char *remediations);
void fixture_close(struct engine_fixture *fixture);

/* The journal without an engine. */
void fixture_open_journal(struct engine_fixture *fixture);
void fixture_close_journal(struct engine_fixture *fixture);

/* One alert arrives and is written; `labels` as JSON members. */
void alert_arrives(struct engine_fixture *fixture, const char *fingerprint, bool firing, const char *labels);

/* Whether the person was told something with these words in it. */
bool person_was_told(struct engine_fixture *fixture, const char *words);

/* Waits until the n-th incident is as it should be; `what` says so in words. */
typedef bool condition(struct engine_fixture *fixture, const struct incident *incident, int argument);
void await_incident(struct engine_fixture *fixture, int n, condition *holds, int argument, const char *what);
void await_state(struct engine_fixture *fixture, int n, enum incident_state state);

condition is_in_state;   /* enum incident_state */
condition is_settled;    /* every step that was done */
condition first_step_is; /* enum step_status */
condition owes_nothing;  /* whatever a person is to hear has been heard */

/* The events of the n-th incident's timeline, one a line; to be freed. */
char *events_of(struct engine_fixture *fixture, int n);

#endif
