/* SPDX-License-Identifier: Apache-2.0 */
/* TLS on a connection, by OpenSSL over the socket that does not block. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include "lib/stream/internal.h"
#include "runbook/trace.h"

const struct config_field tls_option_fields[] = {
        {"ca_file", CONFIG_STRING, offsetof(struct tls_options, ca_file), .flags = CONFIG_PATH,
         .help = "PEM file of the authorities to trust; the system's when not given"},
        {"cert_file", CONFIG_STRING, offsetof(struct tls_options, cert_file), .flags = CONFIG_PATH,
         .help = "PEM file of the client certificate"},
        {"key_file", CONFIG_STRING, offsetof(struct tls_options, key_file), .flags = CONFIG_PATH,
         .help = "PEM file of its key"},
        {"server_name", CONFIG_STRING, offsetof(struct tls_options, server_name),
         .help = "Whom to ask for, and whose certificate to expect; the host when not given"},
        {"insecure_skip_verify", CONFIG_BOOL, offsetof(struct tls_options, insecure_skip_verify),
         .fallback = "false", .help = "Do not verify the server's certificate"},
        {0},
};

static bool is_given(const char *option)
{
        return option && *option;
}

bool tls_options_check(const struct tls_options *tls, struct config_node *node)
{
        if (is_given(tls->cert_file) == is_given(tls->key_file))
                return true;
        config_complain(node, "tls_config", "cert_file and key_file are only of use together");
        return false;
}

bool tls_options_given(const struct tls_options *tls)
{
        return is_given(tls->ca_file) || is_given(tls->cert_file) || is_given(tls->key_file) ||
               is_given(tls->server_name) || tls->insecure_skip_verify;
}

static void context_free_p(SSL_CTX **context)
{
        SSL_CTX_free(*context);
}

/* The sentence of the first that went wrong in OpenSSL on this thread: others only tell where it led to. */
static const char *take_reason(void)
{
        unsigned long first = ERR_peek_error();
        const char *reason = ERR_SYSTEM_ERROR(first) ? error_reason(ERR_GET_REASON(first))
                                                     : ERR_reason_error_string(first);
        ERR_clear_error();
        return reason ? reason : "no reason given";
}

/* Asks for no passphrase: there is nobody at the terminal. */
static int no_passphrase(char *buffer _unused_, int size _unused_, int writing _unused_, void *data _unused_)
{
        return 0;
}

/* There is none to show; a server that insists goes away, in TLS 1.3 without a word that would always arrive.
 */
static int note_wanted_certificate(SSL *ssl, X509 **ret_certificate _unused_, EVP_PKEY **ret_key _unused_)
{
        struct stream *stream = SSL_get_app_data(ssl);
        stream->wants_certificate = true;
        return 0;
}

static int make_context(const struct tls_options *tls, SSL_CTX **ret, struct error *error)
{
        _cleanup_(context_free_p) SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        if (!context)
                return error_oom(error);
        SSL_CTX_set_verify(context, tls->insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_default_passwd_cb(context, no_passphrase);
        SSL_CTX_set_client_cert_cb(context, note_wanted_certificate);
        /* A server that goes without a goodbye has closed the connection, as without TLS. */
        SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                          SSL_MODE_RELEASE_BUFFERS);
        if (is_given(tls->ca_file) ? SSL_CTX_load_verify_locations(context, tls->ca_file, NULL) != 1
                                   : SSL_CTX_set_default_verify_paths(context) != 1)
                return error_set(error, EINVAL, "%s: %s",
                                 is_given(tls->ca_file) ? tls->ca_file : "authorities", take_reason());
        if (is_given(tls->cert_file) && SSL_CTX_use_certificate_chain_file(context, tls->cert_file) != 1)
                return error_set(error, EINVAL, "%s: %s", tls->cert_file, take_reason());
        if (is_given(tls->key_file) &&
            SSL_CTX_use_PrivateKey_file(context, tls->key_file, SSL_FILETYPE_PEM) != 1)
                return error_set(error, EINVAL, "%s: %s", tls->key_file, take_reason());
        *ret = TAKE_PTR(context);
        return 0;
}

