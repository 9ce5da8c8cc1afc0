"""`gates check`: measure and decide, apply nothing. With a file: no spec, key, registry, ledger or written file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gates.cli import options

if TYPE_CHECKING:
    from gates.records import Plan


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
@click.option("--save", is_flag=True, help="Write gates.yaml of FILE, and a workflow that asks this of pull requests.")
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
    save: bool,
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
        repeated = {"--by": by, "--key-column": key_columns}
        asked = [os.path.relpath(file), *_flags({**of_file, **repeated})]
        _savable(save, file, asked)
        from gates.flow.file import judge_file

        answer = judge_file(
            file,
            label=label,
            score=score,
            champion=champion,
            by=by,
            cluster=cluster,
            key=key_columns,
            positive=positive,
            uri=None,
        )
        saved = _save(save, asked, answer.decided.bundle.plan, answer.said)
        options.show(
            answer.view,
            output,
            verbose=verbose,
            before=answer.said,
            after=(*answer.besides, *saved),
            json_file=json_file,
        )
        options.leave(0 if answer.decided.decision.allow else 1)
    _refuse(of_file, "belongs to `gates check FILE`; with a spec these stand in gates.yaml")
    asked = ["--spec", spec_path, "--environment", environment, *_flags({"--candidate": candidate})]
    _savable(save, None, asked)
    from gates.flow.check import check_project

    project = options.open_project(spec_path)
    with options.progress() as tell:
        checked = check_project(
            project, environment, candidate, key=key, at=at, pull_request=pull_request, progress=tell
        )
    saved = _save(save, asked)
    options.show(checked.view, output, verbose=verbose, after=(*checked.besides, *saved), json_file=json_file)
    options.leave(0 if checked.decided.decision.allow else 1)


def _flags(given: Mapping[str, str | tuple[str, ...] | None]) -> list[str]:
    """Options as they are written, each of a repeated one by itself."""
    said = [(name, [value] if isinstance(value, str) else value or ()) for name, value in given.items()]
    return [word for name, values in said for value in values for word in (name, value)]


def _savable(save: bool, file: Path | None, arguments: Sequence[str]) -> None:
    if save:
        from gates.flow.start import savable

        savable(Path.cwd(), file, arguments)


def _save(save: bool, arguments: Sequence[str], plan: Plan | None = None, notes: Sequence[str] = ()) -> tuple[str, ...]:
    if not save:
        return ()
    from gates.flow.start import save as write

    return tuple(f"written: {path}" for path in write(Path.cwd(), arguments, plan, notes))


def _refuse(given: Mapping[str, object], why: str) -> None:
    for name, value in given.items():
        if value:
            raise click.UsageError(f"{name} {why}")
