"""What the pairs show, counted: mismatches of each feature, and what became online of the values that offline has.

Of a value that offline has, online has one that is young enough (`present`), one that is too old, a null or NaN, or
none at all: no row of that key, or an online store says that it has no such entity. Called by `gate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gates.inputs.tables import arrow, keep, row
from gates.inputs.values import absent, moment
from gates.measure.parity.apart import NOWHERE, Apart
from gates.measure.parity.compare import Feature, both_sides, equal
from gates.measure.scored_columns import text
from gates.measure.stats.figure import Floats, Ints
from gates.measure.sums import Where, codes, numbers
from gates.records import WHOLE, Slice

if TYPE_CHECKING:
    import ibis.expr.types as ir

CLUSTER = "cluster"
AT = "at"
"""Names of columns in the pairs: which rows hang together, and when the pair's event happened."""


@dataclass(frozen=True)
class Lag:
    """How old an online value may be.

    Attributes
    ----------
    written: the pairs' column that says when it was written. seconds: more is too old.
    """

    written: str
    seconds: float


@dataclass(frozen=True)
class Kinds:
    """Values of a feature, as sums over the pairs of each cell, shape (cells,).

    Attributes
    ----------
    mismatches: pairs that differ. values: pairs in which offline has a value; of these
    null: online has none. old: online has one that is too old. lost: the online store knows no such entity.
    """

    mismatches: Floats
    values: Floats
    null: Floats
    old: Floats
    lost: Floats


@dataclass(frozen=True)
class Piece:
    """The pairs of a slice.

    Attributes
    ----------
    pairs: by cell, shape (cells,). cluster: codes by cell, None where pairs are taken as independent.
    """

    where: Where
    pairs: Floats
    cluster: Ints | None
    features: Mapping[str, Kinds]


@dataclass(frozen=True)
class Counts:
    """What the join showed.

    Attributes
    ----------
    paired: keys in both tables. offline_only, online_only: keys without a partner.
    not_found: by feature, values that offline has under a key that online lacks.
    pieces: the whole first, then each value of each slice column.
    """

    paired: int
    offline_only: int
    online_only: int
    not_found: Mapping[str, int]
    pieces: tuple[Piece, ...]

    @property
    def mismatches(self) -> dict[str, int]:
        """Pairs that differ, by feature."""
        return {name: int(kinds.mismatches.sum()) for name, kinds in self.pieces[0].features.items()}


def count(
    pairs: ir.Table,
    features: Sequence[Feature],
    tolerance: float,
    *,
    slices: Mapping[str, str] | None = None,
    clustered: bool = False,
    lags: Mapping[str, Lag] | None = None,
    statuses: Mapping[str, str] | None = None,
) -> Counts:
    """Count over all pairs: in one scan, or where there are slices or clusters once for each slice column.

    Parameters
    ----------
    slices: columns of the pairs by their name in the plan. clustered: the pairs have a column `cluster`.
    lags: by feature, where an age is asked for. statuses: by feature, the pairs' column of what the online store says.
    """
    slices, lags, statuses = slices or {}, lags or {}, statuses or {}
    both = both_sides(pairs)
    wanted: dict[str, Any] = {
        "n": both.sum(),
        "offline_only": pairs.in_online.isnull().sum(),
        "online_only": pairs.in_offline.isnull().sum(),
    }
    by_column: list[tuple[str | None, Any]] = []
    if slices or clustered or lags or statuses:
        columns = {name: text(pairs[name]) for name in (*slices.values(), *([CLUSTER] if clustered else []))}
        packed = {
            f"c{f.index}": _packed(_flags(pairs, f, tolerance, lags.get(f.name), statuses.get(f.name)))
            for f in features
        }
        kept = keep(pairs.filter(both).select(**columns, **packed))
        by_column = [(name, _cells(kept, features, name, clustered=clustered)) for name in slices.values() or [None]]
    else:
        wanted |= {f"p{f.index}": _together(pairs, f, both, tolerance).sum() for f in features}
    seen = {name: int(value or 0) for name, value in row(pairs.aggregate(**wanted)).items()}
    alone = pairs.filter(pairs.in_online.isnull())
    not_found = _not_found(alone, features) if seen["offline_only"] else {feature.name: 0 for feature in features}
    if by_column:
        pieces = _pieces(by_column, list(slices), features)
    else:
        differ = {f.name: divmod(seen[f"p{f.index}"], _NULL)[::-1] for f in features}
        pieces = (_single(seen["n"], differ, features, not_found),)
    return Counts(
        paired=seen["n"],
        offline_only=seen["offline_only"],
        online_only=seen["online_only"],
        not_found=not_found,
        pieces=pieces,
    )


def count_apart(
    found: Apart, features: Sequence[Feature], paired: int, rows: tuple[int, int], alone: Callable[[], ir.Table]
) -> Counts:
    """Count from where the tables differ, without slices, clusters or what is told of values.

    Parameters
    ----------
    paired: keys that both tables have. rows: of offline and of online, whose keys do not repeat.
    alone: gives the rows of offline without a partner, as of `compare.pair`.
    """
    offline_only, online_only = (side - paired for side in rows)
    not_found = _not_found(alone(), features) if offline_only else {feature.name: 0 for feature in features}
    seen = {f.name: found.differ.get(f.name, NOWHERE) for f in features}
    differ = {name: (each.rows, each.absent_online) for name, each in seen.items()}
    piece = _single(paired, differ, features, not_found)
    return Counts(paired, offline_only, online_only, not_found, (piece,))


