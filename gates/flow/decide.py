"""DECIDE on a sealed bundle: enter the look into the ledger, ask the policies, sign the answer."""

from __future__ import annotations

from gates.bundle.keys import Signer
from gates.bundle.pack import OpenedBundle, load_attachments, load_bundle
from gates.flow.answer import view_of
from gates.flow.check import Checked, besides, parse_time, sealing_key
from gates.flow.decision import Decided, decide, sign
from gates.flow.stages import find_bundle
from gates.project import DEVELOPMENT, Project, now_us
from gates.records import Environment


def decide_bundle(
    project: Project,
    environment: Environment,
    *,
    candidate: str | None,
    bundle: str | None,
    reason: str | None,
    at: str | None,
    key: str | None,
) -> Checked:
    """Decide on a bundle of the store; with a key the answer counts, without one or with `at` it is simulated.

    Raises
    ------
    UsageError: no such bundle. Refused: the key may not decide. EvidenceError, EngineError: as the stages.
    """
    opened = load_bundle(project.store, find_bundle(project, candidate, bundle))
    signer = None if at else sealing_key(project, key, environment)
    if signer is not None:
        decided = decide_for_good(project, opened, environment, signer, reason=reason)
    else:
        decided = decide(
            project,
            opened,
            environment,
            signer=None,
            reason=reason,
            at_us=parse_time(at) if at else now_us(),
            simulated=True,
        )
    notes = load_attachments(project.store, opened.record)
    return Checked(
        decided, view_of(project.policies, decided, notes), besides(project, decided, signed=signer is not None)
    )


def decide_for_good(
    project: Project,
    bundle: OpenedBundle,
    environment: Environment,
    signer: Signer,
    *,
    reason: str | None,
    percent: int | None = None,
    incident: str | None = None,
) -> Decided:
    """Enter the bundle into the ledger, decide at the position after it, and sign.

    Raises
    ------
    Refused: the key may neither decide nor apply.
    """
    from gates.apply.sealed import append_sealed

    at_us = now_us()
    chain = None
    if environment != DEVELOPMENT:
        writer = project.writer(signer, at_us)
        append_sealed(writer, bundle)
        chain = writer.read()
    decided = decide(
        project,
        bundle,
        environment,
        signer=signer,
        reason=reason,
        at_us=at_us,
        simulated=False,
        percent=percent,
        incident=incident,
        chain=chain,
    )
    return sign(project, decided, signer)
