/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a request. */
#include "lib/http/client/internal.h"

bool http_add_header(struct curl_slist **headers, const char *line)
{
        struct curl_slist *longer = curl_slist_append(*headers, line);
        if (longer)
                *headers = longer;
        return longer != NULL;
}
