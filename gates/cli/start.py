"""`gates init` and `gates doctor`: the first minutes."""

from __future__ import annotations

from pathlib import Path

import click

from gates.cli import options


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path())
@click.option(
    "--model",
    default="my-model",
    show_default=True,
    metavar="NAME",
    help="The registered model's name; models:/NAME, also with /VERSION or @ALIAS, is read from the registry.",
)
@click.option("--label", default="label", show_default=True, metavar="COLUMN", help="What happened.")
@click.option("--holdout", default="data/holdout.parquet", show_default=True, metavar="URI", help="Labelled rows.")
@click.option("--registry", default="sqlite:///mlflow.db", show_default=True, metavar="URI", help="MLflow.")
@click.option("--force", is_flag=True, help="Overwrite.")
@options.output
def init(folder: Path, model: str, label: str, holdout: str, registry: str, force: bool, output: str) -> None:
    """Write a commented gates.yaml into FOLDER (default: here).

    With --model models:/NAME the registry fills it in: features, task, tables and aliases; and the shipped limits are
    written to policies/overrides, commented out.
    """
    from gates.flow.start import begin
    from gates.plan.init import render_spec, write_spec

    if model.startswith("models:/"):
        spec, *others = begin(folder, registry, model, force=force)
    else:
        spec, others = (
            write_spec(folder, render_spec(model=model, label=label, holdout=holdout, registry=registry), force=force),
            [],
        )
    then = "gates check" if folder == Path() else f"gates check --spec {spec}"
    said = [*(f"{path}: limits to tighten" for path in others), f"{spec}: look it over, then: {then}"]
    options.tell({"written": [str(spec), *map(str, others)], "next": then}, output, "\n".join(said))


@click.command()
@click.option("--install", is_flag=True, help="Build OPA into the user's cache where it is missing (about a minute).")
@options.output
def doctor(install: bool, output: str) -> None:
    """Say which engine, version and source there is, and what else is missing with the command that gets it."""
    from gates.flow.doctor import examine

    findings = examine(install=install)
    if output == "json":
        options.print_document([finding.document() for finding in findings])
    else:
        width = max(len(finding.part) for finding in findings)
        for finding in findings:
            click.echo(f"{'ok     ' if finding.ok else 'missing'}  {finding.part:<{width}}  {finding.said}")
            if finding.remedy:
                click.echo(f"{'':9}{'':<{width}}  get it: {finding.remedy}")
    options.leave(0 if all(finding.ok or finding.optional for finding in findings) else 2)
