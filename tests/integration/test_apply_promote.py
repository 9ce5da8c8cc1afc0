"""Promote, adopt and roll back over a real ledger, a real serving file and a registry simulator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from move_checks import refused, served, shares, state
from pydantic import ValidationError
from simulators.apply_world import HOUR, MODEL, NOW, World, name_of, slot_in

from gates.apply.adopt import adopt
from gates.apply.pack import PACK_TYPE
from gates.apply.policy import activate_policy
from gates.apply.promote import promote
from gates.apply.rollback import rollback
from gates.apply.surfaces import Surfaces
from gates.bundle.envelope import open_envelope
from gates.errors import EvidenceError, Refused, UsageError
from gates.inputs.registry import RegistryUnavailable
from gates.records import Release

STAGING, PRODUCTION = slot_in("staging"), slot_in("production")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 adopted in both slots."""
    world = World(tmp_path)
    world.begin()
    world.adopt("staging", 1)
    world.adopt("production", 1)
    return world


def test_a_promotion_to_staging_takes_all_traffic(world: World) -> None:
    decision = world.allowed("staging", 2)
    applied = promote(world.writer(), world.surfaces("staging"), decision)
    assert applied.wanted == applied.accepted == applied.observed
    assert (applied.status, applied.resumed, applied.debts) == ("done", False, ())
    assert served(world, "staging") == [("2", 100)]
    aliases = world.registry.aliases(MODEL)
    assert (aliases["approved-staging"], aliases["deployed-staging"], aliases["champion"]) == ("2", "2", "1")
    chain = world.writer().read()
    assert chain.head == applied.outcome
    assert chain.expected_aliases(MODEL) == aliases


def test_a_canary_in_production_is_approved_and_not_deployed(world: World) -> None:
    applied = promote(world.writer(), world.surfaces("production"), world.allowed("production", 2, percent=5))
    assert served(world, "production") == [("1", 95), ("2", 5)]
    aliases = world.registry.aliases(MODEL)
    assert (aliases["approved-production"], aliases["deployed-production"], aliases["champion"]) == ("2", "1", "1")
    assert applied.wanted is not None
    assert applied.wanted.champion == world.version(1)


def test_a_canary_grows_by_new_decisions_and_becomes_the_champion_at_100(world: World) -> None:
    for percent, text in ((5, "a"), (60, "b"), (100, "c")):
        release = world.writer().read().release(PRODUCTION)
        assert release is not None
        decision = world.allowed("production", 2, text=text, percent=percent)
        promote(world.writer(), world.surfaces("production"), decision)
        assert ("2", percent) in served(world, "production")
    aliases = world.registry.aliases(MODEL)
    assert (aliases["deployed-production"], aliases["champion"]) == ("2", "2")


def test_a_canary_on_a_canary_is_refused(world: World) -> None:
    promote(world.writer(), world.surfaces("production"), world.allowed("production", 2, percent=5))
    decision = world.allowed("production", 3, percent=5)
    surfaces = world.surfaces("production")
    refused(world, "slot.canary", lambda: promote(world.writer(), surfaces, decision))


@pytest.mark.parametrize("percent", [0, -5, 101])
def test_percentages_are_1_to_100(world: World, percent: int) -> None:
    with pytest.raises(ValidationError):
        world.allowed("production", 2, percent=percent)


def test_a_decision_that_names_no_share_moves_nothing(world: World) -> None:
    decision, surfaces = world.allowed("production", 2, percent=None), world.surfaces("production")
    refused(world, "decision.percent", lambda: promote(world.writer(), surfaces, decision))


