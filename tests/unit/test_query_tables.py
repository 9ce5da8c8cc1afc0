"""A query as a table: its digest counts what it says and what it reads, and it reads nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gates.bundle.canonical import digest_document
from gates.errors import EvidenceError, UsageError
from gates.inputs.opened import OpenTable
from gates.inputs.tables import Tables, arrow
from gates.records import Table

SQL = "select s.id, p, y from scores s join labels using (id) where at <= $as_of order by id"
AS_OF = 1_772_323_200_000_000  # 2026-03-01


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    days = pd.to_datetime(["2026-02-27", "2026-02-28", "2026-03-02"], utc=True)
    pd.DataFrame({"id": [1, 2, 3], "p": [0.1, 0.2, 0.3], "at": days}).to_parquet(tmp_path / "scores.parquet")
    pd.DataFrame({"id": [1, 2, 3], "y": [0, 1, 1]}).to_csv(tmp_path / "labels.csv", index=False)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    return tmp_path


def read(folder: Path, sql: str = SQL, as_of_us: int | None = AS_OF, **words: Any) -> tuple[OpenTable, Any]:
    (folder / "q.sql").write_text(sql, encoding="utf-8")
    reads = [{"name": "labels", "uri": "labels.csv"}, {"name": "scores", "uri": "scores.parquet"}]
    table = Table.model_validate({"role": "holdout", "uri": "q.sql", "as_of_us": as_of_us, "reads": reads, **words})
    with Tables(threads=1) as tables:
        opened = tables.open(table, base=folder)
        found = arrow(opened.table)
        tables.unchanged()
    assert opened.source is not None
    assert opened.identity.digest == digest_document(dict(opened.source.document))
    return opened, found


def test_a_query_is_read_as_it_says(folder: Path) -> None:
    opened, found = read(folder)
    assert found.to_pydict() == {"id": [1, 2], "p": [0.1, 0.2], "y": [0, 1]}
    assert (opened.identity.rows, opened.identity.snapshot, opened.identity.uri) == (2, "query", "q.sql")
    assert opened.source is not None
    assert {name: part["rows"] for name, part in opened.source.document["reads"].items()} == {"labels": 3, "scores": 3}


def test_layout_and_comments_do_not_count_and_all_else_does(folder: Path) -> None:
    first = read(folder)[0].identity.digest
    laid_out = (
        "-- why\nSELECT  s.id, p,\n y FROM scores AS s JOIN labels USING (id) /* x */ WHERE at <= $as_of ORDER BY id;"
    )
    assert read(folder, laid_out)[0].identity.digest == first
    assert read(folder, SQL.replace("p, y", "p, 1 - y as y"))[0].identity.digest != first
    assert read(folder, as_of_us=AS_OF + 1)[0].identity.digest != first
    (folder / "labels.csv").write_text("id,y\n1,0\n2,1\n3,0\n")
    assert read(folder)[0].identity.digest != first


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select * from secret", 'reads "secret"'),
        ("select * from 'secret.csv'", 'reads "secret.csv"'),
        ("select * from read_csv('secret.csv')", "a function stands where a table is read"),
        ("select * from query_table('labels')", "a function stands"),
        ("select * from glob('*')", "a function stands"),
        ("select * from main.labels", 'reads "labels"'),
        ("select * from duckdb_settings()", "a function stands"),
        ("select (select max(a) from 'secret.csv') from labels", 'reads "secret.csv"'),
        ("with labels as (select 1 as y) select * from labels", "is a table and a part of the query"),
        ("select *, random() as r from labels", "random is another each time"),
        ("select *, current_date as d from labels", "current_date is another each time"),
        ("select *, now() as d from labels", "is another each time"),
        ("select *, current_setting('threads') as d from labels", "is another each time"),
        ("select * from labels using sample 10%", "a sample is another one"),
        ("copy labels to 'out.csv'", "one SELECT"),
        ("select 1; select 2", "one SELECT"),
        ("create table t as select 1", "one SELECT"),
        ("attach 'x.db'", "one SELECT"),
        ("", "one SELECT"),
        ("select from where", "is no SQL"),
        ("select * from labels, lateral read_csv('secret.csv')", "a function stands"),
        ("select * from labels, lateral query('select random() as r')", "a function stands"),
        ("select labels.* from labels left join lateral read_text('secret.csv') on true", "a function stands"),
        ("select * from labels where y in (select 1 from glob('*'))", "a function stands"),
        ("select * from labels, unnest((select list(content) from read_text('secret.csv')))", "a function stands"),
        ("select * from labels, lateral (select random() as r)", "random is another each time"),
        ('select list_transform([1], lambda q: "random"()) as r from labels', "random is another each time"),
        ('with "secret.csv" as (select * from "secret.csv") select * from "secret.csv"', 'reads "secret.csv"'),
        (
            'select * from "secret.csv", (with "secret.csv" as (select 1) select * from "secret.csv")',
            'reads "secret.csv"',
        ),
        ("select * from (summarize labels)", "show ref is nothing that a table's query has"),
        ("with gone as (delete from labels returning y) select * from gone", "one SELECT"),
        ("select * from labels where y = $other", "nothing stands for"),
        ("select nothing from labels", "cannot be read as a table"),
        ("select id, id from labels", "two columns are called"),
    ],
)
def test_it_reads_what_the_spec_names_and_nothing_else(folder: Path, sql: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        read(folder, sql)
    assert "\n" not in str(caught.value)
    assert not (folder / "out.csv").exists()


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (
            "select l.id, n.v from labels l, lateral (select l.y + 1 as v) n where n.v = 2",
            [{"id": 2, "v": 2}, {"id": 3, "v": 2}],
        ),
        (
            "select id, u from labels, unnest([y, 7]) as g(u) where id = 1 order by u",
            [{"id": 1, "u": 0}, {"id": 1, "u": 7}],
        ),
        ("with recursive r as (select 1 as i union all select i + 1 from r where i < 2) from r", [{"i": 1}, {"i": 2}]),
        ("with a as (select id from labels), b as (select max(id) as m from a) from b", [{"m": 3}]),
        (
            "select * from (pivot labels on y in (0, 1) using count(*) group by id) where id = 1",
            [{"id": 1, "0": 1, "1": 0}],
        ),
    ],
)
def test_what_reads_only_the_tables_is_let_through(folder: Path, sql: str, rows: list[dict[str, int]]) -> None:
    assert read(folder, sql)[1].to_pylist() == rows


def test_a_table_that_it_read_and_that_changes_is_found(folder: Path) -> None:
    (folder / "q.sql").write_text("select * from labels")
    table = Table.model_validate(
        {"role": "holdout", "uri": "q.sql", "reads": [{"name": "labels", "uri": "labels.csv"}]}
    )
    with Tables(threads=1) as tables:
        tables.open(table, base=folder)
        (folder / "labels.csv").write_text("id,y\n1,0\n")
        with pytest.raises(EvidenceError, match="changed while it was measured"):
            tables.unchanged()


def test_as_of_must_be_said_and_a_query_must_be_there(folder: Path) -> None:
    with pytest.raises(UsageError, match="nothing stands for"):
        read(folder, as_of_us=None)
    table = Table.model_validate({"role": "holdout", "uri": "none.sql", "reads": [{"name": "l", "uri": "labels.csv"}]})
    with Tables(threads=1) as tables, pytest.raises(UsageError, match="no readable text"):
        tables.open(table, base=folder)
