/* SPDX-License-Identifier: Apache-2.0 */
/* Recreating a container on a real Engine: every trap at once, and a fault or a crash at every phase. */
#include "tests/harness/containers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "lib/docker/internal.h"
#include "runbook/docker_recreate.h"
#include "tests/harness/archive.h"

#define NAME "client-mcp"
#define SETTLE (300 * NSEC_PER_MSEC)
#define PHASES 5 /* how often progress is told; each test counts for itself */

static const char rich[] =
        "\"Env\":[\"A=1\",\"LOG_LEVEL=info\",\"SECRET=hunter2\"],\"Volumes\":{\"/"
        "data\":{}},\"StopTimeout\":2,"
        "\"Healthcheck\":{\"Test\":[\"NONE\"]},\"HostConfig\":{\"NetworkMode\":\"client-front\","
        "\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":5}},"
        "\"NetworkingConfig\":{\"EndpointsConfig\":{\"client-front\":{\"Aliases\":[\"mcp-server\"]}}}";

static void put_file(struct docker *docker, const char *id, const char *path, const char *content,
                     long long time)
{
        _cleanup_text_ struct text one = {0}, tar = {0};
        archive_of(&one, "x", content, strlen(content), time);
        assert_int_equal(docker_tar_append(&tar, one.data, one.length, path, NULL), 0);
        docker_tar_end(&tar);
        _cleanup_free_ char *target = text_format("/containers/%s/archive?path=/", id);
        _cleanup_http_response_ struct http_response response = {0};
        const struct docker_body body = {.type = "application/x-tar", .data = tar.data, .length = tar.length};
        assert_int_equal(docker_request(docker, "PUT", target, &body, SOON, &response, NULL), 0);
}

/* Whether the container has the file with that content. */
static bool has_file(struct docker *docker, const char *id, const char *path, const char *content)
{
        _cleanup_free_ char *source = text_format("/containers/%s/archive?path=%s", id, path);
        _cleanup_http_response_ struct http_response response = {0};
        if (docker_request(docker, "GET", source, NULL, SOON, &response, NULL) < 0)
                return false;
        return memmem(response.body.data, response.body.length, content, strlen(content)) != NULL;
}

static int clean(void **state _unused_)
{
        static const char *const networks[] = {"/networks/client-front", "/networks/client-back"};
        _cleanup_docker_ struct docker *docker = given_engine();
        remove_containers(docker);
        for (size_t i = 0; i < N_ELEMENTS(networks); i++)
                (void)docker_call(docker, "DELETE", networks[i], NULL, SOON, NULL, NULL);
        return 0;
}

/* Its id, to be freed. */
static char *create_rich(struct docker *docker)
{
        engine_do(docker, "POST", "/networks/create", "{\"Name\":\"client-front\"}");
        engine_do(docker, "POST", "/networks/create",
                  "{\"Name\":\"client-back\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.213.77.0/24\"}]}}");
        char *id = create_container(docker, NAME, "mcp-server", 1, rich);
        _cleanup_free_ char *connect =
                text_format("{\"Container\":\"%s\",\"EndpointConfig\":{\"Aliases\":[\"backend\"],"
                            "\"IPAMConfig\":{\"IPv4Address\":\"10.213.77.9\"}}}",
                            id);
        engine_do(docker, "POST", "/networks/client-back/connect", connect);

        /* As Compose does with inline secrets and configs; /tmp is nobody's. */
        put_file(docker, id, "/run/secrets/token", "from-compose",
                 clock_wall() / NSEC_PER_SEC + 1); /* rounded up, as tar may */
        put_file(docker, id, "/etc/app.conf", "from-hand", ARCHIVE_TIME);
        put_file(docker, id, "/tmp/scratch", "passing", ARCHIVE_TIME);
        put_file(docker, id, "/data/kept", "in-a-volume", ARCHIVE_TIME);
        container_do(docker, "POST", id, "/start");
        put_file(docker, id, "/var/lib/written", "by-the-program", clock_wall() / NSEC_PER_SEC + 100);
        return id;
}

static struct docker_change change_of(const char *tag)
{
        static const char *const variables[] = {"LOG_LEVEL", "NEW"}, *const values[] = {"debug", "yes"};
        return (struct docker_change){
                .variables = variables, .values = values, .count = 2, .tag = tag, .healthy_settle = SETTLE};
}

static bool has_variable(const cJSON *inspected, const char *assignment)
{
        const cJSON *item;
        cJSON_ArrayForEach(item, json_get(inspected, "Config", "Env", NULL))
        {
                if (strcmp(item->valuestring, assignment) == 0)
                        return true;
        }
        return false;
}

