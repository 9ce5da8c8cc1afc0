"""Verify finds any byte that changed and anything that was forged, tells all of it, and is silent about what is whole."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from audit_world import NOW, Promoted
from simulators.policy_world import MODEL

from gates.apply.promote import promote
from gates.apply.serving.interface import Serves
from gates.audit.findings import Findings
from gates.audit.verify import verify
from gates.bundle.canonical import canonical_bytes, digest_bytes
from gates.bundle.envelope import seal
from gates.bundle.store import Store
from gates.errors import EngineError
from gates.records import Approval
from gates.records.decision import DecisionInput
from gates.records.release import APPROVAL_TYPE
from gates.render.findings import findings_text


class Export:
    """A ledger that is a list: the canonical export, to be spoilt."""

    name = "export"

    def __init__(self, raws: tuple[bytes, ...]) -> None:
        self.raws = list(raws)

    def entries(self, start: int = 0) -> tuple[bytes, ...]:
        return tuple(self.raws[start:])

    def append(self, raw: bytes, *, expects: str | None) -> None:
        raise AssertionError


def check(at: Promoted, ledger: Export | None = None, *, registry: bool = True) -> Findings:
    world = at.world
    return verify(
        world.store,
        ledger=ledger or world.ledger,
        root=at.root,
        registry=world.registry if registry else None,
        serving_of=lambda slot: world.surfaces(slot.environment).serving,
    )


def codes(found: Findings) -> set[str | None]:
    return {item.code for item in found.failures}


def flipped(raw: bytes, chance: random.Random) -> bytes:
    at, bit = chance.randrange(len(raw)), chance.randrange(8)
    return raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]


def objects(store: Store) -> Iterator[Path]:
    yield from sorted(path for path in (store.root / "sha256").rglob("*") if path.is_file())


def test_what_is_whole_verifies(made: Promoted) -> None:
    found = check(made)

    assert found.good, findings_text(found)
    assert {item.status for item in found.items} == {"ok"}
    assert {part for part, _ in found.counts} == {
        "store", "ledger", "policy", "trust", "bundle", "plan", "evidence", "attachment", "decision",
        "replay", "alias", "serving", "pack", "model", "witness",
    }  # fmt: skip
    assert found.counts["evidence", "ok"] == 4
    assert findings_text(found).startswith(f"VERIFIED: {len(found.items)} things hold")


def test_a_flipped_bit_in_any_object_of_the_store_is_found(own: Promoted) -> None:
    chance = random.Random(20_261_121)
    paths = list(objects(own.world.store))
    assert len(paths) > 40
    for path in paths:
        whole = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(flipped(whole, chance))
        found = verify(own.world.store)
        assert [item.where for item in found.failures] == [str(path)]
        path.write_bytes(whole)
    assert verify(own.world.store).good


@pytest.mark.parametrize("seed", range(3))
def test_a_flipped_bit_in_the_ledgers_export_is_found(made: Promoted, seed: int) -> None:
    chance = random.Random(seed)
    export = Export(made.world.ledger.entries())
    for _ in range(20):
        at = chance.randrange(len(export.raws))
        whole = export.raws[at]
        export.raws[at] = flipped(whole, chance)
        found = _ledger_only(made, export)
        assert not found.good
        assert any(item.part == "ledger" and item.status == "failed" for item in found.items)
        export.raws[at] = whole


def _ledger_only(made: Promoted, export: Export) -> Findings:
    """The same walk over a store without bundles: the ledger's own findings do not need them."""
    empty = Store(made.world.root / "empty")
    empty.put(canonical_bytes(made.world.trust.document()))
    return verify(empty, ledger=export, root=made.root)


