/* SPDX-License-Identifier: Apache-2.0 */
/* An alert as a row of the journal has it, which a disk or a person may have spoilt: read whole and written
 * again as it was, or refused with a sentence. */
#include <errno.h>

#include "responder/alert/alert.h"
#include "runbook/json.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 30000;
const char *const fuzz_words[] = {"{\"status\":\"firing\",",
                                  "\"status\":\"resolved\",",
                                  "\"labels\":{\"a\":\"b\"},",
                                  "\"annotations\":{},",
                                  "\"startsAt\":\"2026-01-01T00:00:00Z\",",
                                  "\"endsAt\":\"0001-01-01T00:00:00Z\",",
                                  "\"fingerprint\":\"00000000000000aa\"}",
                                  "null",
                                  "{}",
                                  NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *row = fuzz_string(data, size);
        _cleanup_error_ struct error error = {0};
        _cleanup_json_ cJSON *json = NULL;
        struct alert alert = {0}, again = {0};
        int r = json_parse(row, strlen(row), &json, &error);
        if (r >= 0)
                r = alert_from_json(json, &alert, &error);
        FUZZ_ASSERT(r == 0 || ((r == -EBADMSG || r == -EMSGSIZE) && error.message));
        if (r < 0)
                return 0;
        _cleanup_json_ cJSON *written = alert_to_json(&alert);
        FUZZ_ASSERT(written && alert_from_json(written, &again, NULL) == 0);
        FUZZ_ASSERT(again.labels.count == alert.labels.count && again.firing == alert.firing);
        alert_release(&alert);
        alert_release(&again);
        return 0;
}
