"""Personal data in columns that no contract tags as such: a sample of values, looked at by presidio's recognisers.

Called by `gate`. Recognisers are the ones of patterns and checksums (RECOGNISERS); names of people need a language model,
which is not fetched. What another tool found in a table (inputs.personal_data) takes the place of presidio's look at it. What
leaves is counts, kinds and the shape of an example.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gates.errors import UsageError, masked
from gates.inputs.tables import arrow
from gates.measure.census import census, unmeasured
from gates.measure.claims import Claim, family
from gates.measure.data.classes import classes
from gates.measure.interface import Given, LookedAt, Note, OpenTable
from gates.measure.stats.proportions import coverage
from gates.measure.sums import Where
from gates.records import WHOLE, Item, Measurement, Param, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHECK = "data.untagged_personal_data"
UNIT = "ratio"
METHOD = "share of values that a recogniser takes for personal data"
NOTE = "personal-data.json"

LONGEST = 1_000
"""Characters of a value that are looked at."""

SURE = 0.4
"""Presidio's score from which a finding counts: a checksum that holds is 1, a pattern by itself .4 to .6."""

Recognise = Callable[[str], str | None]
"""The kind of personal data that a text holds, None where none was found."""


@dataclass
class _Seen:
    """What was found in the values of a column; `read` is -1 where nobody looked."""

    read: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    shape: str | None = None

    @property
    def found(self) -> int:
        return self.kinds.total()


def untagged_personal_data(given: Given) -> tuple[tuple[Measurement, ...], tuple[Note, ...]]:
    """Return the share of values of each untagged column that are personal data, and a note of their kinds."""
    seen = dict(_imported(given))
    own = [role for role in given.tables if role not in given.personal_data]
    recognise = recogniser() if own else None
    if recognise is not None:
        seen |= dict(_looked_at(given, recognise, own))
    elif own:
        return (unmeasured(CHECK, Reason.EXTRA_MISSING, unit=UNIT, method=METHOD),), ()
    figures = tuple(_figure(given, place, found, len(seen)) for place, found in seen.items() if found.read != 0)
    if not figures:
        figures = (census(CHECK, 0, n=0, unit=UNIT, method=METHOD),)
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


def _imported(given: Given) -> Iterator[tuple[tuple[str, str], _Seen]]:
    for role, report in sorted(given.personal_data.items()):
        opened = given.tables.get(role)
        if opened is None:
            continue
        _of_this_table(report, opened)
        columns = [n for n in opened.table.columns if n in report.columns or _may_hold(opened.table[n])]
        for name in _untagged(given, opened, columns):
            one = report.columns.get(name)
            # A column that the tool did not look into is not known to be clean.
            yield (role, name), _Seen(-1) if one is None else _Seen(one.values, Counter(one.found))


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


def _untagged(given: Given, opened: OpenTable, names: Sequence[str]) -> list[str]:
    """Of these columns those that no contract tags as about people."""
    contract = given.contracts.get(opened.identity.role)
    known = {} if contract is None else classes(contract)
    return [name for name in names if name not in known or not known[name].personal]


def _looked_at(given: Given, recognise: Recognise, roles: Sequence[str]) -> Iterator[tuple[tuple[str, str], _Seen]]:
    for role in sorted(roles):
        opened = given.tables[role]
        names = [name for name in opened.table.columns if _may_hold(opened.table[name])]
        untagged = _untagged(given, opened, names)
        if not untagged or not opened.identity.rows:
            continue
        rows = arrow(_sample(given, opened, untagged))
        for place, name in enumerate(untagged):
            yield (role, name), _count(rows.column(f"v{place}").to_pylist(), recognise)


def _may_hold(value: ir.Value) -> bool:
    """Texts, and whole numbers, which cards are kept as."""
    return bool(value.type().is_string() or value.type().is_integer())


def _sample(given: Given, opened: OpenTable, names: Sequence[str]) -> ir.Table:
    """At most `personal_rows` rows, drawn by a hash of the plan's seed and the key, or of the values where it has none."""
    import ibis

    table = opened.table
    texts = {f"v{place}": table[name].cast("string") for place, name in enumerate(names)}
    most = given.plan.parameters.personal_rows
    if opened.identity.rows <= most:
        return table.select(**texts)
    key = [name for name in given.plan.columns.key if name in table.columns] or list(names)
    parts = [table[name].cast("string").fill_null("") for name in key]
    draw = ibis.literal("\x1f").join([ibis.literal(str(given.plan.parameters.seed)), *parts]).hexdigest("md5")
    drawn = table.select(**texts, draw=draw)
    return drawn.order_by(list(reversed(drawn.columns))).limit(most).drop("draw")


def _count(values: Sequence[str | None], recognise: Recognise) -> _Seen:
    seen = _Seen()
    for value, times in Counter(value for value in values if value).items():
        seen.read += times
        kind = recognise(value[:LONGEST])
        if kind is not None:
            seen.kinds[kind] += times
            seen.shape = seen.shape or masked(value)
    return seen


def _figure(given: Given, place: tuple[str, str], seen: _Seen, size: int) -> Measurement:
    role, name = place
    item = Item(kind="column", name=f"{role}.{name}"[:256])
    report = given.personal_data.get(role)  # type: ignore[call-overload]
    rows = given.tables[role].identity.rows
    if report is None:
        params: tuple[Param, ...] = (Param(name="recognisers", value="presidio"),)
        every = rows <= given.plan.parameters.personal_rows
    else:
        params = (Param(name="recognisers", value=report.tool), Param(name="report", value=report.digest))
        every = report.rows == rows
    if seen.read < 0:
        return unmeasured(CHECK, Reason.NOT_PROVIDED, unit=UNIT, method=METHOD, item=item, family=size, params=params)
    if every:
        return census(
            CHECK, seen.found / seen.read, n=seen.read, unit=UNIT, method=METHOD, item=item, family=size, params=params
        )
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
