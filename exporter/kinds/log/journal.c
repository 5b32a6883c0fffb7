/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journald as a source: the entries of units, read by libsystemd from the journal's files.
 *
 * The place is the cursor of the last entry that was read. The journal is opened anew for each run: that sees
 * files which came and went, and between runs nothing is mapped.
 */
#include "exporter/kinds/log/journal.h"

#include <errno.h>
#include <stdio.h>
#include <systemd/sd-journal.h>

#include "exporter/kinds/shared/unit_name.h"
#include "runbook/state_file.h"
#include "runbook/trace.h"

#define TITLE "runbook journal place 1"
#define START "start" /* instead of a cursor, while there was no entry yet */

static const char *const priorities[] = {"emerg",  "alert", "crit",  "err", "warning",
                                         "notice", "info",  "debug", NULL};
enum { PRIORITY_DEBUG = 7 };
tables_agree(priorities, PRIORITY_DEBUG + 2);

const struct config_field log_journal_fields[] = {
        {"units", CONFIG_STRINGS, offsetof(struct log_journal_config, units),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "Units with their suffix, each counted apart: what they write, and what systemd says of "
                 "them"},
        {"directory", CONFIG_STRING, offsetof(struct log_journal_config, directory),
         .flags = CONFIG_NOT_EMPTY,
         .help = "Where the journal's files are; without it those of this machine, in /var/log/journal and "
                 "/run/log/journal"},
        {"priority", CONFIG_ENUM, offsetof(struct log_journal_config, priority), .choices = priorities,
         .fallback = "debug", .help = "Only entries that are at least so urgent"},
        {0},
};

struct journal {
        const struct log_journal_config *config;
        struct log_source_options options;
        bool begun;   /* the place is known */
        bool unsaved; /* it is not the one in the file */
        char *cursor; /* of the last entry that was read; NULL: none was there */
        bool is_gap;  /* that entry was found missing, and counted */
        uint64_t gaps;
        char *line;
};

static void *journal_free(void *state)
{
        struct journal *journal = state;
        if (!journal)
                return NULL;
        free(journal->cursor);
        free(journal->line);
        free(journal);
        return NULL;
}

static void journal_free_p(struct journal **journal)
{
        journal_free(*journal);
}

static void close_journal_p(sd_journal **opened)
{
        sd_journal_close(*opened);
}

static int fail_with(const struct journal *journal, int r, struct error *error)
{
        return error_set_errno(error, -r, "%s",
                               journal->config->directory ? journal->config->directory : "the journal");
}

/* Entries of services that run as a person's user are in that user's file: all of this machine's are read. */
static int open_files(const struct journal *journal, sd_journal **ret, struct error *error)
{
        const char *directory = journal->config->directory;
        _cleanup_(close_journal_p) sd_journal *opened = NULL;
        uint64_t bytes = 0;
        int r = directory ? sd_journal_open_directory(&opened, directory, 0)
                          : sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY);
        if (r >= 0)
                r = sd_journal_get_usage(opened, &bytes);
        if (r < 0)
                return fail_with(journal, r, error);
        /* Files that may not be read are passed over in silence. */
        if (bytes == 0)
                return error_set(error, ENOENT,
                                 "%s: there is no file of a journal that may be read; is this user in the "
                                 "group systemd-journal?",
                                 directory ? directory : "the journal");
        *ret = TAKE_PTR(opened);
        return 0;
}

static int add_match(sd_journal *opened, const char *field, const char *value)
{
        _cleanup_free_ char *text = text_format("%s=%s", field, value);
        return text ? sd_journal_add_match(opened, text, 0) : -ENOMEM;
}

/* Values of one field are alternatives, fields go together. */
static int match_units(const struct journal *journal, sd_journal *opened, const char *field)
{
        const struct log_journal_config *config = journal->config;
        int r = 0;
        for (size_t i = 0; i < config->units.count && r >= 0; i++)
                r = add_match(opened, field, config->units.items[i]);
        for (int i = 0; config->priority < PRIORITY_DEBUG && i <= config->priority && r >= 0; i++)
                r = add_match(opened, "PRIORITY", (const char[]){(char)('0' + i), '\0'});
        return r;
}

