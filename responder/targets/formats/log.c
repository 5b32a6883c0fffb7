/* SPDX-License-Identifier: Apache-2.0 */
/* A line in our own log. */
#include "runbook/log.h"

#include "responder/targets/formats/format.h"

char *message_to_line(const struct message *message)
{
        _cleanup_text_ struct text text = {0};
        text_puts(&text, message->text);
        for (size_t i = 0; i < message->part_count; i++) {
                const char *lines = message->parts[i].text;
                text_printf(&text, "; %s: ", message->parts[i].title);
                for (; *lines; lines++)
                        text_puts(&text, *lines == '\n' ? ", " : (const char[]){*lines, '\0'});
        }
        return text_take(&text);
}

static int send_line(const struct delivery *delivery, struct error *error)
{
        const struct message *message = delivery->message;
        _cleanup_free_ char *line = message_to_line(message);
        if (!line)
                return error_oom(error);
        log_event(LOG_WARN, line, "receiver", delivery->receiver->name, "incident", message->incident,
                  "remediation", message->remediation, "state", message->state, "link",
                  message->link_count > 0 ? message->links[0].url : NULL, NULL);
        return 0;
}

const struct message_format format_log = {.send = send_line};
