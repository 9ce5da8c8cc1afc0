"""How the columns beside labels are read: scores, sets, weights, payoffs; and what the forms of all tasks share.

Two lists of names. Before the rows are checked a table has raw ones, which the scorer writes too: of the candidate
`p` (binary and numeric) or `p_0`, `p_1`, ... (multiclass), `set_0`, `set_1`, ... (by class), `lower_0.9` and
`upper_0.9` (by level), `quantile_0.5` (by level); of the champion the same after `q` for `p` and `champion_` before the
others. After that it has those of `Scored`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gates.errors import UsageError
from gates.inputs.tables import row
from gates.inputs.values import infinite
from gates.measure.scored_pairs import Read
from gates.measure.sums import double, exact_sum
from gates.records import Plan, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

NULL = "(null)"
"""What a missing value of a slice or cluster column is called; a text of the same form counts with it."""

HEAVIEST = 1_000.0
"""A row of a larger weight, counted in mean weights, is refused: figures would hang on single rows."""

Blame = Callable[[str], str]
"""What errors call the table that a raw column comes from."""


@dataclass(frozen=True)
class Finished:
    """Rows that hold what `Scored` says, and its fields of the same names."""

    table: ir.Table
    levels: tuple[float, ...] = ()
    champion_levels: bool = False
    quantiles: tuple[float, ...] = ()
    champion_quantiles: bool = False
    classes: tuple[str, ...] = ()
    scale: float = 1.0


class Form(Protocol):
    """What one task asks of its columns."""

    def label(self) -> Read:
        """How the label is read."""

    def candidate(self) -> Mapping[str, str]:
        """Raw names of the candidate's columns, and those of the plan."""

    def champion(self) -> Mapping[str, str]:
        """The same of the champion, in the same table as the candidate's."""

    def conditions(self, rows: ir.Table) -> dict[str, ir.BooleanValue]:
        """What is asked of every row, by name."""

    def finish(self, rows: ir.Table, seen: Mapping[str, int], blame: Blame) -> Finished | Reason:
        """Judge the rows and make `Scored`'s columns.

        Parameters
        ----------
        seen: in how many rows each of the conditions holds, and all `rows`.

        Raises
        ------
        UsageError: what the caller can mend.
        """


def text(found: ir.Value, _name: str = "", _where: str = "") -> ir.Value:
    """Read as a text."""
    return found.cast("string").fill_null(NULL)


def part(found: ir.Value, _name: str, _where: str) -> ir.Value:
    """Read a slice, a group or a cluster. A text goes as it is, and `filled` sees to its nulls.

    So it keeps the file's dictionary, by which DuckDB groups in half the time.
    """
    return found if found.type().is_string() else text(found)


def missing(rows: ir.Table, texts: Iterable[str]) -> dict[str, ir.BooleanValue]:
    """Ask which texts are null; see `filled`."""
    return {f"no_{name}": rows[name].isnull() for name in texts}


def filled(rows: ir.Table, texts: Iterable[str], seen: Mapping[str, int]) -> ir.Table:
    """Return the rows with a name in place of nulls, in those of the texts that `missing` found some in."""
    changes = {name: text(rows[name]) for name in texts if seen[f"no_{name}"]}
    return rows.mutate(**changes) if changes else rows


def number(found: ir.Value, name: str, where: str) -> ir.Value:
    """Read a score, an end of an interval or a quantile."""
    return _number(found, f'score "{name}"', "score.invalid", where)


def weight(found: ir.Value, name: str, where: str) -> ir.Value:
    """Read a weight."""
    return _number(found, f'weight "{name}"', "weight.invalid", where)


def payoff(found: ir.Value, name: str, where: str) -> ir.Value:
    """Read a payoff."""
    return _number(found, f'payoff "{name}"', "payoff.invalid", where)


def _number(found: ir.Value, what: str, code: str, where: str) -> ir.Value:
    kind = found.type()
    if not kind.is_numeric():
        raise UsageError(f"{what} is of type {kind}", code=code, where=where, remedy="give numbers")
    return found.cast("float64")


def member(found: ir.Value, name: str, where: str) -> ir.Value:
    """Read membership in the prediction set; unknown is no member, so that it cannot help coverage."""
    kind = found.type()
    if not (kind.is_boolean() or kind.is_numeric()):
        raise UsageError(f'set column "{name}" is of type {kind}', code="set.invalid", where=where)
    return (found if kind.is_boolean() else found == 1).fill_null(False)


def reader(raw: str) -> Read:
    """Say how a raw column of scores is read."""
    return member if re.match(r"(champion_)?set_", raw) else number


def of_champion(raw: str) -> str:
    """Return the champion's name for a raw column of the candidate."""
    return "q" + raw[1:] if re.match(r"p(_|$)", raw) else f"champion_{raw}"


