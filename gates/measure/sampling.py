"""A sample of rows, for the figures that need rows one by one and not sums of them: ranks and replicates.

Those hold about 100 bytes a row in memory (regression/ranks). A table of more than `max_rows` rows gives them every
k-th row, drawn by a hash of the plan's key and seed: the same rows for candidate and champion, today and next year, on
every engine whose text of the key is the same (whole numbers, texts and dates are). Rows are drawn one by one within
their clusters, not clusters as a whole: all clusters stay, and what they vary by is seen as before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.inputs.tables import scalar
from gates.measure.interface import Scored
from gates.records import Plan

if TYPE_CHECKING:
    import ibis.expr.types as ir

DRAW = "draw_"
"""Begins the names of the scored table's columns that hold the key, as text: `draw_0`, ..."""

BY_ROW = frozenset({"delong", "jackknife", "poisson_bootstrap"})
"""Methods of figures that need rows one by one."""

_DIGITS = 8


def one_in(plan: Plan, rows: int) -> int:
    """Return k: of a table of this many rows one in k is drawn; 1 is all of them."""
    return math.ceil(rows / plan.parameters.max_rows)


def drawn(scored: Scored, plan: Plan) -> Scored:
    """Return the scored table itself, or of one with too many rows one in `one_in` of them.

    Raises
    ------
    UsageError: a sample is needed, the plan has no key, and the engine gives rows no position to stand for it.
    """
    share = one_in(plan, scored.rows)
    if share == 1:
        return scored
    seeded = _text(scored.table, plan.parameters.seed)
    kept = _kept(scored.table, seeded, share)
    return replace(scored, table=kept, rows=int(scalar(kept.count())))


def sampled(table: ir.Table, key: Sequence[str], seed: int, share: int) -> ir.Table:
    """Return one in `share` rows of a table, drawn by a hash of the texts of these columns and a seed.

    Rows of one key are drawn together or not at all.
    """
    texts = {f"{DRAW}{index}": _written(table[name]) for index, name in enumerate(key)}
    named = table.mutate(**texts)
    return _kept(named, _text(named, seed), share).drop(*texts)


def lowest(table: ir.Table, text: ir.StringValue, seed: str, rows: int) -> ir.Table:
    """Return the rows with the smallest hashes of a seed and of what is written of each: `rows` of them.

    Rows of which the same is written are drawn together, so that there may be more.
    """
    import ibis

    marked = table.mutate(**{DRAW: (ibis.literal(f"{seed}\x1f") + text).hexdigest("md5")})
    # As text, which every engine compares alike.
    most = scalar(marked.select(DRAW).order_by(DRAW).limit(rows)[DRAW].max())
    return marked.filter(marked[DRAW] <= most).drop(DRAW)


def _written(value: ir.Value) -> ir.StringValue:
    # Each engine writes times in its own way.
    number = value.truncate("s").epoch_seconds().cast("int64") if value.type().is_timestamp() else value
    return number.cast("string").fill_null("")


def _kept(table: ir.Table, seeded: ir.StringValue, share: int) -> ir.Table:
    drawn = table.mutate(**{DRAW: seeded.hexdigest("md5").substr(0, _DIGITS)})
    # As text, which every engine compares alike.
    return drawn.filter(drawn[DRAW] < f"{16**_DIGITS // share:0{_DIGITS}x}").drop(DRAW)


def _text(table: ir.Table, seed: int) -> ir.StringValue:
    import ibis

    key = sorted(name for name in table.columns if name.startswith(DRAW))
    if key:
        return ibis.literal("\x1f").join([ibis.literal(str(seed)), *(table[name] for name in key)])
    if table.get_backend().name != "duckdb":
        raise UsageError(
            "rows have no key to draw a sample by", code="key.none", where="columns.key", remedy="name columns.key"
        )
    return ibis.literal(f"{seed}\x1f") + ibis.row_number().cast("string")
