"""Sources of the policy owners' own: compiled with ours, judged alike by both engines, and able only to add denies."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from simulators.policy_world import MODEL, codes, golden, plan_request, trust

from gates.bundle.canonical import canonical_bytes
from gates.decide.arithmetic import ALLOWED, additions
from gates.decide.engines.embedded import EmbeddedEngine
from gates.decide.engines.interface import DECISION, PLAN
from gates.decide.engines.opa_server import started
from gates.decide.opa_binary import find_opa
from gates.decide.policies import PolicySet, shipped_rego
from gates.decide.policy_bundle import build_owners_module, is_current, write_bundle
from gates.errors import EngineError, UsageError
from gates.resources import policies_folder

RULE = """package custom.{name}

# METADATA
# title: Not on these terms
# description: The actor is one of whom our bank takes no requests.
# custom:
#   code: custom.{name}
#   remedy: Ask somebody else.
results contains {{"check": "custom.{name}", "rule": "release", "verdict": "fail", "disposition": "denies", "code": "custom.{name}"}} if {{
	input.request.actor == "applier@acme"
	{more}
}}
"""

pytestmark = pytest.mark.opa


@pytest.fixture
def owners(tmp_path: Path) -> Path:
    facts = tmp_path / "policies" / "models" / MODEL / "data.yaml"
    facts.parent.mkdir(parents=True)
    facts.write_text("tier: high\ncluster: day\nslices: [carrier, origin]\n", encoding="utf-8")
    return tmp_path / "policies"


def _add(owners: Path, more: str = "true", name: str = "bank", package: str | None = None) -> None:
    path = owners / "custom" / name / f"{name}.rego"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = RULE.format(name=name, more=more)
    path.write_text(text.replace(f"package custom.{name}", package) if package else text, encoding="utf-8")


def test_an_own_rule_denies_on_both_engines(owners: Path) -> None:
    opa = find_opa()
    assert opa is not None
    _add(owners)
    before = PolicySet.load(owners, trust())
    assert not is_current(before)
    with pytest.raises(EngineError) as no:
        EmbeddedEngine(before)
    assert no.value.code == "module.stale"
    build_owners_module(before, owners, opa)
    policies = PolicySet.load(owners, trust())
    assert policies.digest != before.digest
    with EmbeddedEngine(policies) as embedded, started(policies, opa) as server:
        document = golden("production", embedded.evaluate(PLAN, plan_request()), policies)
        answer = embedded.evaluate(DECISION, document)
        assert codes(answer) == {"custom.bank"}
        assert answer["allow"] is False
        assert canonical_bytes(server.evaluate(DECISION, document)) == canonical_bytes(answer)
    # Data alone needs no compiler; a rule that changes by one word does.
    (owners / "models" / MODEL / "data.yaml").write_text("tier: low\n", encoding="utf-8")
    assert is_current(PolicySet.load(owners, trust()))
    _add(owners, more="input.request.percent > 1")
    assert not is_current(PolicySet.load(owners, trust()))


@pytest.mark.parametrize(
    "more", ['http.send({"method": "get", "url": "http://x"})', "time.now_ns() > 0", "input.request.percent * 2 > 3"]
)
def test_an_own_rule_may_use_no_more_than_ours(owners: Path, more: str) -> None:
    opa = find_opa()
    assert opa is not None
    _add(owners, more=more)
    with pytest.raises(EngineError) as no:
        build_owners_module(PolicySet.load(owners), owners, opa)
    assert no.value.code == "module.build"


def test_only_integers_are_added_and_only_in_one_place(owners: Path) -> None:
    opa = find_opa()
    assert opa is not None
    source = """package custom.sums

# 1 + 1
x := "a + b"

y := z if {
	z := input.a + 1
	count([q | q := sum(input.b)]) > 0
	plus(1, 2, w)
	data.x.sum(1)
	input.sum == 2
}
"""
    found = list(additions(opa, {"custom/sums/sums.rego": source.encode(), ALLOWED: b"package a\n\nb := 1 + 1"}))
    assert [line.split(";")[0] for line in found] == [
        f"custom/sums/sums.rego:{at}" for at in ("7: plus", "8: sum", "9: plus")
    ]
    assert not list(additions(opa, shipped_rego(policies_folder())))
    with pytest.raises(EngineError, match="opa parse"):
        list(additions(opa, {"custom/a.rego": b"package + if"}))
    _add(owners, more="input.request.percent + 0.1 > 0.3")
    with pytest.raises(EngineError, match="plus; add whole numbers") as no:
        build_owners_module(PolicySet.load(owners), owners, opa)
    assert no.value.code == "module.build"


IN_A_TEXT = "package gates.main\n\nnote := `\npackage custom.bank\n`"


@pytest.mark.parametrize(
    "package",
    ["package gates.release.bank", "package gates.main", "package system.authz", "package custom.other", IN_A_TEXT],
)
def test_an_own_rule_stands_in_no_package_of_ours(owners: Path, package: str) -> None:
    _add(owners, package=package)
    with pytest.raises(UsageError) as no:
        PolicySet.load(owners)
    assert no.value.code == "policy.package"


@pytest.mark.parametrize("more", ["floor(input.request.candidate.version) > 5", "count(input.request.percent) > 3"])
def test_a_built_in_that_could_fail_and_so_say_nothing_is_not_built(owners: Path, more: str) -> None:
    opa = find_opa()
    assert opa is not None
    _add(owners, more=more)
    with pytest.raises(EngineError, match=r"^custom/bank/bank.rego:11: rego_type_error: (floor|count)") as no:
        build_owners_module(PolicySet.load(owners), owners, opa)
    assert no.value.code == "module.build"


def test_a_signed_bundle_is_served_and_a_changed_one_is_not(owners: Path, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    opa = find_opa()
    assert opa is not None
    key = ec.generate_private_key(ec.SECP256R1())
    private = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "pub.pem").write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, spki))
    policies = PolicySet.load(owners, trust())
    _, signed = write_bundle(policies, tmp_path / "signed", opa=opa, key=tmp_path / "key.pem")
    _, bare = write_bundle(policies, tmp_path / "bare", opa=opa)
    bent = tmp_path / "bent.tar.gz"
    with tarfile.open(signed) as before, tarfile.open(bent, "w:gz") as after:
        for member in before.getmembers():
            file = before.extractfile(member)
            assert file is not None
            content = file.read().replace(b'"tier":"high"', b'"tier":"low" ')
            member.size = len(content)
            after.addfile(member, io.BytesIO(content))
    assert bent.read_bytes() != signed.read_bytes()
    checked = ["--verification-key", tmp_path / "pub.pem", "--signing-alg", "ES256", "--output", tmp_path / "again"]
    for bundle, good in ((signed, True), (bare, False), (bent, False)):
        done = subprocess.run([opa.path, "build", *checked, "--bundle", bundle], capture_output=True, check=False)
        assert (done.returncode == 0) is good, bundle
    with pytest.raises(UsageError):
        write_bundle(policies, tmp_path, opa=opa, key=tmp_path / "none.pem")
    with pytest.raises(EngineError):
        write_bundle(policies, tmp_path, opa=None, key=tmp_path / "key.pem")
    assert [path.name for path in write_bundle(policies, tmp_path / "bare", opa=None)] == ["bundle"]
