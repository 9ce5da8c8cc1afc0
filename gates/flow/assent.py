"""Whether a yes will count, said when it is given: policy's own answer about it as things are now. Advice only; the
statement is signed either way, and the decision judges it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gates.decide.document import build_decision

if TYPE_CHECKING:
    from gates.bundle.trust import Trust
    from gates.flow.decision import Decided
    from gates.project import Project
    from gates.records import Decision, DecisionInput
    from gates.records.decision import ApprovalInput

_ABOUT = "approval."
_OF_ALL = frozenset({"approval.missing"})
"""Codes of approvals that say nothing of one of them."""


def not_counted(project: Project, document: DecisionInput, mine: ApprovalInput) -> tuple[str, ...]:
    """Say why an approval does not count, or adds nothing; nothing where it does count.

    Parameters
    ----------
    document: what is decided on, by nobody in particular, without the approval.
    """
    before = [item for item in document.approvals if item.digest != mine.digest]
    seen = _decided(project, document, *before, mine)
    if mine.digest not in seen.approvals:
        return _codes(project, document, mine) or ("nobody has to approve here",)
    trust = project.trust
    others = {
        who: item.statement.role for item in before if item.digest in seen.approvals for who in _persons(trust, item)
    }
    twice = sorted(_persons(trust, mine) & others.keys())
    if twice:
        role = others[twice[0]]
        return (f"{twice[0]} has said yes to this already, as {role}; persons are counted",)
    return ()


def unasked(project: Project, decided: Decided, role: str) -> bool:
    """Whether no rule asks for this role by name here: then a yes in it counts as one person more, where one is wanted."""
    request, data = decided.document.request, project.policies.data
    facts: Mapping[str, object] = data.get("models", {}).get(request.model, {})
    wanted = set(data["release"]["approvals"].get(request.environment, {}).get(facts.get("tier", "high"), ()))
    if any(result.code.startswith("narrowed.") for result in decided.decision.results):
        wanted.add("risk")
    if facts.get("business_owner") and wanted:
        wanted.add("business-owner")
    return role not in wanted


def _decided(project: Project, document: DecisionInput, *approvals: ApprovalInput) -> Decision:
    given = document.model_copy(update={"approvals": tuple(sorted(approvals, key=lambda item: item.digest))})
    answer, _ = project.engines.decide(given)
    return build_decision(given, answer, simulated=True)


def _codes(project: Project, document: DecisionInput, mine: ApprovalInput) -> tuple[str, ...]:
    """What policy says of the approvals where this one is the only one."""
    from gates.decide.explain import load_annotations

    results = _decided(project, document, mine).results
    codes = sorted({result.code for result in results if result.code.startswith(_ABOUT)} - _OF_ALL)
    known = load_annotations()
    return tuple(f"{known[code].description} [{code}]" if code in known else code for code in codes)


def _persons(trust: Trust, item: ApprovalInput) -> set[str]:
    role, environment = f"approve:{item.statement.role}", item.statement.environment
    return trust.persons(key_id for key_id in item.key_ids if trust.allows(key_id, role, environment))
