"""What a query reads, looked up in the tree that the engine itself made of it. Part of `query`.

The engine's own tree, not another parser's: what one of them takes for a column, the other may take for a file. Every
kind of node that may stand where a table is read is listed here, and another one is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from gates.errors import UsageError, without_values

CODE = "query.refused"

_MOMENTS = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
"""Names that the engine takes for a function where they are no column's."""

_QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"}
_TABLES = {"BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST", "PIVOT", "TABLE_FUNCTION"}
_MODIFIERS = {"ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"}
_ORDERS = {"ORDER_DEFAULT", "ASCENDING", "DESCENDING"}
_KNOWN = _QUERIES | _TABLES | _MODIFIERS | _ORDERS
"""Nodes without a class, which every expression has."""

_OF_A_ROW = {"unnest"}
"""Functions that stand where a table is read and read nothing but the row beside them."""


def check_reads(query: str, names: Iterable[str], where: str) -> None:
    """Check that a query reads the named tables and nothing else, and answers the same each time.

    Parameters
    ----------
    query: as it will run.

    Raises
    ------
    UsageError: another table or a file, a table function, a function whose answer changes, a sample, a part of the query
        that has the name of a table, or what is no SELECT to the engine.
    """
    tables = frozenset(name.casefold() for name in names)
    _Reads(tables, where).check(_tree(query, where), tables)


class _Reads:
    def __init__(self, tables: frozenset[str], where: str) -> None:
        self._tables = tables
        self._where = where

    def check(self, node: Any, visible: frozenset[str]) -> None:
        """Check a node and all below it; `visible`: tables that it may name."""
        if isinstance(node, list):
            for part in node:
                self.check(part, visible)
        if not isinstance(node, dict):
            return
        visible = self._with_parts(node, visible)
        self._node(node, visible)
        for key, part in node.items():
            if key != "cte_map":
                self.check(part, visible)

    def _with_parts(self, node: dict[str, Any], visible: frozenset[str]) -> frozenset[str]:
        """Check the parts that a query names at its beginning.

        One sees those before it only, and never itself: the engine would take that name for a table's, or a file's.
        """
        for part in (node.get("cte_map") or {}).get("map", ()):
            self.check(part["value"], visible)
            visible |= {self._own(part["key"])}
        return visible | {self._own(node["cte_name"])} if node.get("type") == "RECURSIVE_CTE_NODE" else visible

    def _own(self, name: str) -> str:
        if name.casefold() in self._tables:
            raise refused(f'"{name}" is a table and a part of the query', self._where)
        return name.casefold()

    def _node(self, node: dict[str, Any], visible: frozenset[str]) -> None:
        kind = node.get("type")
        if isinstance(kind, str) and "class" not in node and kind not in _KNOWN:
            raise refused(f"{kind.casefold().replace('_', ' ')} is nothing that a table's query has", self._where)
        if node.get("sample"):
            raise refused("a sample is another one each time", self._where)
        if kind == "BASE_TABLE":
            self._table(node, visible)
        if kind == "TABLE_FUNCTION" and node["function"].get("function_name", "").casefold() not in _OF_A_ROW:
            raise refused("a function stands where a table is read", self._where)
        self._same_each_time(node)

    def _table(self, node: dict[str, Any], visible: frozenset[str]) -> None:
        name = node["table_name"]
        if node.get("schema_name") or node.get("catalog_name") or name.casefold() not in visible:
            raise UsageError(
                f'reads "{name}"',
                code=CODE,
                where=self._where,
                remedy="reads: name the tables that the query reads",
            )

    def _same_each_time(self, node: dict[str, Any]) -> None:
        called = str(node.get("function_name") or "").casefold()
        columns = node.get("column_names") or [""]
        moment = str(columns[0]).casefold() if len(columns) == 1 else ""
        if called in _changing() or moment in _MOMENTS:
            raise refused(f"{called or moment} is another each time: $as_of is the table's as_of", self._where)


def _tree(query: str, where: str) -> Any:
    """The engine's own tree of a query, in its words (`json_serialize_sql`)."""
    import duckdb

    with duckdb.connect() as connection:
        rows = connection.execute("SELECT json_serialize_sql($1::VARCHAR)", [query]).fetchall()
    found = json.loads(rows[0][0])
    if found["error"]:
        message = without_values(str(found["error_message"]))[:200]
        raise refused(f"a table's query is one SELECT: {message}", where)
    return [statement["node"] for statement in found["statements"]]


@cache
def _changing() -> frozenset[str]:
    """Functions of DuckDB that may answer otherwise the next time, and those that read what is no value of a row."""
    import duckdb

    with duckdb.connect() as connection:
        found = connection.execute(
            """SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability IS DISTINCT FROM 'CONSISTENT'
            AND function_type NOT IN ('table', 'pragma', 'table_macro')"""
        ).fetchall()
    return frozenset(str(name).casefold() for (name,) in found)


def refused(message: str, where: str) -> UsageError:
    """Return the refusal of a query, in one line."""
    return UsageError(message, code=CODE, where=where)
