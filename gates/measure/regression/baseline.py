"""What a model without features would say: the trivial rival that each release is compared with.

It is the best constant on the rows that are judged: base rate, class shares, median, quantiles; of squared errors the
mean (`losses.py`). That favours it, since it knows these rows, and is never worse on them than a constant of the training
rows: where the label drifted, the training table's median would make a constant that knows today's look skilful.

A series' last value is no rival here. It is a model that reads the label's past, which only tables of a series hold, and
that could serve: as a champion it is compared with like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

from gates.measure.interface import Scored
from gates.measure.marginal import quantiles
from gates.measure.regression.losses import Trivial, shares
from gates.measure.regression.metrics import Metric


@dataclass(frozen=True)
class Baseline:
    """A trivial model.

    Attributes
    ----------
    says: base rate; shares of the classes; the label's median, then its quantiles at the levels that the candidate
    predicts, in units of the scored table's scale. name: what it is. perfect: all rows are of one class, so that it makes
    no error and shows no skill.
    """

    says: Trivial
    name: str
    perfect: bool

    def name_for(self, metric: Metric) -> str:
        """Return what a metric's rival is, and of which rows."""
        return f"{metric.constant or self.name} of the whole"


def find_baseline(scored: Scored) -> Baseline:
    """Return the trivial model of the task: base rate, class shares, or the median and quantiles of the judged rows."""
    if scored.task == "numeric":
        return Baseline(quantiles(scored, (0.5, *scored.quantiles)), "median", False)
    found = shares(scored)
    name = "base rate" if scored.task == "binary" else "class shares"
    return Baseline(found, name, max(found) == 1 or (scored.task == "binary" and found == (0.0,)))