static void assert_same(const cJSON *a, const cJSON *b, const char *one, const char *two)
{
        const cJSON *left = json_get(json_get(a, one, NULL), two, NULL);
        const cJSON *right = json_get(json_get(b, one, NULL), two, NULL);
        _cleanup_free_ char *left_text = json_print(left), *right_text = json_print(right);
        if (!cJSON_Compare(left, right, true)) /* Engine 29 turns members around */
                fail_msg("%s is not %s", left_text, right_text);
}

static int count(struct docker *docker)
{
        _cleanup_json_ cJSON *list = list_containers(docker);
        return cJSON_GetArraySize(list);
}

/* The labels that it has beside ours. */
static cJSON *labels_of(const cJSON *inspected)
{
        cJSON *labels = json_copy(json_get(inspected, "Config", "Labels", NULL));
        cJSON_DeleteItemFromObjectCaseSensitive(labels, "runbook.change");
        return labels;
}

/* A container with what the old one was made with runs under its name, and nothing is left. */
static void assert_as_before(struct docker *docker, const cJSON *before)
{
        static const char *const files[] = {"/data/kept", "/run/secrets/token", "/etc/app.conf"},
                                 *const contents[] = {"in-a-volume", "from-compose", "from-hand"};
        _cleanup_json_ cJSON *now = container_inspect(docker, NAME);
        _cleanup_json_ cJSON *labels = labels_of(now), *labels_before = labels_of(before);
        assert_true(json_bool(json_get(now, "State", NULL), "Running", false));
        assert_same(now, before, "Config", "Env");
        assert_same(now, before, "Config", "Image");
        assert_same(now, before, "HostConfig", "RestartPolicy");
        assert_true(cJSON_Compare(labels, labels_before, true));
        const cJSON *back = json_get(now, "NetworkSettings", "Networks", "client-back", NULL);
        assert_string_equal(json_string(back, "IPAddress"), "10.213.77.9");
        assert_int_equal(cJSON_GetArraySize(json_get(now, "NetworkSettings", "Networks", NULL)), 2);
        for (size_t i = 0; i < N_ELEMENTS(files); i++)
                assert_true(has_file(docker, NAME, files[i], contents[i]));
        assert_int_equal(count(docker), 1);
}

struct journal {
        struct docker *docker;
        int calls, fail_at;
        int crash_at;     /* ends the process at that call */
        bool crash_first; /* before it is written down */
        const char *path; /* where it is written down */
        void (*meddle)(struct docker *docker, const cJSON *state);
        const char *meddle_at;
        struct text phases;
};

static int write_down(void *context, const cJSON *state, struct error *error)
{
        struct journal *journal = context;
        const char *phase = json_string(state, "phase");
        _cleanup_free_ char *text = json_print(state);
        assert_null(strstr(text, "hunter2"));
        journal->calls++;
        if (journal->crash_at == journal->calls && journal->crash_first)
                _exit(9);
        if (journal->path) {
                int fd = open(journal->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
                if (write(fd, text, strlen(text)) < 0)
                        _exit(1);
                close(fd);
        }
        if (journal->crash_at == journal->calls)
                _exit(9);
        if (journal->crash_at < 0 && strcmp(phase, "stopping") == 0)
                setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 300000}, NULL);
        if (journal->fail_at == journal->calls)
                return error_set(error, EIO, "the journal is full");
        if (string_equal(journal->meddle_at, phase))
                journal->meddle(journal->docker, state);
        text_printf(&journal->phases, "%s ", phase);
        return 0;
}