def test_a_first_release_takes_all_traffic_or_says_why_not(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.begin()
    share, surfaces = world.allowed("production", 1, percent=5), world.surfaces("production")
    refused(world, "promote.percent", lambda: promote(world.writer(), surfaces, share), UsageError)
    promote(world.writer(), surfaces, world.allowed("production", 1))
    assert served(world, "production") == [("1", 100)]
    assert world.registry.aliases(MODEL)["champion"] == "1"


def test_a_done_promotion_is_found_done(world: World) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")
    first = promote(world.writer(), surfaces, decision)
    before = state(world)
    again = promote(world.writer(now_us=NOW + 5), surfaces, decision)
    assert again.resumed
    assert (again.outcome, again.intent, again.pack) == (first.outcome, first.intent, first.pack)
    assert state(world) == before


def test_a_decision_is_carried_out_once(world: World) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")
    promote(world.writer(), surfaces, decision)
    rollback(world.writer(), surfaces, STAGING, reason="worse")
    refused(world, "decision.used", lambda: promote(world.writer(), surfaces, decision))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"allow": False}, "decision.denied"),
        ({"simulated": True}, "decision.simulated"),
        ({"valid_until_us": NOW}, "decision.expired"),
        ({"now_us": NOW + HOUR}, "decision.expired"),
        ({"policy_digest": name_of("loosened")}, "policy.inactive"),
        ({"trust_digest": name_of("mine")}, "trust.inactive"),
        ({"by": "stranger"}, "decision.unlisted_key"),
        ({"by": "applier"}, "decision.unlisted_key"),
        ({"bundle": name_of("never sealed")}, "bundle.unsealed"),
        ({"champion": None}, "champion.mismatch"),
    ],
)
def test_a_decision_that_does_not_hold_moves_nothing(world: World, changes: dict[str, Any], code: str) -> None:
    bundle = world.bundle(world.version(2))
    from gates.apply.sealed import append_sealed

    append_sealed(world.writer("decider"), bundle)
    decision = world.decision(
        world.version(2), "staging", **{"champion": world.version(1), "bundle": bundle.digest, **changes}
    )
    surfaces = world.surfaces("staging")
    refused(world, code, lambda: promote(world.writer(), surfaces, decision))


def test_a_decision_for_a_policy_that_was_replaced_moves_nothing(world: World) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")
    activate_policy(world.writer("owner"), world.active(policy=name_of("stricter")), reason="stricter")
    refused(world, "policy.inactive", lambda: promote(world.writer(), surfaces, decision))


def test_a_champion_that_changed_since_the_decision_moves_nothing(world: World) -> None:
    stale = world.allowed("staging", 2)
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 3))
    surfaces = world.surfaces("staging")
    refused(world, "champion.mismatch", lambda: promote(world.writer(), surfaces, stale))


def test_a_flipped_bit_in_the_decision_moves_nothing(world: World) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")
    name = decision.removeprefix("sha256:")
    path = world.root / "store" / "sha256" / name[:2] / name
    path.chmod(0o644)
    content = path.read_bytes()
    path.write_bytes(content[:90] + bytes([content[90] ^ 1]) + content[91:])
    with pytest.raises(EvidenceError) as caught:
        promote(world.writer(), surfaces, decision)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("person", ["owner", "decider", "stranger"])
def test_another_key_than_the_appliers_moves_nothing(world: World, person: str) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")
    release = world.writer().read().release(STAGING)
    assert release is not None
    refused(world, "key.unlisted", lambda: promote(world.writer(person), surfaces, decision))
    refused(world, "key.unlisted", lambda: rollback(world.writer(person), surfaces, STAGING, reason="x"))
    refused(world, "key.unlisted", lambda: adopt(world.writer(person), surfaces, release, reason="x"))


@pytest.mark.parametrize("number", [1, 2])
def test_model_bytes_that_changed_after_the_decision_move_nothing(world: World, number: int) -> None:
    """The champion's bytes too: they go on serving."""
    decision, surfaces = world.allowed("production", 2, percent=5), world.surfaces("production")
    path = world.registry.path(MODEL, str(number))
    path.write_bytes(path.read_bytes() + b" ")
    refused(
        world,
        "model.bytes_changed",
        lambda: promote(world.writer(), surfaces, decision),
        EvidenceError,
    )


@pytest.mark.parametrize(
    ("alias", "version"),
    [("approved-staging", "2"), ("deployed-staging", "2"), ("deployed-staging", None), ("Approved-Staging", "2")],
)
def test_an_alias_moved_by_hand_is_found(world: World, alias: str, version: str | None) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")
    world.registry.force(MODEL, alias, version)
    error = refused(world, "alias.unexplained", lambda: promote(world.writer(), surfaces, decision))
    assert alias in error.message


