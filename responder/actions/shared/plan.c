/* SPDX-License-Identifier: Apache-2.0 */
/* Plans and outcomes built. */
#include "responder/actions/shared/plan.h"

const char *const when_empty_words[] = {"fail", "skip", NULL};
tables_agree(when_empty_words, WHEN_EMPTY_COUNT + 1);

static int summary_new(cJSON **ret, struct error *error, const char *format, va_list args)
{
        _cleanup_text_ struct text summary = {0};
        text_vprintf(&summary, format, args);
        cJSON *object = cJSON_CreateObject();
        if (text_error(&summary) < 0 ||
            json_put(object, "summary", cJSON_CreateString(text_string(&summary))) < 0) {
                cJSON_Delete(object);
                return error_oom(error);
        }
        *ret = object;
        return 0;
}

int plan_new(cJSON **ret, int64_t targets, struct error *error, const char *format, ...)
{
        _cleanup_json_ cJSON *plan = NULL;
        va_list args;
        va_start(args, format);
        int r = summary_new(&plan, error, format, args);
        va_end(args);
        if (r < 0)
                return r;
        if (json_put(plan, "targets", cJSON_CreateNumber((double)targets)) < 0)
                return error_oom(error);
        *ret = TAKE_PTR(plan);
        return 0;
}

int outcome_new(cJSON **ret, struct error *error, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        int r = summary_new(ret, error, format, args);
        va_end(args);
        return r;
}
