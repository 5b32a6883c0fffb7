# SPDX-License-Identifier: Apache-2.0
"""Kind s3 against a server that verifies each signature by botocore's implementation."""

import time

import pytest

from lab.certificates import Authority
from lab.s3 import S3
from scraping import promtool, scrape, value

BUCKET = "mcp-backups-prod"


@pytest.fixture
def s3():
    server = S3()
    server.buckets[BUCKET] = {}
    yield server
    server.stop()


@pytest.fixture
def keys(tmp_path):
    """The options of the key; the files of it can be written anew."""
    (tmp_path / "access").write_text("AKIDEXAMPLE\n")
    (tmp_path / "secret").write_text("secret+key/with=signs\n")
    return {"access_key_file": str(tmp_path / "access"), "secret_key_file": str(tmp_path / "secret")}


@pytest.fixture
def check(exporter, s3, keys):
    def start(**options):
        return exporter([{"name": "backups", "s3": {"bucket": BUCKET, "endpoint": s3.endpoint, "region": s3.region,
                                                    **keys, **options}}])
    return start


def told(daemon):
    """{name without the kind: value} of the scrape, and success."""
    found = scrape(daemon)
    told = {name.removeprefix("runbook_s3_"): number for (name, _), number in found.all.items()
            if name.startswith("runbook_s3_")}
    if told:
        promtool(found.page)
    return value(found, "runbook_check_success", check="backups"), told


def test_pages_are_read_to_the_end_and_signed(check, s3):
    """Of what the runbook's backup uploads, in pages of two keys."""
    for day, when in (("20260101_000000", 1767225600), ("20260102_000000", 1767312000)):
        for i, name in enumerate(("configs.tar.gz", "image_versions.txt", "postgres_mcp.dump", "redis & <co>.rdb")):
            s3.put(BUCKET, f"prod+1/ä {day}/{name}", 1000 + i, when + i)
    s3.put(BUCKET, "prod+1/ä 20260103_000000/", 0, 1767398400)  # a console's "directory" is no backup
    s3.put(BUCKET, "other/later", 7, 1767398401)
    s3.page = 2
    daemon = check(prefix="prod+1/ä ")
    assert told(daemon) == (1, {"objects": 8, "size_bytes": 8012, "empty_objects": 0, "truncated": 0,
                                "newest_object_timestamp_seconds": 1767312003, "newest_object_bytes": 1003,
                                "oldest_object_timestamp_seconds": 1767225600}), daemon.page("/")
    assert len(s3.asked) == 5 and s3.asked[0] == {"list-type": "2", "max-keys": "1000", "prefix": "prod+1/ä "}
    assert s3.asked[1]["continuation-token"].startswith("1+/")


def test_newest_of_a_pattern_and_an_empty_backup(check, s3):
    now = int(time.time())
    s3.put(BUCKET, "20260101_000000/postgres_mcp.dump", 5000, now - 90000)
    s3.put(BUCKET, "20260102_000000/postgres_mcp.dump", 0, now - 3600)
    s3.put(BUCKET, "20260102_000000/image_versions.txt", 300, now - 3500)
    daemon = check(pattern="*.dump", max_age="1d", min_size="1KiB")
    assert told(daemon) == (0, {"objects": 2, "size_bytes": 5000, "empty_objects": 1, "truncated": 0,
                                "newest_object_timestamp_seconds": now - 3600, "newest_object_bytes": 0,
                                "oldest_object_timestamp_seconds": now - 90000, "max_age_seconds": 86400})
    assert "the newest object has 0 bytes, 1024 are demanded" in daemon.page("/")
    s3.put(BUCKET, "20260102_000000/postgres_mcp.dump", 5000, now - 3600)
    assert told(daemon)[0] == 1
    s3.put(BUCKET, "20260102_000000/postgres_mcp.dump", 5000, now - 86500)
    assert told(daemon)[0] == 0
    assert "the newest object is older than 1d" in daemon.page("/")


def test_an_empty_prefix_is_measured_and_judged_only_when_demanded(check, s3):
    nothing = {"objects": 0, "size_bytes": 0, "empty_objects": 0, "truncated": 0}
    assert told(check(prefix="nothing/")) == (1, nothing)
    demanding = check(prefix="nothing/", min_count=1)
    assert told(demanding) == (0, nothing)
    assert "there is no object nothing/*" in demanding.page("/")


