/* SPDX-License-Identifier: Apache-2.0 */
/* The two dialects: what stands around each piece, and what becomes of what others have said. */
#include "responder/report/dialect.h"

#include <errno.h>
#include <strings.h>

#include "runbook/html.h"

struct dialect {
        const char *open[PIECE_COUNT], *close[PIECE_COUNT];
        void (*said)(struct text *text, const char *string, size_t most);
        void (*url)(struct text *text, const char *url);
        void (*heading)(struct text *text, const char *words);
        void (*columns)(struct text *text, const char *const *columns);
        void (*document)(struct text *text, const char *title, const char *printed);
        void (*title)(struct text *text, const char *title);
        const char *table_end, *end;
};

/* What begins a list, a heading or a rule where it is the first, and is nothing elsewhere. */
static bool begins_block(const char *line, const char *c)
{
        size_t digits = strspn(line, "0123456789");
        return (c == line && strchr("-+#=", *c)) ||
               (c == line + digits && digits > 0 && (*c == '.' || *c == ')'));
}

/* What makes a link of a bare address to some. */
static bool begins_link(const char *line, const char *c)
{
        return (*c == ':' && c[1] == '/') ||
               (*c == '.' && c - line >= 3 && strncasecmp(c - 3, "www", 3) == 0);
}

/*
 * Each sign that is markup to somebody's Markdown gets a backslash, which CommonMark takes off; and behind an
 * @ a character without width, so that no forge calls whoever a label names.
 */
static void say_in_markdown(struct text *text, const char *string, size_t most)
{
        _cleanup_text_ struct text put = {0};
        text_put_line(&put, string, most);
        const char *line = text_string(&put);
        line += strspn(line, " ");
        for (const char *c = line; *c; c++) {
                if (*c == '<' || *c == '>' || *c == '&') {
                        text_puts(text, *c == '<' ? "&lt;" : *c == '>' ? "&gt;" : "&amp;");
                        continue;
                }
                if (strchr("\\`*_[]|~$", *c) || begins_block(line, c) || begins_link(line, c))
                        text_putc(text, '\\');
                text_putc(text, *c);
                if (*c == '@')
                        text_puts(text, "\xe2\x81\xa0");
        }
        text->error = text->error ? text->error : text_error(&put);
}

