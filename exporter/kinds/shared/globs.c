/* SPDX-License-Identifier: Apache-2.0 */
/* Names by lists of patterns. */
#include "exporter/kinds/shared/globs.h"

#include <fnmatch.h>

bool globs_match(const struct config_strings *globs, const char *name)
{
        for (size_t i = 0; i < globs->count; i++)
                if (fnmatch(globs->items[i], name, 0) == 0)
                        return true;
        return false;
}
