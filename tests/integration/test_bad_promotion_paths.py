"""Ways to get a bad model past the gate that need no broken key, each beside the same move without the trick, which is allowed.

The others stand where what they bend stands: limits, keys and a tier changed on a branch (e2e/test_commands.py), a
backdated decision (test_audit_forgeries.py), an expired allow and bytes swapped after sealing (test_apply_promote.py), a
lying server (test_engine_opa.py), a rollback to a bad version (test_apply_rollback.py).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from audit_world import MINUTE, NOW, SKETCH, Promoted
from simulators.policy_world import MODEL

from gates.bundle.canonical import canonical_bytes, digest_bytes, parse_json
from gates.bundle.decisions import load_decision
from gates.bundle.pack import load_bundle, seal_bundle
from gates.errors import GatesError
from gates.records import Decision, Digest, Evidence, Measurement, ModelVersion, Plan, Requirement, Slot

Change = Callable[[Evidence], Evidence]
LATER = NOW + 3 * MINUTE
EASIER = digest_bytes(b"an easier holdout")


def version(own: Promoted, number: str = "8") -> ModelVersion:
    return own.world.registry.register(MODEL, number, f"weights {number}".encode())


def decided(own: Promoted, bundle: Digest, now_us: int = LATER) -> Decision:
    return load_decision(own.world.store, own.world.decide(own.root, bundle, now_us=now_us)).decision


def codes(decision: Decision) -> set[str]:
    return {result.code for result in decision.results if result.disposition == "denies"}


def resealed(
    own: Promoted,
    bundle: Digest,
    change: Change,
    *,
    more: Change | None = None,
    holdout: Digest | None = None,
    sketch: tuple[str, ...] | None = None,
    **planned: Any,
) -> Digest:
    """Seal a bundle again, as whoever measures may: with other evidence, `more` beside it, or another plan."""
    world, opened = own.world, load_bundle(own.world.store, bundle)
    plan = Plan.model_validate({**opened.plan.document(), **planned})
    evidence = [part.evidence for part in opened.evidence]
    made = [change(part) for part in evidence] + ([more(part) for part in evidence] if more else [])
    named = [part.model_copy(update={"plan_digest": digest_bytes(canonical_bytes(plan.document()))}) for part in made]
    return seal_bundle(
        world.store,
        world.key("measurer"),
        plan,
        named,
        holdout_digest=holdout or opened.record.holdout_digest,
        holdout_sketch=sketch or opened.record.holdout_sketch,
        metadata=opened.record.metadata,
        now_us=NOW - MINUTE,
    )


def approved(own: Promoted, bundle: Digest, key: str, role: str = "risk", **changes: Any) -> Digest:
    """Sign an approval that binds all that it must, what serves now included."""
    chain = own.world.writer(own.root).read()
    present = chain.slot(Slot(model=MODEL, environment="staging")).release_digest
    said = {"time_us": NOW, "current_release_digest": present, **changes}
    return own.world.approve(bundle, key, role=role, **said)


def _only(kept: Callable[[Measurement], bool]) -> Change:
    def change(part: Evidence) -> Evidence:
        return part.model_copy(update={"measurements": tuple(m for m in part.measurements if kept(m))})

    return change


def _column(of: Measurement | Requirement) -> str | None:
    return getattr(of.slice, "column", None)


def test_without_a_trick_it_is_allowed(own: Promoted) -> None:
    bundle = own.world.bundle(version(own), own.candidate)
    assert decided(own, bundle).allow
    assert decided(own, resealed(own, bundle, lambda part: part)).allow


def test_a_slice_that_is_left_out_of_the_evidence(own: Promoted) -> None:
    bundle = own.world.bundle(version(own), own.candidate)
    decision = decided(own, resealed(own, bundle, _only(lambda m: _column(m) != "carrier")))
    assert not decision.allow
    assert "check.missing" in codes(decision)
    assert {(r.each or _column(r)) for r in decision.missing} == {"carrier"}


def test_a_value_that_is_left_out_of_the_evidence(own: Promoted) -> None:
    """Nothing names the values of a column but the evidence; what is left of it says that rows are missing."""
    bundle = own.world.bundle(version(own), own.candidate)
    less = _only(lambda m: getattr(m.slice, "value", None) != "OO")
    decision = decided(own, resealed(own, bundle, less))
    assert not decision.allow
    assert "slices.incomplete" in codes(decision)


def test_a_slice_that_is_left_out_of_the_plan_and_the_evidence(own: Promoted) -> None:
    bundle = own.world.bundle(version(own), own.candidate)
    asked = load_bundle(own.world.store, bundle).plan.document()["requirements"]
    less = [r for r in asked if r.get("each") != "carrier" and (r.get("slice") or {}).get("column") != "carrier"]
    assert len(less) < len(asked)
    decision = decided(own, resealed(own, bundle, _only(lambda m: _column(m) != "carrier"), requirements=less))
    assert not decision.allow
    assert "plan.mismatch" in codes(decision)


def _another_holdout(own: Promoted, candidate: ModelVersion, sketch: tuple[str, ...] | None = None) -> Digest:
    """The same figures, found on an easier table that this branch's gates.yaml names."""

    def easier(part: Evidence) -> Evidence:
        tables = tuple(t.model_copy(update={"digest": EASIER}) if t.role == "holdout" else t for t in part.tables)
        return part.model_copy(update={"tables": tables})

    return resealed(own, own.world.bundle(candidate, own.candidate), easier, holdout=EASIER, sketch=sketch)