def test_the_champion_alias_belongs_to_the_last_rung(world: World) -> None:
    decision, surfaces = world.allowed("production", 2, percent=5), world.surfaces("production")
    world.registry.set_alias(MODEL, "champion", "2")
    refused(world, "alias.unexplained", lambda: promote(world.writer(), surfaces, decision))
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2, text="more"))


def test_aliases_that_are_not_ours_are_left_alone(world: World) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")
    world.registry.set_alias(MODEL, "challenger", "2")
    promote(world.writer(), surfaces, decision)
    assert world.registry.aliases(MODEL)["challenger"] == "2"


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace('"percent": 100', '"percent": 99'),
        lambda text: text.replace('"release_digest": "sha256:', '"release_digest": "sha256:0'),
        lambda text: text.replace('"flags": []', '"flags": [{"name": "x", "value": true}]'),
        lambda text: text.replace("sha256:", "sha512:"),
        lambda text: text[: len(text) // 2],
        lambda _: "",
        lambda _: "[1, 2]",
        lambda _: '{"routes": [1], "pins": {}}',
        lambda text: text.replace('"model"', '"modell"'),
    ],
)
def test_a_serving_file_edited_by_hand_is_found(world: World, edit: Callable[[str], str]) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")
    path = world.serving("staging").path
    text = path.read_text()
    path.write_text(edit(text))
    assert path.read_text() != text
    error = refused(world, "serving.unexplained", lambda: promote(world.writer(), surfaces, decision))
    assert "version 1" in error.message


def test_a_serving_file_that_is_gone_is_found(world: World) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")
    world.serving("staging").path.unlink()
    refused(world, "serving.unexplained", lambda: promote(world.writer(), surfaces, decision))


def test_a_registry_that_is_down_moves_nothing(world: World) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")
    entries = world.ledger.entries()
    world.registry.down = True
    with pytest.raises(RegistryUnavailable) as caught:
        promote(world.writer(), surfaces, decision)
    assert caught.value.exit_code == 4
    assert world.ledger.entries() == entries
    assert served(world, "staging") == [("1", 100)]


def test_a_registry_that_goes_down_in_between_leaves_an_intent_that_is_resumed(world: World) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")

    class GoesDown:
        """Answers until the first alias is set."""

        def __getattr__(self, name: str) -> Any:
            if name == "set_alias":
                world.registry.down = True
            return getattr(world.registry, name)

    with pytest.raises(RegistryUnavailable) as caught:
        promote(world.writer(), Surfaces(GoesDown(), world.serving("staging")), decision)  # type: ignore[arg-type]
    assert "blocks its slot" in caught.value.message
    assert "run the same command again" in str(caught.value.remedy)
    world.registry.down = False
    other = world.allowed("staging", 3)
    refused(world, "slot.open", lambda: promote(world.writer(), surfaces, other))
    assert promote(world.writer(), surfaces, decision).resumed
    assert served(world, "staging") == [("2", 100)]


def test_a_slot_that_another_key_holds_says_whose_it_is(world: World) -> None:
    """Two appliers: the second neither finishes nor undoes what the first began."""
    trust = world.trust(stranger=("apply",))
    activate_policy(world.writer("owner"), world.active(trust=trust), reason="a second applier")
    decision = world.allowed("staging", 2, trust_digest=trust.digest)
    surfaces = world.surfaces("staging")
    world.registry.down = False

    class Breaks:
        name = "target"

        def read(self) -> object:
            return world.serving("staging").read()

        def check(self, _: Release) -> None:
            pass

        def write(self, _: Release) -> Release:
            raise RegistryUnavailable("the network is gone")

    with pytest.raises(RegistryUnavailable):
        promote(world.writer(), Surfaces(world.registry, Breaks()), decision)  # type: ignore[arg-type]
    for call in (
        lambda: promote(world.writer("stranger"), surfaces, decision),
        lambda: rollback(world.writer("stranger"), surfaces, STAGING, reason="x"),
        lambda: world.adopt("staging", 1),
    ):
        error = refused(world, "slot.open", call)
        assert "applier@example.com" in error.message
    undone = rollback(world.writer(), surfaces, STAGING, reason="given up")
    assert (undone.status, undone.resumed) == ("failed", True)
    assert served(world, "staging") == [("1", 100)]
    assert promote(world.writer("stranger"), surfaces, decision).status == "done"


