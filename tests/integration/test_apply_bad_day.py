"""Rollback while ledger, store or registry is out of reach: the pack and the target suffice, and debts are paid later."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from simulators.apply_world import MODEL, NOW, World, name_of, slot_in
from simulators.entries import Script
from simulators.killer import Countdown, Mortal, run_and_kill

from gates.apply.ledger.shape import release_digest
from gates.apply.offline import Offline, rollback_offline
from gates.apply.pack import open_pack
from gates.apply.promote import promote
from gates.apply.reconcile import look, reconcile, takeover
from gates.apply.rollback import rollback
from gates.apply.saga import Applied
from gates.apply.serving.interface import Serves
from gates.apply.surfaces import Surfaces
from gates.audit.verify import verify
from gates.bundle.canonical import canonical_bytes, parse_json
from gates.bundle.envelope import open_envelope, seal
from gates.errors import EvidenceError, GatesError, Refused
from gates.records.release import PACK_TYPE

STAGING = slot_in("staging")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 was adopted in staging, then version 2 promoted."""
    world = World(tmp_path)
    world.begin()
    world.adopt("staging", 1)
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))
    return world


def offline(world: World, person: str = "applier") -> Offline:
    root = (world.root / "root").read_text()
    return Offline(root, world.key(person), NOW + 5, ("ledger.unavailable: no route",))


def back(world: World, to: str | None = None, person: str = "applier") -> Applied:
    """Without the ledger and without the store."""
    return rollback_offline(offline(world, person), world.surfaces("staging"), STAGING, reason="night", to=to)


def served(world: World) -> str:
    observed = world.serving("staging").read()
    assert isinstance(observed, Serves)
    assert observed.stated == release_digest(observed.release)
    return observed.release.approved.version


def refusal(kind: type[GatesError], call: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.remedy or kind is EvidenceError
    return caught.value.code


@pytest.mark.parametrize("registry_down", [False, True])
def test_the_pack_and_the_target_suffice_and_reconcile_pays(world: World, registry_down: bool) -> None:
    entries = world.ledger.entries()
    world.registry.down = registry_down
    moved = world.root / "away"
    shutil.move(world.root / "store", moved)
    world.ledger.path.rename(world.root / "ledger.away")
    applied = back(world)
    assert (applied.status, applied.journalled, served(world)) == ("done", True, "1")
    assert any("ledger.unavailable" in debt for debt in applied.debts)
    assert any("aliases" in debt for debt in applied.debts)
    assert any("not hashed again" in debt for debt in applied.debts) == registry_down
    assert not (world.root / "store").exists()

    shutil.move(moved, world.root / "store")
    (world.root / "ledger.away").rename(world.ledger.path)
    assert world.ledger.entries() == entries
    assert look(world.writer(), world.surfaces("staging"), STAGING).left == "journal"
    entered = reconcile(world.writer(), world.surfaces("staging"), STAGING, "finish")
    chain = world.writer().read()
    kinds = [item.entry.kind for item in chain.entries[len(entries) :]]
    assert (kinds, entered.status, served(world)) == (["rollback", "outcome"], "done", "1")
    assert "night (by applier@example.com, journal" in str(chain.entries[-2].entry.reason)
    assert [known.state for known in chain.slot(STAGING).known.values()] == ["done", "suspect"]
    assert world.serving("staging").journal() == ()
    assert len(world.store.linked("journal", f"{MODEL}@staging")) == 2
    if registry_down:
        assert look(world.writer(), world.surfaces("staging"), STAGING).left == "debts"
        world.registry.down = False
        assert reconcile(world.writer(), world.surfaces("staging"), STAGING, "finish").debts == ()
    assert world.registry.aliases(MODEL) == chain.expected_aliases(MODEL)
    assert look(world.writer(), world.surfaces("staging"), STAGING).left == "nothing"
    refusal(Refused, lambda: reconcile(world.writer(), world.surfaces("staging"), STAGING, "finish"))


def test_the_ledger_that_went_on_is_a_conflict_until_somebody_decides(world: World) -> None:
    """Another promotion was done meanwhile, by somebody who could reach the ledger."""
    kept = {path: path.read_bytes() for path in (world.root / "serving").iterdir()}
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 3))
    for path in (world.root / "serving").iterdir():
        path.write_bytes(kept[path])
    back(world)
    writer, surfaces, entries = world.writer(), world.surfaces("staging"), world.ledger.entries()
    assert look(writer, surfaces, STAGING).left == "conflict"
    assert refusal(Refused, lambda: reconcile(writer, surfaces, STAGING, "finish")) == "journal.conflict"
    assert refusal(Refused, lambda: rollback(writer, surfaces, STAGING, reason="x")) == "serving.unexplained"
    assert (world.ledger.entries(), served(world)) == (entries, "1")
    world.adopt("staging", 1)
    assert look(writer, surfaces, STAGING).left == "told"
    reconcile(writer, surfaces, STAGING, "finish")
    assert (surfaces.serving.journal(), look(writer, surfaces, STAGING).left) == ((), "nothing")


