"""Scores by row, for the figures that need ranks: fetched once from the engine, cut into slices by one sort each.

Memory: about 100 bytes a row with a champion, and 8 for each slice column. Ranking in numpy and by windows in the engine
took the same time at a million rows; numpy needed less memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gates.measure.interface import Scored
from gates.measure.stats.figure import Floats, Ints
from gates.measure.sums import REST, codes, numbers, slicings, with_rest
from gates.records import Plan


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


def row_parts(scored: Scored, plan: Plan) -> Iterator[Rows]:
    """Return the rows of the whole, of the rest, of each value of each slice column, in the order of `sums.parts`."""
    columns = ["y", "p"] + ["q"] * scored.champion + ["cluster"] * scored.clustered
    table = with_rest(scored.table, plan)
    by = [column for column, _ in slicings(plan)]
    answer = table.select(*columns, *by).to_pyarrow()
    whole = Rows(
        numbers(answer, "y"),
        numbers(answer, "p"),
        numbers(answer, "q" if scored.champion else "p"),
        codes(answer, "cluster")[1] if scored.clustered else None,
    )
    value_codes = [codes(answer, column) for column in by]
    del answer
    yield whole
    for column, (values, value) in zip(by, value_codes, strict=True):
        if column == REST:
            yield whole.at(np.flatnonzero(value == (values.index(REST) if REST in values else -1)))
            continue
        order = np.argsort(value, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(value[order])) + 1):
            yield whole.at(rows)
