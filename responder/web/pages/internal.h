/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages share: their frame, their words, and an incident as a sentence. */
#ifndef RESPONDER_WEB_PAGES_INTERNAL_H
#define RESPONDER_WEB_PAGES_INTERNAL_H

#include "responder/web/pages/pages.h"
#include "runbook/html.h"

/* Of what others have said: a sentence, a word such as a label's value. */
enum { SENTENCE_MOST = 400, WORD_MOST = 200 };

/* How often a page is shown anew while somebody looks at it: seconds. */
enum { LIVE_EVERY = 3 };

/* The frame: up to <main>, and to the end, answered with a status. `here` is the path among the links, or
 * NULL. */
void page_begin(const struct visit *visit, const char *title, const char *here, unsigned live,
                struct text *page);
void page_send(const struct visit *visit, unsigned status, struct text *page);

/* Below a list of which one more was asked for than it shows: that there are more, where there are. */
void put_more(struct text *page, size_t found, size_t shown);

/* Within a page: that the journal cannot be read. */
void put_unreadable(struct text *page, const struct error *error);

/* How a state is called and coloured (NULL: not). */
const char *state_phrase(const struct incident *incident);
const char *state_tone(const struct incident *incident);
void put_state(struct text *page, const struct incident *incident);
const char *step_phrase(enum step_status status);
const char *step_tone(enum step_status status);
/* "it rests after the last run under its lock"; what it is not known by is named. */
void put_guard(struct text *page, const char *guard);
/* "ada (token operator)", "the responder" of "engine". */
void put_actor(struct text *page, const char *actor);

/* <a>INC-2026-0001</a>; the remediation's name and what it is about, "high_latency on mcp-server". */
void put_number(struct text *page, const struct incident *incident);
void put_subject(struct text *page, const char *name, const struct alert *alert);
/* service="web" …, a <code> each; `but` (may be NULL) is left out. */
void put_labels(struct text *page, const struct config_map *labels, const char *but);

/* What goes on with one that has not ended, or what came of one that has, as a sentence. */
void put_sentence(const struct visit *visit, const struct incident *incident, struct text *page);
/* When a waiting one expires: wall; 0: not known. */
nsec find_expiry(const struct visit *visit, const struct incident *incident);

/* Parts of the pages. */
void put_acts(const struct visit *visit, const struct incident *incident, struct text *page);
void put_act(const struct visit *visit, enum act act, const char *number, const char *tone,
             struct text *page);
void put_armed(const struct visit *visit, struct text *page);
/* What nobody has received, of one incident, or (NULL) of all, with a heading; nothing where there is none.
 */
void put_chain(const struct visit *visit, const struct incident *incident, struct text *page);
void put_letters(const struct visit *visit, const struct incident *incident, struct text *page);
void put_passed_over(const struct visit *visit, struct text *page);
void put_steps(const struct visit *visit, const struct incident *incident, const cJSON *timeline,
               struct text *page);
/* Of the values in the timeline, and the limit in the definition (may be NULL); nothing when there are none.
 */
void put_chart(const struct visit *visit, const struct incident *incident, const cJSON *timeline,
               const cJSON *definition, struct text *page);
void put_evidence(const struct visit *visit, const struct incident *incident, struct text *page);
/* The incident that the path names, with its timeline; to be released also after a failure. */
int read_whole(const struct visit *visit, struct incident *incident, cJSON **timeline, struct error *error);
/* What a remediation would do now for an alert like an incident's, and what holds it back. */
void put_plan_of_now(const struct visit *visit, const struct incident *incident, struct text *page);

/* matrix.c: remediations by guards. */
void put_matrix(const struct visit *visit, struct text *page);
void put_timeline(const struct visit *visit, const cJSON *timeline, struct text *page);

#endif
