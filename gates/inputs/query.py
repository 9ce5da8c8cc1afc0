"""A query as a table: SQL over named tables and nothing else, run as it was checked. Part of `tables`.

What runs is the canonical text, written anew from the parsed one: comments and layout do not count. It is one SELECT, of
the tables that the spec names, and of functions that give the same answer each time. `$as_of` is the table's as_of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError, without_values
from gates.inputs.engines import distinct

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from sqlglot import exp

CODE = "query.refused"
AS_OF = "as_of"
_MOMENTS = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}


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
        raise _refused("a table's query is one SELECT", where)
    query = statements[0]
    _only(query, {*names}, where)
    distinct([name for name in query.named_selects if name != "*"], where)
    _same_each_time(query, where)
    for place in list(query.find_all(exp.Parameter, exp.Placeholder)):
        if place.name != AS_OF or as_of_us is None:
            raise UsageError(
                f'nothing stands for "${place.name}"', code=CODE, where=where, remedy="$as_of is the table's as_of"
            )
        moment = exp.func("make_timestamptz", exp.Literal.number(as_of_us))
        place.replace(moment)
    return query.sql("duckdb", comments=False, normalize=True)


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


def _only(query: exp.Query, names: set[str], where: str) -> None:
    from sqlglot import exp

    own = {cte.alias.casefold() for cte in query.find_all(exp.CTE)}
    known = own | {name.casefold() for name in names}
    for table in query.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            raise _refused("a function stands where a table is read", where)
        if table.db or table.catalog or table.name.casefold() not in known:
            raise UsageError(
                f'reads "{table.name}"', code=CODE, where=where, remedy="reads: name the tables that the query reads"
            )
    if shadowed := own & {name.casefold() for name in names}:
        raise _refused(f'"{min(shadowed)}" is a table and a part of the query', where)
    if query.find(exp.TableSample):
        raise _refused("a sample is another one each time", where)


def _same_each_time(query: exp.Query, where: str) -> None:
    from sqlglot.tokens import Tokenizer

    changing = _changing()
    tokens = Tokenizer(dialect="duckdb").tokenize(query.sql("duckdb", comments=False))
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        name = token.text.casefold()
        called = following is not None and following.text == "("
        if name in _MOMENTS or (called and name in changing):
            raise _refused(f"{name} is another each time: $as_of is the table's as_of", where)


def _changing() -> set[str]:
    """Functions of DuckDB that may answer otherwise the next time, and those that read what is no value of a row."""
    import duckdb

    connection: Any = duckdb.connect()
    try:
        found = connection.execute(
            """SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability IS DISTINCT FROM 'CONSISTENT'
            AND function_type NOT IN ('table', 'pragma', 'table_macro')"""
        ).fetchall()
    finally:
        connection.close()
    return {str(name).casefold() for (name,) in found}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _refused(message: str, where: str) -> UsageError:
    return UsageError(message, code=CODE, where=where)
