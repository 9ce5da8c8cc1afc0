"""AUDIT: read all of it, change nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gates.bundle.canonical import parse_json
from gates.bundle.pack import load_attachments, load_bundle
from gates.errors import GatesError, UsageError
from gates.flow.answer import view_of
from gates.flow.decision import Decided
from gates.project import DEVELOPMENT, Project
from gates.records import DecisionInput, Digest

if TYPE_CHECKING:
    from gates.audit.findings import Findings
    from gates.audit.positions import Positions
    from gates.audit.replay import Replayed
    from gates.render.pictures import Picture
    from gates.render.view import View


@dataclass(frozen=True)
class Reported:
    """What was written: the page of a decision, and its pictures where they were asked for; an action has no figures."""

    view: View | None
    pictures: tuple[tuple[Path, Picture], ...] = ()


def find_decision(project: Project, digest: str) -> Digest:
    """Return the full digest of a decision, by its id or its envelope's digest, or the beginning of its id.

    Raises
    ------
    UsageError: none, or more than one, begins like that.
    """
    wanted = digest.removeprefix("sha256:")
    if len(wanted) == 64:
        return f"sha256:{wanted}"
    known = [*project.store.linked("decision-id", "all"), *project.store.linked("action-id", "all")]
    found = [name for name in known if name.removeprefix("sha256:").startswith(wanted)]
    if len(found) != 1:
        raise UsageError(
            f"{len(found) or 'no'} decisions begin with {wanted!r}",
            code="decision.unknown",
            remedy="`gates check` and `gates promote` print the id of a decision; give more of it",
        )
    return found[0]


def verify(project: Project, decisions: tuple[str, ...]) -> Findings:
    """Check ledger, decisions, evidence, signatures and model bytes again; every failure is told.

    Raises
    ------
    UsageError: no ledger and no decision to look at.
    """
    from gates.audit.verify import verify as walk

    has_ledger = project.has_ledger
    if not has_ledger and not decisions:
        raise UsageError(
            "nothing to verify",
            code="verify.nothing",
            remedy="name a ledger (gates.yaml or GATES_LEDGER, and GATES_LEDGER_ROOT) or a decision",
        )
    found = walk(
        project.store,
        ledger=project.ledger if has_ledger else None,
        root=project.ledger_root if has_ledger else None,
        registry=project.registry if project.spec.registry else None,
        serving_of=lambda slot: project.serving(slot.environment) if slot.model == project.spec.model else None,
        slots=[project.slot(name) for name in project.environments if name != DEVELOPMENT],
        decisions=[find_decision(project, digest) for digest in decisions],
    )
    if has_ledger:
        _look_at_rollbacks(project, found)
    return found


def _look_at_rollbacks(project: Project, found: Findings) -> None:
    """Say which rollbacks no second person confirmed in time; a ledger that does not verify was said to."""
    from gates.flow.incidents import late

    try:
        chain = project.chain()
    except GatesError:
        return
    for environment in project.environments:
        for one in late(project, environment, chain):
            found.failed(
                "approval",
                "a second person confirmed the rollback",
                one.digest,
                code="rollback.unconfirmed",
                message=one.said(environment),
                remedy=f"gates confirm -e {environment} --rollback {one.digest} --reason TEXT",
            )


def replay(project: Project, digest: str) -> Replayed:
    """Decide again from the sealed sources, on a candidate, on an action or on a change of policies.

    Raises
    ------
    EvidenceError: a source is missing or changed. EngineError: the engine failed.
    """
    from gates.audit.replay import find_decision as open_by_either
    from gates.audit.replay import replay as again
    from gates.audit.replay_action import replay_action
    from gates.audit.replay_change import replay_change
    from gates.bundle.acts import ON_ACTION, ON_CHANGE

    found = find_decision(project, digest)
    if (action := ON_ACTION.find(project.store, found)) is not None:
        return replay_action(project.store, action, positions=positions_of(project))
    if (change := ON_CHANGE.find(project.store, found)) is not None:
        return replay_change(project.store, change, positions=positions_of(project))
    opened = open_by_either(project.store, found)
    positions = None if opened.decision.request.environment == DEVELOPMENT else positions_of(project)
    return again(project.store, opened, positions=positions)


def positions_of(project: Project) -> Positions:
    """Return the ledger at each of its positions."""
    from gates.apply.ledger.chain import trust_in
    from gates.audit.positions import Positions

    return Positions(project.ledger.entries(), root=project.ledger_root, trust=trust_in(project.store))


def report(project: Project, digest: str, out: Path, spec_path: str, *, folder: Path | None = None) -> Reported:
    """Write the page of a decision, and its pictures as PNG into a folder.

    Raises
    ------
    UsageError: a file cannot be written. EvidenceError: the decision, or what it rests on, does not verify.
    """
    from gates.audit.replay import find_decision as open_by_either
    from gates.audit.site.page import Facts, page
    from gates.decide.policies import PolicySet

    store, found = project.store, find_decision(project, digest)
    spec = "" if spec_path == "gates.yaml" else f" --spec {shlex.quote(spec_path)}"
    if _report_action(project, found, out, spec):
        return Reported(None)
    opened = open_by_either(store, found)
    decision = opened.decision
    document = DecisionInput.parse(parse_json(store.get(decision.input_digest)))
    bundle = load_bundle(store, decision.bundle_digest)
    attachments = load_attachments(store, bundle.record)
    policies = PolicySet.from_store(store, decision.policy_digest)
    view = view_of(policies, Decided(bundle, document, decision, opened.evaluation), attachments)
    facts = Facts(
        document=document,
        evaluation=opened.evaluation,
        envelope_digest=opened.envelope_digest,
        attachments=attachments,
        people={key.key_id: key.person for key in project.trust.keys},
        commands=(f"gates verify {view.decision_id}{spec}", f"gates replay {view.decision_id}{spec}"),
    )
    _write(out, page(view, facts).encode())
    return Reported(view, () if folder is None else draw(view, attachments, folder))


def _report_action(project: Project, digest: Digest, out: Path, spec: str) -> bool:
    """Write the page of a decision on an action, or on a change of policies; whether it is one."""
    from gates.audit.site.action_page import action_page
    from gates.bundle.acts import ON_ACTION, ON_CHANGE
    from gates.decide.explain import load_annotations

    opened = ON_ACTION.find(project.store, digest) or ON_CHANGE.find(project.store, digest)
    if opened is None:
        return False
    commands = (f"gates replay {opened.decision_id}{spec}", f"gates verify{spec}")
    _write(out, action_page(opened, texts=load_annotations(), commands=commands).encode())
    return True


def draw(view: View, attachments: Mapping[str, bytes], folder: Path) -> tuple[tuple[Path, Picture], ...]:
    """Write every picture that the decision has data for as PNG; return the files with their pictures.

    Raises
    ------
    UsageError: a file cannot be written.
    """
    from gates.render.pictures import pictures

    found = [(folder / f"{picture.name}.png", picture) for picture in pictures(view, attachments)]
    for path, picture in found:
        _write(path, picture.png())
    return tuple(found)


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(path), code="report.unwritable") from error