def test_more_objects_than_are_taken_tell_nothing_else(check, s3):
    """The newest may be the last one: what is known of the first ten is no truth about all."""
    for i in range(11):
        s3.put(BUCKET, f"{i:03}", 1, 1767225600 + i)
    daemon = check(max_objects=10)
    assert told(daemon) == (0, {"truncated": 1})
    assert "more than 10 keys begin with" in daemon.page("/")
    assert s3.asked == [{"list-type": "2", "max-keys": "10", "prefix": ""}]
    del s3.buckets[BUCKET]["010"]
    assert told(daemon)[1]["objects"] == 10


def test_refusals_are_told_with_what_to_do_and_no_key(check, s3, keys, tmp_path):
    daemon = check()
    assert told(daemon)[0] == 1

    def reason(secret="secret+key/with=signs", access="AKIDEXAMPLE"):
        (tmp_path / "secret").write_text(secret)
        (tmp_path / "access").write_text(access)
        assert told(daemon) == (0, {})
        page = daemon.page("/")
        everything = page + daemon.page() + daemon.process.output()
        for key in ("AKID", "secret+key", "not-the-key"):
            assert key not in everything
        return page

    assert "the secret key does not belong to the access key (SignatureDoesNotMatch)" in reason("not-the-key")
    assert "the access key is not known (InvalidAccessKeyId)" in reason(access="AKIDOTHER")
    assert "the secret key is empty" in reason("")
    assert "the access key is more than one line" in reason(access="AKID\nAKID")
    s3.forbidden.add(BUCKET)
    assert "the key is not allowed s3:ListBucket there (AccessDenied)" in reason()
    del s3.buckets[BUCKET]
    s3.forbidden.clear()
    assert "there is no such bucket (NoSuchBucket)" in reason()
    s3.region = "ap-south-1"
    assert "S3 answered 400 AuthorizationHeaderMalformed: the bucket is in the region ap-south-1" in reason()
    for status, body, words in (
            (301, "<Error><Code>PermanentRedirect</Code><Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint></Error>",
             "S3 answered 301 PermanentRedirect: the bucket must be asked at b.s3.eu-west-1.amazonaws.com"),
            (403, "<Error><Code>RequestTimeTooSkewed</Code></Error>", "the clock of this machine is wrong"),
            (502, "<html><p>Bad Gateway<br></html>", "answered 502, and not as S3 does"),
            (200, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
             "the listing has more, but does not go on"),
            (200, "<ListBucketResult><Contents><Key>a</Key>", "the answer is not XML: line 1: "),
            (200, '<!DOCTYPE a [<!ENTITY b "c">]><ListBucketResult/>', "the answer has a document type")):
        s3.raw = (status, body, {})
        assert words in reason()
    s3.raw = (301, "<Error><Code>PermanentRedirect</Code></Error>", {"x-amz-bucket-region": "eu-west-3"})
    assert "the bucket is in the region eu-west-3" in reason()


def test_an_answer_without_an_end_is_not_taken(check, s3):
    """As of another server that has a large file there."""
    daemon = check()
    s3.raw = (200, "<html>" + "&nbsp;" * (5 << 20), {})
    assert told(daemon) == (0, {})
    assert "the answer is XML, but not S3&#39;s" in daemon.page("/")
    assert s3.sent < 20 << 20
    s3.raw = (200, "<ListBucketResult>" + " " * (12 << 20), {})
    assert told(daemon) == (0, {})
    assert "S3&#39;s answer is too long" in daemon.page("/")


def test_a_temporary_key_is_rotated_in_its_files(check, s3, keys, tmp_path):
    token = tmp_path / "token"
    token.write_text("first/token+==\n")
    s3.token = "first/token+=="
    daemon = check(session_token_file=str(token))
    assert told(daemon)[0] == 1, daemon.page("/")
    s3.token, s3.keys = "second", {"ASIASECOND": "second secret"}
    assert told(daemon)[0] == 0
    for name, words in (("token", "second"), ("access", "ASIASECOND"), ("secret", "second secret")):
        (tmp_path / name).write_text(words)
    assert told(daemon)[0] == 1, daemon.page("/")


def test_over_tls_with_an_authority_of_its_own(exporter, keys, tmp_path):
    authority = Authority(tmp_path)
    server = S3(tls=authority.issue("s3", "DNS:localhost"))
    server.put(BUCKET, "backup", 42, 1767225600)
    try:
        options = {"bucket": BUCKET, "endpoint": server.endpoint + "/", "region": server.region, **keys}
        daemon = exporter([
            {"name": "backups", "s3": {**options, "tls_config": {"ca_file": str(authority.file)}}},
            {"name": "stranger", "s3": options}])
        found = scrape(daemon)
        assert value(found, "runbook_s3_newest_object_bytes", check="backups") == 42, daemon.page("/")
        assert value(found, "runbook_check_success", check="stranger") == 0
    finally:
        server.stop()
