/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl's codes mean. */
#include <errno.h>

#include "lib/http/client/internal.h"

/* All others are -EIO. */
static const struct {
        CURLcode code;
        int result;
} results[] = {
        {CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT},
        {CURLE_COULDNT_CONNECT, -ECONNREFUSED},
        {CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH},
        {CURLE_URL_MALFORMAT, -EINVAL},
        {CURLE_UNSUPPORTED_PROTOCOL, -EINVAL},
        {CURLE_OUT_OF_MEMORY, -ENOMEM},
        {CURLE_GOT_NOTHING, -EPROTO},
        {CURLE_WEIRD_SERVER_REPLY, -EPROTO},
        {CURLE_PARTIAL_FILE, -EPROTO},
        {CURLE_RECV_ERROR, -EPROTO},
        {CURLE_SEND_ERROR, -EPROTO},
        {CURLE_HTTP2, -EPROTO},
        {CURLE_BAD_CONTENT_ENCODING, -EPROTO},
        {CURLE_SSL_CONNECT_ERROR, -EPROTO},
        {CURLE_PEER_FAILED_VERIFICATION, -EPROTO},
        {CURLE_SSL_CERTPROBLEM, -EPROTO},
        {CURLE_BAD_FUNCTION_ARGUMENT, -EPROTO}, /* a key that cannot be read, as of libcurl 8.18 */
        {CURLE_SSL_CIPHER, -EPROTO},
        {CURLE_SSL_CACERT_BADFILE, -EPROTO},
        {CURLE_SSL_ISSUER_ERROR, -EPROTO},
        {CURLE_SSL_ENGINE_INITFAILED, -EPROTO},
        {CURLE_SSL_INVALIDCERTSTATUS, -EPROTO},
        {CURLE_USE_SSL_FAILED, -EPROTO},
#if LIBCURL_VERSION_NUM >= 0x080600
        {CURLE_TOO_LARGE, -EMSGSIZE}, /* of heads; before, it was no memory for them */
#endif
};

int http_result_of(CURLcode code)
{
        for (size_t i = 0; i < N_ELEMENTS(results); i++)
                if (results[i].code == code)
                        return results[i].result;
        return -EIO;
}

bool http_code_may_pass(CURLcode code)
{
        static const CURLcode codes[] = {CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_GOT_NOTHING,
                                         CURLE_PARTIAL_FILE,    CURLE_RECV_ERROR,           CURLE_SEND_ERROR};
        for (size_t i = 0; i < N_ELEMENTS(codes); i++)
                if (codes[i] == code)
                        return true;
        return false;
}
