"""Counts by partition, as the whole and the worst of them. Called by `gate`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.inputs.row_digest import NO_NAME, NULL, Shared, shown
from gates.inputs.tables import arrow, row

if TYPE_CHECKING:
    import ibis.expr.types as ir

LISTED = 1_000
"""Partitions that the attachment lists of each count, at most."""

_NAME = 200


@dataclass(frozen=True)
class Tally:
    """A count over all partitions, and its partitions with the most, by name; the most first."""

    total: int = 0
    worst: tuple[tuple[str, int], ...] = ()


def tallies(table: ir.Table, columns: Sequence[str], partition: Shared) -> dict[str, Tally]:
    """Tally columns of counts of a table with one row a partition, `part`."""
    sums = row(table.aggregate(**{name: table[name].sum() for name in columns}))
    return {name: Tally(int(sums[name]), _worst(table, name, partition)) if sums[name] else Tally() for name in columns}


def _worst(table: ir.Table, column: str, partition: Shared) -> tuple[tuple[str, int], ...]:
    import ibis

    found = table.filter(table[column] > 0).select("part", n=table[column])
    listed = arrow(found.order_by([ibis.desc("n"), "part"]).limit(LISTED)).to_pylist()
    return tuple((_named(line["part"], partition), int(line["n"])) for line in listed)


def _named(part: str, partition: Shared) -> str:
    """A partition's name on one line; one that is cut, changed or like that of null ends in a digest of what it was."""
    text = shown(part, partition)
    plain = "".join(char if char.isprintable() else "?" for char in text)[:_NAME]
    itself = bool(text) and plain == text and (text != NO_NAME or part == NULL)
    return plain if itself else f"{plain} #{hashlib.sha256(part.encode()).hexdigest()[:8]}"
