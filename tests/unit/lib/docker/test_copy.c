/* SPDX-License-Identifier: Apache-2.0 */
/* What creates a container again, from what the Engine says of it: each trap by itself, on each API version.
 */
#include "tests/harness/unit.h"

#include <errno.h>

#include "lib/docker/internal.h"

#define ID "0123456789ab0123456789ab0123456789ab0123456789ab0123456789abcdef"

static const struct docker_change no_change = {.tag = "T"};

static cJSON *parse(const char *text)
{
        cJSON *json = NULL;
        assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
        return json;
}

/* The copy as one line of JSON, and what is to be connected afterwards; free both. */
static void copy(const char *inspected, const struct docker_change *change, int minor, char **ret_body,
                 char **ret_connect)
{
        _cleanup_json_ cJSON *json = parse(inspected), *body = NULL, *connect = NULL;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(docker_copy(json, "image:1", change, minor, &body, &connect, &error), 0);
        *ret_body = json_print(body);
        *ret_connect = json_print(connect);
}

static void assert_copy(const char *inspected, const struct docker_change *change, int minor,
                        const char *body, const char *connect)
{
        _cleanup_free_ char *copied = NULL, *connected = NULL;
        copy(inspected, change, minor, &copied, &connected);
        assert_string_equal(copied, body);
        assert_string_equal(connected, connect);
}

static void only_the_changed_variables_differ(void **state _unused_)
{
        const char *variables[] = {"LOG_LEVEL", "GONE", "NEW", "ABSENT"};
        const char *values[] = {"debug=\"1\"", NULL, "", NULL};
        const struct docker_change change = {
                .variables = variables, .values = values, .count = 4, .tag = "T"};
        assert_copy(
                "{\"Id\":\"" ID "\",\"Config\":{\"Env\":[\"PATH=/bin\",\"LOG_LEVEL=info\",\"LOG_LEVEL_2=x\","
                "\"GONE=1\",\"BARE\",\"LOG_LEVEL=twice\"],\"Image\":\"image:0\","
                "\"Labels\":{\"com.docker.compose.config-hash\":\"h\"},\"StopTimeout\":3},"
                "\"HostConfig\":{\"NetworkMode\":\"none\",\"ShmSize\":67108864}}",
                &change, 41,
                "{\"Labels\":{\"com.docker.compose.config-hash\":\"h\"},\"StopTimeout\":3,"
                "\"HostConfig\":{\"NetworkMode\":\"none\",\"ShmSize\":67108864},\"Image\":\"image:1\","
                "\"Env\":[\"PATH=/bin\",\"LOG_LEVEL=debug=\\\"1\\\"\",\"LOG_LEVEL_2=x\",\"BARE\",\"NEW=\"]}",
                "[]");
}

static void a_hostname_goes_only_when_it_is_the_old_id(void **state _unused_)
{
        assert_copy("{\"Id\":\"" ID
                    "\",\"Config\":{\"Hostname\":\"0123456789ab\"},\"HostConfig\":{\"NetworkMode\":"
                    "\"host\"}}",
                    &no_change, 41,
                    "{\"HostConfig\":{\"NetworkMode\":\"host\"},\"Image\":\"image:1\",\"Env\":[]}", "[]");
        assert_copy("{\"Id\":\"" ID
                    "\",\"Config\":{\"Hostname\":\"mcp\"},\"HostConfig\":{\"NetworkMode\":\"host\"}}",
                    &no_change, 41,
                    "{\"Hostname\":\"mcp\",\"HostConfig\":{\"NetworkMode\":\"host\"},\"Image\":\"image:1\","
                    "\"Env\":[]}",
                    "[]");
        /* Twelve characters of the id and no more. */
        assert_copy("{\"Id\":\"" ID
                    "\",\"Config\":{\"Hostname\":\"0123456789\"},\"HostConfig\":{\"NetworkMode\":"
                    "\"host\"}}",
                    &no_change, 41,
                    "{\"Hostname\":\"0123456789\",\"HostConfig\":{\"NetworkMode\":\"host\"},\"Image\":"
                    "\"image:1\","
                    "\"Env\":[]}",
                    "[]");
}

static void a_borrowed_network_takes_what_may_not_be_asked_for(void **state _unused_)
{
        assert_copy("{\"Id\":\"" ID
                    "\",\"Config\":{\"Hostname\":\"other\",\"Domainname\":\"d\",\"ExposedPorts\":"
                    "{\"80/tcp\":{}},\"Tty\":false},\"HostConfig\":{\"NetworkMode\":\"container:abc\"},"
                    "\"NetworkSettings\":{\"Networks\":{}}}",
                    &no_change, 41,
                    "{\"Tty\":false,\"HostConfig\":{\"NetworkMode\":\"container:abc\"},\"Image\":\"image:1\","
                    "\"Env\":[]}",
                    "[]");
}

