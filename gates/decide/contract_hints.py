"""What people need besides the name of a contract's rule: numbers, consumers, the field of the standard. Never a verdict.

Read from the data gate's attachment `contract.json`, whatever is not of the form is taken as absent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

RULES, TERMS, BREAKING = "data.contract", "data.contract_incomplete", "data.contract_breaking"
CONTRACT_CHECKS = (RULES, TERMS, BREAKING)

_SHOWN = 5
"""Hints of one check; the figures name the rest."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Rule(_Part):
    rule: str
    expected: str
    measured: float | None = None
    missed_by: float | None = None
    rows: int | None = None
    worst: dict[str, Any] | None = None


class _Change(_Part):
    change: str
    breaking: bool
    consumers: tuple[str, ...] = ()


class _Table(_Part):
    role: str
    contract: str
    rules: tuple[_Rule, ...] = ()
    missing_terms: dict[str, str] = {}
    changes: tuple[_Change, ...] = ()


class _Contracts(_Part):
    tables: tuple[_Table, ...] = ()


def read_contract(raw: bytes | None, check: str, failed: Collection[str]) -> tuple[str, ...]:
    """Return a hint for each item of a check that was proven bad, at most a few.

    Parameters
    ----------
    raw: the attachment, or None. failed: names of items, `ROLE: RULE`.
    """
    try:
        found = _Contracts.model_validate_json(raw) if raw is not None else _Contracts()
    except ValidationError:
        return ()
    hints = [hint for table in found.tables for name, hint in _hints(table, check) if f"{table.role}: {name}" in failed]
    return tuple(hints[:_SHOWN])


def _hints(table: _Table, check: str) -> Iterator[tuple[str, str]]:
    if check == RULES:
        for rule in table.rules:
            if rule.measured is not None:
                yield (
                    rule.rule,
                    f"{table.role} {rule.rule}: {rule.measured:.12g} measured{_most(rule)}, {rule.expected} expected",
                )
            elif rule.missed_by:
                yield rule.rule, f"{table.role} {rule.rule}: not met, {rule.expected} expected; the number is not shown"
    elif check == TERMS:
        for name, field in table.missing_terms.items():
            yield name, f"{table.contract}: {name} belongs into {field}"
    else:
        for change in table.changes:
            who = ", ".join(change.consumers) or "nobody is named under consumers"
            yield change.change[:200], f"{table.role} {change.change}; consumers: {who}"


def _most(rule: _Rule) -> str:
    worst = rule.worst or {}
    value = f"={worst['value']}" if "value" in worst else ""
    return f" (most in {worst.get('column')}{value})" if worst else ""
