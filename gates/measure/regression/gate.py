"""The regression gate: the candidate against the champion and against a trivial model, paired on the same rows.

In order:
(1) one scan for the trivial model: base rate, shares of the classes, or one sort for the median and other quantiles;
(2) one GROUP BY (slice, cluster) for each slice column with the sums of losses and of their products;
(3) one GROUP BY (slice, cluster, outcome, decisions) for each, with counts (binary, multiclass);
(4) one fetch of the scores by row, since areas under curves need ranks (binary); of a large table, of a sample;
(5) figures: absolute ones for candidate and champion; differences and ratios against each rival;
(6) besides, absolute figures on the gold table, and the times of calls.

The trivial model is the whole table's, in every slice: it is the one that one could serve. A slice's own rate would be
known only afterwards, and of three rows without an event it would be a perfect and meaningless rival. For the whole it
is the best constant on the rows judged, which favours it (`baseline.py`).

Metrics that are not `core` are measured on the whole, and in slices where the plan asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from gates.bundle.canonical import digest_document
from gates.measure.census import asked_for
from gates.measure.claims import NOTHING, Claim, family, params
from gates.measure.interface import Findings, Given, Scored
from gates.measure.regression.baseline import Baseline, find_baseline
from gates.measure.regression.decisions import largest_payoff, read_decisions
from gates.measure.regression.latency import latency_figures
from gates.measure.regression.losses import ANCHOR, BASELINE, CANDIDATE, CHAMPION, models, read_losses
from gates.measure.regression.metrics import Found, Metric, Piece, metrics_of, scorers_of
from gates.measure.regression.ranks import row_parts
from gates.measure.sampling import BY_ROW, one_in
from gates.measure.sums import unsliced
from gates.records import Family, Measurement, Plan, Reason
from gates.records.base import Scalar
from gates.records.measurement import Subject

SUPERIORITY = "_superiority"
"""Ends the name of a check that asks for more than no loss; its figure is that of the comparison with the champion."""

GOLD = "gold"
"""Begins the metric of a figure on the gold table."""


class RegressionGate:
    """Reads `y` and the predictions of candidate, champion and anchor, by slice and, where present, by cluster."""

    name: ClassVar[str] = "regression"

    def measure(self, given: Given) -> Findings:
        """Return the gate's findings; every check stands in them, measured or with its reason."""
        beside = (*_gold_figures(given), *latency_figures(given, _seed(given.plan)))
        scored = _readable(given.scored, given.plan)
        if isinstance(scored, Reason):
            return Findings((*(claim.measured(scored, NOTHING) for _, claim in _claims(given, 1)), *beside))
        baseline = find_baseline(scored)
        pieces = _pieces(given.plan, scored, baseline)
        return Findings((*_figures(given, scored, baseline, pieces), *beside))


def _readable(scored: Scored | Reason, plan: Plan) -> Scored | Reason:
    if isinstance(scored, Reason):
        return scored
    if scored.task != plan.task:
        return Reason.NOT_PROVIDED
    return scored if scored.rows > 0 else Reason.EMPTY_TABLE


def _seed(plan: Plan) -> int:
    """The same plan draws the same replicates, whenever it is measured."""
    return int(digest_document(plan.document()).removeprefix("sha256:")[:16], 16)


def _gold_figures(given: Given) -> Iterator[Measurement]:
    """Yield the candidate's own figures on the gold table, or where the plan asks for them why there are none.

    Those beside the best constant of the gold rows are given where the plan asks for them.
    """
    asked = asked_for(given)
    plan = unsliced(given.plan)
    there = replace(given, plan=plan, scored=_readable(given.gold, plan))
    pieces: list[Piece] = []
    baseline = None
    if isinstance(there.scored, Scored):
        baseline = find_baseline(there.scored)
        pieces = list(_pieces(plan, there.scored, baseline).each)
    for check in _gold_checks(there, baseline):
        if check.name not in asked and (not pieces or check.subject == "pair"):
            continue
        source = there.scored.source(champion=False) if isinstance(there.scored, Scored) else None
        claim = check.claim(there, source, family(check.name, 1))
        if isinstance(there.scored, Reason):
            yield claim.measured(there.scored, NOTHING)
        for piece in pieces:
            yield claim.measured(_of_rows(check.figure(piece), check.rows(there, piece)), piece.sums.where)


