/* SPDX-License-Identifier: Apache-2.0 */
/* What all finders do alike: ask, propose and tell. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exporter/commands/init/internal.h"

#define PATIENCE (2 * NSEC_PER_SEC) /* for one answer */
#define ANSWER_MAX ((size_t)256 << 10)
#define NAME_MAX_LENGTH 60
#define PROPOSALS_MAX 300 /* beyond this a file is nothing that anybody reads */

const char *init_environment(const char *name)
{
        const char *value = getenv(name);
        return value && *value ? value : NULL;
}

void look_also(struct search *search, enum place_kind kind, const char *where, const char *from)
{
        for (size_t i = 0; i < search->place_count; i++)
                if (search->places[i].kind == kind && string_equal(search->places[i].where, where))
                        return;
        if (search->place_count == PLACES_MAX)
                return;
        char *copy = strdup(where);
        if (!copy) {
                search->result = -ENOMEM;
                return;
        }
        search->made[search->made_count++] = copy;
        search->places[search->place_count++] = (struct place){kind, copy, from};
}

void init_tell(struct search *search, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        text_vprintf(&search->found->told, format, args);
        va_end(args);
        text_putc(&search->found->told, '\n');
}

long ask_json(struct search *search, const char *url, cJSON **ret)
{
        _cleanup_http_response_ struct http_response response = {0};
        const struct http_request request = {
                .url = url, .body_limit = ANSWER_MAX, .cuts_body = true, .deadline = deadline_in(PATIENCE)};
        int r = http_fetch(search->client, &request, &response, NULL);
        if (r < 0)
                return r;
        if (ret && !response.cut && response.body.length > 0)
                json_parse_strict(response.body.data, response.body.length, &json_answer_limits, ret, NULL);
        return response.status;
}

/* As it may stand between double quotes. */
static void put_quoted(struct text *text, const char *value)
{
        _cleanup_text_ struct text json = {0};
        text_put_json(&json, value);
        if (json.length >= 2)
                text_append(text, json.data + 1, json.length - 2);
}

/* As a check may be called: what it may not have is "_". */
static void put_name(struct text *text, const char *value)
{
        for (const char *c = value; *c; c++)
                text_putc(text, isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_');
}

static void put_filled(struct text *text, const char *form, const struct value *values,
                       void (*put)(struct text *text, const char *value))
{
        for (; *form; form++) {
                const char *end = string_starts(form, "$(") ? strchr(form, ')') : NULL;
                const struct value *value = values;
                size_t length = end ? (size_t)(end - form) - 2 : 0;
                while (end && value->name &&
                       !(strlen(value->name) == length && strncmp(value->name, form + 2, length) == 0))
                        value++;
                if (!end || !value->name) {
                        text_putc(text, *form);
                        continue;
                }
                put(text, value->is);
                form = end;
        }
}

static bool is_taken(const struct proposals *found, const char *name)
{
        for (size_t i = 0; i < found->count; i++)
                if (string_equal(found->items[i].name, name))
                        return true;
        return false;
}

/* The name of the row, with a number behind it where there is one of that name already. */
static char *make_name(const struct proposals *found, const struct check_row *row, const struct value *values)
{
        _cleanup_text_ struct text name = {0};
        put_filled(&name, row->name, values, put_name);
        if (name.length > NAME_MAX_LENGTH) {
                name.length = NAME_MAX_LENGTH;
                name.data[name.length] = '\0';
        }
        if (!is_taken(found, text_string(&name)))
                return text_take(&name);
        for (size_t number = 2;; number++) {
                char *other = text_format("%s_%zu", text_string(&name), number);
                if (!other || !is_taken(found, other))
                        return other;
                free(other);
        }
}

void init_propose(struct search *search, const struct check_row *row, const struct value *values,
                  const char *why, ...)
{
        struct proposals *found = search->found;
        _cleanup_text_ struct text body = {0}, reason = {0};
        va_list args;
        if (found->count == PROPOSALS_MAX)
                return;
        va_start(args, why);
        text_vprintf(&reason, why, args);
        va_end(args);
        if (row->title) {
                text_puts(&body, "title: \"");
                put_filled(&body, row->title, values, put_quoted);
                text_puts(&body, "\"\n");
        }
        put_filled(&body, row->body, values, put_quoted);
        struct proposal *items = realloc(found->items, (found->count + 1) * sizeof(*items));
        if (items)
                found->items = items;
        struct proposal made = {.topic = strdup(row->topic),
                                .name = make_name(found, row, values),
                                .body = text_take(&body),
                                .why = text_take(&reason),
                                .needs = row->needs};
        if (items && made.topic && made.name && made.body && made.why) {
                found->items[found->count++] = made;
                return;
        }
        free(made.topic);
        free(made.name);
        free(made.body);
        free(made.why);
        search->result = -ENOMEM;
}

void proposals_release(struct proposals *proposals)
{
        for (size_t i = 0; i < proposals->count; i++) {
                free(proposals->items[i].topic);
                free(proposals->items[i].name);
                free(proposals->items[i].body);
                free(proposals->items[i].why);
        }
        free(proposals->items);
        free(proposals->around.docker_host);
        free(proposals->around.project);
        text_free(&proposals->around.services);
        free(proposals->around.prometheus_url);
        free(proposals->around.alertmanager_url);
        text_free(&proposals->told);
        *proposals = (struct proposals){0};
}
