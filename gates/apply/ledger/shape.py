"""The form of an entry: which fields each kind has, what its statement is about, and when a release is whole."""

from __future__ import annotations

from gates.bundle.canonical import digest_document
from gates.bundle.envelope import seal
from gates.bundle.keys import Signer
from gates.errors import EvidenceError
from gates.records.base import Digest
from gates.records.release import ENTRY_TYPE, Entry, EntryKind, Release, Slot

_COMMON = frozenset({"schema_version", "sequence", "previous", "kind", "time_us", "actor"})
_FIELDS: dict[EntryKind, tuple[frozenset[str], frozenset[str]]] = {
    # kind: (fields that it must have, fields that it may have)
    "policy": (frozenset({"active", "reason"}), frozenset({"owners", "decisions"})),
    "sealed": (
        frozenset({"bundle_digest", "candidate", "measured_us"}),
        frozenset({"holdout_digest", "holdout_sketch"}),
    ),
    "intent": (frozenset({"slot", "action", "after", "decision"}), frozenset({"expects", "before", "reason"})),
    "rollback": (
        frozenset({"slot", "action", "expects", "after", "reason"}),
        frozenset({"before", "decision", "incident", "snapshot"}),
    ),
    "rollout": (frozenset({"slot", "action", "expects", "before", "after", "decision"}), frozenset({"reason"})),
    "monitor": (
        frozenset({"slot", "action", "decision", "reason"}),
        frozenset({"expects", "before", "after", "candidate"}),
    ),
    "retire": (frozenset({"slot", "action", "expects", "before", "decision", "reason"}), frozenset()),
    "archive": (frozenset({"slot", "action", "candidate", "decision", "reason"}), frozenset()),
    "outcome": (frozenset({"slot", "intent", "status"}), frozenset({"observed", "debts", "reason"})),
    "takeover": (frozenset({"slot", "intent", "reason"}), frozenset()),
    "adopt": (frozenset({"slot", "after", "reason"}), frozenset({"expects", "before"})),
    "bad": (frozenset({"slot", "after", "reason"}), frozenset()),
    "revert": (frozenset({"slot", "reason"}), frozenset({"before", "after"})),
}


def release_digest(release: Release) -> Digest:
    """The name of a release: the digest of its canonical document."""
    return digest_document(release.document())


def check_shape(entry: Entry, *, where: str) -> None:
    """Refuse an entry that lacks a field of its kind, or has one of another kind's.

    Raises
    ------
    EvidenceError: `ledger.malformed`.
    """
    present = frozenset(entry.document()) - _COMMON
    required, optional = _FIELDS[entry.kind]
    if missing := required - present:
        raise _malformed(f"{entry.kind} without {', '.join(sorted(missing))}", where)
    if strange := present - required - optional:
        raise _malformed(f"{entry.kind} with {', '.join(sorted(strange))}", where)
    if (entry.sequence == 0) != (entry.owners is not None) or (entry.sequence == 0) != (entry.previous is None):
        raise _malformed("owners belong to entry 0, and a previous digest to every other", where)
    if (entry.sequence == 0 and entry.kind != "policy") or entry.owners == () or entry.active == ():
        raise _malformed("entry 0 names the policy owners, and a policy entry activates something", where)
    # What a monitor demands moves the slot, or names the version that is to go no further.
    moves = {name for name in ("expects", "before", "after") if name in present}
    if entry.kind == "monitor" and (len(moves) not in (0, 3) or bool(moves) == (entry.candidate is not None)):
        raise _malformed("a demand that neither moves nor pauses", where)
    if entry.decisions == () or (entry.sequence == 0 and entry.decisions):
        raise _malformed("policies are judged by those that were in force before", where)
    if entry.action not in (None, "promote" if entry.kind == "intent" else entry.kind):
        raise _malformed(f"{entry.kind} of a {entry.action}", where)
    if entry.slot is not None and entry.after is not None:
        check_release(entry.after, entry.slot, where=where)


def check_release(release: Release, slot: Slot, *, where: str | None = None) -> None:
    """Refuse a release that is not the slot's, splits other than 100 percent, or approves what it does not serve.

    Raises
    ------
    EvidenceError: `ledger.release`.
    """
    versions = [route.version for route in release.routes]
    reasons = {
        "belongs to another slot": (release.model, release.environment) != (slot.model, slot.environment),
        "routes to another model": any(version.name != slot.model for version in versions),
        "has percentages that do not add up to 100": sum(route.percent for route in release.routes) != 100,
        "routes to one version twice": len({version.version for version in versions}) != len(versions),
        "approves a version that it does not route to": release.approved not in versions,
    }
    for reason, holds in reasons.items():
        if holds:
            raise EvidenceError(f"the release {reason}", code="ledger.release", where=where)


def subjects_of(entry: Entry) -> tuple[tuple[str, Digest], ...]:
    """Return (name, digest) of the immutable things that an entry's statement is about."""
    if entry.active is not None:
        return tuple((f"policy:{active.environment}", active.policy_digest) for active in entry.active)
    if entry.bundle_digest is not None and entry.candidate is not None:
        return (("bundle", entry.bundle_digest), (entry.candidate.uri, entry.candidate.digest))
    if entry.after is not None:
        return ((entry.after.approved.uri, entry.after.approved.digest),)
    if entry.intent is not None:
        return (("intent", entry.intent),)
    if entry.kind == "revert" and entry.previous is not None:
        return (("ledger", entry.previous),)
    version = entry.before.approved if entry.before is not None else entry.candidate
    if version is not None:
        return ((version.uri, version.digest),)
    raise _malformed(f"{entry.kind} about nothing", f"ledger entry {entry.sequence}")


def seal_entry(entry: Entry, signer: Signer) -> bytes:
    """Return the signed envelope of an entry, after looking at its form."""
    check_shape(entry, where=f"ledger entry {entry.sequence}")
    return seal(ENTRY_TYPE, subjects_of(entry), entry.document(), signer)


def _malformed(message: str, where: str) -> EvidenceError:
    return EvidenceError(message, code="ledger.malformed", where=where)
