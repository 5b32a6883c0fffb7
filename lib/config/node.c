/* SPDX-License-Identifier: Apache-2.0 */
/* What a parsed document can be asked: its nodes, their places, and the complaints about them. */
#include "lib/config/tree.h"
#include "runbook/utf8.h"

enum {
        MAX_COMPLAINTS = 100, /* kept; those beyond are counted */
        MAX_SENTENCE = 1000,  /* bytes */
        MAX_SHOWN = 60,       /* bytes of a value in a sentence */
};

static void complaints_release(struct complaints *complaints)
{
        for (size_t i = 0; i < complaints->kept; i++)
                free(complaints->items[i].sentence);
        free(complaints->items);
        text_free(&complaints->text);
}

struct config *config_free(struct config *config)
{
        if (!config)
                return NULL;
        for (struct config_node *node = config->owned, *next; node; node = next) {
                next = node->next_owned;
                free(node->text);
                free(node->pairs);
                free(node);
        }
        complaints_release(&config->mistakes);
        complaints_release(&config->doubts);
        free(config->content);
        free(config->name);
        free(config);
        return NULL;
}

struct config_node *config_root(struct config *config)
{
        return config->root;
}

bool config_is_mapping(const struct config_node *node)
{
        return node && node->kind == NODE_MAPPING;
}

bool config_is_list(const struct config_node *node)
{
        return node && node->kind == NODE_LIST;
}

bool config_is_null(const struct config_node *node)
{
        static const char *const words[] = {"", "~", "null", "Null", "NULL"};
        return node->kind == NODE_SCALAR && node->plain &&
               words_find(words, N_ELEMENTS(words), node->text) >= 0;
}

const char *config_scalar(struct config_node *node)
{
        return node && node->kind == NODE_SCALAR ? node->text : NULL;
}

size_t config_size(struct config_node *node)
{
        return node ? node->count : 0;
}

struct config_node *config_item(struct config_node *node, size_t i)
{
        return node && i < node->count ? node->pairs[i].value : NULL;
}

const char *config_key(struct config_node *node, size_t i)
{
        return config_is_mapping(node) && i < node->count ? node->pairs[i].key->text : NULL;
}

struct config_node *config_member(struct config_node *node, const char *key)
{
        for (size_t i = 0; config_is_mapping(node) && i < node->count; i++)
                if (strcmp(node->pairs[i].key->text, key) == 0)
                        return node->pairs[i].value;
        return NULL;
}

struct shown config_shown(const char *text)
{
        struct shown shown = {{0}};
        size_t used = 0;
        if (!text)
                return shown;
        for (size_t step; text[used] && (step = utf8_length(text + used)) > 0; used += step)
                if (used + step > MAX_SHOWN)
                        break;
        memcpy(shown.text, text, used);
        if (text[used])
                strcpy(shown.text + used, "…");
        return shown;
}

/* A sentence is one line of text, whatever was in the file. */
static char *one_line(const char *sentence)
{
        struct text text = {0};
        for (const char *at = sentence; *at && text.length < MAX_SENTENCE;) {
                size_t length = utf8_length(at);
                unsigned char c = (unsigned char)*at;
                if (length == 0)
                        text_puts(&text, UTF8_REPLACEMENT);
                else if (c == '\n')
                        text_puts(&text, "\\n");
                else if (c < 0x20 || c == 0x7f)
                        text_printf(&text, "\\x%02x", c);
                else
                        text_append(&text, at, length);
                at += length > 0 ? length : 1;
        }
        return text_take(&text);
}

/* Keeps the complaint at its place in the order of the file, unless it was said already. */
static void keep_complaint(struct complaints *complaints, struct complaint complaint)
{
        size_t at = 0;
        for (; at < complaints->kept; at++) {
                const struct complaint *other = &complaints->items[at];
                if (other->line > complaint.line ||
                    (other->line == complaint.line && other->column > complaint.column))
                        break;
                if (other->line == complaint.line && other->column == complaint.column &&
                    strcmp(other->sentence, complaint.sentence) == 0) {
                        free(complaint.sentence);
                        return;
                }
        }
        complaints->total++;
        struct complaint *items = NULL;
        if (complaints->kept < MAX_COMPLAINTS)
                items = reallocarray(complaints->items, complaints->kept + 1, sizeof(*items));
        if (!items) {
                free(complaint.sentence);
                return;
        }
        memmove(items + at + 1, items + at, (complaints->kept - at) * sizeof(*items));
        items[at] = complaint;
        complaints->items = items;
        complaints->kept++;
}

/* Of the complaints that are not kept only the number changes, which is the last line. */
static void update_text(struct complaints *complaints, const char *name, size_t kept_before)
{
        if (complaints->kept > kept_before) {
                text_clear(&complaints->text);
                for (size_t i = 0; i < complaints->kept; i++)
                        text_printf(&complaints->text, "%s%s:%d:%d: %s", i > 0 ? "\n" : "", name,
                                    complaints->items[i].line, complaints->items[i].column,
                                    complaints->items[i].sentence);
                complaints->text_kept = complaints->text.length;
        }
        if (complaints->total > complaints->kept) {
                complaints->text.length = complaints->text_kept;
                text_printf(&complaints->text, "\n%s: and %zu more", name,
                            complaints->total - complaints->kept);
        }
}

static void complain_va(struct complaints *complaints, const char *name, int line, int column,
                        const char *format, va_list args)
{
        _cleanup_text_ struct text sentence = {0};
        size_t kept_before = complaints->kept;
        text_vprintf(&sentence, format, args);
        char *said = one_line(text_string(&sentence));
        if (said)
                keep_complaint(complaints, (struct complaint){line, column, said});
        else
                complaints->total++;
        update_text(complaints, name, kept_before);
}

void config_complain_at(struct config *config, int line, int column, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        complain_va(&config->mistakes, config->name, line, column, format, args);
        va_end(args);
}

static const struct config_node *place_of(struct config_node *node, const char *key)
{
        struct config_node *member = key ? config_member(node, key) : NULL;
        return member ? member : node;
}

void config_complain(struct config_node *node, const char *key, const char *format, ...)
{
        if (!node)
                return;
        const struct config_node *place = place_of(node, key);
        va_list args;
        va_start(args, format);
        complain_va(&node->config->mistakes, node->config->name, place->line, place->column, format, args);
        va_end(args);
}

void config_complain_inside(struct config_node *node, const char *key, size_t offset, const char *format, ...)
{
        if (!node)
                return;
        int line, column;
        va_list args;
        config_find_place(place_of(node, key), offset, &line, &column);
        va_start(args, format);
        complain_va(&node->config->mistakes, node->config->name, line, column, format, args);
        va_end(args);
}

void config_doubt(struct config_node *node, const char *key, size_t offset, const char *format, ...)
{
        if (!node)
                return;
        int line, column;
        va_list args;
        config_find_place(place_of(node, key), offset, &line, &column);
        va_start(args, format);
        complain_va(&node->config->doubts, node->config->name, line, column, format, args);
        va_end(args);
}

size_t config_complaints(const struct config *config)
{
        return config->mistakes.total;
}

const char *config_complaints_text(const struct config *config)
{
        return text_string(&config->mistakes.text);
}

size_t config_doubts(const struct config *config)
{
        return config->doubts.total;
}

const char *config_doubts_text(const struct config *config)
{
        return text_string(&config->doubts.text);
}

int config_line(const struct config_node *node)
{
        return node->line;
}
