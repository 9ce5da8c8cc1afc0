"""What a table's features look like without its rows: counts, sums of powers, counts by cell. Called by `unkeyed`.

A fingerprint is such a profile as a table of its own, one row a feature, so that the comparison can be made later
without the data. It holds no value of a row: cells and sums of fewer than MINIMUM values are left out, and texts are
counted by the first digit of their MD5.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gates.inputs.profile import kind_of
from gates.inputs.tables import arrow, row
from gates.inputs.values import finite, is_moment, moment
from gates.measure.scored_columns import text
from gates.measure.stats.figure import Floats, Ints
from gates.measure.stats.shift import Powers
from gates.measure.sums import codes, double, exact_sum, numbers

if TYPE_CHECKING:
    import ibis.expr.types as ir

CELLS = 16
MINIMUM = 10
"""Values, with fewer of which a cell or a mean would be somebody's."""

_POWERS = range(1, 5)
_DIGITS = "0123456789abcdef"


@dataclass(frozen=True)
class Frame:
    """Where a number is counted from, and in what: (x / 4 - center) / scale is between -1 and 1, of any double."""

    center: float
    scale: float


@dataclass(frozen=True)
class Look:
    """A feature of a table.

    Attributes
    ----------
    kind: `number`, `text` or `other`. values: rows with a value (a finite one), by cluster, shape (clusters,).
    frame, powers: of numbers. buckets: counts by cell, shape (16, clusters); NaN where a fingerprint leaves them out.
    """

    kind: str
    values: Floats
    frame: Frame | None = None
    powers: Floats | None = None
    buckets: Floats | None = None


@dataclass(frozen=True)
class Profile:
    """A table.

    Attributes
    ----------
    rows: by cluster, shape (clusters,). cluster: codes, None where rows are taken as independent.
    """

    rows: Floats
    cluster: Ints | None
    looks: Mapping[str, Look] = field(default_factory=dict)

    def of(self, look: Look, frame: Frame) -> Powers | None:
        """Return a number's sums in another scale around the same center."""
        if look.powers is None or look.frame is None:
            return None
        return Powers(look.values, look.powers, self.cluster).scaled(look.frame.scale / frame.scale)


def frames(tables: Sequence[ir.Table], names: Sequence[str]) -> dict[str, Frame]:
    """Return a frame for each number, of the values of all tables around the mean of the first one."""
    seen: dict[str, list[tuple[float, float, float]]] = {}
    for table in tables:
        numeric = {f"x{i}": _number(table[name]) for i, name in enumerate(names) if _kind(table, name) == "number"}
        wanted: dict[str, Any] = {}
        for alias, value in numeric.items():
            found = finite(value)
            wanted |= {f"low_{alias}": value.min(where=found), f"high_{alias}": value.max(where=found)}
            wanted[f"mean_{alias}"] = value.mean(where=found)
        answer = row(table.aggregate(**wanted)) if wanted else {}
        for alias in numeric:
            low, high, mean = (answer[f"{word}_{alias}"] for word in ("low", "high", "mean"))
            if low is not None:
                name = names[int(alias[1:])]
                seen.setdefault(name, []).append((low, high, mean))
    return {name: _frame(found) for name, found in seen.items()}


def _frame(found: Sequence[tuple[float, float, float]]) -> Frame:
    low, high, mean = (value / 4 for value in found[0])
    center = mean if math.isfinite(mean) else low + (high - low) / 2
    reach = max(max(abs(low / 4 - center), abs(high / 4 - center)) for low, high, _ in found)
    scale = 2.0 ** max(math.frexp(reach)[1], -900)
    # Coarse, so that it does not depend on the order in which the mean was added up.
    step = scale * 2.0**-20
    return Frame(round(center / step) * step if step > 0 and math.isfinite(center / step) else center, scale)


def profile(
    table: ir.Table, names: Sequence[str], given: Mapping[str, Frame], *, cluster: ir.Value | None, cells: bool = False
) -> Profile:
    """Look at every row of a table once.

    Parameters
    ----------
    cluster: what rows that hang together share. names: features. given: a frame for each number. cells: count numbers by cell too.
    """
    held = [name for name in names if name in table.columns]
    wanted: dict[str, Any] = {"rows": table.count()}
    for index, name in enumerate(held):
        wanted |= _wanted(table[name], index, _kind(table, name), given.get(name), cells=cells)
    if cluster is None:
        answer, code = arrow(table.aggregate(**wanted)), None
    else:
        answer = arrow(table.group_by(cluster_=text(cluster)).aggregate(**wanted))
        code = codes(answer, "cluster_")[1]
    looks = {name: _look(answer, index, _kind(table, name), given.get(name)) for index, name in enumerate(held)}
    return Profile(numbers(answer, "rows"), code, looks)


