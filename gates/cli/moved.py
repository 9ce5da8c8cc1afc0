"""How a move is told: by the commands that promote, roll back, step and adopt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gates.cli import options

if TYPE_CHECKING:
    from gates.apply.saga import Applied


def print_applied(applied: Applied, word: str, output: str) -> None:
    """Print what was moved, in the wanted form."""
    if output == "json":
        options.print_document(applied_document(applied))
    else:
        tell_applied(applied, word)


def tell_applied(applied: Applied, word: str) -> None:
    """Say what was moved, in lines."""
    from gates.render.release import traffic_text

    where = applied.slot.environment
    undone = " (an unfinished promotion was undone)" if applied.status == "failed" else ""
    if applied.status == "accepted":
        click.echo(f"{word} in {where}, accepted and not seen: {traffic_text(applied.accepted)}")
        click.echo(f"  nobody sees the traffic; once somebody does, gates reconcile -e {where} moves what is deployed")
    else:
        click.echo(f"{word} in {where}{undone}: {traffic_text(applied.observed)}")
    if applied.outcome and applied.journalled:
        click.echo(f"  journal {applied.outcome[7:19]} beside the target; next: gates reconcile -e {where}")
    elif applied.outcome:
        click.echo(f"  ledger {applied.outcome[7:19]}, rollback pack {applied.pack[7:19] if applied.pack else 'none'}")
    else:
        click.echo("  development has no ledger: this move is recorded nowhere")
    for debt in applied.debts:
        click.echo(f"  debt: {debt}")
    if applied.unwitnessed:
        click.echo(f"  the ledger's new head is not tagged in the registry: {applied.unwitnessed}")


def applied_document(applied: Applied) -> dict[str, Any]:
    """Return what was moved, as JSON."""
    releases = {"wanted": applied.wanted, "accepted": applied.accepted, "observed": applied.observed}
    facts = {
        "environment": applied.slot.environment,
        "model": applied.slot.model,
        "status": applied.status,
        "intent": applied.intent,
        "outcome": applied.outcome,
        "pack": applied.pack,
        "debts": list(applied.debts),
        "journalled": applied.journalled,
        "unwitnessed": applied.unwitnessed or None,
        "resumed": applied.resumed,
        **{name: release.document() if release else None for name, release in releases.items()},
    }
    return {name: value for name, value in facts.items() if value is not None}
