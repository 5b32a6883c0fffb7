/* SPDX-License-Identifier: Apache-2.0 */
/* GET /incidents: all there were, by remediation, state, time and words; a page at a time. */
#include <errno.h>
#include <time.h>

#include "responder/web/pages/internal.h"

enum { SHOWN = 30 };

/* What the page is asked for, as it came: shown again in the form, and carried along to the next page. */
struct filter {
        const char *remediation, *state, *text, *since, *until, *before;
};

static const char *given(const struct visit *visit, const char *name)
{
        const char *value = http_query(visit->exchange, name);
        return value && *value ? value : NULL;
}

/* "2026-11-27T03:12", by the clocks of this machine's place. */
static int read_minute(const char *text, nsec *ret, struct error *error)
{
        struct tm parts = {.tm_isdst = -1};
        if (!text)
                return 0;
        const char *end = strptime(text, "%Y-%m-%dT%H:%M", &parts);
        time_t seconds = end && !*end ? mktime(&parts) : -1;
        if (seconds < 0)
                return error_set(error, EINVAL, "\"%s\" is no time: 2026-11-27T03:12 is one.", text);
        /* What is later than any time of the journal is so as well when it is cut. */
        *ret = (seconds < INT64_MAX / NSEC_PER_SEC ? seconds : INT64_MAX / NSEC_PER_SEC) * NSEC_PER_SEC;
        return 0;
}

static int read_search(const struct visit *visit, const struct filter *filter, struct journal_search *ret,
                       struct error *error)
{
        *ret = (struct journal_search){
                .remediation = filter->remediation, .text = filter->text, .limit = SHOWN + 1};
        if (filter->state && incident_state_parse(filter->state, &ret->state) < 0)
                return error_set(error, EINVAL, "There is no state \"%s\".", filter->state);
        int r = read_minute(filter->since, &ret->since, error);
        if (r >= 0)
                r = read_minute(filter->until, &ret->until, error);
        if (r < 0 || !filter->before)
                return r;
        struct incident incident = {0};
        r = journal_find(visit->parts->journal, filter->before, &incident, error);
        ret->before_id = incident.id;
        incident_release(&incident);
        return r;
}

static void put_option(struct text *page, const char *value, const char *name, const char *chosen)
{
        text_puts(page, "<option value=\"");
        html_put(page, value);
        text_puts(page, string_equal(value, chosen) ? "\" selected>" : "\">");
        html_put(page, name);
        text_puts(page, "</option>");
}

static void put_states(const struct filter *filter, struct text *page)
{
        text_puts(page, "<label>How it stands<select name=\"state\">");
        put_option(page, "", "any", filter->state);
        for (enum incident_state state = INCIDENT_RECEIVED; state < INCIDENT_STATE_COUNT; state++) {
                const struct incident like = {.state = state};
                put_option(page, incident_state_name(state), state_phrase(&like), filter->state);
        }
        text_puts(page, "</select></label>\n");
}

static void put_remediations(const struct visit *visit, const struct filter *filter, struct text *page)
{
        const struct remediation_set *set = visit->parts->set;
        bool known = !filter->remediation || remediation_find(set, filter->remediation);
        text_puts(page, "<label>Remediation<select name=\"remediation\">");
        put_option(page, "", "any", filter->remediation);
        for (size_t i = 0; i < set->count; i++)
                put_option(page, set->remediations[i].name, set->remediations[i].name, filter->remediation);
        if (!known)
                put_option(page, filter->remediation, filter->remediation, filter->remediation);
        text_puts(page, "</select></label>\n");
}

static void put_input(struct text *page, const char *label, const char *type, const char *name,
                      const char *value)
{
        text_printf(page, "<label>%s<input type=\"%s\" name=\"%s\" value=\"", label, type, name);
        html_put(page, value);
        text_puts(page, "\"></label>\n");
}

static void put_filter(const struct visit *visit, const struct filter *filter, struct text *page)
{
        text_puts(page,
                  "<form class=\"card filter\" method=\"get\" action=\"/incidents\" role=\"search\">\n");
        put_input(page, "Words", "search", "q", filter->text);
        put_remediations(visit, filter, page);
        put_states(filter, page);
        put_input(page, "Opened since", "datetime-local", "since", filter->since);
        put_input(page, "and before", "datetime-local", "until", filter->until);
        text_puts(page, "<div><button class=\"main\">Find</button></div></form>\n");
}

static void put_row(const struct visit *visit, const struct incident *incident, struct text *page)
{
        text_puts(page, "<li><span>");
        html_put_when(page, incident->opened_at, visit->now);
        text_puts(page, "<br>");
        put_number(page, incident);
        text_puts(page, "</span><div class=\"pairs\"><p>");
        put_sentence(visit, incident, page);
        text_puts(page, "</p><p>");
        put_labels(page, &incident->alert.labels, NULL);
        text_puts(page, "</p></div></li>\n");
}

static void put_parameter(struct text *page, const char *name, const char *value)
{
        if (!value)
                return;
        text_printf(page, "<input type=\"hidden\" name=\"%s\" value=\"", name);
        html_put(page, value);
        text_puts(page, "\">");
}

/* A form, whose fields nobody has to escape for a URL but the browser. */
static void put_next(const struct filter *filter, const struct incident *last, struct text *page)
{
        text_puts(page, "<form method=\"get\" action=\"/incidents\">");
        put_parameter(page, "q", filter->text);
        put_parameter(page, "remediation", filter->remediation);
        put_parameter(page, "state", filter->state);
        put_parameter(page, "since", filter->since);
        put_parameter(page, "until", filter->until);
        put_parameter(page, "before", last->number);
        text_puts(page, "<button>Older ones</button></form>\n");
}

static void put_found(const struct visit *visit, const struct filter *filter,
                      const struct incident_list *list, struct text *page)
{
        size_t count = list->count > SHOWN ? SHOWN : list->count;
        if (count == 0) {
                text_puts(page, "<p class=\"dim\">There is none of that kind.</p>\n");
                return;
        }
        text_puts(page, "<ul class=\"lines\">\n");
        for (size_t i = 0; i < count; i++)
                put_row(visit, &list->items[i], page);
        text_puts(page, "</ul>\n");
        if (list->count > count)
                put_next(filter, &list->items[count - 1], page);
}

void page_history(const struct visit *visit)
{
        const struct filter filter = {given(visit, "remediation"), given(visit, "state"),
                                      given(visit, "q"),           given(visit, "since"),
                                      given(visit, "until"),       given(visit, "before")};
        struct journal_search search;
        struct incident_list list = {0};
        _cleanup_error_ struct error error = {0};
        int r = read_search(visit, &filter, &search, &error);
        if (r >= 0)
                r = journal_search(visit->parts->journal, &search, &list, &error);
        if (r < 0) {
                page_fail(visit, r, &error);
                return;
        }
        struct text page = {0};
        page_begin(visit, "History", "/incidents", 0, &page);
        text_puts(&page, "<h1>History</h1>\n");
        put_filter(visit, &filter, &page);
        put_found(visit, &filter, &list, &page);
        page_send(visit, 200, &page);
        incident_list_release(&list);
}
