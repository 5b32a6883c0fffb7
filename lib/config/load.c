/* SPDX-License-Identifier: Apache-2.0 */
/* YAML documents: from a file or a string to a tree of nodes by libfyaml's events, within limits. */
#include <errno.h>
#include <libfyaml.h>

#include "lib/config/tree.h"
#include "runbook/file.h"
#include "runbook/utf8.h"

enum {
        MAX_FILE = 16 * 1024 * 1024,
        MAX_DEPTH = 64,
        MAX_VALUES = 250000, /* with every alias counted as what it stands for: no billion laughs */
        MAX_ANCHORS = 1000,
};

struct anchor {
        char *name;
        struct config_node *node; /* NULL while it is being read: an alias inside would be a circle */
};

/* A mapping or list that is being read. */
struct open_node {
        struct config_node *node, *key;
        size_t anchor; /* index + 1 in the builder's anchors; 0: none */
};

struct builder {
        struct config *config;
        struct open_node open[MAX_DEPTH];
        size_t depth;
        struct anchor *anchors;
        size_t anchor_count;
        size_t values;    /* so far, in all */
        int line, column; /* of the event at hand, or of the last one that had a place */
        bool document_seen;
};

static struct config_node *node_new(struct builder *builder, enum node_kind kind)
{
        struct config_node *node = calloc(1, sizeof(*node));
        if (!node)
                return NULL;
        *node = (struct config_node){
                .config = builder->config,
                .next_owned = builder->config->owned,
                .kind = kind,
                .line = builder->line,
                .column = builder->column,
                .weight = 1,
                .height = kind == NODE_SCALAR ? 0 : 1,
        };
        builder->config->owned = node;
        return node;
}

static void complain_here(struct builder *builder, const char *sentence)
{
        config_complain_at(builder->config, builder->line, builder->column, "%s", sentence);
}

static int compare_keys(const void *a, const void *b)
{
        const struct config_node *x = *(struct config_node *const *)a, *y = *(struct config_node *const *)b;
        int order = strcmp(x->text, y->text);
        if (order != 0)
                return order;
        return x->line != y->line ? x->line - y->line : x->column - y->column;
}

/* By sorting, so that a mapping of very many keys does not take very long. */
static void complain_about_repeated_keys(struct config_node *mapping)
{
        if (mapping->count < 2)
                return;
        _cleanup_free_ struct config_node **keys = calloc(mapping->count, sizeof(*keys));
        if (!keys) {
                config_complain(mapping, NULL, "out of memory");
                return;
        }
        for (size_t i = 0; i < mapping->count; i++)
                keys[i] = mapping->pairs[i].key;
        qsort(keys, mapping->count, sizeof(*keys), compare_keys);
        for (size_t i = 1, first = 0; i < mapping->count; i++) {
                if (strcmp(keys[first]->text, keys[i]->text) != 0) {
                        first = i;
                        continue;
                }
                mapping->repeated = true;
                config_complain_at(mapping->config, keys[i]->line, keys[i]->column,
                                   "the key '%s' stands here again, after line %d; keep one of them",
                                   config_shown(keys[i]->text).text, keys[first]->line);
        }
}