def _gold_checks(given: Given, baseline: Baseline | None) -> Iterator[_Check]:
    for metric in metrics_of(given.plan.task):
        name = f"regression.{GOLD}_{metric.name}"
        yield _Check(name, "candidate", metric, CANDIDATE, _of(metric, CANDIDATE), {})
        if BASELINE in metric.rivals:
            about = _rival_params(given, metric, BASELINE, baseline)
            yield _Check(f"{name}_vs_{BASELINE}", "pair", metric, BASELINE, _against(metric, BASELINE), about)


@dataclass(frozen=True)
class _Pieces:
    """How many pieces there are, and each once: only one at a time holds its rows."""

    count: int
    each: Iterator[Piece]


def _pieces(plan: Plan, scored: Scored, baseline: Baseline) -> _Pieces:
    found = read_losses(scored, plan, baseline.says)
    # Numeric models decide nothing: their table of counts is the same sums, and is not looked at.
    decisions = found.parts if scored.task == "numeric" else read_decisions(scored, plan, baseline.says)
    by_row = scored.task == "binary" or scorers_of(plan, scored)
    rows = row_parts(scored, plan) if by_row else iter([None] * len(decisions))
    seed = _seed(plan)
    (unit, dearest), least = largest_payoff(scored), plan.parameters.minimum_clusters
    each = (
        Piece(found, sums, counts, own, least, seed, baseline.perfect, plan.parameters, unit, dearest)
        for sums, counts, own in zip(found.parts, decisions, rows, strict=True)
    )
    return _Pieces(len(found.parts), each)


@dataclass(frozen=True)
class _Check:
    """One check: what it claims of whom, and how its figure comes from a piece."""

    name: str
    subject: Subject
    metric: Metric
    rival: str
    figure: Callable[[Piece], Found]
    params: dict[str, Scalar]

    @property
    def core(self) -> bool:
        return self.metric.core and self.rival != ANCHOR

    def sampled(self, given: Given) -> dict[str, Scalar]:
        """Say that not all rows were looked at, where that is so."""
        rows = given.scored.rows if isinstance(given.scored, Scored) else 0
        share = one_in(given.plan, rows) if self.metric.method in BY_ROW else 1
        return {"sampled": f"1 in {share}", "seed": given.plan.parameters.seed} if share > 1 else {}

    def rows(self, given: Given, piece: Piece) -> int:
        """Return how many rows of a piece were looked at."""
        return piece.rows.y.size if piece.rows and self.sampled(given) else piece.sums.where.rows

    def claim(self, given: Given, predictions: str | None, together: Family) -> Claim:
        """Return the claim, as one of a family."""
        paired = self.subject == "pair"
        clustered = isinstance(given.scored, Scored) and given.scored.clustered
        method = "mean" if self.metric.method == "fieller" and not paired else self.metric.method
        method = "obuchowski" if clustered and method == "delong" else method
        unit = self.metric.paired_unit if paired else self.metric.unit
        named = params(given, **{**self.metric.params, **self.params, **self.sampled(given)})
        return Claim(self.name, self.subject, together, method, named, predictions, unit)


def _checks(given: Given, baseline: Baseline | None) -> Iterator[_Check]:
    """Yield all checks of the task: of the models themselves, then of pairs."""
    known = given.scored if isinstance(given.scored, Scored) else None
    own = (_where_there_are_quantiles(metric, known) for metric in metrics_of(given.plan.task))
    metrics = (*own, *scorers_of(given.plan, known))
    asked = asked_for(given)
    subjects: tuple[tuple[Subject, str], ...] = (("candidate", CANDIDATE), ("champion", CHAMPION))
    for subject, model in subjects:
        for metric in (metric for metric in metrics if metric.alone):
            yield _Check(f"regression.{metric.name}", subject, metric, model, _of(metric, model), {})
    present = _present(given)
    for metric in metrics:
        for rival in metric.rivals:
            name = f"regression.{metric.name}_vs_{rival}"
            if rival != ANCHOR or ANCHOR in present or name in asked:
                about = _rival_params(given, metric, rival, baseline)
                yield _Check(name, "pair", metric, rival, _against(metric, rival), about)
        name = f"regression.{metric.name}{SUPERIORITY}"
        if name in asked:
            yield _Check(name, "pair", metric, CHAMPION, _against(metric, CHAMPION), {})


