/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a piece of a scalar's text stands in the file, which wrote it with quotes, escapes, folded lines and
 * indentation. All of these are about white space or one visible character: so what is visible is counted, in
 * the text and in the file.
 */
#include <string.h>

#include "lib/config/tree.h"
#include "runbook/utf8.h"

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The file's bytes from a place on that config_node knows; NULL when it is not there. */
static const char *find_bytes(const struct config *config, int line, int column)
{
        const char *at = config->content, *end = at + config->length;
        for (; line > 1 && at; line--) {
                at = memchr(at, '\n', (size_t)(end - at));
                at = at ? at + 1 : NULL;
        }
        for (; at && at < end && column > 1; column--)
                at += utf8_length(at) > 0 ? utf8_length(at) : 1;
        return at && at < end ? at : NULL;
}

/* How many bytes of the file stand for one of the text; -1 for an escape that is more than that. */
static int step_length(const char *at, char quote, bool *ret_visible)
{
        *ret_visible = !is_blank(*at);
        if (quote == '\'' && at[0] == '\'')
                return at[1] == '\'' ? 2 : -1;
        if (quote == '"' && at[0] == '"')
                return -1;
        if (quote != '"' || *at != '\\')
                return 1;
        *ret_visible = at[1] && strchr("\"\\/", at[1]);
        return *ret_visible || (at[1] && strchr("nrt \n", at[1])) ? 2 : -1;
}

/* Behind `visible` characters, and the blanks behind them when `more` follow. */
static const char *pass(const char *at, const char *end, size_t visible, bool more)
{
        /* The place of what stands under '|' or '>' is the line below, where it is indented. */
        char quote = *at == '"' || *at == '\'' ? *at : '\0';
        if (quote)
                at++;
        while (at < end && (visible > 0 || more)) {
                bool seen;
                int length = step_length(at, quote, &seen);
                if (length < 0)
                        return NULL;
                if (seen && visible == 0)
                        return at;
                visible -= seen;
                at += length;
        }
        return visible > 0 || more ? NULL : at;
}

void config_find_place(const struct config_node *node, size_t offset, int *ret_line, int *ret_column)
{
        size_t visible = 0;
        *ret_line = node->line;
        *ret_column = node->column;
        if (node->kind != NODE_SCALAR)
                return;
        for (size_t i = 0; i < offset && node->text[i]; i++)
                visible += !is_blank(node->text[i]);
        bool more = node->text[strspn(node->text + offset, " \t\r\n") + offset] != '\0';
        const char *begin = find_bytes(node->config, node->line, node->column);
        const char *end = node->config->content + node->config->length;
        const char *at = begin ? pass(begin, end, visible, more) : NULL;
        if (!at)
                return;
        for (const char *c = begin; c<at; c += utf8_length(c)> 0 ? utf8_length(c) : 1) {
                *ret_column = *c == '\n' ? 1 : *ret_column + 1;
                *ret_line += *c == '\n';
        }
}
