/* SPDX-License-Identifier: Apache-2.0 */
/* Items that a run skipped, by reason. */
#include "exporter/check/skipped.h"

#include <stdarg.h>

#define SHOWN_MAX 4        /* items of one reason in words */
#define ITEM_BYTES_MAX 256 /* of one of them */

const char *const skip_reasons[SKIP_REASONS] = {
        [SKIP_UNREADABLE] = "unreadable", [SKIP_MALFORMED] = "malformed",
        [SKIP_NOT_UTF8] = "not_utf8",     [SKIP_UNKNOWN_UNIT] = "unknown_unit",
        [SKIP_DUPLICATE] = "duplicate",   [SKIP_BEYOND_LIMIT] = "beyond_limit",
        [SKIP_RESERVED] = "reserved",     [SKIP_MISSING] = "missing",
};

void check_skip(struct sample_sink *sink, enum skip_reason reason, const char *format, ...)
{
        _cleanup_text_ struct text item = {0};
        struct skipped_items *skipped = sink->set->skipped;
        va_list args;
        if (!skipped || skipped->of[reason].count++ >= SHOWN_MAX)
                return;
        va_start(args, format);
        text_vprintf(&item, format, args);
        va_end(args);
        struct text *items = &skipped->of[reason].items;
        if (items->length > 0)
                text_puts(items, "; ");
        text_put_line(items, text_string(&item), ITEM_BYTES_MAX);
}

void check_skip_repeated(struct sample_sink *sink)
{
        const struct sample_set *set = sink->set;
        if (!set->skipped || sample_set_mark_repeated(sink->set) == 0)
                return;
        for (size_t i = 0; i < set->count; i++) {
                const struct sample *sample = &set->samples[i];
                if (sample->repeated)
                        check_skip(sink, SKIP_DUPLICATE, "%s{%.*s}", sample->family->name,
                                   (int)sample->labels_length,
                                   text_string(&set->arena) + sample->labels_offset);
        }
}

void check_skip_invalid(struct sample_sink *sink)
{
        struct sample_set *set = sink->set;
        size_t kept = 0;
        for (size_t i = 0; i < set->count; i++) {
                const struct sample *sample = &set->samples[i];
                if (sample->family->type == METRIC_COUNTER && !(sample->value >= 0))
                        check_skip(sink, SKIP_MALFORMED, "%s{%.*s}: a counter below 0, or no number",
                                   sample->family->name, (int)sample->labels_length,
                                   text_string(&set->arena) + sample->labels_offset);
                else
                        set->samples[kept++] = *sample;
        }
        set->count = kept;
}

const char *skipped_items_text(const struct skipped_items *skipped, enum skip_reason reason)
{
        return text_string(&skipped->of[reason].items);
}

void skipped_items_release(struct skipped_items *skipped)
{
        for (size_t i = 0; i < SKIP_REASONS; i++)
                text_free(&skipped->of[i].items);
}
