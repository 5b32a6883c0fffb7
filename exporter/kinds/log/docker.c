/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker as a source: the logs of the containers of a project's services, by the Engine's API.
 *
 * The Engine gives lines in the order in which it wrote them down, and its times rise in it but for what
 * stdout and stderr write in the same moment. So the place in a log is the latest time T of a line that was
 * read, and how many lines have been read from the first line of T on. To read on, lines from a little before
 * T are asked for: that first line is found again, and behind it so many are passed over. The Engine looks
 * through a whole log for a time, however large; so first the last lines are asked for, and more only when T
 * is not among them. A log is known by its container's id: what is created anew is read from its start.
 *
 * Lines that come after the clock was set back are not seen until it has caught up, which is a failure.
 */
#include "exporter/kinds/log/docker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "runbook/docker_container.h"
#include "runbook/state_file.h"

#define TITLE "runbook docker places 1"
#define ID_LENGTH 64
#define OVERLAP NSEC_PER_SEC             /* how much earlier than T lines behind it may be */
#define CLOCK_MARGIN (10 * NSEC_PER_SEC) /* whose clock it is that tells the time may be a proxy's */
#define BYTES_MAX ((uint64_t)64 << 20)
#define AT_END (-1)

const struct config_field log_docker_fields[] = {
        DOCKER_CONFIG_FIELDS(struct log_docker_config, docker),
        {"services", CONFIG_STRINGS, offsetof(struct log_docker_config, services),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "Services whose containers' logs are read, each counted apart; one that has no container "
                 "fails the check"},
        {0},
};

LOG_DOCKER_FAMILIES(DEFINE_SHARED_FAMILY)

struct place {
        char id[ID_LENGTH + 1];
        nsec time;       /* T; 0: nothing was read; AT_END: what is there now is to be passed over */
        uint64_t behind; /* lines that were read from the first one of T on */
        bool listed;
        bool late; /* it gave no answer the last time, and comes after those that do */
};

struct log_docker {
        const struct log_docker_config *config;
        struct log_source_options options;
        struct docker *docker;
        struct place *places;
        size_t count;
        bool begun;   /* what is not among the places came later */
        bool unsaved; /* they are not those in the file */
        bool listed;  /* the last run knows the containers */
        unsigned containers[LOG_MEMBERS_MAX];
        uint64_t gaps[LOG_MEMBERS_MAX];
};

static void *log_docker_free(void *state)
{
        struct log_docker *source = state;
        if (!source)
                return NULL;
        docker_free(source->docker);
        free(source->places);
        free(source);
        return NULL;
}

static void log_docker_free_p(struct log_docker **source)
{
        log_docker_free(*source);
}

static struct place *find_place(struct log_docker *source, const char *id)
{
        for (size_t i = 0; i < source->count; i++)
                if (strcmp(source->places[i].id, id) == 0)
                        return &source->places[i];
        return NULL;
}

static struct place *add_place(struct log_docker *source, const char *id)
{
        if (strlen(id) > ID_LENGTH)
                return NULL;
        struct place *places = reallocarray(source->places, source->count + 1, sizeof(*places));
        if (!places)
                return NULL;
        source->places = places;
        struct place *place = &places[source->count++];
        *place = (struct place){0};
        strcpy(place->id, id);
        source->unsaved = true;
        return place;
}

static int parse_places(struct log_docker *source, char *lines)
{
        for (char *rest = lines, *line; (line = strsep(&rest, "\n"));) {
                char id[ID_LENGTH + 1];
                nsec time;
                uint64_t behind;
                if (!*line)
                        continue;
                if (sscanf(line, "%64s %" SCNd64 " %" SCNu64, id, &time, &behind) != 3 || time < AT_END)
                        return -EINVAL;
                struct place *place = add_place(source, id);
                if (!place)
                        return -ENOMEM;
                place->time = time;
                place->behind = behind;
        }
        return 0;
}

