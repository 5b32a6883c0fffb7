/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents, asked of a responder that runs: lists, and all of one. */
#include "responder/commands/incidents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "responder/commands/remote.h"
#include "responder/commands/show.h"
#include "responder/commands/table.h"
#include "responder/journal/key.h"
#include "responder/report/written.h"
#include "runbook/http_client.h"

static const char *const titles[] = {"NUMBER", "OPENED", "", "STATE", "REMEDIATION", "ALERT", NULL};

enum { PAGE = 100, SHOWN = 50, SHOWN_MOST = 100000 };

/* What is looked for, and what was found of it. */
struct search {
        const struct listing_arguments *wanted;
        const char *state; /* of the API; NULL: any */
        bool ended;        /* only what has */
        nsec after;        /* wall */
        size_t limit;
        cJSON *found;
};

/* 1: it is one; 0: it is none; -ERANGE: nor is any that is older. */
static int judge(const struct search *search, const cJSON *incident)
{
        const char *opened = json_string(incident, "opened_at");
        nsec at = 0;
        if (search->after > 0 && opened && time_parse(opened, &at, NULL) >= 0 && at < search->after)
                return -ERANGE;
        if (search->ended && !json_string(incident, "ended_at"))
                return 0;
        return !search->wanted->remediation ||
               string_equal(search->wanted->remediation, json_string(incident, "remediation"));
}

/* Moves what is looked for of a page. 0: there may be more. */
static int take_page(struct search *search, const cJSON *page)
{
        const cJSON *incident;
        cJSON_ArrayForEach(incident, page)
        {
                int r = judge(search, incident);
                if (r < 0)
                        return 1;
                if (r > 0 && json_append(search->found, json_copy(incident)) < 0)
                        return -ENOMEM;
                if ((size_t)cJSON_GetArraySize(search->found) >= search->limit)
                        return 1;
        }
        return 0;
}

static int find(struct remote *remote, struct search *search, struct error *error)
{
        _cleanup_free_ char *before = NULL;
        for (int done = 0; done == 0;) {
                _cleanup_text_ struct text path = {0};
                _cleanup_json_ cJSON *answer = NULL;
                text_printf(&path, "/api/v1/incidents?limit=%d&state=", PAGE);
                text_put_escaped(&path, search->state ? search->state : "");
                if (before) {
                        text_puts(&path, "&before=");
                        text_put_escaped(&path, before);
                }
                if (text_error(&path) < 0)
                        return error_oom(error);
                int r = remote_get(remote, text_string(&path), "incidents", &answer, error);
                if (r < 0)
                        return r;
                done = take_page(search, json_get(answer, "incidents", NULL));
                const char *next = json_string(answer, "next_before");
                char *copy = next ? strdup(next) : NULL;
                if (done < 0 || (next && !copy))
                        return error_oom(error);
                free(before);
                before = copy;
                if (!next)
                        done = 1;
        }
        return 0;
}

static void put_row(struct table *table, const cJSON *incident)
{
        _cleanup_text_ struct text state = {0}, alert = {0}, opened = {0}, age = {0};
        show_state(&state, incident);
        show_alert(&alert, json_get(incident, "alert", NULL));
        show_time(&opened, json_string(incident, "opened_at"));
        show_age(&age, json_string(incident, "opened_at"));
        table_cell(table, json_string(incident, "number"));
        table_cell(table, text_string(&opened));
        table_cell(table, text_string(&age));
        table_cell(table, text_string(&state));
        table_cell(table, json_string(incident, "remediation"));
        table_cell(table, text_string(&alert));
}

int listing_limit(const struct listing_arguments *wanted, size_t *ret, struct error *error)
{
        char *end = NULL;
        unsigned long limit = SHOWN;
        if (wanted->limit)
                limit = strtoul(wanted->limit, &end, 10);
        if (end && (end == wanted->limit || *end || *wanted->limit == '-' || limit < 1 || limit > SHOWN_MOST))
                return error_set(error, EINVAL, "--limit takes a number from 1 to %d", SHOWN_MOST);
        *ret = limit;
        return 0;
}

/* That nothing may be done is to be known before one wonders why nothing is. */
static void put_standing(struct text *text, const cJSON *status)
{
        if (json_bool(status, "paused", false)) {
                text_puts(text, "Paused by ");
                show_string(text, status, "paused_by");
                text_puts(text, " since ");
                show_time(text, json_string(status, "paused_since"));
                const char *reason = json_string(status, "paused_reason");
                text_puts(text, reason && *reason ? ": " : "");
                show_string(text, status, "paused_reason");
                text_puts(text, ". Nothing is begun before: runbook_responder resume\n");
        }
        const cJSON *maintenance = json_get(status, "maintenance", NULL);
        if (cJSON_IsObject(maintenance)) {
                text_puts(text, "Maintenance by ");
                show_string(text, maintenance, "by");
                text_puts(text, " until ");
                show_time(text, json_string(maintenance, "until"));
                text_puts(text, ". Nothing is begun before, or: runbook_responder maintenance --end\n");
        }
        if (json_bool(status, "dry_run", false))
                text_puts(text, "Dry run: plans are made, and nothing is done.\n");
}

static int print_list(const struct responder_arguments *arguments, struct remote *remote, const cJSON *list,
                      const char *none, struct error *error)
{
        if (arguments->json)
                return remote_print_json(list);
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *status = NULL;
        int r = remote_get(remote, "/api/v1/status", "version", &status, error);
        if (r < 0)
                return remote_complain(r, error);
        put_standing(&text, status);
        if (cJSON_GetArraySize(list) > 0)
                table_put_list(titles, list, put_row, &text);
        else
                text_printf(&text, "%s\n", none);
        return program_print(&text);
}

