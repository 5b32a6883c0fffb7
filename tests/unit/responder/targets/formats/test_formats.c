/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said to receivers, in each format: held against tests/data/golden/messages, or written there when
 * RUNBOOK_GOLDEN=write says so. The sinks of the lab look at the same files
 * (tests/integration/test_receivers.py).
 */
#include "responder/targets/formats/format.h"
#include "runbook/utf8.h"
#include "tests/harness/golden.h"

#define AT (INT64_C(1795800000) * NSEC_PER_SEC)

static const struct message_part approval_parts[] = {
        {"Alert", "api_key_compromise key_name=\"partner-key\" severity=\"critical\""},
        {"Would do", "1. postgres.execute: revoke 1 key\n2. docker.logs: save the logs of 3 containers"},
        {"Until", "2026-11-27T23:00:00.000Z"},
        {"Next", "runbook_responder approve INC-2026-0001\nrunbook_responder deny INC-2026-0001"},
};
static const struct message_link links[] = {
        {"Approve or deny", "https://runbook.example/incidents/INC-2026-0001"},
        {"Runbook", "https://wiki.example/keys?a=1&b=(2)"},
};

/* Each in every format. */
static const struct {
        const char *name;
        struct message message;
} samples[] = {
        {"approval",
         {.text = "INC-2026-0001 api_key_compromise: awaits approval: the remediation asks for approval",
          .mood = MESSAGE_WAITS,
          .key = "INC-2026-0001-1795790000",
          .host = "mcp-1",
          .incident = "INC-2026-0001",
          .remediation = "api_key_compromise",
          .state = "awaiting_approval",
          .links = links,
          .link_count = N_ELEMENTS(links),
          .parts = approval_parts,
          .part_count = N_ELEMENTS(approval_parts)}},
        {"failed",
         {.text = "INC-2026-0002 high_latency: failed: step 1 (docker.restart) failed: it was not healthy in "
                  "time",
          .mood = MESSAGE_TROUBLE,
          .key = "INC-2026-0002-1795790000",
          .host = "mcp-1",
          .incident = "INC-2026-0002",
          .remediation = "high_latency",
          .state = "failed",
          .links = links + 1,
          .link_count = 1,
          .parts = approval_parts,
          .part_count = 1}},
        {"healed",
         {.text = "INC-2026-0002 high_latency: healed",
          .mood = MESSAGE_OVER,
          .key = "INC-2026-0002-1795790000",
          .host = "mcp-1",
          .incident = "INC-2026-0002",
          .remediation = "high_latency",
          .state = "healed"}},
        {"taken",
         {.text = "INC-2026-0002 high_latency: approved by ada",
          .mood = MESSAGE_TAKEN,
          .key = "INC-2026-0002-1795790000",
          .incident = "INC-2026-0002"}},
        {"note",
         {.text = "High latency: mcp-server restarted, <its> cache & flushed", .incident = "INC-2026-0003"}},
        /* What a label, a container's name or a line of a log may try. */
        {"hostile",
         {.text = "<!channel> *a* _b_ ~c~ `d` [e](http://x) :fire: \"q\" \\ a\r\nBcc: "
                  "all@example.org\r\n\r\n.\r\n "
                  "\x1b[2J\xff\xfe <https://x|y> \t</script>",
          .mood = MESSAGE_TROUBLE,
          .key = "INC <a>@b\r\nX: y",
          .host = "h\n.\n",
          .incident = "INC-2026-0004",
          .remediation = "r\r\n.\r\n",
          .state = "failed",
          .parts = (const struct message_part[]){{"Alert", "a=\"<@U123> [x](javascript:1)\"\n.\n\x01\x7f"}},
          .part_count = 1}},
};

static char *const readers[] = {(char[]){"ada@example.org"}, (char[]){"bob@example.org"}};
static const struct receiver mailbox = {
        .name = (char[]){"night"},
        .format = RECEIVER_FORMAT_EMAIL,
        .from = (char[]){"runbook@example.org"},
        .to = {.items = (char **)readers, .count = N_ELEMENTS(readers)},
};

static char *printed(cJSON *json)
{
        assert_non_null(json);
        char *text = cJSON_Print(json);
        cJSON_Delete(json);
        return text;
}

static char *in_slack(const struct message *message)
{
        return printed(message_to_slack(message));
}

static char *in_json(const struct message *message)
{
        return printed(message_to_json(message, AT));
}

static char *in_pagerduty(const struct message *message)
{
        return printed(message_to_pagerduty(message, "0123456789abcdef0123456789abcdef", AT));
}

static char *in_teams(const struct message *message)
{
        return printed(message_to_teams(message));
}

static char *in_ntfy(const struct message *message)
{
        return printed(message_to_ntfy(message, "night"));
}

static char *in_mail(const struct message *message)
{
        return message_to_mail(message, &mailbox, AT);
}

static char *in_log(const struct message *message)
{
        return message_to_line(message);
}

