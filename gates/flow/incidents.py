"""An incident: what served is kept, the matrix says where to go, the rollback goes there, and a record is written of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gates.bundle.canonical import parse_json
from gates.errors import EngineError, EvidenceError, GatesError, Refused, UsageError
from gates.flow.move import recorded, rollback, surfaces_of
from gates.flow.snapshot import Snapshot, take
from gates.project import DEVELOPMENT, Project, now_us
from gates.records import Digest, Environment

if TYPE_CHECKING:
    from gates.apply.confirmed import Awaiting
    from gates.apply.incidents import Incident
    from gates.apply.saga import Applied
    from gates.apply.surfaces import Surfaces
    from gates.render.incident import Record

DISPATCH_TOKEN = "GATES_DISPATCH_TOKEN"  # noqa: S105 (the name of a variable, not its value)
_LONGEST = 256
_ANSWER_S = 10


@dataclass(frozen=True)
class Handled:
    """What was done about an incident; `applied` is None where training was asked for and nothing moved."""

    snapshot: Snapshot
    applied: Applied | None


def handle(
    project: Project, environment: Environment, incident: Incident, *, reason: str, to: Digest | None, key: str | None
) -> Handled:
    """Keep what served, then go back to where the incident's type says, or to `to`.

    The ledger's entry holds the type and the digest of what was kept, beside the reason.

    Raises
    ------
    Refused: no release helps; else as `rollback`. UsageError: retrain, and the spec names nobody to ask for it.
    """
    from gates.apply.begin import require_reason
    from gates.apply.incidents import About

    require_reason(reason, "a rollback")
    slot = recorded(project, environment)
    project.signer(key, environment)
    surfaces = surfaces_of(project, environment, registry_may_be_down=True)
    kept = take(project, environment, surfaces, slot, now_us())
    if incident == "retrain":
        _dispatch(project, environment, reason, kept)
        return Handled(kept, None)
    to = to or chosen(project, environment, incident, surfaces)
    about = About(incident, kept.digest)
    return Handled(kept, rollback(project, environment, reason=reason[:_LONGEST], to=to, key=key, about=about))


def chosen(project: Project, environment: Environment, incident: Incident, surfaces: Surfaces) -> Digest | None:
    """Return where an incident goes; None where the command by itself says where, or refuses."""
    from gates.apply.incidents import target_of
    from gates.apply.ledger.shape import release_digest
    from gates.apply.pack import open_pack

    if incident == "other":
        return None
    slot = project.slot(environment)
    try:
        project.store.check_there()
        state = project.chain().slot(slot)
    except (EngineError, EvidenceError):
        # Whether that is a reason to go on without the ledger, the rollback itself says.
        raw = surfaces.serving.pack()
        if raw is None or surfaces.serving.journal():
            return None
        pack = open_pack(raw, root=project.ledger_root, slot=slot, where=surfaces.serving.name)
        if pack.release is None or pack.last_good is None:
            return None
        return release_digest(target_of(incident, pack.release, pack.restorable))
    present = state.standing.release
    if state.open is not None or present is None or state.last_good_by_itself is None:
        return None
    before = list(state.known)[: list(state.known).index(release_digest(present))]
    good = [state.known[digest].release for digest in reversed(before) if state.known[digest].state == "done"]
    return release_digest(target_of(incident, present, good))


def _dispatch(project: Project, environment: Environment, reason: str, kept: Snapshot) -> None:
    """Post that training is wanted, in the form of a repository dispatch."""
    import urllib.request

    address = project.spec.rollback.retrain if project.spec.rollback else None
    if not address or not address.startswith(("http://", "https://")):
        raise UsageError(
            "gates.yaml names nobody to ask for training",
            code="rollback.retrain",
            remedy="name an address: `rollback: {retrain: https://...}`",
        )
    payload = {
        "model": project.spec.model,
        "environment": environment,
        "reason": reason,
        "snapshot": kept.digest,
        "absent": list(kept.absent),
    }
    headers = {"Content-Type": "application/json", "Accept": "application/vnd.github+json"}
    if token := project.environ.get(DISPATCH_TOKEN):
        headers["Authorization"] = f"Bearer {token}"
    content = json.dumps({"event_type": "retrain", "client_payload": payload}).encode()
    asked = urllib.request.Request(address, data=content, headers=headers)  # noqa: S310 (http and https only)
    try:
        with urllib.request.urlopen(asked, timeout=_ANSWER_S):  # noqa: S310
            pass
    except OSError as error:
        raise EngineError(f"training was not asked for: {error}", code="rollback.dispatch", where=address) from error


def confirm(
    project: Project, environment: Environment, *, entry: Digest | None, comment: str, key: str | None
) -> Digest:
    """Sign, as a second person, that a rollback was right; return the rollback's entry.

    Raises
    ------
    Refused: none waits, or this person does not count.
    """
    from gates.apply.confirmed import confirm as sign

    slot, signer = recorded(project, environment), project.signer(key, environment)
    return sign(project.chain(), project.store, slot, signer, rollback=entry, comment=comment, time_us=now_us())


def confirmed_within_s(project: Project, environment: Environment) -> int | None:
    """Seconds in which the policies want a second person to confirm a rollback; None: they do not."""
    found: int | None = project.policies.data["release"]["environments"][environment].get("confirm_within_s")
    return found


def late(project: Project, environment: Environment, chain: Any) -> tuple[Awaiting, ...]:
    """Return the rollbacks that should have been confirmed by now."""
    from gates.apply.confirmed import awaiting

    within = confirmed_within_s(project, environment) if environment != DEVELOPMENT else None
    slot = project.slot(environment)
    if within is None or slot not in chain.slots:
        return ()
    return tuple(one for one in awaiting(chain, project.store, slot, within) if one.due_us < now_us())


def record_of(project: Project, environment: Environment, wanted: str | None) -> Record:
    """Gather what is known of a rollback; by default of the newest.

    Raises
    ------
    Refused: `incident.none`: there was none.
    """
    from gates.apply.confirmed import confirmations
    from gates.render.incident import Record

    chain, slot = project.chain(), recorded(project, environment)
    rollbacks = [item for item in chain.entries if item.entry.kind == "rollback" and item.entry.slot == slot]
    entry = next((item for item in reversed(rollbacks) if wanted in (None, item.digest)), None)
    if entry is None:
        raise Refused(f"no such rollback in {environment}", code="incident.none", remedy="`gates log` shows them")
    # Entries of early versions say both within their reason.
    reason = entry.entry.reason or ""
    typed = re.match(r"\[([a-z-]+)\] ", reason)
    incident = entry.entry.incident or (typed[1] if typed else "other")
    within = confirmed_within_s(project, environment)
    signed = confirmations(project.store, entry.digest)
    trust = chain.trust(environment)
    return Record(
        entry,
        incident,
        next((item for item in chain.entries if item.entry.intent == entry.digest), None),
        _snapshot(project, slot.key, entry.entry.snapshot, reason),
        tuple(key.person for _, key_ids in signed for key_id in key_ids if (key := trust.find(key_id))),
        entry.entry.time_us + within * 1_000_000 if within is not None else None,
    )


def _snapshot(project: Project, key: str, digest: Digest | None, reason: str) -> dict[str, Any] | None:
    from gates.flow.snapshot import LINK

    named = re.search(r"\{snapshot ([0-9a-f]{12})", reason)
    if digest is None and named:
        digest = next((one for one in project.store.linked(LINK, key) if one[7:19] == named[1]), None)
    if digest is None:
        return None
    try:
        found: dict[str, Any] = parse_json(project.store.get(digest), where=digest)
    except GatesError:
        return None
    return found
