"""APPLY: a model leaves an environment, or a version leaves them all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gates.bundle.pack import load_approvals, put_approval
from gates.errors import Refused, UsageError
from gates.flow.judge import judge_of
from gates.flow.move import recorded, surfaces_of
from gates.project import Project, now_us
from gates.records import Approval, Digest, Environment
from gates.records.base import DAY_US, slot_key

if TYPE_CHECKING:
    from gates.apply.archive import Archived
    from gates.apply.saga import Applied
    from gates.records import Slot
    from gates.records.decision import ApprovalInput


def retire(
    project: Project,
    environment: Environment,
    *,
    reason: str,
    requests: Path | None,
    time_column: str,
    days: float,
    key: str | None,
) -> Applied:
    """Take away what serves in an environment, where nothing follows it.

    Parameters
    ----------
    requests: log of the requests that came to it. days: up to now, in which none may have come.

    Raises
    ------
    Refused: the policies deny, or something serves that the ledger does not explain. UsageError: no such log.
    """
    from gates.apply.retire import retire as carry_out
    from gates.inputs.requests import count_requests

    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    at_us = now_us()
    traffic = None
    if requests is not None:
        traffic = count_requests(requests, time_column, from_us=at_us - int(days * DAY_US), until_us=at_us)
    return carry_out(
        project.writer(signer, at_us),
        surfaces_of(project, environment),
        slot,
        judge_of(project, signer),
        reason=reason,
        traffic=traffic,
        approvals=_approvals(project, slot, "retire"),
    )


def archive(project: Project, version: str, *, reason: str, key: str | None) -> Archived:
    """Mark a version that no environment needs.

    Raises
    ------
    UsageError: no such version, or one of another model. Refused: the policies deny.
    """
    from gates.apply.archive import archive as carry_out

    slot = recorded(project, project.environments[-1])
    signer = project.signer(key, slot.environment)
    model = project.registry.resolve(version).version
    if model.name != slot.model:
        raise UsageError(f'is not the spec\'s model "{slot.model}"', code="candidate.model", where=model.uri)
    return carry_out(
        project.writer(signer, now_us()),
        project.registry,
        slot,
        model,
        judge_of(project, signer),
        reason=reason,
        approvals=_approvals(project, slot, "archive"),
    )


def approve_action(
    project: Project,
    action: Literal["retire", "archive"],
    environment: Environment,
    *,
    candidate: str | None,
    role: str,
    days: int,
    comment: str | None,
    key: str | None,
) -> tuple[Digest, Approval]:
    """Sign an approval that what serves is retired, or that the candidate is archived.

    Raises
    ------
    Refused: nothing serves. UsageError: no candidate to archive, no key.
    """
    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    chain, time_us = project.chain(), now_us()
    release = chain.release(slot)
    if action == "archive":
        if candidate is None:
            raise UsageError("which version?", code="candidate.missing", remedy="pass --candidate models:/NAME/VERSION")
        version = project.registry.resolve(candidate).version
    elif release is None:
        raise Refused(f"nothing serves in {environment}", code="retire.nothing", remedy="gates status")
    else:
        version = release.approved
    approval = Approval(
        model=slot.model,
        environment=environment,
        action=action,
        role=role,
        candidate_digest=version.digest,
        policy_digest=chain.active(environment).policy_digest,
        current_release_digest=chain.slot(slot).release_digest,
        time_us=time_us,
        expires_us=time_us + days * DAY_US,
        comment=comment,
    )
    return put_approval(project.store, signer, approval), approval


def _approvals(project: Project, slot: Slot, action: str) -> list[ApprovalInput]:
    found = load_approvals(project.store, slot_key(slot.model, slot.environment))
    return [item for item in found if item.statement.action == action]
