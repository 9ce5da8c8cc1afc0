"""`gates check`: measure and decide, apply nothing. With a file: no spec, key, registry, ledger or written file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from gates.cli import options


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@options.environment
@options.candidate
@click.option("--champion", metavar="FILE", help="With FILE: the champion's predictions, or its column in FILE.")
@click.option("--label", metavar="COLUMN", help="With FILE: what happened.")
@click.option("--score", metavar="COLUMN", help="With FILE: the probability.")
@click.option("--by", "by", multiple=True, metavar="COLUMN", help="With FILE: judge each value of this column too.")
@click.option("--cluster", metavar="COLUMN", help="With FILE: rows with the same value hang together.")
@click.option("--positive", metavar="VALUE", help="With FILE: the label's value that counts as 1.")
@click.option(
    "--key-column", "key_columns", multiple=True, metavar="COLUMN", help="With FILE: pairs rows with a champion's file."
)
@options.key
@click.option("--at", metavar="TIME", help="Decide as at this time (ISO 8601 with zone); the answer is simulated.")
@click.option("--pull-request", is_flag=True, help="Measure on the holdout that the spec names for pull requests.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Also write the answer as JSON to this file."
)
@click.option("-v", "--verbose", is_flag=True, help="All results, not only those that decide.")
@options.spec
@options.output
def check(
    file: Path | None,
    environment: str,
    candidate: str | None,
    champion: str | None,
    label: str | None,
    score: str | None,
    by: tuple[str, ...],
    cluster: str | None,
    positive: str | None,
    key_columns: tuple[str, ...],
    key: str | None,
    at: str | None,
    pull_request: bool,
    json_file: Path | None,
    verbose: bool,
    spec_path: str,
    output: str,
) -> None:
    """Measure a registered model (by gates.yaml) or a predictions FILE (CSV, Parquet), and decide.

    Applies nothing. Exits 0 where the policies allow, 1 where they deny.
    """
    of_file = {"--champion": champion, "--label": label, "--score": score, "--by": by, "--cluster": cluster}
    of_file |= {"--positive": positive, "--key-column": key_columns}
    of_spec = {"--candidate": candidate, "--key": key, "--at": at, "--pull-request": pull_request}
    if file is not None:
        _refuse(of_spec, "belongs to a spec (gates init); a file is judged now and signed by nobody")
        if environment != "development":
            raise click.UsageError("a file is judged by the rules of development; for others write a spec (gates init)")
        from gates.api import check_file

        result = check_file(
            file,
            label=label,
            score=score,
            champion=champion,
            by=by,
            cluster=cluster,
            key=key_columns,
            positive=positive,
        )
        options.show(
            result.view, output, verbose=verbose, before=result.said, after=result.besides, json_file=json_file
        )
        options.leave(0 if result.allowed else 1)
    _refuse(of_file, "belongs to `gates check FILE`; with a spec these stand in gates.yaml")
    from gates.flow.check import check_project

    project = options.open_project(spec_path)
    with options.progress() as tell:
        checked = check_project(
            project, environment, candidate, key=key, at=at, pull_request=pull_request, progress=tell
        )
    options.show(checked.view, output, verbose=verbose, after=checked.besides, json_file=json_file)
    options.leave(0 if checked.decided.decision.allow else 1)


def _refuse(given: Mapping[str, object], why: str) -> None:
    for name, value in given.items():
        if value:
            raise click.UsageError(f"{name} {why}")
