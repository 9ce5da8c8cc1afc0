"""The parity gate: what counts as equal, what is missing, and what a person is told about the cause."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates.inputs.tables import Tables
from gates.measure.interface import Findings, Given
from gates.measure.parity import ParityGate
from gates.records import Columns, Measurement, Parameters, Plan, Reason, Table

DIGEST = "sha256:" + "0" * 64
NAN, INF = math.nan, math.inf


class Bench:
    def __init__(self, tables: Tables, folder: Path) -> None:
        self.tables, self.folder = tables, folder

    def measure(
        self,
        offline: Any,
        online: Any,
        *,
        features: tuple[str, ...] = ("x",),
        key: tuple[str, ...] = ("k",),
        tolerance: float = 1e-6,
    ) -> Findings:
        opened = {}
        for role, frame in (("offline", offline), ("online", online)):
            if frame is None:
                continue
            pq.write_table(frame if isinstance(frame, pa.Table) else pa.table(frame), self.folder / f"{role}.parquet")
            opened[role] = self.tables.open(Table(role=role, uri=f"{role}.parquet"), base=self.folder)  # type: ignore[arg-type]
        plan = Plan(
            model="m",
            task="binary",
            tier="high",
            environments=("development",),
            requirements=(),
            parameters=Parameters(parity_tolerance=tolerance),
            tables=(),
            columns=Columns(key=key, features=features),
            policy_digest=DIGEST,
            spec_digest=DIGEST,
        )
        found = ParityGate().measure(Given(plan=plan, tables=opened, scored=Reason.NOT_PROVIDED, champion=None))
        for figure in found.measurements:
            unkeyed = figure.check in ("parity.smd", "parity.variance_ratio", "parity.missing_rate_difference")
            assert (figure.subject, figure.scope) == ("data", "sample" if unkeyed else "census")
            Measurement.parse(figure.document())
        named = [figure.item.name for figure in found.measurements if figure.check == "parity.mismatch" and figure.item]
        assert named == list(features), "one for each feature of the plan"
        assert [f.item.name for f in found.measurements if f.check == "parity.missing" and f.item] == [
            "offline",
            "online",
        ]
        return found

    def figures(self, *args: Any, **kwargs: Any) -> dict[str, Measurement]:
        wanted = ("parity.mismatch", "parity.missing")
        return {f.item.name: f for f in self.measure(*args, **kwargs).measurements if f.item and f.check in wanted}

    def note(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        (note,) = self.measure(*args, **kwargs).notes
        assert (note.name, note.media_type) == ("parity.json", "application/json")
        document: dict[str, Any] = json.loads(note.content)
        return document

    def equal(self, left: Any, right: Any, **kwargs: Any) -> bool:
        """Compare one value with one value, beside a pair that is equal."""
        offline = {"k": [1], "x": pa.array([left], from_pandas=False) if not isinstance(left, pa.Array) else left}
        online = {"k": [1], "x": pa.array([right], from_pandas=False) if not isinstance(right, pa.Array) else right}
        estimate = self.figures(offline, online, **kwargs)["x"].estimate
        assert estimate in (0.0, 1.0)
        return estimate == 0.0


@pytest.fixture
def bench(tables: Tables, tmp_path: Path) -> Bench:
    return Bench(tables, tmp_path)


F64 = pa.float64()
NULL = pa.array([None], type=F64)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (NAN, NAN, True),
        (NULL, NULL, True),
        (NAN, NULL, False),
        (NULL, NAN, False),
        (INF, INF, True),
        (-INF, -INF, True),
        (INF, -INF, False),
        (INF, 5.0, False),
        (5.0, INF, False),
        (INF, NAN, False),
        (NAN, 5.0, False),
        (NULL, 5.0, False),
        (NULL, 0.0, False),
        (1e308, -1e308, False),
        (1e308, 1e308, True),
        (0.0, -0.0, True),
        (1.0, 1.0 + 1e-6, True),
        (1.0, 1.0 + 3e-6, False),
        (1e12 + 0.5, 1e12 + 1e5, True),
        (1e12 + 0.5, 1e12 + 3e6, False),
        (1.7e9, 1.7e9 - 1500, False),
        (20131231.0, 20131230.0, False),
        (2.0**53, 2.0**53 + 2, True),
        (pa.array([2.0**25], type=pa.float32()), 2.0**25 + 1, True),
        (1.0, 2**53 + 1, False),
        (
            pa.array([Decimal(10**20)], pa.decimal128(38, 0)),
            pa.array([Decimal(10**20 + 1)], pa.decimal128(38, 0)),
            False,
        ),
        (pa.array([Decimal(7)], pa.decimal128(38, 0)), 7, True),
        (2e-9, 3e-9, False),
        (0.1, pa.array([0.1], type=pa.float32()), True),
        (1.0, 1, True),
        (True, 1.0, True),
        (True, False, False),
        (1, True, True),
        (2**53, 2**53 + 1, False),
        (2**62, pa.array([2**62], type=pa.uint64()), True),
        (7, pa.array([7], type=pa.int8()), True),
        ("a", "a", True),
        ("a", "A", False),
        ("ü", "u\u0308", False),
        ("", pa.array([None], type=pa.string()), False),
        (pa.array([None], type=pa.string()), pa.array([None], type=pa.string()), True),
        ("1", 1, False),
        (pa.array([None], type=pa.string()), pa.array([None], type=pa.int64()), True),
        (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01", tz="UTC"), True),
        (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01", tz="America/New_York"), False),
        (pd.Timestamp("2024-01-01").date(), pd.Timestamp("2024-01-01"), True),
        (pd.Timestamp("2024-01-01 10:00").time(), pd.Timestamp("2024-01-01 10:00"), False),
        (pa.array([[1, 2]]), pa.array([[1, 2]]), True),
        (pa.array([[1, 2]]), pa.array([[1, 3]]), False),
    ],
)
def test_what_is_equal(bench: Bench, left: Any, right: Any, same: bool) -> None:
    assert bench.equal(left, right) is same
    assert bench.equal(right, left) is same


def test_tolerance_is_the_plans(bench: Bench) -> None:
    assert not bench.equal(1.0, 1.001)
    assert bench.equal(1.0, 1.001, tolerance=1e-3)
    assert not bench.equal(1.0, 1.0 + 1e-15, tolerance=0.0)
    figure = bench.figures({"k": [1], "x": [1.0]}, {"k": [1], "x": [1.0]}, tolerance=1e-3)["x"]
    assert [(param.name, param.value) for param in figure.params] == [("tolerance", 1e-3)]


def test_noise_around_zero_is_no_mismatch(bench: Bench) -> None:
    found = bench.figures({"k": [1, 2, 3], "x": [0.0, 0.0, 1.0]}, {"k": [1, 2, 3], "x": [1e-9, 1e-5, 1.0]})
    assert found["x"].estimate == 1 / 3


def test_a_feature_in_small_units_is_compared_in_its_own_scale(bench: Bench) -> None:
    """Microvolts that are all wrong by a factor of two are no rounding."""
    offline = {"k": range(100), "x": np.linspace(1e-7, 2e-7, 100)}
    assert bench.figures(offline, {"k": range(100), "x": offline["x"] * 2})["x"].estimate == 1.0
    assert bench.figures(offline, {"k": range(100), "x": offline["x"] * (1 + 1e-7)})["x"].estimate == 0.0


def test_missing_keys_are_counted_on_their_side_and_mismatches_over_the_pairs(bench: Bench) -> None:
    offline = {"k": [1, 2, 3, 4, 5], "x": [1.0, 2.0, 3.0, 4.0, 5.0]}
    online = {"k": [2, 3, 4, 9], "x": [2.0, 7.0, 4.0, 9.0]}
    found = bench.figures(offline, online)
    assert (found["x"].estimate, found["x"].n) == (1 / 3, 3)
    assert (found["offline"].estimate, found["offline"].n) == (2 / 5, 5)
    assert (found["online"].estimate, found["online"].n) == (1 / 4, 4)
    note = bench.note(offline, online)
    assert (note["paired"], note["offline_only"], note["online_only"]) == (3, 2, 1)


def test_a_null_key_has_no_partner(bench: Bench) -> None:
    found = bench.figures({"k": [1, None, None], "x": [1.0, 2.0, 3.0]}, {"k": [1, None], "x": [1.0, 2.0]})
    assert (found["x"].estimate, found["x"].n) == (0.0, 1)
    assert found["offline"].estimate == 2 / 3
    assert found["online"].estimate == 1 / 2


def test_no_pair_at_all(bench: Bench) -> None:
    found = bench.figures({"k": [1], "x": [1.0]}, {"k": [2], "x": [1.0]})
    assert found["x"].reason is Reason.ROWS_UNPAIRED
    assert (found["offline"].estimate, found["online"].estimate) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("offline", "online", "key", "reason"),
    [
        (None, {"k": [1], "x": [1.0]}, ("k",), Reason.TABLE_MISSING),
        ({"k": [1], "x": [1.0]}, None, ("k",), Reason.TABLE_MISSING),
        ({"k": [1], "x": [1.0]}, {"k": [1], "x": [1.0]}, (), Reason.NOT_PROVIDED),
        ({"k": [1], "x": [1.0]}, {"j": [1], "x": [1.0]}, ("k",), Reason.COLUMN_MISSING),
        ({"k": [1, 1], "x": [1.0, 1.0]}, {"k": [1], "x": [1.0]}, ("k",), Reason.KEYS_NOT_UNIQUE),
        ({"k": [1], "x": [1.0]}, {"k": [1, 1], "x": [1.0, 2.0]}, ("k",), Reason.KEYS_NOT_UNIQUE),
        ({"k": [1], "x": [1.0]}, {"k": ["1"], "x": [1.0]}, ("k",), Reason.ROWS_UNPAIRED),
        ({"k": pa.array([], pa.int64()), "x": pa.array([], F64)}, {"k": [1], "x": [1.0]}, ("k",), Reason.EMPTY_TABLE),
        ({"k": [1], "x": [1.0]}, {"k": pa.array([], pa.int64()), "x": pa.array([], F64)}, ("k",), Reason.EMPTY_TABLE),
    ],
)
def test_what_cannot_be_paired_is_a_reason_for_every_figure(
    bench: Bench, offline: Any, online: Any, key: tuple[str, ...], reason: Reason
) -> None:
    found = bench.measure(offline, online, key=key, features=("x", "z"))
    paired = [figure for figure in found.measurements if figure.check in ("parity.mismatch", "parity.missing")]
    assert {figure.reason for figure in paired} == {reason}
    assert len(paired) == 4


def test_a_feature_absent_on_one_side_is_unmeasured_and_the_others_are_not(bench: Bench) -> None:
    offline = {"k": [1, 2], "x": [1.0, 2.0], "z": [1.0, 2.0]}
    found = bench.figures(offline, {"k": [1, 2], "x": [1.0, 5.0]}, features=("z", "x", "w"))
    assert found["z"].reason is Reason.COLUMN_MISSING
    assert found["w"].reason is Reason.COLUMN_MISSING
    assert found["x"].estimate == 0.5
    assert {found[name].family.size for name in "zxw"} == {3}


def test_a_plan_without_features_says_so(bench: Bench) -> None:
    found = bench.measure({"k": [1], "x": [1.0]}, {"k": [1], "x": [1.0]}, features=())
    (figure,) = [figure for figure in found.measurements if figure.check == "parity.mismatch"]
    assert figure.reason is Reason.NOT_PROVIDED


def test_keys_of_two_columns_and_names_that_are_no_sql(bench: Bench) -> None:
    name = 'x"; DROP TABLE y; --'
    offline = {"a0": [1, 1, 2], "ü k": ["p", "q", "p"], name: [1.0, 2.0, 3.0]}
    online = {"a0": [2, 1, 1], "ü k": ["p", "q", "p"], name: [3.0, 2.0, 9.0]}
    found = bench.figures(offline, online, key=("a0", "ü k"), features=(name, "a0"))
    assert found[name].estimate == 1 / 3
    assert found["a0"].estimate == 0.0


def frames(change: Any, n: int = 1_000) -> tuple[dict[str, Any], dict[str, Any]]:
    x = np.random.default_rng(7).gamma(2.0, 5.0, n)
    return {"k": range(n), "x": x}, {"k": range(n), "x": change(x)}


def cause(note: dict[str, Any]) -> dict[str, Any]:
    (feature,) = note["features"]
    found: dict[str, Any] = feature["cause"]
    return found


def test_the_attachment_names_a_constant_ratio(bench: Bench) -> None:
    note = bench.note(*frames(lambda x: 0.44704 * x))
    found = cause(note)
    assert note["features"][0]["mismatches"] == 1_000
    assert (found["code"], found["rows"], found["explained"]) == ("scale_or_unit", 1_000, 1_000)
    assert found["detail"]["factor"] == pytest.approx(0.44704, rel=1e-12)
    assert found["lower"] == pytest.approx(0.01 ** (1 / 1_000))  # Clopper and Pearson, where all are explained
    assert found["chance"] < 0.01


def test_the_attachment_names_a_constant_offset_of_some_rows(bench: Bench) -> None:
    note = bench.note(*frames(lambda x: np.where(x > 10, x + 273.15, x)))
    assert note["features"][0]["mismatches"] == int((frames(lambda x: x)[0]["x"] > 10).sum())
    assert cause(note)["code"] == "offset"
    assert cause(note)["detail"] == {"offset": pytest.approx(273.15)}


def test_the_attachment_names_another_time_zone_in_hours(bench: Bench) -> None:
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(200) * 17, "min")
    offline = pa.table({"k": range(200), "x": pa.array(moments)})
    online = pa.table({"k": range(200), "x": pa.array(moments - pd.Timedelta("5h"))})
    found = cause(bench.note(offline, online))
    assert (found["code"], found["detail"]) == ("time_zone", {"hours": -5.0})


DAYS = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=i) for i in range(300)]
TIMES, LISTS = pa.timestamp("us"), pa.list_(pa.float64())


@pytest.mark.parametrize(
    ("offline", "online", "mismatch"),
    [
        (
            pa.array([datetime(9999, 12, 31, tzinfo=UTC) if i % 3 == 0 else day for i, day in enumerate(DAYS)], TIMES),
            pa.array([None if i % 3 == 0 else day for i, day in enumerate(DAYS)], TIMES),
            ("default_instead_of_null", 1 / 3),
        ),
        (pa.array([[1.0]] * 300), pa.array([None] * 300, LISTS), ("default_instead_of_null", 1.0)),
        (pa.array([day.date() for day in DAYS]), pa.array([time(1, 0)] * 300, pa.time64("us")), ("unknown", 1.0)),
        (pa.array([{"a": i, "b": None} for i in range(300)]), None, ("", 0.0)),
        (
            pa.array([Decimal(i) / 4 for i in range(300)], pa.decimal128(20, 4)),
            pa.array([Decimal(i) + 7 for i in range(300)], pa.decimal128(38, 0)),
            ("scale_or_unit", 1.0),
        ),
    ],
    ids=["times", "lists", "day and hour", "nothing but nulls inside", "decimals"],
)
def test_odd_types_lose_no_figure(bench: Bench, offline: Any, online: Any, mismatch: tuple[str, float]) -> None:
    sides = ({"k": range(300), "x": side} for side in (offline, offline if online is None else online))
    tables = [pa.table(side) for side in sides]
    assert bench.figures(*tables)["x"].estimate == pytest.approx(mismatch[1])
    assert [each["cause"]["code"] for each in bench.note(*tables)["features"] if mismatch[1]] == [mismatch[0]] * (
        mismatch[1] > 0
    )


@pytest.mark.parametrize("unit", [1, 1_000])
@pytest.mark.parametrize("kind", ["int64", "float64"])
def test_instants_that_are_numbers_have_time_zones(bench: Bench, unit: int, kind: str) -> None:
    at = 1_700_000_000 + np.random.default_rng(7).integers(0, 10**7, 1_000)
    offline, online = ({"k": range(1_000), "x": ((at + late) * unit).astype(kind)} for late in (0, 5 * 3_600))
    found = cause(bench.note(offline, online))
    assert (found["code"], found["detail"]) == ("time_zone", {"hours": 5.0})


def test_noise_is_explained_by_nothing(bench: Bench) -> None:
    rng = np.random.default_rng(3)
    found = cause(bench.note(*frames(lambda x: x + rng.normal(0, 5, len(x)))))
    assert (found["code"], found["why"]) == ("unknown", "nothing")
    assert found["explained"] < 0.2 * found["rows"]


def test_gaps_are_told_by_side(bench: Bench) -> None:
    offline = {"k": range(4), "x": pa.array([1.0, None, NAN, 4.0], from_pandas=False)}
    online = {"k": range(4), "x": pa.array([None, 2.0, 3.0, 4.0], from_pandas=False)}
    (feature,) = bench.note(offline, online)["features"]
    assert (feature["mismatches"], feature["absent_offline"], feature["absent_online"]) == (3, 2, 1)


@pytest.mark.parametrize("values", [[0.0, 0.0], [1e308, -1e308], [INF, -INF], [NAN, 5e-324]])
def test_extreme_numbers_leave_a_readable_attachment(bench: Bench, values: list[float]) -> None:
    offline = {"k": [1, 2], "x": pa.array(values, from_pandas=False)}
    for other in ([5.0, 7.0], [1e308, 1e308], [-1e308, -1e308], [INF, INF]):
        note = bench.note(offline, {"k": [1, 2], "x": pa.array(other, from_pandas=False)})
        assert note["features"][0]["mismatches"] >= 1


def test_the_attachment_holds_no_value_of_a_text(bench: Bench) -> None:
    offline = {"k": ["k-secret"], "x": ["offline-secret"]}
    (note,) = bench.measure(offline, {"k": ["k-secret"], "x": ["online-secret"]}).notes
    assert b"secret" not in note.content


def test_few_mismatches_have_no_cause_from_which_their_values_follow(bench: Bench) -> None:
    offline, online = frames(lambda x: np.where(np.arange(len(x)) < 49, 2 * x, x))
    assert cause(bench.note(offline, online)) == {
        "code": "unknown", "why": "few", "rows": 49, "explained": 0, "lower": 0.0, "chance": 0.0
    }  # fmt: skip
