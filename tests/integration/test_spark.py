"""The same code on DuckDB and on a local Spark: the same figures from the same files, and one line where it cannot be."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from contract_world import AS_OF, broken, contract, found
from contract_world import column as declared

from gates.errors import EvidenceError, UsageError
from gates.inputs.engines import reading
from gates.inputs.tables import Tables, arrow, row, scalar
from gates.inputs.tables_spark import SparkEngine
from gates.measure.backfill import BackfillGate
from gates.measure.calibration import CalibrationGate
from gates.measure.data import DataGate
from gates.measure.data.gate import measurer
from gates.measure.fairness import FairnessGate
from gates.measure.interface import Anchor, Gate, Given, Scored
from gates.measure.parity import ParityGate
from gates.measure.regression import RegressionGate
from gates.measure.sampling import drawn
from gates.measure.scored import scored_by_scorer, scored_by_tables
from gates.measure.scored_features import write_features
from gates.measure.sums import exact_sum
from gates.records import (
    Backfill,
    Columns,
    ModelVersion,
    Parameters,
    Plan,
    Reason,
    Requirement,
    Slice,
    Table,
    TableIdentity,
)
from gates.records.plan import Interval, Quantile, TableRole

DIGEST = "sha256:" + "0" * 64
TOLERANCE = 1e-9
PEOPLE = (("ann", 9), ("bo", 11), ("cy", 13))
ASKED_FOR = ("near_duplicates", "krippendorff_alpha", "label_delay")
OF_SCORES: tuple[Gate, ...] = (CalibrationGate(), RegressionGate(), FairnessGate())
CHAMPION = ModelVersion(name="m", version="1", digest=DIGEST)


@pytest.fixture(scope="module")
def spark() -> Iterator[Tables]:
    with pytest.MonkeyPatch.context() as patch:
        # Half the time: what is compiled here runs once. A fifth of the rest goes into proofs that Spark's own bytecode is sound.
        unproven = "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
        patch.setenv("JAVA_TOOL_OPTIONS", f"-XX:TieredStopAtLevel=1 {unproven}")
        with Tables(partial(SparkEngine, memory="1g", cores=2)) as tables:
            yield tables


@pytest.fixture(scope="module")
def duckdb() -> Iterator[Tables]:
    with Tables(threads=2) as tables:
        yield tables


def world(rows: int = 3_000, seed: int = 7) -> pd.DataFrame:
    """Ties, scores of exactly 0 and 1 and at both ends of the doubles, nulls and NaN, names that sort differently."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.2, 5, rows)
    p[6:400] = np.round(p[6:400], 2)
    p[:6] = [0.0, 1.0, 0.5, 5e-324, 1 - 2**-53, 2**-41]
    y = (rng.random(rows) < p).astype("int64")
    q = np.clip(p + rng.normal(0, 0.05, rows), 0, 1)
    segment = rng.choice(np.array(["a", "B", "ü", "Z", "(x)", "😀", "\ufffd"], dtype=object), rows)
    segment[:25] = None
    age = rng.normal(40, 10, rows)
    age[rng.choice(rows, min(60, rows // 2), replace=False)] = np.nan
    frame = pd.DataFrame({"id": np.arange(rows), "day": [f"d{d:02}" for d in rng.integers(0, 40, rows)]})
    frame = frame.assign(segment=segment, age=age, y=y, p=p, q=q, weight=rng.gamma(2, 1, rows))
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**6, rows), unit="s")
    return frame.assign(at=moments.astype("datetime64[us]")).sample(frac=1, random_state=seed)


def plan(*, columns: Columns, **parameters: Any) -> Plan:
    segment_a = Slice(kind="value", column="segment", value="a")
    named = [Requirement(environment="development", check="calibration.ece", role="prove", slice=segment_a)]
    return Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("development",),
        requirements=tuple(named),
        parameters=Parameters(**parameters),
        columns=columns,
        tables=(),
        policy_digest=DIGEST,
        spec_digest=DIGEST,
    )