def test_an_interrupted_promotion_is_left_by_name_and_undone_in_the_ledger(world: World) -> None:
    decision = world.allowed("staging", 3)
    countdown = Countdown(2)
    writer = replace(world.writer(), ledger=Mortal(world.ledger, countdown))
    target: Any = Mortal(world.serving("staging"), countdown)
    assert run_and_kill(lambda: promote(writer, Surfaces(world.registry, target), decision))
    assert served(world) == "3"
    assert refusal(Refused, lambda: back(world)) == "serving.unexplained"
    two = world.writer().read().slot(STAGING).release_digest
    back(world, two)
    assert served(world) == "2"
    done = reconcile(world.writer(), world.surfaces("staging"), STAGING, "finish")
    assert (done.status, served(world)) == ("failed", "2")
    assert look(world.writer(), world.surfaces("staging"), STAGING).left == "nothing"


def test_killed_at_any_effect_it_is_finished_by_running_it_again(tmp_path: Path) -> None:
    effects = 0
    while True:
        world = World(tmp_path / str(effects))
        world.begin()
        world.adopt("staging", 1)
        promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))
        target: Any = Mortal(world.serving("staging"), Countdown(effects))
        surfaces = Surfaces(world.registry, target)
        killed = run_and_kill(lambda w=world, s=surfaces: rollback_offline(offline(w), s, STAGING, reason="night"))
        if effects % 2 and killed:
            assert back(world).resumed
            assert served(world) == "1"
        if effects:
            reconcile(world.writer(), world.surfaces("staging"), STAGING, "finish")
        assert served(world) == ("1" if effects else "2")
        assert look(world.writer(), world.surfaces("staging"), STAGING).left == "nothing"
        if not killed:
            break
        effects += 1
    # journal, target, journal
    assert effects == 3


def test_further_back_is_said_by_name_and_what_was_left_is_no_target(world: World) -> None:
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 3))
    known = list(world.writer().read().slot(STAGING).known)
    back(world)
    assert served(world) == "2"
    assert refusal(Refused, lambda: back(world)) == "rollback.no_target"
    assert refusal(Refused, lambda: back(world, known[2])) == "rollback.no_target"
    assert refusal(Refused, lambda: back(world, name_of("anything"))) == "rollback.no_target"
    back(world, known[0])
    assert served(world) == "1"
    reconcile(world.writer(), world.surfaces("staging"), STAGING, "finish")
    assert world.writer().read().slot(STAGING).release_digest == known[0]


def test_only_who_may_apply_by_the_pack_rolls_back(world: World) -> None:
    for person in ("stranger", "decider", "owner"):
        assert refusal(Refused, lambda p=person: back(world, None, p)) == "key.unlisted"
    assert (served(world), world.serving("staging").journal()) == ("2", ())


def test_changed_bytes_and_an_edited_target_refuse(world: World) -> None:
    world.registry.path(MODEL, "1").write_bytes(b"others")
    assert refusal(EvidenceError, lambda: back(world)) == "model.bytes_changed"
    path = world.serving("staging").path
    path.write_text(path.read_text().replace('"percent": 100', '"percent": 99'))
    assert refusal(Refused, lambda: back(world)) == "serving.unexplained"
    world.serving("staging").clear()
    assert refusal(Refused, lambda: back(world)) == "serving.unexplained"


