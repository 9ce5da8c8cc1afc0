"""Shadow: a version that sees the traffic and answers nobody."""

from __future__ import annotations

import click

from gates.cli import options


@click.command()
@click.argument("version", metavar="URI", required=False)
@options.target
@click.option("--off", is_flag=True, help="End it.")
@options.spec
@options.output
def shadow(version: str | None, environment: str, off: bool, spec_path: str, output: str) -> None:
    """Send a copy of each of ENV's requests to URI (models:/NAME/VERSION); without URI and --off: say which."""
    from gates.flow.shadow import shadow as run

    if off and version:
        raise click.UsageError("--off ends the shadow: it takes no URI")
    found = run(options.open_project(spec_path), environment, version, off=off)
    said = f"{found.uri} gets a copy of each request" if found else "no shadow"
    options.tell({"shadow": found.document() if found else None}, output, f"{environment}: {said}")
