"""Keys, trust, approvals, and the policies in force: what people sign."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from gates.bundle.trust import Role
from gates.cli import options, policies

if TYPE_CHECKING:
    from gates.flow.people import Activated


@click.group()
def keys() -> None:
    """Make a signing key."""


@keys.command("new")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--identity", required=True, metavar="TEXT", help="Whose it is: an address or a job's name.")
@options.output
def keys_new(path: Path, identity: str, output: str) -> None:
    """Make an Ed25519 key pair: PATH (keep it secret) and PATH.pub (hand it to the policy owners)."""
    from gates.bundle.keys import generate

    signer = generate(path, identity)
    options.tell(
        {"private": str(path), "public": f"{path}.pub", "key_id": signer.key_id, "identity": identity},
        output,
        f"key {signer.key_id[:16]} of {identity}",
        f"{path}      keep it secret; mode 600",
        f"{path}.pub  hand it to the policy owners: gates trust add {path}.pub --person NAME --role ROLE",
    )


@click.group()
def trust() -> None:
    """Say who may do what."""


@trust.command("add")
@click.argument("public", type=click.Path(path_type=Path))
@click.option("--person", required=True, metavar="NAME", help="Who answers for the key: persons are counted, not keys.")
@click.option(
    "--role", "roles", required=True, multiple=True, type=click.Choice(get_args(Role)), help="What the key may do."
)
@click.option("--environment", "environments", multiple=True, metavar="ENV", help="Only there; default: everywhere.")
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="What the person is called elsewhere: of commits, an account.",
)
@click.option("--file", "file", type=click.Path(path_type=Path), help="The trust file; default: the spec's.")
@options.spec
@options.output
def trust_add(
    public: Path,
    person: str,
    roles: tuple[Role, ...],
    environments: tuple[str, ...],
    names: tuple[str, ...],
    file: Path | None,
    spec_path: str,
    output: str,
) -> None:
    """List the key PUBLIC in the trust file. In force once `gates policy activate` has put it into the ledger."""
    from gates.flow.people import enrol

    path = file or options.open_project(spec_path).trust_path
    if path is None:
        raise click.UsageError("the spec names no trust file; pass --file or add `trust:` to gates.yaml")
    listed = enrol(path, public, person=person, roles=roles, environments=environments, names=names)
    options.tell(
        {"file": str(path), "key": listed.model_dump(mode="json", exclude={"pem"})},
        output,
        f"{path}: {listed.identity} ({person}) may {', '.join(roles)}",
        "next: gates policy activate -e ENV --reason TEXT --key FILE",
    )


@click.group()
def policy() -> None:
    """Build, test and compare policies, and put their digests in force."""


for _command in policies.COMMANDS:
    policy.add_command(_command)


@policy.command("activate")
@click.option("-e", "--environment", "environments", multiple=True, required=True, metavar="ENV", help="Where.")
@click.option(
    "--loosen",
    multiple=True,
    metavar="PATH",
    help="An override that loosens a limit or a level, or a fact that asks less; each is to be named.",
)
@click.option(
    "--simulate", is_flag=True, help="First judge the store's past decisions under them, and keep the answer."
)
@click.option("--unsimulated", metavar="TEXT", callback=options.said, help="Why not; it is recorded.")
@options.reason
@options.key
@options.spec
@options.output
def policy_activate(
    environments: tuple[str, ...],
    loosen: tuple[str, ...],
    simulate: bool,
    unsimulated: str | None,
    reason: str,
    key: str | None,
    spec_path: str,
    output: str,
) -> None:
    """Sign today's policy and trust digests into the ledger; the first time this makes the ledger.

    The policies in force judge it: who may, what loosens and is named, who else approved, and whether it was simulated.
    """
    from gates.flow.people import activate

    if simulate and unsimulated:
        raise click.UsageError("--simulate, or --unsimulated and why not")
    project = options.open_project(spec_path)
    done = options.told(
        project,
        ", ".join(environments),
        "policies put in force",
        reason,
        lambda: activate(
            project,
            environments,
            reason=reason,
            key=key,
            loosen=loosen,
            simulate=simulate,
            unsimulated=unsimulated,
        ),
    )
    digest, first = done.entry, done.first
    policy_digest, trust_digest = project.policies.digest, project.trust.digest
    rest = (
        "entry 0 names the policy owners. Hand its digest to every job, from outside the branch:",
        f"export GATES_LEDGER_ROOT={digest}",
    )
    options.tell(
        {
            "environments": list(environments),
            "policy_digest": policy_digest,
            "trust_digest": trust_digest,
            "entry": digest,
            "first": first,
            "loosened": sorted(loosen),
            "simulation": done.simulation.document() if done.simulation else None,
            "unsimulated": done.unsimulated,
        },
        output,
        f"policy {policy_digest[:23]} and trust {trust_digest[:23]} are in force in {', '.join(environments)}",
        *(f"loosened: {path}" for path in sorted(loosen)),
        *(_tried(done)),
        *(rest if first else ()),
    )


def _tried(done: Activated) -> tuple[str, ...]:
    if found := done.simulation:
        flips = f"{found.to_deny:,} allowed would be denied, {found.to_allow:,} denied would be allowed"
        return (f"simulated: {found.decisions:,} past decisions, {flips}",)
    return (f"not simulated: {done.unsimulated}",) if done.unsimulated else ()


@policy.command("approve")
@options.target
@click.option("--role", required=True, type=click.Choice(["risk", "ml-owner"]), help="The role you approve in.")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 30), help="How long the yes holds.")
@click.option("--comment", metavar="TEXT", help="Signed with it.")
@options.key
@options.spec
@options.output
def policy_approve(
    environment: str, role: str, days: int, comment: str | None, key: str | None, spec_path: str, output: str
) -> None:
    """Sign a yes for today's policies and trust data in place of those in force in ENV; void when either changes."""
    from gates.flow.people import approve_policy

    digest, approval = approve_policy(
        options.open_project(spec_path), environment, role=role, days=days, comment=comment, key=key
    )
    options.tell(
        {"approval_digest": digest, "approval": approval.document()},
        output,
        f"approved as {role}: policy {approval.policy_digest[:23]} and trust {approval.trust_digest[:23]} in {environment}",
        f"{digest}; void when these, or what is in force, change",
    )


