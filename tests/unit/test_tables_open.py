"""Opening tables: any path, any bytes; one line for what cannot be read, and an identity of the exact bytes."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates.errors import EvidenceError, UsageError
from gates.inputs.tables import Tables, column, scalar
from gates.plan.placeholders import resolve_path
from gates.records import Table


@pytest.fixture
def tables() -> Iterator[Tables]:
    # Of a test of its own: what it leaves broken is said when the engine is closed.
    with Tables(threads=1) as engine:
        yield engine


FRAME = pd.DataFrame({"y": [0, 1, 1], "p": [0.25, 0.5, 0.75], "größe": ["a", None, "c"]})


@pytest.mark.parametrize("suffix", ["parquet", "csv", "csv.gz"])
@pytest.mark.parametrize("folder", ["plain", "qu'o\"te; DROP", "[x]*?{a,b}", "ünï cödé", "%41 #?&", "-n"])
def test_any_path_opens_and_its_identity_is_of_the_bytes(
    tables: Tables, tmp_path: Path, folder: str, suffix: str
) -> None:
    (tmp_path / folder).mkdir()
    path = tmp_path / folder / f"h[1]'.{suffix}"
    FRAME.to_parquet(path) if suffix == "parquet" else FRAME.to_csv(path, index=False)
    opened = tables.open(Table(role="holdout", uri=f"{folder}/h[1]'.{suffix}", as_of_us=5), base=tmp_path)
    assert opened.identity.digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert (opened.identity.rows, opened.identity.uri, opened.identity.as_of_us) == (
        3,
        f"{folder}/h[1]'.{suffix}",
        5,
    )
    assert opened.table.to_pyarrow().to_pylist() == FRAME.astype(object).where(FRAME.notna(), None).to_dict("records")


def test_a_glob_character_never_reads_another_file(tables: Tables, tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "a1.csv", index=False)
    FRAME.head(1).to_csv(tmp_path / "a[1].csv", index=False)
    assert tables.open(Table(role="holdout", uri="a[1].csv"), base=tmp_path).identity.rows == 1
    with pytest.raises(UsageError, match="no such file"):
        tables.open(Table(role="holdout", uri="a*.csv"), base=tmp_path)


def test_the_version_is_filled_in_and_cannot_leave_the_folder(tables: Tables, tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "online-7.csv", index=False)
    table = Table(role="online", uri="online-{version}.csv")
    assert tables.open(table, base=tmp_path, version="7").identity.uri == "online-7.csv"
    for version in ("../7", None):
        with pytest.raises(UsageError, match="version"):
            tables.open(table, base=tmp_path, version=version)


def test_a_wrong_path_names_the_nearest_file(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "work" / "data").mkdir(parents=True)
    FRAME.to_csv(tmp_path / "work/data/holdout.csv", index=False)
    for wrong in ("work/data/holdot.csv", "work/dta/holdout.csv", "wrok/data/holdout.csv"):
        with pytest.raises(UsageError, match=r'no such file; did you mean ".*work/data/holdout\.csv"') as caught:
            tables.open(Table(role="holdout", uri=wrong), base=tmp_path)
        assert (caught.value.exit_code, caught.value.code) == (2, "table.missing")
    with pytest.raises(UsageError, match="is a folder"):
        tables.open(Table(role="holdout", uri="work"), base=tmp_path)
    with pytest.raises(UsageError, match='"s3:" is not read'):
        tables.open(Table(role="holdout", uri="s3://bucket/x.parquet"), base=tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"PAR1 and nothing else"),
        ("a.parquet", b"PAR1" + b"\x00" * 200 + b"PAR1"),
        ("a.csv", b""),
        ("a.csv", b"y,p\n\xff\xfe,1\n"),
        ("a.csv", b"y,p\n1,2\n1,2,3\n4\n"),
        ("a.csv", bytes(range(256)) * 20),
    ],
)
def test_what_is_not_a_table_is_one_line(tables: Tables, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        tables.open(Table(role="holdout", uri=name), base=tmp_path)
    assert caught.value.code == "table.unreadable"
    assert caught.value.where == name
    assert "\n" not in str(caught.value)
    assert "gates-tables-" not in str(caught.value)


ROWS = "".join(f"{i},{i % 2},.5\n" for i in range(1000))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"id,y,p\n{ROWS}id,y,p,region\n{ROWS.replace('.5', '.5,N')}", "different numbers of columns"),
        (f"id,y,p\n{ROWS}zq-1,Smith, Ann,1\n", "different numbers of columns"),
        (f"made in March\tby ann\nid,y,p\n{ROWS}", "different numbers of columns"),
        (f"\n\nid,y,p\n{ROWS}", "the first line is empty"),
        (f"id,y,p\n{ROWS}#1,2\n", "different numbers of columns"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_no_leading_line_of_a_csv_file_is_passed_over(
    tables: Tables, tmp_path: Path, content: str, said: str, suffix: str
) -> None:
    raw = content.encode()
    (tmp_path / f"a{suffix}").write_bytes(gzip.compress(raw) if suffix == ".csv.gz" else raw)
    with pytest.raises(UsageError, match=said) as caught:
        tables.open(Table(role="holdout", uri=f"a{suffix}"), base=tmp_path)
    assert "Smith" not in str(caught.value)


def test_every_line_of_a_csv_file_is_a_row(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,who\n1,it's\n#2,#\n3,'x\n4,y'\n5,\"a\nb\"\n", encoding="utf-8")
    opened = tables.open(Table(role="holdout", uri="a.csv"), base=tmp_path)
    assert opened.identity.rows == 5
    assert opened.table["who"].to_pyarrow().to_pylist() == ["it's", "#", "'x", "y'", "a\nb"]


def test_what_a_damaged_gzip_file_is_the_engine_says(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(b"\x1f\x8b and nothing else")
    with pytest.raises(UsageError, match="cannot be read as a table"):
        tables.open(Table(role="holdout", uri="a.csv.gz"), base=tmp_path)


def test_a_truncated_parquet_is_refused(tables: Tables, tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "a.parquet")
    raw = (tmp_path / "a.parquet").read_bytes()
    for size in (8, len(raw) // 2, len(raw) - 1):
        (tmp_path / "a.parquet").write_bytes(raw[:size])
        with pytest.raises(UsageError):
            tables.open(Table(role="holdout", uri="a.parquet"), base=tmp_path)


def test_an_empty_table_is_no_error(tables: Tables, tmp_path: Path) -> None:
    FRAME.head(0).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("y,p\n", encoding="utf-8")
    for uri in ("a.parquet", "b.csv"):
        assert tables.open(Table(role="holdout", uri=uri), base=tmp_path).identity.rows == 0


@pytest.mark.parametrize(("names", "message"), [("Day,day", "differ in case only"), ("p,p", "two columns are called")])
def test_names_that_the_engine_would_rename_are_refused(
    tables: Tables, tmp_path: Path, names: str, message: str
) -> None:
    (tmp_path / "a.csv").write_text(f"{names}\n1,2\n", encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        tables.open(Table(role="holdout", uri="a.csv"), base=tmp_path)
    if names == "Day,day":
        pd.DataFrame({"Day": [1], "day": [2]}).to_parquet(tmp_path / "a.parquet")
        with pytest.raises(UsageError, match=message):
            tables.open(Table(role="holdout", uri="a.parquet"), base=tmp_path)


def test_nested_parts_of_a_parquet_column_are_no_columns(tables: Tables, tmp_path: Path) -> None:
    pd.DataFrame({"day": [1], "s": [{"day": 1, "Day": {"q": [1]}}], "z": [2]}).to_parquet(tmp_path / "a.parquet")
    assert tables.open(Table(role="holdout", uri="a.parquet"), base=tmp_path).table.columns == ("day", "s", "z")


def test_a_type_that_changes_in_the_last_row_is_seen(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("p\n" + "0.5\n" * 50_000 + "none\n", encoding="utf-8")
    assert tables.open(Table(role="holdout", uri="a.csv"), base=tmp_path).table["p"].type().is_string()


def test_nan_and_infinity_in_csv_are_numbers_and_nothing_is_null(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k,p\n1,NaN\n2,inf\n3,\n4,1e308\n", encoding="utf-8")
    values = tables.open(Table(role="holdout", uri="a.csv"), base=tmp_path).table["p"].to_pyarrow().to_pylist()
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, None, 1e308]


@pytest.mark.parametrize("row_group", [2, 1_000])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_nan_in_parquet_is_counted_whatever_the_files_statistics_say(
    tables: Tables, tmp_path: Path, row_group: int, kind: str
) -> None:
    """pyarrow's statistics leave NaN out; an engine that trusts them finds none."""
    values = [0.0, 1.0, math.nan, 1.0, math.inf, 0.5]
    content = pa.table({"p": pa.array(values, type=pa.type_for_alias(kind), from_pandas=False)})
    pq.write_table(content, tmp_path / "a.parquet", row_group_size=row_group)
    table = tables.open(Table(role="holdout", uri="a.parquet"), base=tmp_path).table
    assert scalar(table.p.isnan().sum()) == 1
    assert scalar(table.filter(table.p.isnan()).count()) == 1
    assert scalar(table.filter(~table.p.between(0, 1)).count()) == 2


