/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: which files an incident has saved, and what stands in one, for who has said who he is. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "responder/web/pages/internal.h"
#include "runbook/assert.h"

/* Shown within the page is its end alone; what is fetched is the whole, or so much of its end. */
enum { INLINE_MOST = 32 * 1024, FETCH_MOST = 16 * 1024 * 1024 };

#define PARAMETER_FILE "file"
#define PARAMETER_WHOLE "whole"

static bool is_listed(const cJSON *file)
{
        return json_string(file, "path") != NULL;
}

/* Calls `each` for every file, counted from 1 over all steps. */
static void each_file(const struct incident *incident,
                      void (*each)(void *context, size_t number, const cJSON *file), void *context)
{
        static const char *const lists[] = {"files", "unreadable"};
        size_t number = 0;
        for (size_t i = 0; i < incident->step_count; i++)
                for (size_t k = 0; k < N_ELEMENTS(lists); k++) {
                        const cJSON *file;
                        cJSON_ArrayForEach(file, json_get(incident->steps[i].outcome, lists[k], NULL))
                        {
                                if (is_listed(file))
                                        each(context, ++number, file);
                        }
                }
}

struct listing {
        const struct visit *visit;
        const struct incident *incident;
        struct text *page;
};

static void put_file(void *context, size_t number, const cJSON *file)
{
        const struct listing *listing = context;
        struct text *page = listing->page;
        if (number == 1)
                text_puts(page, "<h2>Evidence</h2>\n<ul class=\"lines\">\n");
        text_puts(page, "<li><span>");
        if (listing->visit->who)
                text_printf(page, "<a href=\"/incidents/%s/evidence?" PARAMETER_FILE "=%zu\">",
                            listing->incident->number, number);
        html_put_line(page, json_string(file, "container"), WORD_MOST);
        text_puts(page, listing->visit->who ? "</a>" : "");
        text_printf(page, "<br><small>%.0f bytes</small></span><p><code>", json_number(file, "bytes", 0));
        html_put_line(page, json_string(file, "path"), SENTENCE_MOST);
        text_puts(page, "</code><br><small>SHA-256 ");
        html_put_line(page, json_string(file, "sha256"), WORD_MOST);
        text_puts(page, json_bool(file, "cut", false) ? ", cut</small></p></li>\n" : "</small></p></li>\n");
}

static void count_file(void *context, size_t number, const cJSON *file _unused_)
{
        size_t *count = context;
        *count = number;
}

void put_evidence(const struct visit *visit, const struct incident *incident, struct text *page)
{
        struct listing listing = {visit, incident, page};
        size_t count = 0;
        each_file(incident, count_file, &count);
        each_file(incident, put_file, &listing);
        if (count > 0)
                text_puts(page, "</ul>\n");
}

struct wanted {
        size_t number;
        const char *path; /* NULL: there is none of that number */
};

static void find_file(void *context, size_t number, const cJSON *file)
{
        struct wanted *wanted = context;
        if (number == wanted->number)
                wanted->path = json_string(file, "path");
}

/* Whether a path of the journal leads into the directory of evidence, and to no other place. */
static bool is_evidence(const struct visit *visit, const char *path)
{
        const char *directory = visit->parts->set->targets.evidence_directory;
        size_t length = strlen(directory);
        return strncmp(path, directory, length) == 0 && path[length] == '/' && !strstr(path, "/../");
}

/* The end of the file, at most so many bytes of it. */
static int read_end(const char *path, size_t most, struct text *ret, off_t *ret_size, struct error *error)
{
        struct stat status;
        char buffer[16384];
        _cleanup_close_ int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (file < 0 || fstat(file, &status) < 0)
                return error_set_errno(error, errno, "%s", path);
        if (!S_ISREG(status.st_mode))
                return error_set(error, EINVAL, "%s is no file", path);
        off_t at = status.st_size > (off_t)most ? status.st_size - (off_t)most : 0;
        while (ret->length < most) {
                ssize_t got = pread(file, buffer, sizeof(buffer), at);
                if (got < 0)
                        return error_set_errno(error, errno, "%s", path);
                if (got == 0)
                        break;
                size_t room = most - ret->length;
                text_append(ret, buffer, (size_t)got < room ? (size_t)got : room);
                at += got;
        }
        *ret_size = status.st_size;
        return text_error(ret) < 0 ? error_oom(error) : 0;
}