def test_whoever_lost_the_right_to_apply_moves_nothing_more(world: World) -> None:
    decision = world.allowed("staging", 2)

    class Revokes:
        """The trust changes between the intent and the first effect."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.serving("staging"), name)

        def write(self, release: Release) -> Release:
            trust = world.trust(applier=())
            activate_policy(world.writer("owner"), world.active(trust=trust), reason="revoked")
            return world.serving("staging").write(release)

    with pytest.raises(Refused) as caught:
        promote(world.writer(), Surfaces(world.registry, Revokes()), decision)  # type: ignore[arg-type]
    assert caught.value.code == "key.unlisted"
    assert world.registry.aliases(MODEL)["approved-staging"] == "1"


def test_a_target_that_does_not_do_what_it_accepted_is_found(world: World) -> None:
    decision = world.allowed("staging", 2)

    class Lies:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.serving("staging"), name)

        def write(self, release: Release) -> Release:
            return release

    with pytest.raises(Refused) as caught:
        promote(world.writer(), Surfaces(world.registry, Lies()), decision)  # type: ignore[arg-type]
    assert caught.value.code == "readback.mismatch"
    assert world.registry.aliases(MODEL)["deployed-staging"] == "1"
    assert world.writer().read().open_intent(STAGING) is not None


@pytest.mark.parametrize("what", ["target", "alias"])
def test_what_changes_behind_the_last_effect_is_read_back(world: World, what: str) -> None:
    """The effects are done; before the outcome somebody else moves the target or an alias."""
    decision = world.allowed("staging", 2)
    world.version(3)

    class Meddled:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.registry, name)

        def set_alias(self, model: str, alias: str, version: str) -> None:
            world.registry.set_alias(model, alias, version)
            if alias == "deployed-staging" and what == "target":
                world.serving("staging").clear()
            elif alias == "deployed-staging":
                world.registry.set_alias(model, "approved-staging", "3")

    with pytest.raises(Refused) as caught:
        promote(world.writer(), Surfaces(Meddled(), world.serving("staging")), decision)  # type: ignore[arg-type]
    assert caught.value.code == "readback.mismatch"
    assert world.writer().read().open_intent(STAGING) is not None


def test_an_expired_decision_does_not_finish_what_it_began(world: World) -> None:
    decision, surfaces = world.allowed("staging", 2), world.surfaces("staging")
    world.registry.down = False

    class Breaks:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.registry, name)

        def set_alias(self, *_: str) -> None:
            raise RegistryUnavailable("the network is gone")

    with pytest.raises(RegistryUnavailable):
        promote(world.writer(), Surfaces(Breaks(), world.serving("staging")), decision)  # type: ignore[arg-type]
    later = world.writer(now_us=NOW + 2 * HOUR)
    error = refused(world, "decision.expired", lambda: promote(later, surfaces, decision))
    assert "gates rollback" in str(error.remedy)
    assert rollback(later, surfaces, STAGING, reason="expired").status == "failed"
    assert served(world, "staging") == [("1", 100)]
    assert world.registry.aliases(MODEL) == later.read().expected_aliases(MODEL)


def test_every_move_leaves_a_signed_pack_beside_the_target_and_in_the_store(world: World) -> None:
    applied = promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))
    raw = world.serving("staging").pack()
    assert raw is not None
    assert applied.pack is not None
    assert raw == world.store.get(applied.pack)
    assert applied.pack in world.store.linked("rollback-pack", "flights@staging")
    opened = open_envelope(raw, [world.key("applier").public], expect=PACK_TYPE)
    assert opened.predicate["closing"] == applied.outcome
    assert shares(Release.parse(opened.predicate["release"])) == [("2", 100)]
    assert [shares(Release.parse(release)) for release in opened.predicate["restorable"]] == [[("1", 100)]]
