"""Sums of losses and of their products, by the engine: what the paired figures are made of.

Binary and multiclass: log loss, -ln p of what happened, p kept within [EPS, 1 - EPS]; Brier, the sum over classes of
(p - y)^2, of a binary model for its event alone. A flip is what a turned label would add to the loss of the row: of a
binary model the logit of p, and 1 - 2 p (up to a sign that both models share); of several classes one for each other
class, of which the mean square counts.
Numeric: the error's magnitude and its square, each model's in units of its own largest error, so that one row that is
a billion times larger hides neither model's other rows. They have no ceiling and no flips. Of predicted quantiles the
pinball loss (Koenker and Bassett 1978): t (y - q) where y is above the quantile q of level t, else (1 - t) (q - y); a
row's is the mean over the levels, in units of the model's own largest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from gates.inputs.tables import row
from gates.measure.interface import Scored
from gates.measure.scored_columns import joined
from gates.measure.stats.explained import Spread
from gates.measure.stats.means import PairSums, Steps
from gates.measure.sums import Part, double, exact_sum, parts
from gates.records import Plan

if TYPE_CHECKING:
    import ibis.expr.types as ir

EPS = 1e-15
"""Scores of exactly 0 and 1 count as this far from them in log loss; else one wrong row makes it infinite."""

LOG_LOSS_CEILING = 34.6
"""Just above -ln EPS."""

LOG_LOSS, BRIER, ABSOLUTE, SQUARED, PINBALL = "log_loss", "brier", "absolute", "squared", "pinball"

CANDIDATE, CHAMPION, ANCHOR, BASELINE = "candidate", "champion", "anchor", "baseline"
COLUMN = {CANDIDATE: "p", CHAMPION: "q", ANCHOR: "anchor"}
"""Where a model's predictions stand in the scored table: this column, or with several classes those that begin so."""
QUANTILES = {CANDIDATE: "quantile", CHAMPION: "champion_quantile"}
"""The columns of its predicted quantiles begin so."""

Trivial: TypeAlias = tuple[float, ...]
"""What a model without features would say: the base rate; the classes' shares; the median, then quantiles, in units of the scale. Of
squared errors it is the mean, which the sums need anyway."""


def models(scored: Scored) -> tuple[str, ...]:
    """Return whose predictions the scored table has."""
    wanted = "{}_0" if scored.task == "multiclass" else "{}"
    found = [name for name, column in COLUMN.items() if wanted.format(column) in scored.table.columns]
    return tuple(name for name in found if name != CHAMPION or scored.champion)


def shares(scored: Scored) -> Trivial:
    """Return the share of events, or of each class, in the whole table: one scan, each row with its weight."""
    table = scored.table
    weight = table.weight if scored.weighted else table.y * 0 + 1
    classes = range(len(scored.classes)) if scored.task == "multiclass" else (1,)
    sums = {f"n{k}": exact_sum((table.y == k).ifelse(weight, 0.0)) for k in classes}
    seen = row(table.aggregate(**sums, n=exact_sum(weight)))
    return tuple(float(seen[f"n{k}"]) / float(seen["n"]) for k in classes)


