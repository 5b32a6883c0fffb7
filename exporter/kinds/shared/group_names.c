/* SPDX-License-Identifier: Apache-2.0 */
/* `groups:` of a kind, read into one bit for each group that was chosen. */
#include "exporter/kinds/shared/group_names.h"

bool group_names_read(const struct config_strings *chosen, struct config_node *node, const char *const *names,
                      size_t count, unsigned *ret)
{
        struct config_node *list = config_member(node, "groups");
        bool fine = true;
        *ret = 0;
        for (size_t i = 0; i < chosen->count; i++) {
                const char *word = chosen->items[i] ? chosen->items[i] : "";
                int group = words_find(names, count, word);
                if (group >= 0) {
                        *ret |= 1U << group;
                        continue;
                }
                _cleanup_error_ struct error error = {0};
                words_unknown(names, count, word, "there is no group", &error);
                config_complain(config_is_list(list) ? config_item(list, i) : list, NULL, "%s",
                                error_text(&error));
                fine = false;
        }
        return fine;
}
