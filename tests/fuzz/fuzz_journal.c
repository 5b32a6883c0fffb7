/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of journald in its export format, whatever is in their fields: each gives one line at most, whole
 * or cut, in however many runs it is read. The journal is a stand-in for libsystemd's, which reads the
 * format instead of its own files and leaves it to us to see which entries are of the units. What begins
 * with "place " is where another process has left off.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "exporter/kinds/log/journal.h"
#include "runbook/state_file.h"
#include "tests/fuzz/fuzz.h"

enum { LINE_LIMIT = 64, ENTRIES_MOST = 200 };

#define PLACE "place "

const unsigned fuzz_mutations = 20000;
const char *const fuzz_words[] = {"_SYSTEMD_UNIT=a.service\n",
                                  "UNIT=b.service\n",
                                  "MESSAGE=a line\n",
                                  "MESSAGE=\n",
                                  "MESSAGE\n\x05\0\0\0",
                                  "PRIORITY=3\n",
                                  "__CURSOR=s=1;i=1\n",
                                  "_PID=1\n",
                                  "\n\n",
                                  "_SYSTEMD_UNIT\n",
                                  "place s=1",
                                  "place start",
                                  "\xff\xff\xff\xff\xff\xff\xff\xff",
                                  NULL};

/* What there is: the fields of each entry, one behind the other. */
static struct {
        const uint8_t *begin[ENTRIES_MOST], *end[ENTRIES_MOST];
        size_t first, count; /* what is before the first one was vacuumed */
} entries;

/* Counts from 1: 0 is before the first one. */
struct sd_journal {
        size_t at;
        char *data; /* that was given last */
};

/* One field: where its name and its value are, and where the next one begins; NULL: none is whole. */
static const uint8_t *take_field(const uint8_t *at, const uint8_t *end, size_t *ret_name,
                                 const uint8_t **ret_value, size_t *ret_length)
{
        const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
        const uint8_t *sign = line_end ? memchr(at, '=', (size_t)(line_end - at)) : NULL;
        uint64_t length;
        if (!line_end || line_end == at)
                return NULL;
        *ret_name = (size_t)((sign ? sign : line_end) - at);
        *ret_value = sign ? sign + 1 : line_end + 1 + sizeof(length);
        *ret_length = sign ? (size_t)(line_end - sign - 1) : 0;
        if (sign)
                return line_end + 1;
        if ((size_t)(end - line_end - 1) < sizeof(length))
                return NULL;
        memcpy(&length, line_end + 1, sizeof(length));
        length = le64toh(length);
        if (length >= (size_t)(end - *ret_value)) /* a line's end is behind it */
                return NULL;
        *ret_length = length;
        return *ret_value + length + 1;
}

/* As journalctl -o export has them: an empty line is behind each. */
static void find_entries(const uint8_t *at, const uint8_t *end)
{
        entries.first = entries.count = 0;
        while (at < end && entries.count < ENTRIES_MOST) {
                const uint8_t *begin = at, *next, *value;
                size_t name, length;
                while (at < end && (next = take_field(at, end, &name, &value, &length)))
                        at = next;
                if (at > begin) {
                        entries.begin[entries.count] = begin;
                        entries.end[entries.count++] = at;
                }
                at++;
        }
}

