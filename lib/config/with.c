/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping as it stands in the document, but for one key. */
#include "lib/config/tree.h"

/* From here on the document frees it. */
static struct config_node *make_node(struct config *config, const struct config_node *place)
{
        struct config_node *node = calloc(1, sizeof(*node));
        if (!node)
                return NULL;
        *node = (struct config_node){
                .config = config,
                .next_owned = config->owned,
                .line = place->line,
                .column = place->column,
        };
        config->owned = node;
        return node;
}

static struct config_node *make_key(struct config *config, const char *key, const struct config_node *place)
{
        struct config_node *node = make_node(config, place);
        if (!node)
                return NULL;
        node->kind = NODE_SCALAR;
        node->text = strdup(key);
        return node->text ? node : NULL;
}

struct config_node *config_with(struct config_node *node, const char *key, struct config_node *value)
{
        bool there = config_member(node, key) != NULL;
        if (!config_is_mapping(node))
                return NULL;
        struct config_node *made = make_node(node->config, node);
        struct config_node *added = value && !there ? make_key(node->config, key, value) : NULL;
        if (!made || (value && !there && !added))
                return NULL;
        made->kind = NODE_MAPPING;
        made->repeated = node->repeated;
        made->weight = node->weight;
        made->height = node->height;
        made->pairs = calloc(node->count + 1, sizeof(*made->pairs));
        if (!made->pairs)
                return NULL;
        made->capacity = node->count + 1;
        for (size_t i = 0; i < node->count; i++) {
                struct config_pair pair = node->pairs[i];
                if (strcmp(pair.key->text, key) == 0)
                        pair.value = value;
                if (pair.value)
                        made->pairs[made->count++] = pair;
        }
        if (added)
                made->pairs[made->count++] = (struct config_pair){added, value};
        return made;
}
