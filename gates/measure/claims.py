"""From a figure, or the reason why there is none, to a Measurement: shared by the gates of model quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gates.measure.interface import Given, Scored
from gates.measure.stats.figure import Figure
from gates.measure.sums import Where
from gates.records import WHOLE, Family, Item, Measurement, Param, Plan, Reason
from gates.records.base import Scalar
from gates.records.measurement import Subject

NOTHING = Where(WHOLE, 1_000_000, 0, None)
"""Where a gate had no rows at all."""


@dataclass(frozen=True)
class Claim:
    """What a figure says of whom, and how it was come by.

    Attributes
    ----------
    family: the claims looked at together, and how many. predictions: where the scores came from, None without any.
    """

    check: str
    subject: Subject
    family: Family
    method: str
    params: tuple[Param, ...] = ()
    predictions: str | None = None
    unit: str = "ratio"
    scope: Literal["sample", "census"] = "sample"

    def measured(self, figure: Figure | Reason, where: Where, item: Item | None = None) -> Measurement:
        """Return the measurement of a figure, or an unmeasured with its reason."""
        found = figure if isinstance(figure, Figure) else None
        if figure == Reason.EMPTY_TABLE and where.slice.kind == "rest":
            figure = Reason.NO_REST
        return Measurement(
            check=self.check,
            subject=self.subject,
            slice=where.slice,
            item=item,
            share_ppm=where.share_ppm,
            status="unmeasured" if isinstance(figure, Reason) else "measured",
            reason=figure if isinstance(figure, Reason) else None,
            estimate=found.estimate if found else None,
            debiased=found.debiased if found else None,
            bounds=found.bounds() if found else None,
            scope=self.scope,
            family=self.family,
            n=found.n if found else where.rows,
            clusters=found.clusters if found else where.clusters,
            effective_clusters=found.effective_clusters if found else None,
            predictions=None if self.predictions is None else _source(self.predictions),
            unit=self.unit,
            method=self.method,
            params=self.params,
        )


def family(name: str, size: int) -> Family:
    return Family(name=name, size=max(1, size))


def params(given: Given, **values: Scalar) -> tuple[Param, ...]:
    """Return the parameters of a figure by name, with the column that weighs rows and what was assumed about them last.

    `rows` is `clustered` (and `cluster` names the key), `independent` where the plan declares so, else `assumed
    independent`.
    """
    named = [Param(name=name, value=value) for name, value in values.items()]
    if isinstance(given.scored, Scored) and given.scored.weighted:
        named.append(Param(name="weight", value=given.plan.weight or "weight"))
    clustered = isinstance(given.scored, Scored) and given.scored.clustered
    return (*named, *row_params(given.plan, (given.plan.parameters.cluster or "cluster") if clustered else None))


def row_params(plan: Plan, cluster: str | None) -> tuple[Param, ...]:
    """Return what was assumed about the rows of a sample; `cluster` names the key that they hang together by."""
    if cluster is not None:
        named = plan.parameters.grouping(cluster)
        return (Param(name="cluster", value=named), Param(name="rows", value="clustered"))
    return (Param(name="rows", value="independent" if plan.independent_rows else "assumed independent"),)


def readable(given: Given) -> Scored | Reason:
    """Return the scored rows, or why there are none to measure.

    A task other than binary has no probabilities of an event: its checks are unmeasured as not provided.
    """
    if isinstance(given.scored, Reason):
        return given.scored
    if given.plan.task != "binary":
        return Reason.NOT_PROVIDED
    return given.scored if given.scored.rows > 0 else Reason.EMPTY_TABLE


def _source(predictions: str) -> Literal["scored", "supplied"]:
    # What nobody vouches for counts as supplied.
    return "scored" if predictions == "scored" else "supplied"
