/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind files: what is in directories, for logs that grow and backups that must be there.
 *
 * Of the newest file it can tell whether it is a backup that can be read. That is looked into once for each
 * file, not at each scrape.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/stat.h>

#include "exporter/check/check.h"
#include "exporter/check/skipped.h"
#include "exporter/kinds/files/backup_format.h"
#include "exporter/kinds/shared/paths.h"
#include "runbook/trace.h"

#define DEPTH_MAX 32   /* each level is an open descriptor */
#define LOOK_EVERY 256 /* entries between looks at the clock */

struct files_config {
        struct config_strings directories;
        char *pattern;
        bool recursive;
        nsec max_age, settle;
        int64_t min_size, min_count;
        int form; /* enum backup_form */
        char *pg_restore;
};

static const struct config_field fields[] = {
        {"directories", CONFIG_STRINGS, offsetof(struct files_config, directories),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "Absolute paths"},
        {"pattern", CONFIG_STRING, offsetof(struct files_config, pattern), .flags = CONFIG_NOT_EMPTY,
         .fallback = "*", .help = "Names of the files to look at, with *, ? and [abc]"},
        {"recursive", CONFIG_BOOL, offsetof(struct files_config, recursive), .fallback = "false",
         .help = "Also in the directories below, on the same file system"},
        {"max_age", CONFIG_DURATION, offsetof(struct files_config, max_age), .fallback = "0s",
         .help = "Fails when the newest file is older, or dated as far ahead; 0s: never"},
        {"min_size", CONFIG_SIZE, offsetof(struct files_config, min_size), .fallback = "0",
         .help = "Fails when the newest file is smaller"},
        {"min_count", CONFIG_INT, offsetof(struct files_config, min_count), .fallback = "0",
         .help = "Fails when there are fewer files"},
        {"format", CONFIG_ENUM, offsetof(struct files_config, form), .choices = backup_forms,
         .fallback = "any",
         .help = "What the newest file must be: pg_dump's (plain, or listed by pg_restore), RDB, tar (also "
                 "in "
                 "gzip), gzip; told by its beginning and end, and in gzip by reading all of it, as far as "
                 "half "
                 "of the timeout allows"},
        {"settle", CONFIG_DURATION, offsetof(struct files_config, settle), .fallback = "0s",
         .help = "Files changed within this time are still being written: counted, but not judged"},
        {"pg_restore", CONFIG_STRING, offsetof(struct files_config, pg_restore),
         .fallback = "/usr/bin/pg_restore", .help = "The program for dumps of PostgreSQL that are not plain"},
        {0},
};