/* Puts a finished node where it belongs: the root, a key, a value, an item. False: stop reading. */
static bool place_node(struct builder *builder, struct config_node *node)
{
        if (builder->depth == 0) {
                builder->config->root = node;
                return true;
        }
        struct open_node *open = &builder->open[builder->depth - 1];
        struct config_node *parent = open->node;

        if (parent->kind == NODE_MAPPING && !open->key) {
                if (node->kind != NODE_SCALAR || config_is_null(node)) {
                        config_complain_at(builder->config, node->line, node->column,
                                           "a key must be a word, as in 'key: value'");
                        return false;
                }
                open->key = node;
                return true;
        }
        if (parent->count == parent->capacity) {
                size_t capacity = parent->capacity ? parent->capacity * 2 : 4;
                struct config_pair *pairs = reallocarray(parent->pairs, capacity, sizeof(*pairs));
                if (!pairs) {
                        complain_here(builder, "out of memory");
                        return false;
                }
                parent->pairs = pairs;
                parent->capacity = capacity;
        }
        parent->pairs[parent->count++] = (struct config_pair){open->key, node};
        open->key = NULL;
        parent->weight += node->weight;
        if (parent->height < node->height + 1)
                parent->height = node->height + 1;
        if (parent->weight > MAX_VALUES) {
                config_complain_at(builder->config, builder->line, builder->column,
                                   "more than %d values, each alias counted as what it stands for; "
                                   "use fewer",
                                   MAX_VALUES);
                return false;
        }
        if (builder->depth + node->height > MAX_DEPTH) {
                config_complain_at(builder->config, builder->line, builder->column,
                                   "nested more than %d deep; use fewer levels", MAX_DEPTH);
                return false;
        }
        return true;
}

/* `ret` is the index + 1, or 0 when there is no anchor. */
static bool add_anchor(struct builder *builder, struct fy_token *token, struct config_node *node, size_t *ret)
{
        *ret = 0;
        if (!token)
                return true;
        size_t length;
        const char *name = fy_token_get_text(token, &length);
        if (builder->anchor_count == MAX_ANCHORS) {
                complain_here(builder, "more than 1000 anchors; use fewer");
                return false;
        }
        struct anchor *anchors = reallocarray(builder->anchors, builder->anchor_count + 1, sizeof(*anchors));
        char *copy = anchors && name ? strndup(name, length) : NULL;
        if (anchors)
                builder->anchors = anchors;
        if (!copy) {
                complain_here(builder, "out of memory");
                return false;
        }
        anchors[builder->anchor_count++] = (struct anchor){copy, node};
        *ret = builder->anchor_count;
        return true;
}

static bool on_alias(struct builder *builder, struct fy_event *event)
{
        size_t length = 0;
        const char *name = fy_token_get_text(event->alias.anchor, &length);
        /* libfyaml's mark stands behind the '*', as it does behind an opening quote. */
        if (builder->column > 1)
                builder->column--;
        for (size_t i = builder->anchor_count; name && i-- > 0;) {
                const struct anchor *anchor = &builder->anchors[i];
                if (strlen(anchor->name) != length || memcmp(anchor->name, name, length) != 0)
                        continue;
                if (anchor->node)
                        return place_node(builder, anchor->node);
                config_complain_at(builder->config, builder->line, builder->column,
                                   "the alias '*%s' stands inside of what it refers to; "
                                   "write the value out",
                                   config_shown(anchor->name).text);
                return false;
        }
        _cleanup_free_ char *copy = strndup(name ? name : "", length);
        config_complain_at(builder->config, builder->line, builder->column,
                           "the alias '*%s' has no anchor '&%s' before it", config_shown(copy).text,
                           config_shown(copy).text);
        return false;
}

static bool refuse_tag(struct builder *builder, struct fy_token *tag)
{
        if (!tag)
                return true;
        const struct fy_mark *mark = fy_token_start_mark(tag);
        config_complain_at(builder->config, mark ? mark->line + 1 : builder->line,
                           mark ? mark->column + 1 : builder->column,
                           "tags ('!…') are not used here; put text that looks like a number in quotes "
                           "instead");
        return false;
}

static bool count_value(struct builder *builder)
{
        if (builder->values++ < MAX_VALUES)
                return true;
        config_complain_at(builder->config, builder->line, builder->column, "more than %d values; use fewer",
                           MAX_VALUES);
        return false;
}

