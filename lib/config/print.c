/* SPDX-License-Identifier: Apache-2.0 */
/* A node of a configuration written out, so that two readings of a file can be compared. */
#include "lib/config/tree.h"

static void print_mapping(const struct config_node *node, struct text *text)
{
        text_putc(text, '{');
        for (size_t i = 0; i < node->count; i++) {
                config_print(node->pairs[i].key, text);
                text_putc(text, ':');
                config_print(node->pairs[i].value, text);
                text_putc(text, ',');
        }
        text_putc(text, '}');
}

static void print_list(const struct config_node *node, struct text *text)
{
        text_putc(text, '[');
        for (size_t i = 0; i < node->count; i++) {
                config_print(node->pairs[i].value, text);
                text_putc(text, ',');
        }
        text_putc(text, ']');
}

/* How deep it may go, and how much aliases may make of it, was limited when it was parsed. */
void config_print(const struct config_node *node, struct text *text)
{
        if (!node)
                text_puts(text, "~");
        else if (node->kind == NODE_MAPPING)
                print_mapping(node, text);
        else if (node->kind == NODE_LIST)
                print_list(node, text);
        else {
                /* true is not "true" */
                text_putc(text, node->plain ? '=' : ' ');
                text_put_json(text, node->text);
        }
}