#define FAMILIES(X)                                                                                        \
        X(count_of_files, GAUGE, "runbook_files_present", NULL, "Files in the directory.")                 \
        X(size_bytes, GAUGE, "runbook_files_size_bytes", "bytes", "The sizes of these files together.")    \
        X(empty, GAUGE, "runbook_files_empty", NULL, "Files of these that are empty.")                     \
        X(newest_timestamp, GAUGE, "runbook_files_newest_timestamp_seconds", "seconds",                    \
          "When the newest of them was last written.")                                                     \
        X(oldest_timestamp, GAUGE, "runbook_files_oldest_timestamp_seconds", "seconds",                    \
          "When the oldest of them was last written.")                                                     \
        X(newest_bytes, GAUGE, "runbook_files_newest_size_bytes", "bytes", "The size of the newest file.") \
        X(readable, GAUGE, "runbook_files_newest_readable", NULL,                                          \
          "Whether the newest file is of the format it should be.")                                        \
        X(max_age_seconds, GAUGE, "runbook_files_max_age_seconds", "seconds",                              \
          "The age of the newest file from which on the check fails, when there is one.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

/* The file that was judged last, and what was found. */
struct verdict {
        dev_t device;
        ino_t inode;
        off_t size;
        nsec modified;
        bool known;
        char *reason; /* why it is not readable; NULL when it is */
};

struct files_state {
        const struct files_config *config;
        struct verdict *verdicts; /* one for each directory */
};

static void *files_close(void *state)
{
        struct files_state *files = state;
        if (!files)
                return NULL;
        for (size_t i = 0; files->verdicts && i < files->config->directories.count; i++)
                free(files->verdicts[i].reason);
        free(files->verdicts);
        free(files);
        return NULL;
}

static int files_open(const struct check *check, struct config_node *node, void **ret_state,
                      struct error *error)
{
        const struct files_config *config = check->config;
        if (!paths_check(&config->directories, node, "directories"))
                return -EINVAL;
        if (strchr(config->pattern, '/')) {
                config_complain(node, "pattern", "\"%s\": a pattern is for names, without \"/\"",
                                config->pattern);
                return -EINVAL;
        }
        if (config->min_size < 0 || config->min_count < 0) {
                config_complain(node, config->min_size < 0 ? "min_size" : "min_count",
                                "must not be negative");
                return -EINVAL;
        }
        if (config->pg_restore[0] != '/') {
                config_complain(node, "pg_restore", "\"%s\" is not an absolute path", config->pg_restore);
                return -EINVAL;
        }
        struct files_state *files = calloc(1, sizeof(*files));
        if (!files)
                return error_oom(error);
        files->config = config;
        files->verdicts = calloc(config->directories.count, sizeof(*files->verdicts));
        if (!files->verdicts) {
                files_close(files);
                return error_oom(error);
        }
        *ret_state = files;
        return 0;
}

/* What is found in one directory and, perhaps, below it. */
struct survey {
        const struct files_config *config;
        struct deadline deadline;
        struct sample_sink *sink; /* for what has to be skipped */
        nsec settled;             /* files changed later are not judged */
        dev_t device;
        uint64_t seen; /* entries of all directories */
        uint64_t count, empty;
        double bytes;
        nsec newest, oldest;
        off_t newest_size;
        char *judged; /* the path of the newest settled file; NULL: there is none */
        struct stat judged_status;
};

static void survey_release(struct survey *survey)
{
        free(survey->judged);
}

static nsec modified(const struct stat *status)
{
        return (nsec)status->st_mtim.tv_sec * NSEC_PER_SEC + status->st_mtim.tv_nsec;
}

static int count_file(struct survey *survey, const char *directory, const char *name,
                      const struct stat *status)
{
        nsec time = modified(status);
        if (survey->count == 0 || time < survey->oldest)
                survey->oldest = time;
        if (survey->count == 0 || time >= survey->newest) {
                survey->newest = time;
                survey->newest_size = status->st_size;
        }
        survey->count++;
        survey->empty += status->st_size == 0;
        survey->bytes += (double)status->st_size;
        if (time > survey->settled || (survey->judged && time < modified(&survey->judged_status)))
                return 0;
        free(survey->judged);
        survey->judged = text_format("%s/%s", directory, name);
        survey->judged_status = *status;
        return survey->judged ? 0 : -ENOMEM;
}

/*
 * The operator's own directory (depth 0) must be readable; what is below it costs itself alone, as lost+found
 * does. That the process has no more descriptors or memory is no matter of the item.
 */
static int skip_or_fail(struct survey *survey, unsigned depth, int code, const char *path,
                        struct error *error)
{
        if (depth == 0 || code == EMFILE || code == ENFILE || code == ENOMEM) {
                int r = error_set_errno(error, code, "%s", path);
                return code == ENOENT ? error_not_set_up(error, r) : r;
        }
        check_skip(survey->sink, SKIP_UNREADABLE, "%s: %s", path, strerrordesc_np(code));
        return 0;
}

static int walk_directory(struct survey *survey, int parent, const char *name, const char *path,
                          unsigned depth, struct error *error);

static int refuse_entry(struct survey *survey, unsigned depth, int code, const char *path, const char *name,
                        struct error *error)
{
        _cleanup_free_ char *entry = text_format("%s/%s", path, name);
        return entry ? skip_or_fail(survey, depth, code, entry, error) : error_oom(error);
}

/* What is gone again when it is looked at was never there. */
static int look_at(struct survey *survey, int fd, const char *path, const char *name, unsigned depth,
                   struct error *error)
{
        struct stat status;
        if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : refuse_entry(survey, depth, errno, path, name, error);
        if (S_ISDIR(status.st_mode) && survey->config->recursive && status.st_dev == survey->device) {
                _cleanup_free_ char *below = text_format("%s/%s", path, name);
                return below ? walk_directory(survey, fd, name, below, depth + 1, error) : error_oom(error);
        }
        if (!S_ISREG(status.st_mode) || fnmatch(survey->config->pattern, name, 0) != 0)
                return 0;
        return count_file(survey, path, name, &status) < 0 ? error_oom(error) : 0;
}

static void directory_close_p(DIR **directory)
{
        if (*directory)
                closedir(*directory);
}

static int walk_directory(struct survey *survey, int parent, const char *name, const char *path,
                          unsigned depth, struct error *error)
{
        _cleanup_(directory_close_p) DIR *directory = NULL;
        struct stat status;
        if (depth > DEPTH_MAX) {
                check_skip(survey->sink, SKIP_BEYOND_LIMIT, "%s: more than %d directories deep", path,
                           DEPTH_MAX);
                return 0;
        }
        /* Below the operator's own directory no link is followed. */
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth > 0 ? O_NOFOLLOW : 0));
        if (fd < 0)
                return depth > 0 && errno == ENOENT ? 0 : skip_or_fail(survey, depth, errno, path, error);
        directory = fdopendir(fd);
        if (!directory) {
                close(fd);
                return error_oom(error);
        }
        if (depth == 0 && fstat(fd, &status) == 0)
                survey->device = status.st_dev;
        for (const struct dirent *entry; errno = 0, (entry = readdir(directory));) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (++survey->seen % LOOK_EVERY == 0 && deadline_passed(survey->deadline))
                        return error_set(error, ETIMEDOUT, "%s: too many files for the time", path);
                int r = look_at(survey, fd, path, entry->d_name, depth, error);
                if (r < 0)
                        return r;
        }
        return errno == 0 ? 0 : skip_or_fail(survey, depth, errno, path, error);
}

