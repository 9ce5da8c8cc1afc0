"""Requests to a model server, from the log that Databricks keeps of them, as rows of features. Part of `tables`.

An inference table has one line for a request, with what was asked and answered as JSON. All of it is taken apart in DuckDB:
one row for each row of each request that was answered (status 200 to 299), its features under their own names and in the
narrowest type that holds every value, the answer as `prediction`. What cannot be read is counted, and said in the document;
so is a row in which a name occurs twice, of which the model may have been given either value.

Delivery is best effort and up to an hour late, and requests that ended with 401, 403, 429 or 500 may be missing: no
error rate can be measured from such a table. A log that was sampled is no census.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError
from gates.inputs.engines import distinct
from gates.records import Table
from gates.records.sources import RequestLog

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_FEATURES = 10_000
LATE_US = 3_600_000_000
"""How late a request may be delivered."""


@dataclass(frozen=True)
class Generation:
    """One of the forms that inference tables have had.

    Attributes
    ----------
    marks: columns that tell it from the others. time: SQL of a request's time. ids: columns of its id, the first that is there.
    """

    number: int
    marks: tuple[str, ...]
    time: str
    ids: tuple[str, ...]


GENERATIONS = (
    Generation(
        1, ("timestamp_ms", "execution_time_ms"), "make_timestamptz(timestamp_ms * 1000)", ("client_request_id",)
    ),
    Generation(
        2, ("request_time", "execution_duration_ms"), "CAST(request_time AS TIMESTAMPTZ)", ("client_request_id",)
    ),
    Generation(
        3,
        ("event_time", "invocation_id", "latency_ms"),
        "CAST(event_time AS TIMESTAMPTZ)",
        ("client_request_id", "invocation_id"),
    ),
)
NEEDED = ("status_code", "request", "response")

_FORM = """CASE
  WHEN request IS NULL THEN 'absent'
  WHEN NOT json_valid(request) THEN 'malformed'
  WHEN json_type(request, '/dataframe_split') = 'OBJECT' THEN 'dataframe_split'
  WHEN json_type(request, '/dataframe_records') = 'ARRAY' THEN 'dataframe_records'
  WHEN json_type(request, '/instances') = 'ARRAY' THEN 'instances'
  WHEN json_type(request, '/inputs') IN ('ARRAY', 'OBJECT') THEN 'inputs'
  ELSE 'unknown' END"""

_ONCE = "len(list_distinct(json_keys(j, '/inputs'))) = len(json_keys(j, '/inputs'))"
_VALUES = "map_values(CASE WHEN json_type(j, '/inputs') = 'OBJECT' AND {once} THEN CAST(j->'/inputs' AS MAP(VARCHAR, JSON)) END)"
_PARTS = ", ".join(
    f"list_transform({_VALUES.format(once=_ONCE)}, lambda v: {told}) AS {name}"
    for told, name in (("json_type(v) IS NOT DISTINCT FROM 'ARRAY'", "arrays"), ("json_array_length(v)", "lengths"))
)
"""Of the columns under `inputs`: which are arrays, and how long."""

_TWICE = "coalesce(len(list_distinct(json_keys({0}))) < len(json_keys({0})), false)"
_TWICE_WITHIN = "(SELECT count(*) > count(DISTINCT (parent, key)) FROM json_tree({0}) WHERE key IS NOT NULL)"
"""Whether a name occurs twice in a JSON object, or in one within it: of its values readers take the first or the last."""

_DEEP = "CASE WHEN contains(substr(CAST({0} AS VARCHAR), 2), '{{') THEN {0} END"
"""JSON that has objects within; a look at all of it takes ten times as long as one at its names."""

_ITEMS = """CASE form
  WHEN 'dataframe_records' THEN CAST(j->'/dataframe_records' AS JSON[])
  WHEN 'instances' THEN CAST(j->'/instances' AS JSON[])
  WHEN 'dataframe_split' THEN CASE
    WHEN coalesce(json_type(j, '/dataframe_split/columns'), 'NULL') = 'NULL' THEN
      CASE WHEN json_type(j, '/dataframe_split/data') = 'ARRAY' THEN CAST(j->'/dataframe_split/data' AS JSON[]) END
    WHEN len(list_distinct(names)) = len(names) AND list_count(names) = len(names) THEN
      list_transform(TRY_CAST(j->'/dataframe_split/data' AS JSON[][]),
        lambda d: CASE WHEN len(d) = len(names) THEN to_json(map(names, d)) ELSE CAST('null' AS JSON) END) END
  WHEN 'inputs' THEN CASE
    WHEN json_type(j, '/inputs') = 'ARRAY' THEN CAST(j->'/inputs' AS JSON[])
    WHEN arrays IS NULL THEN NULL
    WHEN NOT list_contains(arrays, true) THEN [j->'/inputs']
    WHEN list_contains(arrays, false) OR list_min(lengths) < list_max(lengths) THEN NULL
    ELSE list_transform(range(1, CAST(1 + coalesce(list_max(lengths), 0) AS BIGINT)),
      lambda n: to_json(map(map_keys(TRY_CAST(j->'/inputs' AS MAP(VARCHAR, JSON[]))), list_transform(
        map_values(TRY_CAST(j->'/inputs' AS MAP(VARCHAR, JSON[]))), lambda v: v[n])))) END END"""


def read_log(table: Table, log: ir.Table, scratch: Path) -> tuple[ir.Table | Path, dict[str, Any]]:
    """Take a log apart: its rows, as a table of the same engine or a Parquet file, and what was seen.

    Parameters
    ----------
    table: its word `log` says how id and time are called. log: as it was opened.

    Raises
    ------
    UsageError: none of the known forms, a log that was sampled and does not say so, names that differ in case only.
    """
    backend = log.get_backend()
    if backend.name == "duckdb":
        return _taken_apart(table, log)
    # The other engine's rows are brought here, batch by batch, and what comes out of them back.
    from gates.inputs.tables_duckdb import DuckdbEngine

    path, out = scratch / f"log-{table.role}.parquet", scratch / f"log-{table.role}.rows.parquet"
    _write(log, path)
    engine = DuckdbEngine(scratch)
    try:
        rows, seen = _taken_apart(table, engine.read_parquet(path, table.uri))
        rows.to_parquet(out)
    finally:
        engine.close()
    return out, seen


def _write(log: ir.Table, path: Path) -> None:
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]

    with pq.ParquetWriter(path, log.schema().to_pyarrow()) as writer:
        for batch in log.to_pyarrow_batches():
            writer.write_batch(batch)


def _taken_apart(table: Table, log: ir.Table) -> tuple[ir.Table, dict[str, Any]]:
    import ibis.util

    words: RequestLog = table.log  # type: ignore[assignment]
    where = table.uri
    generation = recognised(log.columns, where)
    backend = log.get_backend()
    con = backend.con
    request_id = next(name for name in generation.ids if name in log.columns)
    fraction = "CAST(sampling_fraction AS DOUBLE)" if "sampling_fraction" in log.columns else "CAST(1 AS DOUBLE)"
    source = f"""(SELECT CAST({request_id} AS VARCHAR) AS id, {generation.time} AS t,
        CAST(status_code AS INTEGER) AS status, {fraction} AS fraction, request, response, {_FORM} AS form
        FROM ({backend.compile(log)}))"""  # noqa: S608
    seen = _requests(con, source, generation, words)
    kept = seen["sampling_fraction"]
    if (kept["unusable"] or kept["lowest"] not in (None, 1.0)) and table.scope is None:
        raise UsageError(
            "the log is a sample of the requests",
            code="log.sampled",
            where=where,
            remedy="scope: sample, beside its uri",
        )
    items, rows = ibis.util.gen_name("items"), ibis.util.gen_name("rows")
    con.execute(f"CREATE TEMP TABLE {items} AS {_rows_of(source, words.columns or ())}")
    seen |= _row_counts(con, items, words, where)
    features, mixed = _structure(con, f"SELECT item FROM {items} WHERE json_type(item) = 'OBJECT'", where)  # noqa: S608
    # What clients write as names can be anything, an address too: how many, and not which.
    seen["names_of_several_types"] = mixed
    answers = _answers(con, items)
    names = [words.id, "request_row", words.time, "status_code", "sampling_fraction", "weight"]
    distinct([*names, *features, *answers], where)
    con.execute(f"CREATE TEMP TABLE {rows} AS {_shown(items, words, features, answers)}")
    con.execute(f"DROP TABLE {items}")
    return backend.table(rows), seen


def recognised(columns: Any, where: str) -> Generation:
    """Return the form of an inference table, by its columns.

    Raises
    ------
    UsageError: none has these.
    """
    for generation in GENERATIONS:
        if {*generation.marks, *NEEDED} <= set(columns) and set(generation.ids) & set(columns):
            return generation
    raise UsageError(
        "is none of the three forms of inference tables",
        code="log.unknown",
        where=where,
        remedy="it needs request, response, status_code, the client's request id and a request's time and duration",
    )


def _requests(con: Any, source: str, generation: Generation, words: RequestLog) -> dict[str, Any]:
    forms = con.execute(f"SELECT form, count(*) FROM {source} GROUP BY 1 ORDER BY 1").fetchall()  # noqa: S608
    statuses = con.execute(f"SELECT status, count(*) FROM {source} GROUP BY 1 ORDER BY 1").fetchall()  # noqa: S608
    usable = "coalesce(fraction > 0 AND fraction <= 1, false)"
    low, high, off, newest = con.execute(
        f"""SELECT min(fraction) FILTER ({usable}), max(fraction) FILTER ({usable}), count(*) FILTER (NOT {usable}),
            epoch_us(max(t) FILTER (isfinite(t))) FROM {source}"""  # noqa: S608
    ).fetchone()
    return {
        "format": words.format,
        "generation": generation.number,
        "requests": sum(count for _, count in forms),
        "forms": dict(forms),
        "statuses": {str(status): count for status, count in statuses},
        "error_rate": "not measurable here: requests that ended with 401, 403, 429 or 500 may be missing",
        "sampling_fraction": {"lowest": low, "highest": high, "unusable": off},
        "newest_us": newest,
        "complete_until_us": None if newest is None else max(newest - LATE_US, 0),
    }


def _rows_of(source: str, columns: Sequence[str]) -> str:
    """SQL: a row for each row of each answered request, as a JSON object, with its place and its answer.

    Parameters
    ----------
    columns: names of values that stand in a list without names, where it is as long.
    """
    given = f"CAST([{', '.join(map(_text, columns))}] AS VARCHAR[])"
    split, said = "j, '/dataframe_split'", "said[place + 1]"
    return f"""
    WITH written AS (SELECT id, t, status, fraction, form,
        CASE WHEN form NOT IN ('absent', 'malformed', 'unknown') THEN CAST(request AS JSON) END AS j,
        CASE WHEN json_valid(response) THEN CAST(response AS JSON) END AS answer
        FROM {source} WHERE status BETWEEN 200 AND 299),
    asked AS (SELECT * REPLACE (CASE WHEN NOT ({_TWICE.format("j")} OR {_TWICE.format(split)}) THEN j END AS j,
        CASE WHEN NOT {_TWICE.format("answer")} THEN answer END AS answer) FROM written),
    named AS (SELECT *, CASE form WHEN 'dataframe_split' THEN TRY_CAST(j->'/dataframe_split/columns' AS VARCHAR[]) END AS names,
        CASE WHEN json_type(answer, '/predictions') = 'ARRAY'
        THEN CAST(answer->'/predictions' AS JSON[]) END AS said FROM asked),
    parted AS (SELECT *, {_PARTS} FROM named),
    listed AS (SELECT *, {_ITEMS} AS items FROM parted),
    one AS (SELECT id, t, status, fraction, unnest(CASE WHEN len(items) > 0 THEN items ELSE [NULL] END) AS item,
        unnest(range(greatest(coalesce(len(items), 0), 1))) AS place,
        coalesce(len(items), 0) = 0 AS none, CASE WHEN len(said) = len(items) THEN said END AS said FROM listed),
    plain AS (SELECT *, {_DEEP.format("item")} AS deep, {_DEEP.format(said)} AS deep_said FROM one),
    sure AS (SELECT * EXCLUDE (deep, deep_said) REPLACE (
        CASE WHEN {_TWICE.format("item")} OR {_TWICE_WITHIN.format("deep")} THEN CAST('null' AS JSON) ELSE item END AS item,
        CASE WHEN NOT ({_TWICE.format(said)} OR {_TWICE_WITHIN.format("deep_said")}) THEN said END AS said) FROM plain),
    told AS (SELECT *, json_type(item) = 'ARRAY' AND json_array_length(item) = len({given}) AS by_place FROM sure)
    SELECT * REPLACE (CASE WHEN by_place THEN to_json(map({given}, CAST(item AS JSON[]))) ELSE item END AS item),
        by_place IS NOT TRUE AND json_type(item) = 'ARRAY' AS nameless FROM told"""  # noqa: S608


def _row_counts(con: Any, items: str, words: RequestLog, where: str) -> dict[str, Any]:
    rows, none, unread, unlike, by_place, nameless = con.execute(
        f"""SELECT count(*) FILTER (json_type(item) = 'OBJECT'), count(*) FILTER (none),
            count(*) FILTER (NOT none AND json_type(item) IS DISTINCT FROM 'OBJECT'),
            count(*) FILTER (json_type(item) = 'OBJECT' AND said IS NULL), count(*) FILTER (by_place),
            count(*) FILTER (nameless) FROM {items}"""  # noqa: S608
    ).fetchone()
    if nameless and not rows:
        raise UsageError(
            "requests give values by their places, without names",
            code="log.places",
            where=where,
            remedy="columns, under log: their names in the order of the model's signature",
        )
    named = {"columns": list(words.columns), "rows_named_by_place": by_place} if words.columns else {}
    return named | {
        "rows": rows,
        "answered_requests_without_rows": none,
        "rows_without_names": unread,
        "rows_without_answer": unlike,
    }


def _structure(con: Any, query: str, where: str) -> tuple[dict[str, Any], int]:
    """Names of the features with the types that hold all of their values; and how many have several, read as texts."""
    said = con.execute(f"SELECT json_group_structure(item) FROM ({query})").fetchone()[0]  # noqa: S608
    found = json.loads(said) if said else {}
    if not isinstance(found, dict):
        found = {}
    if len(found) > MOST_FEATURES:
        raise UsageError(f"requests name {len(found)} features", code="log.features", where=where)
    return {name: _held(kind) for name, kind in found.items()}, list(found.values()).count("JSON")


def _held(kind: Any) -> Any:
    """The type that is asked for: nothing at all is a number without a value, values of several types are texts."""
    if isinstance(kind, dict):
        return {name: _held(part) for name, part in kind.items()}
    if isinstance(kind, list):
        return [_held(part) for part in kind]
    return {"NULL": "DOUBLE", "JSON": "VARCHAR"}.get(kind, kind)


def _answers(con: Any, items: str) -> dict[str, str]:
    """Columns of the answers: SQL by name. Lists of numbers are one column each place, objects one each name."""
    one = "said[place + 1]"
    said = con.execute(f"SELECT json_group_structure({one}) FROM {items}").fetchone()[0]  # noqa: S608
    found = json.loads(said) if said else "NULL"
    kind = None if found == "NULL" else _held(found)
    if kind is None:
        return {}
    if isinstance(kind, list) and kind[0] in ("DOUBLE", "BIGINT", "UBIGINT"):
        longest = con.execute(f"SELECT max(json_array_length({one})) FROM {items}").fetchone()[0] or 0  # noqa: S608
        return {f"prediction_{at}": f"CAST({one}->>{at} AS DOUBLE)" for at in range(min(longest, 1_000))}
    if isinstance(kind, dict):
        return {
            f"prediction_{name}": f"json_transform({one}, {_text(json.dumps({name: part}))})[{_text(name)}]"
            for name, part in kind.items()
        }
    numeric = kind in ("DOUBLE", "BIGINT", "UBIGINT")
    return {"prediction": f"CAST({one}->>'$' AS DOUBLE)" if numeric else f"{one}->>'$'"}


def _shown(items: str, words: RequestLog, features: dict[str, Any], answers: dict[str, str]) -> str:
    told = ", ".join(f"{sql} AS {_name(name)}" for name, sql in answers.items())
    unpacked = f", unnest(json_transform(item, {_text(json.dumps(features))}))" if features else ""
    return f"""SELECT id AS {_name(words.id)}, place AS request_row, t AS {_name(words.time)}, status AS status_code,
        fraction AS sampling_fraction, CASE WHEN fraction > 0 AND fraction <= 1 THEN 1 / fraction END AS weight
        {", " + told if told else ""}{unpacked} FROM {items} WHERE json_type(item) = 'OBJECT'"""  # noqa: S608


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
