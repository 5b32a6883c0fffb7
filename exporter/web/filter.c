/* SPDX-License-Identifier: Apache-2.0 */
/* Which checks are shown: a form without a script, and at once with it. */
#include <string.h>
#include <strings.h>

#include "exporter/web/internal.h"
#include "runbook/html.h"

static bool is_wrong(enum standing standing)
{
        return standing == STANDING_FAIL || standing == STANDING_WARN || standing == STANDING_UNKNOWN;
}

static bool is_given(const char *value)
{
        return value && *value;
}

bool landing_filter_valid(const struct landing_filter *filter)
{
        bool valid = !is_given(filter->show) || string_equal(filter->show, LANDING_SHOW_WRONG);
        for (size_t i = 0; i < STANDINGS; i++)
                valid |= string_equal(filter->show, standing_styles[i].word);
        return valid;
}

bool filter_is_set(const struct landing_filter *filter)
{
        return is_given(filter->words) || is_given(filter->show);
}

static bool has_word(const struct check_state *state, const char *word)
{
        const struct check *check = state->check;
        const char *const places[] = {check->name, check->title, check->kind->name,
                                      check_state_reason(state)};
        for (size_t i = 0; i < N_ELEMENTS(places); i++)
                if (places[i] && strcasestr(places[i], word))
                        return true;
        return false;
}

bool filter_shows(const struct landing_filter *filter, const struct check_state *state)
{
        const enum standing standing = check_state_standing(state);
        const char *rest = is_given(filter->words) ? filter->words : "";
        if (is_given(filter->show) && (string_equal(filter->show, LANDING_SHOW_WRONG)
                                               ? !is_wrong(standing)
                                               : !string_equal(filter->show, standing_styles[standing].word)))
                return false;
        while (*(rest += strspn(rest, " \t"))) {
                const size_t length = strcspn(rest, " \t");
                _cleanup_free_ char *word = strndup(rest, length);
                if (!word || !has_word(state, word))
                        return false;
                rest += length;
        }
        return true;
}

static void put_option(struct text *text, const char *value, const char *name, const char *chosen)
{
        text_printf(text, "<option value=\"%s\"%s>%s</option>", value,
                    string_equal(value, chosen) ? " selected" : "", name);
}

void filter_put(const struct landing_filter *filter, struct text *text)
{
        const char *show = filter->show ? filter->show : "";
        text_puts(text, "<form class=\"card filter\" method=\"get\" action=\"/\" role=\"search\" data-filter>"
                        "<label>Words<input type=\"search\" name=\"q\" value=\"");
        html_put(text, filter->words);
        text_puts(text, "\"></label><label>How it stands<select name=\"show\">");
        put_option(text, "", "any", show);
        put_option(text, LANDING_SHOW_WRONG, "whatever does not pass", show);
        for (size_t i = STANDINGS; i-- > 0;)
                put_option(text, standing_styles[i].word, standing_styles[i].phrase, show);
        text_puts(text, "</select></label><div><button>Show</button></div></form>\n");
}
