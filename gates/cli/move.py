"""Promote, roll back, adopt: what moves a release."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import click

from gates.apply.incidents import INCIDENTS, Incident
from gates.cli import options
from gates.cli.moved import applied_document, print_applied, tell_applied

if TYPE_CHECKING:
    from gates.flow.incidents import Handled
    from gates.flow.preview import Preview


@click.command()
@options.target
@options.candidate
@options.bundle
@options.optional_reason
@click.option("--percent", type=click.IntRange(1, 100), help="Of the traffic; default: the rollout's first step.")
@click.option(
    "--hotfix",
    metavar="INCIDENT",
    callback=options.said,
    help="For this incident, leave rules about order and pace for later, for hours.",
)
@click.option("-v", "--verbose", is_flag=True, help="All results, not only those that decide.")
@options.plan
@options.key
@options.spec
@options.output
def promote(
    environment: str,
    candidate: str | None,
    bundle: str | None,
    reason: str | None,
    percent: int | None,
    hotfix: str | None,
    verbose: bool,
    planned: bool,
    key: str | None,
    spec_path: str,
    output: str,
) -> None:
    """Decide on sealed evidence and, where the policies allow, move the release. Exits 1 where they deny."""
    from gates.flow.move import promote as run
    from gates.render.document import document

    project = options.open_project(spec_path)
    if planned:
        from gates.flow.preview import preview_promotion

        found = preview_promotion(
            project,
            environment,
            candidate=candidate,
            bundle=bundle,
            reason=reason,
            percent=percent,
            hotfix=hotfix,
            key=key,
        )
        _show(found, output, verbose=verbose)
    done = options.told(
        project,
        environment,
        "promoted",
        reason,
        lambda: run(
            project,
            environment,
            candidate=candidate,
            bundle=bundle,
            reason=reason,
            key=key,
            percent=percent,
            hotfix=hotfix,
        ),
    )
    if output == "json":
        answer: dict[str, Any] = document(done.view)
        options.print_document(answer | ({"applied": applied_document(done.applied)} if done.applied else {}))
    else:
        options.show(done.view, output, verbose=verbose)
        if done.applied:
            tell_applied(done.applied, "promoted")
    options.leave(0 if done.applied else 1)


@click.command()
@options.target
@click.option(
    "--incident", type=click.Choice(INCIDENTS), help="What is wrong: it chooses the release, and is recorded."
)
@options.reason
@click.option(
    "--to",
    metavar="DIGEST",
    help="A release that was done here; default: what the incident says, or the last good one.",
)
@options.plan
@options.key
@options.spec
@options.output
def rollback(
    environment: str,
    incident: Incident | None,
    reason: str,
    to: str | None,
    planned: bool,
    key: str | None,
    spec_path: str,
    output: str,
) -> None:
    """Bring back a whole earlier release that this environment's ledger knows as done.

    With --incident what served is kept first, for a second at most; `gates incident` then writes the record.
    """
    from gates.flow.incidents import handle

    project = options.open_project(spec_path)
    if planned:
        from gates.flow.preview import preview_rollback

        _show(preview_rollback(project, environment, incident or "other", reason=reason, to=to, key=key), output)
    done = options.told(
        project,
        environment,
        "rolled back",
        reason,
        lambda: handle(project, environment, incident or "other", reason=reason, to=to, key=key),
    )
    from gates.flow.batch import after_rollback

    scores = after_rollback(project, environment) if done.applied else ()
    _tell_handled(done, environment, output, scores)


@click.command()
@click.argument("version", metavar="URI")
@options.target
@options.reason
@options.key
@options.spec
@options.output
def adopt(version: str, environment: str, reason: str, key: str | None, spec_path: str, output: str) -> None:
    """Enter into the ledger that URI (models:/NAME/VERSION) takes all of ENV's traffic already. Moves no traffic."""
    from gates.flow.move import adopt as run

    project = options.open_project(spec_path)
    done = options.told(
        project, environment, "adopted", reason, lambda: run(project, environment, version, reason=reason, key=key)
    )
    print_applied(done, "adopted", output)


