"""The store on a folder, on another fsspec file system, and on a real S3 interface: one set of promises."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gates.bundle.store import Store
from gates.bundle.store_remote import RemoteStore
from gates.errors import EngineError, EvidenceError, UsageError

ABSENT = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a bucket on a server of this process."""
    boto3 = pytest.importorskip("boto3")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "k")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        where = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
        boto3.client("s3").create_bucket(Bucket="evidence", **where)
        yield "s3://evidence"
    server.stop()


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return Store(tmp_path / "store")
    if request.param == "memory":
        return RemoteStore(f"memory://{tmp_path.name}/store")
    return RemoteStore(f"{request.getfixturevalue('s3')}/{tmp_path.name}/")


def spoil(store: Store, digest: str, content: bytes) -> None:
    name = digest.removeprefix("sha256:")
    if isinstance(store, RemoteStore):
        store._files.pipe_file(f"{store._base}/sha256/{name[:2]}/{name}", content)
        return
    path = store.root / "sha256" / name[:2] / name
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00\xff" * 40_000])
def test_bytes_come_back_under_their_digest(store: Store, content: bytes) -> None:
    digest = store.put(content)
    assert digest == "sha256:" + hashlib.sha256(content).hexdigest()
    assert store.put(content) == digest
    assert digest in store
    assert store.get(digest) == content
    assert [(name.rpartition("/")[2], found) for name, found in store.objects()] == [(digest[7:], content)]


def test_what_is_not_there_or_is_something_else_is_said(store: Store) -> None:
    assert list(store.objects()) == []
    assert ABSENT not in store
    with pytest.raises(EvidenceError) as absent:
        store.get(ABSENT)
    assert absent.value.code == "store.missing"
    digest = store.put(b"evidence")
    spoil(store, digest, b"Evidence")
    with pytest.raises(EvidenceError) as bent:
        store.get(digest)
    assert bent.value.code == "store.corrupt"
    for name in ("../../etc/passwd", "sha256:zz", "sha256:" + "A" * 64):
        with pytest.raises(EvidenceError) as odd:
            store.get(name)
        assert odd.value.code == "store.digest"


def test_links_are_found_by_their_key_alone(store: Store) -> None:
    one, two = store.put(b"1"), store.put(b"2")
    assert store.linked("bundle", "models:/m/1") == []
    for digest in (two, one, one):
        store.link("bundle", "models:/m/1", digest)
    store.link("bundle", "models:/../é\n", one)
    assert store.linked("bundle", "models:/m/1") == sorted([one, two])
    assert store.linked("bundle", "models:/../é\n") == [one]
    assert store.linked("decision", "models:/m/1") == []


def test_an_upload_that_broke_off_is_done_again() -> None:
    store = RemoteStore("memory://broken/store")
    digest = store.put(b"whole")
    spoil(store, digest, b"who")
    assert store.put(b"whole") == digest
    assert store.get(digest) == b"whole"


def test_another_jobs_objects_are_seen(s3: str) -> None:
    ours, theirs = RemoteStore(f"{s3}/shared"), RemoteStore(f"{s3}/shared")
    assert ours.linked("bundle", "k") == []
    digest = theirs.put(b"new")
    theirs.link("bundle", "k", digest)
    assert ours.linked("bundle", "k") == [digest]
    assert ours.get(digest) == b"new"


def test_a_bucket_that_is_not_there_is_one_line(s3: str) -> None:
    store = RemoteStore(s3.replace("evidence", "elsewhere"))
    with pytest.raises(EngineError) as refused:
        store.put(b"x")
    assert refused.value.code == "store.unwritable"
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("uri", ["nowhere://x/y", "s3://key:secret@bucket/x"])
def test_an_address_that_cannot_be_is_refused_and_no_password_is_repeated(uri: str) -> None:
    with pytest.raises(UsageError) as refused:
        RemoteStore(uri)
    assert refused.value.code == "store.uri"
    assert "secret" not in str(refused.value) + str(refused.value.where) + str(refused.value.remedy)
