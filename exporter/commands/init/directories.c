/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in directories: backups, told by how they begin, and logs. And buckets, which are only named. */
#include "exporter/commands/init/internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "runbook/clock.h"
#include "runbook/file.h"

#define DEPTH_MAX 4
#define ENTRIES_MAX 20000
#define GROUPS_MAX 12
#define BEGINNING 262 /* of a file: up to where a tar says what it is */
#define DAY 86400
#define LOGS "*.log"

/* Files of one name, or of names that differ in their digits alone. */
struct group {
        char *pattern;
        const char *format; /* as the kind `files` calls it; "any" for what is not known */
        time_t newest;
        off_t size; /* of the newest */
};

struct listing {
        struct group groups[GROUPS_MAX];
        size_t count, entries;
        bool holds_backups;
        dev_t device;
};

static const char *format_of(int directory, const char *name)
{
        char begins[BEGINNING] = "";
        _cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
        ssize_t length = fd < 0 ? -1 : file_read(fd, begins, sizeof(begins));
        static const struct {
                size_t at;
                const char *is, *format;
        } marks[] = {{0, "PGDMP", "postgres"}, {0, "REDIS", "redis"}, {257, "ustar", "tar"}};
        for (size_t i = 0; i < N_ELEMENTS(marks); i++)
                if (length >= (ssize_t)(marks[i].at + strlen(marks[i].is)) &&
                    memcmp(begins + marks[i].at, marks[i].is, strlen(marks[i].is)) == 0)
                        return marks[i].format;
        if (length > 2 && memcmp(begins, "\x1f\x8b", 2) == 0)
                return string_ends(name, ".tar.gz") || string_ends(name, ".tgz") ? "tar" : "gzip";
        return "any";
}

/* "mcp_20261127.dump" is "mcp_*.dump": the next one has another number. */
static char *pattern_of(const char *name)
{
        _cleanup_text_ struct text pattern = {0};
        if (string_ends(name, ".log"))
                return strdup(LOGS);
        for (const char *c = name; *c; c++) {
                if (strchr("*?[\\", *c))
                        text_putc(&pattern, '?');
                else if (!isdigit((unsigned char)*c))
                        text_putc(&pattern, *c);
                else if (!string_ends(text_string(&pattern), "*"))
                        text_putc(&pattern, '*');
        }
        return text_take(&pattern);
}

static void add_file(struct search *search, struct listing *listing, int directory, const char *name,
                     const struct stat *status)
{
        _cleanup_free_ char *pattern = pattern_of(name);
        struct group *group = listing->groups;
        if (!pattern) {
                search->result = -ENOMEM;
                return;
        }
        while (group < listing->groups + listing->count && !string_equal(group->pattern, pattern))
                group++;
        if (group == listing->groups + listing->count) {
                if (listing->count == GROUPS_MAX)
                        return;
                listing->count++;
                *group = (struct group){.pattern = TAKE_PTR(pattern)};
        } else if (status->st_mtime <= group->newest) {
                return;
        }
        group->format = format_of(directory, name);
        group->newest = status->st_mtime;
        group->size = status->st_size;
        listing->holds_backups = listing->holds_backups || !string_equal(group->format, "any");
}

