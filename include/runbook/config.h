/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML read into C structures by a table of fields, and every complaint with its `file:line:column`.
 *
 *     struct redis_config { char *address; nsec timeout; };
 *
 *     static const struct config_field fields[] = {
 *             {"address", CONFIG_STRING, offsetof(struct redis_config, address), .flags = CONFIG_REQUIRED,
 *              .help = "host:port or the path of a unix socket"},
 *             {"timeout", CONFIG_DURATION, offsetof(struct redis_config, timeout), .fallback = "5s"},
 *             {0},
 *     };
 *
 * The table is the only place that knows a key: reading, validation, defaults, --help and the reference
 * pages all come from it. Reading goes on after a mistake, so that one run names every one of them.
 * Not thread-safe; a document is read by one thread and may be freed once everything was read out of it.
 *
 * lib/config is the one place that knows YAML (libfyaml) and says where a mistake stands: both daemons, and
 * all that an operator may write, go through it. It uses lib/base.
 */
#ifndef RUNBOOK_CONFIG_H
#define RUNBOOK_CONFIG_H

#include "runbook/bind.h"
#include "runbook/clock.h"
#include "runbook/error.h"
#include "runbook/json.h"
#include "runbook/secret.h"
#include "runbook/text.h"
#include "runbook/words.h"

enum config_type {
        CONFIG_STRING,   /* char *: owned */
        CONFIG_BOOL,     /* bool: true or false */
        CONFIG_INT,      /* int64_t */
        CONFIG_NUMBER,   /* double */
        CONFIG_DURATION, /* nsec: Prometheus' syntax */
        CONFIG_SIZE,     /* int64_t bytes: 512, 64KiB, 16MiB, 1GiB, 5MB */
        CONFIG_ENUM,     /* int: the index in .choices */
        CONFIG_SECRET,   /* struct secret: `<name>_file: path`, or `<name>: ${VARIABLE}`; a literal is refused
                          */
        CONFIG_STRINGS,  /* struct config_strings: a list of strings; one string is a list of one */
        CONFIG_MAP,      /* struct config_map: string to string, in the order of the file */
        CONFIG_OBJECT,   /* a nested struct in place: .fields */
        CONFIG_LIST,     /* struct config_list of structs of .size bytes: .fields */
        CONFIG_NODE,     /* struct config_node *: the raw node, for what a table cannot say; borrowed */
        CONFIG_TYPES,    /* how many there are */
};

enum config_flag {
        CONFIG_REQUIRED = 1 << 0,
        CONFIG_BIND = 1 << 1,        /* strings may hold ${labels.x}: syntax checked when read */
        CONFIG_BIND_PROMQL = 1 << 2, /* the same, inside of PromQL strings */
        CONFIG_NOT_EMPTY = 1 << 3,   /* "", [] and {} are refused */
        CONFIG_POSITIVE = 1 << 4,    /* numbers, durations and sizes: more than zero */
        CONFIG_BIND_GLOB = 1 << 5,   /* as CONFIG_BIND, inside of a pattern with *, ? and [abc] */
        CONFIG_PATH = 1 << 7,        /* strings: of a file, which `${credential:NAME}` may stand for */
        CONFIG_SPENT = 1 << 6,       /* durations: waited for within a limit that stands elsewhere; who reads
                                        that compares them */
};

struct config_strings {
        char **items;
        size_t count;
};

struct config_map {
        char **keys, **values;
        size_t count;
};

/* Whether the list has the string; what the map has under the key, borrowed, or NULL. */
static inline bool config_strings_have(const struct config_strings *strings, const char *string)
{
        return words_find((const char *const *)strings->items, strings->count, string) >= 0;
}

static inline const char *config_map_get(const struct config_map *map, const char *key)
{
        int found = words_find((const char *const *)map->keys, map->count, key);
        return found >= 0 ? map->values[found] : NULL;
}

struct config_list {
        void *items; /* count structures of the field's .size, one behind the other */
        size_t count;
};

struct config_field {
        const char *name; /* NULL closes a table */
        enum config_type type;
        size_t offset;
        unsigned flags;
        const char *fallback;       /* the default, as it would stand in YAML; NULL: zero, NULL, unset */
        const char *const *choices; /* CONFIG_ENUM: the words, closed by NULL */
        const struct config_field *fields;
        size_t size;
        const char *help; /* one line for the reference page, without a full stop */
};

struct config;      /* one parsed document, with the complaints about it */
struct config_node; /* one place in it; lives as long as its document */

/*
 * Parses a file (at most 16 MiB) or, for tests and defaults, a string under the name `name`. A YAML error is
 * a complaint like any other: the document is returned and holds it. -errno only when it cannot be read.
 */
int config_load(const char *path, struct config **ret, struct error *error);
int config_parse(const char *name, const char *yaml, struct config **ret, struct error *error);
struct config *config_free(struct config *config);
DEFINE_CLEANUP(struct config *, config_free);
#define _cleanup_config_ _cleanup_(config_free_p)