/* SNI is for names alone (RFC 6066). */
static bool expect_name(SSL *ssl, const char *name)
{
        unsigned char binary[sizeof(struct in6_addr)];
        if (inet_pton(AF_INET, name, binary) == 1 || inet_pton(AF_INET6, name, binary) == 1)
                return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
        return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

/* What a call of OpenSSL that did not succeed means: 0 when it has waited, and may be tried again. */
static int settle(struct stream *stream, int result, const char *during, struct deadline deadline,
                  struct error *error)
{
        int why = SSL_get_error(stream->ssl, result);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
                return stream_wait(stream, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline, error);
        const char *wanted =
                stream->wants_certificate ? "; it had asked for a client certificate: cert_file" : "";
        bool said = ERR_peek_last_error() != 0;
        if (!said || why == SSL_ERROR_ZERO_RETURN || why == SSL_ERROR_SYSCALL) {
                ERR_clear_error();
                return error_may_pass(error, error_set(error, ECONNRESET, "%s closed the connection%s",
                                                       stream->peer, wanted));
        }
        return error_set(error, EPROTO, "%s: %s%s", during, take_reason(), wanted);
}

static int shake_hands(struct stream *stream, const char *name, struct deadline deadline, struct error *error)
{
        for (;;) {
                ERR_clear_error();
                int r = SSL_connect(stream->ssl);
                if (r == 1)
                        return 0;
                long verdict = SSL_get_verify_result(stream->ssl);
                r = settle(stream, r, "TLS handshake", deadline, error);
                if (r == -EPROTO && verdict != X509_V_OK)
                        return error_set(error, EPROTO, "the certificate for %s is refused: %s", name,
                                         X509_verify_cert_error_string(verdict));
                if (r < 0)
                        return r == -EPROTO ? r : error_prefix(error, r, "TLS handshake");
        }
}

int stream_secure(struct stream *stream, const struct tls_options *tls, const char *name,
                  struct deadline deadline, struct error *error)
{
        _cleanup_(context_free_p) SSL_CTX *context = NULL;
        stream->tls = true;
        int r = make_context(tls, &context, error);
        if (r < 0)
                return r;
        if (is_given(tls->server_name))
                name = tls->server_name;
        stream->ssl = SSL_new(context);
        if (!stream->ssl || SSL_set_fd(stream->ssl, stream->fd) != 1 ||
            SSL_set_app_data(stream->ssl, stream) != 1 || !expect_name(stream->ssl, name))
                return error_set(error, EINVAL, "TLS for %s: %s", name, take_reason());
        trace_step(deadline, "TLS handshake for %s", name);
        r = shake_hands(stream, name, deadline, error);
        if (r < 0) {
                stream->broken = true;
                return r;
        }
        long verdict = SSL_get_verify_result(stream->ssl);
        if (verdict != X509_V_OK)
                stream->refused = X509_verify_cert_error_string(verdict);
        trace_step(deadline, "%s, %s; the certificate is %s", SSL_get_version(stream->ssl),
                   SSL_get_cipher_name(stream->ssl), stream->refused ? stream->refused : "trusted");
        return 0;
}

ssize_t tls_send_some(struct stream *stream, const void *data, size_t length, struct deadline deadline,
                      struct error *error)
{
        ERR_clear_error();
        int n = SSL_write(stream->ssl, data, length > INT_MAX ? INT_MAX : (int)length);
        return n > 0 ? n : settle(stream, n, "TLS", deadline, error);
}

ssize_t tls_receive_some(struct stream *stream, void *buffer, size_t size, struct deadline deadline,
                         struct error *error)
{
        ERR_clear_error();
        int n = SSL_read(stream->ssl, buffer, size > INT_MAX ? INT_MAX : (int)size);
        return n > 0 ? n : settle(stream, n, "TLS", deadline, error);
}

void tls_end(struct stream *stream)
{
        if (!stream->tls)
                return;
        if (stream->ssl && !stream->broken)
                (void)SSL_shutdown(stream->ssl); /* says goodbye, and waits for none */
        SSL_free(stream->ssl);
        ERR_clear_error();
        /* What OpenSSL keeps for each thread, 9 KB of random numbers' state, is given back: the next
         * connection is any thread's, and one that idles when the daemon ends would never free it. */
        OPENSSL_thread_stop();
}

struct ssl_st *stream_tls(const struct stream *stream)
{
        return stream->ssl;
}

const char *stream_refusal(const struct stream *stream)
{
        return stream->refused;
}
