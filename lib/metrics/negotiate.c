/* SPDX-License-Identifier: Apache-2.0 */
/* Accept and Accept-Encoding (RFC 9110, section 12.5), read in place. */
#include "runbook/negotiate.h"

#include <strings.h>

/* A stretch of a header. */
struct piece {
        const char *start;
        size_t length;
};

static struct piece trim_piece(struct piece piece)
{
        while (piece.length > 0 && strchr(" \t", piece.start[0])) {
                piece.start++;
                piece.length--;
        }
        while (piece.length > 0 && strchr(" \t", piece.start[piece.length - 1]))
                piece.length--;
        return piece;
}

/* Takes what stands before `separator`, or all that is left; false at the end. Quotes may hold separators. */
static bool next_piece(struct piece *rest, char separator, struct piece *ret)
{
        bool quoted = false;
        size_t n = 0;
        if (rest->length == 0)
                return false;
        while (n < rest->length && (quoted || rest->start[n] != separator)) {
                if (rest->start[n] == '\\' && quoted && n + 1 < rest->length)
                        n++;
                else if (rest->start[n] == '"')
                        quoted = !quoted;
                n++;
        }
        *ret = trim_piece((struct piece){rest->start, n});
        n += n < rest->length;
        rest->start += n;
        rest->length -= n;
        return true;
}

static bool piece_is(struct piece piece, const char *word)
{
        return piece.length == strlen(word) && strncasecmp(piece.start, word, piece.length) == 0;
}

static struct piece unquoted(struct piece piece)
{
        if (piece.length >= 2 && piece.start[0] == '"' && piece.start[piece.length - 1] == '"')
                return (struct piece){piece.start + 1, piece.length - 2};
        return piece;
}

/* "0.75" in thousandths; 1000 when it is no number of that form. */
static int parse_q(struct piece piece)
{
        int q = 0, scale = 1000;
        for (size_t i = 0; i < piece.length; i++) {
                char c = piece.start[i];
                if (i == 1 && c == '.')
                        continue;
                if (c < '0' || c > '9')
                        return 1000;
                q += (c - '0') * scale;
                scale /= 10;
        }
        return piece.length == 0 || q > 1000 ? 1000 : q;
}

/* The parameters that decide. */
struct parameters {
        struct piece version, proto, encoding;
        int q;
};

static struct parameters parse_parameters(struct piece rest)
{
        struct parameters parameters = {{"", 0}, {"", 0}, {"", 0}, 1000};
        struct piece pair;
        while (next_piece(&rest, ';', &pair)) {
                struct piece name;
                if (!next_piece(&pair, '=', &name))
                        continue;
                struct piece value = unquoted(trim_piece(pair));
                if (piece_is(name, "q"))
                        parameters.q = parse_q(value);
                else if (piece_is(name, "version"))
                        parameters.version = value;
                else if (piece_is(name, "proto"))
                        parameters.proto = value;
                else if (piece_is(name, "encoding"))
                        parameters.encoding = value;
        }
        return parameters;
}

/* What is acceptable under which media type. An empty version stands for none given. */
static const struct {
        const char *type, *version;
        enum metrics_format format;
} offers[] = {
        {"text/plain", "", METRICS_TEXT},
        {"text/plain", "0.0.4", METRICS_TEXT},
        {"text/plain", "1.0.0", METRICS_TEXT}, /* the same where names need no escaping, as here */
        {"application/openmetrics-text", "", METRICS_OPENMETRICS_1},
        {"application/openmetrics-text", "0.0.1", METRICS_OPENMETRICS_0},
        {"application/openmetrics-text", "1.0.0", METRICS_OPENMETRICS_1},
        {"application/openmetrics-text", "2.0.0", METRICS_OPENMETRICS_2},
        {"text/*", "", METRICS_TEXT},
        {"*/*", "", METRICS_TEXT},
};

static bool find_offer(struct piece type, const struct parameters *parameters, enum metrics_format *ret)
{
        if (piece_is(type, "application/vnd.google.protobuf")) {
                *ret = METRICS_PROTOBUF;
                return piece_is(parameters->proto, "io.prometheus.client.MetricFamily") &&
                       piece_is(parameters->encoding, "delimited");
        }
        for (size_t i = 0; i < N_ELEMENTS(offers); i++)
                if (piece_is(type, offers[i].type) && piece_is(parameters->version, offers[i].version)) {
                        *ret = offers[i].format;
                        return true;
                }
        return false;
}

/* 0 for any type, 1 for any subtype, 2 for one type. */
static int narrowness(struct piece type)
{
        return piece_is(type, "*/*") ? 0 : type.start[type.length - 1] == '*' ? 1 : 2;
}

enum metrics_format negotiate_format(const char *accept)
{
        struct piece rest = {accept, accept ? strlen(accept) : 0}, range;
        enum metrics_format best = METRICS_TEXT;
        int best_rank = 0;
        while (next_piece(&rest, ',', &range)) {
                struct piece type;
                enum metrics_format format;
                if (!next_piece(&range, ';', &type) || type.length == 0)
                        continue;
                const struct parameters parameters = parse_parameters(range);
                int rank = parameters.q * 3 + narrowness(type);
                if (parameters.q > 0 && rank > best_rank && find_offer(type, &parameters, &format)) {
                        best = format;
                        best_rank = rank;
                }
        }
        return best;
}

bool negotiate_gzip(const char *accept_encoding)
{
        struct piece rest = {accept_encoding, accept_encoding ? strlen(accept_encoding) : 0}, coding;
        int gzip = -1, identity = -1, any = -1;
        while (next_piece(&rest, ',', &coding)) {
                struct piece name;
                if (!next_piece(&coding, ';', &name))
                        continue;
                int q = parse_parameters(coding).q;
                if (piece_is(name, "gzip") || piece_is(name, "x-gzip"))
                        gzip = q;
                else if (piece_is(name, "identity"))
                        identity = q;
                else if (piece_is(name, "*"))
                        any = q;
        }
        if (gzip < 0)
                gzip = any < 0 ? 0 : any;
        return gzip > 0 && gzip >= identity;
}