def _where_there_are_quantiles(metric: Metric, scored: Scored | None) -> Metric:
    """What nobody predicted is said to be missing once, not in each slice, and is no part of the family of what is."""
    there = scored is not None and bool(scored.quantiles)
    return metric if there or not metric.of_quantiles else replace(metric, core=False)


def _present(given: Given) -> tuple[str, ...]:
    """The models with predictions."""
    return models(given.scored) if isinstance(given.scored, Scored) else ()


def _rival_params(given: Given, metric: Metric, rival: str, baseline: Baseline | None) -> dict[str, Scalar]:
    """Say what the trivial model is; who the anchor is, and of how many the best."""
    if rival == BASELINE:
        return {"baseline": baseline.name_for(metric) if baseline else "none"}
    if rival != ANCHOR or given.anchor is None:
        return {}
    return {
        "anchor": given.anchor.version.uri,
        "anchor_best_of": given.anchor.best_of,
        "anchor_served": given.anchor.served,
    }


def _of(metric: Metric, model: str) -> Callable[[Piece], Found]:
    return lambda piece: metric.one(piece, model)


def _against(metric: Metric, rival: str) -> Callable[[Piece], Found]:
    return lambda piece: metric.versus(piece, rival)


def _claims(given: Given, pieces: int, baseline: Baseline | None = None) -> list[tuple[_Check, Claim]]:
    """Return each check with its claim; `pieces` slices, the whole among them, are looked at together.

    What the plan requires is one family: of several metrics and slices some would look worse by chance. (A plan that
    requires no comparison has them all in it.) What is only reported is a family by metric, and the champion's own is
    looked at once.
    """
    checks = list(_checks(given, baseline))
    present = _present(given)
    asked = asked_for(given)
    comparing = [c for c in checks if c.subject == "pair" and (c.rival == BASELINE or c.rival in present)]
    judged = [c for c in comparing if c.name in asked] or [c for c in comparing if c.core]
    sliced = _asked_in_slices(given.plan)

    def looks(check: _Check) -> int:
        return pieces if _sliced(check, sliced) else 1

    together = family("regression", sum(looks(check) for check in judged))

    def own(check: _Check) -> Family:
        if check in judged or (not judged and check.subject == "pair"):
            return together
        return family(check.name, looks(check))

    def source(check: _Check) -> str | None:
        if isinstance(given.scored, Reason):
            return None
        return given.scored.source(champion=check.rival == CHAMPION)

    return [(check, check.claim(given, source(check), own(check))) for check in checks]


def _asked_in_slices(plan: Plan) -> set[str]:
    return {r.check for r in plan.requirements if r.each is not None or (r.slice and r.slice.kind != "whole")}


def _sliced(check: _Check, asked: set[str]) -> bool:
    """Whether a check is measured in slices. The champion's own figures are of the whole."""
    return check.subject != "champion" and (check.core or check.name in asked)


def _figures(given: Given, scored: Scored, baseline: Baseline, pieces: _Pieces) -> Iterator[Measurement]:
    claims = _claims(given, pieces.count, baseline)
    present, sliced = (*models(scored), BASELINE), _asked_in_slices(given.plan)
    for piece in pieces.each:
        where = piece.sums.where
        for check, claim in claims:
            if where.slice.kind == "whole" or _sliced(check, sliced):
                found = check.figure(piece) if check.rival in present else _absent(given, check.rival)
                yield claim.measured(_of_rows(found, check.rows(given, piece)), where)


def _absent(given: Given, rival: str) -> Reason:
    """A champion that could not be scored is not the same as none; and where none serves, none was left by another."""
    return Reason.NO_CHAMPION if rival in (CHAMPION, ANCHOR) and given.champion is None else Reason.NOT_PROVIDED


def _of_rows(found: Found, rows: int) -> Found:
    """Weights count in the figure, and rows beside it."""
    return found if isinstance(found, Reason) else replace(found, n=rows)
