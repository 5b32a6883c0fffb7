/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the formats. */
#include "responder/targets/formats/format.h"

static const struct message_format *const formats[] = {
        [RECEIVER_FORMAT_SLACK] = &format_slack,
        [RECEIVER_FORMAT_JSON] = &format_json,
        [RECEIVER_FORMAT_PAGERDUTY] = &format_pagerduty,
        [RECEIVER_FORMAT_EMAIL] = &format_email,
        [RECEIVER_FORMAT_TEAMS] = &format_teams,
        [RECEIVER_FORMAT_NTFY] = &format_ntfy,
        [RECEIVER_FORMAT_LOG] = &format_log,
};
tables_agree(formats, RECEIVER_FORMAT_COUNT);

bool receiver_keeps_open(const struct receiver *receiver)
{
        return receiver && formats[receiver->format]->keeps_open;
}

const struct message_format *format_find(int format)
{
        return formats[format];
}
