"""Rollback on a bad day: the ledger or the store is out of reach. Numbered as in saga.py.

(1) Verify the rollback pack beside the target against the ledger's root; this key may apply by the trust in it, and the
    policies in it allow the rollback; the
    target states the pack's release; the release to go to is one that the pack knows as done.
(2) Sign the intent into the journal beside the target: `gates reconcile` brings it to the ledger, or says what stands
    against it.
(3) (4) (6) saga.py. Model bytes are hashed where the registry answers, else that is a debt; aliases (5) always are one:
    what explains them is the ledger.
(7) Sign what was observed, and the debts, into the journal. The pack stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gates.apply.act import Asked, Envelope, Judge, policies_of_pack, steps
from gates.apply.begin import require_reason
from gates.apply.incidents import About
from gates.apply.ledger.shape import release_digest
from gates.apply.pack import Pack, open_pack
from gates.apply.rollback import asked_of, or_unasked
from gates.apply.saga import Applied
from gates.apply.serving.interface import Serves, ServesNothing
from gates.apply.surfaces import Surfaces, describe
from gates.bundle.canonical import digest_bytes
from gates.bundle.envelope import open_envelope, seal
from gates.bundle.keys import Signer
from gates.errors import EvidenceError, Refused
from gates.inputs.registry import RegistryUnavailable
from gates.records.base import Digest, Micros
from gates.records.release import JOURNAL_TYPE, Journalled, Release, Slot


@dataclass(frozen=True)
class Offline:
    """Who rolls back, by which ledger, when, and what is out of reach.

    Attributes
    ----------
    root: digest of the ledger's entry 0. down: in words, each becomes a debt.
    """

    root: Digest
    signer: Signer
    now_us: Micros
    down: tuple[str, ...]


def rollback_offline(
    offline: Offline,
    surfaces: Surfaces,
    slot: Slot,
    *,
    reason: str,
    to: Digest | None = None,
    about: About | None = None,
) -> Applied:
    """Take a slot back to an earlier release with nothing but the pack beside the target.

    Raises
    ------
    Refused: no authority by the pack, no such release, the target states something else. EvidenceError: there is no
    pack, or it does not verify; the model bytes changed. EngineError: the target is out of reach.
    """
    require_reason(reason, "a rollback")
    serving = surfaces.serving
    # (1)
    pack = _pack(offline, surfaces, slot)
    _require_apply(offline, pack)
    journal = serving.journal()
    records = read_journal(journal, root=offline.root, slot=slot)
    last = records[-1:]
    before = _stated(surfaces)
    resumed = bool(last) and last[0].observed is None
    target = last[0].after if resumed else _target(pack, before, last, to)
    if resumed and to not in (None, release_digest(target)):
        raise _refused("another rollback in the journal is not finished", "slot.open", pack)
    unhashed = _hashed(surfaces, target)
    about = about or About()
    asked = asked_of(slot, target, reason, reached=not unhashed, journal=steps(records), incident=about.incident)
    decision, unasked = (last[0].decision, ()) if resumed else _ask(offline, pack, asked)
    debts = [*offline.down, *unhashed, *unasked]
    record = Journalled(
        ledger_root=offline.root,
        slot=slot,
        expects=pack.closing,
        time_us=max(offline.now_us, pack.time_us),
        actor=offline.signer.public.identity,
        reason=reason,
        before=last[0].before if resumed else before,
        after=target,
        decision=decision,
        incident=about.incident,
        snapshot=about.snapshot,
    )
    # (2)
    if not resumed:
        journal = (*journal, _seal(record, offline.signer))
        serving.keep_journal(journal)
    # (3) (4)
    accepted = surfaces.serve(target)
    # (5)
    debts.append(f"aliases of {slot.environment} were neither moved nor read back")
    # (6)
    observed = surfaces.observe(target)
    # (7)
    done = _seal(record.model_copy(update={"observed": observed, "debts": tuple(debts)}), offline.signer)
    serving.keep_journal((*journal, done))
    intent, outcome = digest_bytes(journal[-1]), digest_bytes(done)
    return Applied(
        slot, "done", target, accepted, observed, intent, outcome, None, tuple(debts), resumed=resumed, journalled=True
    )


def _ask(offline: Offline, pack: Pack, asked: Asked) -> tuple[Envelope | None, tuple[str, ...]]:
    judge = Judge(offline.signer, policies_of_pack(pack))
    return or_unasked(lambda: judge.on_pack(pack, asked, time_us=max(offline.now_us, pack.time_us)))


def read_journal(journal: Sequence[bytes], *, root: Digest, slot: Slot) -> tuple[Journalled, ...]:
    """Return the records of a journal whose signatures verify; by whom they are, `journal_keys` says.

    Raises
    ------
    EvidenceError: `journal.*`, and as `open_envelope`.
    """
    found = []
    for raw in journal:
        opened = open_envelope(raw, expect=JOURNAL_TYPE, where="journal")
        record = Journalled.parse(opened.predicate, where="journal")
        if opened.subjects != (("release", release_digest(record.after)),):
            raise EvidenceError("a record about another release", code="journal.malformed", where="journal")
        if (record.ledger_root, record.slot) != (root, slot):
            raise EvidenceError("the journal of another ledger or slot", code="journal.mixed", where="journal")
        found.append(record)
    return tuple(found)


def journal_keys(journal: Sequence[bytes]) -> tuple[tuple[str, ...], ...]:
    """Return the ids of the keys that signed each record."""
    return tuple(open_envelope(raw, expect=JOURNAL_TYPE, where="journal").key_ids for raw in journal)


def _seal(record: Journalled, signer: Signer) -> bytes:
    return seal(JOURNAL_TYPE, [("release", release_digest(record.after))], record.document(), signer)


def _pack(offline: Offline, surfaces: Surfaces, slot: Slot) -> Pack:
    raw = surfaces.serving.pack()
    if raw is None:
        raise EvidenceError(
            f"{' and '.join(offline.down)}, and no rollback pack lies beside the target",
            code="pack.missing",
            where=surfaces.serving.name,
            remedy="bring the ledger back; `gates promote` and `gates adopt` leave a pack",
        )
    return open_pack(raw, root=offline.root, slot=slot, where=f"rollback pack of {surfaces.serving.name}")


def _require_apply(offline: Offline, pack: Pack) -> None:
    key = offline.signer.public
    if not pack.trust.allows(key.key_id, "apply", pack.slot.environment):
        raise Refused(
            f"{key.identity} may not apply in {pack.slot.environment}, by the trust in the rollback pack",
            code="key.unlisted",
            where=f"key {key.key_id}",
            remedy="use a key that may",
        )


def _stated(surfaces: Surfaces) -> Release | None:
    observed = surfaces.serving.read()
    if isinstance(observed, Serves) and observed.stated == release_digest(observed.release):
        return observed.release
    if isinstance(observed, ServesNothing):
        return None
    raise Refused(
        f"nothing explains the target: it states {describe(observed)}",
        code="serving.unexplained",
        where=surfaces.serving.name,
        remedy="put it back by hand; what it stated last is in the rollback pack beside it",
    )


def _target(pack: Pack, before: Release | None, last: Sequence[Journalled], to: Digest | None) -> Release:
    stood = last[0].after if last else pack.release
    if before != stood:
        # A promotion that was interrupted, perhaps: the way back to what the pack knows is said by name.
        if stood is not None and to == release_digest(stood):
            return stood
        raise _refused("the target states another release than its pack", "serving.unexplained", pack)
    if to is None:
        if last or pack.last_good is None:
            raise _refused("what serves has no earlier release to which it goes back by itself", "no_target", pack)
        return pack.last_good
    beforehand = (pack.release, *(record.before for record in last)) if last else ()
    left = {release_digest(each) for each in beforehand if each is not None}
    for release in pack.restorable:
        if release_digest(release) == to and to not in left:
            return release
    raise _refused(f"the pack does not know release {to} as good", "no_target", pack)


def _refused(message: str, code: str, pack: Pack) -> Refused:
    known = (*((pack.release,) if pack.release else ()), *pack.restorable)
    names = [f"{release_digest(each)} (version {each.approved.version})" for each in known]
    code = "rollback.no_target" if code == "no_target" else code
    return Refused(message, code=code, remedy=f"name one with --to; the pack knows {', '.join(names)}")


def _hashed(surfaces: Surfaces, target: Release) -> list[str]:
    try:
        surfaces.check_bytes(target)
    except RegistryUnavailable as error:
        return [f"model bytes were not hashed again: {error.message}"]
    return []
