/* SPDX-License-Identifier: Apache-2.0 */
/* How long each phase of a transfer took, and which one it was in. */
#include "lib/http/client/internal.h"

static double seconds_until(CURL *curl, CURLINFO info)
{
        curl_off_t microseconds = 0;
        curl_easy_getinfo(curl, info, &microseconds);
        return microseconds > 0 ? (double)microseconds / 1e6 : 0;
}

static double difference(double later, double earlier)
{
        return later > earlier ? later - earlier : 0;
}

/* Libcurl's times all count from the start; those of steps that did not happen are 0 or the step's before. */
struct http_phases http_read_phases(CURL *curl)
{
        double resolved = seconds_until(curl, CURLINFO_NAMELOOKUP_TIME_T);
        double connected = seconds_until(curl, CURLINFO_CONNECT_TIME_T);
        double secured = seconds_until(curl, CURLINFO_APPCONNECT_TIME_T);
        double sending = seconds_until(curl, CURLINFO_PRETRANSFER_TIME_T);
        double answering = seconds_until(curl, CURLINFO_STARTTRANSFER_TIME_T);
        double total = seconds_until(curl, CURLINFO_TOTAL_TIME_T);
        return (struct http_phases){
                .resolve = resolved,
                .connect = difference(connected, resolved),
                .tls = secured > 0 ? difference(secured, connected) : 0,
                .processing = answering > 0 ? difference(answering, sending) : 0,
                .transfer = answering > 0 ? difference(total, answering) : 0,
                .total = total,
        };
}

const char *http_waiting_for(CURL *curl)
{
        if (seconds_until(curl, CURLINFO_STARTTRANSFER_TIME_T) > 0)
                return "the rest of the answer";
        if (seconds_until(curl, CURLINFO_PRETRANSFER_TIME_T) > 0)
                return "the answer";
        if (seconds_until(curl, CURLINFO_NAMELOOKUP_TIME_T) > 0)
                return "the connection to be made";
        return "the name to be resolved";
}

bool http_has_connected(CURL *curl)
{
        return seconds_until(curl, CURLINFO_CONNECT_TIME_T) > 0;
}
