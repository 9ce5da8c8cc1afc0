"""What would settle an undecided result, where it is worst, and what may have caused it.

Computed from a decision and its bundle alone, after the decision, and never part of it: advice needs the limits, which
measuring must not know, and a decision must not depend on guesses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.decide.attachments import Backfilled, Recalibration, Reliability
from gates.decide.causes import Cause, read_causes
from gates.decide.chance import SPREAD, Chance, coverage_chance
from gates.decide.contract_hints import CONTRACT_CHECKS, read_contract
from gates.decide.discoveries import StandOut, stand_out
from gates.decide.limits import Limit, LimitOf, Rungs
from gates.decide.past import read_past
from gates.decide.rows_needed import Need, rows_for_ece, rows_for_width
from gates.records.decision import Decision, RuleResult
from gates.records.measurement import Item, Measurement, Slice

VS_CHAMPION = "_vs_champion"
"""Ends the name of a check that compares the candidate with the champion."""

RESCORED = "package.mismatch"
"""Of supplied predictions; more rows of it are drawn by the policy, not by a larger holdout."""

_LESS_IS_BETTER = {"ratio": 1.0, "per_1000_decisions": 0.0}
"""Units of comparisons in which less is better, losses' ratios and costs, with the figure of two equal models. Of
every other unit it is a difference, where more is better."""

Place = tuple[str, Slice, Item | None]


def place_of(check: str, slice_: Slice | None, item: Item | None) -> Place:
    """What a result and its figure have in common."""
    return (check, slice_ or Slice(), item)


@dataclass(frozen=True)
class Settle:
    """Rows of a fresh holdout that would settle one undecided result in about 8 of 10 runs."""

    place: Place
    need: Need


@dataclass(frozen=True)
class WorstSlice:
    """The slice of a check that is most surely bad, of those whose figure is beyond the limit."""

    place: Place
    measurement: Measurement


@dataclass(frozen=True)
class Hint:
    """What a person should know about a check, in words free of foreign names."""

    check: str
    text: str

    def document(self) -> dict[str, Any]:
        return {"check": self.check, "hint": self.text}


@dataclass(frozen=True)
class Advice:
    """What to say beside a decision.

    Attributes
    ----------
    worse: comparisons with the champion of the whole whose point is on the worse side, and that no result judges.
    """

    settle: tuple[Settle, ...] = ()
    worst: tuple[WorstSlice, ...] = ()
    stand_out: tuple[StandOut, ...] = ()
    causes: tuple[Cause, ...] = ()
    chance: Chance | None = None
    hints: tuple[Hint, ...] = ()
    worse: tuple[Measurement, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "settle": [{**_place(item.place), **item.need.document()} for item in self.settle],
            "worst_slices": [
                {**_place(item.place), "n": item.measurement.n, "estimate": item.measurement.estimate}
                for item in self.worst
            ],
            "stand_out": [item.document() for item in self.stand_out],
            "causes": [cause.document() for cause in self.causes],
            **({"chance": self.chance.document()} if self.chance else {}),
            "hints": [hint.document() for hint in self.hints],
            "worse_than_champion": [_figure(figure) for figure in self.worse],
        }


def advise(
    decision: Decision,
    measurements: Iterable[Measurement],
    attachments: Mapping[str, bytes],
    *,
    limit_of: LimitOf,
) -> Advice:
    """Compute advice for the undecided and the failed results of a decision.

    Parameters
    ----------
    attachments: the bundle's, by name; `reliability.json`, `recalibration.json`, `parity.json`, `asof.json` and
        `contract.json` sharpen the advice where they are there.
    """
    measurements = tuple(measurements)
    figures = {(place_of(m.check, m.slice, m.item), m.subject): m for m in measurements}
    judged = [
        (result, limit, measurement)
        for result in decision.results
        if result.subject is not None
        and (limit := limit_of(result)) is not None
        and (measurement := figures.get((place_of(result.check, result.slice, result.item), result.subject)))
        and measurement.bounds is not None
    ]
    reliability = Reliability.read(attachments.get("reliability.json"))
    settle = []
    for result, limit, measurement in judged:
        if result.verdict != "inconclusive" or result.check in (SPREAD, RESCORED):
            continue
        whole_ece = result.check == "calibration.ece" and measurement.slice.kind == "whole"
        need = rows_for_ece(measurement, limit, reliability.bins, Rungs()) if whole_ece and reliability else None
        need = need or rows_for_width(measurement, limit, Rungs())
        if need is not None:
            settle.append(Settle(place_of(result.check, result.slice, result.item), need))
    return Advice(
        settle=tuple(settle),
        worst=_worst(judged),
        stand_out=stand_out(judged),
        causes=(
            *read_causes(attachments.get("parity.json"), _failed(decision, "parity.mismatch")),
            *read_past(attachments.get("asof.json"), _failed(decision, "parity.asof_mismatch", "parity.known_later")),
        ),
        chance=coverage_chance(decision.results, measurements, limit_of),
        hints=(
            *_fitted(measurements),
            *_recalibration(decision, attachments.get("recalibration.json")),
            *_contracts(decision, attachments.get("contract.json")),
            *_half_done(measurements, attachments.get("backfill.json")),
            *_rescored(decision, measurements),
        ),
        worse=_worse(decision, measurements),
    )


def _worse(decision: Decision, measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
    judged = {(place_of(r.check, r.slice, r.item), r.subject) for r in decision.results}
    return tuple(
        figure
        for figure in measurements
        if figure.subject == "pair"
        and figure.check.endswith(VS_CHAMPION)
        and figure.slice.kind == "whole"
        and is_worse(figure)
        and (place_of(figure.check, figure.slice, figure.item), figure.subject) not in judged
    )


def is_worse(figure: Measurement) -> bool:
    """Whether the point of a comparison is on the worse side; the unit alone says which that is."""
    if figure.estimate is None:
        return False
    equal = _LESS_IS_BETTER.get(figure.unit)
    return figure.estimate < 0 if equal is None else figure.estimate > equal


_SUSPICIOUS = 0.5
"""Share of the rows in bins that agree with the outcomes to 1e-9, from which it is said; chance leaves it to a bin or two."""


def _fitted(measurements: Iterable[Measurement]) -> Iterator[Hint]:
    """Say that the scores were fitted on the holdout, whether or not a policy asks: everything else is then in doubt."""
    for figure in measurements:
        share = figure.estimate
        if figure.check == "calibration.fitted_share" and share is not None and share >= _SUSPICIOUS:
            text = f"bins with {100 * share:.3g} % of the rows agree with the outcomes to 1e-9, which chance does not do: the scores were fitted on this holdout"
            yield Hint(figure.check, text)


def _recalibration(decision: Decision, raw: bytes | None) -> Iterator[Hint]:
    """Say what simple recalibrations would reach, where the error of the whole is bad or undecided."""
    found = Recalibration.read(raw)
    open_ = any(
        result.check == "calibration.ece"
        and result.verdict in ("fail", "inconclusive")
        and (result.slice is None or result.slice.kind == "whole")
        for result in decision.results
    )
    if found is not None and open_:
        reaches = ", ".join(f"{name} {error:.2g}" for name, error in found.reaches.items())
        yield Hint("calibration.ece", f"recalibrated, cross-fitted on these rows: {reaches}; now {found.error:.2g}")


def _contracts(decision: Decision, raw: bytes | None) -> Iterator[Hint]:
    """Say what was measured and expected, who reads what was changed, and where a term belongs."""
    for check in CONTRACT_CHECKS:
        yield from (Hint(check, text) for text in read_contract(raw, check, _failed(decision, check)))


def _half_done(measurements: Iterable[Measurement], raw: bytes | None) -> Iterator[Hint]:
    """Say that a part of the window is as it was, unless a second run left it so too."""
    found = Backfilled.read(raw)
    again = any(m.check == "backfill.rerun_difference" and m.item is None and m.estimate == 0 for m in measurements)
    if found is None or again:
        return
    untouched, rewritten = found.partitions.untouched, found.partitions.rewritten
    if untouched and rewritten:
        text = f"{untouched} of {untouched + rewritten} partitions in the window are as they were: a run that stopped half-way looks so too; a second run (tables.rerun) would tell"
        yield Hint("backfill.rerun_difference", text)


def _rescored(decision: Decision, measurements: Iterable[Measurement]) -> Iterator[Hint]:
    """Say in how many rows a supplied table is not the model's, where that is bad or undecided, and what it looks like."""
    open_ = {r.item for r in decision.results if r.check == RESCORED and r.verdict in ("fail", "inconclusive")}
    for figure in measurements:
        if figure.check != RESCORED or figure.estimate is None or figure.item not in open_ or figure.item is None:
            continue
        differ = round(figure.estimate * figure.n)
        text = f"{figure.item.name}: {differ:,} of {figure.n:,} rows are not what the registered model says"
        if not differ:
            text += "; the sample is too small to prove it of all (parameters: rescored_rows)"
        elif differ == figure.n:
            text += ": another model or other features, or scores rounded to fewer digits than rescored_tolerance has"
        yield Hint(RESCORED, text)


