/* SPDX-License-Identifier: Apache-2.0 */
/* One message to one receiver, in its format. */
#include <errno.h>

#include "responder/targets/formats/format.h"

int targets_notify(struct targets *targets, const char *name, const struct message *message,
                   struct deadline deadline, nsec *ret_wait, struct error *error)
{
        const struct receiver *receiver = target_set_receiver(targets_set(targets), name);
        if (!receiver)
                return error_set(error, ENOENT, "there is no receiver \"%s\" in the configuration",
                                 name ? name : "");
        const struct delivery delivery = {receiver, message, deadline, ret_wait};
        return format_find(receiver->format)->send(&delivery, error);
}