static bool is_same(const struct verdict *verdict, const struct stat *status)
{
        return verdict->known && verdict->device == status->st_dev && verdict->inode == status->st_ino &&
               verdict->size == status->st_size && verdict->modified == modified(status);
}

/* Looks into a file unless that was done before. -EBADMSG when it is not what it should be. */
static int judge_files(const struct files_config *config, const struct survey *survey,
                       struct verdict *verdict, struct error *error)
{
        _cleanup_error_ struct error reason = {0};
        if (!is_same(verdict, &survey->judged_status)) {
                int r = backup_check((enum backup_form)config->form, survey->judged, config->pg_restore,
                                     survey->deadline, &reason);
                if (r < 0 && r != -EBADMSG) {
                        error_move(error, &reason);
                        return r;
                }
                free(verdict->reason);
                *verdict = (struct verdict){.device = survey->judged_status.st_dev,
                                            .inode = survey->judged_status.st_ino,
                                            .size = survey->judged_status.st_size,
                                            .modified = modified(&survey->judged_status),
                                            .known = true};
                if (r < 0)
                        verdict->reason = TAKE_PTR(reason.message);
        }
        return verdict->reason ? error_failed(error, error_set(error, EBADMSG, "%s", verdict->reason)) : 0;
}

static void add_survey(const struct survey *survey, const char *directory, struct sample_sink *sink)
{
        SAMPLE(sink, &count_of_files, (double)survey->count, {"directory", directory});
        SAMPLE(sink, &size_bytes, survey->bytes, {"directory", directory});
        SAMPLE(sink, &empty, (double)survey->empty, {"directory", directory});
        if (survey->config->max_age > 0)
                SAMPLE(sink, &max_age_seconds, nsec_to_seconds(survey->config->max_age),
                       {"directory", directory});
        if (survey->count == 0)
                return;
        SAMPLE(sink, &newest_timestamp, nsec_to_seconds(survey->newest), {"directory", directory});
        SAMPLE(sink, &oldest_timestamp, nsec_to_seconds(survey->oldest), {"directory", directory});
        SAMPLE(sink, &newest_bytes, (double)survey->newest_size, {"directory", directory});
}