/* Of a list that is newest first, oldest first. */
static cJSON *turn_around(cJSON *take)
{
        cJSON *turned = cJSON_CreateArray();
        for (int i = cJSON_GetArraySize(take) - 1; turned && i >= 0; i--)
                cJSON_AddItemToArray(turned, cJSON_DetachItemFromArray(take, i));
        cJSON_Delete(take);
        return turned;
}

static int list(const struct responder_arguments *arguments, struct search *search, bool oldest_first,
                const char *none)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_remote_ struct remote *remote = NULL;
        search->wanted = &arguments->listing;
        search->found = cJSON_CreateArray();
        int r = search->found ? listing_limit(&arguments->listing, &search->limit, &error)
                              : error_oom(&error);
        if (arguments->listing.since > 0)
                search->after = clock_wall() - arguments->listing.since;
        if (r >= 0)
                r = remote_open(arguments, &remote, &error);
        if (r >= 0)
                r = find(remote, search, &error);
        if (r >= 0 && oldest_first && !(search->found = turn_around(search->found)))
                r = error_oom(&error);
        int status = r < 0 ? remote_complain(r, &error)
                           : print_list(arguments, remote, search->found, none, &error);
        cJSON_Delete(search->found);
        return status;
}

int command_incidents(const void *context)
{
        const struct responder_arguments *arguments = context;
        struct search search = {.state = "open"};
        return list(arguments, &search, true, "Nothing goes on.");
}

int command_history(const void *context)
{
        const struct responder_arguments *arguments = context;
        struct search search = {.state = arguments->listing.state, .ended = true};
        return list(arguments, &search, false, "There was none.");
}

int command_incident(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_remote_ struct remote *remote = NULL;
        _cleanup_text_ struct text path = {0}, text = {0};
        _cleanup_json_ cJSON *incident = NULL;
        int r = remote_put_incident(&path, arguments->program.operand, NULL, &error);
        if (r >= 0)
                r = remote_open(arguments, &remote, &error);
        if (r >= 0)
                r = remote_get(remote, text_string(&path), "number", &incident, &error);
        if (r < 0)
                return remote_complain(r, &error);
        if (arguments->json)
                return remote_print_json(incident);
        show_incident(&text, incident);
        return program_print(&text);
}

/* That what the file has is what was written, as far as can be told: else why not. */
static int prove(struct journal *journal, const struct key_file *key, struct error *why)
{
        uint64_t rows = 0;
        int r = journal_verify(journal, &rows, why);
        if (r < 0 || key->path)
                return r < 0 ? r : journal_is_sealed(journal, why);
        return error_set(why, ENOKEY, "its seals were not checked, for want of their key (--journal.key)");
}

/* A key that is none of its own would let all of it be set aside. */
static int open_file(const struct responder_arguments *arguments, struct key_file *key, struct journal **ret,
                     struct error *why, struct error *error)
{
        int found = key_find(arguments->journal, arguments->journal_key, key, why);
        int r = journal_open_reading(arguments->journal, key->path ? &key->key : NULL, ret, error);
        if (r < 0)
                return r;
        int proven = found < 0 ? found : prove(*ret, key, why);
        if (proven == 0)
                error_set(why, ENOKEY,
                          "nothing of it is sealed: who can write it may have changed any of it");
        if (proven != -EKEYREJECTED)
                return 0;
        *ret = journal_close(*ret);
        return journal_open_reading(arguments->journal, NULL, ret, error);
}

/* Nobody answers, and nobody was named: what the file has is as good, where its seals hold; else the document
 * says why it may not be. */
static int read_journal(const struct responder_arguments *arguments, const char *number, cJSON **ret,
                        struct error *error)
{
        _cleanup_(key_release) struct key_file key = {0};
        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *whole = NULL;
        struct journal *journal = NULL;
        int r = open_file(arguments, &key, &journal, &why, error);
        if (r >= 0)
                r = incident_whole(journal, number, &whole, error);
        if (r >= 0 && why.message && json_put(whole, "unproven", json_text(error_text(&why))) < 0)
                r = error_oom(error);
        journal_close(journal);
        if (r >= 0)
                *ret = TAKE_PTR(whole);
        return r;
}

static int find_whole(const struct responder_arguments *arguments, cJSON **ret, struct error *error)
{
        _cleanup_remote_ struct remote *remote = NULL;
        _cleanup_text_ struct text path = {0};
        _cleanup_error_ struct error from_file = {0};
        int r = remote_put_incident(&path, arguments->program.operand, NULL, error);
        if (r < 0)
                return r;
        r = remote_open(arguments, &remote, error);
        if (r >= 0)
                r = remote_get(remote, text_string(&path), "number", ret, error);
        bool said = r == -EINVAL || r == -ENOENT || r == -ESTALE || r == -EACCES;
        const char *number = strrchr(text_string(&path), '/');
        if (r >= 0 || said || arguments->remote.url || !number ||
            read_journal(arguments, number + 1, ret, &from_file) < 0)
                return r;
        const char *unproven = json_string(*ret, "unproven");
        fprintf(stderr, "runbook_responder: nobody answers; this is what %s has%s%s\n", arguments->journal,
                unproven ? ", and it is not proven: " : "", unproven ? unproven : "");
        return 0;
}

int command_report(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *whole = NULL;
        int r = find_whole(arguments, &whole, &error);
        if (r < 0)
                return remote_complain(r, &error);
        if (arguments->json)
                return remote_print_json(whole);
        report_write(whole, arguments->html ? REPORT_HTML : REPORT_MARKDOWN, &text);
        return program_print(&text);
}
