/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of a table of fields, in Markdown. */
#include "lib/config/tree.h"

static void describe_fields(const struct config_field *fields, const char *prefix, struct text *text);

/* In a cell of a table '|' would begin the next one. */
static void put_cell(struct text *text, const char *content)
{
        for (; *content; content++) {
                if (*content == '|')
                        text_putc(text, '\\');
                text_putc(text, *content == '\n' ? ' ' : *content);
        }
}

static void put_type(struct text *text, const struct config_field *field)
{
        if (field->type == CONFIG_ENUM) {
                for (size_t i = 0; field->choices[i]; i++)
                        text_printf(text, "%s`%s`", i > 0 ? ", " : "", field->choices[i]);
                return;
        }
        if (field->type == CONFIG_SECRET) {
                text_printf(text, "the path of a file, or `%s: ${VARIABLE}` or `${credential:NAME}`",
                            field->name);
                return;
        }
        put_cell(text, config_type_takes(field->type));
}

static void put_default(struct text *text, const struct config_field *field)
{
        if (field->flags & CONFIG_REQUIRED)
                text_puts(text, "**required**");
        else if (field->fallback) {
                text_putc(text, '`');
                put_cell(text, *field->fallback ? field->fallback : "\"\"");
                text_putc(text, '`');
        }
}

static void describe_field(const struct config_field *field, const char *prefix, struct text *text)
{
        text_printf(text, "| `%s%s%s` | ", prefix, field->name, field->type == CONFIG_SECRET ? "_file" : "");
        put_type(text, field);
        text_puts(text, " | ");
        put_default(text, field);
        text_puts(text, " | ");
        put_cell(text, field->help ? field->help : "");
        if (config_binds(field))
                text_printf(text, "%s`${labels.x}` is bound", field->help ? "; " : "");
        text_puts(text, " |\n");

        if (field->type != CONFIG_OBJECT && field->type != CONFIG_LIST)
                return;
        _cleanup_free_ char *nested =
                text_format("%s%s%s.", prefix, field->name, field->type == CONFIG_LIST ? "[]" : "");
        describe_fields(field->fields, nested ? nested : "", text);
}

static void describe_fields(const struct config_field *fields, const char *prefix, struct text *text)
{
        for (const struct config_field *field = fields; field->name; field++)
                describe_field(field, prefix, text);
}

void config_describe(const struct config_field *fields, struct text *text)
{
        if (!fields->name) {
                text_puts(text, "No keys: `{}`.\n");
                return;
        }
        text_puts(text, "| key | takes | default | meaning |\n|---|---|---|---|\n");
        describe_fields(fields, "", text);
}