@dataclass(frozen=True)
class Losses:
    """Sums by part, and what they are in units of.

    Attributes
    ----------
    unit: by loss and model, what an error of 1 in the sums is in the unit of the label; 1 unless numeric. A model that is
        not here has no such loss.
    spread: the same for the outcome's distance from its mean.
    ceilings: by loss, the largest that a row can have, where that is near enough to count with; of the others each part
        says how far single rows lie (`Steps`).
    """

    parts: list[Part]
    bounded: bool
    clustered: bool
    unit: Mapping[tuple[str, str], float]
    spread_unit: float
    ceilings: Mapping[str, float] = field(default_factory=dict)

    def pair(self, part: Part, loss: str, a: str, b: str) -> PairSums:
        """Return one pair's sums of a part, the losses of a and of b in their own units."""
        found = self._pair(part, part.sums, loss, a, b)
        if not part.weighted:
            return found
        return replace(found, squares=self._pair(part, part.squares, loss, a, b), heaviest=part.heaviest)

    def _pair(self, part: Part, sums: Mapping[str, np.ndarray], loss: str, a: str, b: str) -> PairSums:
        flip = "_flips" if self.bounded else ""
        ceiling = self.ceilings.get(loss, 0.0)

        def product(one: str, two: str, kind: str = "") -> np.ndarray:
            return sums[f"{loss}_{min(one, two)}_{max(one, two)}{kind}"]

        return PairSums(
            n=sums["n"],
            a=sums[f"{loss}_{a}"],
            b=sums[f"{loss}_{b}"],
            aa=product(a, a),
            ab=product(a, b),
            bb=product(b, b),
            faa=product(a, a, flip),
            fbb=product(b, b, flip),
            clustered=self.clustered,
            bounded=self.bounded,
            ceiling=ceiling,
            steps=None if ceiling else self._steps(part, loss, a, b),
        )

    def _steps(self, part: Part, loss: str, a: str, b: str) -> Steps:
        names = f"{loss}_{a}", f"{loss}_{b}"
        # A slice without any error says nothing of how large one is.
        of = part.largest if any(part.largest[name] for name in names) else self.parts[0].largest
        apart = 0.0 if a == b else of.get(_apart(loss, b), math.inf)
        return Steps(of[names[0]], of[names[1]], apart, _even(self.unit, loss, a, b))

    def spread(self, part: Part, a: str, b: str) -> Spread:
        """Return the sums for the share explained, all four in the unit of the outcome's distance."""
        names = ("off", "off2", f"{SQUARED}_{a}", f"{SQUARED}_{b}")
        units = np.array([1.0, 1.0, *((self.unit[SQUARED, model] / self.spread_unit) ** 2 for model in (a, b))])
        even = _even(self.unit, SQUARED, a, b)
        products = np.array([[part.squares[_product(one, two)].sum() for two in names] for one in names])
        return Spread(
            n=part.sums["n"],
            totals=np.array([part.sums[name] for name in names]) * units[:, None],
            products=products * np.outer(units, units),
            squares=np.array([part.squares[name].sum() for name in names]) * units,
            squared_weight=float(part.squares["n"].sum()),
            clustered=self.clustered,
            heaviest=part.heaviest,
            steps=(self._steps(part, SQUARED, a, b).at(0.0 if a == b else even) * units[2], part.largest["off2"]),
        )


def _apart(loss: str, rival: str) -> str:
    """Name of how far the candidate's loss and another's are from each other."""
    return f"{loss}_{rival}_apart"


def _even(unit: Mapping[tuple[str, str], float], loss: str, a: str, b: str) -> float:
    """The ratio of two equal losses, each in its own unit; 0 or infinite where that is no number."""
    ratio = unit[loss, b] / unit[loss, a]
    if loss != SQUARED:
        return ratio
    return ratio**2 if 2**-500 < ratio < 2**500 else math.inf


def _farthest(
    table: ir.Table, unit: Mapping[tuple[str, str], float], losses: tuple[str, ...]
) -> dict[str, ir.NumericValue]:
    """Return each model's losses, and how far the candidate's are from the others', both in the candidate's unit."""
    found = {f"{loss}_{model}": table[f"{loss}_{model}"] for loss, model in unit if loss in losses}
    for loss, model in unit:
        if loss not in losses or model == CANDIDATE:
            continue
        even = _even(unit, loss, CANDIDATE, model)
        if 0 < even < math.inf:
            own = table[f"{loss}_{CANDIDATE}"]
            found[_apart(loss, model)] = (own - double(even) * table[f"{loss}_{model}"]).abs()
    return found


def _product(one: str, two: str) -> str:
    """Name of the sum of products of two values of the spread."""
    if one.startswith(SQUARED) and two.startswith(SQUARED):
        first, second = sorted(name.removeprefix(f"{SQUARED}_") for name in (one, two))
        return f"{SQUARED}_{first}_{second}"
    return "_by_".join(sorted((one, two)))


