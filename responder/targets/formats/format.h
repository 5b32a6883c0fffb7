/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a format, in which a receiver is told, and what the formats share.
 *
 * A new format is one file here that defines a `const struct message_format`, a word in `enum
 * receiver_format`, and a row in formats.c. Trying again, and when, is for those who call: a format says a
 * message once.
 */
#ifndef RESPONDER_TARGETS_FORMATS_FORMAT_H
#define RESPONDER_TARGETS_FORMATS_FORMAT_H

#include "responder/targets/targets.h"

/* The keys of a receiver that not every format has. */
enum receiver_key {
        RECEIVER_URL = 1 << 0,
        RECEIVER_TOKEN = 1 << 1,
        RECEIVER_ROUTING_KEY = 1 << 2,
        RECEIVER_SMTP = 1 << 3,
        RECEIVER_FROM = 1 << 4,
        RECEIVER_TO = 1 << 5,
        RECEIVER_TLS = 1 << 6,
        RECEIVER_USERNAME = 1 << 7,
        RECEIVER_PASSWORD = 1 << 8,
        RECEIVER_CA_FILE = 1 << 9,
};

/* One message on its way to one receiver. */
struct delivery {
        const struct receiver *receiver;
        const struct message *message;
        struct deadline deadline;
        nsec *ret_wait; /* how long the receiver wants to be left alone; may be NULL */
};

struct message_format {
        unsigned needs, takes; /* enum receiver_key: those it cannot do without, and those it may have */
        bool keeps_open;       /* what was told stays open there until it is told that it is over */
        int (*send)(const struct delivery *delivery, struct error *error);
};

/* By enum receiver_format, and one by its number. */
const struct message_format *format_find(int format);

extern const struct message_format format_slack, format_json, format_pagerduty, format_email, format_teams,
        format_ntfy, format_log;

/*
 * The bodies: NULL when out of memory. Texts are cut to what is taken on the other side, and hold no control
 * characters; whatever markup that side knows is shown as it stands.
 */
cJSON *message_to_slack(const struct message *message);
cJSON *message_to_json(const struct message *message, nsec wall);
cJSON *message_to_pagerduty(const struct message *message, const char *routing_key, nsec wall);
cJSON *message_to_teams(const struct message *message);
cJSON *message_to_ntfy(const struct message *message, const char *topic);
char *message_to_mail(const struct message *message, const struct receiver *receiver, nsec wall);
char *message_to_line(const struct message *message);

/*
 * A string for a person, cut to about `most` bytes where a character begins, with blanks for control
 * characters but ends of lines; `escapes` says what stands for a character, NULL: itself.
 */
void format_put(struct text *text, const char *string, size_t most, const char *(*escapes)(char c));
cJSON *format_string(const char *string, size_t most);

/* The title, a line break and the text of a part, likewise. */
cJSON *format_part(const struct message_part *part, size_t most, const char *(*escapes)(char c));

/* Text, facts, what there is to be seen, in lines: for a mail or a phone. */
void format_put_lines(struct text *text, const struct message *message, size_t most_each);

/* Posts `body` (taken; NULL: out of memory) as JSON to `url`, once. No sentence holds anything of the URL. */
int format_post(const struct delivery *delivery, const char *url, cJSON *body, struct error *error);

/* Reads the receiver's URL, or another secret of it, called `what`: -EINVAL when it is empty or no line. */
int format_read(const struct delivery *delivery, const char *what, const struct secret *secret,
                struct text *value, struct error *error);

/* What a failure to reach a receiver is called, by its errno: nothing of what libcurl or the server said. */
int format_failed(int result, const struct receiver *receiver, const char *protocol, struct error *error);

#endif
