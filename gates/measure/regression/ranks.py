"""Scores by row, for the figures that need ranks: fetched once from the engine, cut into slices by one sort each.

Memory: about 100 bytes a row with a champion, and 8 for each slice column. Ranking in numpy and by windows in the engine
took the same time at a million rows; numpy needed less memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gates.measure.calibration.engine import codes, numbers
from gates.measure.interface import Scored
from gates.measure.stats.figure import Floats, Ints


@dataclass(frozen=True)
class Rows:
    """Outcomes, scores and cluster codes; every array has shape (rows,).

    champion: the candidate's own scores where there is no champion.
    """

    y: Floats
    p: Floats
    champion: Floats
    cluster: Ints | None

    def at(self, rows: Ints) -> Rows:
        """Return the rows at these indices."""
        cluster = None if self.cluster is None else self.cluster[rows]
        return Rows(self.y[rows], self.p[rows], self.champion[rows], cluster)


def row_parts(scored: Scored, slices: int) -> Iterator[Rows]:
    """Return the rows of the whole and of each value of each slice column, in the order of `engine.parts`."""
    columns = ["y", "p"] + ["q"] * scored.champion + ["cluster"] * scored.clustered
    by = [f"slice_{i}" for i in range(slices)]
    answer = scored.table.select(*columns, *by).to_pyarrow()
    whole = Rows(
        numbers(answer, "y"),
        numbers(answer, "p"),
        numbers(answer, "q" if scored.champion else "p"),
        codes(answer, "cluster")[1] if scored.clustered else None,
    )
    value_codes = [codes(answer, column)[1] for column in by]
    del answer
    yield whole
    for value in value_codes:
        order = np.argsort(value, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(value[order])) + 1):
            yield whole.at(rows)