def test_all_failures_are_told_not_only_the_first(own: Promoted) -> None:
    chance = random.Random(1)
    spoilt = random.Random(2).sample(list(objects(own.world.store)), 3)
    for path in spoilt:
        path.chmod(0o644)
        path.write_bytes(flipped(path.read_bytes(), chance))
    own.world.registry.path(MODEL, "7").write_bytes(b"other weights")
    own.world.registry.set_alias(MODEL, "approved-staging", "3")
    export = Export(own.world.ledger.entries())
    export.raws[1] = flipped(export.raws[1], chance)
    export.raws[3] = flipped(export.raws[3], chance)
    found = check(own, export)

    failed = {(item.part, item.where) for item in found.failures}
    assert {("store", str(path)) for path in spoilt} <= failed
    assert {("ledger", "ledger entry 1"), ("ledger", "ledger entry 3")} <= failed
    assert findings_text(found).startswith("FAILED: ")


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_a_cut_tail_is_found(made: Promoted, keep: int) -> None:
    found = check(made, Export(made.world.ledger.entries()[:keep]))

    assert codes(found) & {"ledger.truncated", "ledger.root"}


def test_another_root_is_found(made: Promoted) -> None:
    other = replace(made, root=digest_bytes(b"another"))

    assert "ledger.root" in codes(check(other))


def test_an_object_that_vanished_is_found(own: Promoted) -> None:
    for path in objects(own.world.store):
        content = path.read_bytes()
        if b"calibration.ece" in content or content.startswith(b"package gates.main"):
            path.unlink()
    found = check(own)

    assert "store.missing" in codes(found)
    assert {"policy", "replay"} <= {item.part for item in found.failures}


def test_changed_model_bytes_a_moved_alias_and_an_edited_target_are_found(own: Promoted) -> None:
    world = own.world
    world.registry.path(MODEL, "7").write_bytes(b"weights 7 and more")
    world.registry.set_alias(MODEL, "approved-staging", "3")
    target = world.surfaces().serving
    observed = target.read()
    assert isinstance(observed, Serves)
    routes = tuple(route.model_copy(update={"version": own.champion}) for route in observed.release.routes)
    target.write(observed.release.model_copy(update={"routes": routes}))

    assert codes(check(own)) == {"model.bytes_changed", "alias.unexplained", "serving.unexplained"}


def test_a_registry_that_is_down_proves_nothing_and_accuses_nobody(own: Promoted) -> None:
    own.world.registry.down = True
    found = check(own)

    assert found.good
    assert not found.complete
    assert {item.part for item in found.unreached} == {"model", "alias", "witness"}
    assert findings_text(found).startswith("INCOMPLETE: 4 things could not be reached")
    without = check(own, registry=False)
    assert without.complete
    assert {item.part for item in without.items if item.status == "skipped"} == {"model"}
    assert "2 could not be looked at" in findings_text(without)


def test_a_decision_that_was_bent_after_the_policies_answered_is_found(own: Promoted) -> None:
    """The decider signs an allow where the policies denied; apply carries it out; the audit shows it."""
    world = own.world
    worse = world.registry.register(MODEL, "8", b"weights 8")
    bundle = world.bundle(worse, own.candidate, ece=0.06)
    bent = world.decide(own.root, bundle, now_us=NOW + 5_000_000, allow=True, basis="proven", missing=(), results=(),
                        valid_until_us=NOW + 3_600_000_000)  # fmt: skip
    promote(world.writer(own.root, now_us=NOW + 6_000_000), world.surfaces(), bent)
    found = check(own)

    assert codes(found) == {"replay.decision"}
    [failure] = found.failures
    assert {"allow", "basis", "results"} <= set((failure.message or "").split(": ")[1].split(", "))


def test_an_input_that_was_bent_before_the_policies_saw_it_is_found(own: Promoted) -> None:
    """The decider puts better figures into the input than the evidence holds, and is consistent about it."""
    world = own.world
    worse = world.registry.register(MODEL, "8", b"weights 8")
    good = {part.gate: part.measurements for part in _stored_input(own).evidence}
    bundle = world.bundle(worse, own.candidate, ece=0.06)

    def bend(document: DecisionInput) -> DecisionInput:
        evidence = tuple(part.model_copy(update={"measurements": good[part.gate]}) for part in document.evidence)
        return document.model_copy(update={"evidence": evidence})

    bent = world.decide(own.root, bundle, now_us=NOW + 5_000_000, bend=bend)
    found = verify(world.store, ledger=world.ledger, root=own.root, decisions=[bent])

    assert codes(found) == {"replay.input"}
    assert "evidence" in str(found.failures[0].message)


