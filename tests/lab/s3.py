# SPDX-License-Identifier: Apache-2.0
"""A small S3: it lists buckets, page by page, for those whose signature botocore comes to as well.

What it refuses, it refuses as S3 does, in its XML. Real S3 takes a request apart and puts it together again before it
signs it, so parameters are decoded here and encoded anew by botocore: what was sent in another spelling is refused.
"""

import contextlib
import datetime
import http.server
import re
import threading
import time
import urllib.parse
import xml.sax.saxutils

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from .parts import serve_tls

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
MUST_BE_SIGNED = {"host", "x-amz-date", "x-amz-content-sha256"}


class Refused(Exception):
    """An answer other than a listing."""

    def __init__(self, status, code, message="No.", **elements):
        super().__init__(code)
        self.status, self.elements = status, {"Code": code, "Message": message, **elements}

    def document(self):
        return HEAD + "<Error>" + "".join(element(*pair) for pair in self.elements.items()) + "</Error>"


def element(name, content):
    return f"<{name}>{xml.sax.saxutils.escape(str(content))}</{name}>"


class S3:
    def __init__(self, region="eu-central-1", tls=None):
        self.region = region
        self.keys = {"AKIDEXAMPLE": "secret+key/with=signs"}
        self.token = None   # the session token that must come with it
        self.page = 1000    # most keys of one answer, whatever is asked for
        self.buckets = {}   # name: {key: (size, modified)}
        self.forbidden = set()
        self.asked = []     # the parameters of the listings that were answered
        self.raw = None     # (status, body, headers): answered whatever is asked
        self.sent = 0       # how much of the last answer was sent, to 64 KiB
        room = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                try:
                    status, body, headers = room.raw or (200, room.answer(self), {})
                except Refused as refused:
                    status, body, headers = refused.status, refused.document(), {}
                data = body.encode()
                self.send_response(status)
                for name, content in {"Content-Type": "application/xml", "Content-Length": str(len(data)),
                                      **headers}.items():
                    self.send_header(name, content)
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # nobody has to take all of it
                    for at in range(0, len(data), 1 << 16):
                        self.wfile.write(data[at:at + (1 << 16)])
                        room.sent = at

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            serve_tls(self.server, *tls)
        self.scheme = "https" if tls else "http"
        self.endpoint = f"{self.scheme}://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def put(self, bucket, key, size, modified):
        self.buckets.setdefault(bucket, {})[key] = (size, modified)

    def verify(self, request, path, parameters):
        """The signature of a request, by botocore."""
        header = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, "
                              r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
                              request.headers.get("Authorization", ""))
        if not header:
            raise Refused(403, "AccessDenied", "There is no signature.")
        key, date, region, names, signature = header.groups()
        if key not in self.keys:
            raise Refused(403, "InvalidAccessKeyId", AWSAccessKeyId=key)
        if region != self.region:
            raise Refused(400, "AuthorizationHeaderMalformed", f"the region '{region}' is wrong", Region=self.region)
        received = {name.lower() for name in request.headers}
        signed = names.split(";")
        if not MUST_BE_SIGNED | {name for name in received if name.startswith("x-amz-")} <= set(signed) <= received:
            raise Refused(403, "SignatureDoesNotMatch", f"{names} are not the headers to sign.")
        if self.token != request.headers.get("x-amz-security-token"):
            raise Refused(400, "InvalidToken")
        auth = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials(key, self.keys[key]), "s3", region)
        again = botocore.awsrequest.AWSRequest(
            "GET", f"{self.scheme}://{request.headers['Host']}{path}", params=dict(parameters),
            headers={name: request.headers[name] for name in signed})
        again.context["timestamp"] = request.headers["x-amz-date"]
        if date != again.context["timestamp"][:8] or signature != auth.signature(
                auth.string_to_sign(again, auth.canonical_request(again)), again):
            raise Refused(403, "SignatureDoesNotMatch", AWSAccessKeyId=key)
        sent = datetime.datetime.strptime(again.context["timestamp"] + "+0000", "%Y%m%dT%H%M%SZ%z")
        if abs(datetime.datetime.now(datetime.timezone.utc) - sent) > datetime.timedelta(minutes=15):
            raise Refused(403, "RequestTimeTooSkewed")
        if request.headers["x-amz-content-sha256"] != botocore.auth.EMPTY_SHA256_HASH:
            raise Refused(400, "XAmzContentSHA256Mismatch")

    def answer(self, request):
        path, _, query = request.path.partition("?")
        parameters = urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=True)
        self.verify(request, path, parameters)
        bucket, parameters = path.strip("/"), dict(parameters)
        if bucket in self.forbidden:
            raise Refused(403, "AccessDenied", "Access Denied")
        if bucket not in self.buckets:
            raise Refused(404, "NoSuchBucket", BucketName=bucket)
        if parameters.get("list-type") != "2":
            raise Refused(501, "NotImplemented")
        self.asked.append(parameters)
        return self.listing(bucket, parameters)

    def listing(self, bucket, parameters):
        prefix, token = parameters.get("prefix", ""), parameters.get("continuation-token")
        keys = sorted(key for key in self.buckets[bucket] if key.startswith(prefix))
        if token:
            keys = [key for key in keys if self.token_after(key) > token]
        page = keys[:min(int(parameters.get("max-keys", 1000)), self.page)]
        more = len(page) < len(keys)
        contents = ""
        for key in page:
            size, modified = self.buckets[bucket][key]
            when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(modified))
            contents += "<Contents>" + element("Key", key) + element("LastModified", when) + \
                element("ETag", '"0"') + element("Size", size) + element("StorageClass", "STANDARD") + "</Contents>"
        go_on = element("NextContinuationToken", self.token_after(page[-1])) if more else ""
        return f'{HEAD}<ListBucketResult xmlns="{NAMESPACE}">' + element("Name", bucket) + \
            element("Prefix", prefix) + go_on + element("KeyCount", len(page)) + \
            element("IsTruncated", str(more).lower()) + contents + "</ListBucketResult>"

    @staticmethod
    def token_after(key):
        """As opaque as S3's, and with what must be encoded in a query; they sort as their keys do."""
        return f"1+/{key.encode().hex()}=="
