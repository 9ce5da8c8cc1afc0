"""What people read, kept as files: a change of wording or layout is seen in review.

`PYTHONPATH=tests python tests/golden/test_golden_render.py` writes them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from decision_samples import good, overconfident, skewed, uncalibrated

from gates.render.markdown import markdown
from gates.render.outcomes import Outcome, outcomes
from gates.render.screen import Screen
from gates.render.text import text

FOLDER = Path(__file__).parent / "render"


def last_screen() -> str:
    return outcomes(
        [
            Outcome("over-confident", overconfident().view(), page="work/pages/2-production.html"),
            Outcome("skewed", skewed().view(), page="work/pages/5-production.html"),
            Outcome("uncalibrated", uncalibrated().view(), page="work/pages/4-staging.html"),
            Outcome("good", good().view(), "5 % canary, then rolled back", "work/pages/3-production.html"),
        ]
    )


SHOWN: dict[str, Callable[[], str]] = {
    "good.txt": lambda: text(good().view()),
    "good-verbose.txt": lambda: text(good().view(), verbose=True),
    "uncalibrated.txt": lambda: text(uncalibrated().view()),
    "uncalibrated-narrow.txt": lambda: text(uncalibrated().view(), screen=Screen(50, unicode=False)),
    "overconfident.txt": lambda: text(overconfident().view()),
    "skewed.txt": lambda: text(skewed().view()),
    "overconfident.md": lambda: markdown(overconfident().view(), marker="gates:flights-delay"),
    "uncalibrated.md": lambda: markdown(uncalibrated().view()),
    "last-screen.txt": last_screen,
}


def shown(name: str) -> str:
    return SHOWN[name]().rstrip("\n") + "\n"


@pytest.mark.parametrize("name", SHOWN)
def test_it_reads_as_kept(name: str) -> None:
    assert shown(name) == (FOLDER / name).read_text(encoding="utf-8")


def test_no_file_is_left_behind() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(SHOWN)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in SHOWN:
        (FOLDER / name).write_text(shown(name), encoding="utf-8")
