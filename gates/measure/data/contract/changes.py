"""How a contract differs from the one that the champion was made by, and which differences break somebody.

Breaking is what is stricter than before, since rows that were good are good no longer (another or narrower type, a column
that must be there, a smaller range, a new rule), and what is gone from under those who read the table (a column that was
removed or renamed, a key, a promise that there is always a value, or only one), and what takes protection from a column (a
lower class, a tag of personal data that is gone). All else is additive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gates.inputs.opened import Contract
from gates.measure.data.classes import CLASSES, ColumnClass, column_class
from gates.measure.data.contract import terms
from gates.measure.data.contract.conditions import Unsaid, room
from gates.measure.data.contract.expects import OPERATORS

if TYPE_CHECKING:
    from open_data_contract_standard.model import DataQuality, SchemaObject, SchemaProperty


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes
    ----------
    of: the column or the rule. text: what became of it. consumers: who reads it, as both contracts name them.
    """

    of: str
    text: str
    breaking: bool
    consumers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.of} {self.text}"

    def document(self) -> dict[str, Any]:
        return {"change": str(self), "breaking": self.breaking, "consumers": list(self.consumers)}


def changes(old: Contract, new: Contract) -> tuple[Change, ...]:
    """Return what differs between two contracts of a table; nothing where their bytes are the same."""
    if old.digest == new.digest:
        return ()
    before, now = old.object.properties or (), new.object.properties or ()
    found = (*_columns(old, new, before, now), *_rules(old, new), *_terms(old, new), *_owner(old, new))
    return tuple(dict.fromkeys(found))


def _change(old: Contract, new: Contract, of: str, text: str, breaking: bool, column: str | None = None) -> Change:
    readers = (*terms.consumers(old, column), *terms.consumers(new, column)) if breaking else ()
    return Change(of, text, breaking, tuple(dict.fromkeys(readers)))


def _columns(
    old: Contract,
    new: Contract,
    was: Iterable[SchemaProperty],
    is_: Iterable[SchemaProperty],
    *,
    inside: str = "",
    reader: str | None = None,
) -> Iterator[Change]:
    """Differences of columns, or of what is inside one.

    Parameters
    ----------
    inside: begins the names of what is in a column. reader: the column whose consumers read it, None for the columns.
    """
    before = {part.name or "": part for part in was}
    after = {part.name or "": part for part in is_}
    by_id = {part.id: name for name, part in after.items() if part.id is not None}
    renamed = {
        name: by_id[part.id] for name, part in before.items() if name not in after and part.id in by_id and part.id
    }
    for name, part in before.items():
        of, column = f"{inside}{name}", reader or name
        now = after.get(renamed.get(name, name))
        if now is None:
            yield _change(old, new, of, "removed", True, column)
            continue
        if name in renamed:
            yield _change(old, new, of, f"renamed to {renamed[name]}", True, column)
        for text, breaking in _column(part, now):
            yield _change(old, new, of, text, breaking, column)
        for mark, of_part in (".", _inside), ("[]", _items):
            yield from _columns(old, new, of_part(part), of_part(now), inside=f"{of}{mark}", reader=column)
    for name, part in after.items():
        if name not in before and name not in renamed.values():
            needed = bool(part.required or part.primaryKey)
            text = "added and required" if needed else "added"
            yield _change(old, new, f"{inside}{name}", text, needed, reader or name)


def _inside(part: SchemaProperty) -> list[SchemaProperty]:
    return part.properties or []


def _items(part: SchemaProperty) -> list[SchemaProperty]:
    return [] if part.items is None else [part.items]


def _column(before: SchemaProperty, now: SchemaProperty) -> Iterator[tuple[str, bool]]:
    if (before.physicalName or before.name) != (now.physicalName or now.name) and before.name == now.name:
        yield f"stands in column {now.physicalName or now.name}", True
    if before.logicalType != now.logicalType:
        wider = now.logicalType is None or (before.logicalType, now.logicalType) in _WIDER
        yield f"type {before.logicalType or 'of any kind'} became {now.logicalType or 'of any kind'}", not wider
    if before.physicalType != now.physicalType:
        yield (
            f"physicalType {before.physicalType or 'of any kind'} became {now.physicalType or 'of any kind'}",
            _narrower(before.physicalType, now.physicalType),
        )
    for word, said in (("required", "required"), ("unique", "unique"), ("primaryKey", "part of the primary key")):
        if bool(getattr(before, word)) != bool(getattr(now, word)):
            yield f"{'is' if getattr(now, word) else 'no longer'} {said}", True
    if before.primaryKey and now.primaryKey and (before.description or "") != (now.description or ""):
        yield "is described anew, and is a part of the key", False
    yield from _protected(column_class(before), column_class(now))
    yield from _options(before.logicalTypeOptions or {}, now.logicalTypeOptions or {})
    yield from _values([each.value for each in before.enum or ()], [each.value for each in now.enum or ()])


def _protected(before: ColumnClass, now: ColumnClass) -> Iterator[tuple[str, bool]]:
    if before.level != now.level:
        ranks = {level: rank for rank, level in enumerate((None, *CLASSES))}
        lower = ranks[now.level] < ranks[before.level]
        yield f"class {before.level or 'none'} became {now.level or 'none'}", lower
    if before.personal != now.personal:
        yield f"is {'tagged as' if now.personal else 'no longer tagged as'} about people", before.personal


_WIDER = frozenset({("integer", "number"), ("date", "timestamp")})


