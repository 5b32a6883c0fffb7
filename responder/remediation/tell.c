/* SPDX-License-Identifier: Apache-2.0 */
/* `tell:`, the ends that people hear of although they need nobody. */
#include "responder/remediation/tell.h"

#include "runbook/text.h"
#include "runbook/words.h"

/* Ends that people need not hear of; of all others they do. */
static const char *const told_ends[] = {"healed", "done", "cancelled", "denied"};

void tell_check(struct config_node *node, const struct config_strings *tell)
{
        for (size_t i = 0; i < tell->count; i++) {
                _cleanup_error_ struct error error = {0};
                bool known = false;
                for (size_t k = 0; k < N_ELEMENTS(told_ends); k++)
                        known |= string_equal(tell->items[i], told_ends[k]);
                if (known)
                        continue;
                words_unknown(told_ends, N_ELEMENTS(told_ends), tell->items[i], "there is no end", &error);
                config_complain(node, "tell", "%s", error_text(&error));
        }
}
