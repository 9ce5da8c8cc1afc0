"""Personal data in columns that no contract tags as such: a sample of values, looked at by presidio's recognisers.

Called by `gate`. Recognisers are the ones of patterns and checksums (RECOGNISERS); names of people need a language model,
which is not fetched. What another tool found in a table (inputs.personal_data) stands beside presidio's look at it, or in its
place where presidio is not installed. What leaves is counts, kinds and the shape of an example.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gates.errors import UsageError, masked
from gates.inputs.opened import LookedAt, OpenTable
from gates.inputs.tables import arrow
from gates.measure.census import census, unmeasured
from gates.measure.claims import Claim, family
from gates.measure.data.classes import classes
from gates.measure.data.personal_texts import Look, Unread, look, plain, texts
from gates.measure.interface import Given, Note
from gates.measure.stats.proportions import coverage
from gates.measure.sums import Where
from gates.records import WHOLE, Item, Measurement, Param, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHECK = "data.untagged_personal_data"
UNIT = "ratio"
METHOD = "share of values that a recogniser takes for personal data"
NOTE = "personal-data.json"

SURE = 0.4
"""Presidio's score from which a finding counts: a checksum that holds is 1, a pattern by itself .4 to .6."""

_TELLING = re.compile(r"[\d@:]")
"""What each kind that is looked for has one of; most texts have none."""

Recognise = Callable[[str], str | None]
"""The kind of personal data that a text holds, None where none was found."""


@dataclass
class _Seen:
    """What was found in the values of a column.

    Attributes
    ----------
    read: values that were looked at. every: those of all rows. closed: not all that was read could be looked into.
    params: who looked.
    """

    params: tuple[Param, ...]
    every: bool
    read: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    shape: str | None = None
    closed: bool = False

    @property
    def found(self) -> int:
        return self.kinds.total()

    @property
    def share(self) -> float:
        return self.found / self.read if self.read else 0.0


_Place = tuple[str, str]
"""A table's role, and a column."""


def untagged_personal_data(given: Given) -> tuple[tuple[Measurement, ...], tuple[Note, ...]]:
    """Return the share of values of each untagged column that are personal data, and a note of their kinds."""
    recognise = recogniser()
    if recognise is None and not given.tables.keys() <= given.personal_data.keys():
        return (unmeasured(CHECK, Reason.EXTRA_MISSING, unit=UNIT, method=METHOD),), ()
    own = {} if recognise is None else dict(_looked_at(given, recognise))
    seen = _worse(own, dict(_imported(given)))
    figures = tuple(_figure(place, found, len(seen)) for place, found in seen.items() if found.read or found.closed)
    if not figures:
        # that there was nothing to look at is no proof that nothing is there
        figures = (unmeasured(CHECK, Reason.EMPTY_TABLE, unit=UNIT, method=METHOD),)
    lines = [
        {
            "table": role,
            "column": name,
            "values": one.read,
            "found": dict(sorted(one.kinds.items())),
            "shape": one.shape,
        }
        for (role, name), one in sorted(seen.items())
        if one.found
    ]
    return figures, (Note.of(NOTE, {"personal_data": lines}),)


def _worse(own: dict[_Place, _Seen], imported: dict[_Place, _Seen]) -> dict[_Place, _Seen]:
    """Of a column that both looked into what found more; a report, which anybody may write, takes away no finding."""
    seen = dict(own)
    for place, other in imported.items():
        here = own.get(place)
        if here is None or (here.closed and not other.closed) or (not other.closed and other.share > here.share):
            seen[place] = other
    return seen


def _imported(given: Given) -> Iterator[tuple[_Place, _Seen]]:
    for role, report in sorted(given.personal_data.items()):
        opened = given.tables.get(role)
        if opened is None:
            continue
        _of_this_table(report, opened)
        params = (Param(name="recognisers", value=report.tool), Param(name="report", value=report.digest))
        every = report.rows == opened.identity.rows
        for name in _untagged(given, opened):
            one = report.columns.get(name)
            if one is not None:
                yield (role, name), _Seen(params, every, one.values, Counter(one.found))
            elif look(opened.table[name].type()) is not Look.PAST:
                # A column that the tool did not look into is not known to be clean.
                yield (role, name), _Seen(params, every, closed=True)


def _of_this_table(report: LookedAt, opened: OpenTable) -> None:
    strange = next((name for name in report.columns if name not in opened.table.columns), None)
    if report.table == opened.identity.digest and report.rows <= opened.identity.rows and strange is None:
        return
    raise UsageError(
        f"is of another table than this {opened.identity.role}: of {report.table[:19]}, not {opened.identity.digest[:19]}"
        if strange is None
        else f'the table has no column "{strange}"',
        code="personal_data.stale",
        where=report.name,
        remedy="run the tool again on the table as it is, and write the table's digest beside what it finds",
    )


def _untagged(given: Given, opened: OpenTable) -> list[str]:
    """Columns that no contract tags as about people."""
    contract = given.contracts.get(opened.identity.role)
    known = {} if contract is None else classes(contract)
    return [name for name in opened.table.columns if name not in known or not known[name].personal]


