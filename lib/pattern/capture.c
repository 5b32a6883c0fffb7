/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the groups of a pattern hold: the places that the value read so far may have led to, in the order of
 * preference, each with what its groups have seen on the way (Pike;
 * https://swtch.com/~rsc/regexp/regexp2.html). A place that was reached in a better way is not reached again,
 * which bounds the time.
 */
#include <errno.h>
#include <string.h>

#include "lib/pattern/program.h"
#include "runbook/pattern.h"

/* The ways, best first. */
struct ways {
        size_t count;
        uint16_t *places;
        const char **slots; /* of each way, two a group */
        bool *has;          /* by place, those included that take no character */
};

/* A place to go on at, or a slot to be put back to what it was before. */
struct frame {
        uint16_t place;
        bool puts_back;
        const char *before;
};

struct capture {
        const struct pattern *pattern;
        size_t slot_count;
        struct ways now, next;
        struct frame *frames;
        const char **slots; /* of the way that is being followed */
        const char **best;
        const char *begin;
};

static bool ways_init(struct ways *ways, size_t steps, size_t slots)
{
        ways->places = calloc(steps, sizeof(*ways->places));
        ways->slots = calloc(steps * slots, sizeof(*ways->slots));
        ways->has = calloc(steps, sizeof(*ways->has));
        return ways->places && ways->slots && ways->has;
}

static void ways_release(struct ways *ways)
{
        free(ways->places);
        free(ways->slots);
        free(ways->has);
}

static void ways_clear(struct ways *ways, size_t steps)
{
        memset(ways->has, 0, steps * sizeof(*ways->has));
        ways->count = 0;
}

static int capture_init(struct capture *capture, const struct pattern *pattern, const char *value)
{
        size_t steps = pattern->step_count, slots = 2 * pattern->group_count + 1; /* none is nothing */
        *capture = (struct capture){.pattern = pattern, .slot_count = slots, .begin = value};
        bool fine = ways_init(&capture->now, steps, slots) && ways_init(&capture->next, steps, slots);
        capture->frames = calloc(2 * steps + 2, sizeof(*capture->frames));
        capture->slots = calloc(slots, sizeof(*capture->slots));
        capture->best = calloc(slots, sizeof(*capture->best));
        return fine && capture->frames && capture->slots && capture->best ? 0 : -ENOMEM;
}

static void capture_release(struct capture *capture)
{
        ways_release(&capture->now);
        ways_release(&capture->next);
        free(capture->frames);
        free(capture->slots);
        free(capture->best);
}

static void push_place(struct capture *capture, size_t *depth, size_t place)
{
        capture->frames[(*depth)++] = (struct frame){.place = (uint16_t)place};
}

/* Adds the way to `place` with capture->slots, and what it leads to without a character, best first. Each
 * place is looked at once, and leaves two frames at most. */
static void add_way(struct capture *capture, struct ways *ways, size_t place, const char *at)
{
        size_t depth = 0;
        push_place(capture, &depth, place);
        while (depth > 0) {
                const struct frame frame = capture->frames[--depth];
                const struct pattern_step *step = &capture->pattern->steps[frame.place];
                if (frame.puts_back) {
                        capture->slots[step->value] = frame.before;
                        continue;
                }
                if (ways->has[frame.place])
                        continue;
                ways->has[frame.place] = true;
                switch ((enum pattern_operation)step->operation) {
                case PATTERN_SPLIT:
                        push_place(capture, &depth,
                                   pattern_target(frame.place, step->also)); /* fall through */
                case PATTERN_JUMP: push_place(capture, &depth, pattern_target(frame.place, step->to)); break;
                case PATTERN_BEGIN:
                        if (at == capture->begin)
                                push_place(capture, &depth, frame.place + 1U);
                        break;
                case PATTERN_END:
                        if (!*at)
                                push_place(capture, &depth, frame.place + 1U);
                        break;
                case PATTERN_SAVE:
                        capture->frames[depth++] = (struct frame){.place = frame.place,
                                                                  .puts_back = true,
                                                                  .before = capture->slots[step->value]};
                        capture->slots[step->value] = at;
                        push_place(capture, &depth, frame.place + 1U);
                        break;
                default:
                        memcpy(&ways->slots[ways->count * capture->slot_count], capture->slots,
                               capture->slot_count * sizeof(*capture->slots));
                        ways->places[ways->count++] = frame.place;
                }
        }
}

/* Carries the ways over the character at `at`, unless it is the value's end. True when one has matched: those
 * behind it are worse. */
static bool advance(struct capture *capture, const char *at)
{
        size_t length = 0;
        uint32_t character = *at ? pattern_character(at, &length) : 0;
        for (size_t i = 0; i < capture->now.count; i++) {
                const char **slots = &capture->now.slots[i * capture->slot_count];
                size_t place = capture->now.places[i];
                const struct pattern_step *step = &capture->pattern->steps[place];
                if (step->operation == PATTERN_MATCH) {
                        memcpy(capture->best, slots, capture->slot_count * sizeof(*slots));
                        return true;
                }
                if (!*at || !pattern_takes(capture->pattern, step, character))
                        continue;
                memcpy(capture->slots, slots, capture->slot_count * sizeof(*slots));
                add_way(capture, &capture->next, place + 1, at + length);
        }
        return false;
}

static bool run(struct capture *capture)
{
        bool found = false;
        for (const char *at = capture->begin;;) {
                size_t length = 0;
                if (!found) { /* it may begin here, which is worse than to have begun before */
                        memset(capture->slots, 0, capture->slot_count * sizeof(*capture->slots));
                        add_way(capture, &capture->now, 0, at);
                }
                found = advance(capture, at) || found;
                if (!*at || (found && capture->next.count == 0))
                        return found;
                struct ways swap = capture->now;
                capture->now = capture->next;
                capture->next = swap;
                ways_clear(&capture->next, capture->pattern->step_count);
                (void)pattern_character(at, &length);
                at += length;
        }
}

int pattern_capture(const struct pattern *pattern, const char *value, struct pattern_span *ret_groups)
{
        struct capture capture;
        int r = capture_init(&capture, pattern, value);
        if (r >= 0)
                r = run(&capture);
        for (size_t i = 0; r > 0 && i < pattern->group_count; i++) {
                const char *start = capture.best[2 * i], *end = capture.best[2 * i + 1];
                ret_groups[i] = start && end ? (struct pattern_span){start, (size_t)(end - start)}
                                             : (struct pattern_span){0};
        }
        capture_release(&capture);
        return r;
}

size_t pattern_groups(const struct pattern *pattern)
{
        return pattern->group_count;
}

const char *pattern_group_name(const struct pattern *pattern, size_t i)
{
        return pattern->group_names[i];
}
