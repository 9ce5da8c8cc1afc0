"""Rules of a contract that are written in SQL: parsed, and said again as expressions over the table's own columns.

Nothing that a contract says is ever handed to an engine: what is not on the lists below is refused, so that a rule can
read no other table, no file and no setting, and means the same in every engine. Two forms are known: a condition that
every row must meet, `arr_delay >= dep_delay - 120`, and `SELECT` of one aggregate, with or without `WHERE`. A condition
that is neither true nor false, since it meets a null, is not met. Division is of real numbers; by zero it gives null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.measure.data.contract.columns import Declared, View
from gates.measure.data.contract.conditions import Unsaid, unfit
from gates.measure.data.contract.sql_words import named, said, words

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from sqlglot import exp

_LONGEST = 2_000
_HOLES = re.compile(r"\$?\{(object|table|property|column)\}")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Rule:
    """A rule in SQL.

    Attributes
    ----------
    columns: by their names in the contract. counts: it counts rows. per_row: a condition, and no SELECT.
    of_values: it selects what is made of values (a sum, a mean, the least or the most), of which each may be one row's.
    """

    columns: tuple[str, ...]
    counts: bool
    per_row: bool
    of_values: bool
    _root: exp.Expr
    _where: exp.Expr | None

    def aggregate(self, view: View) -> ir.Scalar:
        """Return the number of rows that do not meet the condition, or what the SELECT selects.

        Raises
        ------
        Unsaid: types that do not go together.
        """
        try:
            if self.per_row:
                met = said(self._root, view)
                if not met.type().is_boolean():
                    raise Unsaid("is no condition: neither true nor false")
                return (~met.fill_null(False)).sum()
            where = None if self._where is None else said(self._where, view)
            selected: ir.Scalar = said(self._root, view, where)
        except unfit() as error:
            kinds = ", ".join(f"{name} {view.raw(name).type()}" for name in self.columns)
            raise Unsaid(f"cannot be said of these columns: {kinds}") from error
        kind = selected.type()
        if not (kind.is_numeric() or kind.is_boolean() or kind.is_null()):
            raise Unsaid(f"selects a {kind}, and no number")
        return selected


def parse(query: str, declared: Mapping[str, Declared], objects: tuple[str, ...], column: str | None) -> Rule:
    """Parse a rule; `{object}` and `{property}` stand for the table and for `column`.

    Parameters
    ----------
    objects: the names that the table goes by.

    Raises
    ------
    Unsaid: not one condition or one SELECT of one aggregate of this table, or a column that the contract does not name.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    if len(query) > _LONGEST:
        raise Unsaid(f"longer than {_LONGEST} characters")
    try:
        parsed = sqlglot.parse(_filled(query, objects, column))
    except (SqlglotError, RecursionError) as error:
        raise Unsaid(f"is no SQL: {_COLOUR.sub('', str(error)).splitlines()[0][:160]}") from None
    statements = [statement for statement in parsed if statement is not None]
    if len(statements) != 1:
        raise Unsaid("is not one statement")
    root, where, per_row = statements[0], None, True
    if isinstance(root, exp.Select):
        root, where, per_row = *_selected(root, objects), False
    _refuse(root, where, declared, per_row=per_row)
    columns = {name: None for part in (root, where) if part for name in _columns(part, declared)}
    of_values = root.find(*_of_values()) is not None
    return Rule(tuple(columns), isinstance(root, exp.Count), per_row, of_values, root, where)


def _filled(query: str, objects: tuple[str, ...], column: str | None) -> str:
    def name(hole: re.Match[str]) -> str:
        found = objects[0] if hole[1] in ("object", "table") else column
        if found is None:
            raise Unsaid(f"{hole[0]} stands for a column, and this rule is the table's")
        return '"' + found.replace('"', '""') + '"'

    return _HOLES.sub(name, query)


def _selected(select: exp.Select, objects: tuple[str, ...]) -> tuple[exp.Expr, exp.Expr | None]:
    from sqlglot import exp

    parts = {name for name, part in select.args.items() if part}
    source = select.args.get("from_") or select.args.get("from")
    if parts - {"expressions", "from", "from_", "where"} or len(select.expressions) != 1 or source is None:
        raise Unsaid("is not SELECT of one aggregate FROM the table, with or without WHERE")
    table = source.this
    if not isinstance(table, exp.Table) or {name for name, part in table.args.items() if part} - {"this", "alias"}:
        raise Unsaid("reads something that is not the table")
    if table.name.casefold() not in {name.casefold() for name in objects}:
        raise Unsaid(f'reads "{table.name}", and this contract\'s table is "{objects[0]}"')
    where = select.args.get("where")
    return select.expressions[0].unalias(), where.this if where else None


def _columns(root: exp.Expr, declared: Mapping[str, Declared]) -> list[str]:
    from sqlglot import exp

    return [named(column, declared) for column in root.find_all(exp.Column)]


def _refuse(root: exp.Expr, where: exp.Expr | None, declared: Mapping[str, Declared], *, per_row: bool) -> None:
    """Raise at the first part that is not on the lists; aggregates belong into a SELECT, and columns into aggregates."""
    from sqlglot import exp

    known = {exp.Column, exp.Identifier, exp.Star, exp.DataType, exp.Distinct, *words()}
    for part in (*root.walk(), *(where.walk() if where else ())):
        if type(part) not in known or (isinstance(part, exp.In) and not part.expressions):
            raise Unsaid(f"{part.sql()[:80]} is not read here")
        if isinstance(part, exp.Column) and len(part.parts) == 1:
            named(part, declared)
        elif isinstance(part, exp.Column):
            raise Unsaid(f"{part.sql()[:80]} names more than a column")
    aggregates = _aggregates()
    if where is not None and where.find(*aggregates):
        raise Unsaid("an aggregate under WHERE")
    if per_row and root.find(*aggregates):
        raise Unsaid("an aggregate is no condition on a row; write SELECT ... FROM {object}")
    if not per_row:
        bare = [column for column in root.find_all(exp.Column) if not column.find_ancestor(*aggregates)]
        nested = [inner for inner in root.find_all(*aggregates) if inner.find_ancestor(*aggregates)]
        if bare or nested or not root.find(*aggregates):
            raise Unsaid("does not select one aggregate, such as COUNT(*)")


def _aggregates() -> tuple[type[exp.Expr], ...]:
    from sqlglot import exp

    return (exp.Count, *_of_values())


def _of_values() -> tuple[type[exp.Expr], ...]:
    from sqlglot import exp

    return (exp.Sum, exp.Avg, exp.Min, exp.Max)