def read_losses(scored: Scored, plan: Plan, trivial: Trivial) -> Losses:
    """Read the sums by (slice, cluster) of all losses of candidate, champion, anchor and the trivial model."""
    if scored.task == "numeric":
        return _numeric(scored, plan, trivial)
    table, columns = scored.table, {}
    for model in (*models(scored), BASELINE):
        given = [double(share) for share in trivial] if model == BASELINE else _scores(table, scored, COLUMN[model])
        of = _several if scored.task == "multiclass" else _binary
        for loss, (value, flips) in of(table.y, given).items():
            columns[f"{loss}_{model}"] = value
            columns |= {f"{loss}_{model}_flip_{k}": flip for k, flip in enumerate(flips)}
    table = table.mutate(**columns)
    sums = {}
    for loss in (LOG_LOSS, BRIER):
        for one, two in _pairs(models(scored)):
            sums[f"{loss}_{one}_{two}"] = table[f"{loss}_{one}"] * table[f"{loss}_{two}"]
        for model in (*models(scored), BASELINE):
            sums[f"{loss}_{model}"] = table[f"{loss}_{model}"]
            sums[f"{loss}_{model}_{model}_flips"] = _mean_square(table, f"{loss}_{model}_flip_")
    unit = {(loss, model): 1.0 for loss in (LOG_LOSS, BRIER) for model in (*models(scored), BASELINE)}
    far = _farthest(table, unit, (LOG_LOSS,))
    found = parts(replace(scored, table=table), plan, sums, {}, largest=far)
    return Losses(found, True, scored.clustered, unit, 1.0, {BRIER: 2.0 if scored.task == "multiclass" else 1.0})


def _pairs(present: tuple[str, ...]) -> set[tuple[str, str]]:
    """Pairs of names in order: each model with itself, and the candidate with each other one."""
    everyone = (*present, BASELINE)
    return {(name, name) for name in everyone} | {(min(name, CANDIDATE), max(name, CANDIDATE)) for name in everyone}


def _mean_square(table: ir.Table, begins: str) -> ir.NumericValue:
    flips = [table[name] for name in table.columns if name.startswith(begins)]
    # Of K classes the one that happened is no flip: its term is 0.
    return reduce(add, [flip * flip for flip in flips]) / max(1, len(flips) - 1)


def _scores(table: ir.Table, scored: Scored, column: str) -> list[ir.FloatingValue]:
    if scored.task != "multiclass":
        return [table[column]]
    return [table[f"{column}_{k}"] for k in range(len(scored.classes))]


_Values: TypeAlias = "dict[str, tuple[ir.NumericValue, list[ir.NumericValue]]]"


def _binary(y: ir.FloatingValue, given: list[ir.FloatingValue]) -> _Values:
    [p] = given
    kept = _kept(p)
    event, other = -kept.ln(), -(1 - kept).ln()
    log_loss = (y > 0.5).ifelse(event, other)
    return {LOG_LOSS: (log_loss, [other - event]), BRIER: ((p - y) * (p - y), [1 - 2 * p + y * 0])}


def _several(y: ir.IntegerValue, given: list[ir.FloatingValue]) -> _Values:
    import ibis

    def of(by_class: list[ir.NumericValue]) -> tuple[ir.NumericValue, list[ir.NumericValue]]:
        own = ibis.cases(*((y == k, value) for k, value in enumerate(by_class)))
        return own, [value - own for value in by_class]

    squares = reduce(add, [p * p for p in given]) + 1
    brier, flips = of([-2 * p for p in given])
    return {LOG_LOSS: of([-_kept(p).ln() for p in given]), BRIER: (brier + squares, flips)}


def _kept(p: ir.FloatingValue) -> ir.FloatingValue:
    return p.clip(lower=double(EPS), upper=double(1 - EPS))


