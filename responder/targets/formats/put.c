/* SPDX-License-Identifier: Apache-2.0 */
/* Texts as every format needs them: of a length, and of characters that are shown. */
#include "responder/targets/formats/format.h"
#include "runbook/utf8.h"

void format_put(struct text *text, const char *string, size_t most, const char *(*escapes)(char c))
{
        size_t start = text->length;
        while (*string) {
                if (text->length - start >= most) {
                        text_puts(text, "…");
                        return;
                }
                size_t length = utf8_length(string);
                const char *escaped = length == 1 && escapes ? escapes(*string) : NULL;
                bool control = length == 1 && ((unsigned char)*string < ' ' || *string == '\x7f');
                if (length == 0)
                        text_puts(text, UTF8_REPLACEMENT);
                else if (control && *string != '\n')
                        text_putc(text, ' ');
                else if (escaped)
                        text_puts(text, escaped);
                else
                        text_append(text, string, length);
                string += length > 0 ? length : 1;
        }
}

static cJSON *to_json(const struct text *text)
{
        return text_error(text) < 0 ? NULL : cJSON_CreateString(text_string(text));
}

cJSON *format_string(const char *string, size_t most)
{
        _cleanup_text_ struct text text = {0};
        format_put(&text, string, most, NULL);
        return to_json(&text);
}

cJSON *format_part(const struct message_part *part, size_t most, const char *(*escapes)(char c))
{
        _cleanup_text_ struct text text = {0};
        format_put(&text, part->title, most, escapes);
        text_putc(&text, '\n');
        format_put(&text, part->text, most - text.length, escapes);
        return to_json(&text);
}

void format_put_lines(struct text *text, const struct message *message, size_t most_each)
{
        format_put(text, message->text, most_each, NULL);
        for (size_t i = 0; i < message->part_count; i++) {
                text_printf(text, "\n\n%s\n", message->parts[i].title);
                format_put(text, message->parts[i].text, most_each, NULL);
        }
        for (size_t i = 0; i < message->link_count; i++)
                text_printf(text, "%s%s: %s", i == 0 ? "\n\n" : "\n", message->links[i].title,
                            message->links[i].url);
}
