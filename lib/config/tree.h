/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the config room: the parsed tree, the complaints, and the values that scalars stand for. */
#ifndef LIB_CONFIG_TREE_H
#define LIB_CONFIG_TREE_H

#include "runbook/config.h"

enum node_kind { NODE_SCALAR, NODE_MAPPING, NODE_LIST };

/* A pair of a mapping, or an item of a list, which has no key. */
struct config_pair {
        struct config_node *key, *value;
};

/* Nodes belong to their document; an alias is the very node that its anchor names. */
struct config_node {
        struct config *config;
        struct config_node *next_owned;
        enum node_kind kind;
        bool plain;       /* a scalar without quotes, which alone may mean a number, true, false or null */
        bool repeated;    /* a mapping in which a key stands twice */
        int line, column; /* from 1; a column counts characters */
        char *text;       /* of a scalar */
        struct config_pair *pairs;
        size_t count, capacity;
        size_t weight; /* values in it, each alias counted as what it stands for */
        size_t height; /* mappings and lists on the longest way down, with itself; 0 for a scalar */
};

struct complaint {
        int line, column;
        char *sentence;
};

/* Sentences about places of the document, in the order of the file. */
struct complaints {
        struct complaint *items;
        size_t kept, total; /* total goes on counting when no more are kept */
        struct text text;   /* all of them */
        size_t text_kept;   /* its length without the last line, "and N more" */
};

struct config {
        char *name; /* as it stands before each complaint */
        char *content;
        size_t length;
        struct config_node *root, *owned;
        struct complaints mistakes, doubts;
};

/* Whether values are bound in a field's strings at all, and for which language they are escaped. */
static inline bool config_binds(const struct config_field *field)
{
        return field->flags & (CONFIG_BIND | CONFIG_BIND_PROMQL | CONFIG_BIND_GLOB);
}

static inline enum bind_escape config_escape(const struct config_field *field)
{
        return field->flags & CONFIG_BIND_PROMQL ? BIND_PROMQL
               : field->flags & CONFIG_BIND_GLOB ? BIND_GLOB
                                                 : BIND_PLAIN;
}

void config_complain_at(struct config *config, int line, int column, const char *format, ...) _printf_(4, 5);

/* Where the byte `offset` of a scalar's text stands in the file: its own place when that cannot be told. */
void config_find_place(const struct config_node *node, size_t offset, int *ret_line, int *ret_column);

/* What a person may write instead of what libfyaml has that message for; NULL when that is not known. */
const char *config_advice(const char *message);

/* The values YAML gives to an unquoted scalar: null for `~`, `null` and nothing at all. */
bool config_is_null(const struct config_node *node);

/*
 * What `text` means for a scalar field, written to `at` (owned there). -EINVAL with what would be right, as
 * it goes on after the key: "takes true or false, not 'yes'".
 */
int config_scalar_parse(const struct config_field *field, const char *text, bool plain, void *at,
                        struct error *error);
bool config_type_is_scalar(enum config_type type);

/* "a duration such as 30s, 5m or 1h30m": what a field takes, for complaints and for the reference. */
const char *config_type_takes(enum config_type type);

/* Zeroes the fields of a table in `target`, freeing nothing. */
void config_zero(const struct config_field *fields, void *target);

/* A value as it may be shown in a sentence: cut when long. Lives to the end of the full expression. */
struct shown {
        char text[72];
};
struct shown config_shown(const char *text);

#endif