def _wanted(value: ir.Value, index: int, kind: str, frame: Frame | None, *, cells: bool) -> dict[str, Any]:
    if kind == "number" and frame is not None:
        number = _number(value)
        known = finite(number).fill_null(False)
        z = known.ifelse((number * 0.25 - double(frame.center)) * double(1 / frame.scale), double(0.0))
        wanted = {f"p{index}_{power}": exact_sum(_power(z, power), fine=True) for power in _POWERS}
        place = ((z + 1) * (CELLS / 2)).floor().clip(0, CELLS - 1)
        buckets = {f"b{index}_{cell}": (known & (place == cell)).sum() for cell in range(CELLS)} if cells else {}
        return {f"n{index}": known.sum(), **wanted, **buckets}
    if kind == "number":
        return {f"n{index}": finite(_number(value)).fill_null(False).sum()}
    known = value.notnull()
    if kind != "text":
        return {f"n{index}": known.sum()}
    digit = value.hexdigest("md5").substr(0, 1)
    return {
        f"n{index}": known.sum(),
        **{f"b{index}_{cell}": (digit == _DIGITS[cell]).fill_null(False).sum() for cell in range(CELLS)},
    }


def _power(z: ir.FloatingValue, power: int) -> ir.FloatingValue:
    square = z * z
    return {1: z, 2: square, 3: square * z, 4: square * square}[power]


def _look(answer: Any, index: int, kind: str, frame: Frame | None) -> Look:
    def stack(letter: str, parts: Sequence[int]) -> Floats | None:
        names = [f"{letter}{index}_{part}" for part in parts]
        return np.array([numbers(answer, name) for name in names]) if names[0] in answer.column_names else None

    values = numbers(answer, f"n{index}")
    return Look(kind, values, frame, stack("p", _POWERS), stack("b", range(CELLS)))


def _kind(table: ir.Table, name: str) -> str:
    if name not in table.columns:
        return "none"
    kind = kind_of(table[name].type())
    if kind in ("integer", "number", "bool") or is_moment(table[name]):
        return "number"
    return "text" if kind == "text" else "other"


def _number(value: ir.Value) -> ir.FloatingValue:
    """A number, or of a moment the seconds since 1970."""
    found = moment(value).epoch_seconds() if is_moment(value) else value
    number: ir.FloatingValue = found.cast("float64")
    return number


_HEAD = ("feature", "kind", "rows", "values", "center", "scale")


def fingerprint(found: Profile) -> bytes:
    """Write a profile as CSV, one row a feature; clusters are added up."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_HEAD, *(f"sum{power}" for power in _POWERS), *(f"cell{cell}" for cell in range(CELLS))])
    rows = int(found.rows.sum())
    for name, look in found.looks.items():
        values = int(look.values.sum())
        told = look.frame is not None and look.powers is not None and values >= MINIMUM
        frame = [look.frame.center, look.frame.scale] if told and look.frame else ["", ""]
        sums = [float(total.sum()) for total in look.powers] if told and look.powers is not None else [""] * 4
        cells = [_cell(float(total.sum())) for total in look.buckets] if look.buckets is not None else [""] * CELLS
        writer.writerow([name, look.kind, rows, values, *frame, *sums, *cells])
    return out.getvalue().encode()


def _cell(count: float) -> int | str:
    return int(count) if count == 0 or count >= MINIMUM else ""


def read_fingerprint(table: ir.Table) -> Profile | None:
    """Read a fingerprint that was opened as a table; None where it is none."""
    wanted = [*_HEAD, *(f"sum{power}" for power in _POWERS), *(f"cell{cell}" for cell in range(CELLS))]
    if not set(wanted) <= set(table.columns):
        return None
    lines = arrow(table.select(*wanted)).to_pylist()
    try:
        looks = {str(line["feature"]): _read(line) for line in lines}
        rows = {float(line["rows"]) for line in lines}
    except (TypeError, ValueError):
        return None
    return Profile(np.array([rows.pop()]), None, looks) if len(rows) == 1 else None


def _read(line: Mapping[str, Any]) -> Look:
    sums = [_float(line[f"sum{power}"]) for power in _POWERS]
    buckets = np.array([[_float(line[f"cell{cell}"])] for cell in range(CELLS)])
    told = not any(math.isnan(total) for total in sums)
    frame = Frame(float(line["center"]), float(line["scale"])) if told else None
    powers = np.array(sums)[:, None] if told else None
    return Look(str(line["kind"]), np.array([float(line["values"])]), frame, powers, buckets)


def _float(value: Any) -> float:
    return math.nan if value in (None, "") else float(value)
