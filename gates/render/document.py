"""A decision as a JSON document for machines: the record itself, and the rows with everything joined."""

from __future__ import annotations

from typing import Any

from gates.render.row import Row
from gates.render.view import View


def document(view: View) -> dict[str, Any]:
    """Return the document; a field without a value is absent.

    `answer` is allow or deny; `basis` says proven, provisional, unenforced or none, and is never to be left out of a
    summary. `conclusion` is for a check run: neutral where something that would deny is only observed.
    """
    decision = view.decision
    return {
        "schema_version": "v1",
        "answer": "allow" if decision.allow else "deny",
        "basis": decision.basis,
        "conclusion": view.conclusion,
        "simulated": decision.simulated,
        "why": view.why,
        "decision_id": view.decision_id,
        "decision": decision.document(),
        "rows": [_row(row) for row in view.rows],
        "cautions": list(view.cautions),
        **({"waivers": list(view.waivers)} if view.waivers else {}),
        "advice": view.advice.document(),
    }


def _row(row: Row) -> dict[str, Any]:
    fields: dict[str, Any] = {
        **row.result.document(),
        "status": row.status,
        "title": row.title,
        "remedy": row.remedy,
        "limit_value": row.limit.document() if row.limit else None,
        "judged_at": row.bound.document() if row.bound else None,
        "figure": row.measurement.model_dump(mode="json", exclude_none=True, exclude={"bounds"})
        if row.measurement
        else None,
    }
    return {key: value for key, value in fields.items() if value is not None}
