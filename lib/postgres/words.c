/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's words for people: what is wrong with a DSN or a statement, without the secrets in either. */
#include <errno.h>
#include <string.h>

#include "lib/postgres/internal.h"
#include "runbook/log.h"

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

/* The message with "$n" for each parameter that it quotes: the rest of it may be told at debug. */
static void put_without_parameters(const char *message, const struct statement *statement, struct text *text)
{
        while (*message) {
                size_t length = 0;
                int parameter = quoted_parameter(message, statement->parameters, statement->count, &length);
                if (parameter > 0)
                        text_printf(text, "$%d", parameter);
                else
                        text_putc(text, (unsigned char)*message < ' ' ? ' ' : *message);
                message += parameter > 0 ? length : 1;
        }
}

static bool is_word(char c)
{
        return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether the statement, which is ours or the operator's, holds the word: then it is no value of a row's. */
static bool is_in_statement(const char *word, size_t length, const char *sql)
{
        for (const char *at = sql; length > 0 && *at; at++)
                if (strncmp(at, word, length) == 0 && (at == sql || !is_word(at[-1])) && !is_word(at[length]))
                        return true;
        return false;
}

/*
 * What stands in quotes, from the first to the last one: a value may hold quotes of its own, so that no pair
 * of them is sure unless all are. False: there is nothing to hide.
 */
static bool find_quoted(const char *message, const char *sql, const char **ret_from, const char **ret_to)
{
        const char *from = strchr(message, '"'), *to = strrchr(message, '"');
        bool shown = from != NULL;
        for (const char *at = from; shown && at; at = strchr(at, '"')) {
                const char *end = strchr(at + 1, '"');
                shown = end && is_in_statement(at + 1, (size_t)(end - at - 1), sql);
                at = end ? end + 1 : at;
        }
        if (!from || shown)
                return false;
        *ret_from = from;
        *ret_to = to == from ? from + strlen(from) - 1 : to;
        return true;
}

/* Whether the message is the server's own, in the language whose quotes are known. */
static bool is_plain(const char *message, const char *source)
{
        /* Where a function says what it likes: RAISE of PL/pgSQL, and its like of other languages. A pool
         * names no source. */
        static const char *const languages[] = {"pl_", "plp", "pltcl", "plv8"};
        for (size_t i = 0; source && i < N_ELEMENTS(languages); i++)
                if (string_starts(source, languages[i]))
                        return false;
        /* Other languages quote in other ways, which cannot be told from letters. */
        for (bool quoted = false; *message; message++) {
                if (*message == '"')
                        quoted = !quoted;
                if (!quoted && (unsigned char)*message >= 0x80)
                        return false;
        }
        return true;
}

/* The part of a message that has no value: "…" for what is quoted, and for numbers. */
static void put_without_values(const char *message, const char *sql, struct text *text)
{
        const char *from = NULL, *to = NULL;
        bool hides = find_quoted(message, sql, &from, &to);
        for (const char *at = message; *at;) {
                size_t length = 1;
                if (hides && at == from) {
                        text_puts(text, "\"…\"");
                        at = to + 1;
                        continue;
                }
                if (is_word(*at))
                        while (is_word(at[length]))
                                length++;
                if (*at >= '0' && *at <= '9' && !is_in_statement(at, length, sql))
                        text_puts(text, "…");
                else
                        text_append(text, at, length);
                at += length;
        }
}

/* Row security is told apart by the server's function, as its SQLSTATE is that of every missing right. */
static bool is_row_security(const PGresult *result)
{
        return string_equal(PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION), "check_enable_rls");
}

static void put_condition(const char *sqlstate, struct text *text)
{
        const char *name = sqlstate ? postgres_condition(sqlstate) : NULL;
        if (sqlstate)
                text_printf(text, "%s(SQLSTATE %s%s%s)", text->length > 0 ? " " : "", sqlstate,
                            name ? ", " : "", name ? name : "");
}

void postgres_put_message(const PGresult *result, const struct statement *statement, const char *user,
                          struct text *text)
{
        const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        _cleanup_text_ struct text full = {0};
        if (!message) {
                text_puts(text, PQresultStatus(result) == PGRES_EMPTY_QUERY ? "the statement is empty"
                                                                            : "unknown error");
        } else {
                put_without_parameters(message, statement, &full);
                log_event(LOG_DEBUG, "PostgreSQL refused a statement", "sqlstate", sqlstate, "message",
                          text_string(&full), NULL);
                if (is_row_security(result))
                        text_printf(text,
                                    "row security would hide rows from the role, and what is left would be "
                                    "taken for all: ALTER ROLE %s BYPASSRLS, or let it read a view of the "
                                    "table's owner",
                                    user ? user : "…");
                else if (is_plain(text_string(&full), PQresultErrorField(result, PG_DIAG_SOURCE_FILE)))
                        put_without_values(text_string(&full), statement->sql, text);
        }
        put_condition(sqlstate, text);
        if (text->length == 0)
                text_puts(text, "no reason given");
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
