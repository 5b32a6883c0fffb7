/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages for people: the frame and the look that both daemons share, and how text is put into them.
 *
 * A page is a document with two files beside it, which are the program's own (html_assets): nothing is from
 * elsewhere, and nothing is needed of the second, a script that shows anew what has changed. It is readable
 * by eye and by screen reader, light and dark, on a telephone as well. Everything appends to a text, which
 * keeps an error until it is asked. What others have said goes through html_put() or html_put_line().
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

/* The files that pages ask for, by HTML_ASSETS/{name}; closed by a row without a name. */
#define HTML_ASSETS "/assets"
struct html_asset {
        const char *name; /* "style.css" */
        const char *type, *version;
        const unsigned char *data;
        size_t length;
};
extern const struct html_asset html_assets[];
const struct html_asset *html_asset_find(const char *name); /* NULL: there is none of that name */

/* Answers a request for one: the handler of the route "GET " HTML_ASSETS "/{id}". */
struct http_exchange;
void html_handle_asset(struct http_exchange *exchange, void *context);

/* From the doctype into the page's header; then, behind what else stands in there, to the begin of what the
 * page is about; and what closes it. `live`: it is asked for again every so many seconds; 0: it stays. */
void html_open(struct text *page, const char *title, unsigned live);
/* The same; `events` (may be NULL) is the path of a stream of "change", by which it is asked for at once. */
void html_open_listening(struct text *page, const char *title, unsigned live, const char *events);
void html_open_main(struct text *page);
void html_end(struct text *page);

/* All of it up to the page's one heading, the title. */
void html_begin(struct text *page, const char *title);

/* The string with & < > " ' escaped, for text and attributes, and U+FFFD for what is no UTF-8; nothing for
 * NULL. */
void html_put(struct text *page, const char *string);

/* The same of one line that others have said: with blanks for control characters and marks of direction, and
 * "…" for all beyond `limit` bytes. */
void html_put_line(struct text *page, const char *string, size_t limit);

/* "https://…" or "http://…" as a link with `name` (NULL: itself) on it; anything else as text. What is shown
 * is a line, of at most `limit` bytes. */
void html_put_url(struct text *page, const char *url, const char *name, size_t limit);

/* The links to other pages; `here` (may be NULL) is the path of this one. */
void html_put_nav(struct text *page, const struct html_link *links, const char *here);

/* A table that scrolls by itself, up to its body; `label` for who cannot see it. A row has a cell for each of
 * the `columns` (closed by NULL), one of them a <th scope="row">; on a telephone it is a card. */
void html_table_begin(struct text *page, const char *label, const char *const *columns);
void html_table_end(struct text *page);

/* A wall time (nothing for 0, not yet), and how long before `now` it was. */
void html_put_time(struct text *page, nsec wall);
void html_put_ago(struct text *page, nsec wall, nsec now);

/* For people, by the clocks of this machine's place: "03:12", on another day than that of `now` with its
 * date; and with how long ago that was, or how long it is until then. The exact time is what one sees on
 * pointing. Nothing for 0. */
void html_put_clock(struct text *page, nsec wall, nsec now);
void html_put_when(struct text *page, nsec wall, nsec now);

/* "4 s", "4 min", "3 h", "5 d": as much as matters; of less than ten seconds with a digit: "4.6 s". */
void html_put_span(struct text *page, nsec duration);

/* "12.3 ms" or "4.56 s". */
void html_put_duration(struct text *page, nsec duration);

#endif
