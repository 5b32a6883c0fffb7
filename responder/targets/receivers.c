/* SPDX-License-Identifier: Apache-2.0 */
/* Receivers as they stand in the file: their keys, and which of them each format has. */
#include "responder/targets/formats/format.h"
#include "responder/targets/internal.h"
#include "runbook/mail.h"

static const char *const receiver_formats[] = {"slack", "json", "pagerduty", "email",
                                               "teams", "ntfy", "log",       NULL};
tables_agree(receiver_formats, RECEIVER_FORMAT_COUNT + 1);

const struct config_field receiver_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct receiver, name), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "by which `notify` and `escalate_to` call it"},
        {"format", CONFIG_ENUM, offsetof(struct receiver, format), .flags = CONFIG_REQUIRED,
         .choices = receiver_formats,
         .help = "slack: Slack's incoming webhook; json: one JSON object, posted; pagerduty: PagerDuty's "
                 "Events API v2; email: by SMTP; teams: a workflow of Microsoft Teams; ntfy: a topic of "
                 "ntfy; "
                 "log: a line in our own log"},
        {"url", CONFIG_SECRET, offsetof(struct receiver, url),
         .help = "where it is posted to, read anew each time; of slack, json, teams and ntfy, and of "
                 "pagerduty where it is not events.pagerduty.com"},
        {"token", CONFIG_SECRET, offsetof(struct receiver, token),
         .help = "sent as `Authorization: Bearer`; of json and ntfy"},
        {"routing_key", CONFIG_SECRET, offsetof(struct receiver, routing_key),
         .help = "the integration key of the service in PagerDuty"},
        {"smtp", CONFIG_STRING, offsetof(struct receiver, smtp), .flags = CONFIG_NOT_EMPTY,
         .help = "the mail server, `mail.example.org:587`"},
        {"tls", CONFIG_ENUM, offsetof(struct receiver, tls), .fallback = "starttls",
         .choices = mail_tls_words,
         .help = "starttls: refused where the server does not offer it; implicit: from the first byte, as on "
                 "port 465; none: for a server on this machine"},
        {"ca_file", CONFIG_STRING, offsetof(struct receiver, ca_file), .flags = CONFIG_PATH,
         .help = "who vouches for the mail server; the system's authorities when absent"},
        {"username", CONFIG_STRING, offsetof(struct receiver, username), .help = "for the mail server"},
        {"password", CONFIG_SECRET, offsetof(struct receiver, password), .help = "likewise"},
        {"from", CONFIG_STRING, offsetof(struct receiver, from), .flags = CONFIG_NOT_EMPTY,
         .help = "whom mails are from, `runbook@example.org`"},
        {"to", CONFIG_STRINGS, offsetof(struct receiver, to), .help = "whom they go to"},
        {0},
};

/* How each key stands in the file, and whether it says what the receiver is. */
static const struct {
        unsigned key;
        const char *name, *file; /* of a secret, the second name */
        bool defines;
} keys[] = {
        {RECEIVER_URL, "url", "url_file", true},
        {RECEIVER_TOKEN, "token", "token_file", false},
        {RECEIVER_ROUTING_KEY, "routing_key", "routing_key_file", true},
        {RECEIVER_SMTP, "smtp", NULL, true},
        {RECEIVER_FROM, "from", NULL, false},
        {RECEIVER_TO, "to", NULL, true},
        {RECEIVER_TLS, "tls", NULL, false},
        {RECEIVER_USERNAME, "username", NULL, false},
        {RECEIVER_PASSWORD, "password", "password_file", false},
        {RECEIVER_CA_FILE, "ca_file", NULL, false},
};

bool receiver_is_defined_by(const struct receiver *receiver, const char *key)
{
        const struct message_format *format = format_find(receiver->format);
        for (size_t i = 0; i < N_ELEMENTS(keys); i++)
                if (string_equal(keys[i].name, key))
                        /* A receiver has always had a URL, where its format takes none, too. */
                        return keys[i].key == RECEIVER_URL ||
                               (keys[i].defines && ((format->needs | format->takes) & keys[i].key));
        return true;
}

static void keys_check(const struct receiver *receiver, struct config_node *node)
{
        const struct message_format *format = format_find(receiver->format);
        const char *word = receiver_formats[receiver->format];
        for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
                const char *file = keys[i].file;
                bool given = config_member(node, keys[i].name) || (file && config_member(node, file));
                if (!given && (format->needs & keys[i].key))
                        config_complain(node, NULL, "a receiver of format %s needs a %s", word,
                                        file ? file : keys[i].name);
                if (given && !((format->needs | format->takes) & keys[i].key))
                        config_complain(node, config_member(node, keys[i].name) ? keys[i].name : file,
                                        "a receiver of format %s takes no %s", word, keys[i].name);
        }
}

static bool is_address(const char *address)
{
        const char *at = strrchr(address, '@');
        for (const char *c = address; *c; c++)
                if ((unsigned char)*c <= ' ' || strchr("<>()[]\\,;:\"\x7f", *c))
                        return false;
        return at && at > address && at[1];
}

static void mail_check(const struct receiver *receiver, struct config_node *node)
{
        if (receiver->from && !is_address(receiver->from))
                config_complain(node, "from", "'from' must be an address, as runbook@example.org");
        if (config_member(node, "to") && receiver->to.count == 0)
                config_complain(node, "to", "'to' names nobody");
        for (size_t i = 0; i < receiver->to.count; i++)
                if (!is_address(receiver->to.items[i]))
                        config_complain(node, "to", "'to' must hold addresses, as oncall@example.org");
        if (receiver->smtp && !mail_server_valid(receiver->smtp))
                config_complain(node, "smtp", "'smtp' must be host:port, as mail.example.org:587");
        bool has_user = receiver->username && *receiver->username;
        if (secret_is_set(&receiver->password) != has_user)
                config_complain(node, has_user ? "username" : NULL,
                                "'username' and 'password_file' go together");
        if (has_user && receiver->tls == MAIL_TLS_NONE)
                config_complain(node, "tls", "no password is sent without TLS");
}

static void receiver_check(const struct receiver *receiver, struct config_node *node)
{
        const struct message_format *format = format_find(receiver->format);
        if (string_equal(receiver->name, "nobody"))
                config_complain(node, "name",
                                "a receiver cannot be called nobody: `escalate_to: nobody` calls none");
        keys_check(receiver, node);
        if (format->needs & RECEIVER_SMTP)
                mail_check(receiver, node);
}

void receivers_check(const struct config_list *list, struct config_node *node)
{
        const struct receiver *receivers = list->items;
        for (size_t i = 0; i < list->count; i++) {
                struct config_node *item = config_item(node, i);
                for (size_t j = 0; receivers[i].name && j < i; j++)
                        if (string_equal(receivers[i].name, receivers[j].name))
                                config_complain(item, "name", "there is a receiver \"%s\" already",
                                                receivers[i].name);
                receiver_check(&receivers[i], item);
        }
}
