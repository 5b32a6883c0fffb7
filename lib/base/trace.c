/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of one run, as lines of text. */
#include "runbook/trace.h"

#include <pthread.h>

#include "runbook/mask.h"

#define STEP_LIMIT ((size_t)500)

struct trace {
        nsec started;
        pthread_mutex_t lock;
        struct text text; /* by the lock, and so is the rest */
        bool cut;
};

struct trace *trace_new(void)
{
        struct trace *trace = calloc(1, sizeof(*trace));
        if (!trace)
                return NULL;
        trace->started = clock_monotonic();
        pthread_mutex_init(&trace->lock, NULL);
        return trace;
}

struct trace *trace_free(struct trace *trace)
{
        if (!trace)
                return NULL;
        pthread_mutex_destroy(&trace->lock);
        text_free(&trace->text);
        free(trace);
        return NULL;
}

void trace_add(struct trace *trace, const char *format, ...)
{
        _cleanup_text_ struct text sentence = {0};
        va_list args;
        va_start(args, format);
        text_vprintf(&sentence, format, args);
        va_end(args);
        mask_string(sentence.data, MASK_SENTENCE);

        pthread_mutex_lock(&trace->lock);
        if (!trace->cut) {
                size_t before = trace->text.length;
                text_printf(&trace->text, "%.3f s  ", nsec_to_seconds(clock_monotonic() - trace->started));
                text_put_line(&trace->text, sentence.data ? sentence.data : "", STEP_LIMIT);
                text_putc(&trace->text, '\n');
                if (trace->text.length > TRACE_LIMIT) {
                        trace->text.length = before;
                        text_printf(&trace->text, "… more than %zu KiB of steps: the rest is left out\n",
                                    TRACE_LIMIT / 1024);
                        trace->cut = true;
                }
        }
        pthread_mutex_unlock(&trace->lock);
}

void trace_put(struct trace *trace, struct text *text)
{
        pthread_mutex_lock(&trace->lock);
        text_append(text, text_string(&trace->text), trace->text.length);
        pthread_mutex_unlock(&trace->lock);
}
