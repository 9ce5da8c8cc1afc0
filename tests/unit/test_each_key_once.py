"""A key that is twice in one object: readers take either, and so nobody of ours takes one."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest

from gates.bundle.canonical import each_key_once, parse_json
from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import generate
from gates.bundle.plain_yaml import parse_yaml
from gates.bundle.trust import load_trust
from gates.decide.policies import parse_data
from gates.errors import EvidenceError, UsageError
from gates.flow.record import read_measurements
from gates.plan.spec import load_spec


def test_which_key_it_is_and_at_once() -> None:
    assert each_key_once([("a", 1), ("b", 2)]) == {"a": 1, "b": 2}
    pairs = [(f"k{i}", i) for i in range(100_000)]
    begun = time.process_time()
    with pytest.raises(ValueError, match=r"^the key 'k99999' occurs twice$"):
        each_key_once([*pairs, ("k99999", 1)])
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"b": {"a": 1, "\\u0061": 2}}]'])
def test_records_and_figures(text: str) -> None:
    with pytest.raises(EvidenceError, match="the key 'a' occurs twice"):
        parse_json(text.encode())
    with pytest.raises(EvidenceError, match="the key 'a' occurs twice"):
        read_measurements(text.encode(), where="own.json")


def test_statements(tmp_path: Path) -> None:
    key = generate(tmp_path / "key", "ann@x")
    raw = seal("urn:t", [("a", "sha256:" + "0" * 64)], {"allow": False}, key)
    assert open_envelope(raw).predicate == {"allow": False}
    document = parse_json(raw)
    payload = base64.b64decode(document["payload"]).replace(b'{"allow":false}', b'{"allow":false,"allow":true}')
    twice = raw.replace(document["payload"].encode(), base64.b64encode(payload))
    assert twice != raw
    with pytest.raises(EvidenceError):
        open_envelope(twice)
    again = raw.replace(b'{"payload":', b'{"payload":"e30=","payload":', 1)
    with pytest.raises(EvidenceError, match="the key 'payload' occurs twice"):
        open_envelope(again)


@pytest.mark.parametrize("text", ["tier: low\ntier: high\n", '{"tier": "low", "tier": "high"}'])
def test_what_policy_owners_write(text: str) -> None:
    with pytest.raises(UsageError, match='duplicate key "tier"'):
        parse_data("models/m/data.yaml", text.encode())
    with pytest.raises(ValueError, match=r'^line \d+: found duplicate key "tier"'):
        parse_yaml(text.encode())


def test_who_is_trusted_and_what_is_asked(tmp_path: Path) -> None:
    trust = tmp_path / "trust.yaml"
    trust.write_text("keys: []\nkeys: []\n", encoding="utf-8")
    with pytest.raises(UsageError, match='duplicate key "keys"'):
        load_trust(trust)
    spec = tmp_path / "gates.yaml"
    spec.write_text("model: m\ntask: binary\ntask: numeric\n", encoding="utf-8")
    with pytest.raises(UsageError, match="duplicate key"):
        load_spec(spec)
