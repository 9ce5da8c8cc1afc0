"""A release is whole: each part arrives by the decision, is read back, and moves and goes back with the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from move_checks import refused
from simulators.apply_world import World, name_of, slot_in

from gates.apply.differences import differences
from gates.apply.promote import promote
from gates.apply.rollback import rollback
from gates.apply.serving.interface import Serves
from gates.errors import EvidenceError, UsageError
from gates.plan.spec_release import ReleaseSpec
from gates.records import Release
from gates.records.release import PARTS, Parts

SAID: dict[str, Any] = {
    "image": name_of("image"),
    "preprocessor": name_of("preprocessor"),
    "decision_threshold": 0.31,
    "postprocessing": "rounding-2",
    "feature_views": {"airport": 3, "weather": "v7"},
    "flags": {"ranking": "old"},
    "cache_namespace": "flights-3",
    "data_snapshot": name_of("snapshot"),
    "fallback": "scores/2026-01-01",
}
OTHER: dict[str, Any] = {
    "image": name_of("other image"),
    "preprocessor": name_of("other preprocessor"),
    "decision_threshold": 0.32,
    "postprocessing": "rounding-3",
    "feature_views": {"airport": 4, "weather": "v7"},
    "flags": {"ranking": "new"},
    "cache_namespace": "flights-4",
    "data_snapshot": name_of("other snapshot"),
    "fallback": "scores/2026-01-02",
}


def parts(**changes: Any) -> Parts:
    return ReleaseSpec.model_validate({**SAID, **changes}).parts()


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Version 1 serves in staging, with every part, by a promotion."""
    world = World(tmp_path_factory.mktemp("parts"))
    world.begin()
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 1, asked={"parts": parts()}))
    return world


@pytest.fixture
def world(begun: World, tmp_path: Path) -> World:
    import shutil

    shutil.copytree(begun.root, tmp_path / "world")
    return World(tmp_path / "world")


def served(world: World) -> Release:
    observed = world.serving("staging").read()
    assert isinstance(observed, Serves)
    return observed.release


def test_every_part_has_a_word_and_every_word_a_case() -> None:
    assert SAID.keys() == OTHER.keys() == ReleaseSpec.model_fields.keys()
    found = parts()
    assert found.lacks is None
    assert all(getattr(found, part) not in (None, ()) for part in PARTS)


@pytest.mark.parametrize("word", SAID)
def test_a_part_that_changes_alone_is_a_release_of_its_own_and_goes_back_with_the_model(
    world: World, word: str
) -> None:
    before, changed = served(world), parts(**{word: OTHER[word]})
    decision = world.allowed("staging", 1, text=word, asked={"parts": changed})
    done = promote(world.writer(), world.surfaces("staging"), decision)
    assert done.wanted == done.accepted == done.observed == served(world)
    named = [
        text.split(":")[0] for text in differences(before, served(world)) if not text.startswith("decision_digest")
    ]
    assert len(named) == 1
    assert named[0].split(".")[0].split("_")[0] == word.split("_", maxsplit=1)[0]
    assert Parts(**{name: getattr(served(world), name) for name in Parts.model_fields}) == changed
    rollback(world.writer(), world.surfaces("staging"), slot_in("staging"), reason="the new part is worse")
    assert served(world) == before


@pytest.mark.parametrize("word", SAID)
def test_a_part_that_was_changed_by_hand_is_found_and_named(world: World, word: str) -> None:
    path = world.serving("staging").path
    document = json.loads(path.read_text())
    (part,) = {name for name in PARTS if name.split("_")[0] == word.split("_", maxsplit=1)[0] and _changes(word, name)}
    document["pins"][part] = parts(**{word: OTHER[word]}).document()[part]
    path.write_text(json.dumps(document))
    decision = world.allowed("staging", 2)
    error = refused(world, "serving.unexplained", lambda: promote(world.writer(), world.surfaces("staging"), decision))
    assert f"{part}" in error.message
    assert "edited by hand" in error.message


def _changes(word: str, part: str) -> bool:
    return parts().document()[part] != parts(**{word: OTHER[word]}).document()[part]


@pytest.mark.parametrize("word", SAID)
def test_a_model_that_lacks_a_part_says_so(world: World, word: str) -> None:
    lacking = parts(**{word: "none"})
    assert lacking.lacks is not None
    (part,) = lacking.lacks
    assert getattr(lacking, part) in (None, ())
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 1, text=word, asked={"parts": lacking}))
    assert served(world).lacks == (part,)
    with pytest.raises(EvidenceError, match="is lacked, and has a value"):
        Parts.parse({**parts().document(), "lacks": [part]})


def test_no_part_is_taken_over_from_what_served_before(world: World) -> None:
    """Half of a release is never another's: what the decision does not hold is gone."""
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))
    assert all(getattr(served(world), part) in (None, ()) for part in PARTS)


@pytest.mark.parametrize(
    "said",
    [
        {"image": "latest"},
        {"decision_threshold": float("nan")},
        {"decision_threshold": "0.5"},
        {"feature_views": {}},
        {"feature_views": {"airport": 2**53}},
        {"feature_views": {"airport": 1.10}},
        {"flags": {"ranking": True}},
        {"flags": {"": "on"}},
        {"thresholds": {"ece": 0.1}},
        {"cache_namespace": "a\nb"},
    ],
)
def test_what_is_no_pin_is_refused_when_the_spec_is_read(said: dict[str, Any]) -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError):
        ReleaseSpec.model_validate(said)


def test_the_decision_is_about_the_plans_parts_and_no_others(world: World) -> None:
    from gates.decide.document import Observed, build_input
    from gates.records.decision import Request

    bundle = world.bundle(world.version(2))
    request = Request(
        environment="staging",
        action="promote",
        model="flights",
        candidate=world.version(2),
        actor="a",
        effective_time_us=1,
        parts=parts(),
    )
    with pytest.raises(EvidenceError) as caught:
        build_input(
            request, bundle, (), policy_digest=name_of("p"), trust_digest=name_of("t"), ledger=None, observed=Observed()
        )
    assert caught.value.code == "request.parts"


def test_usage(tmp_path: Path) -> None:
    """The spec is read from a file, and its error names the word."""
    from gates.plan.spec import load_spec

    path = tmp_path / "gates.yaml"
    path.write_text(
        "model: m\ntask: binary\ncolumns: {label: y}\ntables: {holdout: {uri: h.csv}}\nrelease: {image: nginx:latest}\n"
    )
    with pytest.raises(UsageError) as caught:
        load_spec(path)
    assert "release.image" in str(caught.value)
