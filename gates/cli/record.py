"""`gates record`: own measurements beside those of the gates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gates.cli import options

if TYPE_CHECKING:
    from gates.flow.record import Recorded
    from gates.measure.own import Result
    from gates.records import Measurement

_KINDS = ["json", "mlflow", "junit", "pip-audit"]
_FORMS = "--successes, --sum, --values or --from"


@click.command()
@click.argument("name", required=False)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder that `gates measure --out` wrote.",
)
@click.option("--successes", type=int, metavar="K", help="K of --n rows: a share.")
@click.option("--sum", "total", type=float, metavar="S", help="Sum of --n values: their mean; with --sum-squares.")
@click.option("--sum-squares", type=float, metavar="Q", help="Sum of the squared values.")
@click.option("--n", type=int, metavar="N", help="How many rows.")
@click.option(
    "--planned",
    type=int,
    metavar="M",
    help="The rows so far are of a stream: bounds that hold at every look at it, nearest at about M rows.",
)
@click.option("--values", type=click.Path(path_type=Path, dir_okay=False), help="CSV or Parquet with a value a row.")
@click.option("--column", metavar="NAME", help="The column of --values; default: the only one.")
@click.option("--cluster", metavar="NAME", help="The column of --values that says which rows hang together.")
@click.option("--range", "limits", type=(float, float), metavar="LOW HIGH", help="What a single value can be.")
@click.option("--unit", default="own", show_default=True, metavar="TEXT", help="Of the figure; only shown.")
@click.option(
    "--from",
    "source",
    type=(click.Choice(_KINDS), click.Path(path_type=Path, dir_okay=False)),
    metavar="KIND FILE",
    help=f"What another tool wrote; KIND is {', '.join(_KINDS)}.",
)
@options.output
def record(
    name: str | None,
    folder: Path,
    successes: int | None,
    total: float | None,
    sum_squares: float | None,
    n: int | None,
    planned: int | None,
    values: Path | None,
    column: str | None,
    cluster: str | None,
    limits: tuple[float, float] | None,
    unit: str,
    source: tuple[str, Path] | None,
    output: str,
) -> None:
    """Add the figure own.NAME, with bounds computed here, to evidence that is not sealed yet.

    Policy judges it where models/MODEL/data.yaml defines and requires it.
    """
    from gates.flow.record import read_values, record_file, record_result
    from gates.measure.own import Successes, Sums

    if sum(form is not None for form in (successes, total, values, source)) != 1:
        raise click.UsageError(f"say what was measured, in one way: {_FORMS}")
    if source is not None:
        _only(n=n, sum_squares=sum_squares, planned=planned, column=column, cluster=cluster, limits=limits)
        _told(record_file(folder, *source, name=name), folder, output)
        return
    if planned is not None and (values is not None or cluster is not None):
        raise click.UsageError(
            "--planned goes with --successes or --sum: bounds that hold at every look are those of independent rows, and "
            "of rows that hang together there are none"
        )
    if name is None:
        raise click.UsageError("name the check: gates record NAME ...")
    result: Result
    if values is not None:
        _only(n=n, sum_squares=sum_squares)
        result = read_values(values, column=column, cluster=cluster, limits=limits)
    elif n is None:
        raise click.UsageError("of how many rows? pass --n")
    elif successes is not None:
        _only(sum_squares=sum_squares, column=column, cluster=cluster, limits=limits)
        result = Successes(successes, n, planned)
    else:
        _only(column=column, cluster=cluster)
        if total is None or sum_squares is None:
            raise click.UsageError("a sum says nothing of its spread; pass --sum-squares too")
        result = Sums(total, sum_squares, n, limits, planned)
    _told(record_result(folder, name, result, unit=unit), folder, output)


def _only(**options_given: object) -> None:
    """Refuse options that belong to another form: ignored ones would mislead."""
    wrong = [name for name, value in options_given.items() if value is not None]
    if wrong:
        flag = {"limits": "range"}.get(wrong[0], wrong[0].replace("_", "-"))
        raise click.UsageError(f"--{flag} does not go with the other options")


def _told(recorded: Recorded, folder: Path, output: str) -> None:
    lines = [_figure(found) for found in recorded.measurements]
    if recorded.unasked:
        lines.append(f"the plan does not ask for {', '.join(recorded.unasked)}: policy will not judge it")
    count = len(lines) - bool(recorded.unasked)
    options.tell(
        {
            "file": str(recorded.path),
            "measurements": [found.document() for found in recorded.measurements],
            "unasked": list(recorded.unasked),
        },
        output,
        f"{recorded.path}: {count} measurement{'' if count == 1 else 's'}, unsigned",
        *lines,
        f"next: gates seal {folder} --key FILE",
    )


def _figure(found: Measurement) -> str:
    if found.bounds is None or found.estimate is None:
        return f"{found.check}: unmeasured ({found.reason})"
    if found.scope == "census":
        return f"{found.check}: {found.estimate:g}, exact"
    first = found.bounds[0]
    if (first.lower, first.upper) == ("unbounded", "unbounded"):
        return f"{found.check}: {found.estimate:.4g}, without bounds"
    lower, upper = (side if isinstance(side, str) else f"{side:.4g}" for side in (first.lower, first.upper))
    return f"{found.check}: {found.estimate:.4g}; each at .95: at least {lower}, at most {upper}"