/* As text that is saved: no browser shows it. */
static void send_whole(const struct visit *visit, const char *path, struct text *take)
{
        const char *slash = strrchr(path, '/');
        _cleanup_text_ struct text name = {0};
        for (const char *c = slash ? slash + 1 : path; *c; c++)
                text_putc(&name, strchr("\"\\;%", *c) || (unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e
                                         ? '_'
                                         : *c);
        http_set_header(visit->exchange, "Content-Disposition",
                        text_format("attachment; filename=\"%s-%s\"", http_path_parameter(visit->exchange),
                                    text_string(&name)));
        http_set_header(visit->exchange, "Cache-Control", strdup("no-store"));
        http_reply(visit->exchange, 200, HTTP_TYPE_TEXT, take);
}

/* Lines as they were, but for what moves a cursor or turns a line around. */
static void send_page(const struct visit *visit, const char *path, size_t number, off_t size,
                      struct text *end)
{
        _cleanup_text_ struct text lines = {0};
        struct text page = {0};
        /* A NUL would end it for everything that is a C string. */
        for (size_t i = 0; i < end->length; i++)
                if (end->data[i] == '\0')
                        end->data[i] = ' ';
        text_put_lines(&lines, text_string(end));
        page_begin(visit, "Evidence", NULL, 0, &page);
        text_puts(&page, "<h1>Evidence of <a class=\"num\" href=\"/incidents/");
        html_put(&page, http_path_parameter(visit->exchange));
        text_puts(&page, "\">");
        html_put(&page, http_path_parameter(visit->exchange));
        text_puts(&page, "</a></h1>\n<p><code>");
        html_put_line(&page, path, SENTENCE_MOST);
        text_puts(&page, "</code></p>\n<p>");
        if (size > (off_t)end->length)
                text_printf(&page, "The last %zu bytes of %lld. ", end->length, (long long)size);
        text_puts(&page, "<a href=\"/incidents/");
        html_put(&page, http_path_parameter(visit->exchange));
        text_printf(&page, "/evidence?" PARAMETER_FILE "=%zu&amp;" PARAMETER_WHOLE "=1\">Save it</a></p>\n",
                    number);
        text_puts(&page, "<pre tabindex=\"0\" aria-label=\"The file\">");
        html_put(&page, text_string(&lines));
        text_puts(&page, "</pre>\n");
        page_send(visit, 200, &page);
}

static int find_evidence(const struct visit *visit, const struct incident *incident, struct wanted *ret,
                         struct error *error)
{
        const char *number = http_query(visit->exchange, PARAMETER_FILE);
        ret->number = number ? strtoul(number, NULL, 10) : 0;
        each_file(incident, find_file, ret);
        if (!ret->path)
                return error_set(error, ENOENT, "%s has saved no such file.", incident->number);
        return is_evidence(visit, ret->path)
                       ? 0
                       : error_set(error, EACCES, "%s is not where evidence lies now: look there yourself.",
                                   ret->path);
}

void page_evidence(const struct visit *visit)
{
        struct incident incident = {0};
        _cleanup_json_ cJSON *timeline = NULL;
        _cleanup_error_ struct error error = {0};
        struct text end = {0};
        struct wanted wanted = {0};
        off_t size = 0;
        bool whole = http_query(visit->exchange, PARAMETER_WHOLE) != NULL;
        /* Incidents anybody on this machine may read; the logs of services not. */
        int r = visit->who ? 0
                           : error_set(&error, EACCES, "Sign in: logs are shown to who has said who he is.");
        if (r >= 0)
                r = read_whole(visit, &incident, &timeline, &error);
        if (r >= 0)
                r = find_evidence(visit, &incident, &wanted, &error);
        assert_that(r < 0 || wanted.path, "a file that was found has a path");
        if (r >= 0)
                r = read_end(wanted.path, whole ? FETCH_MOST : INLINE_MOST, &end, &size, &error);
        if (r < 0)
                page_fail(visit, r, &error);
        else if (whole)
                send_whole(visit, wanted.path, &end);
        else
                send_page(visit, wanted.path, wanted.number, size, &end);
        text_free(&end);
        incident_release(&incident);
}
