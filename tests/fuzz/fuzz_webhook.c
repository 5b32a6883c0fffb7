/* SPDX-License-Identifier: Apache-2.0 */
/* Alertmanager's webhook of any bytes: refused whole, or alerts that survive the way through the journal. */
#include <errno.h>

#include "responder/alert/alert.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {
        "\"version\":\"4\"",
        "\"alerts\":[",
        "\"labels\":{",
        "\"annotations\"",
        "\"fingerprint\"",
        "\"status\"",
        "\"firing\"",
        "\"resolved\"",
        "\"startsAt\"",
        "\"endsAt\"",
        "0001-01-01T00:00:00Z",
        "null",
        "true",
        "[]",
        "{}",
        "1e999",
        "\"truncatedAlerts\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        ",",
        NULL,
};

static void check_alert(const struct alert *alert)
{
        _cleanup_json_ cJSON *json = alert_to_json(alert), *again_json = NULL;
        _cleanup_free_ char *printed = json_print(json), *again_printed = NULL;
        struct alert again;
        FUZZ_ASSERT(printed && alert->fingerprint);
        FUZZ_ASSERT(alert_from_json(json, &again, NULL) == 0);
        again_json = alert_to_json(&again);
        again_printed = json_print(again_json);
        FUZZ_ASSERT(again_printed && strcmp(printed, again_printed) == 0);
        alert_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_error_ struct error error = {0};
        struct webhook webhook;
        int result = webhook_parse((const char *)data, size, &webhook, &error);
        FUZZ_ASSERT(result == 0 || (result < 0 && error.message));
        if (result < 0)
                return 0;
        for (size_t i = 0; i < webhook.count; i++)
                check_alert(&webhook.alerts[i]);
        webhook_release(&webhook);
        return 0;
}
