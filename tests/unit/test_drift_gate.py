"""The drift gate beside counts made by hand in plain Python, on tables with all that a column can hold."""

from __future__ import annotations

import bisect
import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from data_world import answer, given, table, times
from scipy.stats import ks_2samp

from gates.inputs.opened import OpenTable
from gates.measure.drift import DriftGate
from gates.measure.interface import Given
from gates.measure.stats.drift import JS, PSI, Side, divergence
from gates.records import Measurement, Reason, Requirement

CHECKS = ("drift.psi", "drift.js", "drift.ks")
SPECIAL = [None, math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-299, 1.7e308, -1.7e308]


def asked(found: Given, *checks: str) -> Given:
    named = tuple(Requirement(environment="development", check=check, role="prove") for check in checks or CHECKS)
    return replace(found, plan=found.plan.model_copy(update={"requirements": named}))


def measured(
    holdout: Any, training: Any, *checks: str, features: tuple[str, ...] = ("x",), **parameters: Any
) -> dict[tuple[str, str], Measurement]:
    tables = [
        one if isinstance(one, OpenTable) else table(role, **one)
        for role, one in (("holdout", holdout), ("training", training))
    ]
    found = DriftGate().measure(asked(given(*tables, columns={"features": features}, **parameters), *checks))
    return {(m.check, m.item.name): m for m in found.measurements if m.item}


def column(values: list[Any]) -> dict[str, Any]:
    return {
        "x": pd.Series(values, dtype=pd.ArrowDtype(pa.float64() if not isinstance(values[-1], str) else pa.string()))
    }