def _stored_input(own: Promoted) -> DecisionInput:
    from gates.bundle.canonical import parse_json
    from gates.bundle.decisions import load_decision

    store = own.world.store
    return DecisionInput.parse(parse_json(store.get(load_decision(store, own.decision).decision.input_digest)))


def test_a_fact_of_the_ledger_that_was_bent_is_found(own: Promoted) -> None:
    world = own.world
    bundle = world.bundle(world.registry.register(MODEL, "8", b"weights 8"), own.candidate)

    def bend(document: DecisionInput) -> DecisionInput:
        assert document.ledger is not None
        assert document.ledger.looks == 2
        return document.model_copy(update={"ledger": document.ledger.model_copy(update={"looks": 1})})

    bent = world.decide(own.root, bundle, now_us=NOW + 5_000_000, bend=bend)
    found = verify(world.store, ledger=world.ledger, root=own.root, decisions=[bent])

    assert [item.message for item in found.failures] == ["the input, rebuilt from its sources, differs in ledger"]


def test_a_decision_by_somebody_else_is_found(own: Promoted) -> None:
    world = own.world
    bundle = world.bundle(world.registry.register(MODEL, "8", b"weights 8"), own.candidate)
    forged = world.decide(own.root, bundle, by="stranger", now_us=NOW + 5_000_000)
    found = verify(world.store, ledger=world.ledger, root=own.root, decisions=[forged])

    assert codes(found) == {"decision.unlisted_key"}


def test_a_link_that_leads_to_another_kind_of_statement_is_found(own: Promoted) -> None:
    world = own.world
    approval = Approval(
        model=MODEL,
        environment="staging",
        action="promote",
        role="ml-owner",
        candidate_digest=own.candidate.digest,
        bundle_digest=own.bundle,
        plan_digest=digest_bytes(b"plan"),
        policy_digest=digest_bytes(b"policy"),
        time_us=NOW,
        expires_us=NOW + 1,
    )
    raw = seal(APPROVAL_TYPE, [("x", own.candidate.digest)], approval.document(), world.key("stranger"))
    pack = world.store.put(raw)
    world.store.link("rollback-pack", f"{MODEL}@staging", pack)
    found = check(own)

    assert codes(found) == {"envelope.type"}


def test_an_empty_store_verifies_nothing(tmp_path: Path) -> None:
    found = verify(Store(tmp_path))

    assert not found.good
    assert findings_text(found).startswith("NOTHING VERIFIED")


def test_an_unknown_decision_is_a_finding(made: Promoted) -> None:
    found = verify(made.world.store, decisions=[digest_bytes(b"nothing"), "not a digest"])

    assert codes(found) == {"store.missing", "store.digest"}


def test_a_ledger_that_cannot_be_read_is_a_finding(made: Promoted) -> None:
    class Gone(Export):
        def entries(self, start: int = 0) -> tuple[bytes, ...]:
            raise EngineError("cannot be reached", code="ledger.unavailable")

    found = check(made, Gone(()))
    assert [item.code for item in found.unreached] == ["ledger.unavailable"]
    assert not found.failures


def test_the_report_is_plain_and_safe(own: Promoted) -> None:
    own.world.registry.set_alias(MODEL, "approved-staging", "3")
    found = check(own)
    found.failed("model", "is `x`", "a|b\x1b[2J\n# ALLOW", code="x", message="<script>@octocat")
    shown, marked = findings_text(found, verbose=True), findings_text(found, markdown=True)

    assert all(char.isprintable() or char == "\n" for char in shown)
    assert shown.startswith("FAILED: 2 of ")
    assert "approved-staging points to version 3, by the ledger it points to version 7 [alias.unexplained]" in shown
    assert marked.startswith("**FAILED: 2 of ")
    assert not any(line.startswith("#") for line in marked.splitlines())
    assert "`<script>@octocat`" in marked
    assert found.document()["good"] is False
