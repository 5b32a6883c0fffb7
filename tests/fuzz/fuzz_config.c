/* SPDX-License-Identifier: Apache-2.0 */
/* YAML of any bytes, read by a table of every type: complaints or values, and a copy that binds. */
#include <errno.h>
#include <stdio.h>

#include "runbook/config.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 10000;
const char *const fuzz_words[] = {
        "name",
        "title",
        "query",
        "enabled",
        "count",
        "size",
        "ratio",
        "timeout",
        "format",
        "password",
        "password_file",
        "services",
        "env",
        "verify",
        "metrics",
        "raw",
        ": ",
        "- ",
        "\n  ",
        "${labels.x}",
        "${A}",
        "&a ",
        "*a",
        "!!str ",
        "<<: ",
        "---\n",
        "...\n",
        "|\n ",
        ">-\n ",
        "? ",
        "# ",
        "%YAML 1.2\n",
        "5s",
        "1h30m",
        "64KiB",
        "true",
        "yes",
        "null",
        "~",
        "9223372036854775808",
        "1e400",
        "\"\\u0000\"",
        NULL,
};

struct item {
        char *name;
        struct config_strings labels;
};

struct verify {
        char *query;
        nsec within;
};

struct everything {
        char *name, *title, *query;
        bool enabled;
        int64_t count, size;
        double ratio;
        nsec timeout;
        int format;
        struct secret password;
        struct config_strings services;
        struct config_map env;
        struct verify verify;
        struct config_list metrics;
        struct config_node *raw;
};

static const char *const formats[] = {"slack", "json", NULL};

static const struct config_field item_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct item, name), .flags = CONFIG_REQUIRED},
        {"labels", CONFIG_STRINGS, offsetof(struct item, labels), .flags = CONFIG_BIND},
        {0},
};

static const struct config_field verify_fields[] = {
        {"query", CONFIG_STRING, offsetof(struct verify, query), .flags = CONFIG_BIND_PROMQL},
        {"within", CONFIG_DURATION, offsetof(struct verify, within), .fallback = "5m"},
        {0},
};

static const struct config_field fields[] = {
        {"name", CONFIG_STRING, offsetof(struct everything, name),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY},
        {"title", CONFIG_STRING, offsetof(struct everything, title), .flags = CONFIG_BIND},
        {"query", CONFIG_STRING, offsetof(struct everything, query), .flags = CONFIG_BIND_PROMQL},
        {"enabled", CONFIG_BOOL, offsetof(struct everything, enabled), .fallback = "true"},
        {"count", CONFIG_INT, offsetof(struct everything, count), .flags = CONFIG_POSITIVE},
        {"size", CONFIG_SIZE, offsetof(struct everything, size), .fallback = "1MiB"},
        {"ratio", CONFIG_NUMBER, offsetof(struct everything, ratio), .fallback = "0.5"},
        {"timeout", CONFIG_DURATION, offsetof(struct everything, timeout), .fallback = "5s"},
        {"format", CONFIG_ENUM, offsetof(struct everything, format), .choices = formats},
        {"password", CONFIG_SECRET, offsetof(struct everything, password), .help = "of the user"},
        {"services", CONFIG_STRINGS, offsetof(struct everything, services), .flags = CONFIG_BIND},
        {"env", CONFIG_MAP, offsetof(struct everything, env), .flags = CONFIG_BIND, .fallback = "{A: b}"},
        {"verify", CONFIG_OBJECT, offsetof(struct everything, verify), .fields = verify_fields},
        {"metrics", CONFIG_LIST, offsetof(struct everything, metrics), .fields = item_fields,
         .size = sizeof(struct item)},
        {"raw", CONFIG_NODE, offsetof(struct everything, raw), .help = "anything"},
        {0},
};

static const char *value_of(const void *context, const char *scope, const char *name)
{
        (void)context;
        (void)scope;
        return *name == 'x' ? "${labels.x}\"'\\\n" : NULL;
}

/* Each line is "<file>:<line>:<column>: <sentence>", but for the last when there are too many. */
static void check_complaints(const struct config *config, const char *path)
{
        _cleanup_free_ char *text = strdup(config_complaints_text(config));
        size_t lines = 0;
        char *rest = text;
        FUZZ_ASSERT(text);
        FUZZ_ASSERT((config_complaints(config) == 0) == (*text == '\0'));
        for (char *line; *text && (line = strsep(&rest, "\n"));) {
                unsigned row = 0, column = 0;
                int used = 0;
                lines++;
                FUZZ_ASSERT(string_starts(line, path));
                if (string_starts(line + strlen(path), ": and "))
                        continue;
                FUZZ_ASSERT(sscanf(line + strlen(path), ":%u:%u: %n", &row, &column, &used) == 2 && used > 0);
                FUZZ_ASSERT(row > 0 && column > 0 && line[strlen(path) + (size_t)used] != '\0');
        }
        FUZZ_ASSERT(lines <= 101);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_config_ struct config *config = NULL;
        _cleanup_error_ struct error error = {0};
        const struct bindings bindings = {.get = value_of};
        const char *path = fuzz_file(data, size);
        struct everything source, bound;
        FUZZ_ASSERT(config_load(path, &config, &error) == 0);
        bool parsed = config_complaints(config) == 0;
        FUZZ_ASSERT(!parsed || config_root(config));
        bool fine = config_read(config_root(config), fields, &source);
        FUZZ_ASSERT(!fine || config_complaints(config) == 0 || !parsed);
        FUZZ_ASSERT(fine || config_complaints(config) > 0);
        check_complaints(config, path);

        int result = config_bind(fields, &source, &bindings, &bound, &error);
        FUZZ_ASSERT(!fine || result == 0 || result == -ENOKEY);
        if (result == 0)
                config_release(fields, &bound);
        config_release(fields, &source);
        return 0;
}
