"""The frozen, versioned records that pass between the stages.

Plan -> Measurement -> Bundle -> Decision -> Entry (transition). Each can be written as canonical JSON, read back on
another machine, and is described by a generated JSON Schema in `evidence/schema/`.

Each module is imported when one of its records is asked for: measuring needs no decision, and deciding no plan's table.
Importing is most of what a short command does: annotations of records are no texts (`from __future__ import annotations`),
for pydantic would compile each, and defaults are made without the validators that would be built for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gates.records.base import Digest, Environment, Micros, ModelVersion, Record
    from gates.records.decision import Decision, DecisionInput, Evaluation, RuleResult
    from gates.records.evidence import Attachment, Bundle, Code, Evidence, EvidenceRef, TableIdentity
    from gates.records.measurement import LADDER, WHOLE, Bound, Family, Item, Measurement, Param, Reason, Slice
    from gates.records.plan import Backfill, Columns, Parameters, Plan, Requirement, Table
    from gates.records.release import ActivePolicy, Approval, Entry, PublicKey, Release, Route, Slot

__all__ = [
    "LADDER",
    "WHOLE",
    "ActivePolicy",
    "Approval",
    "Attachment",
    "Backfill",
    "Bound",
    "Bundle",
    "Code",
    "Columns",
    "Decision",
    "DecisionInput",
    "Digest",
    "Entry",
    "Environment",
    "Evaluation",
    "Evidence",
    "EvidenceRef",
    "Family",
    "Item",
    "Measurement",
    "Micros",
    "ModelVersion",
    "Param",
    "Parameters",
    "Plan",
    "PublicKey",
    "Reason",
    "Record",
    "Release",
    "Requirement",
    "Route",
    "RuleResult",
    "Slice",
    "Slot",
    "Table",
    "TableIdentity",
]

_PLACES = {
    "base": "Digest Environment Micros ModelVersion Record",
    "decision": "Decision DecisionInput Evaluation RuleResult",
    "evidence": "Attachment Bundle Code Evidence EvidenceRef TableIdentity",
    "measurement": "LADDER WHOLE Bound Family Item Measurement Param Reason Slice",
    "plan": "Backfill Columns Parameters Plan Requirement Table",
    "release": "ActivePolicy Approval Entry PublicKey Release Route Slot",
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
