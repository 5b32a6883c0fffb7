/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of a file of remediations, which stand in YAML beside it and are rehearsed:
 *
 *     remediation_file: remediations.yml   # beside the tests
 *     tests:
 *       - name: the cooldown holds the second
 *         alerts:
 *           - {labels: {alertname: high_latency, service: mcp-server}, from: 0s, to: 2m}
 *         expect:
 *           - {at: 1m, remediation: high_latency, state: verifying, steps: [{docker.restart: {service:
 * mcp-server}}]}
 *
 * What is not as expected is a complaint about its place, as a mistake in the YAML is.
 */
#ifndef RESPONDER_REHEARSAL_CASES_H
#define RESPONDER_REHEARSAL_CASES_H

#include "responder/rehearsal/rehearsal.h"

/* The keys of the file, of a test, of an alert, of what a person does, and of what is expected; for the
 * reference. */
extern const struct config_field cases_fields[], case_fields[], case_alert_fields[], case_given_fields[],
        case_expect_fields[];

/*
 * Reads the file and runs its tests. 0: all came as expected; -EINVAL: `error` has a `file:line:column:
 * sentence` a line, of mistakes in the YAML, or of what came otherwise. `ret_count` is how many tests there
 * are, then as well.
 */
int cases_run(const char *path, size_t *ret_count, struct error *error);

#endif
