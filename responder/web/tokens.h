/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens: what a caller on this machine shows to say in which role it comes. Each is the content of a file
 * that is named after its role; who may read the file has the role. Those that everybody needs, `alerts` for
 * Alertmanager and `operator` for a person, are made at the first start. A file is read anew whenever a token
 * is shown, so that replacing it is all there is to a change.
 */
#ifndef RESPONDER_WEB_TOKENS_H
#define RESPONDER_WEB_TOKENS_H

#include "runbook/error.h"
#include "runbook/text.h"

enum web_role {
        ROLE_READER,   /* pages, metrics, incidents */
        ROLE_SENDER,   /* alerts alone */
        ROLE_OPERATOR, /* decisions, pause and resume; reads */
        ROLE_ADMIN,    /* reloads; decides and reads as well */
        ROLE_COUNT,
};

/* "reader", "alerts", "operator", "admin": as the files are named. */
const char *role_name(enum web_role role);

struct tokens;

/*
 * Those in the directory, which is made (0700) with the two that are missing (0600); what systemd hands over
 * under the same names ($CREDENTIALS_DIRECTORY) goes before. Fails when a token is there and cannot be read,
 * or is shorter than 16 bytes.
 */
int tokens_open(const char *directory, struct tokens **ret, struct error *error);
struct tokens *tokens_free(struct tokens *tokens);

/* Appends the token of a role, for who binds something to it: to be wiped. -ENOENT: there is none. */
int tokens_read(const struct tokens *tokens, enum web_role role, struct text *ret, struct error *error);

/* The role that the token is for, found in a time that does not tell how much of it is right: 1; 0: it is
 * nobody's; -ENOMEM, -EMFILE, -EIO…: that cannot be known now. Any thread. */
int tokens_find(const struct tokens *tokens, const char *token, enum web_role *ret);

#endif