@pytest.mark.parametrize(("form", "values"), [("<d", [0.75, 0.875, -2.0, 7.0]), ("<q", [4, 1, -5, 9])])
def test_a_parquet_file_that_lies_about_its_range_is_read_all_the_same(
    tables: Tables, tmp_path: Path, form: str, values: list[float]
) -> None:
    """Its footer says that every row has the first value."""
    pq.write_table(pa.table({"v": values}), tmp_path / "a.parquet", use_dictionary=False, compression="none")
    content = (tmp_path / "a.parquet").read_bytes()
    start = len(content) - 8 - struct.unpack("<i", content[-8:-4])[0]
    footer = content[start:]
    for stated in (max(values), min(values)):
        assert struct.pack(form, stated) in footer
        footer = footer.replace(struct.pack(form, stated), struct.pack(form, values[0]))
    (tmp_path / "a.parquet").write_bytes(content[:start] + footer)
    table = tables.open(Table(role="holdout", uri="a.parquet"), base=tmp_path).table
    assert (scalar(table.v.min()), scalar(table.v.max())) == (min(values), max(values))
    assert scalar(table.filter(table.v > values[0]).count()) == sum(v > values[0] for v in values)
    assert scalar((table.v != values[0]).sum()) == 3
    assert scalar(table.v.notin(values[:2]).sum()) == 2
    assert scalar(table.filter(~table.v.between(0, 1)).count()) == sum(not 0 <= v <= 1 for v in values)
    assert table.order_by(table.v.desc()).limit(1).v.to_pyarrow().to_pylist() == [max(values)]


