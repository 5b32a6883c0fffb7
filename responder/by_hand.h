/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that ask the neighbours of the file by hand, and change nothing. Each takes the struct
 * responder_arguments, and returns what to exit with. */
#ifndef RESPONDER_BY_HAND_H
#define RESPONDER_BY_HAND_H

int run_plan(const void *arguments);
int run_doctor(const void *arguments);

#endif
