"""Options that several commands share, and how a command prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from gates.project import Project
    from gates.render.view import View

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

environment = click.option(
    "-e", "--environment", default="development", show_default=True, metavar="ENV", help="Rung of the ladder."
)
target = click.option("-e", "--environment", required=True, metavar="ENV", help="Rung of the ladder.")
candidate = click.option(
    "--candidate", metavar="URI", help="models:/NAME/VERSION or models:/NAME@ALIAS; default: the spec's."
)
key = click.option("--key", metavar="FILE", help="Signing key; default: $GATES_KEY.")


def said(_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse words that say nothing."""
    if value is None or value.strip():
        return value
    from gates.errors import UsageError

    raise UsageError("says nothing", code="reason.missing", where=parameter.opts[0], remedy="say why; it is recorded")


reason = click.option("--reason", required=True, metavar="TEXT", callback=said, help="Why; it is recorded.")
optional_reason = click.option("--reason", metavar="TEXT", callback=said, help="Why; it is recorded.")


def digest(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse what is no digest; for options and arguments that name one."""
    from gates.records.base import is_digest

    if value is not None and not is_digest(value):
        raise click.BadParameter("write sha256: and 64 hexadecimal digits, as `gates seal` prints them")
    return value


bundle = click.option(
    "--bundle", metavar="DIGEST", callback=digest, help="Sealed bundle; default: the candidate's newest."
)
spec = click.option(
    "--spec", "spec_path", default="gates.yaml", show_default=True, metavar="FILE", help="The spec, or its folder."
)
output = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print.",
)


plan = click.option("--plan", "planned", is_flag=True, help="Say what would change, and change nothing.")


def open_project(spec_path: str) -> Project:
    """Load the spec and return the project around it."""
    from gates.plan.spec import load_spec
    from gates.project import Project

    return Project(load_spec(spec_path))


def print_document(document: Any) -> None:
    """Print a JSON document."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True))


def tell(document: Mapping[str, Any], output: str, first: str, *rest: str) -> None:
    """Print what was done, in the wanted form: a line, and what belongs to it."""
    if output == "json":
        print_document(document)
    elif output == "markdown":
        click.echo("\n".join([first, *([""] if rest else []), *(f"- {line}" for line in rest)]))
    else:
        click.echo("\n".join([first, *(f"  {line}" for line in rest)]))


def say(text: str = "") -> None:
    """Tell what is being done, on standard error, so that standard output stays the answer."""
    click.echo(text, err=True)


def told(project: Project, environment: str, word: str, reason: str | None, move: Callable[[], T]) -> T:
    """Run a move and tell how it ended, as `gates.flow.notify` does; say what could not be told, also of one that failed."""
    from gates.flow.notify import told

    try:
        return told(project, environment, word, reason, move)
    finally:
        for failure in project.failures:
            say(f"note: {failure}")


def leave(code: int) -> None:
    """Exit with a documented code after the answer was printed."""
    sys.exit(code)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show one line of progress on a terminal; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("planning") as status:
        yield lambda stage: status.update(f"measuring: {stage}" if stage != "deciding" else stage)


def show(
    view: View,
    output: str,
    *,
    verbose: bool = False,
    before: Sequence[str] = (),
    after: Sequence[str] = (),
    json_file: Path | None = None,
) -> None:
    """Print a decision in the wanted form, and write it as JSON to a file where one is named."""
    from gates.render.document import document

    if json_file is not None:
        content = json.dumps(document(view), indent=2, ensure_ascii=False, sort_keys=True)
        json_file.write_text(content + "\n", encoding="utf-8")
    if output == "json":
        print_document({**document(view), "notes": [*before, *after]})
        return
    if output == "markdown":
        from gates.render.markdown import markdown

        click.echo(markdown(view))
        return
    from gates.render.screen import Screen
    from gates.render.text import text

    screen = Screen.of(sys.stdout)
    for line in before:
        click.echo(line)
    if before:
        click.echo()
    click.echo(text(view, screen=screen, verbose=verbose))
    for line in after:
        click.echo(f"note: {line}")