def _narrower(before: str | None, now: str | None) -> bool:
    if now is None:
        return False
    if before is None:
        return True
    try:
        (was, least), (is_, most) = room(before), room(now)
    except Unsaid:
        return True
    return (was != is_ and (was, is_) not in _WIDER) or most < least


_STRICTER: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda before, now: now > before,
    "exclusiveMinimum": lambda before, now: now > before,
    "maximum": lambda before, now: now < before,
    "exclusiveMaximum": lambda before, now: now < before,
    "minLength": lambda before, now: now > before,
    "maxLength": lambda before, now: now < before,
    "minItems": lambda before, now: now > before,
    "maxItems": lambda before, now: now < before,
    "format": lambda before, now: (
        not str(now)[1:].isdigit() or (str(before)[:1] != str(now)[:1] or int(str(now)[1:]) < int(str(before)[1:]))
    ),
}


def _options(before: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    for word in (*before, *(word for word in now if word not in before)):
        was, is_ = before.get(word), now.get(word)
        if was == is_:
            continue
        if is_ is None:
            yield f"{word} {was} dropped", False
        elif was is None:
            yield f"{word} {is_} added", True
        else:
            stricter = _STRICTER.get(word)
            yield f"{word} {was} became {is_}", stricter is None or stricter(was, is_)


def _values(before: list[Any], now: list[Any]) -> Iterator[tuple[str, bool]]:
    if bool(before) != bool(now):
        yield ("values are a list now", True) if now else ("values are no list any more", False)
    elif gone := [value for value in before if value not in now]:
        yield f"{_many(gone)} no longer allowed", True
    elif more := [value for value in now if value not in before]:
        yield f"{_many(more)} allowed besides", False


def _many(values: list[Any]) -> str:
    return f"{len(values)} value{'' if len(values) == 1 else 's'}"


def _rules(old: Contract, new: Contract) -> Iterator[Change]:
    before, now = dict(_quality(old)), dict(_quality(new))
    for name, rule in now.items():
        if name not in before:
            yield _change(old, new, name, "added", True)
            continue
        text = _tightened(before[name], rule)
        if text is not None:
            yield _change(old, new, name, *text)
    for name in before:
        if name not in now:
            yield _change(old, new, name, "dropped", False)


def _quality(contract: Contract) -> Iterator[tuple[str, Any]]:
    """Rules and references that are checked, each by a name that says what it is of."""
    parts: list[tuple[str, SchemaObject | SchemaProperty]] = [("", contract.object)]
    parts += [(part.name or "", part) for part in contract.object.properties or ()]
    for name, part in parts:
        for rule in part.quality or ():
            if rule.type not in ("text", "custom"):
                word = rule.name or rule.id or f"{rule.metric or 'sql'} {_said(rule.query or rule.arguments)}".strip()
                yield f"{name}.{word}" if name else word, rule
        for related in part.relationships or ():
            yield f"{name} foreignKey to {_said(related.to)} from {_said(related.from_)}".strip(), None


def _said(value: object) -> str:
    return "" if value in (None, {}) else value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _tightened(before: DataQuality | None, now: DataQuality | None) -> tuple[str, bool] | None:
    if before is None or now is None:
        return None
    if (before.metric, before.query, before.arguments) != (now.metric, now.query, now.arguments):
        return "asks another thing", True
    was, is_ = _allowed(before), _allowed(now)
    if was == is_:
        return None
    return f"{_shown(was)} became {_shown(is_)}", not _within(was, is_)


def _allowed(rule: DataQuality) -> tuple[str, list[Any], str]:
    word = next((each for each in OPERATORS if getattr(rule, each) is not None), "")
    said = getattr(rule, word, None)
    return word, said if isinstance(said, list) else [said], rule.unit or "rows"


def _shown(allowed: tuple[str, list[Any], str]) -> str:
    word, numbers, unit = allowed
    return f"{word} {' and '.join(str(number) for number in numbers)}{' percent' if unit == 'percent' else ''}"


def _within(was: tuple[str, list[Any], str], is_: tuple[str, list[Any], str]) -> bool:
    """Whether all that was allowed still is."""
    if (was[0], was[2]) != (is_[0], is_[2]):
        return False
    low, high = is_[1][0] <= was[1][0], is_[1][-1] >= was[1][-1]
    if was[0] in ("mustBeGreaterThan", "mustBeGreaterOrEqualTo"):
        return bool(low)
    if was[0] in ("mustBeLessThan", "mustBeLessOrEqualTo"):
        return bool(high)
    if was[0] == "mustNotBeBetween":
        return bool(is_[1][0] >= was[1][0] and is_[1][1] <= was[1][1])
    return bool(was[0] == "mustBeBetween" and low and high)


def _terms(old: Contract, new: Contract) -> Iterator[Change]:
    for word, was, is_ in _compared(terms.promised(old), terms.promised(new)):
        yield _change(old, new, word, f"{was or 'nothing'} became {is_ or 'nothing'}", was is not None)


def _owner(old: Contract, new: Contract) -> Iterator[Change]:
    was, is_ = terms.owner(old), terms.owner(new)
    if was != is_:
        yield _change(old, new, "owner", f"{was or 'nobody'} became {is_ or 'nobody'}", False)


def _compared(before: dict[str, str], now: dict[str, str]) -> Iterable[tuple[str, str | None, str | None]]:
    words = dict.fromkeys((*before, *now))
    return [(word, before.get(word), now.get(word)) for word in words if before.get(word) != now.get(word)]
