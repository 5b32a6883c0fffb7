/* SPDX-License-Identifier: Apache-2.0 */
/* Who works with redis-cli on a server. */
#include "responder/actions/redis/people.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runbook/text.h"

#define NAME_MOST 100

/* At its prompt redis-cli has asked for the commands that there are; the others no application gives. */
static const char *const by_hand[] = {"command", "monitor", "debug", "object", "client|kill"};

/* The value of a field of a line; NULL: it has none. */
static const char *find_field(const char *line, size_t length, const char *key, size_t *ret_length)
{
        const size_t key_length = strlen(key);
        for (size_t at = 0; at < length;) {
                const char *field = line + at;
                const char *blank = memchr(field, ' ', length - at);
                const size_t end = blank ? (size_t)(blank - field) : length - at;
                if (end > key_length && field[key_length] == '=' && strncmp(field, key, key_length) == 0) {
                        *ret_length = end - key_length - 1;
                        return field + key_length + 1;
                }
                at += end + 1;
        }
        return NULL;
}

static bool is_empty(const char *line, size_t length, const char *key)
{
        size_t value = 0;
        return !find_field(line, length, key, &value) || value == 0;
}

static nsec read_seconds(const char *line, size_t length, const char *key)
{
        size_t digits = 0;
        const char *value = find_field(line, length, key, &digits);
        const nsec read = digits > 0 ? seconds_to_nsec(strtod(value, NULL)) : 0;
        return read > 0 ? read : 0;
}

bool redis_is_person(const char *line, size_t length, nsec *ret_age, nsec *ret_idle)
{
        size_t command_length = 0, flags_length = 0;
        const char *command = find_field(line, length, "cmd", &command_length);
        const char *flags = find_field(line, length, "flags", &flags_length);
        bool person = flags && memchr(flags, 'O', flags_length);
        if (!is_empty(line, length, "name") || !is_empty(line, length, "lib-name"))
                return false;
        for (size_t i = 0; command && i < N_ELEMENTS(by_hand); i++) {
                const size_t word = strlen(by_hand[i]);
                person |= command_length >= word && strncmp(command, by_hand[i], word) == 0 &&
                          (command_length == word || command[word] == '|');
        }
        if (!person)
                return false;
        *ret_age = read_seconds(line, length, "age");
        /* Who watches sends nothing. */
        *ret_idle = memchr(flags ? flags : "", 'O', flags_length) ? 0 : read_seconds(line, length, "idle");
        return true;
}

int redis_people(const struct redis_options *options, const struct people_asked *asked,
                 struct deadline deadline, struct sighting *ret, struct error *error)
{
        _cleanup_redis_ struct redis *redis = NULL;
        _cleanup_reply_ redisReply *reply = NULL;
        int r = redis_connect(options, deadline, &redis, error);
        if (r >= 0)
                r = redis_call(redis, deadline, &reply, error, "CLIENT", "LIST", NULL);
        if (r < 0)
                return r;
        if (!reply->str)
                return error_set(error, EPROTO, "CLIENT LIST gave no text");
        for (const char *line = reply->str; *line;
             line += strcspn(line, "\n") + (strchr(line, '\n') != NULL)) {
                nsec age = 0, idle = 0;
                if (!redis_is_person(line, strcspn(line, "\r\n"), &age, &idle))
                        continue;
                const nsec since = asked->now - age, last = asked->now - idle;
                if (since <= asked->freed || last <= ret->last)
                        continue;
                _cleanup_text_ struct text name = {0};
                text_put_line(&name, options->address, NAME_MOST);
                *ret = (struct sighting){.since = since, .last = last};
                snprintf(ret->words, sizeof(ret->words), "somebody was seen with redis-cli on %s",
                         text_string(&name));
        }
        return ret->last != 0;
}
