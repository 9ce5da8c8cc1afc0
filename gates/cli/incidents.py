"""What follows a rollback: its record, a second person's yes, and the mark on what was bad."""

from __future__ import annotations

from pathlib import Path

import click

from gates.cli import options


@click.command()
@options.target
@click.option("--rollback", "entry", metavar="DIGEST", help="Its ledger entry; default: the newest.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="A file that is not there yet; default: here."
)
@options.spec
@options.output
def incident(environment: str, entry: str | None, out: Path | None, spec_path: str, output: str) -> None:
    """Write the post-incident record of a rollback: what is known is filled in, the rest is asked for."""
    from gates.flow.incidents import record_of
    from gates.render.incident import incident_document, incident_record

    found = record_of(options.open_project(spec_path), environment, entry)
    text = incident_record(found)
    if out is not None:
        # What people wrote into an earlier one is not overwritten.
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    if output == "json":
        options.print_document(incident_document(found) | ({"written": str(out)} if out else {}))
    else:
        click.echo(text.rstrip("\n") if out is None else str(out))


@click.command()
@options.target
@click.option("--rollback", "entry", metavar="DIGEST", help="Its ledger entry; default: the newest that waits.")
@options.reason
@options.key
@options.spec
@options.output
def confirm(environment: str, entry: str | None, reason: str, key: str | None, spec_path: str, output: str) -> None:
    """Sign, as a second person, that a rollback in ENV was right to do."""
    from gates.flow.incidents import confirm as run

    project = options.open_project(spec_path)
    digest = options.told(
        project,
        environment,
        "rollback confirmed",
        reason,
        lambda: run(project, environment, entry=entry, comment=reason, key=key),
    )
    options.tell({"rollback": digest}, output, f"confirmed: rollback {digest[7:19]} in {environment}")


@click.command("mark-bad")
@click.argument("release", metavar="DIGEST", callback=options.digest)
@options.target
@options.reason
@options.key
@options.spec
@options.output
def mark_bad(release: str, environment: str, reason: str, key: str | None, spec_path: str, output: str) -> None:
    """Mark the release DIGEST, which was done in ENV, as bad: no rollback goes to it. Moves no traffic."""
    from gates.flow.move import mark_bad as run

    project = options.open_project(spec_path)
    entry = options.told(
        project,
        environment,
        f"release {release[7:19]} marked bad",
        reason,
        lambda: run(project, environment, release, reason=reason, key=key),
    )
    options.tell({"release": release, "entry": entry}, output, f"release {release[7:19]} is bad in {environment}")