static int load_places(struct log_docker *source, struct error *error)
{
        _cleanup_text_ struct text lines = {0};
        const char *path = source->options.state_path;
        int r = path ? state_file_load(path, TITLE, &lines, error) : 0;
        if (r < 0)
                return r;
        source->begun = r > 0;
        if (lines.length > 0 && parse_places(source, lines.data) < 0) {
                source->count = 0;
                source->begun = false;
                return state_file_broken(path, TITLE, error);
        }
        source->unsaved = false;
        return 0;
}

static int save_places(struct log_docker *source, struct error *error)
{
        _cleanup_text_ struct text lines = {0};
        if (!source->options.state_path || !source->unsaved)
                return 0;
        for (size_t i = 0; i < source->count; i++)
                text_printf(&lines, "%s %" PRId64 " %" PRIu64 "\n", source->places[i].id,
                            source->places[i].time, source->places[i].behind);
        int r = state_file_save(source->options.state_path, TITLE, &lines, error);
        source->unsaved = r < 0;
        return r;
}

/* One log that is being read. */
struct reading {
        struct log_docker *source;
        struct place *place;
        size_t member;
        struct deadline deadline;
        log_line_sink each; /* NULL: lines are passed over */
        void *context;
        uint64_t bytes; /* of lines that may still be read in this run */

        nsec from;     /* T as it was; 0: from the start */
        uint64_t skip; /* lines that were read before, from the first one of T on */
        bool in_tail;  /* what is read may begin behind T */
        bool found;    /* the first line of T was seen, or a later one */
        bool taken;    /* there was a line that is new; one a run there is always time for */
        bool stopped;  /* for lack of time, or at the limit of bytes */
};

/*
 * Whether the line is new. All that were read from the first one of T on are of T or of a little before it: a
 * later one in their place says that some of them are missing. -ERANGE when they may be further up.
 */
static int is_new(struct reading *reading, nsec wall)
{
        if (!reading->found && wall < reading->from)
                return 0;
        if (reading->skip > 0 && wall > reading->from) {
                if (reading->in_tail)
                        return -ERANGE;
                reading->source->gaps[reading->member]++;
                reading->skip = 0;
        }
        reading->found = true;
        if (reading->skip == 0)
                return 1;
        reading->skip--;
        return 0;
}

static int take_line(void *context, nsec wall, const char *line, size_t length)
{
        struct reading *reading = context;
        struct place *place = reading->place;
        int r = is_new(reading, wall);
        if (r <= 0)
                return r;
        if (reading->bytes == 0 || (reading->taken && deadline_passed(reading->deadline))) {
                reading->stopped = true;
                return -ECANCELED;
        }
        reading->bytes -= length < reading->bytes ? length + 1 : reading->bytes;
        reading->taken = true;
        if (reading->each)
                reading->each(reading->context, reading->member, line, length);
        if (wall > place->time) {
                place->time = wall;
                place->behind = 1;
        } else if (wall >= place->time - OVERLAP)
                place->behind++;
        reading->source->unsaved = true;
        return 0;
}

/* Reads on from the place, in ever larger parts of the log until T is in it. */
static int read_on(struct reading *reading, struct deadline patience, struct error *error)
{
        static const int64_t tails[] = {1000, 50000, 0};
        struct log_docker *source = reading->source;
        reading->from = reading->place->time;
        for (size_t i = reading->from > 0 ? 0 : N_ELEMENTS(tails) - 1; i < N_ELEMENTS(tails); i++) {
                const struct docker_logs_range range = {
                        .tail = tails[i],
                        .since_wall = reading->from > 0 ? reading->from - OVERLAP : 0,
                };
                reading->in_tail = tails[i] > 0;
                reading->found = false;
                reading->skip = reading->place->behind;
                int r = docker_log_lines(source->docker, reading->place->id, &range,
                                         source->options.line_limit, patience, take_line, reading, error);
                if (reading->stopped) {
                        error_clear(error);
                        return 0;
                }
                if (r < 0 && r != -ERANGE)
                        return r;
                error_clear(error);
                if (r == 0 && reading->found)
                        return 0;
        }
        return 0;
}

