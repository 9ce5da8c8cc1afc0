"""The attachment `recalibration.json`: the error that simple recalibrations would reach. It judges nothing.

Format: `{version, folds, error, reaches: {temperature, intercept, isotonic}}`: debiased errors, the present one and the
cross-fitted ones. Of several classes it is the largest probability that is mapped, and there is no `temperature`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from gates.measure.calibration.binning import Binned
from gates.measure.interface import Note
from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure
from gates.measure.stats.recalibration import FOLDS, recalibrated

ENOUGH = 100
"""Rows of each outcome under which a fitted map says more of chance than of the model."""


def hint(found: Binned, *, classes: bool) -> Iterator[Note]:
    """Return the attachment as JSON bytes with sorted keys, or nothing where the rows are too few to fit.

    classes: there are more than two.
    """
    micro = found.micro
    counts = micro.n if micro.count is None else micro.count
    positive = float(counts[micro.y > 0].sum())
    if min(positive, float(counts.sum()) - positive) < ENOUGH:
        return
    figure = ece(micro.binned(found.fine.bins(micro.bin, found.bins.edges)), minimum_clusters=2)
    if isinstance(figure, Figure):
        reaches = recalibrated(micro, classes=classes)
        document = {"version": 1, "folds": FOLDS, "error": figure.debiased, "reaches": reaches}
        content = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
        yield Note("recalibration.json", "application/json", content.encode())
