"""Adopt: enter what already serves. It moves no traffic and needs no evidence, only authority and a reason.

(1) Verify: the registered bytes are the release's; the target states the same release (decision and approval aside).
    Where the target states nothing, the ledger's own release is all that may be entered, if it has one.
(2) Append the `adopt` entry: it closes the slot by itself, counts as done for rollback and is the champion there.
(3) Write the target: the same routes under the release's digest. (5) Aliases: the ledger's shadow, set to what the
    entry says, which its signed reason covers. (6) Read back. (7) Rollback pack.

Interrupted after (2) it is run again: another entry of the same release changes nothing but the record.
"""

from __future__ import annotations

from gates.apply.begin import require_reason
from gates.apply.ledger.aliases import sole_version
from gates.apply.ledger.chain import Chain
from gates.apply.ledger.shape import check_release
from gates.apply.pack import keep_pack
from gates.apply.saga import Applied, open_elsewhere, require_unmoved, tag_head
from gates.apply.serving.interface import Serves, ServesNothing
from gates.apply.surfaces import Surfaces, describe, describe_release
from gates.apply.writer import LedgerWriter, Position
from gates.errors import EvidenceError, Refused, UsageError
from gates.records.release import Entry, Release, Slot


def adopt(writer: LedgerWriter, surfaces: Surfaces, release: Release, *, reason: str) -> Applied:
    """Make a release that serves already known to the ledger, in the slot that it names.

    Raises
    ------
    Refused: no authority, the slot is busy, the target serves something else. UsageError: no reason, or a release
    that is not whole. EvidenceError: the registered bytes are others.
    """
    require_reason(reason, "an adoption")
    slot = Slot(model=release.model, environment=release.environment)
    try:
        check_release(release, slot)
    except EvidenceError as error:
        raise UsageError(error.message, code="adopt.release", remedy="name what takes all the traffic") from error
    chain = writer.read()
    writer.require_apply(chain, slot)
    state = chain.slot(slot)
    if state.open is not None:
        raise open_elsewhere(state.open, slot)
    # (1)
    surfaces.check_bytes(release)
    _check_serves(surfaces, release, state.standing.release)

    # (2)
    def build(newest: Chain, position: Position) -> Entry:
        require_unmoved(newest, slot, state)
        return writer.entry(
            position,
            "adopt",
            reason=reason,
            slot=slot,
            expects=state.last_closing,
            before=state.standing.release,
            after=release,
        )

    digest, chain = writer.append(build, chain)
    closed = chain.slot(slot)
    # (3)
    require_unmoved(writer.newest(chain), slot, closed)
    accepted = surfaces.serve(release)
    # (5)
    require_unmoved(writer.newest(chain), slot, closed)
    surfaces.move_aliases(slot, closed.standing)
    # (6)
    observed = surfaces.observe(release)
    surfaces.observe_aliases(slot, closed.standing)
    # (7)
    pack = keep_pack(writer, surfaces.serving, chain, slot)
    unwitnessed = tag_head(surfaces, slot, chain)
    return Applied(slot, "done", release, accepted, observed, digest, digest, pack, (), unwitnessed)


def _check_serves(surfaces: Surfaces, release: Release, known: Release | None) -> None:
    # A target that was lost says nothing about what served: the ledger does.
    stated = known
    match surfaces.serving.read():
        case Serves(stated, _) as observed:
            remedy = "adopt what it states: adopting moves no traffic"
        case ServesNothing() as observed:
            if known is None:
                return
            remedy = "put the target back as the ledger has it"
            if sole := sole_version(known):
                remedy += f", or adopt {sole.uri}: that writes it again"
        case observed:
            stated = None
            remedy = "put the target back: it cannot be read"
    aside = {"approved": release.approved, "decision_digest": release.decision_digest}
    if stated is not None and stated.model_copy(update=aside) == release:
        return
    raise Refused(
        f"to adopt is {describe_release(release)}, but the target states {describe(observed)} and the ledger "
        f"{describe_release(known)}",
        code="adopt.not_serving",
        where=surfaces.serving.name,
        remedy=remedy,
    )
