"""JSON Schemas of the records, generated into `evidence/schema/` and checked to be current.

`python -m gates.decide.schemas` writes them; with `--check` it says which differ and exits 1. OPA types the policies by
them (`opa check --schema`), and every decision input is validated by one before an engine sees it.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.decide.validator import Validator
from gates.errors import EvidenceError
from gates.resources import schema_folder

if TYPE_CHECKING:
    from gates.records import Record


def records() -> dict[str, type[Record]]:
    """Name -> record, of all that have a schema; imported here, for validating needs none of them."""
    from gates.bundle.trust import Trust
    from gates.decide.plan_request import ActivationRequest, PlanRequest
    from gates.records import (
        Approval,
        Bundle,
        Decision,
        DecisionInput,
        Entry,
        Evaluation,
        Evidence,
        Measurement,
        Plan,
        Release,
    )
    from gates.records.action import ActionDecision, ActionInput
    from gates.records.change import ChangeDecision, ChangeInput

    return {
        "action-decision.v1": ActionDecision,
        "action-input.v1": ActionInput,
        "activation-request.v1": ActivationRequest,
        "approval.v1": Approval,
        "bundle.v1": Bundle,
        "change-decision.v1": ChangeDecision,
        "change-input.v1": ChangeInput,
        "decision.v1": Decision,
        "decision-input.v1": DecisionInput,
        "evaluation.v1": Evaluation,
        "evidence.v1": Evidence,
        "ledger-entry.v1": Entry,
        "measurement.v1": Measurement,
        "plan.v1": Plan,
        "plan-request.v1": PlanRequest,
        "release.v1": Release,
        "trust.v1": Trust,
    }


INPUTS = {
    "gates/main/decision": "decision-input.v1",
    "gates/main/plan": "plan-request.v1",
    "gates/main/action": "action-input.v1",
    "gates/main/change": "change-input.v1",
    "gates/main/activation": "activation-request.v1",
}


def record_schema(record: type[Record]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a record as it is written.

    Stricter than pydantic's own: a field without a value is absent, never null; a field that is always written is
    required, so that leaving it out cannot bring back a default.
    """
    schema = record.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        _tighten(part)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _tighten(part: dict[str, Any]) -> None:
    part.pop("title", None)
    properties: dict[str, dict[str, Any]] = part.get("properties", {})
    required = set(part.get("required", ()))
    for name, field in properties.items():
        field.pop("title", None)
        if "default" in field and field["default"] is not None:
            required.add(name)
        field.pop("default", None)
        kinds = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
        if kinds:
            del field["anyOf"]
            field.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})
    if properties:
        part["required"] = [name for name in properties if name in required]


def generate() -> dict[str, bytes]:
    """File name to bytes, for each record."""
    return {
        f"{name}.json": (json.dumps(record_schema(record), indent=1, ensure_ascii=False) + "\n").encode()
        for name, record in records().items()
    }


@cache
def _validator(name: str) -> Validator:
    return Validator(json.loads((schema_folder() / f"{name}.json").read_bytes()))


def validate_input(entry_point: str, document: object) -> None:
    """Validate a JSON document by the schema of its entry point, before any engine sees it.

    Raises
    ------
    EvidenceError: `input.invalid`, with the path to the first thing that is wrong (exit 3).
    """
    name = INPUTS[entry_point]
    _validate(name, document, code="input.invalid", where=name)


def validate_record(name: str, document: object, *, where: str) -> None:
    """Validate a JSON document by the published schema of a record.

    Raises
    ------
    EvidenceError: `record.invalid`, with the path to the first thing that is wrong (exit 3).
    """
    _validate(name, document, code="record.invalid", where=where)


def _validate(name: str, document: object, *, code: str, where: str) -> None:
    wrong = _validator(name).first_error(document)
    if wrong is not None:
        path = "/".join(str(part) for part in wrong.instance_path) or "the document"
        raise EvidenceError(f"{path}: {wrong.message[:200]}", code=code, where=where)


def main(arguments: list[str]) -> int:
    folder = schema_folder()
    stale = [name for name, content in generate().items() if not _same(folder / name, content)]
    if "--check" in arguments:
        for name in stale:
            print(f"{name} is not current; run python -m gates.decide.schemas", file=sys.stderr)
        return 1 if stale else 0
    for name, content in generate().items():
        (folder / name).write_bytes(content)
    return 0


def _same(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
