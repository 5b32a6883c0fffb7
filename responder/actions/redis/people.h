/* SPDX-License-Identifier: Apache-2.0 */
/* Who works with redis-cli on a server. */
#ifndef RESPONDER_ACTIONS_REDIS_PEOPLE_H
#define RESPONDER_ACTIONS_REDIS_PEOPLE_H

#include "responder/remediation/action.h"
#include "runbook/redis.h"

/* As an action's people(), by CLIENT LIST. */
int redis_people(const struct redis_options *options, const struct people_asked *asked,
                 struct deadline deadline, struct sighting *ret, struct error *error);

/*
 * Whether a line of CLIENT LIST is a person's: a connection without any name whose last command is one that
 * redis-cli begins with, or that is given by hand. How old the connection is, and since when it has sent
 * nothing.
 */
bool redis_is_person(const char *line, size_t length, nsec *ret_age, nsec *ret_idle);

#endif
