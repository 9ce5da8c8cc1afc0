"""What every contract must name, in the standard's own fields: owner, timestamp, availability, lag, the entity's key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.inputs.opened import Contract
from gates.measure.data.contract.columns import Declared
from gates.plan.nearest import did_you_mean

if TYPE_CHECKING:
    from open_data_contract_standard.model import CustomProperty, ServiceLevelAgreementProperty

TIMESTAMP, KIND, CONSUMERS = "authoritativeTimestamp", "timestampKind", "consumers"
KINDS = ("event", "processing")

TERMS = {
    "owner": "team.name, or a member of the team whose role is owner",
    "authoritative timestamp": f"customProperties {TIMESTAMP} (a column of dates or times) and {KIND} "
    f"({' or '.join(KINDS)})",
    "availability window": "slaProperties timeOfAvailability, with a time",
    "allowed lag": "slaProperties latency, of a column of this table",
    "entity key": "primaryKey, with a description of each of its columns",
}
"""What must be named, and where."""

_LAG = frozenset({"latency", "ly", "freshness"})
_AVAILABLE = frozenset({"timeofavailability", "availability", "av"})
_UNITS = {
    "s": 1, "sec": 1, "second": 1, "seconds": 1, "min": 60, "minute": 60, "minutes": 60, "h": 3600, "hour": 3600,
    "hours": 3600, "d": 86_400, "day": 86_400, "days": 86_400, "w": 604_800, "week": 604_800, "weeks": 604_800,
    "y": 31_557_600, "yr": 31_557_600, "year": 31_557_600, "years": 31_557_600,
}  # fmt: skip


_TIMES = ("date", "timestamp")


@dataclass(frozen=True)
class Lag:
    """How late the newest rows of a table may be.

    Attributes
    ----------
    place: among the contract's slaProperties. object: as the contract calls the table; empty where it is not named.
    column: empty where it is the authoritative timestamp.
    """

    place: int
    said: ServiceLevelAgreementProperty
    object: str
    column: str


def lags(contract: Contract) -> Iterator[Lag]:
    """Return each lag that the contract allows, of all its tables."""
    for place, said in enumerate(contract.standard.slaProperties or ()):
        if _is(said.property, _LAG):
            for element in (said.element or "").split(","):
                object_, _, column = element.strip().rpartition(".")
                yield Lag(place, said, object_, column)


def own_lags(contract: Contract) -> Iterator[Lag]:
    """Return those of the contract's own table."""
    return (lag for lag in lags(contract) if lag.object in ("", contract.object.name, contract.object.physicalName))


def _is(word: str | None, words: frozenset[str]) -> bool:
    return (word or "").casefold() in words


def seconds(value: object, unit: str | None) -> float | None:
    """Return a duration in seconds, None where it is none. A bare number is of days, as the standard's examples have it."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    factor = _UNITS.get((unit or "d").casefold())
    return None if factor is None or isinstance(value, bool) or not 0 <= number < 1e12 else number * factor


def authoritative(contract: Contract) -> str | None:
    """Return the column that says when a row counts, None where the contract names none."""
    found = _custom(contract, TIMESTAMP)
    return None if found is None else str(found)


def check(contract: Contract, columns: Mapping[str, Declared]) -> None:
    """Refuse a timestamp that is no column or holds no time, a kind of it that is not known, a lag of no table.

    Raises
    ------
    UsageError: with the nearest word.
    """
    here = ("schema", contract.place, "customProperties")
    for name, words in ((TIMESTAMP, list(columns)), (KIND, list(KINDS))):
        said = _custom(contract, name)
        if said is not None and said not in words:
            text = f'{name}: "{str(said)[:80]}" is not known'
            raise _refused(contract, here, text, did_you_mean(str(said), words))
    column = columns.get(authoritative(contract) or "")
    if column is not None and column.logical not in (None, *_TIMES):
        text = f'{TIMESTAMP}: "{column.name}" is of the logicalType {column.logical}'
        raise _refused(contract, here, text, f"name a column of the logicalType {' or '.join(_TIMES)}")
    objects = [name for each in contract.standard.schema_ or () for name in (each.name, each.physicalName) if name]
    for lag in lags(contract):
        if lag.object and lag.object not in objects:
            text = f'{lag.said.property} of "{lag.object[:80]}", which is no table of the contract'
            raise _refused(contract, ("slaProperties", lag.place), text, did_you_mean(lag.object, objects))


def _refused(contract: Contract, at: tuple[str | int, ...], text: str, remedy: str | None) -> UsageError:
    return UsageError(text, code="contract.rule", where=contract.where(at), remedy=remedy)


def named(contract: Contract) -> dict[str, bool]:
    """Return which of TERMS the contract names."""
    parts = contract.object.properties or ()
    key = [part for part in parts if part.primaryKey]
    times = {part.name for part in parts if part.logicalType in _TIMES}
    levels = contract.standard.slaProperties or ()
    return {
        "owner": owner(contract) is not None,
        "authoritative timestamp": authoritative(contract) in times and _custom(contract, KIND) is not None,
        "availability window": any(
            _is(each.property, _AVAILABLE) and any(map(str.isdigit, str(each.value or ""))) for each in levels
        ),
        "allowed lag": any(True for _ in own_lags(contract)),
        "entity key": bool(key) and all(_tells(part.description) for part in key),
    }


def _tells(text: str | None) -> bool:
    """Whether there is a letter or a digit in a text."""
    return any(map(str.isalnum, text or ""))


def owner(contract: Contract) -> str | None:
    """Return the team and its members whose role is owner; None where there is neither."""
    team = contract.standard.team
    members = team if isinstance(team, list) else (team.members or []) if team else []
    owners = [member.username or member.name for member in members if (member.role or "").casefold().endswith("owner")]
    name = None if team is None or isinstance(team, list) else team.name
    return ", ".join(each.strip() for each in (name, *owners) if each and _tells(each)) or None


def consumers(contract: Contract, column: str | None = None) -> tuple[str, ...]:
    """Return who reads a column, or the table where none is named: customProperties `consumers`, the nearest ones count."""
    of_column = next((part.customProperties for part in contract.object.properties or () if part.name == column), None)
    said = _value(of_column, CONSUMERS) or _custom(contract, CONSUMERS)
    names = said if isinstance(said, list) else [] if said is None else [said]
    return tuple(str(each.get("name", "") if isinstance(each, dict) else each) for each in names)


def promised(contract: Contract) -> dict[str, str]:
    """Return what is said of time, by word: the timestamp and its kind, and the service levels that rows are held to."""
    said = {word: _custom(contract, word) for word in (TIMESTAMP, KIND)}
    levels = {
        f"{each.property} {each.element or ''}".strip(): f"{each.value} {each.unit or ''}".strip()
        for each in contract.standard.slaProperties or ()
        if _is(each.property, _LAG | _AVAILABLE)
    }
    return {word: str(value) for word, value in said.items() if value is not None} | levels


def _custom(contract: Contract, name: str) -> object:
    """A custom property of the table's object, else of the whole contract."""
    for properties in (contract.object.customProperties, contract.standard.customProperties):
        found = _value(properties, name)
        if found is not None:
            return found
    return None


def _value(properties: list[CustomProperty] | None, name: str) -> object:
    return next((each.value for each in properties or () if each.property == name), None)