def of_anchor(raw: str) -> str | None:
    """Return the anchor's name for a raw column of the candidate; None but for scores."""
    return "anchor" + raw[1:] if is_score(raw) else None


def by_level(names: Iterable[str], kind: str) -> list[float]:
    """Levels of the raw columns of a kind (`lower`, `champion_lower`, `quantile`, ...), ascending."""
    return sorted(float(name.removeprefix(f"{kind}_")) for name in names if re.match(rf"{kind}_[\d.e-]+$", name))


Term = TypeVar("Term")


def joined(terms: Sequence[Term], operator: Callable[[Term, Term], Term]) -> Term:
    """Combine terms pairwise, so that the expression of a thousand classes is ten deep and not a thousand."""
    while len(terms) > 1:
        terms = [reduce(operator, terms[i : i + 2]) for i in range(0, len(terms), 2)]
    return terms[0]


def is_score(raw: str) -> bool:
    """Whether a raw column is a score, and not a set, an end of an interval or a quantile."""
    return re.fullmatch(r"[pq](_\d+)?", raw) is not None


def is_quantile(raw: str) -> bool:
    """Whether a raw column is a predicted quantile."""
    return raw.startswith(("quantile_", "champion_quantile_"))


def whose(raw: str) -> str:
    """Whose scores a raw column holds."""
    return "champion's" if raw.startswith("champion_") or re.match(r"q(_|$)", raw) else "candidate's"


def counted(rows: ir.Table, **conditions: Any) -> dict[str, int]:
    """Count the rows where each condition holds, and all `rows`. Single comparisons cost least."""
    import ibis

    # Half as dear as a sum of conditions as numbers, or as a count of rows that pass a filter.
    @ibis.udf.agg.builtin  # type: ignore[untyped-decorator]
    def count_if(condition: bool) -> int: ...  # type: ignore[empty-body]

    counts = {name: count_if(condition) for name, condition in conditions.items()}
    # Where each condition is null an engine counts to null.
    return {name: int(value or 0) for name, value in row(rows.aggregate(rows=rows.count(), **counts)).items()}


def with_sets(rows: ir.Table, plan: Plan, classes: int) -> Finished:
    """Make coverage and size of the prediction sets of a task with classes; `y` is the place of the class."""
    names = rows.columns
    changes: dict[str, ir.Value] = {}
    if "set_0" in names:
        sets = [rows[f"set_{place}"] for place in range(classes)]
        changes["covered_0"] = joined([(rows.y == place) & inside for place, inside in enumerate(sets)], _either)
        changes["width_0"] = _size(sets)
    theirs = "champion_set_0" in names and "set_0" in names
    if theirs:
        changes["champion_width_0"] = _size([rows[f"champion_set_{place}"] for place in range(classes)])
    rest = [name for name in names if not re.match(r"(champion_)?set_", name)]
    return Finished(
        rows.select(*rest, **changes), (plan.parameters.coverage_level,) if "set_0" in names else (), theirs
    )


def _either(left: Any, right: Any) -> Any:
    return left | right


def _size(sets: Sequence[Any]) -> ir.Value:
    return joined([inside.cast("int64") for inside in sets], lambda left, right: left + right).cast("float64")


def with_weights(rows: ir.Table, where: str) -> tuple[ir.Table, float | None]:
    """Scale the weights to mean 1 and look at the payoffs, where there are such columns; and return the heaviest weight.

    Raises
    ------
    UsageError: a weight that is not finite and above 0, or that outweighs a thousand rows; a payoff that is not finite.
    """
    for name in ("weight", "payoff"):
        if name in rows.columns:
            _finite(rows, name, where)
    if "weight" not in rows.columns:
        return rows, None
    top = float(row(rows.aggregate(top=rows.weight.max()))["top"])
    # First by a power of two: it rounds nothing, and the sum of weights near 1e308 is none.
    unit = math.ldexp(1.0, min(math.frexp(top)[1], 1023))
    share = rows.weight / double(unit)
    found = row(rows.aggregate(total=exact_sum(share), rows=rows.count()))
    mean = found["total"] / found["rows"]
    if mean * HEAVIEST < top / unit:
        raise UsageError(
            f"a row weighs more than {HEAVIEST:g} times the mean",
            code="weight.invalid",
            where=where,
            remedy="weights compare rows: cut off the largest",
        )
    return rows.mutate(weight=share / double(mean)), top / unit / mean


def _finite(rows: ir.Table, name: str, where: str) -> None:
    value = rows[name]
    usable = value.notnull() & ~value.isnan() & ~infinite(value)
    usable = usable & (value > 0) if name == "weight" else usable
    found = counted(rows, wrong=~usable)
    if found["wrong"]:
        wanted = "a finite number above 0" if name == "weight" else "a finite number"
        raise UsageError(
            f"the {name} is not {wanted} in {found['wrong']} of {found['rows']} rows",
            code=f"{name}.invalid",
            where=where,
        )
