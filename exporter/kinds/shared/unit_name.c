/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a unit's name: with its suffix, and no pattern. */
#include "exporter/kinds/shared/unit_name.h"

static bool unit_name_good(const char *name)
{
        const char *dot = strrchr(name, '.');
        return dot && dot > name && dot[1] && strlen(name) < 256 && !strpbrk(name, "/ *?[\t\r\n");
}

bool unit_names_check(const struct config_strings *names, struct config_node *node, const char *key)
{
        for (size_t i = 0; i < names->count; i++)
                if (!unit_name_good(names->items[i])) {
                        config_complain(node, key, "\"%s\" is not the name of a unit with its suffix",
                                        names->items[i]);
                        return false;
                }
        return true;
}
