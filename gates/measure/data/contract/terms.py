"""What every contract must name, in the standard's own fields: owner, timestamp, availability, lag, the entity's key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.inputs.opened import Contract
from gates.plan.nearest import did_you_mean

if TYPE_CHECKING:
    from open_data_contract_standard.model import CustomProperty

TIMESTAMP, KIND, CONSUMERS = "authoritativeTimestamp", "timestampKind", "consumers"
KINDS = ("event", "processing")

TERMS = {
    "owner": "team.name, or a member of the team whose role is owner",
    "authoritative timestamp": f"customProperties {TIMESTAMP} (a column) and {KIND} ({' or '.join(KINDS)})",
    "availability window": "slaProperties timeOfAvailability",
    "allowed lag": "slaProperties latency",
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


def is_lag(word: str | None) -> bool:
    """Whether an slaProperty says how late the newest rows may be."""
    return (word or "").casefold() in _LAG


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


def check(contract: Contract, columns: Iterable[str]) -> None:
    """Refuse a timestamp that is no column, and a kind of it that is not known.

    Raises
    ------
    UsageError: with the nearest word.
    """
    known = list(columns)
    for name, words in ((TIMESTAMP, known), (KIND, list(KINDS))):
        said = _custom(contract, name)
        if said is not None and said not in words:
            raise UsageError(
                f'{name}: "{str(said)[:80]}" is not known',
                code="contract.rule",
                where=contract.where(("schema", contract.place, "customProperties")),
                remedy=did_you_mean(str(said), words),
            )


def named(contract: Contract) -> dict[str, bool]:
    """Return which of TERMS the contract names."""
    standard, table = contract.standard, contract.object
    words = {(each.property or "").casefold() for each in standard.slaProperties or () if each.value is not None}
    key = [part for part in table.properties or () if part.primaryKey]
    return {
        "owner": owner(contract) is not None,
        "authoritative timestamp": authoritative(contract) is not None and _custom(contract, KIND) is not None,
        "availability window": bool(words & _AVAILABLE),
        "allowed lag": bool(words & _LAG),
        "entity key": bool(key) and all((part.description or "").strip() for part in key),
    }


def owner(contract: Contract) -> str | None:
    """Return the team and its members whose role is owner; None where there is neither."""
    team = contract.standard.team
    members = team if isinstance(team, list) else (team.members or []) if team else []
    owners = [member.username or member.name for member in members if (member.role or "").casefold().endswith("owner")]
    name = None if team is None or isinstance(team, list) else team.name
    return ", ".join(each for each in (name, *owners) if each) or None


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
        if is_lag(each.property) or (each.property or "").casefold() in _AVAILABLE
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