def forged_pack(world: World, how: str) -> bytes:
    """A pack that lets the stranger apply, in every way that comes to his mind."""
    raw = world.serving("staging").pack()
    assert raw is not None
    predicate = open_envelope(raw).predicate
    mine = world.trust(stranger=("apply",))
    if how == "his own trust in place of the true one":
        predicate["trusts"] = [mine.document()]
    elif how == "a policy entry of his own":
        script = Script(world)
        script.add("policy", by="stranger", active=world.active(trust=mine), reason="mine")
        predicate["policies"].append(parse_json(script.raws[-1]))
        predicate["trusts"].append(mine.document())
    elif how == "another root":
        predicate["policies"] = predicate["policies"][1:]
        script = Script(world)
        script.add("policy", by="stranger", active=world.active(trust=mine), reason="mine")
        predicate["policies"] = [parse_json(script.raws[-1])]
        predicate["trusts"] = [mine.document()]
    elif how == "no policies":
        predicate["policies"] = []
    elif how == "another slot":
        predicate["slot"] = slot_in("production").document()
    return seal(PACK_TYPE, [("release", release_digest_of(predicate))], predicate, world.key("stranger"))


def release_digest_of(predicate: dict[str, Any]) -> str:
    from gates.bundle.canonical import digest_document

    return digest_document(predicate["release"])


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("his signature", "pack.unlisted_key"),
        ("his own trust in place of the true one", "pack.malformed"),
        ("a policy entry of his own", "pack.unlisted_key"),
        ("another root", "pack.root"),
        ("no policies", "pack.unlisted_key"),
        ("another slot", "pack.mixed"),
    ],
)
def test_a_forged_pack_is_found_by_the_root_alone(world: World, how: str, code: str) -> None:
    world.serving("staging").keep_pack(forged_pack(world, how))
    assert refusal(EvidenceError, lambda: back(world, None, "stranger")) == code
    (world.root / "serving" / "staging.json.rollback-pack.json").unlink()
    assert refusal(EvidenceError, lambda: back(world)) == "pack.missing"


def test_a_pack_says_who_may_apply_since_policies_changed(world: World) -> None:
    """Two policy entries, the second signed by an owner; the first applier may not any more."""
    from gates.apply.policy import activate_policy

    trust = world.trust(applier=(), stranger=("apply",))
    activate_policy(world.writer("owner"), world.active(trust=trust), reason="another applier")
    promote_by = world.writer("stranger")
    rollback(promote_by, world.surfaces("staging"), STAGING, reason="worse")
    raw = world.serving("staging").pack()
    assert raw is not None
    pack = open_pack(raw, root=(world.root / "root").read_text(), slot=STAGING, where="pack")
    assert (pack.trust, pack.last_good) == (trust, None)
    assert refusal(Refused, lambda: back(world)) == "key.unlisted"


def test_a_journal_by_a_stranger_enters_nothing(world: World) -> None:
    back(world)
    raws = world.serving("staging").journal()
    opened = open_envelope(raws[-1])
    forged = seal(opened.predicate_type, opened.subjects, opened.predicate, world.key("stranger"))
    world.serving("staging").keep_journal((raws[0], forged))
    entries = world.ledger.entries()
    assert look(world.writer(), world.surfaces("staging"), STAGING).left == "conflict"
    assert (
        refusal(Refused, lambda: reconcile(world.writer(), world.surfaces("staging"), STAGING, "finish"))
        == "journal.conflict"
    )
    document = json.loads(raws[-1])
    first = document["signatures"][0]["sig"]
    document["signatures"][0]["sig"] = ("B" if first[0] == "A" else "A") + first[1:]
    world.serving("staging").keep_journal((raws[0], canonical_bytes(document)))
    refusal(EvidenceError, lambda: look(world.writer(), world.surfaces("staging"), STAGING))
    assert world.ledger.entries() == entries


# An unfinished move: finished, undone, taken over.


def begun(world: World, effects: int = 2) -> None:
    decision, countdown = world.allowed("staging", 3), Countdown(effects)
    writer = replace(world.writer(), ledger=Mortal(world.ledger, countdown))
    target: Any = Mortal(world.serving("staging"), countdown)
    assert run_and_kill(lambda: promote(writer, Surfaces(world.registry, target), decision))


