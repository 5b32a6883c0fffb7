/* SPDX-License-Identifier: Apache-2.0 */
/* One message to one receiver, in its format, without what others repeat in it of our secrets. */
#include <errno.h>
#include <string.h>

#include "responder/targets/formats/format.h"
#include "runbook/json.h"
#include "runbook/mask.h"

/* A message whose words are copies. */
struct masked {
        struct message message;
        struct message_part *parts;
        char *text;
        cJSON *details;
};

static void masked_release(struct masked *masked)
{
        for (size_t i = 0; masked->parts && i < masked->message.part_count; i++) {
                free((char *)masked->parts[i].title);
                free((char *)masked->parts[i].text);
        }
        free(masked->parts);
        free(masked->text);
        cJSON_Delete(masked->details);
}

/* False: out of memory. */
static bool mask_copy(const char *said, char **ret)
{
        char *copy = said ? strdup(said) : NULL;
        mask_string(copy, MASK_LABEL);
        *ret = copy;
        return !said || copy;
}

/* Before a format clips it: half of a secret is not known as one. */
static int mask_message(const struct message *message, struct masked *masked, struct error *error)
{
        masked->message = *message;
        masked->parts = calloc(message->part_count > 0 ? message->part_count : 1, sizeof(*masked->parts));
        bool fine = masked->parts && mask_copy(message->text, &masked->text);
        for (size_t i = 0; fine && i < message->part_count; i++) {
                char *title = NULL, *text = NULL;
                fine = mask_copy(message->parts[i].title, &title) && mask_copy(message->parts[i].text, &text);
                masked->parts[i] = (struct message_part){.title = title, .text = text};
        }
        if (fine && message->details)
                fine = (masked->details = cJSON_Duplicate(message->details, true));
        if (!fine)
                return error_oom(error);
        json_mask(masked->details);
        masked->message.text = masked->text;
        masked->message.parts = masked->parts;
        masked->message.details = masked->details;
        return 0;
}

int targets_notify(struct targets *targets, const char *name, const struct message *message,
                   struct deadline deadline, nsec *ret_wait, struct error *error)
{
        const struct receiver *receiver = target_set_receiver(targets_set(targets), name);
        if (!receiver)
                return error_set(error, ENOENT, "there is no receiver \"%s\" in the configuration",
                                 name ? name : "");
        _cleanup_(masked_release) struct masked masked = {0};
        int r = mask_message(message, &masked, error);
        const struct delivery delivery = {receiver, &masked.message, deadline, ret_wait};
        return r < 0 ? r : format_find(receiver->format)->send(&delivery, error);
}
