/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of lib/promql: the pieces of an expression, and the tree that is made of them. */
#ifndef LIB_PROMQL_INTERNAL_H
#define LIB_PROMQL_INTERNAL_H

#include "runbook/promql.h"

/* Levels of parentheses, calls, signs and powers, each of which is a call of a function here. */
enum { PROMQL_DEPTH = 200 };

enum promql_token {
        TOKEN_END,
        TOKEN_WORD, /* a name or a keyword; may have colons */
        TOKEN_NUMBER,
        TOKEN_DURATION, /* 1h30m */
        TOKEN_STRING,
        TOKEN_COLON, /* between brackets alone */
        TOKEN_SIGN,  /* all else: ( ) { } [ ] , @ = == != =~ !~ < <= > >= + - * / % ^ */
};

/* A piece of the text. */
struct promql_piece {
        enum promql_token token;
        size_t at, length;
};

struct promql_reader {
        const char *text;
        size_t at;        /* behind the piece at hand */
        bool in_brackets; /* a colon is a sign there, and no letter */
        struct promql_piece now;
        size_t fault; /* where the mistake stands */
        unsigned depth;
        struct promql_tree *tree;
        struct error *error;
};

/* The next piece of the text becomes `now`. */
int promql_advance(struct promql_reader *reader);

/* -EINVAL, with the mistake's place. */
int promql_refuse(struct promql_reader *reader, size_t at, const char *format, ...) _printf_(3, 4);

/* The same for the piece at hand; `wanted`: what should stand there instead. */
int promql_refuse_now(struct promql_reader *reader, const char *wanted);

/* Whether the piece at hand is this sign, or this keyword in any case; and going behind it if so. */
bool promql_is(const struct promql_reader *reader, const char *sign);
bool promql_is_word(const struct promql_reader *reader, const char *word);

/* What a string stands for, with its escapes read. */
int promql_read_string(struct promql_reader *reader, struct text *ret);

/* The piece at hand, a number or a duration (in seconds). */
int promql_read_number(struct promql_reader *reader, double *ret);
int promql_read_duration(struct promql_reader *reader, double *ret);

/* What a word is by the tables of the language. */
bool promql_is_keyword(const struct promql_reader *reader, const struct promql_piece *piece);
bool promql_is_aggregator(const struct promql_reader *reader, const struct promql_piece *piece);
bool promql_same_word(const struct promql_reader *reader, const struct promql_piece *piece, const char *word);

enum promql_kind {
        PROMQL_NUMBER,
        PROMQL_TEXT,
        PROMQL_SELECTOR,
        PROMQL_RANGE_SELECTOR,
        PROMQL_SUBQUERY,
        PROMQL_CALL,
        PROMQL_AGGREGATION,
        PROMQL_UNARY,
        PROMQL_BINARY,
        PROMQL_PARENTHESES,
};

enum promql_grouping { GROUPING_NONE, GROUPING_LEFT, GROUPING_RIGHT };

/* A label of by, without, on, ignoring or group_left; of a selector, one that has one value there. */
struct promql_label {
        struct promql_label *next;
        char name[];
};

struct promql_node {
        enum promql_kind kind;
        enum promql_type type;
        struct promql_piece piece;               /* the metric, the function, the operator, … */
        size_t end;                              /* behind its text; of what begins with its operand, see
                                                    promql_node_end() */
        struct promql_node *first, *last, *next; /* what it is made of; its neighbour in that list */
        struct promql_node *owned;
        size_t count;
        bool has_labels; /* by or without; on or ignoring */
        bool excluding;  /* without, ignoring */
        bool has_offset, has_time, compares_bool;
        bool selects; /* a selector names a metric, or has a matcher that nothing does not match */
        enum promql_grouping grouping;
        struct promql_label *labels, *included;
};

struct promql_tree {
        struct promql_node *root, *owned;
};

/* -EINVAL with a sentence and the place; the tree is released in any case. */
int promql_parse(const char *text, struct promql_tree *ret, size_t *fault, struct error *error);
void promql_tree_release(struct promql_tree *tree);

/* A node of the tree, and what it is made of; NULL when out of memory. */
struct promql_node *promql_node_new(struct promql_reader *reader, enum promql_kind kind,
                                    enum promql_type type, struct promql_piece piece);
void promql_node_add(struct promql_node *node, struct promql_node *part);

/* Where its text stands, with blanks and comments at its end. */
size_t promql_node_begin(const struct promql_node *node);
size_t promql_node_end(const struct promql_node *node);

int promql_read_expression(struct promql_reader *reader, struct promql_node **ret);

/* From its word or brace on: a metric and its matchers. */
int promql_read_selector(struct promql_reader *reader, struct promql_node **ret);

/* ( a, b, ) */
int promql_read_labels(struct promql_reader *reader, struct promql_label **ret);

/* What stands behind an expression: [5m], [1h:5m], offset 5m, @ 1234. */
int promql_read_suffixes(struct promql_reader *reader, struct promql_node **node);

/* "(" with what is in it, up to its ")", which is read by promql_close(). */
int promql_close(struct promql_reader *reader, size_t opened, const char *sign);
int promql_descend(struct promql_reader *reader);

/* Whether what was read may stand so; their types are set. */
int promql_judge_call(struct promql_reader *reader, struct promql_node *call);
int promql_judge_aggregation(struct promql_reader *reader, struct promql_node *aggregation);
int promql_judge_unary(struct promql_reader *reader, struct promql_node *unary);
int promql_judge_binary(struct promql_reader *reader, struct promql_node *binary);

#endif