/* As journalctl -u has it: what the units write, or what the system's manager says about them. */
static int add_matches(const struct journal *journal, sd_journal *opened)
{
        int r = match_units(journal, opened, "_SYSTEMD_UNIT");
        if (r >= 0)
                r = sd_journal_add_disjunction(opened);
        if (r >= 0)
                r = match_units(journal, opened, "UNIT");
        return r >= 0 ? add_match(opened, "_PID", "1") : r;
}

static bool is_unit(const struct journal *journal, sd_journal *opened, const char *field, size_t *ret)
{
        const void *data;
        size_t length, name = strlen(field) + 1;
        if (sd_journal_get_data(opened, field, &data, &length) < 0)
                return false;
        for (size_t i = 0; i < journal->config->units.count; i++) {
                const char *unit = journal->config->units.items[i];
                if (strlen(unit) == length - name &&
                    memcmp((const char *)data + name, unit, length - name) == 0) {
                        *ret = i;
                        return true;
                }
        }
        return false;
}

/* An entry is one line: breaks in its message are blanks. One without a message is an empty line. */
static int give_entry(struct journal *journal, sd_journal *opened, log_line_sink each, void *context)
{
        static const char field[] = "MESSAGE=";
        const void *data = field;
        size_t length = strlen(field), unit;
        if (!is_unit(journal, opened, "_SYSTEMD_UNIT", &unit) && !is_unit(journal, opened, "UNIT", &unit))
                return 0;
        int r = sd_journal_get_data(opened, "MESSAGE", &data, &length);
        if (r < 0 && r != -ENOENT)
                return r;
        length -= strlen(field);
        if (length > journal->options.line_limit)
                length = journal->options.line_limit;
        memcpy(journal->line, (const char *)data + strlen(field), length);
        for (size_t i = 0; i < length; i++)
                if (journal->line[i] == '\0' || journal->line[i] == '\n')
                        journal->line[i] = ' ';
        journal->line[length] = '\0';
        each(context, unit, journal->line, length);
        return 0;
}

/* Takes the entry that the journal stands at for the place. */
static int note_cursor(struct journal *journal, sd_journal *opened)
{
        char *cursor = NULL;
        int r = sd_journal_get_cursor(opened, &cursor);
        if (r < 0)
                return r;
        free(journal->cursor);
        journal->cursor = cursor;
        journal->is_gap = false;
        journal->unsaved = true;
        return 0;
}

/* Where to begin: where the last process left it, at the end, or at the start. */
static int find_place(struct journal *journal, sd_journal *opened, struct error *error)
{
        _cleanup_text_ struct text lines = {0};
        int r = journal->options.state_path
                        ? state_file_load(journal->options.state_path, TITLE, &lines, error)
                        : 0;
        if (r < 0)
                return r;
        if (r > 0) {
                char *text = lines.data ? lines.data : (char[]){""};
                text[strcspn(text, "\n")] = '\0';
                if (strcmp(text, START) != 0 &&
                    (!string_starts(text, "s=") || sd_journal_seek_cursor(opened, text) == -EINVAL))
                        return state_file_broken(journal->options.state_path, TITLE, error);
                if (strcmp(text, START) != 0 && !(journal->cursor = strdup(text)))
                        return error_oom(error);
                journal->begun = true;
                return 0;
        }
        if (!journal->options.from_start) {
                r = sd_journal_seek_tail(opened);
                if (r >= 0)
                        r = sd_journal_previous(opened);
                if (r > 0)
                        r = note_cursor(journal, opened);
                if (r < 0)
                        return fail_with(journal, r, error);
        }
        journal->begun = journal->unsaved = true;
        return 0;
}

/* Looks whether the entry that was read last is still there; without matches, so that it does not matter
 * whether it is of one of the units. */