def test_another_holdout_waits_for_the_risk_role(own: Promoted) -> None:
    bundle = _another_holdout(own, version(own))
    assert codes(decided(own, bundle)) == {"narrowed.holdout", "approval.missing"}
    approved(own, bundle, "rolf")
    again = decided(own, bundle, LATER + MINUTE)
    assert (again.allow, codes(again)) == (True, set())


def test_a_row_cut_off_the_holdout_starts_no_new_count(own: Promoted) -> None:
    """Another file, and so another digest; its rows were looked at for the candidate before."""

    def looks(number: str, sketch: tuple[str, ...]) -> int:
        decision = decided(own, _another_holdout(own, version(own, number), sketch))
        return int(parse_json(own.world.store.get(decision.input_digest))["ledger"]["looks"])

    assert looks("8", SKETCH[:-1]) == 2
    # The same file again, with a sketch of other rows: the digest says it.
    assert looks("9", tuple(f"f{row[1:]}" for row in SKETCH)) == 2


@pytest.mark.parametrize(
    "how",
    ["of another bundle", "by the one who decides", "unlisted", "of another role", "expired", "of another release"],
)
def test_an_approval_that_does_not_hold(own: Promoted, how: str) -> None:
    world, bundle = own.world, _another_holdout(own, version(own))
    if how == "of another bundle":
        # A true approval of the version before, listed again beside the new evidence.
        before = approved(own, own.bundle, "rolf")
        world.store.link("approval", bundle, before)
    elif how == "by the one who decides":
        approved(own, bundle, "decider-at-home")
    elif how == "unlisted":
        approved(own, bundle, "stranger")
    elif how == "of another role":
        approved(own, bundle, "mira")
    elif how == "of another release":
        approved(own, bundle, "rolf", current_release_digest=digest_bytes(b"what served in spring"))
    else:
        approved(own, bundle, "rolf", expires_us=LATER - 1)
    assert "narrowed.holdout" in codes(decided(own, bundle))


def test_a_first_release_is_not_faked_by_taking_the_champions_alias_away(own: Promoted) -> None:
    """Nothing to compare with by the registry; the ledger knows what serves."""
    own.world.registry.delete_alias(MODEL, "deployed-staging")
    decision = decided(own, own.world.bundle(version(own), None))
    assert not decision.allow
    assert {"champion.mismatch", "alias.mismatch"} <= codes(decision)


def _better(part: Evidence) -> Evidence:
    def better(m: Measurement) -> Measurement:
        if m.check != "calibration.ece" or m.slice.kind != "whole" or m.status != "measured":
            return m
        bounds = tuple(bound.model_copy(update={"lower": 0.0, "upper": 0.001}) for bound in m.bounds)
        return m.model_copy(update={"estimate": 0.001, "debiased": 0.001, "bounds": bounds})

    return part.model_copy(update={"measurements": tuple(better(m) for m in part.measurements)})


def test_a_second_better_measurement_beside_the_first(own: Promoted) -> None:
    bad = own.world.bundle(version(own), own.candidate, ece=0.06)
    assert not decided(own, bad).allow
    decision = decided(own, resealed(own, bad, lambda part: part, more=_better), LATER + MINUTE)
    assert not decision.allow
    assert "evidence.conflict" in codes(decision)


def test_measuring_again_until_it_passes(own: Promoted) -> None:
    """Every bundle that was looked at counts, also under another name for the same bytes."""
    candidate = version(own)
    looked = [decided(own, own.world.bundle(candidate, own.candidate, ece=0.06 + n / 1000)) for n in range(10)]
    assert {decision.allow for decision in looked} == {False}
    last = decided(own, own.world.bundle(candidate, own.candidate), LATER + MINUTE)
    assert not last.allow
    assert "attempts.exhausted" in codes(last)


def test_an_approval_names_what_it_approves(own: Promoted) -> None:
    """One whose statement was bent after signing is none; one for other bytes is void."""
    world, bundle = own.world, _another_holdout(own, version(own))
    candidate, other = load_bundle(world.store, bundle).record.candidate.digest, digest_bytes(b"weights 9")
    digest = approved(own, bundle, "rolf", candidate_digest=other)
    assert "narrowed.holdout" in codes(decided(own, bundle))
    envelope = json.loads(world.store.get(digest))
    said = base64.b64decode(envelope["payload"])
    assert other.encode() in said
    bent = said.replace(other.encode(), candidate.encode())
    envelope["payload"] = base64.b64encode(bent).decode()
    world.store.link("approval", bundle, world.store.put(json.dumps(envelope).encode()))
    with pytest.raises(GatesError):
        decided(own, bundle, LATER + MINUTE)
