"""A query as a table: SQL over named tables and nothing else, run as it was checked. Part of `tables`.

What runs is the canonical text, written anew from the parsed one: comments and layout do not count. It is one SELECT, of
the tables that the spec names, and of functions that give the same answer each time. `$as_of` is the table's as_of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import UsageError, without_values
from gates.inputs.engines import distinct
from gates.inputs.query_reads import CODE, check_reads, refused

if TYPE_CHECKING:
    import ibis.expr.types as ir

AS_OF = "as_of"


def read_text(path: Path, where: str) -> str:
    """Return the text of a query.

    Raises
    ------
    UsageError: it is no readable text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("is no readable text", code="table.missing", where=where) from error


def canonical(text: str, names: Iterable[str], where: str, *, as_of_us: int | None = None) -> str:
    """Return the query as it is run, and as its digest counts it.

    Parameters
    ----------
    names: of the tables that it may read. as_of_us: what `$as_of` stands for.

    Raises
    ------
    UsageError: not one SELECT, another table or a file, a table function, a function whose answer changes, a sample,
        two columns of one name.
    """
    import sqlglot
    from sqlglot import exp

    try:
        statements = [found for found in sqlglot.parse(text, read="duckdb") if found is not None]
    except sqlglot.errors.SqlglotError as error:
        raise UsageError(f"is no SQL: {without_values(str(error))[:200]}", code=CODE, where=where) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query) or statements[0].find(exp.Into, exp.DML):
        raise refused("a table's query is one SELECT", where)
    query = statements[0]
    distinct([name for name in query.named_selects if name != "*"], where)
    for place in list(query.find_all(exp.Parameter, exp.Placeholder)):
        if place.name != AS_OF or as_of_us is None:
            raise UsageError(
                f'nothing stands for "${place.name}"', code=CODE, where=where, remedy="$as_of is the table's as_of"
            )
        moment = exp.func("make_timestamptz", exp.Literal.number(as_of_us))
        place.replace(moment)
    written = query.sql("duckdb", comments=False, normalize=True)
    check_reads(written, names, where)
    return written


def run(query: str, tables: Mapping[str, ir.Table], where: str) -> ir.Table:
    """Compute a canonical query over tables of one DuckDB, once.

    Raises
    ------
    UsageError: tables of another engine.
    """
    import ibis.util

    backend = next(iter(tables.values())).get_backend()
    if backend.name != "duckdb":
        raise UsageError(
            "a query is computed in DuckDB",
            code="query.engine",
            where=where,
            remedy="make a view, and name it table:VIEW",
        )
    name = ibis.util.gen_name("query")
    given = ", ".join(f"{_quoted(each)} AS ({backend.compile(table)})" for each, table in tables.items())
    backend.con.execute(f"CREATE TEMP TABLE {name} AS WITH {given} SELECT * FROM ({query})")  # noqa: S608 - checked above
    return backend.table(name)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
