"""Batch: scores by the deployed version, a partition at a time."""

from __future__ import annotations

import click

from gates.cli import options


@click.command()
@click.argument("partition", required=False)
@options.target
@click.option("--restore", is_flag=True, help="Score nothing: let the deployed version's earlier scores count again.")
@options.spec
@options.output
def batch(partition: str | None, environment: str, restore: bool, spec_path: str, output: str) -> None:
    """Score PARTITION by the version that is deployed in ENV, and let its scores count.

    With --restore, after a rollback: every partition that the version had scored before. Exits 1 where some are left.
    """
    from gates.flow.batch import batch as run
    from gates.flow.batch import restore_all

    if restore == (partition is not None):
        raise click.UsageError("name a partition, or --restore")
    project = options.open_project(spec_path)
    if partition is None:
        done = options.told(
            project, environment, "batch scores restored", None, lambda: restore_all(project, environment)
        )
        said = {"model": done.model.document(), "restored": list(done.changed), "left": list(done.left)}
        left = [f"to be scored: gates batch {name} -e {environment}" for name in done.left]
        first = f"{len(done.changed)} partitions have the scores of {done.model.uri} again"
        options.tell(said, output, first, *done.changed, *left)
        options.leave(1 if done.left else 0)
    scored = options.told(
        project, environment, f"scored {partition}", None, lambda: run(project, environment, str(partition))
    )
    document = {"partition": partition, "run": scored.run.id, "rows": scored.run.rows, "scores": str(scored.scores)}
    how = "had scored" if scored.again else "scored"
    first = f"{scored.run.model.uri} {how} {partition}: {scored.run.rows} rows count"
    options.tell(document | {"model": scored.run.model.document()}, output, first, str(scored.scores))