static const struct {
        const char *name;
        char *(*say)(const struct message *message);
} formats[] = {{"slack.json", in_slack}, {"generic.json", in_json}, {"pagerduty.json", in_pagerduty},
               {"teams.json", in_teams}, {"ntfy.json", in_ntfy},    {"email.eml", in_mail},
               {"log.txt", in_log}};

static void test_golden(void **state _unused_)
{
        for (size_t i = 0; i < N_ELEMENTS(samples); i++)
                for (size_t j = 0; j < N_ELEMENTS(formats); j++) {
                        _cleanup_free_ char *said = formats[j].say(&samples[i].message);
                        _cleanup_free_ char *path = text_format("tests/data/golden/messages/%s-%s",
                                                                samples[i].name, formats[j].name);
                        assert_non_null(said);
                        check_golden(path, said);
                }
}

/* Of everything too much, and of what takes most room. */
static void test_too_much(void **state _unused_)
{
        static const struct {
                char *(*say)(const struct message *message);
                size_t most; /* bytes that the other side takes, all together; 0: not known */
        } rows[] = {
                {in_slack, 0}, {in_pagerduty, 512 * 1024}, {in_teams, 28 * 1024}, {in_ntfy, 0}, {in_mail, 0}};
        static const char *const fillers[] = {"x", "\"", "€", "<", "\n", "𝄞"};
        for (size_t f = 0; f < N_ELEMENTS(fillers); f++) {
                _cleanup_text_ struct text much = {0};
                for (size_t i = 0; i < 100000; i++)
                        text_puts(&much, fillers[f]);
                const char *long_text = text_string(&much);
                struct message_part parts[20];
                for (size_t i = 0; i < N_ELEMENTS(parts); i++)
                        parts[i] = (struct message_part){"Title", long_text};
                const struct message message = {.text = long_text,
                                                .mood = MESSAGE_TROUBLE,
                                                .key = long_text,
                                                .host = "h",
                                                .incident = "INC-2026-0001",
                                                .parts = parts,
                                                .part_count = N_ELEMENTS(parts)};
                for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                        _cleanup_free_ char *said = rows[i].say(&message);
                        assert_non_null(said);
                        assert_true(utf8_valid(said));
                        _cleanup_json_ cJSON *json = cJSON_Parse(said);
                        _cleanup_free_ char *bare = json ? json_print(json) : NULL;
                        if (bare && rows[i].most > 0 && strlen(bare) > rows[i].most)
                                fail_msg("%zu bytes of %zu", strlen(bare), rows[i].most);
                        assert_true(strlen(said) < 256 * 1024);
                }
                _cleanup_json_ cJSON *ntfy = message_to_ntfy(&message, "t");
                assert_true(strlen(json_string(ntfy, "message")) <= 4096);
                _cleanup_json_ cJSON *pager = message_to_pagerduty(&message, "k", AT);
                assert_true(strlen(json_string(pager, "dedup_key")) <= 255);
        }
}

/* The cut leaves UTF-8 whole. */
static void test_cut(void **state _unused_)
{
        for (size_t shift = 0; shift < 3; shift++) {
                _cleanup_text_ struct text long_text = {0}, cut = {0};
                for (size_t i = 0; i < shift; i++)
                        text_putc(&long_text, 'x');
                for (size_t i = 0; i < 2000; i++)
                        text_puts(&long_text, "€");
                format_put(&cut, text_string(&long_text), 3000, NULL);
                assert_true(cut.length >= 3000 && cut.length <= 3006);
                assert_string_equal(text_string(&cut) + cut.length - 3, "…");
                const char *c = text_string(&cut) + shift;
                while (strncmp(c, "€", 3) == 0)
                        c += 3;
                assert_string_equal(c, "…");
        }
}

/* No line of a mail but those that are ours, whoever said what. */
static void test_mail_has_no_strange_header(void **state _unused_)
{
        static const char *const known[] = {"Date: ",       "From: ",
                                            "To: ",         " ",
                                            "Message-ID: ", "In-Reply-To: ",
                                            "References: ", "Subject: ",
                                            "Auto-",        "MIME-Version: 1.0",
                                            "Content-",     NULL};
        for (size_t i = 0; i < N_ELEMENTS(samples); i++) {
                _cleanup_free_ char *mail = in_mail(&samples[i].message);
                const char *line = mail;
                for (bool head = true; *line;) {
                        const char *end = strstr(line, "\r\n");
                        assert_non_null(end);
                        assert_true(end - line <= 78 && !memchr(line, '\n', (size_t)(end - line)));
                        bool ours = end == line;
                        for (size_t k = 0; head && known[k]; k++)
                                ours |= string_starts(line, known[k]);
                        assert_true(!head || ours);
                        head = head && end != line;
                        line = end + 2;
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_golden),
                cmocka_unit_test(test_too_much),
                cmocka_unit_test(test_cut),
                cmocka_unit_test(test_mail_has_no_strange_header),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