def _looked_at(given: Given, recognise: Recognise) -> Iterator[tuple[_Place, _Seen]]:
    params = (Param(name="recognisers", value="presidio"),)
    most = given.plan.parameters.personal_rows
    for role, opened in sorted(given.tables.items()):
        every = opened.identity.rows <= most
        kinds = {name: look(opened.table[name].type()) for name in _untagged(given, opened)}
        for name in (name for name, kind in kinds.items() if kind is Look.CLOSED):
            yield (role, name), _Seen(params, every, closed=True)
        names = [name for name, kind in kinds.items() if kind is Look.INTO]
        if not names or not opened.identity.rows:
            continue
        rows = arrow(_sample(given, opened, opened.table, names))
        for place, name in enumerate(names):
            seen = _count(_Seen(params, every), rows.column(f"v{place}").to_pylist(), recognise)
            if not every and not seen.read and not seen.closed:
                # a column that is mostly null is drawn from where it is not
                filled = opened.table.filter(opened.table[name].notnull())
                drawn = arrow(_sample(given, opened, filled, [name])).column("v0").to_pylist()
                seen = _count(_Seen(params, every), drawn, recognise)
            yield (role, name), seen


def _sample(given: Given, opened: OpenTable, table: ir.Table, names: Sequence[str]) -> ir.Table:
    """At most `personal_rows` rows, drawn by a hash of the plan's seed and the key, or of the values where it has none."""
    import ibis

    values = {f"v{place}": table[name] for place, name in enumerate(names)}
    most = given.plan.parameters.personal_rows
    if opened.identity.rows <= most:
        return table.select(**values)
    key = [name for name in given.plan.columns.key if name in table.columns] or list(names)
    # where nothing else tells rows apart, all of their columns do
    told = [name for name in key if plain(table[name].type())] or [
        name for name in table.columns if plain(table[name].type())
    ]
    parts = [table[name].cast("string").fill_null("") for name in told]
    draw = ibis.literal("\x1f").join([ibis.literal(str(given.plan.parameters.seed)), *parts]).hexdigest("md5")
    drawn = table.select(**values, draw=draw)
    order = [name for name in drawn.columns if plain(drawn[name].type())]
    return drawn.order_by(list(reversed(order))).limit(most).drop("draw")


def _count(seen: _Seen, values: Sequence[Any], recognise: Recognise) -> _Seen:
    held: Counter[tuple[str, ...]] = Counter()
    for value in values:
        try:
            held[tuple(texts(value))] += 1
        except Unread:
            seen.closed = True
    for parts, times in held.items():
        if not parts:
            continue
        seen.read += times
        kind, shape = next(((kind, masked(part)) for part in parts if (kind := recognise(part))), (None, None))
        if kind is not None:
            seen.kinds[kind] += times
            seen.shape = seen.shape or shape
    return seen


def _figure(place: _Place, seen: _Seen, size: int) -> Measurement:
    role, name = place
    item, params = Item(kind="column", name=f"{role}.{name}"[:256]), seen.params
    if seen.closed:
        return unmeasured(CHECK, Reason.NOT_PROVIDED, unit=UNIT, method=METHOD, item=item, family=size, params=params)
    if seen.every:
        return census(CHECK, seen.share, n=seen.read, unit=UNIT, method=METHOD, item=item, family=size, params=params)
    share = coverage(np.array([float(seen.found)]), np.array([float(seen.read)]), None, minimum_clusters=2)
    claim = Claim(CHECK, "data", family(CHECK, size), METHOD, params)
    return claim.measured(share, Where(WHOLE, 1_000_000, seen.read, None), item)


def recogniser() -> Recognise | None:
    """Return presidio's pattern recognisers as one function, None where presidio is not installed."""
    try:
        found = _recognisers()
    except ImportError:
        return None

    def recognise(text: str) -> str | None:
        if not _TELLING.search(text):
            return None
        for kind, one in found:
            if any(result.score >= SURE for result in one.analyze(text, [kind], None)):
                return kind
        return None

    return recognise


def _recognisers() -> list[tuple[str, Any]]:
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        EmailRecognizer,
        IbanRecognizer,
        IpRecognizer,
        PhoneRecognizer,
        UsSsnRecognizer,
    )
    from tldextract import TLDExtract

    # As it comes, an address is checked against a list that is fetched from the network; the one in the package does.
    suffixes = TLDExtract(suffix_list_urls=(), cache_dir=None)

    class Email(EmailRecognizer):  # type: ignore[misc, unused-ignore]
        def validate_result(self, pattern_text: str) -> bool:
            return bool(suffixes(pattern_text).fqdn)

    # Numbers of phones with their country: of other digits nobody can tell.
    phones = PhoneRecognizer(supported_regions=("ZZ",))
    found = (Email(), CreditCardRecognizer(), IbanRecognizer(), phones, UsSsnRecognizer(), IpRecognizer())
    return [(one.supported_entities[0], one) for one in found]
