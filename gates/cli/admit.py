"""`gates admit`: may this model be loaded here, now?"""

from __future__ import annotations

from pathlib import Path

import click

from gates.cli import options


@click.command()
@click.argument("uri")
@options.target
@click.option(
    "--bytes",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that is about to be loaded; default: where an sqlite registry keeps it.",
)
@options.spec
@options.output
def admit(uri: str, environment: str, folder: Path | None, spec_path: str, output: str) -> None:
    """Check that URI (models:/NAME/VERSION or models:/NAME@ALIAS) may serve in ENV: decision, ledger and bytes.

    For the start of a server, or a check of a GitOps repository. Exits 0 where it may, 1 where the ledger says no or an
    alias was set by hand, 3 where bytes or ledger are not what was signed.
    """
    from gates.flow.admit import admit as run

    found = run(options.open_project(spec_path), environment, uri, folder)
    decision = found.decision.decision_id if found.decision else None
    basis = found.decision.decision.basis if found.decision else "adopted"
    by = f"decision {decision[7:19]} ({basis})" if decision else "adopted, without a decision"
    moving = "; the move that brings it is not finished" if found.moving else ""
    options.tell(
        {
            "admitted": True,
            "model": found.version.uri,
            "digest": found.version.digest,
            "environment": environment,
            "percent": found.percent,
            "decision_id": decision,
            "basis": basis,
            "moving": found.moving,
            "ledger_head": found.head,
        },
        output,
        f"admitted: {found.version.uri} in {environment}, {found.percent} % of the traffic{moving}",
        f"{by}; bytes {found.version.digest[7:19]}; ledger {found.head[7:19]}",
    )
