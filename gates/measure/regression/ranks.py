"""Scores by row, for the figures that need ranks: fetched once from the engine, cut into slices by one sort each.

Memory: about 100 bytes a row with a champion, and 8 for each slice column; of a table of more than `max_rows` rows a
sample is fetched (measure/sampling). Ranking in numpy and by windows in the engine took the same time at a million rows;
numpy needed less memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from gates.inputs.tables import arrow
from gates.measure.interface import Scored
from gates.measure.regression.losses import COLUMN, models
from gates.measure.sampling import drawn
from gates.measure.stats.figure import Floats, Ints
from gates.measure.sums import REST, codes, numbers, slicings, with_rest
from gates.records import Plan


@dataclass(frozen=True)
class Rows:
    """Outcomes, scores, cluster codes and weights; every array has shape (rows,).

    Attributes
    ----------
    scores: by model; of several classes of shape (rows, classes). cluster, weight: None where there are none.
    heaviest: the largest weight of the whole table, which these rows may lack; None without weights.
    of_class: class to the weight of each of its rows, where that is one number in the whole table; else empty. So weigh the
        rows of a class of which only a share was kept; a heavy row that came by chance does not look like that.
    """

    y: Floats
    scores: Mapping[str, Floats]
    cluster: Ints | None
    weight: Floats | None
    heaviest: float | None = None
    of_class: Mapping[int, float] = field(default_factory=dict)

    @property
    def of_two(self) -> tuple[float, float] | None:
        """The largest weight that an event can have, and another row; None without weights."""
        if self.heaviest is None:
            return None
        return self.of_class.get(1, self.heaviest), self.of_class.get(0, self.heaviest)

    def at(self, rows: Ints) -> Rows:
        """Return the rows at these indices."""
        cluster = None if self.cluster is None else self.cluster[rows]
        weight = None if self.weight is None else self.weight[rows]
        scores = {model: score[rows] for model, score in self.scores.items()}
        return Rows(self.y[rows], scores, cluster, weight, self.heaviest, self.of_class)


def weights_of_classes(y: Floats, weight: Floats | None) -> dict[int, float]:
    """Return each class's weight, where all rows of a class have one; empty where those of some class differ."""
    if weight is None:
        return {}
    code = y.astype(np.int64)
    present = np.flatnonzero(np.bincount(code))
    most, least = (np.full(int(present.max(initial=0)) + 1, end) for end in (-np.inf, np.inf))
    np.maximum.at(most, code, weight)
    np.minimum.at(least, code, weight)
    alike = bool((most[present] == least[present]).all())
    return {int(label): float(most[label]) for label in present} if alike else {}


def row_parts(scored: Scored, plan: Plan) -> Iterator[Rows]:
    """Return the rows of the whole, of the rest, of each value of each slice column, in the order of `sums.parts`.

    A slice that no row of a sample is in has none.
    """
    score = {model: columns_of(scored, COLUMN[model]) for model in models(scored)}
    columns = ["y", *chain(*score.values())] + ["cluster"] * scored.clustered + ["weight"] * scored.weighted
    sample = drawn(scored, plan)
    table = with_rest(sample.table, plan)
    by = [column for column, _ in slicings(plan)]
    answer = arrow(table.select(*columns, *by))
    y, weight = numbers(answer, "y"), numbers(answer, "weight") if scored.weighted else None
    whole = Rows(
        y,
        {model: _stacked([numbers(answer, name) for name in names]) for model, names in score.items()},
        codes(answer, "cluster")[1] if scored.clustered else None,
        weight,
        scored.heaviest,
        {} if scored.task == "numeric" else weights_of_classes(y, weight),
    )
    value_codes = [codes(answer, column) for column in by]
    del answer
    yield whole
    for column, (values, value) in zip(by, value_codes, strict=True):
        order = np.argsort(value, kind="stable")
        found = dict(zip(values, np.split(order, np.flatnonzero(np.diff(value[order])) + 1), strict=True))
        for name in values if sample is scored and column != REST else _all_values(scored, column):
            yield whole.at(found.get(name, np.empty(0, dtype=np.int64)))


def _all_values(scored: Scored, column: str) -> tuple[str, ...]:
    """Return the values to report of a column, whether or not the rows fetched have them."""
    return (REST,) if column == REST else codes(arrow(scored.table.select(column).distinct()), column)[0]


def columns_of(scored: Scored, model: str) -> list[str]:
    """Return the columns of a model's predictions, given the first column's name or what they begin with."""
    return [f"{model}_{k}" for k in range(len(scored.classes))] if scored.task == "multiclass" else [model]


def _stacked(columns: list[Floats]) -> Floats:
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)