static void anonymous_volumes_keep_their_data(void **state _unused_)
{
        assert_copy(
                "{\"Id\":\"" ID "\",\"Config\":{\"Volumes\":{\"/data\":{}}},"
                "\"HostConfig\":{\"NetworkMode\":\"none\",\"Binds\":[\"named:/named:rw\",\"/host:/"
                "databases\"],"
                "\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/anonymous\"},"
                "{\"Type\":\"volume\",\"Source\":\"known\",\"Target\":\"/known\"}]},"
                "\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"named\",\"Destination\":\"/named\",\"RW\":true},"
                "{\"Type\":\"bind\",\"Source\":\"/host\",\"Destination\":\"/databases\",\"RW\":true},"
                "{\"Type\":\"volume\",\"Name\":\"v1\",\"Destination\":\"/data\",\"RW\":true},"
                "{\"Type\":\"volume\",\"Name\":\"v2\",\"Destination\":\"/anonymous\",\"RW\":true},"
                "{\"Type\":\"volume\",\"Name\":\"v4\",\"Destination\":\"/readonly\",\"RW\":false},"
                "{\"Type\":\"volume\",\"Name\":\"known\",\"Destination\":\"/known\",\"RW\":true}]}",
                &no_change, 41,
                "{\"Volumes\":{\"/data\":{}},\"HostConfig\":{\"NetworkMode\":\"none\","
                "\"Binds\":[\"named:/named:rw\",\"/host:/databases\"],"
                "\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/anonymous\",\"Source\":\"v2\"},"
                "{\"Type\":\"volume\",\"Source\":\"known\",\"Target\":\"/known\"},"
                "{\"Type\":\"volume\",\"Source\":\"v1\",\"Target\":\"/data\",\"ReadOnly\":false,"
                "\"VolumeOptions\":{\"NoCopy\":true}},"
                "{\"Type\":\"volume\",\"Source\":\"v4\",\"Target\":\"/readonly\",\"ReadOnly\":true,"
                "\"VolumeOptions\":{\"NoCopy\":true}}]},\"Image\":\"image:1\",\"Env\":[]}",
                "[]");
}

static const char two_networks[] =
        "{\"Id\":\"" ID
        "\",\"Config\":{},\"HostConfig\":{\"NetworkMode\":\"front\"},\"NetworkSettings\":{\"Networks\":{"
        "\"back\":{\"IPAMConfig\":{\"IPv4Address\":\"172.20.0.9\"},\"Links\":[\"db:database\"],"
        "\"Aliases\":[\"mcp-server\",\"0123456789ab\",\"0123456789abc\"],\"DriverOpts\":{\"o\":\"1\"},"
        "\"NetworkID\":\"beef\",\"EndpointID\":\"e\",\"Gateway\":\"172.20.0.1\",\"IPAddress\":\"172.20.0.9\","
        "\"IPPrefixLen\":16,\"MacAddress\":\"02:42:ac:14:00:09\",\"DNSNames\":[\"x\"],\"GwPriority\":5},"
        "\"front\":{\"IPAMConfig\":null,\"Links\":null,\"Aliases\":null,\"NetworkID\":\"f00d\","
        "\"EndpointID\":\"e2\","
        "\"IPAddress\":\"172.19.0.2\",\"MacAddress\":\"02:42:ac:13:00:99\"}}}}";

#define BACK                                                                            \
        "{\"IPAMConfig\":{\"IPv4Address\":\"172.20.0.9\"},\"Links\":[\"db:database\"]," \
        "\"DriverOpts\":{\"o\":\"1\"},\"GwPriority\":5,\"Aliases\":[\"mcp-server\",\"0123456789abc\"]"

static void before_1_44_the_other_networks_are_connected_later(void **state _unused_)
{
        assert_copy(two_networks, &no_change, 43,
                    "{\"HostConfig\":{\"NetworkMode\":\"front\"},\"Image\":\"image:1\",\"Env\":[],"
                    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"front\":{}}}}",
                    "[{\"endpoint\":" BACK "},\"network\":\"beef\"}]");
}