static void everything_is_carried_over_and_only_the_variables_differ(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_free_ char *id = create_rich(docker);
        _cleanup_json_ cJSON *before = container_inspect(docker, id), *done = NULL;
        _cleanup_error_ struct error error = {0};
        struct journal journal = {0};
        const struct docker_change change = change_of("T1");
        if (docker_recreate(docker, before, &change, SOON, write_down, &journal, &done, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_string_equal(text_string(&journal.phases), "keeping stopping removing creating starting ");
        assert_int_equal(journal.calls, PHASES);
        text_free(&journal.phases);
        assert_string_equal(json_string(done, "phase"), "running");
        assert_non_null(strstr(json_string(done, "drift"), "LOG_LEVEL, NEW"));

        _cleanup_json_ cJSON *new = container_inspect(docker, NAME), *gone = NULL;
        _cleanup_json_ cJSON *kept = container_inspect(docker, NAME ".runbook-T1.old");
        const char *new_id = json_string(new, "Id");
        assert_string_equal(new_id, json_string(done, "new"));
        assert_string_not_equal(new_id, id);
        assert_true(json_bool(json_get(new, "State", NULL), "Running", false));
        assert_true(has_variable(new, "A=1") && has_variable(new, "SECRET=hunter2"));
        assert_true(has_variable(new, "LOG_LEVEL=debug") && has_variable(new, "NEW=yes"));
        assert_false(has_variable(new, "LOG_LEVEL=info"));
        assert_same(new, before, "HostConfig", "RestartPolicy");
        _cleanup_json_ cJSON *labels = labels_of(new), *labels_before = labels_of(before);
        assert_true(cJSON_Compare(labels, labels_before, true));
        assert_same(new, before, "Config", "Image");

        /* The hostname is the new one's own, and so is the alias that the Engine makes of it. */
        const char *hostname = json_string(json_get(new, "Config", NULL), "Hostname");
        assert_memory_equal(hostname, new_id, 12);
        _cleanup_free_ char *networks = json_print(json_get(new, "NetworkSettings", "Networks", NULL));
        _cleanup_free_ char *short_id = strndup(id, 12);
        assert_null(strstr(networks, short_id));
        assert_non_null(strstr(networks, "\"mcp-server\""));
        assert_non_null(strstr(networks, "\"backend\""));
        assert_non_null(strstr(networks, "\"IPAddress\":\"10.213.77.9\""));
        assert_int_equal(cJSON_GetArraySize(json_get(new, "NetworkSettings", "Networks", NULL)), 2);

        const cJSON *mount = json_get(new, "Mounts", NULL), *old_mount = json_get(before, "Mounts", NULL);
        assert_int_equal(cJSON_GetArraySize(mount), 1);
        assert_string_equal(json_string(mount->child, "Name"), json_string(old_mount->child, "Name"));
        assert_true(has_file(docker, new_id, "/data/kept", "in-a-volume"));
        assert_true(has_file(docker, new_id, "/run/secrets/token", "from-compose"));
        assert_true(has_file(docker, new_id, "/etc/app.conf", "from-hand"));
        assert_false(has_file(docker, new_id, "/var/lib/written", "by-the-program"));
        assert_false(has_file(docker, new_id, "/tmp/scratch", "passing"));

        /* What is kept was never started, is not to be by the Engine, and is nobody's by its labels. */
        assert_int_equal(docker_inspect(docker, id, SOON, &gone, NULL), -ENOENT);
        assert_true(docker_is_kept(kept));
        assert_string_equal(docker_status(kept), "created");
        assert_string_equal(json_string(json_get(kept, "HostConfig", "RestartPolicy", NULL), "Name"), "no");
        assert_string_equal(docker_compose_project(kept), "");
        assert_string_equal(docker_service(kept), "");
        assert_int_equal(count(docker), 1);
        _cleanup_json_ cJSON *list = NULL;
        assert_int_equal(docker_list(docker, PROJECT, "mcp-server", SOON, &list, NULL), 0);
        assert_int_equal(cJSON_GetArraySize(list), 1);

        /* Undo, and undo again. */
        for (int i = 0; i < 2; i++) {
                if (docker_recreate_roll_back(docker, done, SOON, NULL, NULL, &error) < 0)
                        fail_msg("%s", error_text(&error));
                assert_as_before(docker, before);
        }
        /* Nothing is kept any more, so there is nothing to let go of. */
        assert_int_equal(docker_inspect(docker, NAME ".runbook-T1.old", SOON, &gone, NULL), -ENOENT);
        assert_int_equal(docker_recreate_settle(docker, done, SOON, NULL), 0);
        assert_as_before(docker, before);
}

static void settling_removes_what_was_kept_but_its_volumes(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_free_ char *id = create_rich(docker);
        _cleanup_json_ cJSON *before = container_inspect(docker, id), *done = NULL, *gone = NULL;
        const struct docker_change change = change_of("T2");
        _cleanup_error_ struct error error = {0};
        assert_int_equal(docker_recreate(docker, before, &change, SOON, NULL, NULL, &done, NULL), 0);

        /* A second change under the same tag would lose what was kept of the first one. */
        _cleanup_json_ cJSON *again = container_inspect(docker, NAME), *unused = NULL;
        assert_int_equal(docker_recreate(docker, again, &change, SOON, NULL, NULL, &unused, &error), -EEXIST);

        /* Whoever has started it has something in mind with it. */
        container_do(docker, "POST", NAME ".runbook-T2.old", "/rename?name=client-aside");
        container_do(docker, "POST", NAME, "/stop");
        container_do(docker, "POST", "client-aside", "/rename?name=" NAME ".runbook-T2.old");
        container_do(docker, "POST", NAME ".runbook-T2.old", "/start");
        assert_int_equal(docker_recreate_settle(docker, done, SOON, &error), -EBUSY);
        assert_non_null(strstr(error_text(&error), "docker rm -f " NAME ".runbook-T2.old"));
        container_do(docker, "POST", NAME ".runbook-T2.old", "/stop");
        container_do(docker, "POST", NAME, "/start");

        for (int i = 0; i < 2; i++)
                assert_int_equal(docker_recreate_settle(docker, done, SOON, NULL), 0);
        assert_int_equal(docker_inspect(docker, NAME ".runbook-T2.old", SOON, &gone, NULL), -ENOENT);
        assert_int_equal(count(docker), 1);
        assert_true(has_file(docker, NAME, "/data/kept", "in-a-volume"));

        /* There is no way back any more, and the new one is left alone. */
        assert_int_equal(docker_recreate_roll_back(docker, done, SOON, NULL, NULL, &error), -ESTALE);
        _cleanup_json_ cJSON *new = container_inspect(docker, NAME);
        assert_string_equal(json_string(new, "Id"), json_string(done, "new"));
        assert_true(json_bool(json_get(new, "State", NULL), "Running", false));
}

static void a_fault_at_any_phase_puts_the_old_one_back(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        free(create_rich(docker));
        const struct docker_change change = change_of("T3");
        for (int k = 1; k <= PHASES; k++) {
                _cleanup_json_ cJSON *before = container_inspect(docker, NAME);
                _cleanup_error_ struct error error = {0};
                struct journal journal = {.fail_at = k};
                cJSON *done = NULL;
                assert_int_equal(
                        docker_recreate(docker, before, &change, SOON, write_down, &journal, &done, &error),
                        -EIO);
                text_free(&journal.phases);
                assert_true(journal.calls > k); /* going back is told, too */
                assert_null(done);
                assert_non_null(strstr(error_text(&error), "the journal is full"));
                assert_as_before(docker, before);
        }
}

/* Ends the responder at call k, or (-1) while it stops the old one, and gives what it had written down by
 * then; NULL when nothing. */
static cJSON *crash(const cJSON *before, const struct docker_change *change, int k, bool first)
{
        char path[] = "/tmp/runbook-state-XXXXXX";
        close(mkstemp(path));
        unlink(path);
        pid_t child = fork();
        if (child == 0) {
                struct docker *docker = given_engine();
                struct journal journal = {.crash_at = k, .crash_first = first, .path = path};
                cJSON *done = NULL;
                (void)docker_recreate(docker, before, change, SOON, write_down, &journal, &done, NULL);
                _exit(1);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(k < 0 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
                          : WIFEXITED(status) && WEXITSTATUS(status) == 9);

        FILE *file = fopen(path, "re");
        if (!file)
                return NULL;
        char buffer[4096];
        size_t length = fread(buffer, 1, sizeof(buffer) - 1, file);
        buffer[length] = '\0';
        fclose(file);
        unlink(path);
        return json_of(buffer);
}

static void a_crash_at_any_phase_can_be_rolled_back(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        free(create_rich(docker));
        const struct docker_change change = change_of("T4");
        for (int k = 1; k <= PHASES; k++)
                for (int first = 0; first <= 1; first++) {
                        _cleanup_json_ cJSON *before = container_inspect(docker, NAME);
                        _cleanup_json_ cJSON *written = crash(before, &change, k, first);
                        if (!written) {
                                assert_true(k == 1 && first);
                                assert_as_before(docker, before);
                                continue;
                        }
                        for (int i = 0; i < 2; i++) {
                                _cleanup_error_ struct error error = {0};
                                if (docker_recreate_roll_back(docker, written, SOON, NULL, NULL, &error) < 0)
                                        fail_msg("crash %d at call %d: %s", first, k, error_text(&error));
                                assert_as_before(docker, before);
                        }
                }
}

/* The responder dies while the Engine waits for the old one to stop, and is back before it has. */
static void a_stop_that_is_under_way_is_waited_out(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_free_ char *id = create_container(
                docker, NAME, "mcp-server", 1,
                "\"StopSignal\":\"SIGWINCH\",\"StopTimeout\":3,\"Healthcheck\":{\"Test\":[\"NONE\"]},"
                "\"HostConfig\":{\"NetworkMode\":\"none\"}");
        container_do(docker, "POST", id, "/start");
        _cleanup_json_ cJSON *before = container_inspect(docker, id);
        const struct docker_change change = change_of("T11");
        _cleanup_json_ cJSON *written = crash(before, &change, -1, false);
        assert_string_equal(json_string(written, "phase"), "stopping");

        assert_int_equal(docker_recreate_roll_back(docker, written, SOON, NULL, NULL, NULL), 0);
        _cleanup_json_ cJSON *now = container_inspect(docker, NAME);
        assert_string_equal(json_string(now, "Id"), id);
        assert_true(json_bool(json_get(now, "State", NULL), "Running", false));
        assert_string_not_equal(json_string(json_get(now, "State", NULL), "StartedAt"),
                                json_string(json_get(before, "State", NULL), "StartedAt"));
        assert_int_equal(count(docker), 1);

        /* Once it is back, it is not stopped again. */
        assert_int_equal(docker_recreate_roll_back(docker, written, SOON, NULL, NULL, NULL), 0);
        _cleanup_json_ cJSON *later = container_inspect(docker, NAME);
        assert_same(later, now, "State", "StartedAt");
}

static void remove_the_new_one(struct docker *docker, const cJSON *state)
{
        container_do(docker, "DELETE", json_string(state, "new"), "?force=1");
}

static void remove_the_old_one(struct docker *docker, const cJSON *state)
{
        container_do(docker, "DELETE", json_string(state, "old"), "?force=1");
}

static void take_the_name(struct docker *docker, const cJSON *state)
{
        const char *id = json_string(state, "new");
        if (id)
                container_do(docker, "DELETE", id, "?force=1");
        free(create_container(docker, NAME, "mcp-server", 1,
                              "\"Env\":[\"THEIRS=1\"],\"HostConfig\":{\"NetworkMode\":\"none\"}"));
}

/* As `down`, and as `up --force-recreate`, at every moment at which they may come. */
static void what_somebody_else_has_made_of_it_meanwhile_is_left(void **state _unused_)
{
        static const struct {
                const char *at;
                void (*meddle)(struct docker *docker, const cJSON *state);
                bool stands;
        } cases[] = {
                {"keeping", remove_the_old_one, false},  {"stopping", remove_the_old_one, false},
                {"creating", take_the_name, true},       {"starting", take_the_name, true},
                {"starting", remove_the_new_one, false},
        };
        _cleanup_docker_ struct docker *docker = given_engine();
        const struct docker_change change = change_of("T5");
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *id = create_rich(docker);
                _cleanup_json_ cJSON *before = container_inspect(docker, id), *kept = NULL;
                _cleanup_error_ struct error error = {0};
                struct journal journal = {
                        .docker = docker, .meddle = cases[i].meddle, .meddle_at = cases[i].at};
                cJSON *done = NULL;
                int r = docker_recreate(docker, before, &change, SOON, write_down, &journal, &done, &error);
                if (r != -ESTALE)
                        fail_msg("case %zu: %d, %s", i, r, error_text(&error));
                assert_non_null(strstr(error_text(&error), "somebody else"));
                assert_non_null(strstr(text_string(&journal.phases), " left "));
                text_free(&journal.phases);
                assert_int_equal(docker_inspect(docker, NAME ".runbook-T5.old", SOON, &kept, NULL), -ENOENT);
                assert_int_equal(count(docker), cases[i].stands);
                if (cases[i].stands) {
                        _cleanup_json_ cJSON *now = container_inspect(docker, NAME);
                        assert_true(has_variable(now, "THEIRS=1"));
                }
                clean(NULL);
        }
}

/* What a version before has left, in the phases in which it may have ended. */
static void a_state_of_a_version_before_is_carried_on_from(void **state _unused_)
{
        static const char *const phases[] = {"creating", "parking", "running"};
        _cleanup_docker_ struct docker *docker = given_engine();
        for (size_t i = 0; i < N_ELEMENTS(phases); i++) {
                _cleanup_free_ char *id = create_rich(docker), *new = NULL;
                _cleanup_json_ cJSON *before = container_inspect(docker, id);
                bool over = strcmp(phases[i], "running") == 0;
                if (strcmp(phases[i], "creating") != 0) {
                        container_do(docker, "POST", id, "/stop");
                        container_do(docker, "POST", id, "/rename?name=" NAME ".runbook-T12.old");
                        new = create_container(docker, over ? NAME : NAME ".runbook-T12.new", "mcp-server", 1,
                                               "\"HostConfig\":{\"NetworkMode\":\"none\"}");
                }
                _cleanup_free_ char *text = text_format(
                        "{\"old\":\"%s\",\"new\":%s%s%s,\"name\":\"" NAME "\",\"backup\":\"" NAME
                        ".runbook-T12.old\",\"temporary\":\"" NAME ".runbook-T12.new\",\"restart_policy\":"
                        "{\"Name\":\"on-failure\",\"MaximumRetryCount\":5},\"running\":true,\"started_at\":"
                        "\"%s\","
                        "\"phase\":\"%s\",\"drift\":\"\"}",
                        id, new ? "\"" : "", new ? new : "null", new ? "\"" : "", docker_started_at(before),
                        phases[i]);
                _cleanup_json_ cJSON *written = json_of(text);
                for (int j = 0; j < 2; j++) {
                        assert_int_equal(docker_recreate_roll_back(docker, written, SOON, NULL, NULL, NULL),
                                         0);
                        assert_as_before(docker, before);
                        _cleanup_json_ cJSON *now = container_inspect(docker, NAME);
                        assert_string_equal(json_string(now, "Id"), id);
                }
                if (over) {
                        container_do(docker, "POST", id, "/stop");
                        container_do(docker, "POST", id, "/rename?name=" NAME ".runbook-T12.old");
                        assert_int_equal(docker_recreate_settle(docker, written, SOON, NULL), 0);
                        assert_int_equal(count(docker), 0);
                }
                clean(NULL);
        }
}

/* Takes the address that both of them need. */
static void take_the_address(struct docker *docker, const cJSON *state _unused_)
{
        _cleanup_free_ char *id = create_container(
                docker, "client-thief", "thief", 1,
                "\"Healthcheck\":{\"Test\":[\"NONE\"]},\"HostConfig\":{\"NetworkMode\":\"client-back\"},"
                "\"NetworkingConfig\":{\"EndpointsConfig\":{\"client-back\":{\"IPAMConfig\":"
                "{\"IPv4Address\":\"10.213.77.9\"}}}}");
        container_do(docker, "POST", id, "/start");
}

static void that_nothing_runs_is_said_and_can_be_repaired_later(void **state _unused_)
{
        char path[] = "/tmp/runbook-state-XXXXXX";
        close(mkstemp(path));
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_free_ char *id = create_rich(docker);
        _cleanup_json_ cJSON *before = container_inspect(docker, id);
        _cleanup_error_ struct error error = {0};
        const struct docker_change change = change_of("T6");
        struct journal journal = {
                .docker = docker, .path = path, .meddle = take_the_address, .meddle_at = "starting"};
        cJSON *done = NULL;
        assert_int_equal(docker_recreate(docker, before, &change, SOON, write_down, &journal, &done, &error),
                         -ENOTRECOVERABLE);
        text_free(&journal.phases);
        assert_non_null(strstr(error_text(&error), "could not be put back"));
        assert_null(strstr(error_text(&error), "hunter2"));

        char buffer[4096] = "";
        FILE *file = fopen(path, "re");
        assert_true(fread(buffer, 1, sizeof(buffer) - 1, file) > 0);
        fclose(file);
        unlink(path);
        _cleanup_json_ cJSON *written = json_of(buffer);
        container_do(docker, "DELETE", "client-thief", "?force=1");
        assert_int_equal(docker_recreate_roll_back(docker, written, SOON, NULL, NULL, NULL), 0);
        assert_as_before(docker, before);
}

static void an_unhealthy_new_one_is_taken_back(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_free_ char *more = on_host_network();
        _cleanup_free_ char *id = create_container(docker, NAME, "mcp-server", 1, more);
        container_do(docker, "POST", id, "/start");
        assert_int_equal(docker_wait_healthy(docker, id, 0, SOON, NULL), 0);

        _cleanup_json_ cJSON *before = container_inspect(docker, id);
        _cleanup_error_ struct error error = {0};
        const char *variable = "PORT", *value = "65536"; /* its health check asks at port 0 */
        const struct docker_change change = {
                .variables = &variable, .values = &value, .count = 1, .tag = "T7"};
        cJSON *done = NULL;
        assert_int_equal(docker_recreate(docker, before, &change, deadline_in(7 * NSEC_PER_SEC), NULL, NULL,
                                         &done, &error),
                         -ETIMEDOUT);
        assert_non_null(strstr(error_text(&error), "did not become healthy"));
        _cleanup_json_ cJSON *now = container_inspect(docker, NAME);
        assert_same(now, before, "Config", "Env");
        assert_int_equal(docker_wait_healthy(docker, NAME, 0, SOON, NULL), 0);
        assert_int_equal(count(docker), 1);

        /* And a value that is fine goes through. */
        _cleanup_free_ char *port = text_format("%d", closed_port());
        value = port;
        _cleanup_json_ cJSON *fine = NULL;
        assert_int_equal(docker_recreate(docker, now, &change, SOON, NULL, NULL, &fine, NULL), 0);
        _cleanup_json_ cJSON *new = container_inspect(docker, NAME);
        assert_string_equal(docker_health(new), "healthy");
}

static void one_that_did_not_run_is_put_back_as_it_was(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        _cleanup_free_ char *id = create_rich(docker);
        container_do(docker, "POST", id, "/stop");
        _cleanup_json_ cJSON *before = container_inspect(docker, id), *done = NULL;
        const struct docker_change change = change_of("T8");
        assert_int_equal(docker_recreate(docker, before, &change, SOON, NULL, NULL, &done, NULL), 0);
        assert_int_equal(docker_recreate_roll_back(docker, done, SOON, NULL, NULL, NULL), 0);
        _cleanup_json_ cJSON *now = container_inspect(docker, NAME);
        assert_false(json_bool(json_get(now, "State", NULL), "Running", true));
        assert_same(now, before, "HostConfig", "RestartPolicy");
        assert_int_equal(count(docker), 1);
}

static void the_same_image_is_used_when_its_tag_has_moved(void **state _unused_)
{
        static const char commit[] = "/commit?container=client-source&repo=client-moved&tag=1&comment=";
        _cleanup_docker_ struct docker *docker = given_engine();
        free(create_container(docker, "client-source", "source", 1,
                              "\"HostConfig\":{\"NetworkMode\":\"none\"}"));
        _cleanup_free_ char *first = text_format("%s1", commit), *second = text_format("%s2", commit);
        engine_do(docker, "POST", first, NULL);

        _cleanup_free_ char *body =
                text_format("{\"Image\":\"client-moved:1\",\"Healthcheck\":{\"Test\":[\"NONE\"]},"
                            "\"Labels\":{\"com.docker.compose.project\":\"" PROJECT "\"},"
                            "\"HostConfig\":{\"NetworkMode\":\"none\"}}");
        engine_do(docker, "POST", "/containers/create?name=" NAME, body);
        container_do(docker, "POST", NAME, "/start");
        engine_do(docker, "POST", second, NULL);

        _cleanup_json_ cJSON *before = container_inspect(docker, NAME), *done = NULL;
        const struct docker_change change = change_of("T9");
        assert_int_equal(docker_recreate(docker, before, &change, SOON, NULL, NULL, &done, NULL), 0);
        _cleanup_json_ cJSON *new = container_inspect(docker, NAME);
        assert_string_equal(json_string(new, "Image"), json_string(before, "Image"));
        assert_string_equal(json_string(json_get(new, "Config", NULL), "Image"),
                            json_string(before, "Image"));

        remove_containers(docker);
        engine_do(docker, "DELETE", "/images/client-moved:1?force=1", NULL);
        (void)docker_call(docker, "DELETE", "/images/client-moved:1?force=1", NULL, SOON, NULL, NULL);
        _cleanup_free_ char *image = text_format("/images/%s?force=1", json_string(before, "Image"));
        (void)docker_call(docker, "DELETE", image, NULL, SOON, NULL, NULL);
}

/* Compose labels the images that it builds as it does containers. */
static void check_labels(struct docker *docker, const cJSON *state)
{
        _cleanup_json_ cJSON *kept = container_inspect(docker, json_string(state, "kept"));
        assert_string_equal(docker_compose_project(kept), "");
        assert_string_equal(docker_service(kept), "");
}

static void what_is_kept_is_nobodys_by_its_image_either(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        free(create_container(docker, NAME, "source", 1, "\"HostConfig\":{\"NetworkMode\":\"none\"}"));
        engine_do(docker, "POST",
                  "/commit?container=" NAME "&repo=client-labelled&tag=1&changes=LABEL%20"
                  "com.docker.compose.project%3D" PROJECT "%20com.docker.compose.service%3Dfrom-image",
                  NULL);
        container_do(docker, "DELETE", NAME, "");
        engine_do(docker, "POST", "/containers/create?name=" NAME,
                  "{\"Image\":\"client-labelled:1\",\"Healthcheck\":{\"Test\":[\"NONE\"]},"
                  "\"Labels\":{\"com.docker.compose.service\":\"web\"},"
                  "\"HostConfig\":{\"NetworkMode\":\"none\"}}");
        container_do(docker, "POST", NAME, "/start");
        _cleanup_json_ cJSON *before = container_inspect(docker, NAME), *done = NULL;
        _cleanup_json_ cJSON *labels_before = labels_of(before);
        const struct docker_change change = change_of("T13");
        struct journal journal = {.docker = docker, .meddle = check_labels, .meddle_at = "stopping"};
        assert_int_equal(docker_recreate(docker, before, &change, SOON, write_down, &journal, &done, NULL),
                         0);
        text_free(&journal.phases);
        assert_int_equal(docker_recreate_roll_back(docker, done, SOON, NULL, NULL, NULL), 0);
        _cleanup_json_ cJSON *now = container_inspect(docker, NAME), *labels = labels_of(now);
        assert_true(cJSON_Compare(labels, labels_before, true));
        remove_containers(docker);
        engine_do(docker, "DELETE", "/images/client-labelled:1?force=1", NULL);
}

static void assert_refused(struct docker *docker, const char *name, const char *reason)
{
        _cleanup_json_ cJSON *before = container_inspect(docker, name);
        _cleanup_error_ struct error error = {0};
        const struct docker_change change = change_of("T10");
        struct journal journal = {0};
        cJSON *done = NULL;
        int containers = count(docker);
        assert_int_equal(docker_recreate(docker, before, &change, SOON, write_down, &journal, &done, &error),
                         -ENOTSUP);
        assert_non_null(strstr(error_text(&error), reason));
        assert_int_equal(journal.calls, 0);
        _cleanup_json_ cJSON *now = container_inspect(docker, name);
        assert_same(now, before, "State", "StartedAt");
        assert_int_equal(count(docker), containers);
}

#define STARTED(name, more)                                                                                  \
        do {                                                                                                 \
                _cleanup_free_ char *made =                                                                  \
                        create_container(docker, name, "mcp-server", 1,                                      \
                                         "\"Healthcheck\":{\"Test\":[\"NONE\"]},\"HostConfig\":{" more "}"); \
                container_do(docker, "POST", made, "/start");                                                \
        } while (0)

static void what_could_not_be_put_back_is_refused(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        STARTED("client-auto", "\"NetworkMode\":\"none\",\"AutoRemove\":true");
        assert_refused(docker, "client-auto", "removes itself");

        STARTED("client-lender", "\"NetworkMode\":\"none\"");
        STARTED("client-net", "\"NetworkMode\":\"container:client-lender\"");
        assert_refused(docker, "client-lender", "client-net");
        container_do(docker, "DELETE", "client-net", "?force=1");
        STARTED("client-pid", "\"NetworkMode\":\"none\",\"PidMode\":\"container:client-lender\"");
        assert_refused(docker, "client-lender", "client-pid");
        container_do(docker, "DELETE", "client-pid", "?force=1");

        container_do(docker, "POST", "client-lender", "/pause");
        assert_refused(docker, "client-lender", "paused");
        container_do(docker, "POST", "client-lender", "/unpause");
        container_do(docker, "POST", "client-lender", "/rename?name=client-lender.runbook-T.old");
        assert_refused(docker, "client-lender.runbook-T.old", "kept");

        /* More than can be carried over. */
        _cleanup_free_ char *large = calloc(1, ((size_t)16 << 20) + 2);
        memset(large, 'x', ((size_t)16 << 20) + 1);
        _cleanup_free_ char *id = create_container(docker, "client-large", "mcp-server", 1,
                                                   "\"HostConfig\":{\"NetworkMode\":\"none\"}");
        put_file(docker, id, "/opt/large", large, ARCHIVE_TIME);
        assert_refused(docker, "client-large", "16 MiB");
}

static void a_change_that_makes_no_sense_is_refused(void **state _unused_)
{
        _cleanup_docker_ struct docker *docker = given_engine();
        free(create_container(docker, NAME, "mcp-server", 1, "\"HostConfig\":{\"NetworkMode\":\"none\"}"));
        _cleanup_json_ cJSON *before = container_inspect(docker, NAME);
        const char *good = "A", *empty = "", *both = "A=B", *value = "1";
        const struct docker_change wrong[] = {
                {.variables = &good, .values = &value, .count = 1},
                {.variables = &good, .values = &value, .count = 1, .tag = ""},
                {.variables = &good, .values = &value, .count = 1, .tag = "a/b"},
                {.variables = &good, .values = &value, .count = 0, .tag = "T"},
                {.variables = &empty, .values = &value, .count = 1, .tag = "T"},
                {.variables = &both, .values = &value, .count = 1, .tag = "T"},
        };
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
                cJSON *done = NULL;
                assert_int_equal(docker_recreate(docker, before, &wrong[i], SOON, NULL, NULL, &done, NULL),
                                 -EINVAL);
        }
        _cleanup_json_ cJSON *state_of_nothing = json_of("{\"old\":\"x\"}");
        assert_int_equal(docker_recreate_roll_back(docker, state_of_nothing, SOON, NULL, NULL, NULL),
                         -EINVAL);
        assert_int_equal(docker_recreate_settle(docker, state_of_nothing, SOON, NULL), -EINVAL);
        assert_int_equal(count(docker), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(everything_is_carried_over_and_only_the_variables_differ, clean),
                cmocka_unit_test_teardown(settling_removes_what_was_kept_but_its_volumes, clean),
                cmocka_unit_test_teardown(a_fault_at_any_phase_puts_the_old_one_back, clean),
                cmocka_unit_test_teardown(a_crash_at_any_phase_can_be_rolled_back, clean),
                cmocka_unit_test_teardown(a_stop_that_is_under_way_is_waited_out, clean),
                cmocka_unit_test_teardown(what_somebody_else_has_made_of_it_meanwhile_is_left, clean),
                cmocka_unit_test_teardown(a_state_of_a_version_before_is_carried_on_from, clean),
                cmocka_unit_test_teardown(that_nothing_runs_is_said_and_can_be_repaired_later, clean),
                cmocka_unit_test_teardown(an_unhealthy_new_one_is_taken_back, clean),
                cmocka_unit_test_teardown(one_that_did_not_run_is_put_back_as_it_was, clean),
                cmocka_unit_test_teardown(the_same_image_is_used_when_its_tag_has_moved, clean),
                cmocka_unit_test_teardown(what_is_kept_is_nobodys_by_its_image_either, clean),
                cmocka_unit_test_teardown(what_could_not_be_put_back_is_refused, clean),
                cmocka_unit_test_teardown(a_change_that_makes_no_sense_is_refused, clean),
        };
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests_name("client_recreate", tests, clean, NULL);
}
