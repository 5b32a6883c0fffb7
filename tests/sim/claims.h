/* SPDX-License-Identifier: Apache-2.0 */
/* The claims, and the eye (eye.c) that looks into the journal beside the daemon. */
#ifndef TESTS_SIM_CLAIMS_H
#define TESTS_SIM_CLAIMS_H

#include "tests/sim/sim.h"

/* With the journal: opened after it, closed before it. */
void claims_open(struct sim *sim);
void claims_close(void);

/* The first column of the first row: a number (-1: no row), or a text (free() it). `types`: i int64_t, t
 * string. */
int64_t claims_number(const char *sql, const char *types, ...);
char *claims_text(const char *sql, const char *types, ...);
bool claims_execute(const char *sql); /* behind the journal's back */
int64_t incident_of(const char *number);
void claims_print(void); /* the end of the timeline, for --trace */

/* Around each plan and each act of an action. */
void claim_planned(struct sim *sim, const struct action *action, const struct step_run *run,
                   const cJSON *plan);
void claim_act(struct sim *sim, const struct action *action, const struct step_run *run, bool undo);
void claim_acted(struct sim *sim, const struct action *action, const struct step_run *run, bool undo,
                 bool succeeded);

/* verdicts.c: around each answer to a verification, and each act. */
void verdicts_answered(struct sim *sim, const char *promql, bool known, bool holds);
void verdicts_act(struct sim *sim, int64_t incident, bool undo);
/* Of an alert's life (life.c): before the first step is planned, when somebody is told that an alert goes on,
 * before a source gets well, and after each look (`whole`: at everything). */
void claim_begins(struct sim *sim, const struct step_run *run);
void claim_still_fires(struct sim *sim, int64_t incident);
void claim_goes_on(struct sim *sim, int64_t source);
void claims_looked(struct sim *sim, bool whole);

void claim_expiry(struct sim *sim); /* expiry.c: at any time while the daemon runs */

/* trying.c: around each try of a step, and after each look. */
void trying_begins(struct sim *sim, int64_t incident, size_t step);
void trying_ended(struct sim *sim, int64_t incident);
void claim_tried(struct sim *sim);

/* pages.c: whose page an Alertmanager is told to hold back, and after each whole look. */
void pages_leased(struct sim *sim, size_t member, const struct page_lease *leases, size_t count);
void claim_pages(struct sim *sim);

void claim_shadow(struct sim *sim, int64_t source); /* before something new is told of it */
void claims_after_start(struct sim *sim);           /* the daemon has opened its journal */
void claim_heard(struct sim *sim);                  /* at rest */
void claim_told(struct sim *sim);                   /* at any time while the daemon runs */
/* Those of claims_causes.c. */
void claim_causes(struct sim *sim);
void claim_breakers(struct sim *sim);
void claim_limit_all(struct sim *sim);
const struct remediation *remediation_at(const struct sim *sim, int64_t number); /* of struct done_for */

/* chain.c: whether a message is to the next one of a chain; before that is sent; and at any time. */
bool chain_calls(const char *text);
void chain_hear(struct sim *sim, int64_t incident);
void claim_next(struct sim *sim, int64_t incident, const char *receiver);
void claim_climbed(struct sim *sim);

/* hands.c: before a step acts. */
void claim_hands(struct sim *sim, int64_t incident, const struct action *action, const struct step_run *run);

/* agreed.c: before a step acts. */
void claim_agreed(struct sim *sim, int64_t incident, const struct action *action, const struct step_run *run);
void claim_unanswered(struct sim *sim, int64_t incident, const struct step_run *run);
void claim_max(struct sim *sim, int64_t incident, const struct step_run *run);

void claim_chain(struct sim *sim); /* forgeries.c */

void tamper(struct sim *sim); /* tampering.c: while the daemon is down */

void claims_at_rest(struct sim *sim); /* everything has come to its end */
void claim_order(struct sim *sim);    /* order.c */

#endif