def _numeric(scored: Scored, plan: Plan, trivial: Trivial) -> Losses:
    table, present = scored.table, models(scored)
    said = {model: table[COLUMN[model]] for model in present} | {BASELINE: double(trivial[0])}
    errors = {(ABSOLUTE, model): (table.y - value).abs() for model, value in said.items()}
    errors |= {(PINBALL, model): value for model, value in _pinball(scored, trivial[1:]).items()}
    weight = table.weight if scored.weighted else table.y * 0 + 1
    asked = {"_".join(name): error.max() for name, error in errors.items()}
    asked |= {"low": table.y.min(), "high": table.y.max(), "n": exact_sum(weight)}
    seen = row(table.aggregate(**asked, y=exact_sum(weight * table.y, fine=True)))
    mean = min(max(seen["y"] / seen["n"], seen["low"]), seen["high"])
    largest = {name: power_of_two(seen["_".join(name)]) for name in errors}
    # Who errs nowhere has no unit of his own: the others' will do.
    units = {name: unit or max(largest.values()) or 1.0 for name, unit in largest.items()}
    far = power_of_two(max(mean - seen["low"], seen["high"] - mean)) or 1.0
    off = (table.y - double(mean)) / double(far)
    table = table.mutate(
        off=off, off2=off * off, **{"_".join(name): error / double(units[name]) for name, error in errors.items()}
    )
    squares = {f"{SQUARED}_{m}": table[f"{ABSOLUTE}_{m}"] * table[f"{ABSOLUTE}_{m}"] for m in present}
    # The constant of the least squared error is the mean, and no median.
    table = table.mutate(**squares, **{f"{SQUARED}_{BASELINE}": table.off2})
    units |= {(SQUARED, model): units[ABSOLUTE, model] for model in present} | {(SQUARED, BASELINE): far}
    sums = {name: table[name] for name in ("off", "off2")}
    for loss, model in units:
        sums[f"{loss}_{model}"] = table[f"{loss}_{model}"]
    for loss in (ABSOLUTE, SQUARED, PINBALL):
        with_it = tuple(model for model in present if (loss, model) in units)
        pairs = _pairs(with_it) if with_it else set()
        sums |= {f"{loss}_{one}_{two}": table[f"{loss}_{one}"] * table[f"{loss}_{two}"] for one, two in pairs}
    spread = ("off", "off2", *(f"{SQUARED}_{model}" for model in present))
    sums |= {_product(one, two): table[one] * table[two] for one in spread[:2] for two in spread}
    farthest = _farthest(table, units, (ABSOLUTE, SQUARED, PINBALL)) | {"off2": table.off2}
    found = parts(replace(scored, table=table), plan, sums, {}, fine=True, largest=farthest)
    unit = {name: value * scored.scale for name, value in units.items()}
    return Losses(found, False, scored.clustered, unit, far * scored.scale)


def _pinball(scored: Scored, trivial: Trivial) -> dict[str, ir.NumericValue]:
    """Return each model's pinball loss by row, the mean over the levels, in units of the scale; none without quantiles."""
    table, levels = scored.table, scored.quantiles
    if not levels:
        return {}
    said: dict[str, list[ir.NumericValue]] = {BASELINE: [double(value) for value in trivial]}
    for model, column in QUANTILES.items():
        if model == CANDIDATE or scored.champion_quantiles:
            said[model] = [table[f"{column}_{i}"] for i in range(len(levels))]
    return {model: _mean_pinball(table.y, of, levels) for model, of in said.items()}


def _mean_pinball(y: ir.FloatingValue, quantiles: list[ir.NumericValue], levels: tuple[float, ...]) -> ir.NumericValue:
    def loss(off: ir.NumericValue, level: float) -> ir.NumericValue:
        return (off > 0).ifelse(off * double(level), -off * double(1 - level))

    terms = [loss(y - quantile, level) for quantile, level in zip(quantiles, levels, strict=True)]
    return joined(terms, add) / double(float(len(levels)))


def power_of_two(value: float) -> float:
    """Return the smallest power of two that is at least the value; 0 of 0."""
    if value == 0:
        return 0.0
    fraction, exponent = math.frexp(value)
    return math.ldexp(1.0, exponent - (fraction == 0.5))