@click.command()
@options.target
@options.reason
@options.plan
@options.key
@options.spec
@options.output
def revert(environment: str, reason: str, planned: bool, key: str | None, spec_path: str, output: str) -> None:
    """Put back what somebody changed beside the ledger: the target edited by hand, an alias moved, a flag flipped."""
    from gates.flow.move import revert as run

    project = options.open_project(spec_path)
    if planned:
        from gates.flow.preview import preview_revert

        _show(preview_revert(project, environment), output)
    done = options.told(
        project, environment, "reverted", reason, lambda: run(project, environment, reason=reason, key=key)
    )
    print_applied(done, "reverted", output)


@click.command()
@options.target
@click.option("--finish", "how", flag_value="finish", help="Do it: go on to the end.")
@click.option("--undo", "how", flag_value="undo", help="Do it: take an unfinished promotion back.")
@options.key
@options.spec
@options.output
def reconcile(environment: str, how: str | None, key: str | None, spec_path: str, output: str) -> None:
    """Say what the last move in ENV left to do: a rollback beside the ledger, an unfinished move, debts.

    Changes nothing without --finish or --undo, and exits 1 where something is left.
    """
    from gates.flow.move import reconcile as run

    asked: Literal["look", "finish", "undo"] = "finish" if how == "finish" else "undo" if how == "undo" else "look"
    project = options.open_project(spec_path)
    if asked == "look":
        todo, applied = run(project, environment, how=asked, key=key)
    else:
        todo, applied = options.told(
            project, environment, "reconciled", None, lambda: run(project, environment, how=asked, key=key)
        )
    if output == "json":
        said = {"left": todo.left, "said": todo.said, "finish": todo.finish, "undo": todo.undo}
        options.print_document(said | ({"applied": applied_document(applied)} if applied else {}))
    else:
        can = ((todo.finish, "--finish"), (todo.undo, "--undo"))
        options.tell({}, output, todo.said, *(f"{flag}: {what}" for what, flag in can if what and not applied))
        if applied:
            tell_applied(applied, "reconciled")
    options.leave(0 if applied or todo.left == "nothing" else 1)


@click.command()
@options.target
@options.reason
@options.key
@options.spec
@options.output
def takeover(environment: str, reason: str, key: str | None, spec_path: str, output: str) -> None:
    """Make an unfinished move that another key began this key's: `gates reconcile` then finishes or undoes it."""
    from gates.flow.move import takeover as run

    project = options.open_project(spec_path)
    entry = options.told(
        project, environment, "taken over", reason, lambda: run(project, environment, reason=reason, key=key)
    )
    options.tell({"entry": entry}, output, f"taken over in {environment}", f"next: gates reconcile -e {environment}")


def _show(found: Preview, output: str, *, verbose: bool = False) -> NoReturn:
    """Print what would change, and leave: 1 where it would be refused."""
    from gates.render.preview import preview_document, preview_lines

    if output == "json":
        from gates.render.document import document

        decided = document(found.view) if found.view else {}
        options.print_document(decided | {"preview": preview_document(found)})
    else:
        if found.view:
            options.show(found.view, output, verbose=verbose)
        first, *rest = preview_lines(found)
        options.tell({}, output, first, *rest)
    sys.exit(1 if found.stands_against else 0)


def _tell_handled(done: Handled, environment: str, output: str, scores: Sequence[str]) -> None:
    kept = {"digest": done.snapshot.digest, "absent": list(done.snapshot.absent)}
    if output == "json":
        options.print_document(
            {"snapshot": kept, **(applied_document(done.applied) if done.applied else {"dispatched": True})}
        )
        return
    if done.applied is None:
        click.echo(f"training was asked for; nothing moved in {environment}")
    else:
        tell_applied(done.applied, "rolled back")
    for line in scores:
        click.echo(f"  {line}")
    click.echo(f"  {done.snapshot.words}")
    for missing in done.snapshot.absent:
        click.echo(f"  absent: {missing}")
    if done.applied is not None and not done.applied.journalled:
        click.echo(f"  next: gates incident -e {environment}, and a second person: gates confirm -e {environment}")
