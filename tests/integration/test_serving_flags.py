"""A flagd file moves with the release, and an OpenFeature client reads what was released."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from simulators.apply_world import World, slot_in
from simulators.killer import Countdown, Mortal, run_and_kill

from gates.apply.promote import promote
from gates.apply.revert import revert
from gates.apply.rollback import rollback
from gates.apply.serving.flagd import WithFlags
from gates.apply.serving.interface import Serves, Unreadable
from gates.apply.serving.target_file import TargetFile
from gates.apply.surfaces import Surfaces
from gates.errors import Refused

FLAGS: dict[str, Any] = {
    "$schema": "https://flagd.dev/schema/v0/flags.json",
    "flags": {
        "ranking": {"state": "ENABLED", "variants": {"old": 1, "new": 2}, "defaultVariant": "old"},
        "banner": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"},
        "by-country": {
            "state": "ENABLED",
            "variants": {"a": "a", "b": "b"},
            "defaultVariant": "a",
            "targeting": {"if": [{"==": [{"var": "country"}, "fi"]}, "b", None]},
        },
    },
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.begin()
    (tmp_path / "flags.json").write_text(json.dumps(FLAGS))
    return world


def target(world: World) -> WithFlags:
    return WithFlags(world.serving("staging"), TargetFile(world.root / "flags.json"))


def released(world: World, number: int, variant: str, flag: str = "ranking") -> str:
    return world.allowed("staging", number, asked={"parts": {"flags": [{"name": flag, "value": variant}]}})


def flags(world: World) -> Any:
    return json.loads((world.root / "flags.json").read_text())


def test_an_openfeature_client_reads_what_was_released_and_what_came_back(world: World) -> None:
    surfaces = Surfaces(world.registry, target(world))
    promote(world.writer(), surfaces, released(world, 1, "old"))
    assert asked(world) == 1
    promote(world.writer(), surfaces, released(world, 2, "new"))
    assert asked(world) == 2
    rollback(world.writer(), surfaces, slot_in("staging"), reason="worse")
    assert asked(world) == 1
    assert flags(world) == FLAGS


def asked(world: World) -> int:
    from openfeature import api
    from openfeature.contrib.provider.flagd import FlagdProvider
    from openfeature.contrib.provider.flagd.config import ResolverType

    api.set_provider_and_wait(
        FlagdProvider(
            resolver_type=ResolverType.FILE, offline_flag_source_path=str(world.root / "flags.json"), deadline_ms=30_000
        )
    )
    try:
        return api.get_client().get_integer_value("ranking", -1)
    finally:
        api.shutdown()


def test_killed_anywhere_the_flags_follow_the_target(world: World, tmp_path: Path) -> None:
    for effects in range(12):
        here = World(tmp_path / f"w{effects}")
        here.begin()
        (here.root / "flags.json").write_text(json.dumps(FLAGS))
        promote(here.writer(), Surfaces(here.registry, target(here)), released(here, 1, "old"))
        decision, countdown = released(here, 2, "new"), Countdown(effects)
        mortal = WithFlags(Mortal(here.serving("staging"), countdown), Mortal2(target(here).file, countdown))  # type: ignore[arg-type]
        killed = run_and_kill(
            lambda w=here, s=mortal, d=decision, c=countdown: promote(  # type: ignore[misc]
                replace(w.writer(), ledger=Mortal(w.ledger, c)),
                Surfaces(Mortal(w.registry, c), s),  # type: ignore[arg-type]
                d,
            )
        )
        promote(here.writer(), Surfaces(here.registry, target(here)), decision)
        assert flags(here)["flags"]["ranking"]["defaultVariant"] == "new"
        assert "metadata" not in flags(here)
        if not killed:
            assert effects == 9  # intent, flags, target, flags, approved, deployed, outcome, pack, witness
            return
    pytest.fail("there are more effects than the test knows")


class Mortal2(Mortal):
    """The file of flags: each replacement is an effect."""

    def put(self, content: bytes) -> None:
        self._countdown.tick()
        self._real.put(content)


@pytest.mark.parametrize(
    "edit",
    [
        {"defaultVariant": "old"},
        {"state": "DISABLED"},
        {"targeting": {"if": [True, "old", None]}},
    ],
)
def test_a_flag_that_was_flipped_by_hand_is_found(world: World, edit: dict[str, Any]) -> None:
    surfaces = Surfaces(world.registry, target(world))
    promote(world.writer(), surfaces, released(world, 1, "new"))
    document = flags(world)
    document["flags"]["ranking"] |= edit
    (world.root / "flags.json").write_text(json.dumps(document))
    found = target(world).read()
    assert isinstance(found, Unreadable)
    assert "ranking" in found.reason
    with pytest.raises(Refused) as caught:
        promote(world.writer(), surfaces, released(world, 2, "new"))
    assert caught.value.code == "serving.unexplained"
    if "defaultVariant" in edit:
        revert(world.writer(), surfaces, slot_in("staging"), reason="flipped by hand")
        assert flags(world)["flags"]["ranking"]["defaultVariant"] == "new"
        assert isinstance(target(world).read(), Serves)


@pytest.mark.parametrize(("flag", "variant"), [("ranking", "newer"), ("gone", "on"), ("by-country", "b")])
def test_a_variant_that_nobody_or_not_everybody_would_get_is_refused_before_anything_moves(
    world: World, flag: str, variant: str
) -> None:
    entries = len(world.ledger.entries())
    decision = released(world, 1, variant, flag)
    with pytest.raises(Refused) as caught:
        promote(world.writer(), Surfaces(world.registry, target(world)), decision)
    assert caught.value.code == "flags.unknown"
    assert len(world.ledger.entries()) == entries + 1  # the bundle was sealed, nothing else
    assert flags(world) == FLAGS


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"flags": []}', b'{"flags": {"a": 1}}', b"\xff"])
def test_anything_else_is_no_file_of_flags(world: World, content: bytes) -> None:
    promote(world.writer(), Surfaces(world.registry, target(world)), released(world, 1, "new"))
    assert isinstance(target(world).read(), Serves)
    (world.root / "flags.json").write_bytes(content)
    assert isinstance(target(world).read(), Unreadable)
