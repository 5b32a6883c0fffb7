/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report of an incident, for who was asleep: what happened, when, what was done, what it changed, who
 * decided, what is open. As Markdown, or as a page of HTML that stands alone.
 *
 * responder/report is written out of the document that the API answers for an incident, wherever that comes
 * from: a journal, or a responder that was asked. It is here so that the API, the report and whoever has only
 * the file say the same. It uses responder/journal, responder/remediation, responder/alert, lib/html,
 * lib/base and lib/config, and nothing of the engine.
 */
#ifndef RESPONDER_REPORT_WRITTEN_H
#define RESPONDER_REPORT_WRITTEN_H

#include "responder/journal/journal.h"

/* A wall time; null when there is none yet. */
cJSON *wall_json(nsec wall);

/* An incident as the API shows it; with steps and timeline (which it takes) when `whole`. NULL when out of
 * memory. */
cJSON *incident_json(const struct incident *incident, bool whole, cJSON *timeline);

/* All of one, with the alerts that have joined it: by a number that a person gives. Errors as of
 * journal_find(). */
int incident_whole(struct journal *journal, const char *number, cJSON **ret, struct error *error);

enum report_format { REPORT_MARKDOWN, REPORT_HTML };

/*
 * Appends the report of a whole incident. What others have said is cut to a length, and is neither markup nor
 * a line of its own in either format. Any document is taken: what it does not have is left out.
 */
void report_write(const cJSON *incident, enum report_format format, struct text *text);

#endif
