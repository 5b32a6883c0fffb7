/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What steps are at by now, so that each thing has one step at a time, under whatever lock its incident runs:
 * who is urgent has a lock of his own, and changes what others change as well.
 *
 * In memory alone: after a restart nobody is at anything. Any thread.
 */
#ifndef RESPONDER_INCIDENT_OCCUPIED_H
#define RESPONDER_INCIDENT_OCCUPIED_H

#include "runbook/error.h"

struct occupied;
struct occupied *occupied_new(void);                       /* NULL: out of memory */
struct occupied *occupied_free(struct occupied *occupied); /* takes NULL; nobody is at anything any more */

/*
 * 1: `thing` is `who`'s until occupied_leave(). 0: somebody else is at it, and `ret_holder` says who; free()
 * it. -ENOMEM is the only failure.
 */
int occupied_enter(struct occupied *occupied, const char *thing, const char *who, char **ret_holder,
                   struct error *error);

/* Who has entered leaves once. */
void occupied_leave(struct occupied *occupied, const char *thing);

#endif