/* What the check demands, in the order of how much is wrong. */
static int demand_files(const struct survey *survey, const char *directory, struct error *error)
{
        const struct files_config *config = survey->config;
        bool judging = config->max_age > 0 || config->min_size > 0 || config->form != BACKUP_ANY;
        char age[DURATION_TEXT_MAX];
        if (survey->count == 0 && (judging || config->min_count > 0))
                return error_set(error, ENOENT, "%s: there is no file %s", directory, config->pattern);
        if (survey->count < (uint64_t)config->min_count)
                return error_set(error, ENOENT, "%s: there are %llu files, %lld are demanded", directory,
                                 (unsigned long long)survey->count, (long long)config->min_count);
        if (config->max_age > 0 && clock_wall() - survey->newest > config->max_age)
                return error_set(error, ESTALE, "%s: the newest file is older than %s", directory,
                                 duration_format(config->max_age, age));
        /* A clock that went wrong once would make it fresh for years. */
        if (config->max_age > 0 && survey->newest - clock_wall() > config->max_age)
                return error_set(error, ESTALE, "%s: the newest file is dated more than %s ahead", directory,
                                 duration_format(config->max_age, age));
        if (survey->judged && survey->judged_status.st_size < (off_t)config->min_size)
                return error_set(error, ENODATA, "%s has %lld bytes, %lld are demanded", survey->judged,
                                 (long long)survey->judged_status.st_size, (long long)config->min_size);
        return 0;
}

static int run_directory(const struct files_config *config, const char *directory, struct verdict *verdict,
                         struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        _cleanup_(survey_release) struct survey survey = {.config = config,
                                                          .deadline = deadline,
                                                          .sink = sink,
                                                          .settled = clock_wall() - config->settle};
        _cleanup_error_ struct error unreadable = {0};
        int judged = 0;
        int r = walk_directory(&survey, AT_FDCWD, directory, directory, 0, error);
        if (r < 0)
                return r;
        add_survey(&survey, directory, sink);
        if (config->form != BACKUP_ANY && survey.judged) {
                judged = judge_files(config, &survey, verdict, &unreadable);
                if (judged == 0 || judged == -EBADMSG)
                        SAMPLE(sink, &readable, judged == 0, {"directory", directory});
        }
        r = error_failed(error, demand_files(&survey, directory, error));
        if (r == 0 && judged < 0) {
                error_move(error, &unreadable);
                return judged;
        }
        return r;
}

/* Goes on after a failure: the other directories are still worth telling. */
static int files_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct files_state *files = state;
        bool any = false;
        int result = 0;
        for (size_t i = 0; i < files->config->directories.count; i++) {
                _cleanup_error_ struct error reason = {0};
                trace_step(deadline, "looking through %s", files->config->directories.items[i]);
                int r = run_directory(files->config, files->config->directories.items[i], &files->verdicts[i],
                                      deadline, sink, &reason);
                any |= r >= 0;
                result = error_keep_worse(error, result, &reason, r);
        }
        /* One of several that is missing is not the check. */
        if (any && error)
                error->not_set_up = false;
        return result;
}

/* pg_restore is asked for the list of a dump. */
static enum check_programs files_programs(const void *config)
{
        const struct files_config *files = config;
        return files->form == BACKUP_POSTGRES ? CHECK_STARTS_READERS : CHECK_STARTS_NOTHING;
}

/* The labels of its families. */
static const char *const labels[] = {"directory", NULL};

const struct check_kind check_kind_files = {
        .name = "files",
        .help = "How many files there are in directories, how large and how old, and whether the newest is a "
                "backup that can be read.",
        .fields = fields,
        .config_size = sizeof(struct files_config),
        .families = families,
        .labels = labels,
        .open = files_open,
        .run = files_run,
        .close = files_close,
        .programs = files_programs,
        .indirect = true,
};
