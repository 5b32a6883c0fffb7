/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has no fuzzer of its own: the first byte chooses who reads the rest. Each takes it, or refuses it with
 * a sentence.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "exporter/kinds/disk/mount_info.h"
#include "exporter/kinds/docker/container.h"
#include "exporter/kinds/files/backup_format.h"
#include "exporter/kinds/heartbeat/cron.h"
#include "lib/docker/internal.h"
#include "responder/remediation/definition.h"
#include "runbook/docker_conditions.h"
#include "runbook/flags.h"
#include "runbook/json.h"
#include "runbook/state_file.h"
#include "tests/fuzz/fuzz.h"

enum { WORDS_MOST = 64 };

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {"\"State\":{",
                                  "\"Health\":{\"Status\":\"unhealthy\"}",
                                  "\"Running\":true",
                                  "\"Config\":{",
                                  "\"Labels\":{",
                                  "\"com.docker.compose.project\":\"x\"",
                                  "\"com.docker.compose.depends_on\":\"db:service_healthy:true\"",
                                  "\"HostConfig\":{",
                                  "\"NetworkSettings\":{\"Networks\":{",
                                  "\"Mounts\":[{",
                                  "\"StartedAt\":\"2026-01-01T00:00:00Z\"",
                                  " - ext4 /dev/sda1 rw\n",
                                  "36 35 98:0 / /mnt",
                                  "REDIS0011",
                                  "\x1f\x8b\x08",
                                  "ustar",
                                  "@hourly",
                                  "*/5 1-3,7 * * mon",
                                  "--name=",
                                  "--list\n",
                                  "--within=1h",
                                  "\"steps\":[{",
                                  "\"action\":\"docker.restart\"",
                                  "\"arguments\":{",
                                  "sum ",
                                  "NaN",
                                  NULL};

/* A container as the Engine describes it: looked at in every way, and made again. */
static void try_container(const char *text, size_t length)
{
        _cleanup_json_ cJSON *json = NULL, *body = NULL, *connect = NULL;
        _cleanup_error_ struct error error = {0}, why = {0};
        _cleanup_text_ struct text told = {0};
        const char *at = NULL, *service = NULL;
        if (json_parse(text, length, &json, NULL) < 0)
                return;
        FUZZ_ASSERT(docker_name(json) && docker_service(json) && docker_compose_project(json));
        docker_status(json);
        docker_image(json);
        docker_image_id(json);
        docker_health(json);
        docker_number(json);
        docker_created(json);
        docker_started(json);
        docker_exit_status(json);
        docker_restart_count(json);
        docker_ended_for_memory(json);
        docker_stopped_on_purpose(json, json);
        docker_container_tell(json, &told);
        for (size_t needed = 0; docker_next_needed(json, &at, &service) > 0; needed++)
                FUZZ_ASSERT(needed <= length);
        const struct docker_change change = {0};
        int r = docker_copy(json, "image:new", &change, 40 + (int)(length % 10), &body, &connect, &error);
        FUZZ_ASSERT(r >= 0 ? cJSON_IsObject(body) : error.message && !body && !connect);
        FUZZ_ASSERT(docker_answer_error(404, text, length, &why) < 0 && why.message);
}

static void try_mounts(const char *text, size_t length)
{
        _cleanup_text_ struct text table = {0}, device = {0}, kind = {0};
        text_append(&table, text, length);
        mount_info_find(&table, length % 40, &device, &kind);
        mount_info_find(&table, 36, &device, &kind);
}

static void try_state(const char *text, size_t length)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text lines = {0};
        int r = state_file_load(fuzz_file((const uint8_t *)text, length), "a title", &lines, &error);
        FUZZ_ASSERT(r >= 0 || error.message);
        state_file_take_sum(&lines);
}

/* Whose bytes no program is started for. */
static void try_backup(const char *text, size_t length)
{
        static const enum backup_form forms[] = {BACKUP_REDIS, BACKUP_TAR, BACKUP_GZIP};
        for (size_t i = 0; i < N_ELEMENTS(forms); i++) {
                _cleanup_error_ struct error error = {0};
                int r = backup_check(forms[i], fuzz_file((const uint8_t *)text, length),
                                     "/nowhere/pg_restore", deadline_in(NSEC_PER_SEC), &error);
                FUZZ_ASSERT(r >= 0 || error.message);
        }
}

static void try_cron(const char *text, size_t length _unused_)
{
        struct cron cron = {0};
        _cleanup_error_ struct error error = {0};
        int r = cron_parse(text, &cron, &error);
        FUZZ_ASSERT(r == 0 || (r == -EINVAL && error.message));
}

/* A line each. */
static void try_flags(const char *text, size_t length _unused_)
{
        const char *name = NULL;
        struct flag_strings list = {0};
        bool really = false;
        nsec within = 0;
        const struct flag flags[] = {{"name", FLAG_STRING, &name, "x", "NAME", "a name"},
                                     {"list", FLAG_STRINGS, &list, "y", "WORD", "words"},
                                     {"really", FLAG_SWITCH, &really, NULL, NULL, "a switch"},
                                     {"within", FLAG_DURATION, &within, NULL, "DURATION", "a duration"},
                                     {0}};
        _cleanup_free_ char *copy = strdup(text);
        char *words[WORDS_MOST + 1] = {(char *)"program"}, **rest = NULL, *left = copy;
        int count = 1, others = 0;
        uint64_t given = 0;
        _cleanup_error_ struct error error = {0};
        for (char *word; count < WORDS_MOST && (word = strsep(&left, "\n"));)
                words[count++] = word;
        int r = flags_parse(flags, count, words, &rest, &others, &given, &error);
        FUZZ_ASSERT(r == 0 ? others < count && name : r == -EINVAL && error.message);
}

/* What an incident was begun with, as the journal has it. */
static void try_definition(const char *text, size_t length _unused_)
{
        _cleanup_json_ cJSON *definition = NULL;
        _cleanup_error_ struct error error = {0}, why = {0};
        struct remediation *remediation = NULL;
        nsec after = 0;
        definition_still_firing(text, &after, NULL);
        int r = definition_read(text, &definition, &error);
        FUZZ_ASSERT(r >= 0 || error.message);
        if (r < 0)
                return;
        r = definition_restore(definition, &remediation, &why);
        FUZZ_ASSERT(r >= 0 ? remediation != NULL : why.message && !remediation);
        remediation_free(remediation);
}

static void (*const readers[])(const char *text, size_t length) = {
        ['d'] = try_container, ['m'] = try_mounts, ['s'] = try_state,      ['b'] = try_backup,
        ['c'] = try_cron,      ['f'] = try_flags,  ['j'] = try_definition,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0 || data[0] >= N_ELEMENTS(readers) || !readers[data[0]])
                return 0;
        _cleanup_free_ char *text = fuzz_string(data + 1, size - 1);
        readers[data[0]](text, size - 1);
        return 0;
}
