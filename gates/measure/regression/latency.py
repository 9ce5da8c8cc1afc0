"""How long a call takes: the median and the 95th percentile of the candidate, and their ratios to the champion's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gates.inputs.opened import Latency
from gates.measure.claims import NOTHING, Claim, family, params
from gates.measure.interface import Given
from gates.measure.regression.metrics import LATENCY
from gates.measure.stats.figure import Figure
from gates.measure.stats.latency import quantile_of, quantile_ratio
from gates.measure.sums import Where
from gates.records import WHOLE, Item, Measurement, Reason
from gates.records.measurement import Subject

QUANTILES = {"median": 0.5, "p95": 0.95}


def latency_figures(given: Given, seed: int) -> Iterator[Measurement]:
    """Yield the figures where times were taken, or where the plan asks for them the reason why there are none."""
    names = {"own": f"regression.{LATENCY}", "pair": f"regression.{LATENCY}_vs_champion"}
    found = given.latency
    if isinstance(found, Reason) and not {r.check for r in given.plan.requirements} & set(names.values()):
        return
    shared = {} if isinstance(found, Reason) else {"shared_runner": found.shared_runner}
    named = tuple(param for param in params(given, **shared) if param.name not in {"rows", "cluster"})
    for item, level in QUANTILES.items():
        own, pair = (found, found) if isinstance(found, Reason) else _both(found, level, seed)
        rows: tuple[tuple[str, Subject, Figure | Reason, str], ...] = (
            (names["own"], "candidate", own, "seconds"),
            (names["pair"], "pair", pair, "ratio"),
        )
        for check, subject, figure, unit in rows:
            claim = Claim(check, subject, family(check, len(QUANTILES)), "moving_blocks", named, None, unit)
            where = Where(WHOLE, 1_000_000, figure.n, None) if isinstance(figure, Figure) else NOTHING
            yield claim.measured(figure, where, Item(kind="metric", name=item))


def _both(times: Latency, level: float, seed: int) -> tuple[Figure | Reason, Figure | Reason]:
    candidate, champion = (np.asarray(each, dtype=np.float64) for each in (times.candidate, times.champion))
    if not (np.isfinite(candidate).all() and np.isfinite(champion).all()):
        return Reason.NAN_SCORES, Reason.NAN_SCORES
    own = quantile_of(candidate, level, seed=seed)
    if champion.size != candidate.size:
        return own, Reason.NO_CHAMPION if champion.size == 0 else Reason.ROWS_UNPAIRED
    return own, quantile_ratio(candidate, champion, level, seed=seed)
