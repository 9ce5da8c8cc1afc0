"""The fairness gate: how far groups lie apart in what the model decides and in its mistakes, and calibration in each.

A row is selected where its score is at or above the plan's operating threshold. Of the selection rate, the true and the
false positive rate there is a difference and a ratio between groups, and of each group the calibration error. Columns of
groups are looked at one by one; groups that should be looked at together (sex by age) need a column of their own.

In order:
(1) one GROUP BY (group, cluster, outcome, selected) for each column of groups;
(2) the pairs of groups, from these sums (stats/groups.py says which pair is whose);
(3) the calibration gate's cells of the score, by group (calibration/binning.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gates.errors import UsageError
from gates.measure.calibration.binning import binned
from gates.measure.claims import NOTHING, Claim, family, params, readable
from gates.measure.interface import Findings, Given, Scored
from gates.measure.stats.ece import ece
from gates.measure.stats.figure import Figure, Mask
from gates.measure.stats.groups import Disparity, Group, disparities
from gates.measure.sums import Part, Where, double, parts
from gates.records import WHOLE, Item, Measurement, Plan, Reason
from gates.records.base import Scalar

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_GROUPS = 200
"""Of one column. Every pair is looked at: 200 groups are 19,900 pairs, and ten times as many would be a key's values."""

NAMES = ("selection_rate", "true_positive_rate", "false_positive_rate")
CHECKS = (*(f"{name}_{kind}" for name in NAMES for kind in ("difference", "ratio")), "ece")


class FairnessGate:
    """Reads `y`, `p` and `group_0`, `group_1`, ..., where present by cluster and by weight. Of all rows, not by slice."""

    name: ClassVar[str] = "fairness"

    def measure(self, given: Given) -> Findings:
        """Return the gate's findings; every check stands in them, measured or with its reason.

        Raises
        ------
        UsageError: a column of groups with more than MOST_GROUPS values.
        """
        scored = readable(given)
        if isinstance(scored, Scored) and not given.plan.columns.groups:
            scored = Reason.NOT_PROVIDED
        if isinstance(scored, Reason):
            return Findings(tuple(_claim(given, check, 1, None).measured(scored, NOTHING) for check in CHECKS))
        by_group, plan = _sliced_by_group(given, scored)
        # (1)
        found = parts(by_group, plan, {}, _decided(by_group, plan))[1:]
        columns = [[part for part in found if part.where.slice.column == name] for name in plan.parameters.slices]
        for name, own in zip(plan.parameters.slices, columns, strict=True):
            if len(own) > MOST_GROUPS:
                raise UsageError(
                    f'"{name}" has {len(own):,} values, and groups are compared by pairs',
                    code="groups.many",
                    where=given.plan.model,
                    remedy=f"name a column of at most {MOST_GROUPS} groups under columns.groups",
                )
        # (2) and (3)
        return Findings((*_rates(given, scored, columns), *_errors(given, by_group, plan)))


def _sliced_by_group(given: Given, scored: Scored) -> tuple[Scored, Plan]:
    """Return rows and plan with the groups in place of the slices: the same sums, by group."""
    groups = given.plan.columns.groups
    named = {f"slice_{i}": scored.table[f"group_{i}"] for i in range(len(groups))}
    parameters = given.plan.parameters.model_copy(update={"slices": groups})
    plan = given.plan.model_copy(update={"parameters": parameters, "requirements": ()})
    return replace(scored, table=scored.table.mutate(**named)), plan


def _decided(scored: Scored, plan: Plan) -> dict[str, ir.IntegerValue]:
    table = scored.table
    selected = (table.p >= double(plan.parameters.operating_threshold)).cast("int64")
    return {"event": (table.y > 0.5).cast("int64"), "selected": selected}


@dataclass(frozen=True)
class _Rate:
    """Of which rows a rate is; those that are selected count."""

    name: str
    of: Callable[[Part], Mask]


_RATES = (
    _Rate(NAMES[0], lambda part: np.ones(part.keys["event"].size, dtype=np.bool_)),
    _Rate(NAMES[1], lambda part: part.keys["event"] == 1),
    _Rate(NAMES[2], lambda part: part.keys["event"] == 0),
)


def _group(part: Part, rate: _Rate) -> Group:
    inside = rate.of(part)
    hits = inside & (part.keys["selected"] == 1)
    n, squared = part.sums["n"], part.squares["n"]
    rows = int(part.rows[inside].sum())
    return Group(n * hits, n * inside, squared * hits, squared * inside, rows, part.keys.get("cluster"), part.heaviest)


def _claim(given: Given, check: str, size: int, predictions: str | None, **named: Scalar) -> Claim:
    clustered = isinstance(given.scored, Scored) and given.scored.clustered
    limits = "korn_graubard" if clustered else "clopper_pearson"
    method = "binned_l1" if check == "ece" else f"square_and_add_{limits}"
    together = family(f"fairness.{check}", size)
    return Claim(f"fairness.{check}", "candidate", together, method, params(given, **named), predictions)


def _item(part: Part) -> Item:
    name = f"{part.where.slice.column}={part.where.slice.value}"
    # A name is one line of at most 256 characters; what a value holds besides is shown as it would be escaped.
    return Item(kind="group", name=name if name.isprintable() and len(name) <= 256 else repr(name)[1:-1][:256])


def _rates(given: Given, scored: Scored, columns: list[list[Part]]) -> Iterator[Measurement]:
    minimum = given.plan.parameters.minimum_clusters
    for rate in _RATES:
        found: list[tuple[Part, Disparity]] = []
        for own in columns:
            compared = disparities([_group(part, rate) for part in own], minimum_clusters=minimum)
            found += [(part, one) for part, one in zip(own, compared, strict=True) if one is not None]
        threshold = given.plan.parameters.operating_threshold
        for kind in ("difference", "ratio"):
            check = f"{rate.name}_{kind}"
            claim = _claim(given, check, len(found), scored.predictions, operating_threshold=threshold)
            for part, one in found:
                yield _measured(claim, one.difference if kind == "difference" else one.ratio, part)


def _errors(given: Given, by_group: Scored, plan: Plan) -> Iterator[Measurement]:
    found = binned(by_group, plan)
    _, *pieces = found.pieces
    claim = _claim(given, "ece", len(pieces), by_group.predictions, **found.bins.described(plan.parameters))
    for piece in pieces:
        yield _measured(claim, ece(found.cells(piece), minimum_clusters=plan.parameters.minimum_clusters), piece)


def _measured(claim: Claim, figure: Figure | Reason, part: Part) -> Measurement:
    """A figure of a group is a figure of the whole: the group is its item."""
    where = Where(WHOLE, 1_000_000, part.where.rows, part.where.clusters)
    return claim.measured(figure, where, _item(part))
