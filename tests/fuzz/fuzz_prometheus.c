/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of Prometheus and of Alertmanager: read whole, or refused with a sentence. The first byte chooses.
 */
#include <errno.h>
#include <math.h>

#include "lib/prometheus/internal.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {
        "\"status\":\"success\"",
        "\"data\":",
        "\"resultType\":",
        "\"vector\"",
        "\"scalar\"",
        "\"matrix\"",
        "\"result\":",
        "\"metric\":",
        "\"value\":",
        "\"histogram\":",
        "[1,\"2\"]",
        "\"NaN\"",
        "{}",
        "[]",
        "\"fingerprint\":\"a\"",
        "\"error\":\"x\"",
        ",",
        "{",
        "}",
        "[",
        "]",
        NULL,
};

static void try_query(const char *body, size_t length, long status)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_(prometheus_answer_release) struct prometheus_answer answer = {0};
        int r = prometheus_answer_parse(status, body, length, &answer, &error);
        FUZZ_ASSERT(r == 0 || ((r == -EREMOTEIO || r == -EBADMSG || r == -EINVAL) && error.message));
        FUZZ_ASSERT(r == 0 || (!answer.document && !answer.series));
        FUZZ_ASSERT(r < 0 || !answer.scalar || (answer.count == 1 && answer.series[0].has_value));
        for (size_t i = 0; i < answer.count; i++) {
                FUZZ_ASSERT(answer.scalar || cJSON_IsObject(answer.series[i].labels));
                FUZZ_ASSERT(answer.series[i].has_value || isnan(answer.series[i].value));
        }
}

static void try_alerts(const char *body, size_t length, long status)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_json_ cJSON *alerts = NULL;
        int r = alertmanager_alerts_parse(status, body, length, &alerts, &error);
        FUZZ_ASSERT(r == 0 ? cJSON_IsArray(alerts)
                           : (r == -EREMOTEIO || r == -EBADMSG) && error.message && !alerts);
        const cJSON *alert;
        cJSON_ArrayForEach(alert, alerts)
        {
                const char *fingerprint = json_string(alert, "fingerprint");
                FUZZ_ASSERT(fingerprint && *fingerprint);
        }
}

static void try_status(const char *body, size_t length, long status)
{
        _cleanup_error_ struct error error = {0};
        nsec started = -1;
        int r = alertmanager_status_parse(status, body, length, &started, &error);
        FUZZ_ASSERT(r == 0 || ((r == -EREMOTEIO || r == -EBADMSG) && error.message && started == -1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        _cleanup_free_ char *body = fuzz_string(data + 1, size - 1);
        long status = data[0] & 2 ? 503 : 200;
        (data[0] & 4 ? try_status : data[0] & 1 ? try_query : try_alerts)(body, size - 1, status);
        return 0;
}