/* Between angle brackets a URL ends at blanks and at those brackets; what holds anything else is no link. */
static void link_in_markdown(struct text *text, const char *url)
{
        static const char taken[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                    "-._~:/?#[]@!$&'()*+,;=%";
        bool links = (string_starts(url, "http://") || string_starts(url, "https://")) &&
                     url[strspn(url, taken)] == '\0' && strlen(url) <= SENTENCE_MOST;
        if (links)
                text_printf(text, "<%s>", url);
        else
                say_in_markdown(text, url, SENTENCE_MOST);
}

static void head_in_markdown(struct text *text, const char *words)
{
        text_printf(text, "## %s\n\n", words);
}

static void columns_in_markdown(struct text *text, const char *const *columns)
{
        for (const char *const *one = columns; *one; one++)
                text_printf(text, "| %s ", *one);
        text_puts(text, "|\n");
        for (const char *const *one = columns; *one; one++)
                text_puts(text, "|---");
        text_puts(text, "|\n");
}

/* Between fences longer than any that it holds. */
static void document_in_markdown(struct text *text, const char *title, const char *printed)
{
        size_t longest = 2, run = 0;
        for (const char *c = printed; *c; c++) {
                run = *c == '`' ? run + 1 : 0;
                longest = run > longest ? run : longest;
        }
        _cleanup_text_ struct text fence = {0};
        for (size_t i = 0; i <= longest; i++)
                text_putc(&fence, '`');
        text_printf(text, "%s:\n\n%sjson\n", title, text_string(&fence));
        text_put_lines(text, printed);
        text_printf(text, "\n%s\n\n", text_string(&fence));
}

static void title_in_markdown(struct text *text, const char *title)
{
        text_puts(text, "# ");
        say_in_markdown(text, title, CELL_MOST);
        text_puts(text, "\n\n");
}

const struct dialect dialect_markdown = {
        .open = {[PIECE_PARAGRAPH] = "",
                 [PIECE_STRONG] = "**",
                 [PIECE_LIST] = "",
                 [PIECE_ITEM] = "- ",
                 [PIECE_ROW] = "",
                 [PIECE_CELL] = "| "},
        .close = {[PIECE_PARAGRAPH] = "\n\n",
                  [PIECE_STRONG] = "**",
                  [PIECE_LIST] = "\n",
                  [PIECE_ITEM] = "\n",
                  [PIECE_ROW] = "|\n",
                  [PIECE_CELL] = " "},
        .said = say_in_markdown,
        .url = link_in_markdown,
        .heading = head_in_markdown,
        .columns = columns_in_markdown,
        .document = document_in_markdown,
        .title = title_in_markdown,
        .table_end = "\n",
        .end = "",
};

static void link_in_html(struct text *text, const char *url)
{
        html_put_url(text, url, NULL, SENTENCE_MOST);
}

static void head_in_html(struct text *text, const char *words)
{
        text_printf(text, "<h2>%s</h2>\n", words);
}

static void columns_in_html(struct text *text, const char *const *columns)
{
        text_puts(text, "<table><thead><tr>");
        for (const char *const *one = columns; *one; one++)
                text_printf(text, "<th scope=\"col\">%s</th>", *one);
        text_puts(text, "</tr></thead><tbody>\n");
}

static void document_in_html(struct text *text, const char *title, const char *printed)
{
        text_printf(text, "<details><summary>%s</summary><pre>", title);
        html_put(text, printed);
        text_puts(text, "</pre></details>\n");
}

/* It is kept, mailed and printed: nothing of it is elsewhere. Where a policy of the server forbids the style,
 * it is plain. */
static void title_in_html(struct text *text, const char *title)
{
        text_puts(text, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>");
        html_put_line(text, title, CELL_MOST);
        text_puts(text,
                  "</title>\n<style>:root{color-scheme:light dark}body{font:16px/1.5 "
                  "system-ui,sans-serif;max-width:"
                  "60rem;margin:2rem auto;padding:0 "
                  "1rem}table{border-collapse:collapse;display:block;overflow-x:"
                  "auto}th,td{border:1px solid #8888;padding:.25rem .5rem;text-align:left;vertical-align:top}"
                  "pre{overflow-x:auto;white-space:pre-wrap}</style></head>\n<body><main><h1>");
        html_put_line(text, title, CELL_MOST);
        text_puts(text, "</h1>\n");
}

const struct dialect dialect_html = {
        .open = {[PIECE_PARAGRAPH] = "<p>",
                 [PIECE_STRONG] = "<strong>",
                 [PIECE_LIST] = "<ul>\n",
                 [PIECE_ITEM] = "<li>",
                 [PIECE_ROW] = "<tr>",
                 [PIECE_CELL] = "<td>"},
        .close = {[PIECE_PARAGRAPH] = "</p>\n",
                  [PIECE_STRONG] = "</strong>",
                  [PIECE_LIST] = "</ul>\n",
                  [PIECE_ITEM] = "</li>\n",
                  [PIECE_ROW] = "</tr>\n",
                  [PIECE_CELL] = "</td>"},
        .said = html_put_line,
        .url = link_in_html,
        .heading = head_in_html,
        .columns = columns_in_html,
        .document = document_in_html,
        .title = title_in_html,
        .table_end = "</tbody></table>\n",
        .end = "</main></body></html>\n",
};

void write_begin(const struct writer *writer, enum piece piece)
{
        text_puts(writer->text, writer->dialect->open[piece]);
}

void write_end(const struct writer *writer, enum piece piece)
{
        text_puts(writer->text, writer->dialect->close[piece]);
}

void write_said(const struct writer *writer, const char *string, size_t most)
{
        if (string)
                writer->dialect->said(writer->text, string, most);
}

void write_words(const struct writer *writer, const char *words)
{
        text_puts(writer->text, words);
}

void write_cell(const struct writer *writer, const char *string)
{
        write_begin(writer, PIECE_CELL);
        write_said(writer, string, CELL_MOST);
        write_end(writer, PIECE_CELL);
}

void write_item(const struct writer *writer, const char *words, const char *said)
{
        write_begin(writer, PIECE_ITEM);
        write_words(writer, words);
        write_said(writer, said, SENTENCE_MOST);
        write_end(writer, PIECE_ITEM);
}

void write_heading(const struct writer *writer, const char *words)
{
        writer->dialect->heading(writer->text, words);
}

void write_table_begin(const struct writer *writer, const char *const *columns)
{
        writer->dialect->columns(writer->text, columns);
}

void write_table_end(const struct writer *writer)
{
        text_puts(writer->text, writer->dialect->table_end);
}

void write_url(const struct writer *writer, const char *url)
{
        if (url)
                writer->dialect->url(writer->text, url);
}

void write_document(const struct writer *writer, const char *title, const cJSON *json)
{
        char *printed = json ? cJSON_Print(json) : NULL;
        _cleanup_free_ char *whole = printed;
        if (!printed) {
                writer->text->error = json ? -ENOMEM : writer->text->error;
                return;
        }
        if (strlen(printed) > DOCUMENT_MOST) {
                size_t end = DOCUMENT_MOST;
                while (end > 0 && ((unsigned char)printed[end] & 0xc0) == 0x80)
                        end--;
                printed[end] = '\0';
        }
        writer->dialect->document(writer->text, title, printed);
}

void write_open(const struct writer *writer, const char *title)
{
        writer->dialect->title(writer->text, title);
}

void write_close(const struct writer *writer)
{
        text_puts(writer->text, writer->dialect->end);
}
