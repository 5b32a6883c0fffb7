/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages for people: the frame and the look that both daemons share, and how text is put into them.
 *
 * A page is one document with its style in it: no scripts, nothing from elsewhere, readable by eye and by
 * screen reader, light and dark, on a telephone as well. Everything appends to a text, which keeps an error
 * until it is asked. What others have said goes through html_put().
 */
#ifndef RUNBOOK_HTML_H
#define RUNBOOK_HTML_H

#include "runbook/clock.h"
#include "runbook/text.h"

/* Classes that colour what they stand on; a word or a sign says the same. */
#define HTML_GOOD "good"
#define HTML_BAD "bad"
#define HTML_WAIT "wait"
#define HTML_BUSY "busy"

struct html_link {
        const char *path, *name; /* of the program itself, so that they need no escapes; NULL closes a list */
};

/* From the doctype to the page's one heading, the title; and what closes it. */
void html_begin(struct text *page, const char *title);
void html_end(struct text *page);

/* The string with & < > " ' escaped, for text and attributes, and U+FFFD for what is no UTF-8; nothing for
 * NULL. */
void html_put(struct text *page, const char *string);

/* The links to other pages. */
void html_put_nav(struct text *page, const struct html_link *links);

/* A table that scrolls by itself, up to its body; `label` for who cannot see it. A row has a cell for each of
 * the `columns` (closed by NULL), one of them a <th scope="row">; on a telephone it is a card. */
void html_table_begin(struct text *page, const char *label, const char *const *columns);
void html_table_end(struct text *page);

/* A wall time (nothing for 0, not yet), and how long before `now` it was. */
void html_put_time(struct text *page, nsec wall);
void html_put_ago(struct text *page, nsec wall, nsec now);

/* "12.3 ms" or "4.56 s". */
void html_put_duration(struct text *page, nsec duration);

#endif