@pytest.mark.parametrize(("how", "version"), [("finish", "3"), ("undo", "2")])
def test_an_unfinished_promotion_is_finished_or_undone(world: World, how: Any, version: str) -> None:
    begun(world)
    todo, entries = look(world.writer(), world.surfaces("staging"), STAGING), world.ledger.entries()
    assert (todo.left, "version 3" in todo.finish, "version 2" in todo.undo) == ("open", True, True)
    assert world.ledger.entries() == entries
    reconcile(world.writer(), world.surfaces("staging"), STAGING, how)
    assert served(world) == version
    assert look(world.writer(), world.surfaces("staging"), STAGING).left == "nothing"
    assert refusal(Refused, lambda: reconcile(world.writer(), world.surfaces("staging"), STAGING, "undo")) == (
        "reconcile.undo"
    )


def test_another_keys_move_is_taken_over_first(world: World) -> None:
    from gates.apply.policy import activate_policy

    begun(world)
    trust = world.trust(stranger=("apply",))
    activate_policy(world.writer("owner"), world.active(trust=trust), reason="a second applier")
    other, surfaces = world.writer("stranger"), world.surfaces("staging")
    assert look(other, surfaces, STAGING).left == "foreign"
    assert refusal(Refused, lambda: reconcile(other, surfaces, STAGING, "finish")) == "slot.open"
    assert refusal(Refused, lambda: takeover(world.writer("decider"), STAGING, reason="mine")) == "key.unlisted"
    takeover(other, STAGING, reason="the job was deleted")
    assert refusal(Refused, lambda: reconcile(world.writer(), surfaces, STAGING, "undo")) == "reconcile.undo"
    assert reconcile(other, surfaces, STAGING, "undo").status == "failed"
    assert served(world) == "2"
    assert refusal(Refused, lambda: takeover(other, STAGING, reason="again")) == "slot.moved"


# Witnesses


def witnessed(world: World) -> Any:
    return verify(
        world.store,
        ledger=world.ledger,
        root=(world.root / "root").read_text(),
        registry=world.registry,
        serving_of=lambda slot: world.serving(slot.environment),
    )


def test_verify_names_the_newest_witness_and_the_tail_that_none_covers(world: World) -> None:
    head = len(world.ledger.entries()) - 1
    assert str(witnessed(world).witnessed).endswith(f"it saw the head, entry {head}")
    assert world.registry.tags(MODEL, "2")["gates.ledger.staging"].startswith(f"{head} sha256:")
    world.allowed("staging", 3)
    assert str(witnessed(world).witnessed).endswith(f"it saw entry {head}; no witness covers entry {head + 1}")
    world.registry.set_tag(MODEL, "2", "gates.ledger.staging", "anything")
    assert "witness.malformed" in {item.code for item in witnessed(world).failures}


@pytest.mark.parametrize("left", ["tag", "pack"])
def test_a_tail_that_was_cut_from_ledger_and_store_is_missed_by_each_witness(world: World, left: str) -> None:
    kept = world.ledger.entries()[:-2]
    world.ledger.path.unlink()
    head = None
    for raw in kept:
        world.ledger.append(raw, expects=head)
        head = name_of_raw(raw)
    shutil.rmtree(world.root / "store" / "links")
    if left == "tag":
        (world.root / "serving" / "staging.json.rollback-pack.json").unlink()
    else:
        shutil.rmtree(world.registry.path(MODEL, "2").with_name("tags"))
    failures = [(item.part, item.code) for item in witnessed(world).failures]
    assert ("witness", "witness.mismatch") in failures


def name_of_raw(raw: bytes) -> str:
    from gates.bundle.canonical import digest_bytes

    return digest_bytes(raw)


def test_a_registry_that_is_down_after_the_outcome_undoes_nothing(world: World) -> None:
    class Down:
        def __getattr__(self, name: str) -> Any:
            if name == "set_tag":
                world.registry.down = True
            return getattr(world.registry, name)

    decision = world.allowed("staging", 3)
    surfaces = Surfaces(Down(), world.serving("staging"))  # type: ignore[arg-type]
    applied = promote(world.writer(), surfaces, decision)
    assert (applied.status, applied.unwitnessed, served(world)) == ("done", "no answer", "3")
