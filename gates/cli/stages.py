"""The stages one by one: each from its predecessor's record, also on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gates.cli import options

if TYPE_CHECKING:
    from gates.flow.stages import Planned
    from gates.project import Project


@click.command()
@options.environment
@options.candidate
@click.option(
    "--resolution",
    "wanted",
    is_flag=True,
    help="Show what a perfect model could prove on this holdout, and rows needed.",
)
@options.spec
@options.output
def plan(environment: str, candidate: str | None, wanted: bool, spec_path: str, output: str) -> None:
    """Show what the policies ask to be measured, for every rung, and where the spec says it is."""
    from gates.bundle.canonical import digest_document
    from gates.flow.stages import make_plan
    from gates.render.plan import plan_text

    project = options.open_project(spec_path)
    planned = make_plan(project, environment, candidate)
    if wanted:
        _show_resolution(project, planned, output)
        return
    document = planned.plan.document()
    if output == "json":
        options.print_document(document)
    else:
        click.echo(plan_text(planned.plan, digest_document(document), markdown=output == "markdown"))


def _show_resolution(project: Project, planned: Planned, output: str) -> None:
    from gates.flow.resolution import resolution
    from gates.render.resolution import resolution_document, resolution_text

    found = resolution(project, planned)
    if output == "json":
        options.print_document(resolution_document(planned.plan, found))
    else:
        click.echo(resolution_text(planned.plan, found, markdown=output == "markdown"))


@click.command()
@options.environment
@options.candidate
@click.option("--plan", "plan_file", type=click.Path(path_type=Path), help="A plan that `gates plan -o json` wrote.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="New folder for the evidence."
)
@options.spec
@options.output
def measure(
    environment: str, candidate: str | None, plan_file: Path | None, out: Path, spec_path: str, output: str
) -> None:
    """Run the gates and write what they found, unsigned, into a new folder."""
    from gates.flow.measured import read_plan, write_measured
    from gates.flow.stages import make_plan
    from gates.flow.stages import measure as run

    project = options.open_project(spec_path)
    planned = make_plan(project, environment, candidate, given=read_plan(plan_file) if plan_file else None)
    with options.progress() as tell:
        measured = run(project, planned, tell)
    write_measured(measured, out)
    figures = sum(len(item.measurements) for item in measured.evidence)
    options.tell(
        {"folder": str(out), "measurements": figures, "gates": [item.gate for item in measured.evidence]},
        output,
        f"{out}: {figures} measurements by {len(measured.evidence)} gates, unsigned",
        f"next: gates seal {out} --key FILE",
    )
    for failure in project.failures:
        options.say(failure)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@options.environment
@options.key
@options.spec
@options.output
def seal(folder: Path, environment: str, key: str | None, spec_path: str, output: str) -> None:
    """Sign what `gates measure` wrote to FOLDER and put it into the store."""
    from gates.flow.measured import read_measured
    from gates.flow.stages import seal as sign
    from gates.project import now_us

    project = options.open_project(spec_path)
    digest = sign(project, read_measured(folder), project.signer(key, environment), now_us())
    options.tell({"bundle_digest": digest}, output, digest)
    options.say(f"  next: gates decide -e ENV --bundle {digest}")


@click.command()
@options.target
@options.candidate
@options.bundle
@click.option("--reason", metavar="TEXT", help="Why; it is recorded.")
@click.option("--at", metavar="TIME", help="Decide as at this time (ISO 8601 with zone); the answer is simulated.")
@click.option("-v", "--verbose", is_flag=True, help="All results, not only those that decide.")
@options.key
@options.spec
@options.output
def decide(
    environment: str,
    candidate: str | None,
    bundle: str | None,
    reason: str | None,
    at: str | None,
    verbose: bool,
    key: str | None,
    spec_path: str,
    output: str,
) -> None:
    """Ask the policies about a sealed bundle. Exits 0 where they allow, 1 where they deny.

    With a key that may decide, the bundle is entered into the ledger first and the decision is signed; without one, or
    with --at, the answer is simulated.
    """
    from gates.flow.decide import decide_bundle

    project = options.open_project(spec_path)
    checked = decide_bundle(project, environment, candidate=candidate, bundle=bundle, reason=reason, at=at, key=key)
    options.show(checked.view, output, verbose=verbose, after=checked.besides)
    options.leave(0 if checked.decided.decision.allow else 1)
