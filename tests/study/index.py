"""docs/study/README.md: one line for each study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from study.page import Page

HEAD = """# What the figures promise, and whether they keep it

Each page puts the figures of `gates/measure/stats` and the ladder of `policies/lib/comparison.rego` into worlds whose
truth is known, and counts how often a bad model passes, a good one fails, and a good one passes. `make study` makes
these pages again, with the same random numbers, and fails where an error rate is further above its promise than three
Monte Carlo standard errors; `make test` runs the same code with fewer runs.

A figure *passes* where its bound proves it to be within the limit, *fails* where its bound proves it to be outside, and
is *inconclusive* otherwise. Shares are of runs: .050 is one run in twenty.

| finding | promises kept |
|---|---|
"""

FOOT = """
Of the policies: [what their tests notice](mutants.md) when one thing of them is wrong, and whether [two engines](engines.md)
give the same bytes for the same input.
"""


def _rows(pages: Sequence[Page]) -> Iterator[str]:
    for page in pages:
        kept = len(page.promises) - len(page.broken)
        yield f"| [{page.title}]({page.name}.md) | {kept} of {len(page.promises)} |"


def write_index(pages: Sequence[Page], folder: Path) -> None:
    (folder / "README.md").write_text(HEAD + "\n".join(_rows(pages)) + "\n" + FOOT, encoding="utf-8")
