"""Envelopes, keys, trust and the store: what is signed has one byte form, and any other is refused."""

import base64
import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from gates.bundle.canonical import canonical_bytes, digest_bytes, digest_file, parse_json
from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import find_signer, generate, load_public, load_signer
from gates.bundle.store import Store
from gates.bundle.trust import Trust, TrustedKey, load_trust, save_trust
from gates.errors import EvidenceError, UsageError

SUBJECT = [("models:/m/7", "sha256:" + "0" * 64)]


@pytest.fixture
def signer(tmp_path):
    return generate(tmp_path / "key.pem", "measurer@example.org")


def test_a_statement_survives_sealing_and_opening(signer):
    opened = open_envelope(seal("urn:t", SUBJECT, {"a": [0.1, "é", 5e-324]}, signer), expect="urn:t")
    assert opened.predicate == {"a": [0.1, "é", 5e-324]}
    assert opened.subjects == tuple(SUBJECT)
    assert opened.key_ids == (signer.key_id,)


def test_securesystemslib_accepts_our_envelope(signer):
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    envelope = Envelope.from_dict(json.loads(seal("urn:t", SUBJECT, {"a": 1}, signer)))
    key = SSlibKey.from_crypto(load_pem_public_key(signer.public.pem.encode()), keyid=signer.key_id)
    assert list(envelope.verify([key], 1)) == [signer.key_id]


def test_every_flipped_bit_is_found(signer):
    raw = seal("urn:t", SUBJECT, {"figure": 0.019}, signer)
    for bit in range(len(raw) * 8):
        broken = bytearray(raw)
        broken[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(EvidenceError):
            open_envelope(bytes(broken))


def test_another_type_another_key_and_no_signature_are_refused(signer, tmp_path):
    raw = seal("urn:t", SUBJECT, {"a": 1}, signer)
    with pytest.raises(EvidenceError, match="urn:other"):
        open_envelope(raw, expect="urn:other")
    other = generate(tmp_path / "other.pem", "x")
    with pytest.raises(EvidenceError) as caught:
        open_envelope(raw, [other.public])
    assert caught.value.code == "envelope.unlisted_key"
    document = json.loads(raw) | {"signatures": []}
    with pytest.raises(EvidenceError) as caught:
        open_envelope(canonical_bytes(document))
    assert caught.value.code == "envelope.unsigned"


def test_a_swapped_public_key_does_not_verify(signer, tmp_path):
    document = json.loads(seal("urn:t", SUBJECT, {"a": 1}, signer))
    other = generate(tmp_path / "other.pem", "x").public
    document["signatures"][0] |= {"public_key": other.pem, "keyid": other.key_id}
    with pytest.raises(EvidenceError) as caught:
        open_envelope(canonical_bytes(document))
    assert caught.value.code == "envelope.signature"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_any_other_bytes_are_refused_with_a_clear_error(raw):
    with pytest.raises(EvidenceError):
        open_envelope(raw)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {1, 2}])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(EvidenceError):
        canonical_bytes({"a": value})


@pytest.mark.parametrize("raw", [b'{"a":1,"a":2}', b"NaN", b"\xff", b"[1", b"[" * 100_000])
def test_ambiguous_json_is_refused(raw):
    with pytest.raises(EvidenceError):
        parse_json(raw)


def test_a_key_is_private_never_overwritten_and_read_back(tmp_path):
    path = tmp_path / "keys" / "a.pem"
    made = generate(path, "owner@example.org")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_signer(path).public == made.public == load_public(tmp_path / "keys" / "a.pem.pub")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="already"):
        generate(path, "owner@example.org")
    assert path.read_bytes() == before


