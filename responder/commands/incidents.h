/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about incidents and targets, asked of a responder that runs. Each takes the struct
 * responder_arguments, and returns what to exit with. */
#ifndef RESPONDER_COMMANDS_INCIDENTS_H
#define RESPONDER_COMMANDS_INCIDENTS_H

/* What goes on, oldest first; what was, newest first; all of one. */
int command_incidents(const void *arguments);
int command_history(const void *arguments);
int command_incident(const void *arguments);

/* Its report, out of the journal's file where nobody answers. */
int command_report(const void *arguments);

/* What a person decides of one. */
int command_approve(const void *arguments);
int command_maintenance(const void *arguments);
int command_deny(const void *arguments);
int command_cancel(const void *arguments);
int command_undo(const void *arguments);
int command_ack(const void *arguments);
int command_take(const void *arguments);
int command_give_back(const void *arguments);
int command_resend(const void *arguments);
int command_deliveries(const void *arguments);
int command_remediations(const void *arguments);
int command_guards(const void *arguments);

/* Has a remediation run for an alert that --label makes. */
int command_run(const void *arguments);

/* Whether what it acts on answers. */
int command_targets(const void *arguments);

/* Whether it answers at all, whoever asks. */
int command_healthy(const void *arguments);

/* The kill switch. */
int command_pause(const void *arguments);
int command_resume(const void *arguments);

#endif
