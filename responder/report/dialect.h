/* SPDX-License-Identifier: Apache-2.0 */
/* Markdown and HTML, as far as a report needs them: the same calls for both. */
#ifndef RESPONDER_REPORT_DIALECT_H
#define RESPONDER_REPORT_DIALECT_H

#include "responder/report/written.h"

/* Of what others have said in a cell, in a sentence, and in a document that is shown as it is. */
enum { CELL_MOST = 300, SENTENCE_MOST = 1000, DOCUMENT_MOST = 8000 };

struct dialect;
extern const struct dialect dialect_markdown, dialect_html;

/* What is written, and how. */
struct writer {
        const struct dialect *dialect;
        struct text *text;
};

/* The pieces that a report is made of; each is begun and ended. */
enum piece {
        PIECE_PARAGRAPH,
        PIECE_STRONG,
        PIECE_LIST,
        PIECE_ITEM,
        PIECE_ROW,
        PIECE_CELL,
        PIECE_COUNT,
};
void write_begin(const struct writer *writer, enum piece piece);
void write_end(const struct writer *writer, enum piece piece);

/* What others have said, as a part of one line and never as markup; nothing for NULL. */
void write_said(const struct writer *writer, const char *string, size_t most);

/* Our own words, which need no escapes; and both, in a cell or an item of their own. */
void write_words(const struct writer *writer, const char *words);
void write_cell(const struct writer *writer, const char *string);
void write_item(const struct writer *writer, const char *words, const char *said);

void write_heading(const struct writer *writer, const char *words);
void write_table_begin(const struct writer *writer, const char *const *columns); /* closed by NULL */
void write_table_end(const struct writer *writer);

/* A link, where it is one; else the text. */
void write_url(const struct writer *writer, const char *url);

/* A document, over several lines, as it is. */
void write_document(const struct writer *writer, const char *title, const cJSON *json);

/* The whole: its title is the incident's. */
void write_open(const struct writer *writer, const char *title);
void write_close(const struct writer *writer);

#endif
