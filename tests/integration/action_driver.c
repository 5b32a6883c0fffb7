/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out one phase of one step, so that a test can look at the outside before and after it.
 *
 *     action_driver CONFIG ALERT PHASE [key=value …]
 *
 * CONFIG is like remediations.yml, but with `step: {<action>: {…}}` in place of remediations. PHASE is check,
 * plan, run, resume, undo or settle. Keys: plan, progress, outcome (files of JSON; progress is also written),
 * timeout (a duration), incident, die (N: SIGKILL ourselves right after the N-th progress was written).
 * Prints one JSON object: {"result": "OK" or the errno's name, "error", and what the phase gave}.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "responder/remediation/action.h"
#include "runbook/file.h"
#include "runbook/http_client.h"
#include "runbook/log.h"

#define FILE_MOST ((size_t)64 << 20)

static const char *const own_keys[] = {"step", NULL};

struct driver {
        struct step_run run;
        const char *progress_path;
        long die_at, progress_count;
        cJSON *plan, *progress, *outcome;
};

static int read_json(const char *path, cJSON **ret, struct error *error)
{
        _cleanup_text_ struct text text = {0};
        int r = file_read_whole(path, FILE_MOST, &text, error);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return error_prefix(error, json_parse(text_string(&text), text.length, ret, error), "%s", path);
}

static int write_progress(struct step_run *run, const cJSON *state, struct error *error)
{
        struct driver *driver = run->engine;
        cJSON *copy = cJSON_Duplicate(state, true);
        _cleanup_free_ char *text = json_print(state);
        if (!copy || !text)
                return error_oom(error);
        if (driver->progress_path) {
                FILE *file = fopen(driver->progress_path, "we");
                if (!file || fputs(text, file) < 0 || fclose(file) != 0)
                        return error_set(error, EIO, "cannot write the progress");
        }
        /* As the engine does: what was there before is gone. */
        cJSON_Delete(driver->progress);
        driver->progress = copy;
        run->progress = copy;
        if (++driver->progress_count == driver->die_at)
                raise(SIGKILL);
        return 0;
}

static const char *value_of(int argc, char **argv, const char *key)
{
        size_t length = strlen(key);
        for (int i = 4; i < argc; i++)
                if (strncmp(argv[i], key, length) == 0 && argv[i][length] == '=')
                        return argv[i] + length + 1;
        return NULL;
}

static int phase(struct driver *driver, const struct action *action, const char *name, cJSON *answer,
                 struct error *error)
{
        static const char *const words[] = {
                [RESUME_DONE] = "done", [RESUME_AGAIN] = "again", [RESUME_UNKNOWN] = "unknown"};
        cJSON *made = NULL;
        int r = -ENOTSUP;
        if (string_equal(name, "plan"))
                r = action->plan(&driver->run, &made, error);
        else if (string_equal(name, "run"))
                r = action->run(&driver->run, &made, error);
        else if (string_equal(name, "undo") && action->undo)
                r = action->undo(&driver->run, &made, error);
        else if (string_equal(name, "settle"))
                r = action->settle ? action->settle(&driver->run, error) : 0;
        else if (string_equal(name, "resume")) {
                enum resumption found = action->resume       ? action->resume(&driver->run, &made, error)
                                        : action->repeatable ? RESUME_AGAIN
                                                             : RESUME_UNKNOWN;
                json_put(answer, "resumption", cJSON_CreateString(words[found]));
                r = 0;
        } else
                r = error_set(error, ENOTSUP, "there is no %s", name);
        if (made)
                json_put(answer, string_equal(name, "plan") ? "plan" : "outcome", made);
        return r;
}

/* Reads the inputs, binds, and carries the phase out. */
static int drive(const struct target_set *set, const struct action *action, void *config, int argc,
                 char **argv, cJSON *answer, struct error *error)
{
        const char *incident = value_of(argc, argv, "incident"), *die = value_of(argc, argv, "die");
        const char *timeout = value_of(argc, argv, "timeout");
        struct driver driver = {.progress_path = value_of(argc, argv, "progress"),
                                .die_at = die ? strtol(die, NULL, 10) : 0};
        _cleanup_json_ cJSON *alert_json = NULL;
        struct alert alert = {0};
        struct alert_bindings bindings;
        struct targets *targets = NULL;
        void *bound = calloc(1, action->config_size);
        nsec time = action->timeout;
        int r = read_json(argv[2], &alert_json, error);
        if (r >= 0)
                r = alert_from_json(alert_json, &alert, error);
        static const char *const inputs[] = {"plan", "progress", "outcome"};
        cJSON **const places[] = {&driver.plan, &driver.progress, &driver.outcome};
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(inputs); i++)
                if (value_of(argc, argv, inputs[i]))
                        r = read_json(value_of(argc, argv, inputs[i]), places[i], error);
        if (r >= 0 && timeout)
                r = duration_parse(timeout, &time, error);
        if (r >= 0)
                r = targets_new(set, &targets, error);
        if (r >= 0) {
                incident = incident ? incident : "INC-2026-0001";
                alert_bindings_init(&bindings, &alert, incident);
                r = config_bind(action->fields, config, &bindings.bindings, bound, error);
        }
        if (r >= 0) {
                driver.run = (struct step_run){.config = bound,
                                               .alert = &alert,
                                               .incident = incident,
                                               .position = 1,
                                               .targets = targets,
                                               .deadline = deadline_in(time),
                                               .plan = driver.plan,
                                               .progress = driver.progress,
                                               .outcome = driver.outcome,
                                               .write_progress = write_progress,
                                               .engine = &driver};
                r = phase(&driver, action, argv[3], answer, error);
                config_release(action->fields, bound);
        }
        if (driver.progress)
                json_put(answer, "progress", cJSON_Duplicate(driver.progress, true));
        free(bound);
        targets_free(targets);
        alert_release(&alert);
        cJSON_Delete(driver.plan);
        cJSON_Delete(driver.progress);
        cJSON_Delete(driver.outcome);
        return r;
}

