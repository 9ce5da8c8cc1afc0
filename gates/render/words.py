"""The words for a row that every view shares: figures, limits, where, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable

from gates.decide.advice import VS_CHAMPION, WorstSlice
from gates.decide.discoveries import RATE, StandOut
from gates.decide.limits import Limit, ends
from gates.decide.rows_needed import CAP, Need
from gates.records.measurement import WHOLE, Bound, Item, Measurement, Slice
from gates.render.names import item_text, place_text, slice_text, visible
from gates.render.numbers import count, figure, figures, literal
from gates.render.row import Row

UNBOUNDED = "∞: the data set no bound on that side"


def limit_text(limit: Limit | None) -> str:
    """A limit as a comparison: `< 0.02`, `≥ -0.01`, `± 0.05`."""
    if limit is None:
        return ""
    value = literal(limit.value)
    if limit.sense == "within" and limit.mirror is not None:
        return f"± {value}" if limit.mirror == -limit.value else f"{literal(limit.mirror)} to {value}"
    strict, inclusive = (">", "≥") if limit.sense == "at_least" else ("<", "≤")
    return f"{inclusive if limit.inclusive else strict} {value}"


def estimate_text(row: Row) -> str:
    """The point estimate; empty where nothing was measured."""
    return _figures(row)[0]


def interval_text(row: Row) -> str:
    """The interval at the rung that was judged; `exact` for a count of all rows read."""
    if row.measurement is None or row.bound is None:
        return ""
    if row.measurement.scope == "census":
        return "exact"
    _, lower, upper = _figures(row)
    return _interval(row.bound, lower, upper)


def _interval(bound: Bound, lower: str, upper: str) -> str:
    left = "(" if bound.lower == "unbounded" else "["
    right = ")" if bound.upper == "unbounded" else "]"
    return f"{left}{lower}, {upper}{right}"


def _figures(row: Row) -> tuple[str, str, str]:
    measurement, against = row.measurement, () if row.limit is None else row.limit.values
    if measurement is None or measurement.estimate is None:
        return ("", "", "")
    if row.bound is None or measurement.scope == "census":
        return (figure(measurement.estimate, against=against), "", "")
    return figures(measurement.estimate, *ends(row.bound), against=against)


def unbounded(row: Row) -> bool:
    return row.bound is not None and "unbounded" in (row.bound.lower, row.bound.upper)


def where_text(row: Row) -> str:
    """Which rows and which part, with n where the rows are few or the verdict is open; empty for the plain whole."""
    parts = [] if row.whole else [slice_text(row.slice)]
    if row.item is not None:
        parts.append(item_text(row.item))
    if row.measurement is not None and (not row.whole or row.status == "inconclusive"):
        parts.append(f"n {count(row.measurement.n)}")
        if row.measurement.clusters is not None and row.whole:
            worth = row.measurement.effective_clusters
            parts.append(f"{count(row.measurement.clusters)} clusters" + (f" worth {count(worth)}" if worth else ""))
    return " · ".join(parts)


def verdict_text(row: Row) -> str:
    """The verdict, never more than it says: an accepted one is provisional, not a pass."""
    return {
        "satisfied": row.status,
        "denies": row.status,
        "accepted": "provisional",
        "tolerated": row.status if row.status == "inconclusive" else f"{row.status}, tolerated",
        "waived": f"{row.status}, waived",
        "observed": f"{row.status}, observed",
        "warned": f"{row.status}, warning",
        "shortened": f"{row.status}, left for later",
        "not_applicable": "not applicable",
    }[row.result.disposition]


def need_text(need: Need, slice_: Slice = WHOLE, item: Item | None = None) -> str:
    """Rows that would settle it, in words; of a slice or a part, which one, and how many rows it has now."""
    place = place_text(slice_, item)
    of, instead = (f"for {place}, ", f" in place of its {count(need.now)}") if place else ("", "")
    if need.low >= CAP * need.now:
        return f"{of}more than {CAP} times the present {count(need.now)} rows would be needed to settle it"
    if need.capped:
        rows = f"about {count(need.low)} rows or more{instead} (over {CAP} times the present ones are possible)"
    else:
        high = f" to {count(need.high)}" if need.high > need.low else ""
        rows = f"about {count(need.low)}{high} rows{instead}"
    toward = f"probably a {need.toward}" if need.sure else "which way is open"
    return f"{of}a fresh holdout with {rows} would settle it: {toward}"


def worst_text(worst: WorstSlice) -> str:
    """The slice of a check that is most surely bad."""
    _, where, item = worst.place
    figure = worst.measurement
    part = "" if item is None else f" {item_text(item)}"
    return f"look at {slice_text(where)}{part} first: {_with_interval(figure)} of {count(figure.n)} rows"


_NAMED = 5


def stand_out_text(found: StandOut) -> str:
    """Slices and items that look bad beside the others, and are not proven to be; the first few by name."""
    names = [place_text(figure.slice, figure.item) for figure in found.figures]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    rate = f"of such names at most {100 * RATE:g} % are chance, on the average"
    return f"looks bad, not proven: {', '.join(names[:_NAMED])}{more} (among {count(found.among)} claims; {rate})"


WORSE = "worse than the champion"


def worse_text(worse: Iterable[Measurement]) -> str:
    """The comparisons with the champion that came out worse and decided nothing, each with its interval."""
    told = (
        f"{compared_text(figure)} {_with_interval(figure)}{' times' if figure.unit == 'ratio' else ''}"
        for figure in worse
    )
    return f"by their point, and not judged here: {', '.join(told)}"


def compared_text(figure: Measurement) -> str:
    """What was compared, in short: `f1`, `latency p95`."""
    metric = figure.check.split(".", 1)[1].removesuffix(VS_CHAMPION)
    return metric if figure.item is None else f"{metric} {visible(figure.item.name)}"


def _with_interval(figure: Measurement) -> str:
    """The estimate and its interval at the ladder's first rung; the words for what was not judged at any."""
    if figure.estimate is None or figure.bounds is None:
        return "not measured"
    estimate, lower, upper = figures(figure.estimate, *ends(figure.bounds[0]))
    return f"{estimate} {_interval(figure.bounds[0], lower, upper)}"


def tally(rows: Iterable[Row]) -> str:
    """How many rows came out how: `30 pass, 11 inconclusive (tolerated)`."""
    counts: dict[str, int] = {}
    for row in rows:
        word = verdict_text(row)
        word = f"{word} (tolerated)" if word == "inconclusive" and not row.denies else word
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{count(number)} {word}" for word, number in counts.items())
