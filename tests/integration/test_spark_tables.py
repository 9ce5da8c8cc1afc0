"""Tables on DuckDB and on a local Spark: the same rows, identities and requests, and one line where it cannot be."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from spark_world import plan, world

from gates.errors import EvidenceError, UsageError
from gates.inputs.engines import reading
from gates.inputs.tables import Tables, arrow, row, scalar
from gates.inputs.tables_spark import SparkEngine
from gates.inputs.values import finite, infinite
from gates.measure.interface import Scored
from gates.measure.sampling import drawn
from gates.measure.scored import scored_by_scorer, scored_by_tables
from gates.measure.scored_features import write_features
from gates.measure.sums import exact_sum
from gates.records import (
    Columns,
    Table,
    TableIdentity,
)


class TestTables:
    def test_csv_and_parquet_hold_the_same_rows_on_both(self, spark: Tables, duckdb: Tables, tmp_path: Path) -> None:
        world(300).to_csv(tmp_path / "a [1]'.csv", index=False)
        world(300).to_parquet(tmp_path / "a [1]*%20{b}.parquet")
        for name in ("a [1]'.csv", "a [1]*%20{b}.parquet"):
            ours, theirs = (tables.open_file("holdout", tmp_path / name) for tables in (spark, duckdb))
            assert ours.identity == theirs.identity
            rows = [opened.table.order_by("id").to_pyarrow().to_pylist() for opened in (ours, theirs)]
            assert repr(rows[0]) == repr(rows[1])

    def test_an_infinity_is_none_of_the_finite_numbers_on_either(
        self, spark: Tables, duckdb: Tables, tmp_path: Path
    ) -> None:
        pa_table = pa.table({"x": pa.array([1.0, math.inf, -math.inf, math.nan, None, 3.0])})
        pq.write_table(pa_table, tmp_path / "x.parquet")
        for tables in (spark, duckdb):
            x = tables.open_file("holdout", tmp_path / "x.parquet").table.x
            seen = row(
                x.as_table().aggregate(finite=finite(x).sum(), infinite=infinite(x).sum(), most=x.max(where=finite(x)))
            )
            assert seen == {"finite": 2, "infinite": 2, "most": 3.0}

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
