"""Verify, replay, report: for the person who was not there."""

from __future__ import annotations

from pathlib import Path

import click

from gates.cli import options


@click.command()
@click.argument("decisions", nargs=-1, metavar="[DECISION]...")
@click.option("-v", "--verbose", is_flag=True, help="Everything that was looked at, not only failures.")
@options.spec
@options.output
def verify(decisions: tuple[str, ...], verbose: bool, spec_path: str, output: str) -> None:
    """Check the whole ledger, every decision in it and each DECISION: signatures, replay, evidence, model bytes.

    Exits 0 where all of it holds, 3 where anything does not, 4 where something named could not be reached.
    """
    from gates.flow.audit import verify as run
    from gates.render.findings import findings_text

    found = run(options.open_project(spec_path), decisions)
    if output == "json":
        options.print_document(found.document())
    else:
        click.echo(findings_text(found, verbose=verbose, markdown=output == "markdown"))
    options.leave(3 if found.failures else 4 if not found.complete else 0 if found.good else 3)


@click.command()
@click.argument("decision")
@options.spec
@options.output
def replay(decision: str, spec_path: str, output: str) -> None:
    """Decide again from the sealed sources, with the policies of then; the bytes must agree. Exits 3 where they do not."""
    from gates.bundle.canonical import digest_document
    from gates.flow.audit import replay as run

    done = run(options.open_project(spec_path), decision)
    before, after = done.opened.decision_id, digest_document(done.again.document())
    differs = [
        *(f"input: {name}" for name in done.input_differs),
        *(f"decision: {name}" for name in done.decision_differs),
    ]
    if output == "json":
        options.print_document({"same": done.same, "decision_id": before, "replayed_id": after, "differs": differs})
    else:
        found = "the same bytes" if done.same else f"DIFFERS in {', '.join(differs)}"
        options.tell({}, output, found, f"decided   {before}", f"replayed  {after}")
    options.leave(0 if done.same else 3)


@click.command()
@click.argument("decision")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Default: decision-<id>.html here.")
@click.option(
    "--pictures",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also draw its pictures as PNG into this folder, for a model card or a tracking server.",
)
@options.spec
@options.output
def report(decision: str, out: Path | None, folder: Path | None, spec_path: str, output: str) -> None:
    """Write the page of a decision: one HTML file, readable without JavaScript or network."""
    from gates.flow.audit import report as run
    from gates.render.markdown import prose

    project = options.open_project(spec_path)
    path = out or Path(f"decision-{decision.removeprefix('sha256:')[:12]}.html")
    written = run(project, decision, path, spec_path, folder=folder).pictures
    document = {
        "written": str(path),
        "pictures": [
            {"file": str(file), "title": item.title, "caption": item.caption, "finding": item.finding}
            for file, item in written
        ],
    }
    if output == "markdown":
        lines = [f"![{prose(item.finding)}](<{file}>)" for file, item in written]
    else:
        lines = [f"{file}: {item.finding}" for file, item in written]
    options.tell(document, output, str(path), *lines)