static int take_time(void *context, nsec wall, const char *line _unused_, size_t length _unused_)
{
        *(nsec *)context = wall;
        return 0;
}

/* Passes over what there is: from the last line's time on, with what else has the same one. */
static int go_to_end(struct reading *reading, struct deadline patience, struct error *error)
{
        const struct docker_logs_range last = {.tail = 1};
        nsec time = 0;
        int r = docker_log_lines(reading->source->docker, reading->place->id, &last, 1, patience, take_time,
                                 &time, error);
        if (r < 0)
                return r;
        reading->place->time = time;
        reading->place->behind = 0;
        reading->source->unsaved = true;
        if (time == 0)
                return 0;
        reading->each = NULL;
        r = read_on(reading, patience, error);
        if (r < 0)
                reading->place->time = AT_END;
        return r;
}

static bool member_of(const struct log_docker *source, const char *service, size_t *ret)
{
        const struct config_strings *services = &source->config->services;
        int found = words_find((const char *const *)services->items, services->count, service);
        if (found >= 0)
                *ret = (size_t)found;
        return found >= 0;
}

/* Makes places for containers that are new, and forgets those of containers that are gone. */
static int note_containers(struct log_docker *source, const cJSON *list, struct error *error)
{
        const cJSON *item;
        size_t member;
        memset(source->containers, 0, sizeof(source->containers));
        for (size_t i = 0; i < source->count; i++)
                source->places[i].listed = false;
        cJSON_ArrayForEach(item, list)
        {
                const char *id = json_string(item, "Id");
                if (!id || !member_of(source, docker_service(item), &member))
                        continue;
                struct place *place = find_place(source, id);
                if (!place) {
                        place = add_place(source, id);
                        if (!place)
                                return error_oom(error);
                        if (!source->begun && !source->options.from_start)
                                place->time = AT_END;
                }
                place->listed = true;
                source->containers[member]++;
        }
        for (size_t i = source->count; i-- > 0;)
                if (!source->places[i].listed) {
                        source->places[i] = source->places[--source->count];
                        source->unsaved = true;
                }
        source->begun = source->listed = true;
        return 0;
}

/* The first of the services that have no container. */
static int check_services(const struct log_docker *source, struct error *error)
{
        for (size_t i = 0; i < source->config->services.count; i++)
                if (source->containers[i] == 0)
                        return error_set(error, ENOENT, "service %s has no container",
                                         source->config->services.items[i]);
        return 0;
}

/* Whether what is logged now would be taken for older than what was read. */
static int check_clock(const struct reading *reading, struct error *error)
{
        nsec now = docker_time(reading->source->docker), ahead = reading->place->time - now;
        char time[DURATION_TEXT_MAX];
        if (now == 0 || ahead <= CLOCK_MARGIN)
                return 0;
        return error_set(
                error, ESTALE,
                "the clock was set back, and what is logged is not seen before it has caught up in %s",
                duration_format(ahead / NSEC_PER_SEC * NSEC_PER_SEC, time));
}

/* Reads one log, the container's of `item`. */
static int read_log(struct reading *reading, const cJSON *item, struct deadline patience, struct error *error)
{
        int r = check_clock(reading, error);
        if (r >= 0)
                r = reading->place->time == AT_END ? go_to_end(reading, patience, error)
                                                   : read_on(reading, patience, error);
        reading->place->late = r == -ETIMEDOUT;
        return r >= 0 || r == -ENOENT ? r : error_prefix(error, r, "container %s", docker_name(item));
}

/* Reads every log, each for its share of the time that is left, and of the bytes. Goes on after a failure,
 * the first of which is returned. One that gives no answer takes all of the time that there is, so those that
 * did not the last time come last. */