def differences(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Return where two documents differ: numbers by more than TOLERANCE of their size, all else at all."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return [line for key in ours for line in differences(ours[key], theirs[key], f"{at}.{key}")]
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple) and len(ours) == len(theirs):
        return [
            line for i, pair in enumerate(zip(ours, theirs, strict=True)) for line in differences(*pair, f"{at}[{i}]")
        ]
    if isinstance(ours, float) and isinstance(theirs, float):
        same = math.isclose(ours, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        return [] if same else [f"{at}: {ours!r} and {theirs!r}"]
    return [] if ours == theirs else [f"{at}: {ours!r} and {theirs!r}"]


def scores(asked: Plan, folder: Path, anchor: dict[str, Any], tables: Tables) -> Given:
    """What the gates of scores read of `p.parquet`; where the plan slices, the rows are their own gold table."""
    files = {"predictions": folder / "p.parquet", "training": folder / "training.parquet"}
    opened = {role: tables.open_file(role, path) for role, path in files.items() if path.exists()}
    scored = scored_by_tables(tables, asked, opened)
    assert isinstance(scored, Scored), scored
    table = tables.keep(scored.table.mutate(**{name: of(scored.table) for name, of in anchor.items()}))
    scored = replace(scored, table=table)
    gold = scored if asked.parameters.slices else Reason.NOT_PROVIDED
    return Given(asked, opened, scored, CHAMPION, gold=gold, anchor=Anchor(CHAMPION, 1, 1))


def figures(gate: Gate, given: Given) -> Any:
    found = gate.measure(given)
    return [measurement.document() for measurement in found.measurements], [
        json.loads(note.content) for note in found.notes
    ]


def agree(
    gates: tuple[Gate, ...], given: Callable[[Tables], Given], spark: Tables, duckdb: Tables
) -> list[dict[str, Any]]:
    """Return what both engines give alike."""
    found: list[dict[str, Any]] = []
    there = [given(tables) for tables in (duckdb, spark)]
    for gate in gates:
        theirs, ours = (figures(gate, each) for each in there)
        assert differences(ours, theirs) == []
        found += ours[0]
    return found


def measured(found: list[dict[str, Any]], *checks: str) -> list[dict[str, Any]]:
    """Measured figures of the checks that begin so; of each one at least."""
    some = [m for m in found if m["status"] == "measured" and m["check"].startswith(checks)]
    assert all(any(m["check"].startswith(check) for m in some) for check in checks)
    return some


class TestFigures:
    """Everything that rests on scores, once for each task; with and without weights, clusters and levels."""

    def test_binary(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        frame = world(2_000)
        frame.assign(region=frame.segment.isin(["a", "B"]).map({True: "north", False: "ü"})).to_parquet(
            tmp_path / "p.parquet", row_group_size=700
        )
        columns = Columns(
            label="y", score="p", champion_score="q", key=("id",), weight="weight", groups=("region", "segment")
        )
        asked = plan(columns=columns, slices=("segment",), cluster="day")
        anchor = {"anchor": lambda t: (t.p + t.q) / 2}
        found = agree(OF_SCORES, partial(scores, asked, tmp_path, anchor), spark, duckdb)
        assert {m["slice"].get("value") for m in found} >= {"a", "ü", "😀", "\ufffd", "(null)"}
        assert len(measured(found, "calibration.")) > 20
        assert len(measured(found, "regression.")) > 60
        assert measured(found, "fairness.selection_rate_ratio", "fairness.ece")
        assert measured(found, "regression.brier_vs_anchor")
        assert measured(found, "regression.gold_log_loss")

    @pytest.mark.long
    def test_classes(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        frame, rng = world(1_500), np.random.default_rng(4)
        names = [f"{whose}_{k}" for whose in "pq" for k in range(3)]
        said = np.hstack([rng.dirichlet((2, 1, 1), len(frame)), rng.dirichlet((1, 1, 1), len(frame))])
        drawn = (said[:, :3].cumsum(axis=1) < rng.random((len(frame), 1))).sum(axis=1)
        sets = {f"set_{k}": said[:, k] > 0.2 for k in range(3)}
        frame = frame[["id", "day", "segment"]].assign(
            **dict(zip(names, said.T, strict=True)), **sets, y=np.array(["mid", "Ö", "low"])[drawn]
        )
        frame.to_parquet(tmp_path / "p.parquet")
        columns = Columns(
            label="y",
            classes=("mid", "Ö", "low"),
            class_scores=tuple(names[:3]),
            champion_class_scores=tuple(names[3:]),
            set_columns=tuple(sets),
        )
        asked = plan(columns=columns).model_copy(update={"task": "multiclass"})
        anchor = {f"anchor_{k}": lambda t, k=k: (t[f"p_{k}"] + t[f"q_{k}"]) / 2 for k in range(3)}
        found = agree(OF_SCORES, partial(scores, asked, tmp_path, anchor), spark, duckdb)
        assert measured(found, "calibration.ece")
        assert measured(found, "calibration.under_coverage")
        assert measured(found, "regression.log_loss_vs_champion")
        assert measured(found, "regression.brier_vs_anchor")

    @pytest.mark.long
    def test_numbers(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        frame, rng = world(2_000), np.random.default_rng(9)
        frame["p"], frame["q"] = 300 * frame.p, 300 * frame.q
        frame["y"] = frame.p + rng.normal(0, 10, len(frame))
        # Half of them tie: one stratum of width and several of prediction.
        half = np.where(rng.random(len(frame)) < 0.5, 15.0, rng.gamma(4, 4, len(frame)))
        frame = frame.assign(lower=frame.p - half, upper=frame.p + half, inner=frame.p + half / 3, median=frame.p + 1)
        frame = frame.assign(theirs=frame.q - 2)
        frame.to_parquet(tmp_path / "p.parquet", row_group_size=500)
        frame.sample(frac=0.7, random_state=2).to_parquet(tmp_path / "training.parquet")
        columns = Columns(
            label="y",
            score="p",
            champion_score="q",
            key=("id",),
            weight="weight",
            intervals=(
                Interval(level=0.9, lower="lower", upper="upper"),
                Interval(level=0.5, lower="lower", upper="inner"),
            ),
            quantiles=(Quantile(level=0.5, column="median"),),
            champion_quantiles=(Quantile(level=0.5, column="theirs"),),
        )
        asked = plan(columns=columns, cluster="day").model_copy(update={"task": "numeric"})
        anchor = {"anchor": lambda t: (t.p + t.q) / 2}
        found = agree(OF_SCORES, partial(scores, asked, tmp_path, anchor), spark, duckdb)
        seen = {(m["check"], (m.get("item") or {}).get("name")) for m in found if m["status"] == "measured"}
        assert seen >= {
            ("calibration.level_coverage", "0.5"),
            ("calibration.stratum_under_coverage", "prediction 5"),
            ("calibration.width_vs_baseline", None),
            ("calibration.quantile", "0.5"),
            ("calibration.pit", None),
        }
        assert measured(found, "regression.pinball_vs_champion")
        assert measured(found, "regression.mae_vs_anchor")

    @pytest.mark.long
    def test_backfill(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        live = world(600)
        live["day"] = live["at"].dt.date
        live = live.assign(arrived=live["at"] + pd.Timedelta("1h"), seen=live["at"] - pd.Timedelta("1h"))
        live["segment"] = live["segment"].where(live["id"] % 9 > 0, "|")
        shadow = live.drop(index=live.index[:5]).reset_index(drop=True)
        shadow.loc[10:40, "age"] += 1e-9
        shadow.loc[50:52, "p"] = [np.inf, np.nan, -0.0]
        shadow.loc[60:69, ["arrived", "seen"]] += pd.Timedelta("90min")
        shadow.loc[70:71, "day"] = None
        shadow = pd.concat([shadow, shadow[100:107]])
        rerun = shadow.sample(frac=1, random_state=1, ignore_index=True)
        rerun.loc[3, "weight"] *= 1 + 2**-52
        training = pd.concat([live[:30], shadow[30:]])
        given_tables = {"live": live, "shadow": shadow.astype({"y": "float64"}), "rerun": rerun, "training": training}
        for role, frame in given_tables.items():
            frame.to_parquet(tmp_path / f"{role}.parquet", row_group_size=100, index=False)
        backfill = Backfill(
            partition="day",
            from_us=1_704_240_000_000_000,
            to_us=1_704_672_000_000_000,
            lateness_s=7_200,
            known=("seen",),
            ttl_s=3_599,
        )
        asked = plan(columns=Columns(label="y", key=("id",), time="at", ingested="arrived")).model_copy(
            update={"backfill": backfill}
        )

        def given(tables: Tables) -> Given:
            roles = [Table(role=role, uri=f"{role}.parquet") for role in given_tables]  # type: ignore[arg-type]
            return Given(asked, tables.open_all(roles, base=tmp_path), Reason.NOT_PROVIDED, None)

        found = agree((BackfillGate(),), given, spark, duckdb)
        seen = {m["check"].removeprefix("backfill."): m.get("estimate") for m in found if "item" not in m}
        assert (seen["keys_missing"], seen["keys_repeated"], seen["late_rows"], seen["known_later"]) == (5, 7, 10, 10)
        assert seen["rerun_difference"] == 1
        assert {name for name, value in seen.items() if value == 0} == {"columns", "keys_added"}
        assert all(value is not None for value in seen.values())

    def test_data(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        holdout = world(2_000)
        training = world(1_500, seed=8)
        training["age"] = training.age.clip(25, 60)
        training["segment"] = training.segment.replace("Z", "a")
        holdout.to_parquet(tmp_path / "holdout.parquet", row_group_size=500)
        training.to_parquet(tmp_path / "training.parquet")
        asked = plan(columns=Columns(label="y", key=("day", "segment"), time="at", features=("age", "segment", "at")))

        def given(tables: Tables) -> Given:
            opened = {
                "holdout": tables.open_file("holdout", tmp_path / "holdout.parquet", as_of_us=1_705_000_000_000_000),
                "training": tables.open_file("training", tmp_path / "training.parquet"),
            }
            return Given(asked, opened, Reason.NOT_PROVIDED, None)

        found = agree((DataGate(),), given, spark, duckdb)
        seen = {(m["check"], (m.get("item") or {}).get("name")): m.get("estimate") for m in found}
        assert seen["data.null_rate_difference", "age"] == 60 / 2_000 - 60 / 1_500
        assert seen["data.out_of_range", "age"] > 0
        assert seen["data.out_of_range", "segment"] > 0
        assert seen["data.duplicate_keys", None] > 0
        assert seen["data.holdout_overlap", "training"] > 0

        renamed = pd.concat([training, holdout]).assign(day=lambda t: "x" + t["day"])
        renamed.to_parquet(tmp_path / "training.parquet")
        found = agree((DataGate(),), given, spark, duckdb)
        copied = next(m for m in found if m["check"] == "data.holdout_overlap")
        assert (copied["estimate"], copied["params"][0]["value"]) == (2_000, "features")

    @pytest.mark.long
    def test_data_that_is_asked_for(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        holdout = world(1_500).drop_duplicates("id").assign(label=lambda t: t.y)
        holdout["came"] = holdout["at"] + pd.to_timedelta(holdout["id"] % 7 - 1, "D")
        training = holdout.sample(700, random_state=1)
        training["age"] *= 1 + np.tile([1e-9, 0.5], 350)
        people = [
            holdout[["id", "y"]].assign(who=who, y=lambda t, k=k: (t.y + (t.id % k == 0)) % 2) for who, k in PEOPLE
        ]
        for role, table in (("holdout", holdout), ("training", training), ("annotations", pd.concat(people))):
            table.to_parquet(tmp_path / f"{role}.parquet")
        columns = Columns(
            label="y", key=("id",), time="at", labelled="came", annotator="who", features=("age", "weight")
        )
        asked = plan(columns=columns, maturation_seconds=3 * 86_400)

        def given(tables: Tables) -> Given:
            as_of_us = int(holdout["at"].max().timestamp()) * 1_000_000
            opened = {
                role: tables.open_file(role, tmp_path / f"{role}.parquet", as_of_us=as_of_us)
                for role in ("holdout", "training", "annotations")
            }
            return Given(asked, opened, Reason.NOT_PROVIDED, None)

        on_both = [
            [figure for check in ASKED_FOR for figure in measurer(f"data.{check}")(given(tables))]
            for tables in (duckdb, spark)
        ]
        for ours, theirs in zip(*on_both, strict=True):
            assert ours == theirs
            assert ours.estimate not in (None, 0, 1), ours.check

    def test_contracts(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        sql = {"type": "sql", "mustBe": 0}
        missing = {"metric": "missingValues", "arguments": {"missingValues": [None, ""]}, "mustBe": 0}
        nulls = {"metric": "nullValues", "mustBe": 0, "arguments": {"slices": ["text"]}}
        said = contract(
            declared("id", "integer", required=True, unique=True, primaryKey=True, physicalType="SMALLINT"),
            declared("number", "number", options={"minimum": -1, "exclusiveMaximum": 2.5, "multipleOf": 0.01}),
            declared("text", "string", options={"pattern": "^[A-Z]{1,2}$", "maxLength": 2}, quality=[missing]),
            declared("at", "timestamp", options={"minimum": "2024-01-01T12:00:00+02:00"}),
            declared("half", "integer", quality=[nulls], enum=[{"value": 1}, {"value": 2}]),
            declared("written", "integer", physicalType="VARCHAR(9)"),
            declared("real", "number", physicalType="VARCHAR(9)"),
            declared("letter", "string"),
            quality=[
                {**sql, "query": "number / half > 1 or text like 'U%' and at >= '2024-01-01'"},
                {**sql, "query": "SELECT COUNT(DISTINCT text) FROM {object} WHERE abs(number) < 1"},
                {**sql, "query": "SELECT MAX(coalesce(half, 0) % 3) FROM flights"},
                {**sql, "query": "number >= -1 and not number > 1"},
                {**sql, "query": "cast(number as int) = 1"},
                {**sql, "query": "cast(letter as int) is null and cast(real as double) > 0"},
                {**sql, "query": "length(upper(letter)) = 1"},
                {**sql, "query": "lower(letter) in ('a', 'é', 'i', 'σ')"},
                {**sql, "query": "SELECT AVG(number) FROM flights"},
            ],
            top={"slaProperties": [{"property": "latency", "value": 1, "unit": "min", "element": "at"}]},
        )
        rng = np.random.default_rng(3)
        n = 400
        table = pa.table(
            {
                "id": pa.array([None, *rng.integers(0, 70_000, n - 1)], pa.int64()),
                "number": pa.array(
                    [math.nan, math.inf, -math.inf, None, *rng.normal(0, 2, n - 4).round(2)], pa.float64()
                ),
                "text": pa.array(rng.choice(["UA", "A\n", "ua", "", "Ü", "ABC"], n).tolist(), pa.string()),
                "at": pa.array(AS_OF - rng.integers(10**8, 10**11, n), pa.timestamp("us", "UTC")),
                "half": pa.array([None, *rng.integers(0, 6, n - 1) / 2], pa.float64()),
                "written": pa.array(rng.choice(["7", "-7", "+7", " 7", "1.5", "1e3", "7d", "x", "9" * 20], n).tolist()),
                "real": pa.array(rng.choice(["7", ".5", "1e3", "1e999", " 7", "7d", "NaN", "inf"], n).tolist()),
                "letter": pa.array(rng.choice(["a", "É", "ß", "ŉ", "İ", "Σ", "ς", "3", "3.5"], n).tolist()),
            }
        )
        here, there = (found(tmp_path, table, said, tables=tables) for tables in (duckdb, spark))
        assert broken(here) == broken(there)
        assert len(broken(here)) > 15

    def test_parity(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        offline = world(2_000)
        online = offline.sample(frac=0.9, random_state=3)
        online["age"] *= 1.25
        online.iloc[:30, online.columns.get_loc("weight")] = [np.inf, -np.inf, np.nan] * 10
        online.iloc[40:55, online.columns.get_loc("segment")] = "else"
        online.iloc[:20, online.columns.get_loc("at")] += pd.Timedelta(1, "h")
        offline.to_parquet(tmp_path / "offline.parquet")
        online.to_parquet(tmp_path / "online.parquet")
        asked = plan(columns=Columns(key=("id",), features=("age", "segment", "at", "weight", "p")))

        def given(tables: Tables) -> Given:
            opened = {role: tables.open_file(role, tmp_path / f"{role}.parquet") for role in ("offline", "online")}
            return Given(asked, opened, Reason.NOT_PROVIDED, None)

        found = agree((ParityGate(),), given, spark, duckdb)
        wrong = {m["item"]["name"]: m["estimate"] * m["n"] for m in found if m["check"] == "parity.mismatch"}
        assert wrong["p"] == 0
        assert wrong["weight"] == 30
        assert round(wrong["at"]) == 20
        assert wrong["age"] > 1_500

    def test_what_was_known_at_a_rows_time(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        frame, rng = world(2_000), np.random.default_rng(3)
        events = frame.sample(n=1_500, random_state=1)
        events["seen_at"] = events["at"] + pd.to_timedelta(rng.integers(0, 10**5, 1_500), unit="s")
        events["at"] = events["at"].where(rng.random(1_500) < 0.95)
        training = frame.assign(at=frame["at"] + pd.to_timedelta(rng.integers(-(10**4), 10**5, 2_000), unit="s"))
        training.to_parquet(tmp_path / "training.parquet", row_group_size=100)
        events.to_parquet(tmp_path / "events.parquet")
        asked = plan(
            columns=Columns(key=("day", "id"), time="at", ingested="seen_at", features=("segment", "age")),
            max_rows=1_000,
        )

        def given(tables: Tables) -> Given:
            names: list[TableRole] = ["training", "events"]
            opened = {role: tables.open_file(role, tmp_path / f"{role}.parquet") for role in names}
            return Given(asked, opened, Reason.NOT_PROVIDED, None)

        found = agree((ParityGate(),), given, spark, duckdb)
        past = [m for m in found if m["check"] in {"parity.asof_mismatch", "parity.known_later"}]
        assert {m["scope"] for m in past} == {"sample"}
        assert all(m["estimate"] > 0.01 for m in past if m["item"]["name"] == "age")


class TestTables:
    def test_csv_and_parquet_hold_the_same_rows_on_both(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        world(300).to_csv(tmp_path / "a [1]'.csv", index=False)
        world(300).to_parquet(tmp_path / "a [1]*%20{b}.parquet")
        for name in ("a [1]'.csv", "a [1]*%20{b}.parquet"):
            ours, theirs = (tables.open_file("holdout", tmp_path / name) for tables in (spark, duckdb))
            assert ours.identity == theirs.identity
            rows = [opened.table.order_by("id").to_pyarrow().to_pylist() for opened in (ours, theirs)]
            assert repr(rows[0]) == repr(rows[1])

    def test_a_named_table_is_known_by_its_rows(self, spark: Tables, tmp_path: Path) -> None:
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        frame = world(40)[["id", "segment", "age", "p"]]

        def opened(frame: pd.DataFrame, parts: int) -> TableIdentity:
            session.createDataFrame(frame).repartition(parts).createOrReplaceTempView("scores")
            return spark.open(Table(role="holdout", uri="table:scores"), base=tmp_path).identity

        first = opened(frame, 1)
        assert (first.rows, first.uri) == (40, "table:scores")
        assert opened(frame.sample(frac=1, random_state=1), 3) == first
        digests = {first.digest}
        changes = {"p": 0.123, "segment": "null", "age": 1.0}
        for column, value in changes.items():
            other = frame.copy()
            other.iloc[0, other.columns.get_loc(column)] = value
            digests.add(opened(other, 2).digest)
        digests.add(opened(pd.concat([frame, frame.iloc[:1]]), 2).digest)
        digests.add(opened(frame.rename(columns={"p": "q"}), 2).digest)
        assert len(digests) == 6
        with pytest.raises(UsageError, match="cannot be read as a table"):
            spark.open(Table(role="holdout", uri="table:nowhere"), base=tmp_path)
        with Tables(threads=1) as files, pytest.raises(UsageError, match="engine: spark"):
            files.open(Table(role="holdout", uri="table:scores"), base=tmp_path)

    @pytest.mark.long
    def test_a_named_table_that_is_written_meanwhile_is_found(self, spark: Tables, tmp_path: Path) -> None:
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        session.range(5).write.parquet(str(tmp_path / "rows"))
        session.read.parquet(str(tmp_path / "rows")).createOrReplaceTempView("growing")
        with Tables(SparkEngine) as tables:
            tables.open(Table(role="holdout", uri="table:growing"), base=tmp_path)
            tables.unchanged()
            kept = next((tmp_path / "rows").glob("*.parquet"))
            (kept.parent / f".{kept.name}.crc").unlink()
            pd.DataFrame({"id": [9]}).to_parquet(kept)
            with pytest.raises(EvidenceError, match="changed while it was measured"):
                tables.unchanged()

    def test_what_files_state_of_their_range_is_not_believed(self, spark: Tables, tmp_path: Path) -> None:
        values = [0.0, 1.0, math.nan, 1.0, math.inf, 0.5]
        pq.write_table(pa.table({"p": pa.array(values, from_pandas=False)}), tmp_path / "a.parquet", row_group_size=2)
        table = spark.keep(spark.open_file("holdout", tmp_path / "a.parquet").table)
        assert scalar(table.filter(table.p.isnan()).count()) == 1
        assert scalar(table.filter(~table.p.between(0, 1)).count()) == 2

    def test_a_sum_beyond_64_bits_is_exact(self, spark: Tables, tmp_path: Path) -> None:
        """16 rows of 2^19 on a grid of 2^-40 are 2^63."""
        pd.DataFrame({"v": [2.0**19] * 20 + [-(2.0**-40)]}).to_parquet(tmp_path / "a.parquet")
        table = spark.open_file("holdout", tmp_path / "a.parquet").table
        assert row(table.aggregate(up=exact_sum(table.v), down=exact_sum(-table.v))) == {
            "up": 20 * 2.0**19 - 2.0**-40,
            "down": 2.0**-40 - 20 * 2.0**19,
        }

    def test_the_scorer_gets_the_features_in_an_order_that_comes_again(self, spark: Tables, tmp_path: Path) -> None:
        frame = world(400).sort_values("y")
        frame.to_parquet(tmp_path / "h.parquet")
        asked = plan(columns=Columns(label="y", features=("age", "segment", "weight")))
        holdout = spark.open_file("holdout", tmp_path / "h.parquet")
        assert write_features(spark, holdout, asked, tmp_path / "features.parquet") == 400
        features = pd.read_parquet(tmp_path / "features.parquet")
        assert sorted(features.row_id) == list(range(400))
        weight = features.set_index("row_id").sort_index().weight
        assert abs(np.corrcoef(weight, np.arange(400))[0, 1]) < 0.15
        answer = pd.DataFrame({"row_id": features.row_id, "p": features.weight / (1 + features.weight)})
        answer.to_parquet(tmp_path / "scores.parquet")
        scored = scored_by_scorer(spark, asked, holdout, tmp_path / "scores.parquet")
        assert isinstance(scored, Scored)
        found = scored.table.select("y", "p").to_pyarrow().to_pandas().sort_values(["p"])
        want = frame.assign(p=frame.weight / (1 + frame.weight)).sort_values("p")
        assert found.p.to_numpy() == pytest.approx(want.p.to_numpy(), abs=0)
        assert (found.y.to_numpy() == want.y.to_numpy()).all()

    def test_rows_without_a_key_have_no_partner(self, spark: Tables, tmp_path: Path) -> None:
        world(50).to_parquet(tmp_path / "a.parquet")
        opened = {
            role: spark.open_file(role, tmp_path / "a.parquet") for role in ("predictions", "champion_predictions")
        }
        with pytest.raises(UsageError, match="no key says which rows belong together"):
            scored_by_tables(spark, plan(columns=Columns(label="y", score="p")), opened)

    def test_both_engines_draw_the_same_sample(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        world().to_parquet(tmp_path / "a.parquet")
        key = ("id", "day", "at")
        asked = plan(columns=Columns(label="y", score="p", key=key), max_rows=1_000)
        samples = []
        for tables in (spark, duckdb):
            scored = scored_by_tables(
                tables, asked, {"predictions": tables.open_file("predictions", tmp_path / "a.parquet")}
            )
            assert isinstance(scored, Scored)
            samples.append(sorted(drawn(scored, asked).table.p.to_pyarrow().to_pylist()))
        assert 800 < len(samples[0]) < 1_200
        assert samples[0] == samples[1]

    def test_a_damaged_file_is_one_line(self, spark: Tables, tmp_path: Path) -> None:
        world(2_000).to_parquet(tmp_path / "whole.parquet")
        raw = bytearray((tmp_path / "whole.parquet").read_bytes())
        raw[100:30_000] = b"\x00" * 29_900
        (tmp_path / "a.parquet").write_bytes(raw)
        (tmp_path / "b.parquet").write_bytes(raw[:500])
        (tmp_path / "c.csv").write_bytes(b"y,p\n\xff\xfe,1\n")
        for name in ("a.parquet", "b.parquet", "c.csv"):
            with pytest.raises(UsageError) as caught, reading(name):
                spark.open_file("holdout", tmp_path / name).table.to_pyarrow()
            assert (caught.value.code, caught.value.exit_code) == ("table.unreadable", 2)
            assert "\n" not in str(caught.value)

    def test_a_session_that_was_there_is_left_as_it_was(self, spark: Tables, tmp_path: Path) -> None:
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        session.conf.set("spark.sql.session.timeZone", "America/Lima")
        try:
            with Tables(SparkEngine) as tables:
                world(20).to_parquet(tmp_path / "a.parquet")
                assert tables.open_file("holdout", tmp_path / "a.parquet").identity.rows == 20
            assert session.conf.get("spark.sql.session.timeZone") == "America/Lima"
            assert session.range(3).count() == 3
        finally:
            session.conf.set("spark.sql.session.timeZone", "UTC")


def test_a_request_log_gives_the_same_rows_and_a_query_names_a_view(
    spark: Tables, duckdb: Tables, tmp_path: Path
) -> None:
    requests = [{"inputs": {"x": [1, 2.5], "c": ["a", None]}}, {"instances": [{"x": 3, "c": "ü"}]}, "{"]
    log = pd.DataFrame(
        {
            "invocation_id": ["a", "b", "c"],
            "event_time": pd.to_datetime(["2026-03-01 10:00", "2026-03-01 11:00", "2026-03-01 12:00"], utc=True),
            "status_code": 200,
            "latency_ms": 3,
            "request": [r if isinstance(r, str) else json.dumps(r) for r in requests],
            "response": json.dumps({"predictions": [0.25]}),
        }
    )
    log.astype({"event_time": "datetime64[us, UTC]"}).to_parquet(tmp_path / "log.parquet", index=False)
    asked = Table.model_validate({"role": "online", "uri": "log.parquet", "log": {"format": "databricks", "id": "k"}})
    both = [tables.open(asked, base=tmp_path) for tables in (spark, duckdb)]
    assert both[0].identity == both[1].identity
    on_spark, on_duckdb = (arrow(each.table.order_by("k", "request_row")).to_pylist() for each in both)
    for one in (*on_spark, *on_duckdb):
        one["event_time"] = one["event_time"].replace(tzinfo=None)  # Ibis gives Spark's times no zone
    assert on_spark == on_duckdb
    assert [(row["k"], row["x"], row["c"], row["prediction"]) for row in on_spark] == [
        ("a", 1.0, "a", None),
        ("a", 2.5, None, None),
        ("b", 3.0, "ü", 0.25),
    ]
    (tmp_path / "q.sql").write_text("select k from t")
    log.to_parquet(tmp_path / "t.parquet", index=False)
    query = Table.model_validate({"role": "online", "uri": "q.sql", "reads": [{"name": "t", "uri": "t.parquet"}]})
    with pytest.raises(UsageError, match="table:VIEW"):
        spark.open(query, base=tmp_path)
