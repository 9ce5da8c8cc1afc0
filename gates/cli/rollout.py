"""Between two promotions: more of the traffic step by step, and less of it where a monitor demands that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gates.cli import options
from gates.cli.moved import applied_document, print_applied, tell_applied

if TYPE_CHECKING:
    from gates.records.action import Demand


@click.group()
def rollout() -> None:
    """Give what was promoted more of the traffic, step by step."""


@rollout.command("step")
@options.target
@click.option("--percent", type=click.IntRange(1, 100), help="Default: the next step of the plan that was decided on.")
@options.reason
@options.key
@options.spec
@options.output
def step(environment: str, percent: int | None, reason: str, key: str | None, spec_path: str, output: str) -> None:
    """Take the next step in ENV: while the decision holds, after the last one was seen, and where nobody asked to stop."""
    from gates.flow.rollout import step as run

    project = options.open_project(spec_path)
    done = options.told(
        project,
        environment,
        "taken a step",
        reason,
        lambda: run(project, environment, percent=percent, reason=reason, key=key),
    )
    print_applied(done, "taken a step", output)


@click.group()
def monitor() -> None:
    """What a monitor demands; it can only take traffic away."""


@monitor.command("act")
@options.target
@click.option(
    "--demand",
    required=True,
    type=click.Choice(["pause", "back", "rollback"]),
    help="No further step, the step before, or what served before the rollout.",
)
@click.option(
    "--alarm",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="What was seen, as JSON; docs/rollout.md has its form.",
)
@options.reason
@options.key
@options.spec
@options.output
def act(
    environment: str, demand: Demand, alarm: Path, reason: str, key: str | None, spec_path: str, output: str
) -> None:
    """Do in ENV what a monitor demands, by a key that may `monitor`; what it saw goes into the ledger."""
    from gates.flow.rollout import act as run

    project = options.open_project(spec_path)
    done = options.told(
        project,
        environment,
        "paused" if demand == "pause" else "rolled back",
        reason,
        lambda: run(project, environment, demand, alarm=alarm, reason=reason, key=key),
    )
    if output == "json":
        applied = {"applied": applied_document(done.applied)} if done.applied else {}
        options.print_document({"demand": done.demand, "entry": done.entry, **applied})
    elif done.applied:
        tell_applied(done.applied, "taken back by a monitor")
    else:
        click.echo(f"paused in {environment}: no step until a new decision is carried out; ledger {done.entry[7:19]}")
