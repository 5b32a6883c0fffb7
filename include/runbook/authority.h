/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates of our own: an authority that signs what it is asked to, and is gone with the process. Its key
 * is never written, so nobody can have it sign anything else later.
 */
#ifndef RUNBOOK_AUTHORITY_H
#define RUNBOOK_AUTHORITY_H

#include "runbook/clock.h"
#include "runbook/error.h"
#include "runbook/text.h"

struct authority;

/* Both it and what it signs end `lifetime` from now (whole seconds count), and are good since an hour ago,
 * for clocks that are behind. */
int authority_new(nsec lifetime, struct authority **ret, struct error *error);
struct authority *authority_free(struct authority *authority); /* takes NULL */
DEFINE_CLEANUP(struct authority *, authority_free);
#define _cleanup_authority_ _cleanup_(authority_free_p)

/* What is given to whoever is to trust it, as PEM. */
int authority_certificate(const struct authority *authority, struct text *text, struct error *error);

/*
 * A server's certificate for these names, each a host's or an address, and its key (P-256), both as PEM.
 * -EINVAL for one that is neither.
 */
int authority_issue(const struct authority *authority, const char *const *names, size_t count,
                    struct text *certificate, struct text *key, struct error *error);

#endif