def test_the_development_key_is_made_for_development_only_and_never_in_ci(tmp_path):
    with pytest.raises(UsageError, match="staging needs a key"):
        find_signer({}, None, environment="staging", home=tmp_path)
    with pytest.raises(UsageError, match="CI"):
        find_signer({"CI": "true"}, None, environment="development", home=tmp_path)
    made = find_signer({}, None, environment="development", home=tmp_path)
    assert find_signer({}, None, environment="development", home=tmp_path).key_id == made.key_id
    text = (tmp_path / "development.pem").read_text()
    assert (
        find_signer({"CI": "1", "GATES_KEY": text}, None, environment="production", home=tmp_path).key_id == made.key_id
    )


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_is_no_key_is_a_usage_error(tmp_path, content):
    path = tmp_path / "bad.pem"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        load_signer(path)
    with pytest.raises(UsageError):
        load_signer(tmp_path / "absent.pem")


def test_trust_is_written_read_and_refuses_a_key_id_that_is_not_its_keys(tmp_path, signer):
    key = TrustedKey(
        key_id=signer.key_id,
        pem=signer.public.pem,
        identity="m",
        person="Person A",
        roles=("measure",),
        environments=("staging",),
    )
    trust = Trust(keys=(key,))
    save_trust(tmp_path / "trust.yaml", trust)
    again = load_trust(tmp_path / "trust.yaml")
    assert again.digest == trust.digest
    assert again.allows(signer.key_id, "measure", "staging")
    assert not again.allows(signer.key_id, "measure", "production")
    assert not again.allows(signer.key_id, "apply", "staging")
    text = (tmp_path / "trust.yaml").read_text().replace(signer.key_id, "0" * 64)
    (tmp_path / "trust.yaml").write_text(text)
    with pytest.raises(UsageError, match="key_id"):
        load_trust(tmp_path / "trust.yaml")
    assert not load_trust(None).keys


def test_the_store_writes_once_and_finds_corruption(tmp_path):
    store = Store(tmp_path)
    digest = store.put(b"bytes")
    assert store.put(b"bytes") == digest == digest_bytes(b"bytes")
    assert store.get(digest) == b"bytes"
    path = next(path for path in (tmp_path / "sha256").rglob("*") if path.is_file())
    assert digest_file(path) == digest
    path.chmod(0o644)
    path.write_bytes(b"other")
    with pytest.raises(EvidenceError) as caught:
        store.get(digest)
    assert caught.value.code == "store.corrupt"
    with pytest.raises(EvidenceError) as caught:
        store.get(digest_bytes(b"absent"))
    assert caught.value.code == "store.missing"
    for name in ("sha256:../../etc/passwd", "sha256:" + "A" * 64, ""):
        with pytest.raises(EvidenceError):
            store.get(name)


def test_links_take_any_key_and_list_each_digest_once(tmp_path):
    store = Store(tmp_path)
    digest = store.put(b"x")
    key = "../../ü\n" * 50
    store.link("bundle", key, digest)
    store.link("bundle", key, digest)
    assert store.linked("bundle", key) == [digest]
    assert store.linked("bundle", "other") == []
    assert {path.parts[len(tmp_path.parts)] for path in tmp_path.rglob("*")} == {"sha256", "links"}


def _put_many(root: str) -> None:
    store = Store(Path(root))
    for number in range(50):
        store.put(b"%d" % number * 1000)


def test_many_writers_leave_whole_files_only(tmp_path):
    # Forked: they begin at once, where each new interpreter would first read its libraries.
    workers = [multiprocessing.get_context("fork").Process(target=_put_many, args=(str(tmp_path),)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    files = [path for path in (tmp_path / "sha256").rglob("*") if path.is_file()]
    assert len(files) == 50
    assert all(digest_file(path) == f"sha256:{path.name}" for path in files)
    assert os.getpid() not in {worker.pid for worker in workers}


def test_base64_slack_is_refused(signer):
    document = json.loads(seal("urn:t", SUBJECT, {"a": 1}, signer))
    payload = document["payload"]
    if payload.endswith("="):
        last = payload.rstrip("=")[-1]
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        slack = alphabet[alphabet.index(last) ^ 1]
        changed = payload.rstrip("=")[:-1] + slack + "=" * payload.count("=")
        assert base64.b64decode(changed) == base64.b64decode(payload)
        document["payload"] = changed
        with pytest.raises(EvidenceError):
            open_envelope(canonical_bytes(document))
    else:
        pytest.fail("choose a payload whose base64 is padded")
