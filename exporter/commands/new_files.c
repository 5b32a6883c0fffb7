/* SPDX-License-Identifier: Apache-2.0 */
/* What init found, tried by the checks themselves and written down. */
#include "exporter/commands/new_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "exporter/commands/alerts.h"
#include "exporter/commands/difference.h"
#include "runbook/file.h"

#define PATH_SIZE 64

/* The text under a path that can be opened, without a file anywhere. */
static int open_in_memory(const struct text *text, char path[static PATH_SIZE], int *ret_fd,
                          struct error *error)
{
        _cleanup_close_ int fd = memfd_create("checks.yml", MFD_CLOEXEC);
        if (fd < 0)
                return error_set_errno(error, errno, "memfd_create");
        int r = file_write(fd, text->data, text->length);
        if (r < 0)
                return error_set_errno(error, -r, "a file in memory");
        snprintf(path, PATH_SIZE, "/proc/self/fd/%d", fd);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int put_checks(const struct proposals *proposals, struct text *text, struct error *error)
{
        init_put_checks(proposals, text);
        return text_error(text) < 0 ? error_oom(error) : 0;
}

/* The checks of what was found, and their text. */
static int load_found(const struct proposals *proposals, struct text *text, struct check_set **ret,
                      struct error *error)
{
        _cleanup_close_ int fd = -1;
        char path[PATH_SIZE];
        int r = put_checks(proposals, text, error);
        if (r >= 0)
                r = open_in_memory(text, path, &fd, error);
        return r < 0 ? r : check_set_load(path, NULL, ret, error);
}

static const struct check_state *state_of(const struct once *once, const char *name)
{
        for (size_t i = 0; i < once->set->count; i++)
                if (string_equal(once->states[i].check->name, name))
                        return &once->states[i];
        return NULL;
}

/* Why the proposal is not to be written; NULL: it is. */
static const char *objection(const struct proposal *one, const struct check_state *state)
{
        const struct check_result *result = state ? state->result : NULL;
        if (one->needs == NEEDS_NOTHING)
                return NULL;
        if (!result || state->overdue)
                return "it did not answer in time";
        if (result->code < 0)
                return check_state_reason(state);
        if (one->needs == NEEDS_SERIES && result->samples.count == 0)
                return "there is nothing to measure yet";
        return NULL;
}

int new_files_try(struct proposals *proposals, struct error *error)
{
        _cleanup_text_ struct text checks = {0};
        _cleanup_close_ int fd = -1;
        _cleanup_(once_free_p) struct once *once = NULL;
        char path[PATH_SIZE];
        int r = put_checks(proposals, &checks, error);
        if (r >= 0)
                r = open_in_memory(&checks, path, &fd, error);
        if (r >= 0)
                r = once_run(path, NULL, NULL, NULL, &once, error);
        for (size_t i = 0; r >= 0 && i < proposals->count; i++) {
                struct proposal *one = &proposals->items[i];
                const char *why = objection(one, state_of(once, one->name));
                one->dropped = why;
                if (why)
                        text_printf(&proposals->told, "%s: left out: %s\n", one->name, why);
        }
        return r >= 0 && text_error(&proposals->told) < 0 ? error_oom(error) : r;
}

enum { CHECKS, ALERTS, REMEDIATIONS, FILES };
static const char *const names[] = {
        [CHECKS] = "checks.yml", [ALERTS] = "alerts.yml", [REMEDIATIONS] = "remediations.yml"};
tables_agree(names, FILES);

/* The alerts are those that the command `alerts` writes from the checks. */
static int make_texts(const struct proposals *proposals, struct text texts[static FILES], struct error *error)
{
        _cleanup_(check_set_free_p) struct check_set *set = NULL;
        init_put_remediations(proposals, &texts[REMEDIATIONS]);
        int r = load_found(proposals, &texts[CHECKS], &set, error);
        if (r >= 0 &&
            (alerts_print(set, NULL, false, &texts[ALERTS]) < 0 || text_error(&texts[REMEDIATIONS]) < 0))
                r = error_oom(error);
        return r;
}

/* All of them, or none: half of a set that was there before goes with nothing. */
static int refuse_what_is_there(char *const paths[static FILES], struct error *error)
{
        for (size_t i = 0; i < FILES; i++)
                if (access(paths[i], F_OK) == 0)
                        return error_set(error, EEXIST,
                                         "%s is there already, and is never written over; `init --diff "
                                         "--config.file=FILE` tells what is new",
                                         paths[i]);
        return 0;
}

static int write_texts(const struct text texts[static FILES], char *const paths[static FILES],
                       struct text *report, struct error *error)
{
        int r = refuse_what_is_there(paths, error);
        if (r >= 0)
                r = file_make_directories(paths[CHECKS], error);
        for (size_t i = 0; r >= 0 && i < FILES; i++) {
                r = file_make(paths[i], texts[i].data, texts[i].length, 0644, error);
                if (r >= 0)
                        text_printf(report, "wrote %s\n", paths[i]);
        }
        return r;
}

static bool make_paths(const char *directory, char *paths[static FILES])
{
        for (size_t i = 0; i < FILES; i++) {
                paths[i] = text_format("%s/%s", directory, names[i]);
                if (!paths[i])
                        return false;
        }
        return true;
}

int new_files_write(const struct proposals *proposals, const char *directory, struct text *report,
                    struct error *error)
{
        struct text texts[FILES] = {{0}};
        char *paths[FILES] = {NULL};
        int r = make_texts(proposals, texts, error);
        if (r >= 0)
                r = make_paths(directory, paths) ? write_texts(texts, paths, report, error)
                                                 : error_oom(error);
        for (size_t i = 0; i < FILES; i++) {
                free(paths[i]);
                text_free(&texts[i]);
        }
        return r;
}

ssize_t new_files_compare(const struct proposals *proposals, const char *path, struct text *report,
                          struct error *error)
{
        _cleanup_text_ struct text text = {0};
        _cleanup_(check_set_free_p) struct check_set *found = NULL;
        _cleanup_(once_free_p) struct once *theirs = NULL;
        int r = load_found(proposals, &text, &found, error);
        if (r >= 0)
                r = once_run(path, NULL, NULL, NULL, &theirs, error);
        if (r < 0)
                return r;
        size_t differ = difference_put(proposals, found, theirs, report);
        return text_error(report) < 0 ? error_oom(error) : (ssize_t)differ;
}
