/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a container that does not run was meant to: by its state, and by what the Engine remembers. */
#include <errno.h>
#include <string.h>

#include "lib/docker/internal.h"
#include "runbook/docker_conditions.h"

/* Within which the Engine tells of a stop that has ended a container. */
#define AFTER_THE_END (500 * NSEC_PER_MSEC)

static bool has_policy(const cJSON *inspected, const char *name)
{
        return string_equal(json_string(json_get(inspected, "HostConfig", "RestartPolicy", NULL), "Name"),
                            name);
}

/* As after SIGINT, SIGKILL and SIGTERM. */
static bool ended_by_signal(const cJSON *inspected)
{
        int status = docker_exit_status(inspected);
        return status == 130 || status == 137 || status == 143;
}

/* Of a "kill", which `docker kill -s HUP` is as well: whether the signal is one to end it. */
static bool is_for_its_end(const cJSON *event)
{
        static const char *const ending[] = {"2", "3", "9", "15", "SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM"};
        const char *signal = json_string(json_get(event, "Actor", "Attributes", NULL), "signal");
        return signal && words_find(ending, N_ELEMENTS(ending), signal) >= 0;
}

/* What the Engine remembers of its last run: 1: it was told to end; 0: it ended by itself; -1: nothing. */
static int remembered(const cJSON *inspected, const cJSON *events)
{
        const char *id = json_string(inspected, "Id");
        bool died = false, told = false;
        const cJSON *event;
        cJSON_ArrayForEach(event, events)
        {
                const char *action = docker_event_action(event);
                if (!string_equal(docker_event_container(event), id))
                        continue;
                if (strcmp(action, "start") == 0)
                        died = told = false;
                else if (strcmp(action, "die") == 0)
                        died = true;
                else if (strcmp(action, "stop") == 0 ||
                         (strcmp(action, "kill") == 0 && is_for_its_end(event)))
                        told = true;
        }
        return told ? 1 : died ? 0 : -1;
}

/* With a policy that starts it again only when it failed. */
static const char *of_policy_on_failure(const cJSON *inspected)
{
        double most =
                json_number(json_get(inspected, "HostConfig", "RestartPolicy", NULL), "MaximumRetryCount", 0);
        if (docker_exit_status(inspected) == 0)
                return "it has ended with status 0, by itself or because somebody has stopped it";
        return most > 0 && docker_restart_count(inspected) >= most
                       ? NULL
                       : "somebody has stopped it: its restart policy would have started it again";
}

static const char *of_no_policy(const cJSON *inspected, const cJSON *events)
{
        int told = remembered(inspected, events);
        if (told > 0)
                return "somebody has stopped it";
        if (docker_exit_status(inspected) == 0)
                return told == 0 ? "it has ended by itself with status 0, as what has done its work"
                                 : "it has ended with status 0, by itself or because somebody has stopped it";
        return told < 0 && ended_by_signal(inspected) ? "it was ended by a signal, as by docker stop" : NULL;
}

const char *docker_stopped_on_purpose(const cJSON *inspected, const cJSON *events)
{
        const char *status = docker_status(inspected);
        const char *failure = json_string(json_get(inspected, "State", NULL), "Error");
        if ((failure && *failure) || docker_ended_for_memory(inspected))
                return NULL; /* it could not be started, or had no memory */
        if (strcmp(status, "created") == 0)
                return "it was made and never started";
        if (strcmp(status, "exited") != 0)
                return NULL;
        if (docker_is_restarted(inspected))
                return "somebody has stopped it: its restart policy would have started it again";
        return has_policy(inspected, "on-failure") ? of_policy_on_failure(inspected)
                                                   : of_no_policy(inspected, events);
}

int docker_find_stopped_on_purpose(struct docker *docker, const cJSON *inspected, struct deadline deadline,
                                   const char **ret, struct error *error)
{
        _cleanup_json_ cJSON *events = NULL;
        nsec now = docker_time(docker), since = docker_started(inspected), ended = docker_finished(inspected);
        bool matters = string_equal(docker_status(inspected), "exited") && !docker_is_restarted(inspected);
        /* The Engine notes a short run's end before its start. It answers when it is `until`. */
        nsec last = ended > since ? ended : since;
        nsec until = last > now + NSEC_PER_SEC ? now /* its clock was set back */ : last + AFTER_THE_END;
        if (matters && now > 0 && since > 0 && since < until) {
                _cleanup_error_ struct error why = {0};
                int r = docker_events(docker, since - NSEC_PER_SEC, until, deadline, &events, &why);
                if (r < 0 && r != -ENOTSUP) {
                        error_move(error, &why);
                        return r;
                }
        }
        *ret = docker_stopped_on_purpose(inspected, events);
        return 0;
}
