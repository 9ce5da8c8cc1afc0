"""Decisions on actions and on policies that somebody with a key forged: refused by every reader, or found by the audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from audit_world import MINUTE, NOW, Promoted
from simulators.policy_world import MODEL

from gates.apply.act import Envelope
from gates.apply.change import Wanted, ask, change_of, loosened_by
from gates.apply.ledger.shape import seal_entry
from gates.apply.policy import activate_policy
from gates.apply.rollback import asked_of, rollback
from gates.apply.saga import carry_out
from gates.audit.verify import verify
from gates.bundle.acts import ON_ACTION, ON_CHANGE
from gates.bundle.canonical import canonical_bytes, digest_bytes, digest_document, parse_json
from gates.decide.engines.embedded import EmbeddedEngine
from gates.errors import EvidenceError
from gates.records import ActivePolicy, Entry, Release, Slot
from gates.records.action import ActionDecision, ActionInput

SLOT = Slot(model=MODEL, environment="staging")
LATER = NOW + 2 * MINUTE
OTHER = digest_bytes(b"other")

pytestmark = pytest.mark.usefixtures("without_opa")


@dataclass(frozen=True)
class Case:
    """An honest answer about going back to version 3, to be spoilt."""

    own: Promoted
    before: Release
    after: Release
    honest: Envelope

    def forged(
        self,
        *,
        by: str = "applier",
        bend: Callable[[ActionInput], ActionInput] = lambda document: document,
        rename: bool = True,
        **changes: Any,
    ) -> Envelope:
        """Sign another answer; `bend` falsifies its input, `changes` the decision."""
        opened = ON_ACTION.open(canonical_bytes(self.honest), where="test")
        document = bend(opened.document)
        same = {
            "request": document.request,
            "policy_digest": document.policy.digest,
            "trust_digest": document.policy.trust_digest,
            "ledger": {"sequence": document.ledger.sequence, "head": document.ledger.head},
            **({"input_digest": digest_document(document.document())} if rename else {}),
        }
        decision = ActionDecision.model_validate({**opened.decision.document(), **same, **changes})
        sealed = ON_ACTION.seal(document, decision, opened.evaluation, self.own.world.key(by))
        found: Envelope = parse_json(sealed)
        return found

    def entry(self, decision: Envelope | None) -> Entry:
        chain = self.own.world.writer(self.own.root).read()
        return Entry(
            sequence=len(chain.entries),
            previous=chain.head,
            kind="rollback",
            time_us=LATER,
            actor="applier@example.com",
            reason="worse",
            slot=SLOT,
            action="rollback",
            expects=chain.slot(SLOT).last_closing,
            before=self.before,
            after=self.after,
            decision=decision,
        )

    def append(self, decision: Envelope | None, *, by: str = "applier") -> None:
        """Past every look of the writer."""
        world, entry = self.own.world, self.entry(decision)
        raw = seal_entry(entry, world.key(by))
        world.ledger.append(raw, expects=entry.previous)
        world.store.put(raw)

    def found(self) -> set[str | None]:
        world = self.own.world
        found = verify(world.store, ledger=world.ledger, root=self.own.root, registry=world.registry)
        return {item.code for item in found.failures}


@pytest.fixture
def case(own: Promoted) -> Case:
    world = own.world
    chain = world.writer(own.root, now_us=LATER).read()
    state = chain.slot(SLOT)
    before, after = state.standing.release, state.last_good
    assert before is not None
    assert after is not None
    asked = asked_of(SLOT, after, "worse", reached=True)
    return Case(own, before, after, world.judge().on_chain(chain, asked, time_us=LATER))


def test_the_honest_one_is_carried_out_and_verifies(case: Case) -> None:
    case.append(case.honest)
    world = case.own.world
    writer = world.writer(case.own.root, now_us=LATER)
    carry_out(writer, world.surfaces(), SLOT, writer.read())
    assert case.found() == set()


FORGED: dict[str, Callable[[Case], Envelope]] = {
    "denied": lambda case: case.forged(allow=False),
    "of a key that may not apply": lambda case: case.forged(by="decider"),
    "in the name of another": lambda case: case.forged(
        by="decider", bend=lambda d: _asked(d, actor_key_id=case.own.world.key("applier").key_id)
    ),
    "about another input": lambda case: case.forged(input_digest=OTHER, rename=False),
    "about an input that was changed after": lambda case: case.forged(
        bend=lambda d: d.model_copy(update={"bytes": ()}), rename=False
    ),
    "about another release": lambda case: case.forged(bend=lambda d: _asked(d, release=OTHER)),
    "about another version": lambda case: case.forged(bend=lambda d: _asked(d, version=case.own.candidate)),
    "about another action": lambda case: case.forged(bend=lambda d: _asked(d, action="retire")),
    "about another environment": lambda case: case.forged(bend=lambda d: _asked(d, environment="production")),
    "about another model": lambda case: case.forged(bend=lambda d: _asked(d, model="another")),
    "of another ledger": lambda case: case.forged(bend=lambda d: _ledger(d, head=OTHER)),
    "where another release served": lambda case: case.forged(bend=lambda d: _ledger(d, release_digest=OTHER)),
    "by other policies": lambda case: case.forged(
        bend=lambda d: d.model_copy(update={"policy": d.policy.model_copy(update={"digest": OTHER})})
    ),
    "expired": lambda case: case.forged(valid_until_us=LATER),
    "of tomorrow": lambda case: case.forged(bend=lambda d: _asked(d, effective_time_us=LATER + 1)),
    "no decision on an action": lambda case: {"payload": "", "payloadType": "", "signatures": []},
}


def _asked(document: ActionInput, **changes: Any) -> ActionInput:
    return document.model_copy(update={"request": document.request.model_copy(update=changes)})


def _ledger(document: ActionInput, **changes: Any) -> ActionInput:
    return document.model_copy(update={"ledger": document.ledger.model_copy(update=changes)})


def test_no_reader_takes_what_is_no_yes_for_this_entry(case: Case) -> None:
    """One copy of the world for all: what is refused leaves nothing behind."""
    writer = case.own.world.writer(case.own.root, now_us=LATER)
    chain = writer.read()
    for name, forge in FORGED.items():
        raw = seal_entry(case.entry(forge(case)), case.own.world.key("applier"))
        with pytest.raises(EvidenceError) as caught:
            chain.extended([raw])
        assert caught.value.code in ("ledger.decision", "envelope.malformed"), name
    raw = seal_entry(case.entry(case.honest), case.own.world.key("owner"))
    with pytest.raises(EvidenceError) as caught:
        chain.extended([raw])
    assert caught.value.code == "ledger.unlisted_key"


def test_the_audit_says_so_too(case: Case) -> None:
    case.append(case.forged(allow=False))
    assert "ledger.decision" in case.found()


def test_a_decision_is_carried_out_once(case: Case) -> None:
    """The decision of another entry, copied: there and back again within its hour."""
    case.append(case.honest)
    world = case.own.world
    writer = world.writer(case.own.root, now_us=LATER)
    carry_out(writer, world.surfaces(), SLOT, writer.read())
    chain = writer.read()
    assert digest_document(case.honest) in chain.carried
    assert digest_document(case.forged(valid_until_us=LATER + 5)) not in chain.carried
    with pytest.raises(EvidenceError) as caught:
        chain.extended([seal_entry(case.entry(case.honest), world.key("applier"))])
    assert (caught.value.code, "once already" in caught.value.message) == ("ledger.decision", True)


def test_a_yes_that_the_policies_never_gave_is_found(case: Case) -> None:
    """Who may apply signs what he likes; whoever asks the policies again sees it."""
    denied = {"check": "action.rollback", "rule": "action", "code": "rollback.old", "verdict": "fail"}
    case.append(case.forged(results=[{**denied, "disposition": "satisfied"}]))
    assert case.found() == {"replay.decision"}


def test_facts_that_the_ledger_never_held_are_found(case: Case) -> None:
    def older(document: ActionInput) -> ActionInput:
        served = tuple(item.model_copy(update={"left_us": LATER}) for item in document.ledger.served)
        return _ledger(document, served=served)

    case.append(case.forged(bend=older))
    assert case.found() == {"replay.input"}


def test_a_pack_that_there_never_was_is_found(case: Case) -> None:
    case.append(case.forged(bend=lambda document: _ledger(document, pack=OTHER)))
    assert case.found() == {"store.missing"}


def test_without_a_decision_it_stands_in_the_ledger_and_is_found(case: Case) -> None:
    case.append(None)
    assert case.found() == {"decision.missing"}


def test_the_command_itself_never_leaves_it_out(case: Case) -> None:
    world = case.own.world
    rollback(world.writer(case.own.root, now_us=LATER), world.surfaces(), SLOT, reason="worse", judge=world.judge())
    assert case.found() == set()


def changed(own: Promoted) -> tuple[ActivePolicy, Callable[..., Any]]:
    """Other policies for staging, and who asks those in force."""
    from gates.decide.policies import PolicySet

    world = own.world
    in_force = PolicySet.load(world.root / "policies", world.trust)
    facts = world.root / "policies" / "models" / MODEL / "data.yaml"
    said = facts.read_text(encoding="utf-8")
    facts.write_text(said.replace("[carrier, origin]", "[carrier]"), encoding="utf-8")
    policies = PolicySet.load(world.root / "policies", world.trust)
    active = ActivePolicy(
        environment="staging", policy_digest=policies.put(world.store), trust_digest=world.trust.digest
    )
    with EmbeddedEngine(policies) as engine:
        change = change_of(active, loosened_by(engine, "staging", policies, in_force))

    def judge(chain: Any, time_us: int) -> tuple[Envelope, ...]:
        wanted = Wanted((active,), "other slices", unsimulated="a test")
        signer = world.key("owner")
        return ask(chain, world.store, signer, world.judge().policies, wanted, (change,), time_us=time_us)

    return active, judge


def test_a_change_of_policies_is_decided_replayed_and_missed_where_it_is_not(own: Promoted) -> None:
    world = own.world
    active, judge = changed(own)
    writer = world.writer(own.root, "owner", LATER)
    honest = judge(writer.read(), LATER)
    opened = ON_CHANGE.open(canonical_bytes(honest[0]), where="test")

    def forged(by: str = "owner", **changes: Any) -> tuple[Envelope, ...]:
        decision = opened.decision.model_copy(update=changes)
        return (parse_json(ON_CHANGE.seal(opened.document, decision, opened.evaluation, world.key(by))),)

    bad = {
        "denied": forged(allow=False),
        "expired": forged(valid_until_us=LATER),
        "another's": forged(by="applier"),
        "about another input": forged(input_digest=OTHER),
        "twice": (*honest, *honest),
    }
    entries = world.ledger.entries()
    for name, decisions in bad.items():
        with pytest.raises(EvidenceError) as caught:
            activate_policy(writer, [active], reason="other slices", judge=lambda *_, d=decisions: d)
        assert caught.value.code in ("ledger.decision", "decision.input"), name
    other = active.model_copy(update={"policy_digest": world.policies.digest})
    with pytest.raises(EvidenceError, match="about other policies"):
        activate_policy(writer, [other], reason="other slices", judge=lambda *_: honest)
    assert world.ledger.entries() == entries
    case = Case(own, *_none())
    activate_policy(writer, [active], reason="other slices", judge=lambda *_: honest)
    assert case.found() == set()
    activate_policy(world.writer(own.root, "owner", LATER), [other], reason="back")
    assert case.found() == {"decision.missing"}


def _none() -> tuple[Any, Any, Any]:
    return None, None, None
