/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `runbook_responder export`: what the journal has, as JSON lines for other programs. First a line about the
 * journal and whether it can be believed, then one for each incident, whole, oldest first. One incident at a
 * time is in memory.
 */
#include <errno.h>

#include "responder/commands/arguments.h"
#include "responder/commands/verify.h"
#include "responder/journal/key.h"
#include "responder/report/written.h"
#include "runbook/json.h"

#define PROGRAM "runbook_responder"

/* Asked for, and what comes of it. */
struct export
{
        const struct responder_arguments *arguments;
        struct key_file key;
        struct journal *journal;
        uint64_t rows;
        int verified; /* what journal_verify() answered; its sentence: */
        struct error doubt;
        bool sealed;
};

static int print_line(const cJSON *json, struct error *error)
{
        _cleanup_free_ char *printed = json ? json_print(json) : NULL;
        _cleanup_text_ struct text line = {0};
        if (!printed)
                return error_oom(error);
        text_printf(&line, "%s\n", printed);
        return program_print(&line) == EXIT_FINE ? 0 : error_set(error, EIO, "the export was cut short");
}

/* What can be said of the seals: they are as strong as the key is somewhere else. */
static const char *seals_word(const struct export *export)
{
        return export->verified < 0 ? "broken"
               : !export->sealed    ? "none"
               : export->key.path   ? "hold"
                                    : "not checked";
}

static int print_journal(const struct export *export, struct error *error)
{
        _cleanup_json_ cJSON *line = cJSON_CreateObject();
        char at[TIME_TEXT_MAX];
        if (json_put(line, "type", cJSON_CreateString("journal")) < 0 ||
            json_put(line, "journal", json_text(export->arguments->journal)) < 0 ||
            json_put(line, "version", cJSON_CreateString(RUNBOOK_VERSION)) < 0 ||
            json_put(line, "exported_at", cJSON_CreateString(time_format(clock_wall(), at))) < 0 ||
            json_put(line, "rows", cJSON_CreateNumber((double)export->rows)) < 0 ||
            json_put(line, "holds", cJSON_CreateBool(export->verified >= 0)) < 0 ||
            json_put(line, "seals", cJSON_CreateString(seals_word(export))) < 0 ||
            (export->verified < 0 && json_put(line, "reason", json_text(error_text(&export->doubt))) < 0))
                return error_oom(error);
        return print_line(line, error);
}

static int print_incident(const struct export *export, const char *number, struct error *error)
{
        _cleanup_json_ cJSON *whole = NULL;
        int r = incident_whole(export->journal, number, &whole, error);
        if (r >= 0 && json_put(whole, "type", cJSON_CreateString("incident")) < 0)
                r = error_oom(error);
        return r < 0 ? r : print_line(whole, error);
}

static int print_incidents(const struct export *export, struct error *error)
{
        const struct listing_arguments *listing = &export->arguments->listing;
        const nsec now = clock_wall();
        const nsec since = listing->since > 0 ? now - listing->since : 0;
        const nsec until = listing->until > 0 ? now - listing->until : 0;
        int64_t id = 0;
        int r = 1;
        while (r > 0) {
                _cleanup_free_ char *number = NULL;
                r = journal_next_opened(export->journal, id, since, until, &id, &number, error);
                /* The retention may have let go of it just now. */
                if (r <= 0)
                        return r;
                r = print_incident(export, number, error);
                r = r >= 0 || r == -ENOENT ? 1 : r;
        }
        return r;
}

static bool is_doubt(int verified)
{
        return verified == -EUCLEAN || verified == -ENOKEY || verified == -EKEYREJECTED;
}

/* A journal that does not hold is exported as well: whoever asks what was done to it needs to see it. */
static int verify(struct export *export, struct error *error)
{
        export->verified = journal_verify(export->journal, &export->rows, &export->doubt);
        if (export->verified < 0 && !is_doubt(export->verified))
                return error_move(error, &export->doubt), export->verified;
        int r = journal_is_sealed(export->journal, error);
        if (r < 0)
                return r;
        export->sealed = r > 0;
        return 0;
}

static int run_export(struct export *export, struct error *error)
{
        const struct responder_arguments *arguments = export->arguments;
        int r = key_find(arguments->journal, arguments->journal_key, &export->key, error);
        if (r >= 0)
                r = journal_open_reading(arguments->journal, export->key.path ? &export->key.key : NULL,
                                         &export->journal, error);
        if (r >= 0)
                r = verify(export, error);
        if (r >= 0)
                r = print_journal(export, error);
        return r < 0 ? r : print_incidents(export, error);
}

int command_export(const void *context)
{
        struct export export = {.arguments = context};
        _cleanup_error_ struct error error = {0};
        int r = run_export(&export, &error), status = EXIT_FINE;
        if (r < 0)
                status = program_complain(PROGRAM, &error);
        else if (export.verified < 0)
                status = program_complain(PROGRAM, &export.doubt);
        journal_close(export.journal);
        key_release(&export.key);
        error_clear(&export.doubt);
        return status;
}
