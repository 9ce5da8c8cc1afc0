"""Supplied predictions and what the registered bytes say of the same rows: a sample is drawn, scored again, compared.

Place in the flow: `draw` before the scorer process, `compare` when its answers come back; the package gate makes figures of
what is found.

(1) Of the table that has the features, the holdout or else the table of predictions, the rows with the smallest hashes
    are drawn: of the plan's seed, of the digests of the tables that supply predictions, and of the row's key or, without
    one, of its content. Who supplies a table cannot see which rows will be drawn before the table is finished, and another
    table draws other rows.
(2) The scorer process is given their features.
(3) A row agrees where everything that was supplied of it agrees: a number is within the plan's tolerance of the model's,
    membership in a prediction set is the same. A number that is missing, NaN or infinite on either side, a row that the
    table lacks, and a column that the model has no answer for agree with nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.inputs.engines import reading
from gates.inputs.opened import OpenTable
from gates.inputs.row_digest import row_text, shared_columns
from gates.inputs.tables import Tables, scalar
from gates.inputs.values import finite
from gates.measure.interface import Rescored, Whose
from gates.measure.sampling import lowest
from gates.measure.scored import Supplied, supplied_by_tables
from gates.measure.scored_columns import counted, of_champion
from gates.measure.scored_features import ROW_ID, numbered
from gates.measure.scored_pairs import Side
from gates.measure.sums import double
from gates.records import Plan, Reason
from gates.records.plan import TableRole

if TYPE_CHECKING:
    import ibis.expr.types as ir

_SUPPLY: tuple[TableRole, ...] = ("predictions", "champion_predictions")


@dataclass(frozen=True)
class Drawn:
    """Rows to be scored again.

    Attributes
    ----------
    base: where the features are; all of its rows. rows: those that were drawn, as a table of their own.
    every: they are all that there are.
    """

    base: OpenTable
    rows: OpenTable
    every: bool


def draw(tables: Tables, plan: Plan, opened: Mapping[str, OpenTable]) -> Drawn | Reason:
    """Draw the plan's `rescored_rows`, or all where there are no more; of rows of one key all are drawn or none."""
    base = opened.get("holdout") or opened.get("predictions")
    if base is None:
        return Reason.TABLE_MISSING
    if base.identity.rows == 0:
        return Reason.EMPTY_TABLE
    key, table = plan.columns.key, base.table
    with reading(base.identity.uri):
        if base.identity.rows > plan.parameters.rescored_rows:
            known = bool(key) and set(key) <= set(table.columns)
            columns = shared_columns([table.select(*key) if known else table])
            digests = [opened[role].identity.digest for role in _SUPPLY if role in opened]
            seed = "\x1f".join([str(plan.parameters.seed), *digests])
            table = lowest(table, row_text(table, columns), seed, plan.parameters.rescored_rows)
        kept = tables.keep(table)
        count = int(scalar(kept.count()))
    identity = base.identity.model_copy(update={"rows": count})
    return Drawn(base, replace(base, table=kept, identity=identity), every=count == base.identity.rows)


def compare(
    tables: Tables, plan: Plan, opened: Mapping[str, OpenTable], drawn: Drawn, answers: Mapping[Whose, Path | Reason]
) -> dict[Whose, Rescored | Reason]:
    """Count the drawn rows in which what was supplied is not what the scorer process answered.

    Parameters
    ----------
    answers: the scorer's files on the features of `drawn.rows`, as `write_features` numbers them.

    Returns
    -------
    By model. NOT_PROVIDED: nothing was supplied for it. ROWS_UNPAIRED: no key says which rows belong together.
    KEYS_NOT_UNIQUE: a key of a drawn row stands more than once in the table.
    """
    supplied = supplied_by_tables(plan, opened)
    found: dict[Whose, Rescored | Reason] = {}
    for whose, answer in answers.items():
        if isinstance(answer, Reason):
            found[whose] = answer
        elif whose not in supplied:
            found[whose] = Reason.NOT_PROVIDED
        else:
            found[whose] = _compared(tables, plan, drawn, supplied[whose], answer, whose)
    return found


def _compared(
    tables: Tables, plan: Plan, drawn: Drawn, supplied: Supplied, answer: Path, whose: Whose
) -> Rescored | Reason:
    import ibis

    where = supplied.table.identity.uri
    rows, number = numbered(tables, plan, drawn.rows)
    places = {raw: f"s{place}" for place, raw in enumerate(supplied.wanted)}
    theirs = {places[raw]: wanted for raw, wanted in supplied.wanted.items()}
    with reading(where):
        if supplied.table is drawn.base:
            said = Side(rows, where).select((), {"id": (number, _as_is), **theirs}).table
        else:
            keys = plan.columns.key
            if not keys:
                return Reason.ROWS_UNPAIRED
            own = Side(rows, drawn.base.identity.uri).select(keys, {"id": (number, _as_is)}).table
            other = Side(supplied.table.table, where).select(keys, theirs).table
            named = other.rename({f"{name}_again": name for name in own.columns if name != "id"})
            both = [own[name] == named[f"{name}_again"] for name in own.columns if name != "id"]
            said = tables.keep(own.left_join(named, both).select("id", *places.values()))
            if int(scalar(said.count())) != drawn.rows.identity.rows:
                return Reason.KEYS_NOT_UNIQUE
        scores = tables.read(answer, where=f"{whose}'s predictions")
        ours = {raw if whose == "candidate" else of_champion(raw): scores[raw] for raw in scores.columns}
        again = scores.select(
            again=scores[ROW_ID], **{f"{name}_again": ours[raw] for raw, name in places.items() if raw in ours}
        )
        pairs = said.left_join(again, [said["id"] == again["again"]])
        nothing: Any = ibis.literal(value=False)
        tolerance = plan.parameters.rescored_tolerance
        agree = [
            _alike(pairs[name], pairs[f"{name}_again"], tolerance) if raw in ours else nothing
            for raw, name in places.items()
        ]
        marked = pairs.select(agree=reduce(and_, agree))
        found = counted(marked, agree=marked.agree)
    return Rescored(found["rows"], found["rows"] - found["agree"], every=drawn.every)


def _alike(supplied: Any, again: Any, tolerance: float) -> ir.BooleanValue:
    """Whether both say the same; what is missing says nothing. Never null."""
    if supplied.type().is_boolean():
        return (supplied == again).fill_null(False)
    one, other = supplied.cast("float64"), again.cast("float64")
    return (finite(one) & finite(other) & ((one - other).abs() <= double(tolerance))).fill_null(False)


def _as_is(found: ir.Value, _name: str, _where: str) -> ir.Value:
    return found
