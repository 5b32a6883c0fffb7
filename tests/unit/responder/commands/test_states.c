/* SPDX-License-Identifier: Apache-2.0 */
/* The picture and the table of the states say what the journal does, no less and no more. */
#include "responder/commands/states.h"

#include <stdio.h>

#include "responder/journal/transition.h"
#include "tests/harness/unit.h"

#define STATE_MAX 32

static const char *state_shown(enum incident_state state)
{
        return state == INCIDENT_UNCHANGED ? "[*]" : incident_state_name(state);
}

static bool is_way(enum incident_state from, enum incident_state to)
{
        for (const struct transition *one = transitions; one->event; one++)
                if (one->from == from && one->to == to)
                        return true;
        return false;
}

static bool ends_in(enum incident_state state)
{
        for (const struct transition *one = transitions; one->event; one++)
                if (one->to == state && one->ends)
                        return true;
        return false;
}

/* The text is read line by line; `*at` moves on. */
static bool next_line(const char **at, char *line, size_t size)
{
        if (!**at)
                return false;
        size_t length = strcspn(*at, "\n");
        assert_true(length < size);
        snprintf(line, size, "%.*s", (int)length, *at);
        *at += length + ((*at)[length] == '\n');
        return true;
}

/* Counts the states that an arrow's name stands for: one, or all in the frame. */
static size_t mark_arrow(const char *from, const char *to, bool drawn[][INCIDENT_STATE_COUNT])
{
        size_t count = 0;
        for (int a = INCIDENT_UNCHANGED; a < INCIDENT_STATE_COUNT; a++) {
                bool frame = string_equal(from, "waiting") && (a == INCIDENT_RECEIVED || a == INCIDENT_HELD ||
                                                               a == INCIDENT_AWAITING_APPROVAL);
                if (!frame && !string_equal(from, state_shown((enum incident_state)a)))
                        continue;
                for (int b = INCIDENT_RECEIVED; b < INCIDENT_STATE_COUNT; b++)
                        if (string_equal(to, incident_state_name((enum incident_state)b))) {
                                drawn[a][b] = true;
                                count++;
                        }
        }
        return count;
}

static void test_picture_has_every_way(void **state _unused_)
{
        _cleanup_text_ struct text text = {0};
        bool drawn[INCIDENT_STATE_COUNT][INCIDENT_STATE_COUNT] = {0}, ended[INCIDENT_STATE_COUNT] = {0};
        char line[512], from[STATE_MAX], to[STATE_MAX];
        describe_states(&text);
        for (const char *at = text_string(&text); next_line(&at, line, sizeof(line));) {
                if (sscanf(line, " %31s --> %31s", from, to) != 2)
                        continue;
                if (!string_equal(to, "[*]")) {
                        assert_true(mark_arrow(from, to, drawn) > 0);
                        continue;
                }
                enum incident_state last;
                assert_int_equal(incident_state_parse(from, &last), 0);
                ended[last] = true;
        }
        for (int a = INCIDENT_UNCHANGED; a < INCIDENT_STATE_COUNT; a++) {
                enum incident_state one = (enum incident_state)a;
                assert_int_equal(ended[one], one != INCIDENT_UNCHANGED && ends_in(one));
                for (int b = INCIDENT_RECEIVED; b < INCIDENT_STATE_COUNT; b++) {
                        /* What ends where it is shows as an end. */
                        bool wanted = is_way(one, (enum incident_state)b) && !(a == b && ends_in(one));
                        if (drawn[a][b] != wanted)
                                fail_msg("%s to %s: drawn %d", state_shown(one),
                                         state_shown((enum incident_state)b), drawn[a][b]);
                }
        }
}

/* "| a, b |" names b. */
static bool cell_names(const char *cell, const char *name)
{
        size_t length = strlen(name);
        for (const char *at = cell; (at = strstr(at, name)); at += length)
                if ((at == cell || at[-1] == ' ') && (at[length] == ',' || at[length] == ' '))
                        return true;
        return false;
}

static size_t rows_of(const struct text *text, const struct transition *way)
{
        _cleanup_free_ char *rest = text_format(" | %s | %s | %s |", way->event, incident_state_name(way->to),
                                                way->ends ? "yes" : "");
        size_t rows = 0;
        char line[512];
        for (const char *at = text_string(text); next_line(&at, line, sizeof(line));) {
                char *end = strstr(line, rest);
                if (!end || end[strlen(rest)] != '\0')
                        continue;
                end[1] = '\0';
                rows += cell_names(line, way->from == INCIDENT_UNCHANGED ? "(a new one)"
                                                                         : incident_state_name(way->from));
        }
        return rows;
}

static void test_table_has_every_event_once(void **state _unused_)
{
        _cleanup_text_ struct text text = {0};
        describe_states(&text);
        for (const struct transition *one = transitions; one->event; one++)
                if (rows_of(&text, one) != 1)
                        fail_msg("%s by %s: %zu rows", state_shown(one->from), one->event,
                                 rows_of(&text, one));
        const struct transition invented = {INCIDENT_HEALED, INCIDENT_RUNNING, "running", false};
        assert_int_equal(rows_of(&text, &invented), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_picture_has_every_way),
                cmocka_unit_test(test_table_has_every_event_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