int sd_journal_open(sd_journal **ret, int flags _unused_)
{
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

int sd_journal_open_directory(sd_journal **ret, const char *path _unused_, int flags)
{
        return sd_journal_open(ret, flags);
}

void sd_journal_close(sd_journal *journal)
{
        if (journal)
                free(journal->data);
        free(journal);
}

int sd_journal_get_usage(sd_journal *journal _unused_, uint64_t *ret)
{
        *ret = 1;
        return 0;
}

int sd_journal_add_match(sd_journal *journal _unused_, const void *data, size_t size)
{
        return size == 0 && strchr(data, '=') ? 0 : -EINVAL;
}

int sd_journal_add_disjunction(sd_journal *journal _unused_)
{
        return 0;
}

int sd_journal_set_data_threshold(sd_journal *journal _unused_, size_t size _unused_)
{
        return 0; /* it is a wish: what is longer may come */
}

int sd_journal_seek_head(sd_journal *journal)
{
        journal->at = entries.first;
        return 0;
}

int sd_journal_seek_tail(sd_journal *journal)
{
        journal->at = entries.count + 1;
        return 0;
}

int sd_journal_previous(sd_journal *journal)
{
        if (journal->at <= entries.first + 1)
                return 0;
        journal->at--;
        return 1;
}

int sd_journal_next(sd_journal *journal)
{
        if (journal->at >= entries.count)
                return 0;
        journal->at++;
        return 1;
}

int sd_journal_get_cursor(sd_journal *journal, char **ret)
{
        *ret = text_format("s=%zu", journal->at);
        return *ret ? 0 : -ENOMEM;
}

int sd_journal_test_cursor(sd_journal *journal, const char *cursor)
{
        char *end;
        unsigned long at = string_starts(cursor, "s=") ? strtoul(cursor + 2, &end, 10) : 0;
        return at > 0 && at <= ENTRIES_MOST && !*end ? at == journal->at : -EINVAL;
}

/* Before it, or before what is next to it when it was vacuumed. */
int sd_journal_seek_cursor(sd_journal *journal, const char *cursor)
{
        if (sd_journal_test_cursor(journal, cursor) < 0)
                return -EINVAL;
        journal->at = strtoul(cursor + 2, NULL, 10) - 1;
        if (journal->at < entries.first)
                journal->at = entries.first;
        return 0;
}

int sd_journal_get_data(sd_journal *journal, const char *field, const void **ret, size_t *ret_length)
{
        const uint8_t *end = entries.end[journal->at - 1], *value;
        size_t name, length;
        for (const uint8_t *at = entries.begin[journal->at - 1], *next; at < end; at = next) {
                next = take_field(at, end, &name, &value, &length);
                if (name != strlen(field) || memcmp(at, field, name) != 0)
                        continue;
                free(journal->data);
                journal->data = malloc(name + 1 + length); /* no byte more: who reads on is seen */
                if (!journal->data)
                        return -ENOMEM;
                memcpy(journal->data, field, name);
                journal->data[name] = '=';
                memcpy(journal->data + name + 1, value, length);
                *ret = journal->data;
                *ret_length = name + 1 + length;
                return 0;
        }
        return -ENOENT;
}

static void note(void *context, size_t member, const char *line, size_t length)
{
        FUZZ_ASSERT(member < 2 && length <= LINE_LIMIT && strlen(line) == length && !strchr(line, '\n'));
        text_printf(context, "%zu %s\n", member, line);
}

static void *open_source(const struct log_journal_config *config, bool from_start, const char *state_path)
{
        const struct log_source_options options = {
                .state_path = state_path, .from_start = from_start, .line_limit = LINE_LIMIT};
        void *source = NULL;
        FUZZ_ASSERT(log_source_journal.open(config, NULL, &options, &source, NULL) == 0);
        return source;
}

/* Until there is no more; the number of runs. */
static size_t read_all(void *source, struct deadline deadline, struct text *seen)
{
        size_t runs = 0;
        for (bool caught_up = false; !caught_up; runs++) {
                FUZZ_ASSERT(runs <= ENTRIES_MOST);
                FUZZ_ASSERT(log_source_journal.run(source, deadline, deadline, note, seen, &caught_up,
                                                   NULL) == 0);
        }
        return runs;
}

/* It goes on there, or says whose file that is that says no such place. */
static void try_place(const struct log_journal_config *config, const char *place, size_t length)
{
        static const char title[] = "runbook journal place 1\n", entry[] = "_SYSTEMD_UNIT=a.service\n\n";
        _cleanup_text_ struct text content = {0}, seen = {0};
        _cleanup_error_ struct error error = {0};
        bool caught_up = false;
        text_puts(&content, title);
        text_append(&content, place, length);
        const char *path = fuzz_file((const uint8_t *)content.data, content.length);
        void *source = open_source(config, true, path);
        find_entries((const uint8_t *)entry, (const uint8_t *)entry + strlen(entry));
        const struct deadline deadline = deadline_in(NSEC_PER_SEC * 60);
        int r = log_source_journal.run(source, deadline, deadline, note, &seen, &caught_up, &error);
        FUZZ_ASSERT(r == 0 || strstr(error_text(&error), path));
        log_source_journal.free(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char a[] = "a.service", b[] = "b.service";
        static char *units[] = {a, b};
        const struct log_journal_config config = {.units = {units, 2}, .priority = 7};
        _cleanup_text_ struct text at_once = {0}, one_by_one = {0}, new = {0};
        if (size >= strlen(PLACE) && memcmp(data, PLACE, strlen(PLACE)) == 0) {
                try_place(&config, (const char *)data + strlen(PLACE), size - strlen(PLACE));
                return 0;
        }
        find_entries(data, data + size);
        void *source = open_source(&config, true, NULL), *other = open_source(&config, true, NULL),
             *late = open_source(&config, false, NULL);

        FUZZ_ASSERT(read_all(source, deadline_in(NSEC_PER_SEC * 60), &at_once) == 1);
        size_t runs = read_all(other, deadline_in(-1), &one_by_one);
        FUZZ_ASSERT(runs == entries.count + 1);
        FUZZ_ASSERT(string_equal(text_string(&at_once), text_string(&one_by_one)));
        /* Who begins at the end has seen nothing, nor has who goes on there, whatever was vacuumed meanwhile.
         */
        read_all(late, deadline_in(NSEC_PER_SEC * 60), &new);
        entries.first = entries.count / 2;
        read_all(source, deadline_in(NSEC_PER_SEC * 60), &new);
        FUZZ_ASSERT(new.length == 0);
        log_source_journal.free(source);
        log_source_journal.free(other);
        log_source_journal.free(late);
        return 0;
}