def test_a_column_is_found_by_its_exact_name(tables: Tables, tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "a.parquet")
    table = tables.open(Table(role="holdout", uri="a.parquet"), base=tmp_path).table
    assert scalar(column(table, "größe", where="holdout").count()) == 2
    with pytest.raises(UsageError, match='holdout: no column "grösse"; did you mean "größe"'):
        column(table, "grösse", where="holdout")
    with pytest.raises(UsageError, match="no column"):
        column(table, "P", where="holdout")


@pytest.mark.parametrize("how", ["write", "replace", "touch-back", "remove"])
def test_a_file_that_changes_under_the_run_is_found(tables: Tables, tmp_path: Path, how: str) -> None:
    path = tmp_path / "a.csv"
    FRAME.to_csv(path, index=False)
    tables.open(Table(role="holdout", uri="a.csv"), base=tmp_path)
    tables.unchanged()
    before = path.stat()
    if how == "write":
        path.write_text("y,p\n", encoding="utf-8")
    elif how == "remove":
        path.unlink()
    elif how == "replace":
        other = tmp_path / "b.csv"
        other.write_bytes(path.read_bytes())
        other.replace(path)
    else:
        path.write_bytes(path.read_bytes().replace(b"0.25", b"0.26"))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(EvidenceError) as caught:
        tables.unchanged()
    assert (caught.value.exit_code, caught.value.code) == (3, "table.changed")


def test_the_scratch_folder_is_gone_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    with Tables(threads=1) as tables:
        tables.open(Table(role="holdout", uri="a.csv"), base=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("name", ["a\nb\x1b[31m.csv", "~nobody.csv", "~", "x" * 200 + ".csv"])
def test_names_that_no_line_can_hold(tables: Tables, tmp_path: Path, name: str) -> None:
    folder = tmp_path / ("y" * 120)
    folder.mkdir()
    FRAME.to_csv(folder / name, index=False)
    opened = tables.open_file("predictions", folder / name)
    assert opened.identity.rows == 3
    assert opened.identity.uri.isprintable()
    assert resolve_path(name, folder) == folder / name


def test_the_memory_of_the_engine_is_bounded_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FRAME.to_parquet(tmp_path / "h.parquet")
    monkeypatch.setenv("GATES_MEMORY", "1GiB")
    with Tables() as tables:
        engine = tables.read(tmp_path / "h.parquet").get_backend()
        assert engine.con.sql("SELECT current_setting('memory_limit')").fetchall() == [("1.0 GiB",)]
    monkeypatch.setenv("GATES_MEMORY", "lots")
    with Tables() as tables, pytest.raises(UsageError, match="'lots' is no limit of memory") as refused:
        tables.read(tmp_path / "h.parquet")
    assert (refused.value.code, refused.value.where) == ("engine.memory", "GATES_MEMORY")