/* Takes the descriptor. Links are not followed, nor other file systems entered. */
static void walk(struct search *search, struct listing *listing, int take, int depth)
{
        struct dirent *entry;
        DIR *directory = fdopendir(take);
        if (!directory) {
                close(take);
                return;
        }
        while ((entry = readdir(directory)) && listing->entries++ < ENTRIES_MAX) {
                struct stat status;
                if (entry->d_name[0] == '.' ||
                    fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                if (S_ISREG(status.st_mode))
                        add_file(search, listing, dirfd(directory), entry->d_name, &status);
                if (!S_ISDIR(status.st_mode) || depth == DEPTH_MAX || status.st_dev != listing->device)
                        continue;
                int below = openat(dirfd(directory), entry->d_name,
                                   O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (below >= 0)
                        walk(search, listing, below, depth + 1);
        }
        closedir(directory);
}

static void propose_logs(struct search *search, const char *path, const char *from)
{
        static const struct check_row row = {"Logs", "log_files", "Log files",
                                             "advice: Delete what is older than 30 days\n"
                                             "cache: 5m\n"
                                             "files: {directories: [\"$(path)\"], pattern: \"" LOGS
                                             "\", recursive: true}\n"
                                             "warn: time() - runbook_files_oldest_timestamp_seconds > 30d\n"
                                             "when_empty: pass  # there may be no log yet\n",
                                             NEEDS_ANSWER};
        init_propose(search, &row, VALUES({"path", path}), "%s holds logs (%s)", path, from);
}

/* How often one is made is told by how old the newest is; of what nobody has made for long, nothing is. */
static void propose_backup(struct search *search, const struct group *group, const char *path,
                           const char *from)
{
        static const struct check_row row = {"Backups", "backup_$(stem)", "Backup: $(pattern)",
                                             "advice: Run the backup by hand, and see why it did not run\n"
                                             "cache: 10m\n"
                                             "timeout: 30s\n"
                                             "files:\n"
                                             "  directories: [\"$(path)\"]\n"
                                             "  recursive: true\n"
                                             "  pattern: \"$(pattern)\"\n"
                                             "  format: $(format)\n"
                                             "  max_age: $(age)\n"
                                             "  min_size: 1B\n"
                                             "  min_count: 1\n",
                                             NEEDS_ANSWER};
        time_t age = time(NULL) - group->newest;
        _cleanup_text_ struct text stem = {0};
        if (age >= 7 * (time_t)DAY || group->size == 0) {
                init_tell(search,
                          "%s/%s: the newest is %lld days old, so it is no backup that anybody waits for",
                          path, group->pattern, (long long)age / DAY);
                return;
        }
        for (const char *c = group->pattern; *c && *c != '.'; c++)
                if (*c != '*')
                        text_putc(&stem, *c);
        while (stem.length > 0 && strchr("_-", stem.data[stem.length - 1]))
                stem.data[--stem.length] = '\0';
        init_propose(search, &row,
                     VALUES({"path", path}, {"pattern", group->pattern}, {"format", group->format},
                            {"stem", stem.length ? text_string(&stem) : "files"},
                            {"age", age < DAY ? "24h" : "7d"}),
                     "%s holds such files (%s)", path, from);
}

static void look_into(struct search *search, const char *path, const char *from, bool must)
{
        struct listing listing = {0};
        struct stat status;
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0) {
                if (must)
                        init_tell(search, "%s: %s", path, error_reason(errno));
                if (fd >= 0)
                        close(fd);
                return;
        }
        listing.device = status.st_dev;
        walk(search, &listing, fd, 0);
        for (size_t i = 0; i < listing.count; i++) {
                if (string_equal(listing.groups[i].pattern, LOGS))
                        propose_logs(search, path, from);
                else if (listing.holds_backups)
                        propose_backup(search, &listing.groups[i], path, from);
                free(listing.groups[i].pattern);
        }
        if (must && listing.count == 0)
                init_tell(search, "%s: no files", path);
}

void find_directories(struct search *search)
{
        static const char *const usual[] = {"/backups", "/backup", "/srv/backups"};
        for (size_t i = 0; i < N_ELEMENTS(usual); i++)
                look_into(search, usual[i], "a usual place", false);
        for (size_t i = 0; i < search->place_count; i++)
                if (search->places[i].kind == PLACE_DIRECTORY)
                        look_into(search, search->places[i].where, search->places[i].from, true);
}

/* Its keys are secrets, so it is not asked: a person puts them where the check reads them. */
void find_buckets(struct search *search)
{
        static const struct check_row row = {"Backups", "backup_s3", "Backups in S3: $(bucket)",
                                             "advice: Look whether the upload went through\n"
                                             "cache: 10m\n"
                                             "timeout: 10s\n"
                                             "s3:\n"
                                             "  endpoint: \"$(endpoint)\"\n"
                                             "  region: \"$(region)\"\n"
                                             "  bucket: \"$(bucket)\"\n"
                                             "  access_key_file: $(secrets)/backup_access_key  # put them "
                                             "there, readable by root alone; or\n"
                                             "  secret_key_file: $(secrets)/backup_secret_key  # "
                                             "${credential:NAME}, handed over by systemd\n"
                                             "  max_age: 24h\n"
                                             "  min_count: 1\n"
                                             "warn: runbook_s3_empty_objects > 0\n",
                                             NEEDS_NOTHING};
        const char *region = init_environment("AWS_REGION") ? init_environment("AWS_REGION") : "us-east-1";
        const char *endpoint = init_environment("AWS_ENDPOINT_URL_S3")
                                       ? init_environment("AWS_ENDPOINT_URL_S3")
                                       : init_environment("AWS_ENDPOINT_URL");
        _cleanup_free_ char *usual = text_format("https://s3.%s.amazonaws.com", region);
        for (size_t i = 0; usual && i < search->place_count; i++) {
                if (search->places[i].kind != PLACE_BUCKET)
                        continue;
                const char *name = search->places[i].where + strlen("s3://");
                _cleanup_free_ char *bucket = strndup(name, strcspn(name, "/"));
                if (bucket && *bucket)
                        init_propose(search, &row,
                                     VALUES({"bucket", bucket}, {"region", region},
                                            {"secrets", "/etc/runbook/secrets"},
                                            {"endpoint", endpoint ? endpoint : usual}),
                                     "%s names it; it was not asked, for its keys are secrets",
                                     search->places[i].from);
        }
}
