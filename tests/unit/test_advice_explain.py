"""`explain` knows every code that the policies yield, and names the nearest for one that they do not."""

from __future__ import annotations

import pytest

from gates.decide.explain import Explanation, explain, load_annotations
from gates.errors import EngineError, UsageError


def test_shipped_codes_have_a_title() -> None:
    annotations = load_annotations()

    assert {"calibration.ece", "parity.mismatch", "check.missing", "evidence.unlisted_key"} <= annotations.keys()
    assert all(found.title and found.code == code for code, found in annotations.items())
    assert all(found.remedy for code, found in annotations.items() if "." in code and code.count(".") == 1)


def test_a_code_is_explained() -> None:
    found = explain("calibration.ece", load_annotations())

    assert found.title == "Expected calibration error"
    assert found.remedy
    assert found.description


def test_an_own_check_has_the_texts_of_all_own_checks() -> None:
    annotations = load_annotations()
    assert explain("own.waiting_time", annotations).title == "Own measurement"
    found = explain("own.waiting_time.point", annotations)
    assert (found.code, found.title) == (
        "own.waiting_time.point",
        "Own measurement: a number without bounds, accepted by its point",
    )
    with pytest.raises(UsageError):
        explain("own.waiting_time.nonsense", annotations)


def test_an_unknown_code_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"did you mean calibration\.ece") as caught:
        explain("calibraton.ece", load_annotations())
    assert (caught.value.exit_code, caught.value.code) == (2, "explain.unknown")


@pytest.mark.parametrize("code", ["", "\x1b[2J", "zzzzzzzzzzzzzzzzzzz"])
def test_a_code_near_to_nothing_points_to_the_list(code: str) -> None:
    with pytest.raises(UsageError, match="lists all"):
        explain(code, {"calibration.ece": Explanation("calibration.ece", "x")})


@pytest.mark.parametrize("content", [None, "", "{", "[1]", '{"a": {"name": "x"}}'])
def test_broken_annotations_are_an_incomplete_installation(
    content: str | None, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    if content is not None:
        (folder / "annotations.json").write_text(content)
    monkeypatch.setattr("gates.decide.explain.module_folder", lambda: folder)
    with pytest.raises(EngineError) as caught:
        load_annotations()
    assert caught.value.code == "install.incomplete"
