"""The frozen, versioned records that pass between the stages.

Plan -> Measurement -> Bundle -> Decision -> Entry (transition). Each can be written as canonical JSON, read back on
another machine, and is described by a generated JSON Schema in `evidence/schema/`.
"""

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
