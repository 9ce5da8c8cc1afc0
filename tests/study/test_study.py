"""The studies of docs/study with fewer runs: the same code, the same promises."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from study import STUDIES, looks
from study.page import Page
from study.promises import Promise
from study.runner import Runner

LEAST = {
    "causes": 1,
    "champion": 40,
    "clusters": 15,
    "erosion": 4,
    "looks": 60,
    "reliability": 1,
    "reliability_bins": 12,
    "scorers": 4,
}
"""Runs of the studies whose runs are the longest, or the least telling.

Of scorers three false proofs in four runs of a world break its promise, as four in six did: an answer that is always wrong.
"""


LONG = {"causes", "looks"}
"""Left to `make study`: their runs are long even where they are few."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.long] * (name in LONG)) for name in STUDIES])
def test_a_study_breaks_no_promise_and_writes_its_page(name: str, tmp_path: Path) -> None:
    page: Page = import_module(f"study.{name}").study(Runner(0.01, LEAST.get(name, 20)))
    assert [f"{p.what}: {p.seen} of {p.runs}, {p.words}" for p in page.broken] == []
    assert page.promises
    page.write(tmp_path)
    text = (tmp_path / f"{page.name}.md").read_text()
    assert page.alt in text
    assert len(page.alt) > 60
    assert (tmp_path / f"{page.name}.svg").stat().st_size > 3_000


def test_a_monitor_keeps_its_promises() -> None:
    """Of the long page about looks, the part whose runs are short."""
    table, promises = looks.monitors(Runner(0.01, 40), 1_500)
    assert [f"{p.what}: {p.seen} of {p.runs}" for p in promises if not p.kept] == []
    assert len(table.rows) == len(promises) == 4


def test_pages_are_committed_and_listed() -> None:
    folder = Path(__file__).parents[2] / "docs/study"
    index = (folder / "README.md").read_text()
    names = {name.replace("_", "-") for name in STUDIES}
    pages = {path.stem for path in folder.glob("*.md")} - {"README"}
    assert pages == {*names, "mutants", "engines"}
    assert [page for page in pages if f"({page}.md)" not in index] == []
    for name in names:
        assert f"({name}.svg)" in (folder / f"{name}.md").read_text()
        assert "**broken**" not in (folder / f"{name}.md").read_text()


@pytest.mark.parametrize(
    ("seen", "runs", "at_most", "kept"),
    [
        (0, 100, 0.0, True),
        (1, 100, 0.0, False),
        (50, 1_000, 0.05, True),
        (71, 1_000, 0.05, True),
        (73, 1_000, 0.05, False),
    ],
)
def test_a_promise_is_broken_beyond_three_standard_errors(seen: int, runs: int, at_most: float, *, kept: bool) -> None:
    assert Promise("", seen, runs, at_most=at_most).kept is kept
    assert Promise("", runs - seen, runs, at_least=1 - at_most).kept is kept


def test_a_share_that_must_be_reached_is_not_kept_by_luck() -> None:
    assert Promise("", 93, 100, at_least=0.95).kept
    assert not Promise("", 93, 100, at_least=0.95, reached=True).kept
    assert Promise("", 95, 100, at_least=0.95, reached=True).kept


def test_random_numbers_depend_on_the_world_alone() -> None:
    one = import_module("study.families").one
    alone = Runner(0.01).simulate(one, [(5, 100)], 4_000)
    beside = Runner(0.01).simulate(one, [(1, 100), (5, 100)], 4_000)
    assert (alone[5, 100] == beside[5, 100]).all()
