"""From tables and their contracts to the measurements `data.contract*`, with the contracts themselves as attachments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from gates.inputs.engines import reading
from gates.inputs.opened import Contract, OpenTable
from gates.measure.census import census, table_of, unmeasured
from gates.measure.data.contract import terms
from gates.measure.data.contract.changes import Change, changes
from gates.measure.data.contract.columns import View
from gates.measure.data.contract.rules import Asked, CountRule, FreshRule, Rule, SqlRule, TypeRule, asked
from gates.measure.data.contract.scan import Answer, Found, Target, measure
from gates.measure.interface import Findings, Given, Note, contract_note
from gates.records import Item, Measurement, Param, Reason
from gates.records.plan import TableRole

RULES, TERMS, BREAKING = "data.contract", "data.contract_incomplete", "data.contract_breaking"
METHODS = {
    RULES: "how far a rule of the contract is missed; of a count: rows beyond those that the contract allows; "
    "of a sum, a mean, the least or the most: 1 where it is missed",
    BREAKING: "1 for each change against the champion's contract that breaks rows that were good, or those who read them",
    TERMS: "1 where the contract does not name what every contract must",
}
ATTACHMENT = "contract.json"
YAML = "application/yaml"


def contracts(given: Given) -> Findings:
    """Measure every table that has a contract. Nothing where none has.

    Raises
    ------
    UsageError: a rule that cannot be understood, with file and line.
    """
    measurements: list[Measurement] = []
    documents: list[dict[str, Any]] = []
    notes: list[Note] = []
    for role, contract in given.contracts.items():
        wanted = asked(contract)
        terms.check(contract, wanted.declared)
        answers = _answers(given, role, contract, wanted)
        measurements += _rules(role, contract, answers, wanted)
        measurements += _terms(role, contract)
        document = _document(given, role, contract, wanted, answers)
        notes.append(Note(contract_note(role), YAML, contract.content))
        before = given.champion_contracts.get(role)
        if before is not None:
            found = changes(before, contract)
            measurements += _breaking(role, contract, before, [each for each in found if each.breaking])
            document |= {"champion_digest": before.digest, "changes": [each.document() for each in found]}
            notes.append(Note(f"champion-contract-{role}.odcs.yaml", YAML, before.content))
        documents.append(document)
    if documents:
        notes.insert(0, _note(documents))
    return Findings(tuple(measurements), tuple(notes))


def _answers(given: Given, role: TableRole, contract: Contract, wanted: Asked) -> list[tuple[Rule, Answer]]:
    opened = table_of(given, role)
    if isinstance(opened, Reason):
        return [(rule, opened) for rule in wanted.rules]
    view = View(opened.table, wanted.declared)
    with reading(opened.identity.uri):
        return measure(wanted.rules, view, opened, _target(given, contract), lambda rule: contract.where(rule.location))


def _target(given: Given, contract: Contract) -> Target:
    """Tables go by the name of their object, where the same contract has it, and by their role."""

    def find(name: str) -> OpenTable | Reason:
        for role, other in given.contracts.items():
            if other.digest == contract.digest and name in (other.object.name, other.object.physicalName):
                return table_of(given, role)
        found = given.tables.get(name)
        return Reason.TABLE_MISSING if found is None else found

    return find


def _params(contract: Contract, rule: Rule | None = None) -> tuple[Param, ...]:
    allowed = rule.expects.params() if rule is not None else ()
    seconds = (Param(name="seconds", value=rule.seconds),) if isinstance(rule, FreshRule) else ()
    tolerated = tuple(_tolerated(rule)) if allowed and rule is not None else ()
    return (Param(name="contract", value=contract.digest), *allowed, *tolerated, *seconds)


def _tolerated(rule: Rule) -> Iterator[Param]:
    """How many bad rows the contract lets pass, which policy bounds; other numbers are no tolerance."""
    if isinstance(rule, CountRule) or (isinstance(rule, SqlRule) and not rule.said.per_row):
        return
    most = rule.expects.most
    name = "tolerated_percent" if rule.expects.percent else "tolerated_rows"
    yield Param(name=name, value=most if math.isfinite(most) else "unbounded")


def _item(role: TableRole, name: str) -> Item:
    return Item(kind="rule", name=f"{role}: {name}")


def _unit(rule: Rule) -> str:
    if isinstance(rule, FreshRule):
        return "seconds"
    if isinstance(rule, SqlRule) and rule.said.of_values:
        return "rules"
    return "as selected" if isinstance(rule, SqlRule) and not rule.expects.whole else "rows"


def _rules(
    role: TableRole, contract: Contract, answers: Iterable[tuple[Rule, Answer]], wanted: Asked
) -> Iterator[Measurement]:
    for rule, answer in answers:
        said: dict[str, Any] = {
            "unit": _unit(rule),
            "method": METHODS[RULES],
            "item": _item(role, rule.name),
            "family": len(wanted.rules),
            "params": _params(contract, rule),
        }
        if isinstance(answer, Reason):
            yield unmeasured(RULES, answer, **said)
        else:
            yield census(RULES, answer.missed_by, n=answer.rows, **said)


def _terms(role: TableRole, contract: Contract) -> Iterator[Measurement]:
    named = terms.named(contract)
    for term, is_named in named.items():
        yield census(
            TERMS,
            0 if is_named else 1,
            n=1,
            unit="terms",
            method=METHODS[TERMS],
            item=_item(role, term),
            family=len(named),
            params=_params(contract),
        )


def _breaking(role: TableRole, contract: Contract, before: Contract, found: list[Change]) -> Iterator[Measurement]:
    """One figure a change; where there is none, one of the table says so."""
    items = [_item(role, str(each)[:200]) for each in found] or [Item(kind="table", name=role)]
    params = (*_params(contract), Param(name="champion_contract", value=before.digest))
    for item in dict.fromkeys(items):
        yield census(
            BREAKING,
            1 if found else 0,
            n=1,
            unit="changes",
            method=METHODS[BREAKING],
            item=item,
            family=len(items),
            params=params,
        )


def _note(documents: list[dict[str, Any]]) -> Note:
    document = {"schema_version": "v1", "tables": documents}
    return Note.of(ATTACHMENT, document)


def _document(
    given: Given, role: TableRole, contract: Contract, wanted: Asked, answers: Iterable[tuple[Rule, Answer]]
) -> dict[str, Any]:
    return {
        "role": role,
        "contract": contract.name,
        "digest": contract.digest,
        "id": contract.standard.id,
        "version": contract.standard.version,
        "missing_terms": {name: terms.TERMS[name] for name, there in terms.named(contract).items() if not there},
        "not_checked": list(wanted.unchecked),
        "rules": [_rule(given, rule, answer) for rule, answer in answers],
    }


def _rule(given: Given, rule: Rule, answer: Answer) -> dict[str, Any]:
    document: dict[str, Any] = {"rule": rule.name, "expected": _expected(rule)}
    if isinstance(answer, Reason):
        return document | {"unmeasured": answer.value}
    if answer.measured is not None:
        document["measured"] = answer.measured
    document |= {"missed_by": answer.missed_by, "rows": answer.rows}
    return document | _worst(given, answer)


def _expected(rule: Rule) -> str:
    if isinstance(rule, FreshRule):
        return f"at most {rule.seconds:g} seconds"
    return "every row" if isinstance(rule, TypeRule) else str(rule.expects)


def _worst(given: Given, found: Found) -> dict[str, Any]:
    """The slice with most to mend; its value is told only where the plan names the column as one of slices."""
    worst = found.worst
    if worst is None:
        return {}
    told = {"value": worst.value} if worst.column in given.plan.parameters.slices else {}
    return {"worst": {"column": worst.column, "measured": worst.measured, "rows": worst.rows, **told}}
