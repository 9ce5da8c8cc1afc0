"""Read without changing: what serves where, the ledger, what a code means."""

from __future__ import annotations

import click

from gates.cli import options


@click.command()
@click.option("-e", "--environment", "environments", multiple=True, metavar="ENV", help="Only there; default: all.")
@options.spec
@options.output
def status(environments: tuple[str, ...], spec_path: str, output: str) -> None:
    """Show what serves where: what the ledger wants, what is observed, and every difference. Exits 1 where they differ."""
    from gates.flow.standing import status as run
    from gates.render.standing import standing_document, standings

    found = run(options.open_project(spec_path), environments)
    if output == "json":
        options.print_document([standing_document(item) for item in found])
    else:
        click.echo(standings(found, markdown=output == "markdown"))
    options.leave(1 if any(item.differences for item in found) else 0)


@click.command()
@click.option("-n", "--last", type=click.IntRange(1), help="Only the last N entries.")
@options.spec
@options.output
def log(last: int | None, spec_path: str, output: str) -> None:
    """Show the ledger, entry by entry, after checking all of it."""
    from gates.render.entries import entries_text

    entries = options.open_project(spec_path).chain().entries
    shown = entries[-last:] if last else entries
    if output == "json":
        options.print_document(
            [{"digest": item.digest, "key_ids": list(item.key_ids), **item.entry.document()} for item in shown]
        )
    else:
        click.echo(entries_text(shown, markdown=output == "markdown"))


@click.command()
@click.argument("code", required=False)
@options.output
def explain(code: str | None, output: str) -> None:
    """Say what CODE means and what to do about it; without a code, list all."""
    from gates.decide.controls import document, load_supports, support_of
    from gates.decide.explain import explain as look_up
    from gates.decide.explain import load_annotations
    from gates.render.controls import support_lines

    known = load_annotations()
    found = [look_up(code, known)] if code else [known[name] for name in sorted(known)]
    support = support_of(code, load_supports()) if code else None
    if output == "json":
        more = {k: v for k, v in document([support])[0].items() if k != "codes"} if support else {}
        options.print_document([{**{k: v for k, v in vars(item).items() if v}, **more} for item in found])
        return
    if code is None:
        width = max(map(len, known))
        for item in found:
            click.echo(f"{item.code:<{width}}  {item.title}")
        return
    item = found[0]
    click.echo(f"{item.code}: {item.title}")
    click.echo(f"  {item.description}")
    if item.remedy:
        click.echo(f"  What to do: {item.remedy}")
    for line in support_lines(support) if support else ():
        click.echo(f"  {line}")