static bool on_scalar(struct builder *builder, struct fy_event *event)
{
        struct fy_token *token = event->scalar.value;
        enum fy_scalar_style style = fy_token_scalar_style(token);
        size_t length = 0, anchor;
        const char *text = token ? fy_token_get_text(token, &length) : NULL;
        if (token && (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && builder->column > 1)
                builder->column--;
        if (!refuse_tag(builder, event->scalar.tag) || !count_value(builder))
                return false;

        struct config_node *node = node_new(builder, NODE_SCALAR);
        if (node)
                node->text = strndup(text ? text : "", length);
        if (!node || !node->text) {
                complain_here(builder, "out of memory");
                return false;
        }
        node->plain = style == FYSS_PLAIN;

        /* Escapes such as "\0" and "\ud800" can say what the file itself may not hold. */
        size_t valid = 0;
        for (size_t step; valid < length && (step = utf8_length(node->text + valid)) > 0; valid += step)
                ;
        if (valid < length) {
                complain_here(builder, "an escape in this value gives a NUL or what is not Unicode text");
                return false;
        }
        return add_anchor(builder, event->scalar.anchor, node, &anchor) && place_node(builder, node);
}

static bool on_open(struct builder *builder, enum node_kind kind, struct fy_token *anchor,
                    struct fy_token *tag)
{
        if (!refuse_tag(builder, tag) || !count_value(builder))
                return false;
        if (builder->depth == MAX_DEPTH) {
                config_complain_at(builder->config, builder->line, builder->column,
                                   "nested more than %d deep; use fewer levels", MAX_DEPTH);
                return false;
        }
        struct config_node *node = node_new(builder, kind);
        if (!node) {
                complain_here(builder, "out of memory");
                return false;
        }
        struct open_node *open = &builder->open[builder->depth++];
        *open = (struct open_node){.node = node};
        return add_anchor(builder, anchor, NULL, &open->anchor);
}

static bool on_close(struct builder *builder)
{
        struct open_node *open = &builder->open[--builder->depth];
        if (open->anchor > 0)
                builder->anchors[open->anchor - 1].node = open->node;
        if (open->node->kind == NODE_MAPPING)
                complain_about_repeated_keys(open->node);
        return place_node(builder, open->node);
}

/* A key without a value: libfyaml 0.8 has a place for what is not there, ours is the key's. */
static bool is_absent(struct fy_event *event)
{
        struct fy_token *value = event->type == FYET_SCALAR ? event->scalar.value : NULL;
        return event->type == FYET_SCALAR && (!value || (fy_token_get_text_length(value) == 0 &&
                                                         fy_token_scalar_style(value) == FYSS_PLAIN));
}

static bool on_event(struct builder *builder, struct fy_event *event)
{
        const struct fy_mark *mark = is_absent(event) ? NULL : fy_event_start_mark(event);
        if (mark && event->type != FYET_SEQUENCE_END && event->type != FYET_MAPPING_END) {
                builder->line = mark->line + 1;
                builder->column = mark->column + 1;
        }
        switch (event->type) {
        case FYET_DOCUMENT_START:
                if (builder->document_seen)
                        complain_here(builder, "a second document begins here; one file holds one document");
                return !builder->document_seen;
        case FYET_DOCUMENT_END: builder->document_seen = true; return true;
        case FYET_ALIAS: return on_alias(builder, event);
        case FYET_SCALAR: return on_scalar(builder, event);
        case FYET_SEQUENCE_START:
                return on_open(builder, NODE_LIST, event->sequence_start.anchor, event->sequence_start.tag);
        case FYET_MAPPING_START:
                return on_open(builder, NODE_MAPPING, event->mapping_start.anchor, event->mapping_start.tag);
        case FYET_SEQUENCE_END:
        case FYET_MAPPING_END: return on_close(builder);
        default: return true;
        }
}

/* The first mistake is told: those after it mostly follow from it. */
static void complain_from_diag(struct builder *builder, struct fy_diag *diag)
{
        void *iterator = NULL;
        for (const struct fy_diag_error *found; (found = fy_diag_errors_iterate(diag, &iterator));) {
                if (found->type != FYET_ERROR)
                        continue;
                const char *advice = config_advice(found->msg);
                config_complain_at(builder->config, found->line > 0 ? found->line : 1,
                                   found->column > 0 ? found->column : 1, "not valid YAML: %s%s%s",
                                   found->msg, advice ? "; " : "", advice ? advice : "");
                return;
        }
        complain_here(builder, "not valid YAML from here on");
}

/* What no YAML may hold is found before it is parsed: bytes that are not UTF-8, and control characters. */
static bool check_characters(struct config *config)
{
        int line = 1, column = 1;
        const char *at = config->content, *end = at + config->length;
        while (at < end) {
                unsigned char c = (unsigned char)*at;
                size_t length = c == '\0' ? 1 : utf8_length(at);
                if (length == 0) {
                        config_complain_at(config, line, column,
                                           "the byte 0x%02x is not UTF-8; save the file as UTF-8", c);
                        return false;
                }
                if ((c < 0x20 && !strchr("\t\n\r", c)) || c == '\0' || c == 0x7f) {
                        config_complain_at(config, line, column,
                                           "the control character 0x%02x is not allowed; take it away", c);
                        return false;
                }
                at += length;
                column++;
                if (c == '\n') {
                        line++;
                        column = 1;
                }
        }
        return true;
}

static void run_parser(struct builder *builder, struct fy_diag *diag)
{
        struct fy_parse_cfg options = {
                .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
                .diag = diag,
        };
        struct fy_parser *parser = fy_parser_create(&options);
        bool going = parser &&
                     fy_parser_set_string(parser, builder->config->content, builder->config->length) == 0;
        bool finished = false;
        if (!going)
                complain_here(builder, "out of memory");
        while (going) {
                struct fy_event *event = fy_parser_parse(parser);
                if (!event) {
                        if (!finished)
                                complain_from_diag(builder, diag);
                        break;
                }
                finished = event->type == FYET_STREAM_END;
                going = on_event(builder, event);
                fy_parser_event_free(parser, event);
        }
        if (parser)
                fy_parser_destroy(parser);
        if (!finished)
                builder->config->root = NULL;
}

static void build_tree(struct config *config)
{
        struct builder builder = {.config = config, .line = 1, .column = 1};
        struct fy_diag_cfg diag_options;
        if (!check_characters(config))
                return;
        fy_diag_cfg_default(&diag_options);
        diag_options.fp = NULL;
        struct fy_diag *diag = fy_diag_create(&diag_options);
        if (!diag) {
                complain_here(&builder, "out of memory");
                return;
        }
        fy_diag_set_collect_errors(diag, true);
        run_parser(&builder, diag);
        fy_diag_destroy(diag);

        for (size_t i = 0; i < builder.anchor_count; i++)
                free(builder.anchors[i].name);
        free(builder.anchors);
        if (!config->root && config->mistakes.total == 0)
                config_complain_at(config, 1, 1, "the document is empty");
}

/* Takes `content`. */
static int config_new(const char *name, char *content, size_t length, struct config **ret,
                      struct error *error)
{
        _cleanup_config_ struct config *config = calloc(1, sizeof(*config));
        if (!config) {
                free(content);
                return error_oom(error);
        }
        config->content = content;
        config->length = length;
        config->name = strdup(name);
        if (!config->name)
                return error_oom(error);
        build_tree(config);
        *ret = TAKE_PTR(config);
        return 0;
}

int config_parse(const char *name, const char *yaml, struct config **ret, struct error *error)
{
        char *content = strdup(yaml);
        if (!content)
                return error_oom(error);
        return config_new(name, content, strlen(yaml), ret, error);
}

int config_load(const char *path, struct config **ret, struct error *error)
{
        _cleanup_text_ struct text content = {0};
        int r = file_read_whole(path, MAX_FILE, &content, error);
        if (r < 0)
                return r;
        size_t length = content.length;
        char *taken = text_take(&content);
        if (!taken)
                return error_oom(error);
        return config_new(path, taken, length, ret, error);
}
