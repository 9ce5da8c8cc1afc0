"""The package gate: supplied predictions beside those of the registered bytes, on rows that were drawn to be scored again.

A figure about a model from a table of predictions is one about the table. What ties it to the model is a sample: of the
rows that were drawn (measure/rescored) the share in which the two say something else, with exact limits for all rows of
the table. They are drawn as single rows, so that the limits hold for these rows however they hang together; of a table
that was drawn whole the share is a census.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from gates.measure.claims import NOTHING, Claim, family
from gates.measure.interface import Findings, Given, Rescored, Whose
from gates.measure.stats.figure import Figure
from gates.measure.stats.proportions import coverage
from gates.measure.sums import Where
from gates.records import WHOLE, Item, Measurement, Param, Reason

MISMATCH = "package.mismatch"
METHOD = "share of the drawn rows whose supplied predictions are not those of the registered bytes, scored again"
TABLES: dict[Whose, str] = {"candidate": "predictions", "champion": "champion_predictions"}
"""What an item is called: the role of the table that supplies whose predictions."""


class PackageGate:
    """Reads `rescored`; a figure for each model whose predictions were supplied."""

    name: ClassVar[str] = "package"

    def measure(self, given: Given) -> Findings:
        """Return the gate's findings; without supplied predictions there is nothing to compare."""
        found = given.rescored or {"candidate": Reason.NOT_PROVIDED}
        return Findings(tuple(_figure(given, whose, each, len(found)) for whose, each in found.items()))


def _figure(given: Given, whose: Whose, found: Rescored | Reason, size: int) -> Measurement:
    parameters = given.plan.parameters
    params = (
        Param(name="seed", value=parameters.seed),
        Param(name="tolerance", value=parameters.rescored_tolerance),
    )
    every = isinstance(found, Rescored) and found.every
    method = METHOD if every else f"{METHOD}; Clopper-Pearson"
    scope: Literal["sample", "census"] = "census" if every else "sample"
    claim = Claim(MISMATCH, "candidate", family(MISMATCH, size), method, params, "scored", scope=scope)
    where = Where(WHOLE, 1_000_000, found.rows, None) if isinstance(found, Rescored) else NOTHING
    return claim.measured(_share(found), where, Item(kind="table", name=TABLES[whose]))


def _share(found: Rescored | Reason) -> Figure | Reason:
    if isinstance(found, Reason):
        return found
    if found.rows == 0:
        return Reason.EMPTY_TABLE
    if found.every:
        return Figure.exact(found.differ / found.rows, found.rows)
    hits, n = (np.array([float(count)]) for count in (found.differ, found.rows))
    # Without clusters, of which two at least are wanted, so that their number means nothing here.
    return coverage(hits, n, None, minimum_clusters=2)