/* The top node; NULL when the document is empty or did not parse. */
struct config_node *config_root(struct config *config);

/*
 * Reads a mapping into `target` by the table. Unknown keys, wrong types, missing and repeated keys are
 * complaints (an unknown key names the nearest known one). `target` is zeroed first and afterwards always
 * safe for config_release(). True when nothing was wrong.
 *
 * An object that is absent takes the defaults of its fields, unless one of them is required: then it stays
 * zero. A key without a value is a mistake; only the fields of the table are touched in `target`.
 */
bool config_read(struct config_node *node, const struct config_field *fields, void *target);

/* As config_read, but the keys in `known` (closed by NULL) belong to somebody else and are passed over. */
bool config_read_some(struct config_node *node, const struct config_field *fields, void *target,
                      const char *const *known);

/* Frees what config_read() allocated in `target` and zeroes it. */
void config_release(const struct config_field *fields, void *target);

/*
 * A deep copy in which every CONFIG_BIND string (also in lists and maps) has its values bound. `ret` is
 * released by config_release(). A missing label is -ENOKEY; nothing is allocated then. Without `bindings`
 * (NULL) every string is copied as it stands.
 */
int config_bind(const struct config_field *fields, const void *source, const struct bindings *bindings,
                void *ret, struct error *error);

/*
 * Each CONFIG_SECRET of a structure that is set, whichever of the nested tables names it: by the name of its
 * field, "password".
 */
typedef void config_secret_visitor(void *context, const char *name, const struct secret *secret);
void config_visit_secrets(const struct config_field *fields, const void *target, config_secret_visitor *visit,
                          void *context);

/* Reads each of them once, so that it is masked (runbook/mask.h) in whatever is said from here on, also
 * before it is used. One that cannot be read now is learnt when it is. */
void config_learn_secrets(const struct config_field *fields, const void *target);

/*
 * What `source` holds as one JSON object, by the table: words, durations and sizes exactly, a secret by where
 * it is kept ({file, variable}), what is not set as null. A CONFIG_NODE is its document's, and null. NULL
 * when out of memory.
 */
cJSON *config_to_json(const struct config_field *fields, const void *source);

/*
 * The same back: `target` is released by config_release(). Nothing is bound and nothing that a file may not
 * hold is refused, for it has been read and bound before; what the object does not have takes its default.
 * -EBADMSG names the member that is none of its type; nothing is allocated then.
 */
int config_from_json(const struct config_field *fields, const cJSON *json, void *target, struct error *error);

/* Complains about a node, or about the value of `key` in it (of the mapping itself when it has no such key).
 */
void config_complain(struct config_node *node, const char *key, const char *format, ...) _printf_(3, 4);

/*
 * The same about a place inside of a value: `offset` bytes into its text. Where that stands in the file is
 * found for every way to write a value, but for escapes such as \u0041, which leave it at the value's own
 * place.
 */
void config_complain_inside(struct config_node *node, const char *key, size_t offset, const char *format, ...)
        _printf_(4, 5);

/* The number of complaints so far, and all of them: one `file:line:column: sentence` a line. */
size_t config_complaints(const struct config *config);
const char *config_complaints_text(const struct config *config);

/*
 * What may be meant, and will most likely go wrong: the file is taken, and the person told. `offset` bytes
 * into the text of the place, 0 for the place itself; read as complaints are.
 */
void config_doubt(struct config_node *node, const char *key, size_t offset, const char *format, ...)
        _printf_(4, 5);
size_t config_doubts(const struct config *config);
const char *config_doubts_text(const struct config *config);

/* The line of a node, from 1: for sentences that name a second place. */
int config_line(const struct config_node *node);

/* Access for CONFIG_NODE and for walking: members and items in the order of the file. */
struct config_node *config_member(struct config_node *node, const char *key);
size_t config_size(struct config_node *node); /* of a mapping or a list, else 0 */
struct config_node *config_item(struct config_node *node,
                                size_t i);                  /* list item, or value of the i-th pair */
const char *config_key(struct config_node *node, size_t i); /* key of the i-th pair */
bool config_is_mapping(const struct config_node *node);
bool config_is_list(const struct config_node *node);
const char *config_scalar(struct config_node *node); /* NULL when it is not a scalar */

/*
 * A mapping like `node`, at its place, but in which `key` has `value`, with its own place; or is left out,
 * when that is NULL. It belongs to the same document. NULL when out of memory, or when `node` is no mapping.
 */
struct config_node *config_with(struct config_node *node, const char *key, struct config_node *value);

/* Writes what the node means, in one line of JSON's kind: the same for what differs in comments and blanks.
 */
void config_print(const struct config_node *node, struct text *text);

/* What one word means for a scalar type (not CONFIG_ENUM), as it would standing alone in a file; written to
 * `at` as a field of that type would be. -EINVAL with what would be right. */
int config_parse_word(enum config_type type, const char *word, void *at, struct error *error);

/* The reference table of `fields` in Markdown: key, type, default, meaning; nested keys dotted. */
void config_describe(const struct config_field *fields, struct text *text);

#endif
