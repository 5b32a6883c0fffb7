/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a run, how it ended, and what it measured. */
#include "exporter/web/trace_page.h"

#include "exporter/check/targets.h"
#include "runbook/trace.h"

static void put_end(const struct check_result *result, struct text *text)
{
        double seconds = nsec_to_seconds(result->duration);
        if (result->code < 0) {
                text_printf(text, "failed after %.3f s: ", seconds);
                text_put_line(text, result->reason ? result->reason : "out of memory", SIZE_MAX);
        } else {
                text_printf(text, "succeeded in %.3f s", seconds);
        }
        text_putc(text, '\n');
}

static void put_samples(const struct check_result *result, struct text *text)
{
        const struct sample_set *const set = &result->samples;
        _cleanup_text_ struct text page = {0};
        text_putc(text, '\n');
        metrics_encode_text(&set, 1, &page, NULL); /* its failure sticks to the text */
        text->error = text_error(&page) < 0 ? text_error(&page) : text_error(text);
        text_put_lines(text, text_string(&page));
        if (result->verdict.cut > 0)
                text_printf(text, "… and %llu series over max_series\n",
                            (unsigned long long)result->verdict.cut);
}

static void put_age(const struct check *check, nsec age, struct text *text)
{
        char ago[DURATION_TEXT_MAX], cache[DURATION_TEXT_MAX];
        text_printf(text, "\nThis run began %s ago: ", duration_format(age, ago));
        if (check->cache > 0)
                text_printf(text, "the check's cache: is %s, ", duration_format(check->cache, cache));
        else
                text_puts(text, "one a second is shown, ");
        text_puts(text, "and only who has signed in has it run sooner.");
}

void trace_page_render(const struct check *check, const struct check_result *result, bool finished, nsec age,
                       struct text *text)
{
        struct verdict_lines lines = {text, ""};
        text_printf(text, "Check %s of the kind %s", check->name, check->kind->name);
        if (check->probe_target) {
                text_puts(text, ", pointed at ");
                check_target_put(text, check->probe_target);
        }
        if (age > 0)
                put_age(check, age, text);
        text_puts(text, "\n\n");
        if (!result) {
                text_puts(text, "No run could begin in the time that this request has: another run of the "
                                "check goes on, or there is no thread for it.\n");
                return;
        }
        trace_put(result->trace, text);
        if (finished) {
                put_end(result, text);
                verdict_tell_beyond(&result->verdict, verdict_put_line, &lines);
                if (result->code >= 0)
                        verdict_tell_unknown(&result->verdict, verdict_put_line, &lines);
                put_samples(result, text);
        } else {
                text_puts(text, "… and the run goes on: the time of this request, or its own, is over\n");
        }
}