static int load_and_drive(struct config *document, int argc, char **argv, cJSON *answer, struct error *error)
{
        struct config_node *root = config_root(document), *step = root ? config_member(root, "step") : NULL;
        struct target_set set = {0};
        const struct action *action = step ? action_find(config_key(step, 0)) : NULL;
        void *config = NULL;
        if (root && config_read_some(root, target_fields, &set, own_keys))
                target_set_check(&set, root);
        if (action) {
                config = calloc(1, action->config_size);
                if (config_read(config_item(step, 0), action->fields, config) && action->check)
                        action->check(config, &set, config_item(step, 0));
        }

        int r = 0;
        if (config_complaints(document) > 0)
                r = error_set(error, EINVAL, "%s", config_complaints_text(document));
        else if (!action)
                r = error_set(error, EINVAL, "there is no such action");
        else if (!string_equal(argv[3], "check"))
                r = drive(&set, action, config, argc, argv, answer, error);
        if (action)
                config_release(action->fields, config);
        free(config);
        config_release(target_fields, &set);
        return r;
}

int main(int argc, char **argv)
{
        if (argc < 4) {
                fputs("usage: action_driver CONFIG ALERT PHASE [key=value ...]\n", stderr);
                return 2;
        }
        _cleanup_error_ struct error error = {0};
        _cleanup_config_ struct config *document = NULL;
        _cleanup_json_ cJSON *answer = cJSON_CreateObject();
        int r = http_client_global_init(&error);
        if (r >= 0)
                r = config_load(argv[1], &document, &error);
        if (r >= 0)
                r = load_and_drive(document, argc, argv, answer, &error);
        json_put(answer, "result", cJSON_CreateString(r < 0 ? strerrorname_np(-r) : "OK"));
        if (error.message)
                json_put(answer, "error", cJSON_CreateString(error.message));
        _cleanup_free_ char *text = json_print(answer);
        puts(text ? text : "{}");
        return r < 0;
}