static int check_place(struct journal *journal, sd_journal *opened)
{
        if (!journal->cursor || journal->is_gap)
                return 0;
        int r = sd_journal_seek_cursor(opened, journal->cursor);
        if (r >= 0)
                r = sd_journal_next(opened);
        if (r <= 0)
                return r; /* nothing came since, of which something could have been lost */
        r = sd_journal_test_cursor(opened, journal->cursor);
        if (r == 0) {
                journal->gaps++;
                journal->is_gap = true;
        }
        return r;
}

/* There is always time for one entry. */
static int read_on(struct journal *journal, sd_journal *opened, struct deadline deadline, log_line_sink each,
                   void *context, bool *ret_caught_up)
{
        int r = sd_journal_next(opened);
        if (r > 0 && journal->cursor && sd_journal_test_cursor(opened, journal->cursor) > 0)
                r = sd_journal_next(opened);
        while (r > 0) {
                r = give_entry(journal, opened, each, context);
                if (r >= 0)
                        r = note_cursor(journal, opened);
                if (r >= 0 && deadline_passed(deadline))
                        return 0;
                if (r >= 0)
                        r = sd_journal_next(opened);
        }
        *ret_caught_up = r == 0;
        return r;
}

static int save_cursor(struct journal *journal, struct error *error)
{
        _cleanup_text_ struct text lines = {0};
        if (!journal->options.state_path || !journal->unsaved)
                return 0;
        text_printf(&lines, "%s\n", journal->cursor ? journal->cursor : START);
        int r = state_file_save(journal->options.state_path, TITLE, &lines, error);
        journal->unsaved = r < 0;
        return r;
}

static int journal_run(void *state, struct deadline deadline, struct deadline patience _unused_,
                       log_line_sink each, void *context, bool *ret_caught_up, struct error *error)
{
        struct journal *journal = state;
        _cleanup_(close_journal_p) sd_journal *opened = NULL;
        trace_step(deadline, "opening the journal");
        int r = open_files(journal, &opened, error);
        if (r < 0)
                return r;
        if (!journal->begun) {
                r = find_place(journal, opened, error);
                if (r < 0)
                        return r;
        }
        r = check_place(journal, opened);
        if (r >= 0)
                r = add_matches(journal, opened);
        if (r >= 0)
                r = journal->cursor ? sd_journal_seek_cursor(opened, journal->cursor)
                                    : sd_journal_seek_head(opened);
        if (r >= 0)
                r = sd_journal_set_data_threshold(opened, journal->options.line_limit + strlen("MESSAGE="));
        trace_step(deadline, "reading on from %s", journal->cursor ? "the entry of before" : "its beginning");
        if (r >= 0)
                r = read_on(journal, opened, deadline, each, context, ret_caught_up);
        if (r < 0) {
                (void)save_cursor(journal, NULL);
                return fail_with(journal, r, error);
        }
        return save_cursor(journal, error);
}

static void journal_add_samples(const void *state, struct sample_sink *sink)
{
        const struct journal *journal = state;
        SAMPLE_BARE(sink, &log_family_gaps, (double)journal->gaps);
}

static const struct config_strings *journal_members(const void *configured)
{
        const struct log_journal_config *config = configured;
        return &config->units;
}

static int journal_open(const void *configured, struct config_node *node,
                        const struct log_source_options *options, void **ret_state, struct error *error)
{
        const struct log_journal_config *config = configured;
        _cleanup_(journal_free_p) struct journal *journal = calloc(1, sizeof(*journal));
        bool good = unit_names_check(&config->units, node, "units") &&
                    log_members_check(&config->units, node, "units");
        if (config->directory && config->directory[0] != '/') {
                config_complain(node, "directory", "\"%s\" is not an absolute path", config->directory);
                good = false;
        }
        if (!good)
                return -EINVAL;
        if (!journal || !(journal->line = malloc(options->line_limit + 1)))
                return error_oom(error);
        journal->config = config;
        journal->options = *options;
        *ret_state = TAKE_PTR(journal);
        return 0;
}

const struct log_source_type log_source_journal = {
        .key = "journal",
        .label = "unit",
        .members = journal_members,
        .open = journal_open,
        .run = journal_run,
        .add_samples = journal_add_samples,
        .free = journal_free,
};