def _worst(judged: Iterable[tuple[RuleResult, Limit, Measurement]]) -> tuple[WorstSlice, ...]:
    """By check: the slice whose interval at .95 lies farthest beyond the limit with its good end.

    The largest estimate would name the smallest slice, which is noise.
    """
    worst: dict[str, tuple[float, WorstSlice]] = {}
    for result, limit, measurement in judged:
        if measurement.slice.kind != "value" or measurement.estimate is None or measurement.bounds is None:
            continue
        if limit.holds(measurement.estimate):
            continue
        excess = limit.excess(limit.best(measurement.bounds[0]))
        if result.check not in worst or excess > worst[result.check][0]:
            place = place_of(result.check, result.slice, result.item)
            worst[result.check] = (excess, WorstSlice(place, measurement))
    return tuple(found for _, found in worst.values())


def _failed(decision: Decision, *checks: str) -> frozenset[str]:
    """Names of the items that were proven bad."""
    return frozenset(
        result.item.name
        for result in decision.results
        if result.check in checks and result.verdict == "fail" and result.item is not None
    )


def _figure(figure: Measurement) -> dict[str, Any]:
    """A figure with the interval at the first rung."""
    bounds = {"interval": figure.bounds[0].document()} if figure.bounds else {}
    place = _place(place_of(figure.check, figure.slice, figure.item))
    return {**place, "n": figure.n, "estimate": figure.estimate, "unit": figure.unit, **bounds}


def _place(place: Place) -> dict[str, Any]:
    check, slice_, item = place
    document: dict[str, Any] = {"check": check, "slice": slice_.document()}
    return document if item is None else {**document, "item": item.document()}
