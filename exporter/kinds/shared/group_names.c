/* SPDX-License-Identifier: Apache-2.0 */
/* `groups:` of a kind, read into one bit for each group that was chosen. */
#include "exporter/kinds/shared/group_names.h"

static void complain_of_name(struct config_node *place, const char *word, const char *const *names,
                             size_t count)
{
        const char *nearest = config_nearest(word, names, count);
        _cleanup_text_ struct text known = {0};

        if (nearest) {
                config_complain(place, NULL, "there is no group \"%s\", did you mean \"%s\"?", word, nearest);
                return;
        }
        for (size_t i = 0; i < count; i++)
                text_printf(&known, "%s%s", i > 0 ? ", " : "", names[i]);
        config_complain(place, NULL, "there is no group \"%s\"; there are: %s", word, text_string(&known));
}

bool group_names_read(const struct config_strings *chosen, struct config_node *node, const char *const *names,
                      size_t count, unsigned *ret)
{
        struct config_node *list = config_member(node, "groups");
        bool fine = true;

        *ret = 0;
        for (size_t i = 0; i < chosen->count; i++) {
                const char *word = chosen->items[i] ? chosen->items[i] : "";
                size_t g = 0;

                while (g < count && strcmp(names[g], word) != 0)
                        g++;
                if (g < count) {
                        *ret |= 1U << g;
                        continue;
                }
                complain_of_name(config_is_list(list) ? config_item(list, i) : list, word, names, count);
                fine = false;
        }
        return fine;
}
