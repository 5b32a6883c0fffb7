/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder states`: the life of an incident, out of the very table that the journal asks. */
#include "responder/commands/states.h"

#include "responder/journal/transition.h"

static bool is_same_way(const struct transition *a, const struct transition *b)
{
        return a->from == b->from && a->to == b->to;
}

static bool is_first_way(const struct transition *way)
{
        for (const struct transition *one = transitions; one != way; one++)
                if (is_same_way(one, way))
                        return false;
        return true;
}

/* An incident that waits may begin to run; the picture has a frame around all that do. */
static bool is_waiting(enum incident_state state)
{
        for (const struct transition *one = transitions; one->event; one++)
                if (one->from == state && one->to == INCIDENT_RUNNING)
                        return true;
        return false;
}

static bool is_everywhere_in_frame(const struct transition *way)
{
        for (enum incident_state state = INCIDENT_RECEIVED; state < INCIDENT_STATE_COUNT; state++)
                if (is_waiting(state) && !transition_find(state, way->to, way->event))
                        return false;
        return true;
}

/* The same events lead there from everywhere in the frame: then the picture lets the arrow begin at the
 * frame. */
static bool is_of_frame(const struct transition *way)
{
        if (!is_waiting(way->from) || is_waiting(way->to))
                return false;
        for (const struct transition *one = transitions; one->event; one++)
                if (is_same_way(one, way) && !is_everywhere_in_frame(one))
                        return false;
        return true;
}

/* Of "ended: nobody is to be called" the half behind the colon, which Mermaid has a meaning of its own for.
 */
static const char *event_label(const struct transition *way)
{
        const char *colon = strstr(way->event, ": ");
        return colon ? colon + 2 : way->event;
}

/* "awaiting approval" says no more than the state that it leads to. */
static bool says_no_more(const char *event, enum incident_state to)
{
        const char *name = incident_state_name(to);
        for (; *name && (*event == *name || (*event == ' ' && *name == '_')); event++)
                name++;
        return !*name && !*event;
}

/* Events that lead from the same to the same share an arrow. */
static void put_labels(struct text *text, const struct transition *way)
{
        const char *only = NULL;
        size_t events = 0;
        for (const struct transition *one = transitions; one->event; one++)
                if (is_same_way(one, way)) {
                        only = one->event;
                        events++;
                }
        if (events == 1 && says_no_more(only, way->to))
                return;
        const char *between = " : ";
        for (const struct transition *one = way; one->event; one++) {
                if (!is_same_way(one, way))
                        continue;
                text_printf(text, "%s%s", between, event_label(one));
                between = ", ";
        }
}

static void put_arrow(struct text *text, const char *indent, const struct transition *way)
{
        bool begins = way->from == INCIDENT_UNCHANGED, stays = way->from == way->to && way->ends;
        text_printf(text, "%s%s --> %s", indent,
                    begins             ? "[*]"
                    : is_of_frame(way) ? "waiting"
                                       : incident_state_name(way->from),
                    stays ? "[*]" : incident_state_name(way->to));
        put_labels(text, way);
        text_putc(text, '\n');
}

static void put_picture(struct text *text)
{
        bool drawn[INCIDENT_STATE_COUNT] = {0}, ended[INCIDENT_STATE_COUNT] = {0};
        text_puts(text, "```mermaid\nstateDiagram-v2\n    state waiting {\n");
        for (const struct transition *one = transitions; one->event; one++)
                if (is_first_way(one) && is_waiting(one->from) && is_waiting(one->to))
                        put_arrow(text, "        ", one);
        text_puts(text, "    }\n");
        for (const struct transition *one = transitions; one->event; one++) {
                bool inside = is_waiting(one->from) && is_waiting(one->to), frame = is_of_frame(one);
                if (!is_first_way(one) || inside || (frame && drawn[one->to]))
                        continue;
                put_arrow(text, "    ", one);
                drawn[one->to] |= frame;
        }
        for (const struct transition *one = transitions; one->event; one++) {
                if (!one->ends || one->from == one->to || ended[one->to])
                        continue;
                text_printf(text, "    %s --> [*]\n", incident_state_name(one->to));
                ended[one->to] = true;
        }
        text_puts(text, "```\n");
}

static bool is_same_event(const struct transition *a, const struct transition *b)
{
        return a->to == b->to && a->ends == b->ends && string_equal(a->event, b->event);
}

/* One row for each event that leads to a state, with all that it comes from. */
static void put_row(struct text *text, const struct transition *way)
{
        for (const struct transition *one = transitions; one != way; one++)
                if (is_same_event(one, way))
                        return;
        const char *between = "| ";
        for (const struct transition *one = way; one->event; one++) {
                if (!is_same_event(one, way))
                        continue;
                bool begins = one->from == INCIDENT_UNCHANGED;
                text_printf(text, "%s%s", between, begins ? "(a new one)" : incident_state_name(one->from));
                between = ", ";
        }
        text_printf(text, " | %s | %s | %s |\n", way->event, incident_state_name(way->to),
                    way->ends ? "yes" : "");
}

void describe_states(struct text *text)
{
        put_picture(text);
        text_puts(text, "\n| from | event | to | ends |\n|---|---|---|---|\n");
        for (const struct transition *one = transitions; one->event; one++)
                put_row(text, one);
}
