"""Retire and archive: what takes a model or a version out of use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gates.cli import options
from gates.cli.moved import print_applied

if TYPE_CHECKING:
    from gates.apply.saga import Applied


@click.command()
@options.target
@options.reason
@click.option(
    "--requests",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Log of the requests that came to it, CSV or Parquet.",
)
@click.option("--time-column", default="request_time", show_default=True, metavar="NAME", help="When each came.")
@click.option(
    "--days",
    default=7.0,
    show_default=True,
    type=click.FloatRange(0, 365),
    help="Up to now, in which none may have come.",
)
@options.key
@options.spec
@options.output
def retire(
    environment: str,
    reason: str,
    requests: Path | None,
    time_column: str,
    days: float,
    key: str | None,
    spec_path: str,
    output: str,
) -> None:
    """Take what serves out of ENV, where nothing follows it: approvals are asked for, and traffic shown to be zero."""
    from gates.flow.leave import retire as run

    project = options.open_project(spec_path)

    def move() -> Applied:
        return run(project, environment, reason=reason, requests=requests, time_column=time_column, days=days, key=key)

    done = options.told(project, environment, "retired", reason, move)
    print_applied(done, "retired", output)


@click.command()
@click.argument("version", metavar="URI")
@options.reason
@options.key
@options.spec
@options.output
def archive(version: str, reason: str, key: str | None, spec_path: str, output: str) -> None:
    """Mark URI (models:/NAME/VERSION), which no environment needs: it is neither promoted nor rolled back to any more."""
    from gates.flow.leave import archive as run

    project = options.open_project(spec_path)
    done = options.told(
        project,
        project.environments[-1],
        f"archived {version}",
        reason,
        lambda: run(project, version, reason=reason, key=key),
    )
    options.tell(
        {"version": done.version.document(), "entry": done.entry, "again": done.again},
        output,
        f"{done.version.uri} is archived" + (" (it was before)" if done.again else ""),
        f"ledger {done.entry[7:19]}, and a tag in the registry",
    )