def _not_found(alone: ir.Table, features: Sequence[Feature]) -> dict[str, int]:
    seen = row(alone.aggregate(**{f"f{f.index}": (~absent(alone[f.left])).sum() for f in features})) if features else {}
    return {feature.name: int(seen[f"f{feature.index}"] or 0) for feature in features}


_NULL = 2**31
"""What a pair adds to a sum whose lower half counts mismatches and whose upper half those with a value offline alone."""


def _together(pairs: ir.Table, feature: Feature, both: ir.BooleanValue, tolerance: float) -> ir.IntegerValue:
    """Two counts in one sum, which takes half of the time of two; nothing more is computed of pairs that are equal."""
    import ibis

    alone = ~absent(pairs[feature.left]) & absent(pairs[feature.right])
    return ibis.cases((~both | equal(pairs, feature, tolerance), 0), (alone, _NULL + 1), else_=1).cast("int64")


def _flags(
    pairs: ir.Table, feature: Feature, tolerance: float, lag: Lag | None, status: str | None
) -> dict[str, ir.BooleanValue]:
    """Of a pair: the two values differ, offline has one, online has none for it, online's is too old, or was never there."""
    offline, online = ~absent(pairs[feature.left]), absent(pairs[feature.right])
    found = {"m": ~equal(pairs, feature, tolerance), "v": offline}
    old: Any = None
    if lag is not None:
        # A value whose time is not known is not known to be young.
        age = moment(pairs[AT]).epoch_seconds() - moment(pairs[lag.written]).epoch_seconds()
        old = ~online & ~(age <= lag.seconds).fill_null(False)
    if status is not None:
        said = pairs[status].fill_null("")
        found["f"] = offline & (said == "not_found")
        old = (said == "too_old") if old is None else (said == "too_old") | old & (said != "not_found")
        online = online & ~said.isin(("not_found", "too_old"))
    if old is not None:
        found["o"] = offline & old
    return found | {"z": offline & online}


_BITS = {"m": 1, "v": 2, "z": 4, "o": 8, "f": 16}


def _packed(flags: Mapping[str, ir.BooleanValue]) -> ir.IntegerValue:
    total: Any = 0
    for kind, flag in flags.items():
        total = flag.ifelse(_BITS[kind], 0) + total
    packed: ir.IntegerValue = total.cast("int8")
    return packed


def _cells(kept: ir.Table, features: Sequence[Feature], column: str | None, *, clustered: bool) -> Any:
    by = [name for name in (column, CLUSTER if clustered else None) if name is not None]
    sums = {
        f"{kind}{f.index}": ((kept[f"c{f.index}"].cast("int64") & bit) > 0).sum()
        for f in features
        for kind, bit in _BITS.items()
    }
    return arrow((kept.group_by(by) if by else kept).aggregate(n=kept.count(), **sums))


def _pieces(
    by_column: Sequence[tuple[str | None, Any]], names: Sequence[str], features: Sequence[Feature]
) -> tuple[Piece, ...]:
    first = by_column[0][1]
    every = np.arange(first.num_rows)
    whole = _piece(WHOLE, first, every, features, None)
    return (whole, *_sliced(by_column, names, features, whole.where.rows))


def _sliced(
    by_column: Sequence[tuple[str | None, Any]], names: Sequence[str], features: Sequence[Feature], rows: int
) -> Iterator[Piece]:
    for (column, answer), name in zip(by_column, names, strict=False):
        if column is None:
            continue
        values, code = codes(answer, column)
        order = np.argsort(code, kind="stable")
        ends = np.searchsorted(code[order], np.arange(len(values) + 1))
        for place, value in enumerate(values):
            at = order[ends[place] : ends[place + 1]]
            yield _piece(Slice(kind="value", column=name, value=value), answer, at, features, rows)


def _piece(where: Slice, answer: Any, at: Ints, features: Sequence[Feature], rows: int | None) -> Piece:
    part = answer.take(at)
    cluster = codes(part, CLUSTER)[1] if CLUSTER in answer.column_names else None
    pairs = numbers(part, "n")
    n = int(pairs.sum())
    clusters = None if cluster is None else int(np.unique(cluster).size)
    kinds = {f.name: Kinds(*(numbers(part, f"{kind}{f.index}") for kind in _BITS)) for f in features}
    share = n * 1_000_000 // (rows or max(n, 1))
    return Piece(Where(where, share, n, clusters), pairs, cluster, kinds)


def _single(
    paired: int, differ: Mapping[str, tuple[int, int]], features: Sequence[Feature], not_found: Mapping[str, int]
) -> Piece:
    """The whole as one cell; `differ` has by feature mismatches, and those of them with a value offline alone."""
    kinds = {}
    for feature in features:
        mismatches, null = differ[feature.name]
        counts = (mismatches, feature.values - not_found[feature.name], null, 0, 0)
        kinds[feature.name] = Kinds(*(np.array([float(number)]) for number in counts))
    return Piece(Where(WHOLE, 1_000_000, paired, None), np.array([float(paired)]), None, kinds)
