/* SPDX-License-Identifier: Apache-2.0 */
/* Where the responder may be entered besides the addresses that it is given: by tokens, and by the operators'
 * unix socket. Both are beside the journal, unless the command line says otherwise. */
#ifndef RESPONDER_DOORS_H
#define RESPONDER_DOORS_H

#include "runbook/error.h"
#include "runbook/http_server.h"

struct doors {
        char *tokens;     /* directory */
        char *socket;     /* listen address; NULL: none */
        char *shown_here; /* what curl shows with a decision on this machine; NULL: nothing is asked for */
        const char *addresses[HTTP_LISTENERS_MAX + 1]; /* those given, and the socket; closed by NULL */
};

/*
 * `tokens` and `socket` are NULL when not given; no socket is opened by itself where a web configuration says
 * who may enter (`configured`), and none whose path would be too long. -EINVAL: there is no place for it.
 */
int doors_find(const char *journal, const char *tokens, const char *socket, bool configured,
               const char *const *addresses, struct doors *ret, struct error *error);

/* Fills `shown_here`, once the journal's directory is there. */
int doors_show(struct doors *doors, bool configured, struct error *error);
void doors_release(struct doors *doors);

#endif
