"""The words of SQL that a contract may use, each as an expression of the engine's. What is not here is refused by `sql`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gates.measure.data.contract.columns import Declared, View, read_as
from gates.measure.data.contract.conditions import Unsaid, literal
from gates.plan.nearest import did_you_mean

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from sqlglot import exp

_TYPES = {
    "INT": "int64", "BIGINT": "int64", "SMALLINT": "int64", "DOUBLE": "float64", "FLOAT": "float64",
    "DECIMAL": "float64", "TEXT": "string", "VARCHAR": "string", "BOOLEAN": "boolean", "DATE": "date",
    "TIMESTAMP": "timestamp('UTC')", "TIMESTAMPTZ": "timestamp('UTC')", "DATETIME": "timestamp('UTC')",
}  # fmt: skip


@functools.cache
def _unlike(case: str) -> str:
    """Letters that a case writes as several letters (ß as SS), and a sigma that is another one at a word's end."""
    if case == "lower":
        return "\u0130\u03a3"
    return "".join(letter for letter in map(chr, range(0x80, 0x10000)) if len(letter.upper()) > 1)


@dataclass(frozen=True)
class _Said:
    """Where columns are found, and which rows aggregates are of."""

    view: View
    where: ir.BooleanValue | None

    def value(self, node: Any) -> Any:
        return words()[type(node)](self, node)

    def several(self, nodes: list[Any]) -> list[Any]:
        return [self.value(node) for node in nodes]


def said(node: exp.Expr, view: View, where: ir.BooleanValue | None = None) -> Any:
    """Return an expression of SQL as one of Ibis.

    Parameters
    ----------
    where: which rows an aggregate is of.

    Raises
    ------
    Unsaid: a text that is no moment, a cast that is not known. What Ibis raises where types do not go together.
    """
    return _Said(view, where).value(node)


@functools.cache
def words() -> dict[type[exp.Expr], Callable[[_Said, Any], Any]]:
    """Return the translation of each kind of node."""
    from sqlglot import exp

    return (
        _compared()
        | _computed()
        | _aggregated()
        | {
            exp.Paren: lambda to, node: to.value(node.this),
            exp.Literal: lambda _, node: (
                literal(_number(node.this), "number") if not node.is_string else literal(node.this, None)
            ),
            exp.Boolean: lambda _, node: literal(node.this, "boolean"),
            exp.Null: lambda _, __: _null(),
            exp.Column: _column,
            exp.Case: _case,
            exp.If: lambda to, node: to.value(node.this).ifelse(
                to.value(node.args["true"]), _or_null(to, node.args.get("false"))
            ),
        }
    )


def named(column: exp.Column, declared: Mapping[str, Declared]) -> str:
    """Return the contract's name of a column; SQL does not tell a from A, unless the contract does.

    Raises
    ------
    Unsaid: there is none, with the nearest.
    """
    name = column.name
    if name in declared:
        return name
    alike = [known for known in declared if known.casefold() == name.casefold()]
    if len(alike) != 1:
        raise Unsaid(f'no column "{name}" in the contract; {did_you_mean(name, declared)}')
    return alike[0]


def _compared() -> dict[type[exp.Expr], Callable[[_Said, Any], Any]]:
    from sqlglot import exp

    plain: dict[type[exp.Expr], Callable[[Any, Any], Any]] = {
        exp.EQ: lambda a, b: a == b,
        exp.NEQ: lambda a, b: a != b,
        exp.GT: lambda a, b: a > b,
        exp.GTE: lambda a, b: a >= b,
        exp.LT: lambda a, b: a < b,
        exp.LTE: lambda a, b: a <= b,
    }
    same: dict[type[exp.Expr], Callable[[Any, Any], Any]] = {
        exp.NullSafeEQ: lambda a, b: a.identical_to(b),
        exp.NullSafeNEQ: lambda a, b: ~a.identical_to(b),
    }
    return {
        **{kind: _binary(word, _ordered) for kind, word in plain.items()},
        **{kind: _binary(word, _alike) for kind, word in same.items()},
        exp.And: _binary(lambda a, b: a & b),
        exp.Or: _binary(lambda a, b: a | b),
        exp.Not: lambda to, node: ~to.value(node.this),
        exp.Between: _between,
        exp.In: _in,
        exp.Is: _is,
        exp.Like: _binary(lambda a, b: a.like(_text(b))),
        exp.IsNan: lambda to, node: to.value(node.this).isnan(),
    }


