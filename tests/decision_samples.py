"""Decisions and figures of realistic values for the tests of what people read; records only, no engine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

from gates.decide.advice import Advice, advise
from gates.decide.explain import Explanation
from gates.decide.limits import Limit
from gates.records import (
    LADDER,
    Bound,
    Decision,
    Family,
    Item,
    Measurement,
    ModelVersion,
    Requirement,
    RuleResult,
    Slice,
)
from gates.records.decision import Request
from gates.render.join import build_view
from gates.render.view import View

NOW = 1_795_262_400_000_000

LIMITS: dict[str, Limit] = {
    "data.schema": Limit("at_most", 0, inclusive=True),
    "data.rows": Limit("at_least", 1000, inclusive=True),
    "data.out_of_range": Limit("at_most", 0.01, inclusive=True),
    "parity.mismatch": Limit("at_most", 0.001, inclusive=True),
    "calibration.ece": Limit("at_most", 0.02, inclusive=False, ceiling=0.05),
    "calibration.bin": Limit("within", 0.05, inclusive=True, mirror=-0.05, ceiling=0.12),
    "calibration.under_coverage": Limit("at_most", 0.02, inclusive=True, ceiling=0.04),
    "regression.auc_vs_champion": Limit("at_least", -0.01, inclusive=True, ceiling=-0.02),
    "regression.log_loss_vs_champion": Limit("at_most", 1.02, inclusive=True, ceiling=1.04),
    "package.mismatch": Limit("at_most", 0.01, inclusive=True),
}

TITLES = {
    "data.schema": "Features present in the holdout",
    "parity.mismatch": "Offline and online features agree",
    "calibration.ece": "Expected calibration error",
    "calibration.bin": "Reliability bins",
    "calibration.under_coverage": "Under-coverage",
    "regression.auc_vs_champion": "AUC against the champion",
    "evidence.unlisted_key": "The evidence's key is not listed",
}

ANNOTATIONS = {code: Explanation(code, title, remedy=f"what to do about {code}") for code, title in TITLES.items()} | {
    "calibration.ece": Explanation(
        "calibration.ece",
        "Expected calibration error",
        "The mean gap between predicted probability and observed rate, over equal-mass bins.",
        "Recalibrate (isotonic or Platt) on rows that neither training nor the holdout uses.",
    )
}


def digest(letter: str) -> str:
    return "sha256:" + (letter * 64)[:64]


def ladder(estimate: float, error: float, *, floor: float | None = None) -> tuple[Bound, ...]:
    """Normal bounds at each rung; `floor` cuts the lower ones."""
    rungs = []
    for confidence in LADDER:
        half = NormalDist().inv_cdf(confidence) * error
        lower = estimate - half if floor is None else max(floor, estimate - half)
        rungs.append(Bound(confidence=confidence, lower=lower, upper=estimate + half))
    return tuple(rungs)


def measured(
    check: str,
    estimate: float,
    error: float = 0.0,
    *,
    slice_: Slice | None = None,
    item: Item | None = None,
    n: int = 84_210,
    clusters: int | None = 365,
    **more: Any,
) -> Measurement:
    """A figure with normal bounds; without an error, a census."""
    unit = "area" if check == "regression.auc_vs_champion" else "ratio"
    subject = {"data": "data", "parity": "data", "backfill": "data", "drift": "data", "regression": "pair"}.get(
        check.split(".", maxsplit=1)[0], "candidate"
    )
    fields: dict[str, Any] = {
        "check": check,
        "subject": subject,
        "slice": slice_ or Slice(),
        "item": item,
        "estimate": estimate,
        "bounds": ladder(estimate, error, floor=0.0 if check == "calibration.ece" else None),
        "scope": "sample" if error else "census",
        "family": Family(name=check, size=20),
        "n": n,
        "clusters": clusters if error else None,
        "unit": unit,
        "method": "normal",
    }
    return Measurement(**(fields | more))


def result(
    measurement: Measurement,
    verdict: Literal["pass", "fail", "inconclusive", "error"],
    disposition: str | None = None,
    code: str | None = None,
) -> RuleResult:
    check = measurement.check
    suffix = {"pass": ".passed", "fail": "", "inconclusive": ".inconclusive", "error": ""}[verdict]
    return RuleResult(
        check=check,
        subject=measurement.subject,
        slice=measurement.slice,
        item=measurement.item,
        rule=LIMITS[check].sense,
        verdict=verdict,
        disposition=disposition or ("satisfied" if verdict == "pass" else "denies"),  # type: ignore[arg-type]
        code=code or f"{check}{suffix}",
        limit=f"thresholds/production/limits/{check}/high",
    )


def carrier(name: str) -> Slice:
    return Slice(kind="value", column="carrier", value=name)


def feature(name: str) -> Item:
    return Item(kind="feature", name=name)


@dataclass(frozen=True)
class Sample:
    decision: Decision
    measurements: tuple[Measurement, ...]

    def advice(self, attachments: dict[str, bytes] | None = None) -> Advice:
        return advise(self.decision, self.measurements, attachments or {}, limit_of=limit_of)

    def view(self, attachments: dict[str, bytes] | None = None, **more: Any) -> View:
        return build_view(
            self.decision,
            self.measurements,
            limit_of=limit_of,
            annotations=ANNOTATIONS,
            advice=self.advice(attachments),
            **more,
        )


def limit_of(outcome: RuleResult) -> Limit | None:
    return LIMITS.get(outcome.check) if outcome.limit else None


def decision(
    results: tuple[RuleResult, ...],
    *,
    allow: bool,
    basis: Literal["proven", "provisional", "none"] = "proven",
    environment: str = "production",
    missing: tuple[Requirement, ...] = (),
    simulated: bool = False,
    version: str = "3",
) -> Decision:
    candidate = ModelVersion(name="flights-delay", version=version, digest=digest("c4"))
    champion = ModelVersion(name="flights-delay", version="1", digest=digest("a1"))
    return Decision(
        request=Request(
            environment=environment,
            action="promote",
            model="flights-delay",
            candidate=candidate,
            champion=champion,
            actor="release@example.com",
            effective_time_us=NOW,
        ),
        policy_digest=digest("b0"),
        trust_digest=digest("b1"),
        plan_digest=digest("b2"),
        bundle_digest=digest("b3"),
        input_digest=digest("b4"),
        allow=allow,
        basis=basis if allow else "none",
        required=(Requirement(environment=environment, check="calibration.ece", role="prove", slice=Slice()),),
        missing=missing,
        results=results,
        valid_until_us=NOW + 90 * 86_400_000_000,
        simulated=simulated,
    )


GAPS = (0.004, -0.006, 0.003, 0.011, -0.009, 0.008, 0.013, -0.012, 0.006, -0.010)
CARRIERS = {"UA": 14_500, "B6": 13_600, "EV": 12_900, "DL": 12_000, "AA": 8_100, "MQ": 6_500, "HA": 85, "OO": 9}


def good() -> Sample:
    """Everything proven; small carriers are inconclusive and tolerated."""
    figures = [*_common(), measured("calibration.ece", 0.0031, 0.0029), *_bins(1.0)]
    outcomes = [result(m, "pass") for m in figures]
    slices = [
        measured(
            "calibration.ece", 0.004 + 2 / rows, 0.9 / rows**0.5, slice_=carrier(name), n=rows, clusters=min(rows, 365)
        )
        for name, rows in CARRIERS.items()
    ]
    for m in slices:
        verdict: Literal["pass", "inconclusive"] = "pass" if m.n > 12_500 else "inconclusive"
        outcomes.append(result(m, verdict, "satisfied" if verdict == "pass" else "tolerated"))
    return Sample(decision(tuple(outcomes), allow=True), tuple(figures + slices))


def uncalibrated() -> Sample:
    """The calibration error is within its limit and its bound is not: undecided."""
    ece = measured("calibration.ece", 0.0172, 0.0023, debiased=0.0161)
    figures = [*_common(), ece, *_bins(2.2)]
    outcomes = [result(m, "pass") for m in figures if m is not ece]
    outcomes.append(result(ece, "inconclusive", "accepted", "calibration.ece.provisional"))
    return Sample(
        decision(tuple(outcomes), allow=True, basis="provisional", environment="staging", version="4"), tuple(figures)
    )


def overconfident() -> Sample:
    """The calibration error and two bins are proven bad."""
    ece = measured("calibration.ece", 0.0641, 0.0022)
    figures = [*_common(), ece, *_bins(8.0)]
    outcomes = [result(ece, "fail")]
    for m in figures:
        if m.check == "calibration.bin":
            outcomes.append(
                result(
                    m,
                    "fail"
                    if abs(m.estimate or 0) > 0.08
                    else "inconclusive"
                    if abs(m.estimate or 0) > 0.04
                    else "pass",
                )
            )
        elif m is not ece:
            outcomes.append(result(m, "pass"))
    return Sample(decision(tuple(outcomes), allow=False, version="2"), tuple(figures))


def skewed() -> Sample:
    """One feature is served in another unit."""
    wind = measured("parity.mismatch", 0.9731, item=feature("wind_speed"), n=12_000)
    figures = [m for m in _common() if m.item != feature("wind_speed")] + [wind]
    outcomes = [result(m, "pass") for m in figures if m is not wind] + [result(wind, "fail")]
    return Sample(decision(tuple(outcomes), allow=False, version="5"), tuple(figures))


def _common() -> list[Measurement]:
    features = ("month", "hour", "distance", "temp", "wind_speed", "visib", "carrier_delay", "route_delay")
    return [
        measured("data.schema", 0, item=Item(kind="table", name="holdout")),
        measured("data.rows", 84_210, item=Item(kind="table", name="holdout"), unit="rows"),
        *(measured("data.out_of_range", 0.0001 * i, item=feature(name)) for i, name in enumerate(features)),
        *(measured("parity.mismatch", 0.0, item=feature(name), n=12_000) for name in features),
        measured("calibration.under_coverage", 0.0021, 0.0038, item=Item(kind="level", name="0.9")),
        measured("regression.auc_vs_champion", 0.0312, 0.0019),
        measured("regression.log_loss_vs_champion", 0.9534, 0.0031),
    ]


def _bins(scale: float) -> list[Measurement]:
    return [
        measured("calibration.bin", scale * gap, 0.0091, item=Item(kind="bin", name=str(index + 1)), n=8_421)
        for index, gap in enumerate(GAPS)
    ]


def reliability(scale: float, *, n: int = 8_421) -> bytes:
    """The calibration gate's attachment, for the same bins."""
    means = (0.03, 0.06, 0.09, 0.12, 0.16, 0.21, 0.27, 0.35, 0.47, 0.68)
    bins = []
    for mean, gap in zip(means, GAPS, strict=True):
        rate = min(1.0, max(0.0, mean + scale * gap))
        half = 1.645 * (rate * (1 - rate) / n) ** 0.5 + 1 / n
        bins.append(
            {
                "n": n,
                "mean_p": mean,
                "mean_y": rate,
                "name": str(len(bins) + 1),
                "lower": max(0.0, rate - half),
                "upper": min(1.0, rate + half),
            }
        )
    counts = [round(9_000 * 0.88**index) for index in range(50)]
    histogram = [{"to": (index + 1) / 50, "n": count} for index, count in enumerate(counts)]
    decision = {"name": "decision", "n": 9_100, "mean_p": 0.66, "mean_y": 0.655, "lower": 0.646, "upper": 0.664}
    return json.dumps({"version": 1, "bins": bins, "decision": decision, "histogram": histogram}).encode()
