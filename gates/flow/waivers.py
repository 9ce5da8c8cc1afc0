"""What people accept for a time: ask for a waiver, record a baseline, approve either, and list them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.bundle.keys import Signer
from gates.bundle.pack import OpenedBundle, load_bundle
from gates.bundle.waivers import load_waiver, load_waivers, put_waiver, put_waiver_approval
from gates.decide.accept import accepted_of
from gates.decide.limits import limits_of
from gates.errors import Refused, UsageError
from gates.flow.decision import decide
from gates.flow.stages import candidate_uri, find_bundle
from gates.project import Project, now_us
from gates.records import Decision, Digest, Environment, RuleResult, Slice
from gates.records.base import DAY_US
from gates.records.decision import WaiverInput
from gates.records.waiver import Accepted, Waiver, WaiverApproval

if TYPE_CHECKING:
    from typing import Literal


@dataclass(frozen=True)
class Asked:
    """What was signed, and what denies beside it and cannot be accepted by anybody."""

    digest: Digest
    waiver: Waiver
    others: tuple[RuleResult, ...]


@dataclass(frozen=True)
class Words:
    """What the one who asks says."""

    reason: str
    ticket: str
    days: int
    key: str | None


def ask_waiver(
    project: Project,
    environment: Environment,
    check: str,
    words: Words,
    *,
    where: str | None = None,
    item: str | None = None,
    candidate: str | None = None,
    bundle: str | None = None,
) -> Asked:
    """Sign the wish that one check on one slice of one version be accepted as it was measured.

    Parameters
    ----------
    where: `column=value`, `rest`, or None for all rows. item: one item's name; default: every item that denies.

    Raises
    ------
    UsageError: it does not deny there, or no figure denies that could be accepted.
    """
    opened, decision, at_us = _decided(project, environment, candidate, bundle, words)
    place = parse_slice(where)
    found, others = accepted_of(decision, opened.measurements, limits_of(project.policies.data), lasting=False)
    here = tuple(one for one in found if (one.check, one.slice) == (check, place) and _named(one, item))
    if not here:
        raise _nothing(check, place, others, decision)
    waiver = _waiver(project, environment, "waiver", opened, here, words, at_us)
    return _put(project, environment, waiver, words, ())


def record_baseline(
    project: Project, environment: Environment, words: Words, *, candidate: str | None = None, bundle: str | None = None
) -> Asked:
    """Sign the wish that all figures that deny today be accepted for a time, of whatever version comes.

    Raises
    ------
    UsageError: no figure denies.
    """
    opened, decision, at_us = _decided(project, environment, candidate, bundle, words)
    found, others = accepted_of(decision, opened.measurements, limits_of(project.policies.data), lasting=True)
    if not found:
        raise UsageError(
            "no figure denies, so there is nothing to record",
            code="baseline.nothing",
            where=opened.record.candidate.uri,
            remedy="what denies besides, a baseline does not cover; `gates decide` lists it",
        )
    waiver = _waiver(project, environment, "baseline", opened, found, words, at_us)
    return _put(project, environment, waiver, words, others)


def approve_waiver(project: Project, digest: Digest, *, comment: str | None, key: str | None) -> tuple[Digest, Waiver]:
    """Sign a yes to a waiver or baseline that somebody else asked for.

    Raises
    ------
    Refused: by the trust data the key is of the person who asked. EvidenceError: no such waiver.
    """
    opened = load_waiver(project.store, digest)
    waiver = opened.statement
    signer = project.signer(key, waiver.environment)
    if project.trust.persons(opened.key_ids) & project.trust.persons((signer.public.key_id,)):
        raise Refused(
            "who asks for a waiver does not approve it",
            code="waiver.self_approved",
            where=digest,
            remedy="have somebody else approve it, with a key of theirs",
        )
    approval = WaiverApproval(
        waiver_digest=digest, model=waiver.model, environment=waiver.environment, time_us=now_us(), comment=comment
    )
    return put_waiver_approval(project.store, signer, approval), waiver


def list_waivers(project: Project, environment: Environment, candidate: str | None) -> tuple[WaiverInput, ...]:
    """All of a version in an environment, with the model's baselines."""
    version = project.registry.resolve(candidate_uri(project, candidate)).version
    return load_waivers(project.store, version, environment, at_us=now_us())


def parse_slice(text: str | None) -> Slice:
    """Read `column=value`, `rest` or nothing.

    Raises
    ------
    UsageError: anything else.
    """
    if text in (None, "whole"):
        return Slice()
    if text == "rest":
        return Slice(kind="rest")
    column, equals, value = (text or "").partition("=")
    if not equals or not column:
        raise UsageError("no slice", where=text, code="slice.invalid", remedy="write COLUMN=VALUE, or rest")
    return Slice(kind="value", column=column, value=value)


def _decided(
    project: Project, environment: Environment, candidate: str | None, bundle: str | None, words: Words
) -> tuple[OpenedBundle, Decision, int]:
    """What the policies say now, which enters nothing into the ledger."""
    project.check_environment(environment)
    for name in ("reason", "ticket"):
        if not getattr(words, name).strip():
            raise UsageError(f"an empty {name}", code=f"waiver.{name}", remedy=f"say --{name} in words")
    opened = load_bundle(project.store, find_bundle(project, candidate, bundle))
    at_us = now_us()
    decided = decide(project, opened, environment, signer=None, reason=None, at_us=at_us, simulated=True)
    return opened, decided.decision, at_us


def _waiver(
    project: Project,
    environment: Environment,
    kind: Literal["waiver", "baseline"],
    opened: OpenedBundle,
    accepted: Sequence[Accepted],
    words: Words,
    at_us: int,
) -> Waiver:
    until_us = at_us + words.days * DAY_US
    longest = project.policies.data["release"]["environments"][environment]["longest_us"][kind]
    if until_us > at_us + longest:
        raise UsageError(
            f"longer than the {longest // DAY_US} days that {environment} allows",
            code="waiver.too_long",
            where=f"{words.days} days",
            remedy=f"ask for --days {longest // DAY_US} or less",
        )
    return Waiver(
        kind=kind,
        model=project.spec.model,
        environment=environment,
        candidate=opened.record.candidate if kind == "waiver" else None,
        bundle_digest=opened.digest,
        accepted=tuple(accepted),
        reason=words.reason,
        ticket=words.ticket,
        time_us=at_us,
        from_us=at_us,
        until_us=until_us,
    )


def _put(
    project: Project, environment: Environment, waiver: Waiver, words: Words, others: tuple[RuleResult, ...]
) -> Asked:
    signer: Signer = project.signer(words.key, environment)
    return Asked(put_waiver(project.store, signer, waiver), waiver, others)


def _named(one: Accepted, item: str | None) -> bool:
    return item is None or (one.item is not None and one.item.name == item)


def _nothing(check: str, place: Slice, others: Sequence[RuleResult], decision: Decision) -> UsageError:
    where = f"{check}, {place}"
    if any((result.check, result.slice or Slice()) == (check, place) for result in others):
        return UsageError(
            "denies without a figure, and only a figure can be accepted",
            code="waiver.no_figure",
            where=where,
            remedy=f"gates explain {next(result.code for result in others if result.check == check)}",
        )
    denying = sorted({f"{r.check} {r.slice}" for r in decision.results if r.disposition == "denies" and r.slice})
    return UsageError(
        "does not deny there",
        code="waiver.nothing",
        where=where,
        remedy=f"what denies: {', '.join(denying[:5])}" if denying else "nothing that could be waived denies",
    )
