"""`gates simulate`: what other policies would have decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gates.cli import options

if TYPE_CHECKING:
    from gates.audit.simulate import Simulation


@click.command()
@click.option(
    "--policy",
    "policy",
    metavar="DIR|DIGEST",
    help="Folder of policy owners, or a policy digest of the store; default: the spec's folder as it is now.",
)
@click.option("--what-if", "check", metavar="CHECK", help="Another limit of one check; with --limit.")
@click.option("--limit", "limits", type=float, multiple=True, help="A limit to try; each is a point of the curve.")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes.")
@options.spec
@options.output
def simulate(
    policy: str | None, check: str | None, limits: tuple[float, ...], jobs: int, spec_path: str, output: str
) -> None:
    """Judge every past decision of the store again, under other policies or limits; nothing is changed.

    Says which would flip, what decides that, and how the share of inconclusive results changes.
    """
    from gates.flow.policies import simulate as run

    if bool(check) != bool(limits):
        raise click.UsageError("--what-if names the check and --limit what to try; give both")
    if policy is not None and not policy.startswith("sha256:") and not Path(policy).is_dir():
        raise click.UsageError(f"--policy: no such folder: {policy}")
    found = run(options.open_project(spec_path), policy, check=check, limits=limits, jobs=jobs)
    document = [{"limit": limit, **one.document()} for limit, one in found]
    if check is None:
        [(_, only)] = found
        options.tell(document[0], output, _line(only), *_lines(only))
    else:
        lines = [f"{check} at {limit:g}: {_line(one)}" for limit, one in found]
        options.tell({"check": check, "curve": document}, output, f"{check}: {len(limits)} limits", *lines)


def _line(found: Simulation) -> str:
    flips = found.flips
    denied = sum(one.allowed for one in flips)
    return (
        f"{len(found.outcomes):,} decisions: {denied:,} allowed would be denied, "
        f"{len(flips) - denied:,} denied would be allowed; inconclusive {_share(found, now=False)} -> "
        f"{_share(found, now=True)}"
    )


def _share(found: Simulation, *, now: bool) -> str:
    share = found.undecided(now=now)
    return "-" if share is None else f"{share:.1%}"


def _lines(found: Simulation) -> list[str]:
    decided = [f"{n:,} by {code} ({where})" for (code, _, where), n in found.deciding[:20]]
    flips = [
        f"{one.decision[:19]} {one.model} {one.version} in {one.environment}: "
        f"{'allow' if one.allowed else 'deny'} -> {'allow' if one.would else 'deny'}"
        for one in found.flips[:20]
    ]
    more = [f"and {len(found.flips) - 20:,} more"] if len(found.flips) > 20 else []
    of = len(found.outcomes)
    alarms = [f"{code}: denies in {before:,} -> {now:,} of {of:,}" for code, before, now in found.alarms()[:20]]
    return [*flips, *more, *decided, *alarms, *(f"not judged: {line}" for line in found.unreadable)]
