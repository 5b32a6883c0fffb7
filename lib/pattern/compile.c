/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling a pattern by recursive descent: alternatives of sequences of repeated atoms. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/pattern/compilation.h"
#include "runbook/pattern.h"
#include "runbook/text.h"

enum { TEXT_LIMIT = 1024, REPEAT_LIMIT = 1000 };

static int read_alternatives(struct compilation *compilation);

/* What RE2 has behind "(?" beside names: flags. */
static bool is_known_group(const char *at)
{
        const char *end = at + strspn(at, "imsU-");
        return end > at && (*end == ')' || *end == ':');
}

/* Behind "(?P<" or "(?<": the name, which is that of a new group. */
static int read_group_name(struct compilation *compilation)
{
        struct pattern *pattern = compilation->pattern;
        size_t length =
                strspn(compilation->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        if (length == 0 || compilation->at[length] != '>')
                return error_set(
                        compilation->error, EINVAL,
                        "the pattern '%s' has a group whose name is none: letters, digits and \"_\" are, "
                        "in '(?P<name>'",
                        compilation->text);
        if (pattern->group_count == PATTERN_GROUPS_MAX)
                return error_set(compilation->error, E2BIG, "the pattern '%s' has more than %d named groups",
                                 compilation->text, PATTERN_GROUPS_MAX);
        char *name = strndup(compilation->at, length);
        if (!name)
                return error_oom(compilation->error);
        pattern->group_names[pattern->group_count++] = name;
        for (size_t i = 0; i + 1 < pattern->group_count; i++)
                if (strcmp(pattern->group_names[i], name) == 0)
                        return error_set(compilation->error, EINVAL,
                                         "the pattern '%s' has two groups of the name %s", compilation->text,
                                         name);
        compilation->at += length + 1;
        return 0;
}

/* What stands in parentheses: its value is kept when it has a name. */
static int read_group(struct compilation *compilation)
{
        struct pattern *pattern = compilation->pattern;
        const char *text = compilation->text;
        bool named = false;
        int r = 0;
        compilation->at++;
        if (string_starts(compilation->at, "?:")) {
                compilation->at += 2;
        } else if (string_starts(compilation->at, "?P<") || string_starts(compilation->at, "?<")) {
                compilation->at += compilation->at[1] == 'P' ? 3 : 2;
                named = true;
                r = read_group_name(compilation);
        } else if (compilation->at[0] == '?') {
                return error_set(
                        compilation->error, is_known_group(compilation->at + 1) ? ENOTSUP : EINVAL,
                        "the pattern '%s' has a '(?' that is not supported: only '(?:' and '(?P<name>' "
                        "are; for either case, write [Aa]",
                        text);
        }
        uint32_t slot = 2 * (uint32_t)pattern->group_count - 2;
        if (r >= 0 && named)
                r = pattern_append(compilation, PATTERN_SAVE, slot);
        if (r >= 0)
                r = read_alternatives(compilation);
        if (r < 0)
                return r;
        if (*compilation->at != ')')
                return error_set(compilation->error, EINVAL, "the pattern '%s' has a '(' without its ')'",
                                 text);
        compilation->at++;
        return named ? pattern_append(compilation, PATTERN_SAVE, slot + 1) : 0;
}

static int read_atom(struct compilation *compilation)
{
        static const struct {
                char character;
                enum pattern_operation operation;
        } signs[] = {{'.', PATTERN_ANY}, {'^', PATTERN_BEGIN}, {'$', PATTERN_END}};
        for (size_t i = 0; i < N_ELEMENTS(signs); i++)
                if (*compilation->at == signs[i].character) {
                        compilation->at++;
                        return pattern_append(compilation, signs[i].operation, 0);
                }
        if (*compilation->at == '(')
                return read_group(compilation);
        if (*compilation->at == '[')
                return pattern_read_brackets(compilation);
        if (*compilation->at == '\\') {
                size_t start = compilation->pattern->range_count;
                int r = pattern_read_known(compilation);
                if (r != 0)
                        return r < 0 ? r : pattern_finish_class(compilation, start, false);
        }
        uint32_t character;
        int r = pattern_read_character(compilation, &character);
        return r < 0 ? r : pattern_append(compilation, PATTERN_CHARACTER, character);
}

/* "{3}", "{3,}", "{3,5}": 1 and how far it goes; 0 when the brace is a character like any other. */
static int read_count(const char *at, long *ret_least, long *ret_most, const char **ret_end)
{
        char *end;
        if (at[0] != '{' || !isdigit((unsigned char)at[1]))
                return 0;
        *ret_least = *ret_most = strtol(at + 1, &end, 10);
        if (*end == ',') {
                *ret_most = -1;
                if (isdigit((unsigned char)*++end))
                        *ret_most = strtol(end, &end, 10);
        }
        if (*end != '}')
                return 0;
        *ret_end = end + 1;
        return 1;
}

/* How often the atom before may stand there. 1: there is a quantifier, and it is read. */
static int read_quantifier(struct compilation *compilation, long *ret_least, long *ret_most)
{
        const char *at = compilation->at, *end = at + 1;
        switch (*at) {
        case '*': *ret_least = 0, *ret_most = -1; break;
        case '+': *ret_least = 1, *ret_most = -1; break;
        case '?': *ret_least = 0, *ret_most = 1; break;
        default:
                if (!read_count(at, ret_least, ret_most, &end))
                        return 0;
        }
        if (*ret_least > REPEAT_LIMIT || *ret_most > REPEAT_LIMIT ||
            (*ret_most >= 0 && *ret_most < *ret_least))
                return error_set(compilation->error, EINVAL,
                                 "the pattern '%s' has a count in braces that is over %d, or goes down",
                                 compilation->text, REPEAT_LIMIT);
        compilation->at = end;
        return 1;
}

static int read_sequence(struct compilation *compilation)
{
        while (*compilation->at && *compilation->at != '|' && *compilation->at != ')') {
                size_t start = compilation->pattern->step_count;
                long least, most;
                int r = read_quantifier(compilation, &least, &most);
                if (r == 0)
                        r = read_atom(compilation);
                else if (r > 0)
                        r = error_set(compilation->error, EINVAL,
                                      "the pattern '%s' repeats what is not there, or repeats twice",
                                      compilation->text);
                if (r >= 0)
                        r = read_quantifier(compilation, &least, &most);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                /* As few or as many as possible: that matters to what groups hold alone. */
                bool few = *compilation->at == '?';
                compilation->at += few;
                r = pattern_repeat(compilation, start, least, most, few);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_alternatives(struct compilation *compilation)
{
        struct pattern *pattern = compilation->pattern;
        size_t start = pattern->step_count;
        int r = read_sequence(compilation);
        while (r >= 0 && *compilation->at == '|') {
                compilation->at++;
                r = pattern_insert_split(compilation, start);
                if (r >= 0)
                        r = pattern_append(compilation, PATTERN_JUMP, 0);
                size_t jump = pattern->step_count - 1;
                if (r >= 0)
                        r = read_sequence(compilation);
                if (r < 0)
                        return r;
                pattern_aim(compilation, start, start + 1, jump + 1);
                pattern_aim(compilation, jump, pattern->step_count, jump);
        }
        return r;
}

static int compile_text(struct compilation *compilation)
{
        struct pattern *pattern = compilation->pattern;
        if (strlen(compilation->text) > TEXT_LIMIT)
                return error_set(compilation->error, E2BIG, "a pattern may have at most %d bytes",
                                 TEXT_LIMIT);
        pattern->steps = calloc(PATTERN_LIMIT, sizeof(*pattern->steps));
        pattern->ranges = calloc(PATTERN_RANGES_MAX, sizeof(*pattern->ranges));
        pattern->classes = calloc(TEXT_LIMIT, sizeof(*pattern->classes));
        if (!pattern->steps || !pattern->ranges || !pattern->classes)
                return error_oom(compilation->error);
        int r = read_alternatives(compilation);
        if (r >= 0 && *compilation->at == ')')
                return error_set(compilation->error, EINVAL, "the pattern '%s' has a ')' without its '('",
                                 compilation->text);
        return r < 0 ? r : pattern_append(compilation, PATTERN_MATCH, 0);
}

/* Gives back what was allocated for the largest pattern there may be. */
static void *shrink_items(void *items, size_t count, size_t size)
{
        void *smaller = reallocarray(items, count ? count : 1, size);
        return smaller ? smaller : items;
}

int pattern_compile(const char *text, struct pattern **ret, struct error *error)
{
        struct pattern *pattern = calloc(1, sizeof(*pattern));
        if (!pattern)
                return error_oom(error);
        struct compilation compilation = {.text = text, .at = text, .pattern = pattern, .error = error};
        int r = compile_text(&compilation);
        if (r < 0) {
                pattern_free(pattern);
                return r;
        }
        pattern->steps = shrink_items(pattern->steps, pattern->step_count, sizeof(*pattern->steps));
        pattern->ranges = shrink_items(pattern->ranges, pattern->range_count, sizeof(*pattern->ranges));
        pattern->classes = shrink_items(pattern->classes, pattern->class_count, sizeof(*pattern->classes));
        *ret = pattern;
        return 0;
}
