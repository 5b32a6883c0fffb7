/* SPDX-License-Identifier: Apache-2.0 */
/* Whether somebody else has changed the journal, and a copy of it. */
#include "responder/commands/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "responder/commands/arguments.h"
#include "responder/journal/key.h"
#include "runbook/text.h"

#define PROGRAM "runbook_responder"

/* "46:2713489123459", as metric, log and verify have it. */
static int parse_head(const char *text, struct journal_head *ret, struct error *error)
{
        int end = 0;
        int got = sscanf(text, "%" SCNd64 ":%" SCNu64 "%n", &ret->rows, &ret->digest, &end);
        if (got == 2 && ret->rows >= 0 && !text[end])
                return 0;
        return error_set(error, EINVAL, "--head is ROWS:DIGEST, as the log and the metrics have it");
}

struct verified {
        uint64_t rows;
        struct journal_head head;
        bool sealed;
};

static int verify_open(struct journal *journal, const char *witness, struct verified *ret,
                       struct error *error)
{
        struct journal_head seen;
        int r = journal_verify(journal, &ret->rows, error);
        if (r >= 0 && witness) {
                r = parse_head(witness, &seen, error);
                if (r >= 0)
                        r = journal_check_head(journal, &seen, error);
        }
        if (r >= 0)
                r = journal_head(journal, &ret->head, error);
        if (r >= 0)
                r = journal_is_sealed(journal, error);
        ret->sealed = r > 0;
        return r < 0 ? r : 0;
}

static int verify(const struct responder_arguments *arguments, const struct key_file *key,
                  struct verified *ret, struct error *error)
{
        struct journal *journal = NULL;
        int r = journal_open_reading(arguments->journal, key->path ? &key->key : NULL, &journal, error);
        if (r >= 0)
                r = verify_open(journal, arguments->head, ret, error);
        journal_close(journal);
        if (r >= 0 && key->path && !ret->sealed)
                return error_set(error, EUCLEAN,
                                 "nothing of it is sealed by %s: it is of a version before there were keys, "
                                 "or of somebody else",
                                 key->path);
        return r;
}

static void describe(const struct responder_arguments *arguments, const struct key_file *key,
                     const struct verified *verified, struct text *text)
{
        text_printf(text, "%s: %" PRIu64 " rows, the chain holds\n", arguments->journal, verified->rows);
        if (key->path)
                text_printf(text, "every row of what decides has its seal by %s\n", key->path);
        else if (verified->sealed)
                text_puts(text, "without the key (--journal.key) this shows accidents alone\n");
        else
                text_puts(text,
                          "it is of a version before there were seals: who can write it may have changed "
                          "any of it\n");
        text_printf(text, "its head is %" PRId64 ":%" PRIu64 "; %s\n", verified->head.rows,
                    verified->head.digest,
                    arguments->head ? "the witness has seen this journal"
                                    : "that all of it was put back as it was before, only a head shows that "
                                      "was noted elsewhere (--head)");
}

int command_verify(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        _cleanup_(key_release) struct key_file key = {0};
        struct verified verified = {0};
        int r = key_find(arguments->journal, arguments->journal_key, &key, &error);
        if (r >= 0)
                r = verify(arguments, &key, &verified, &error);
        if (r < 0)
                return program_complain(PROGRAM, &error);
        describe(arguments, &key, &verified, &text);
        return program_print(&text);
}

int command_backup(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        _cleanup_(key_release) struct key_file key = {0};
        uint64_t rows = 0;
        int r = key_find(arguments->journal, arguments->journal_key, &key, &error);
        if (r >= 0)
                r = journal_backup(arguments->journal, key.path ? &key.key : NULL, arguments->program.operand,
                                   &rows, &error);
        if (r < 0)
                return program_complain(PROGRAM, &error);
        text_printf(&text, "%s: %" PRIu64 " rows, the chain holds\n", arguments->program.operand, rows);
        return program_print(&text);
}
