"""Steps of a rollout and demands of a monitor: by the policies in force, in the ledger, and replayed."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from audit_world import MINUTE, NOW, Promoted, promoted
from simulators.policy_world import MODEL

from gates.apply.ledger.acts import action_of
from gates.apply.ledger.chain import Chain
from gates.apply.monitor import Acted, act
from gates.apply.policy import activate_policy
from gates.apply.reconcile import look, reconcile
from gates.apply.rollback import rollback
from gates.apply.rollout import step
from gates.apply.saga import Applied
from gates.apply.serving.file_serving import FileServing
from gates.apply.writer import Position
from gates.audit.findings import Findings
from gates.audit.verify import verify
from gates.decide.engines import at_hand
from gates.decide.policies import PolicySet
from gates.errors import EngineError, GatesError, Refused
from gates.records import ActivePolicy, Entry, Slot
from gates.records.action import Alarm, Demand

SLOT = Slot(model=MODEL, environment="staging")
LATER = NOW + 2 * MINUTE
SEEN = Alarm(monitor="canary", check="errors", value=0.08, rows=4000, from_us=NOW, until_us=NOW + MINUTE)

pytestmark = pytest.mark.usefixtures("without_opa")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Promoted:
    """Version 7 has 20 % in staging, and its plan goes on to 60 and 100."""
    plan = [{"environment": "staging", "steps": [20, 60, 100]}]
    return promoted(tmp_path_factory.mktemp("world"), percent=20, rollout=plan)


def go(own: Promoted, percent: int | None = None, *, by: str = "applier", at: int = LATER) -> Applied:
    world = own.world
    writer = world.writer(own.root, by, at)
    return step(writer, world.surfaces(), SLOT, world.judge(by), percent=percent, reason="calm")


def demand(own: Promoted, what: Demand, *, by: str = "watch", alarm: Alarm = SEEN, at: int = LATER) -> Acted:
    world = own.world
    writer = world.writer(own.root, by, at)
    return act(writer, world.surfaces(), SLOT, world.judge(by), demand=what, alarm=alarm, reason="errors")


def shares(own: Promoted) -> dict[str, int]:
    release = own.world.writer(own.root).read().release(SLOT)
    return {route.version.version: route.percent for route in release.routes} if release else {}


def refused(own: Promoted, code: str, call: Any) -> GatesError:
    entries = own.world.ledger.entries()
    with pytest.raises(GatesError) as caught:
        call()
    assert (caught.value.code, own.world.ledger.entries()) == (code, entries), caught.value
    return caught.value


def check(own: Promoted) -> Findings:
    world = own.world
    return verify(
        world.store,
        ledger=world.ledger,
        root=own.root,
        registry=world.registry,
        serving_of=lambda slot: world.surfaces(slot.environment).serving,
    )


def failed(own: Promoted) -> set[str | None]:
    return {item.code for item in check(own).failures}


def test_steps_in_the_order_of_the_plan_to_all_of_the_traffic(own: Promoted) -> None:
    refused(own, "rollout.order", lambda: go(own, 100))
    refused(own, "rollout.order", lambda: go(own, 59))
    assert go(own).status == "done"
    assert shares(own) == {"3": 40, "7": 60}
    again = go(own, 60)
    assert (again.resumed, len(own.world.ledger.entries())) == (True, 7)
    go(own)
    assert shares(own) == {"7": 100}
    refused(own, "rollout.order", lambda: go(own))
    found = check(own)
    assert found.good, found.failures
    assert sum("of this rollout gives the same bytes" in item.what for item in found.items) == 2
    rollback(own.world.writer(own.root, now_us=LATER), own.world.surfaces(), SLOT, reason="worse")
    assert shares(own) == {"3": 100}


class _Lies:
    """A server that allows everything."""

    name, version, source = "opa", "1", "http://localhost:1"

    def evaluate(self, entry_point: str, document: dict[str, Any]) -> dict[str, Any]:
        reference = {"check": "action.rollout", "rule": "action", "code": "rollout.order"}
        results = [{**reference, "verdict": "pass", "disposition": "satisfied"}]
        return {"allow": True, "results": results, "approvals": [], "valid_until_us": 2**53 - 1}


def test_a_server_that_allows_everything_moves_nothing(own: Promoted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_hand, "server_at_hand", lambda *_, **__: nullcontext(_Lies()))
    refused(own, "engine.disagree", lambda: go(own, 100))
    refused(own, "engine.disagree", lambda: go(own))
    assert refused(own, "engine.disagree", lambda: demand(own, "pause")).exit_code == 4


def test_who_may_not_apply_takes_no_step(own: Promoted) -> None:
    for person in ("watch", "stranger"):
        refused(own, "key.unlisted", lambda person=person: go(own, by=person))


def test_no_step_by_an_expired_decision(own: Promoted) -> None:
    refused(own, "rollout.expired", lambda: go(own, at=NOW + 91 * 1440 * MINUTE))


def test_no_step_under_other_policies(own: Promoted) -> None:
    world = own.world
    facts = world.root / "policies" / "models" / MODEL / "data.yaml"
    facts.write_text("tier: high\ncluster: day\nslices: [carrier]\n")
    policy = PolicySet.load(world.root / "policies", world.trust).put(world.store)
    active = [ActivePolicy(environment="staging", policy_digest=policy, trust_digest=world.trust.digest)]
    activate_policy(world.writer(own.root, "owner", LATER), active, reason="other slices")
    refused(own, "rollout.inactive", lambda: go(own, at=LATER + MINUTE))


def test_a_pause_stops_the_rollout_and_what_was_seen_is_kept(own: Promoted) -> None:
    done = demand(own, "pause")
    assert (done.applied, shares(own)) == (None, {"3": 80, "7": 20})
    refused(own, "rollout.alarm", lambda: go(own))
    entry = own.world.writer(own.root).read().entries[-1].entry
    assert (entry.kind, entry.reason, entry.after) == ("monitor", "errors", None)
    assert action_of(entry).document.alarm == SEEN
    assert check(own).good, check(own).failures


def test_a_step_back_and_then_out_of_it(own: Promoted) -> None:
    refused(own, "monitor.no_step", lambda: demand(own, "back"))
    go(own)
    back = demand(own, "back")
    assert (back.applied.status if back.applied else None, shares(own)) == ("done", {"3": 80, "7": 20})
    refused(own, "rollout.suspect", lambda: go(own))
    # A monitor writes no pack: who may apply does.
    world = own.world
    writer = world.writer(own.root, now_us=LATER)
    assert look(writer, world.surfaces(), SLOT).left == "pack"
    reconcile(writer, world.surfaces(), SLOT, "finish")
    assert look(writer, world.surfaces(), SLOT).left == "nothing"
    assert check(own).good, check(own).failures
    rollback(writer, world.surfaces(), SLOT, reason="worse still")
    assert shares(own) == {"3": 100}


def test_a_monitor_rolls_back_and_never_further(own: Promoted) -> None:
    done = demand(own, "rollback")
    assert (done.applied.pack if done.applied else "", shares(own)) == (None, {"3": 100})
    assert own.world.registry.aliases(MODEL)["deployed-staging"] == "3"
    assert check(own).good, check(own).failures
    refused(own, "rollback.no_target", lambda: demand(own, "rollback"))
    refused(own, "monitor.reduces", lambda: demand(own, "pause"))


def test_a_monitor_needs_authority_and_a_figure_of_now(own: Promoted) -> None:
    for person in ("stranger", "measurer", "decider"):
        refused(own, "key.unlisted", lambda person=person: demand(own, "pause", by=person))
    assert demand(own, "pause", by="applier").demand == "pause"
    for changed, code in (
        ({"rows": 0}, "monitor.figure"),
        ({"until_us": LATER + 1}, "monitor.recent"),
        ({"from_us": NOW + MINUTE}, "monitor.recent"),
        ({"from_us": 1, "until_us": LATER - 60 * MINUTE - 1}, "monitor.recent"),
    ):
        alarm = SEEN.model_copy(update=changed)
        refused(own, code, lambda alarm=alarm: demand(own, "rollback", alarm=alarm))


def test_a_pause_stands_beside_a_step_that_is_under_way(own: Promoted, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:

        def down(*_: Any) -> Any:
            raise EngineError("down", code="serving.unavailable")

        patch.setattr(FileServing, "write", down)
        with pytest.raises(EngineError):
            go(own)
    demand(own, "pause")
    with pytest.raises(Refused) as caught:
        go(own)
    assert caught.value.code == "rollout.alarm"
    world = own.world
    undone = reconcile(world.writer(own.root, now_us=LATER), world.surfaces(), SLOT, "undo")
    assert (undone.status, shares(own)) == ("failed", {"3": 80, "7": 20})
    assert check(own).good, check(own).failures


def test_a_monitor_closes_nothing_that_others_began(own: Promoted, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:

        def down(*_: Any) -> Any:
            raise EngineError("down", code="serving.unavailable")

        patch.setattr(FileServing, "write", down)
        with pytest.raises(EngineError):
            go(own)

    def build(chain: Chain, position: Position) -> Entry:
        move = chain.open_intent(SLOT)
        assert move is not None
        return Entry(
            sequence=position.sequence,
            previous=position.previous,
            kind="outcome",
            time_us=position.time_us,
            actor="watch@example.com",
            slot=SLOT,
            intent=move.digest,
            status="done",
            observed=move.after.release,
        )

    refused(own, "key.unlisted", lambda: own.world.writer(own.root, "watch", LATER).append(build))