static int read_all(struct log_docker *source, const cJSON *list, struct deadline deadline,
                    struct deadline patience, const struct reading *reading, bool *ret_caught_up,
                    struct error *error)
{
        const size_t logs = source->count > 0 ? source->count : 1;
        size_t left = logs;
        int result = 0;
        *ret_caught_up = true;
        for (int late = 0; late <= 1; late++) {
                const cJSON *item;
                cJSON_ArrayForEach(item, list)
                {
                        _cleanup_error_ struct error reason = {0};
                        const char *id = json_string(item, "Id");
                        struct reading one = *reading;
                        if (!id || !member_of(source, docker_service(item), &one.member))
                                continue;
                        one.place = find_place(source, id);
                        if (one.place->late != late)
                                continue;
                        one.deadline = deadline_in(deadline_left(deadline) / (nsec)left);
                        left -= left > 1;
                        one.bytes = reading->bytes / logs + 1;
                        int r = read_log(&one, item, patience, &reason);
                        if (one.stopped || (r < 0 && r != -ENOENT))
                                *ret_caught_up = false;
                        if (r == -ENOENT || r >= 0)
                                continue; /* gone since it was listed */
                        if (result == 0) {
                                result = r;
                                error_move(error, &reason);
                        }
                        if (deadline_passed(patience))
                                return result;
                }
        }
        return result;
}

static int docker_run(void *state, struct deadline deadline, struct deadline patience, log_line_sink each,
                      void *context, bool *ret_caught_up, struct error *error)
{
        struct log_docker *source = state;
        _cleanup_json_ cJSON *list = NULL;
        struct reading reading = {
                .source = source,
                .each = each,
                .context = context,
                .bytes = source->options.bytes_limit > 0 ? source->options.bytes_limit : BYTES_MAX,
        };
        source->listed = false;
        if (!source->begun) {
                int r = load_places(source, error);
                if (r < 0)
                        return r;
        }
        int r = docker_list(source->docker, source->config->docker.project, NULL, patience, &list, error);
        if (r >= 0)
                r = note_containers(source, list, error);
        if (r < 0)
                return r;
        int result = read_all(source, list, deadline, patience, &reading, ret_caught_up, error);
        if (result == 0)
                result = check_services(source, error);
        _cleanup_error_ struct error unsaved = {0};
        r = save_places(source, &unsaved);
        if (r < 0 && result == 0) {
                result = r;
                error_move(error, &unsaved);
        }
        return result;
}

static void docker_add_samples(const void *state, struct sample_sink *sink)
{
        const struct log_docker *source = state;
        for (size_t i = 0; i < source->config->services.count; i++) {
                const char *service = source->config->services.items[i];
                if (source->listed)
                        SAMPLE(sink, &log_family_containers, source->containers[i], {"service", service});
                SAMPLE(sink, &log_family_gaps, (double)source->gaps[i], {"service", service});
        }
}

static const struct config_strings *docker_members(const void *configured)
{
        const struct log_docker_config *config = configured;
        return &config->services;
}

static int docker_open(const void *configured, struct config_node *node,
                       const struct log_source_options *options, void **ret_state, struct error *error)
{
        const struct log_docker_config *config = configured;
        _cleanup_(log_docker_free_p) struct log_docker *source = calloc(1, sizeof(*source));
        if (!source)
                return error_oom(error);
        source->config = config;
        source->options = *options;
        bool good = log_members_check(&config->services, node, "services");
        if (!docker_check_options(&config->docker, node) || !good)
                return -EINVAL;
        int r = docker_new(&config->docker, &source->docker, error);
        if (r < 0)
                return r;
        *ret_state = TAKE_PTR(source);
        return 0;
}

const struct log_source_type log_source_docker = {
        .key = "docker",
        .label = "service",
        .members = docker_members,
        .open = docker_open,
        .run = docker_run,
        .add_samples = docker_add_samples,
        .free = log_docker_free,
};