def _computed() -> dict[type[exp.Expr], Callable[[_Said, Any], Any]]:
    from sqlglot import exp

    return {
        exp.Add: _binary(lambda a, b: a + b),
        exp.Sub: _binary(lambda a, b: a - b),
        exp.Mul: _binary(lambda a, b: a * b),
        exp.Div: _binary(lambda a, b: a.cast("float64") / b.cast("float64").nullif(0.0)),
        exp.Mod: _binary(lambda a, b: a % b.nullif(0)),
        exp.Neg: lambda to, node: -to.value(node.this),
        exp.Abs: lambda to, node: to.value(node.this).abs(),
        exp.Lower: lambda to, node: _cased(to.value(node.this), "lower"),
        exp.Upper: lambda to, node: _cased(to.value(node.this), "upper"),
        exp.Trim: lambda to, node: to.value(node.this).strip(),
        exp.Length: lambda to, node: to.value(node.this).length(),
        exp.Coalesce: lambda to, node: _ibis().coalesce(*to.several([node.this, *node.expressions])),
        exp.Greatest: lambda to, node: _ibis().greatest(*to.several([node.this, *node.expressions])),
        exp.Least: lambda to, node: _ibis().least(*to.several([node.this, *node.expressions])),
        exp.Nullif: lambda to, node: to.value(node.this).nullif(to.value(node.expression)),
        exp.Cast: _cast,
        exp.TryCast: _cast,
    }


def _aggregated() -> dict[type[exp.Expr], Callable[[_Said, Any], Any]]:
    from sqlglot import exp

    return {
        exp.Count: _count,
        exp.Sum: lambda to, node: to.value(node.this).sum(where=to.where),
        exp.Avg: lambda to, node: to.value(node.this).mean(where=to.where),
        exp.Min: lambda to, node: to.value(node.this).min(where=to.where),
        exp.Max: lambda to, node: to.value(node.this).max(where=to.where),
    }


def _ibis() -> Any:
    import ibis

    return ibis


def _null() -> Any:
    return _ibis().null()


def _or_null(to: _Said, node: Any) -> Any:
    return _null() if node is None else to.value(node)


def _cased(text: Any, case: str) -> Any:
    """Text in another case; null where a letter of it has not the same one in every engine."""
    return text.re_search(f"[{_unlike(case)}]").ifelse(_ibis().null("string"), getattr(text, case)())


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)


def _text(value: Any) -> str:
    """A literal's text: the pattern of LIKE is no column."""
    from ibis.expr.operations import Literal

    if not isinstance(value.op(), Literal):
        raise Unsaid("LIKE compares with a text")
    return str(value.op().value)


def _column(to: _Said, node: Any) -> Any:
    return to.view.value(named(node, to.view.declared))


def _binary(
    word: Callable[[Any, Any], Any], read: Callable[[_Said, list[Any]], list[Any]] = _Said.several
) -> Callable[[_Said, Any], Any]:
    def both(to: _Said, node: Any) -> Any:
        return word(*read(to, [node.this, node.expression]))

    return both


def _alike(to: _Said, nodes: list[Any]) -> list[Any]:
    """Values to be compared: a text beside a time is read as one."""
    values = to.several(nodes)
    kinds = [value.type() for value in values]
    logical = next((_temporal(kind) for kind in kinds if kind.is_temporal()), None)
    if logical is None:
        return values
    return [
        literal(node.this, logical) if type(node).__name__ == "Literal" and node.is_string else value
        for node, value in zip(nodes, values, strict=True)
    ]


def _ordered(to: _Said, nodes: list[Any]) -> list[Any]:
    """Values to be compared, NaN as null: the engines order it above every number, and it would be at least any of them."""
    return [
        value.isnan().ifelse(_null(), value)
        if value.type().is_floating() and type(node).__name__ != "Literal"
        else value
        for value, node in zip(_alike(to, nodes), nodes, strict=True)
    ]


def _temporal(kind: Any) -> str:
    return "date" if kind.is_date() else "time" if kind.is_time() else "timestamp"


def _between(to: _Said, node: Any) -> Any:
    value, low, high = _ordered(to, [node.this, node.args["low"], node.args["high"]])
    return (value >= low) & (value <= high)


def _in(to: _Said, node: Any) -> Any:
    value, *values = _ordered(to, [node.this, *node.expressions])
    return value.isin(values)


def _is(to: _Said, node: Any) -> Any:
    value, other = to.value(node.this), type(node.expression).__name__
    if other == "Null":
        return value.isnull()
    if other == "Boolean":
        return value.identical_to(to.value(node.expression))
    raise Unsaid(f"{node.sql()[:80]} is not read here")


def _case(to: _Said, node: Any) -> Any:
    if node.this is not None:
        raise Unsaid("CASE has conditions after WHEN")
    branches = [(to.value(each.this), to.value(each.args["true"])) for each in node.args["ifs"]]
    return _ibis().cases(*branches, else_=_or_null(to, node.args.get("default")))


def _cast(to: _Said, node: Any) -> Any:
    wanted = _TYPES.get(getattr(node.to.this, "name", ""))
    if wanted is None:
        raise Unsaid(f"{node.to.sql()[:40]} is no type to cast to")
    if type(node.this).__name__ == "Literal" and wanted in ("date", "timestamp('UTC')"):
        return literal(node.this.this, "date" if wanted == "date" else "timestamp")
    return read_as(to.value(node.this), wanted)


def _count(to: _Said, node: Any) -> Any:
    counted = node.this
    if type(counted).__name__ == "Star":
        return to.view.table.count(where=to.where)
    if type(counted).__name__ == "Distinct":
        if len(counted.expressions) != 1:
            raise Unsaid("COUNT(DISTINCT ...) is of one column")
        return to.value(counted.expressions[0]).nunique(where=to.where)
    return to.value(counted).count(where=to.where)
