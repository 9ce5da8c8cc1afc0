"""Which release each type of incident goes back to: the matrix of docs/rollback.md, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gates.apply.incidents import INCIDENTS, target_of
from gates.bundle.canonical import digest_bytes
from gates.errors import Refused
from gates.records import ModelVersion, Release, Route
from gates.records.release import Pin

ONE, TWO = digest_bytes(b"1"), digest_bytes(b"2")


def release(number: int, **parts: Any) -> Release:
    version = ModelVersion(name="m", version=str(number), digest=digest_bytes(str(number).encode()))
    said = {"image_digest": ONE, "data_snapshot": ONE, "decision_threshold": 0.5, "feature_views": views("3"), **parts}
    routes = (Route(version=version, percent=100),)
    return Release(model="m", environment="production", routes=routes, approved=version, **said)


def views(version: str) -> tuple[Pin, ...]:
    return (Pin(name="airport", value=version),)


PRESENT = release(4)
BATCH = release(1, feature_views=(), lacks=("feature_views",), fallback="scores/2026-01")
GOOD = {
    "other model": release(3),
    "other views": release(3, feature_views=views("2")),
    "same model, other views": release(4, feature_views=views("1")),
    "other data": release(3, data_snapshot=TWO),
    "other threshold": release(4, decision_threshold=0.4),
    "other flag": release(3, flags=(Pin(name="ranking", value="old"),)),
    "other image": release(4, image_digest=TWO),
    "batch": BATCH,
}


@pytest.mark.parametrize(
    ("incident", "goes_to"),
    [
        ("model", "other model"),
        ("feature", "same model, other views"),
        ("data", "other data"),
        ("threshold-or-flag", "other threshold"),
        ("serving", "other image"),
        ("upstream-outage", "batch"),
        ("other", "other model"),
    ],
)
def test_an_incident_goes_to_the_newest_good_release_that_differs_in_what_it_blames(
    incident: Any, goes_to: str
) -> None:
    good = list(GOOD.values())
    assert target_of(incident, PRESENT, good) == GOOD[goes_to]


@pytest.mark.parametrize("incident", ["model", "feature", "data", "threshold-or-flag", "serving", "upstream-outage"])
def test_what_would_bring_the_same_again_is_no_way_back(incident: Any) -> None:
    same = [PRESENT.model_copy(update={"cache_namespace": None, "fallback": None, "decision_digest": ONE})]
    with pytest.raises(Refused) as caught:
        target_of(incident, PRESENT, same)
    assert caught.value.code == "rollback.no_target"
    assert "--incident other" in str(caught.value.remedy)
    assert target_of("other", PRESENT, same) == same[0]


def test_of_flags_and_thresholds_either_is_enough_and_the_same_model_goes_first() -> None:
    assert target_of("threshold-or-flag", PRESENT, [GOOD["other flag"]]) == GOOD["other flag"]
    assert target_of("feature", PRESENT, [GOOD["other views"], GOOD["same model, other views"]]).approved.version == "4"


def test_retraining_goes_nowhere() -> None:
    with pytest.raises(Refused) as caught:
        target_of("retrain", PRESENT, list(GOOD.values()))
    assert caught.value.code == "rollback.retrain"


def test_the_page_has_a_row_for_every_type() -> None:
    page = (Path(__file__).parents[2] / "docs/rollback.md").read_text()
    workflow = (Path(__file__).parents[2] / ".github/workflows/rollback.yml").read_text()
    for incident in INCIDENTS:
        assert f"| `{incident}` |" in page
        assert incident in workflow
