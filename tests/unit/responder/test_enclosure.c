/* SPDX-License-Identifier: Apache-2.0 */
/* The responder's sandbox: what is written below the journal's directory, SQLite's spills included, and
 * elsewhere. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "responder/enclosure.h"
#include "runbook/text.h"

static char directory[] = "/tmp/runbook-enclosure-XXXXXX";

static const char remediations[] = "escalate_to: nobody\n"
                                   "evidence_directory: %s/evidence\n"
                                   "remediations:\n"
                                   "  - {name: a, match: ['alertname=\"a\"'], steps: [{host.memory: {}}]}\n";

static int make_place(void **state _unused_)
{
        assert_non_null(mkdtemp(directory));
        _cleanup_free_ char *path = text_format("%s/remediations.yml", directory);
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        fprintf(file, remediations, directory);
        fclose(file);
        return 0;
}

static int remove_place(void **state _unused_)
{
        _cleanup_free_ char *command = text_format("rm -rf %s", directory);
        assert_int_equal(system(command), 0);
        return 0;
}

/* A sort of 8 MiB with a cache of 40 KiB; SQLite's result. */
static int sort_much(const char *journal)
{
        sqlite3 *database = NULL;
        int r = sqlite3_open(journal, &database);
        if (r == SQLITE_OK)
                r = sqlite3_exec(
                        database,
                        "PRAGMA cache_size = 10;"
                        "CREATE TABLE much AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
                        "n WHERE i < 8192) SELECT randomblob(1024) AS b FROM n;"
                        "CREATE TABLE sorted AS SELECT b FROM much ORDER BY b;",
                        NULL, NULL, NULL);
        sqlite3_close(database);
        return r;
}

static bool can_make(const char *path)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0)
                close(fd);
        return fd >= 0;
}

/* What did not go as it has to, by number; by a process of its own, for nothing comes back. */
static int work_inside(void)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *journal = text_format("%s/kept/journal.db", directory);
        _cleanup_free_ char *config = text_format("%s/remediations.yml", directory);
        _cleanup_free_ char *tokens = text_format("%s/tokens", directory);
        _cleanup_free_ char *token = text_format("%s/tokens/alerts", directory);
        _cleanup_free_ char *evidence = text_format("%s/evidence/log", directory);
        _cleanup_free_ char *elsewhere = text_format("%s/elsewhere", directory);
        _cleanup_free_ char *here = text_format("%s/evidence", directory);
        const struct enclosure_places places = {.journal = journal, .tokens = tokens};
        struct enclosure enclosure = {.sandbox = {.mode = "auto"}};
        int failed = 0;
        if (enclosure_read(&enclosure, config, &error) < 0 ||
            enclosure_enter(&enclosure, &places, &error) < 0)
                failed = 1;
        else if (string_equal(enclosure.sandbox.landlock, "none"))
                failed = 2;
        else if (!can_make(token) || !can_make(evidence))
                failed = 3;
        else if (can_make(elsewhere) || can_make("/var/tmp/runbook-enclosure"))
                failed = 4;
        else if (sort_much(journal) != SQLITE_OK)
                failed = 5;
        else if (enclosure_seal(&enclosure, &error) < 0)
                failed = 6;
        else if (enclosure_admit(&enclosure, here, &error) < 0 ||
                 enclosure_admit(&enclosure, elsewhere, &error) != -EPERM)
                failed = 7;
        enclosure_release(&enclosure);
        return failed;
}

static void test_work_inside(void **state _unused_)
{
        int status = 0;
        pid_t pid = fork();
        if (pid == 0)
                _exit(work_inside());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_work_inside, make_place, remove_place),
        };
        return cmocka_run_group_tests_name("enclosure", tests, NULL, NULL);
}
