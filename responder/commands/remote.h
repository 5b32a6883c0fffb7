/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A responder that runs, asked from a terminal: over its operators' socket where that can be opened, else
 * over HTTP.
 *
 * With --url or --token-file it is HTTP. Without, it is the first of these that this user may open: what
 * --web.operator-socket names, operator.sock beside --journal, the socket of the shipped unit; and when there
 * is none, http://127.0.0.1:9878 with the operator's token beside the journal, when that can be read.
 */
#ifndef RESPONDER_COMMANDS_REMOTE_H
#define RESPONDER_COMMANDS_REMOTE_H

#include "responder/commands/arguments.h"
#include "runbook/json.h"

/* Where one is, when nothing says where. */
#define REMOTE_LOCAL_URL "http://127.0.0.1:9878"

struct remote;

/* The arguments are borrowed. -EINVAL: they contradict each other. */
int remote_open(const struct responder_arguments *arguments, struct remote **ret, struct error *error);
struct remote *remote_close(struct remote *remote);
DEFINE_CLEANUP(struct remote *, remote_close);
#define _cleanup_remote_ _cleanup_(remote_close_p)

/*
 * Gets a document, or posts a decision: {"by", "reason"} of the command line, with the members of `more`
 * (NULL: none). A document that has no `member` is no responder's. -EINVAL: it was asked wrongly; -ENOENT,
 * -ESTALE: it is not so; -EACCES: not for who asks; anything else: it could not be asked, or did not answer
 * as a responder does.
 */
int remote_get(struct remote *remote, const char *path, const char *member, cJSON **ret, struct error *error);
int remote_post(struct remote *remote, const char *path, const cJSON *more, const char *member, cJSON **ret,
                struct error *error);

/* Posts a question that decides nothing: the body goes as it is. */
int remote_ask(struct remote *remote, const char *path, const cJSON *body, const char *member, cJSON **ret,
               struct error *error);

/* Appends the path of an incident, as a person calls it (INC-2026-0007, or 7 of this year), or of a decision
 * about it. -EINVAL: nothing is called so. */
int remote_put_incident(struct text *path, const char *number, const char *decision, struct error *error);

/* {"labels": {…}} of --label=NAME=VALUE; NULL after a complaint. */
cJSON *remote_labels(const struct flag_strings *given, struct error *error);

/* After a failure: says on stderr what it was, and what to exit with (see program.h). */
int remote_complain(int result, const struct error *error);

/* Prints the document on one line, for scripts: what to exit with. */
int remote_print_json(const cJSON *json);

#endif
