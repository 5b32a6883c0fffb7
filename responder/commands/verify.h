/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about the journal's file, whoever has it open. Each takes the struct responder_arguments, and
 * returns what to exit with. */
#ifndef RESPONDER_COMMANDS_VERIFY_H
#define RESPONDER_COMMANDS_VERIFY_H

int command_verify(const void *arguments);
int command_backup(const void *arguments); /* to the operand */
int command_export(const void *arguments); /* to stdout, as JSON lines */

#endif
