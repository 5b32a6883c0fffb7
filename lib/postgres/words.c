/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's words for people: what is wrong with a DSN or a statement, without the secrets in either. */
#include <errno.h>
#include <string.h>

#include "lib/postgres/internal.h"

void postgres_one_line(const char *message, struct text *text)
{
        while (*message) {
                size_t length = strcspn(message, "\n");

                if (length > 0) {
                        if (text->length > 0)
                                text_puts(text, "; ");
                        while (length > 0 && (*message == '\t' || *message == ' '))
                                message++, length--;
                        text_append(text, message, length);
                }
                message += length + (message[length] == '\n');
        }
}

/* The parameter whose value stands in quotes at `at`, from 1; 0 when it is none. */
static int quoted_parameter(const char *at, const char *const *parameters, int count, size_t *ret_length)
{
        for (int i = 0; i < count; i++) {
                size_t length = parameters[i] ? strlen(parameters[i]) : 0;

                if (length > 0 && *at == '"' && strncmp(at + 1, parameters[i], length) == 0 &&
                    at[1 + length] == '"') {
                        *ret_length = length + 2;
                        return i + 1;
                }
        }
        return 0;
}

void postgres_put_message(const PGresult *result, const char *const *parameters, int count, struct text *text)
{
        const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

        if (!message)
                message = PQresultStatus(result) == PGRES_EMPTY_QUERY ? "the statement is empty"
                                                                      : "unknown error";
        while (*message) {
                size_t length = 0;
                int parameter = quoted_parameter(message, parameters, count, &length);

                if (parameter > 0) {
                        text_printf(text, "$%d", parameter);
                        message += length;
                } else {
                        text_putc(text, *message == '\n' ? ' ' : *message);
                        message++;
                }
        }
        if (sqlstate)
                text_printf(text, " (SQLSTATE %s)", sqlstate);
}

static void options_free(PQconninfoOption **options)
{
        PQconninfoFree(*options);
}

static void message_free(char **message)
{
        PQfreemem(*message);
}

/* What is wrong with a DSN: what libpq quotes may be part of a password, unless it names an option. */
static int complain_of_word(const char *message, struct error *error)
{
        static const char invalid[] = "invalid connection option ";
        _cleanup_text_ struct text line = {0};
        bool quoted = false, show = message && string_starts(message, invalid);

        for (const char *c = message ? message : "out of memory"; *c && *c != '\n'; c++) {
                if (*c == '"') {
                        quoted = !quoted;
                        text_puts(&line, show ? "\"" : quoted ? "\"…" : "\"");
                } else if (!quoted || show)
                        text_putc(&line, *c);
        }
        return error_set(error, EINVAL, "the DSN is not valid: %s", text_string(&line));
}

int postgres_check_dsn(const char *dsn, struct error *error)
{
        if (!dsn || !*dsn)
                return error_set(error, EINVAL, "the DSN is empty");
        /* Without a `=` or a scheme libpq would take it for the name of a database. */
        if (!strchr(dsn, '=') && !string_starts(dsn, "postgresql://") && !string_starts(dsn, "postgres://"))
                return error_set(error, EINVAL,
                                 "the DSN is neither a keyword/value string (host=… dbname=…) nor a "
                                 "postgresql:// URI");

        _cleanup_(message_free) char *message = NULL;
        _cleanup_(options_free) PQconninfoOption *options = PQconninfoParse(dsn, &message);
        if (!options)
                return complain_of_word(message, error);
        for (const PQconninfoOption *option = options; option->keyword; option++)
                if (option->val && *option->val &&
                    (strcmp(option->keyword, "password") == 0 || strcmp(option->keyword, "sslpassword") == 0))
                        return error_set(error, EINVAL,
                                         "the DSN holds a %s; keep it in a file: password_file",
                                         option->keyword);
        return 0;
}