def drawn(seed: int, size: int) -> list[Any]:
    """Ties, gaps and both infinities, beside numbers of one decimal."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(seed % 3 / 5, 1, size), 1).tolist()
    return [SPECIAL[rng.integers(len(SPECIAL))] if rng.random() < 0.1 else value for value in values]


def gone(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def numbers_by_hand(training: list[Any], holdout: list[Any]) -> tuple[list[int], list[int]]:
    """A number's cell is that of the first end it is not above."""
    finite = sorted(v for v in training if not gone(v) and math.isfinite(v))
    deciles = [finite[tenth * (len(finite) - 1) // 10] for tenth in range(1, 10)]
    ends = [(v, s) for v, times_ in sorted(Counter(deciles).items()) for s in ((-1, 0) if times_ > 1 else (0,))]

    def cell(value: Any) -> int:
        if gone(value):
            return len(ends) + 3
        if math.isinf(value):
            return 0 if value < 0 else len(ends) + 2
        return 1 + bisect.bisect_left(ends, (value, 0))

    return tuple([Counter(map(cell, values))[c] for c in range(len(ends) + 4)] for values in (training, holdout))  # type: ignore[return-value]


def levels_by_hand(training: list[Any], holdout: list[Any]) -> tuple[list[int], list[int]]:
    seen = Counter(v for v in training if v is not None)
    often = sorted(seen, key=lambda v: (-seen[v], v.encode()))[:50]

    def cell(value: Any) -> int:
        if value is None:
            return 52
        return often.index(value) if value in often else 50 if value in seen else 51

    return tuple([Counter(map(cell, values))[c] for c in range(53)] for values in (training, holdout))  # type: ignore[return-value]


def same(found: Measurement, counts: tuple[list[int], list[int]], check: str) -> None:
    sides = [Side(np.array([one], dtype=float)) for one in counts]
    by_hand = divergence(PSI if check == "drift.psi" else JS, *sides, least=50, minimum_clusters=8)
    assert not isinstance(by_hand, Reason)
    assert found.estimate == pytest.approx(by_hand.estimate, abs=1e-9)
    assert found.bounds is not None
    assert [b.upper for b in found.bounds] == pytest.approx(by_hand.upper.tolist(), abs=1e-9)
    assert {p.name: p.value for p in found.params}["cells"] == sum(a + b > 0 for a, b in zip(*counts, strict=True))


class TestByHand:
    @pytest.mark.parametrize("seed", range(6))
    def test_numbers(self, seed: int) -> None:
        training, holdout = drawn(seed, 200 + 7 * seed), drawn(seed + 1, 150)
        found = measured(column(holdout), column(training))
        for check in CHECKS[:2]:
            same(found[check, "x"], numbers_by_hand(training, holdout), check)
        # A gap lies above all values, infinities too.
        ranks = sorted({v for v in (*training, *holdout) if not gone(v)})
        whole = [[len(ranks) if gone(v) else ranks.index(v) for v in values] for values in (training, holdout)]
        assert found["drift.ks", "x"].estimate == pytest.approx(ks_2samp(*whole).statistic, abs=1e-9)

    @pytest.mark.parametrize("seed", range(4))
    def test_levels(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        names = ["a", "B", "ü", "u\u0308", "😀", "\ufffd", "", "(null)", " ", *(f"l{i}" for i in range(70))]
        common = rng.dirichlet(np.full(len(names), 0.5))
        training, holdout = ([*rng.choice(names, size, p=common).tolist(), *[None] * 9, "z"] for size in (400, 300))
        holdout += ["new", "newer"] * 5
        found = measured(column(holdout), column(training))
        for check in CHECKS[:2]:
            same(found[check, "x"], levels_by_hand(training, holdout), check)
        assert found["drift.ks", "x"].reason is Reason.NO_ORDER

    def test_truth_values_and_moments(self) -> None:
        training = {"x": [True, False] * 60, "at": times(*range(120))}
        holdout = {"x": [True] * 90, "at": times(*range(60, 150))}
        found = measured(holdout, training, features=("x", "at"))
        same(found["drift.psi", "x"], ([60, 60], [90, 0]), "drift.psi")
        assert found["drift.ks", "x"].reason is Reason.NO_ORDER
        assert found["drift.ks", "at"].estimate == pytest.approx(0.5)

    @pytest.mark.parametrize("missing", [None, math.nan])
    def test_half_of_a_column_is_gone(self, missing: float | None) -> None:
        rng = np.random.default_rng(1)
        training, holdout = rng.normal(size=2_000).tolist(), rng.normal(size=1_000).tolist()
        holdout[::2] = [missing] * 500
        found = measured(column([*holdout, 0.0]), column(training))
        for check, limit in (("drift.psi", 0.2), ("drift.js", 0.04), ("drift.ks", 0.2)):
            figure = found[check, "x"]
            assert figure.bounds is not None
            assert figure.bounds[-1].lower > limit  # at the highest rung

    @pytest.mark.parametrize("other", [-5.0, 5.0, math.inf, -math.inf, math.nan, 1e-300])
    def test_another_constant(self, other: float) -> None:
        found = measured(column([other] * 300), column([0.0] * 400))
        assert {m.params[1].value for m in found.values()} == {2}
        assert answer(found["drift.ks", "x"]) == 1.0
        assert answer(found["drift.js", "x"]) > 0.9

    def test_the_same_rows_in_another_order_and_in_parts(self) -> None:
        training, holdout = drawn(1, 300), drawn(2, 200)
        days = {"day": [f"d{i % 20}" for i in range(300)]}, {"day": [f"d{i % 20}" for i in range(200)]}
        one, two = ({**column(values), **day} for values, day in zip((training, holdout), days, strict=True))
        turned = {name: values[::-1] for name, values in two.items()}
        for parameters in ({}, {"cluster": "day"}):
            assert measured(two, one, **parameters) == measured(turned, one, **parameters)


class TestClusters:
    def test_either_table_may_have_the_key(self) -> None:
        rng = np.random.default_rng(3)
        day = np.repeat(np.arange(20), 20)
        values = {"x": np.repeat(rng.normal(size=20), 20), "day": day}
        plain = {"x": rng.normal(size=600)}
        alone = measured({"x": values["x"]}, plain)
        for tables, clustered in (((values, plain), "holdout"), ((plain, values), "training")):
            found = measured(*tables, cluster="day")
            for check in CHECKS:
                figure = found[check, "x"]
                said = {p.name: p.value for p in figure.params}
                assert (said["clustered"], said["cluster"], said["rows"]) == (clustered, "day", "clustered")
                assert figure.clusters == 20
        for check in CHECKS:
            wide, narrow = (one[check, "x"].bounds for one in (measured(values, plain, cluster="day"), alone))
            assert wide is not None
            assert narrow is not None
            assert wide[0].lower < narrow[0].lower
        assert wide[0].upper > narrow[0].upper

    def test_a_few_are_too_few(self) -> None:
        days = {"x": np.arange(200.0), "day": np.arange(200) % 7}
        assert {m.reason for m in measured(days, days, cluster="day").values()} == {Reason.FEW_CLUSTERS}


class TestReasons:
    def test_tables(self) -> None:
        some = table("holdout", x=np.arange(100.0))
        for tables, reason in (
            ((some,), Reason.TABLE_MISSING),
            ((some, table("training", x=[])), Reason.EMPTY_TABLE),
            ((some, table("training", x=np.arange(49.0))), Reason.FEW_EVENTS),
            ((some, table("training", z=np.arange(100.0))), Reason.COLUMN_MISSING),
            ((some, table("training", x=["a"] * 100)), Reason.COLUMN_MISSING),
            ((table("holdout", x=[[1]] * 99), table("training", x=[[1]] * 99)), Reason.COLUMN_MISSING),
        ):
            found = DriftGate().measure(asked(given(*tables, columns={"features": ("x",)}))).measurements
            assert [(m.check, m.reason) for m in found] == [(check, reason) for check in CHECKS]

    def test_no_features_are_not_provided(self) -> None:
        both = [table(role, x=np.arange(100.0)) for role in ("holdout", "training")]
        found = DriftGate().measure(asked(given(*both, columns={}), "drift.js")).measurements
        assert [(m.check, m.reason, m.item) for m in found] == [("drift.js", Reason.NOT_PROVIDED, None)]

    def test_only_what_is_asked_for(self) -> None:
        both = {"x": np.arange(100.0), "y": np.arange(100.0)}
        found = measured(both, both, "drift.ks", features=("x", "y", "z"))
        assert list(found) == [("drift.ks", name) for name in "xyz"]
        assert {(m.family.name, m.family.size) for m in found.values()} == {("drift.ks", 3)}
        assert found["drift.ks", "z"].reason is Reason.COLUMN_MISSING