@click.command()
@options.target
@options.candidate
@options.bundle
@click.option(
    "--action",
    type=click.Choice(["promote", "retire", "archive"]),
    default="promote",
    show_default=True,
    help="What is approved: a promotion, that what serves is retired, or that the candidate is archived.",
)
@click.option(
    "--role", required=True, type=click.Choice(["ml-owner", "risk", "business-owner"]), help="The role you approve in."
)
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 30), help="How long the yes holds.")
@click.option("--comment", metavar="TEXT", help="Signed with it.")
@options.key
@options.spec
@options.output
def approve(
    environment: str,
    candidate: str | None,
    bundle: str | None,
    action: Literal["promote", "retire", "archive"],
    role: str,
    days: int,
    comment: str | None,
    key: str | None,
    spec_path: str,
    output: str,
) -> None:
    """Sign a yes for exactly this move: candidate, evidence, plan, policies and what serves now.

    Exits 1 where the yes is signed and does not count as things are: of an author, of a key without the role, of a person
    who has said yes already. Whether it counts in the end, the decision says.
    """
    from gates.flow.leave import approve_action
    from gates.flow.people import approve as sign_approval
    from gates.render.view import risk_text

    project = options.open_project(spec_path)
    if action != "promote":
        digest, approval = approve_action(
            project, action, environment, candidate=candidate, role=role, days=days, comment=comment, key=key
        )
        options.tell(
            {"approval_digest": digest, "approval": approval.document()},
            output,
            f"approved as {role}: {action} of {approval.model} in {environment}",
            f"{digest}; void when the policies or what serves changes",
        )
        return
    signed = sign_approval(
        project, environment, candidate=candidate, bundle=bundle, role=role, days=days, comment=comment, key=key
    )
    digest, approval, risk = signed.digest, signed.approval, signed.risk
    options.tell(
        {
            "approval_digest": digest,
            "approval": approval.document(),
            "risk": risk.document() if risk else None,
            "narrowed": list(signed.narrowed),
            "counts": not signed.void,
            "void": list(signed.void),
        },
        output,
        *(f"NARROWED since the last decision: {line}" for line in signed.narrowed),
        *([risk_text(risk)] if risk else []),
        f"approved as {role}: {approval.model} for {environment}, bundle {(approval.bundle_digest or '')[:23]}",
        f"{digest}; void when the evidence, the policies or what serves changes",
    )
    if signed.unasked:
        options.say(f"note: no rule asks for {role} here; the yes counts as one person more, where one is wanted")
    for why in signed.void:
        options.say(f"this yes does not count as things are: {why}")
    if signed.void:
        options.leave(1)
