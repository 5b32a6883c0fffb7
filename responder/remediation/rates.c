/* SPDX-License-Identifier: Apache-2.0 */
/* How many runs in which time, as the file writes it. */
#include "responder/remediation/rates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int rate_parse(const char *text, struct rate *ret, struct error *error)
{
        char *end = NULL;
        errno = 0;
        long long count = strtoll(text, &end, 10);
        if (end == text || errno != 0 || count <= 0 || !string_starts(end, " per "))
                return error_set(error, EINVAL, "\"%s\" is no limit: write it as \"3 per 1d\"", text);
        nsec period = 0;
        int r = duration_parse(end + strlen(" per "), &period, error);
        if (r < 0)
                return r;
        if (period <= 0)
                return error_set(error, EINVAL, "a limit's time must be more than zero");
        *ret = (struct rate){count, period};
        return 0;
}

void rate_read(struct config_node *node, const char *key, const char *text, struct rate *ret)
{
        _cleanup_error_ struct error why = {0};
        *ret = (struct rate){0};
        if (!text || !*text || string_equal(text, "off"))
                return;
        if (rate_parse(text, ret, &why) < 0)
                config_complain(node, key, "%s", error_text(&why));
        else if (ret->count > RATE_MOST)
                config_complain(node, key, "%lld is too many: %d is the most", (long long)ret->count,
                                RATE_MOST);
}
