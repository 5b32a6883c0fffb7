/* SPDX-License-Identifier: Apache-2.0 */
/* A mail of plain text; all mails about one incident are one thread. */
#include <errno.h>
#include <openssl/evp.h>

#include "responder/targets/formats/format.h"
#include "runbook/mail.h"

#define SUBJECT_MOST 180
#define PART_MOST 8000
#define ID_MOST 40
#define BASE64_LINE 76

/* In lines of 76 characters, so that neither a long line nor one of a single dot means anything. */
static void put_base64(struct text *mail, const char *data, size_t length)
{
        enum { BYTES = BASE64_LINE / 4 * 3 };
        unsigned char line[BASE64_LINE + 1];
        for (size_t at = 0; at < length; at += BYTES) {
                size_t left = length - at < BYTES ? length - at : BYTES;
                int encoded = EVP_EncodeBlock(line, (const unsigned char *)data + at, (int)left);
                text_append(mail, line, (size_t)encoded);
                text_puts(mail, "\r\n");
        }
}

/* RFC 2047: words of whole characters, each of at most 75 bytes, so that nothing in a subject is a header. */
static void put_subject(struct text *mail, const char *subject)
{
        enum { BYTES = 42 };
        unsigned char word[BYTES / 3 * 4 + 1];
        for (size_t at = 0, length = strlen(subject); at < length;) {
                size_t end = length - at < BYTES ? length : at + BYTES;
                while (end < length && ((unsigned char)subject[end] & 0xc0) == 0x80)
                        end--;
                (void)EVP_EncodeBlock(word, (const unsigned char *)subject + at, (int)(end - at));
                text_printf(mail, "%s=?utf-8?B?%s?=\r\n", at == 0 ? "Subject: " : " ", (const char *)word);
                at = end;
        }
}

static void put_date(struct text *mail, nsec wall)
{
        static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        time_t seconds = (time_t)(wall / NSEC_PER_SEC);
        struct tm tm = {0};
        gmtime_r(&seconds, &tm);
        text_printf(mail, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
                    months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Ids as RFC 5322 wants them: ours, and of the thread that it belongs to. */
static void put_ids(struct text *mail, const struct message *message, const char *from, nsec wall)
{
        const char *at = strrchr(from, '@');
        const char *domain = at && at[1] ? at + 1 : "localhost";
        _cleanup_text_ struct text thread = {0};
        for (const char *c = message->key ? message->key : ""; *c && thread.length < ID_MOST; c++)
                text_putc(&thread, strchr(" <>@\"\r\n\t", *c) || (unsigned char)*c >= 0x7f ? '-' : *c);
        text_printf(mail, "Message-ID: <%s%s%lld@%s>\r\n", text_string(&thread), thread.length > 0 ? "." : "",
                    (long long)wall, domain);
        if (thread.length > 0)
                text_printf(mail, "In-Reply-To: <%s@%s>\r\nReferences: <%s@%s>\r\n", text_string(&thread),
                            domain, text_string(&thread), domain);
}

static const char *const moods[] = {
        [MESSAGE_NOTE] = "",  [MESSAGE_WAITS] = "Waits: ", [MESSAGE_TROUBLE] = "Trouble: ",
        [MESSAGE_TAKEN] = "", [MESSAGE_OVER] = "Over: ",
};
tables_agree(moods, MESSAGE_MOOD_COUNT);

char *message_to_mail(const struct message *message, const struct receiver *receiver, nsec wall)
{
        _cleanup_text_ struct text mail = {0}, subject = {0}, body = {0};
        text_puts(&subject, moods[message->mood]);
        text_put_line(&subject, message->text, SUBJECT_MOST);
        put_date(&mail, wall);
        text_printf(&mail, "From: %s\r\nTo: ", receiver->from);
        for (size_t i = 0; i < receiver->to.count; i++)
                text_printf(&mail, "%s%s", i > 0 ? ",\r\n " : "", receiver->to.items[i]);
        text_puts(&mail, "\r\n");
        put_ids(&mail, message, receiver->from, wall);
        put_subject(&mail, text_string(&subject));
        /* Nobody's absence is answered to a machine. */
        text_puts(&mail, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                         "Content-Type: text/plain; charset=utf-8\r\n"
                         "Content-Transfer-Encoding: base64\r\n\r\n");
        format_put_lines(&body, message, PART_MOST);
        if (message->host)
                text_printf(&body, "\n\n(runbook_responder on %s)", message->host);
        text_putc(&body, '\n');
        if (text_error(&body) < 0 || text_error(&subject) < 0)
                return NULL;
        put_base64(&mail, body.data, body.length);
        return text_take(&mail);
}

static int send_email(const struct delivery *delivery, struct error *error)
{
        const struct receiver *receiver = delivery->receiver;
        _cleanup_free_ char *mail = message_to_mail(delivery->message, receiver, clock_wall());
        if (!mail)
                return error_oom(error);
        const struct mail_request request = {
                .server = receiver->smtp,
                .tls = (enum mail_tls)receiver->tls,
                .username = receiver->username,
                .password = &receiver->password,
                .from = receiver->from,
                .to = (const char *const *)receiver->to.items,
                .to_count = receiver->to.count,
                .ca_file = receiver->ca_file && *receiver->ca_file ? receiver->ca_file : NULL,
                .data = mail,
                .length = strlen(mail),
                .deadline = delivery->deadline,
        };
        _cleanup_error_ struct error why = {0};
        long status = 0;
        int r = mail_send(&request, &status, &why);
        if (r >= 0)
                return 0;
        if (r == -EREMOTEIO) {
                r = error_set(error, EREMOTEIO, "receiver \"%s\" answered SMTP %ld", receiver->name, status);
        } else if (r == -EACCES) {
                r = error_set(error, EACCES, "receiver \"%s\" takes neither user nor password",
                              receiver->name);
        } else if (r == -ENOENT || r == -ENOKEY || r == -EFBIG) {
                r = error_set(error, -r, "receiver \"%s\": %s", receiver->name, error_text(&why));
        } else {
                r = format_failed(r, receiver, "SMTP", error);
        }
        return why.may_pass ? error_may_pass(error, r) : r;
}

const struct message_format format_email = {
        .needs = RECEIVER_SMTP | RECEIVER_FROM | RECEIVER_TO,
        .takes = RECEIVER_TLS | RECEIVER_USERNAME | RECEIVER_PASSWORD | RECEIVER_CA_FILE,
        .send = send_email,
};