static void from_1_44_all_networks_are_given_and_set_addresses_kept(void **state _unused_)
{
        /* The one that the old Engine made from the IP address is not anybody's wish, the other one is. */
        assert_copy(two_networks, &no_change, 44,
                    "{\"HostConfig\":{\"NetworkMode\":\"front\"},\"Image\":\"image:1\",\"Env\":[],"
                    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"back\":" BACK "},"
                    "\"front\":{\"MacAddress\":\"02:42:ac:13:00:99\"}}}}",
                    "[]");
}

static void the_network_mode_is_the_key_even_when_it_was_an_id(void **state _unused_)
{
        assert_copy("{\"Id\":\"" ID "\",\"Config\":{},\"HostConfig\":{\"NetworkMode\":\"feedfacefeed\"},"
                    "\"NetworkSettings\":{\"Networks\":{\"net\":{\"NetworkID\":\"feedfacefeedface\"}}}}",
                    &no_change, 43,
                    "{\"HostConfig\":{\"NetworkMode\":\"net\"},\"Image\":\"image:1\",\"Env\":[],"
                    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"net\":{}}}}",
                    "[]");
}

static void the_default_bridge_takes_no_settings(void **state _unused_)
{
        static const char inspected[] =
                "{\"Id\":\"" ID "\",\"Config\":{\"MacAddress\":\"aa:bb:cc:dd:ee:ff\"},"
                "\"HostConfig\":{\"NetworkMode\":\"default\"},"
                "\"NetworkSettings\":{\"Networks\":{\"bridge\":{\"Aliases\":[\"a\"],\"IPAMConfig\":{},"
                "\"IPAddress\":\"172.17.0.2\",\"MacAddress\":\"02:42:ac:11:00:02\"}}}}";
        assert_copy(inspected, &no_change, 43,
                    "{\"MacAddress\":\"aa:bb:cc:dd:ee:ff\",\"HostConfig\":{\"NetworkMode\":\"bridge\"},"
                    "\"Image\":\"image:1\",\"Env\":[]}",
                    "[]");
        /* A MAC address that was asked for moves to the endpoint. */
        assert_copy(inspected, &no_change, 44,
                    "{\"HostConfig\":{\"NetworkMode\":\"bridge\"},\"Image\":\"image:1\",\"Env\":[],"
                    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"bridge\":{\"MacAddress\":\"aa:bb:cc:dd:ee:"
                    "ff\"}}}}",
                    "[]");
}

static void an_incomplete_description_is_refused(void **state _unused_)
{
        static const char *const wrong[] = {"{}", "{\"Config\":{}}", "{\"HostConfig\":{}}",
                                            "{\"Config\":[],\"HostConfig\":{}}"};
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
                _cleanup_json_ cJSON *json = parse(wrong[i]);
                cJSON *body = NULL, *connect = NULL;
                assert_int_equal(docker_copy(json, "i", &no_change, 41, &body, &connect, NULL), -EBADMSG);
        }
}

static void assert_kept(const char *container, bool expected)
{
        _cleanup_json_ cJSON *json = parse(container);
        assert_int_equal(docker_is_kept(json), expected);
}

static void what_is_kept_for_a_roll_back_is_known_by_its_name(void **state _unused_)
{
        assert_kept("{\"Names\":[\"/devops-mcp_mcp-server_1.runbook-INC-2026-0001-3.old\"]}", true);
        assert_kept("{\"Name\":\"/x.runbook-T.new\"}", true);
        assert_kept("{\"Names\":[\"/x.runbook-T.older\"]}", false);
        assert_kept("{\"Names\":[\"/x.runbook-\"]}", false);
        assert_kept("{\"Names\":[\"/web\"]}", false);
        assert_kept("{\"Names\":[\"/web/x.runbook-T.old\",\"/db\"]}",
                    false); /* a link's name is not its own */
        assert_kept("{}", false);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_the_changed_variables_differ),
                cmocka_unit_test(a_hostname_goes_only_when_it_is_the_old_id),
                cmocka_unit_test(a_borrowed_network_takes_what_may_not_be_asked_for),
                cmocka_unit_test(anonymous_volumes_keep_their_data),
                cmocka_unit_test(before_1_44_the_other_networks_are_connected_later),
                cmocka_unit_test(from_1_44_all_networks_are_given_and_set_addresses_kept),
                cmocka_unit_test(the_network_mode_is_the_key_even_when_it_was_an_id),
                cmocka_unit_test(the_default_bridge_takes_no_settings),
                cmocka_unit_test(an_incomplete_description_is_refused),
                cmocka_unit_test(what_is_kept_for_a_roll_back_is_known_by_its_name),
        };
        return cmocka_run_group_tests_name("docker_copy", tests, NULL, NULL);
}
