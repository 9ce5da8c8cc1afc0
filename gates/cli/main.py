"""The command line: parse, call flow, render, exit code. Nothing heavy is imported before a command is known."""

from __future__ import annotations

import importlib
import os
import sys
from typing import NamedTuple, NoReturn

import click

from gates import __version__
from gates.cli.ending import leave
from gates.cli.starting import prepare
from gates.errors import GatesError, UsageError


class _Command(NamedTuple):
    module: str
    attribute: str
    help: str


_SECTIONS: dict[str, dict[str, _Command]] = {
    "Start here": {
        "init": _Command("start", "init", "Write a commented gates.yaml."),
        "check": _Command("check", "check", "Measure a model or a predictions file and decide; applies nothing."),
        "promote": _Command("move", "promote", "Decide on sealed evidence and move the release."),
        "rollback": _Command("move", "rollback", "Bring back a whole earlier release."),
        "status": _Command("look", "status", "What serves where, wanted and observed."),
    },
    "The stages, one by one": {
        "plan": _Command("stages", "plan", "What the policy asks to be measured."),
        "measure": _Command("stages", "measure", "Run the gates and seal what they found."),
        "record": _Command("record", "record", "Add a figure of your own to what was measured."),
        "seal": _Command("stages", "seal", "Sign a bundle again under your key."),
        "decide": _Command("stages", "decide", "Ask the policies about a sealed bundle."),
        "approve": _Command("people", "approve", "Sign a yes for exactly one move."),
        "waive": _Command("waivers", "waive", "Accept one bad figure of one version for a time."),
        "baseline": _Command("waivers", "baseline", "Accept today's bad figures, so that only new or worse ones deny."),
        "rollout": _Command("rollout", "rollout", "Give what was promoted more of the traffic, step by step."),
        "monitor": _Command("rollout", "monitor", "Do what a monitor demands: no further, a step back, or all of it."),
        "batch": _Command("batch", "batch", "Score a partition by the version that is deployed."),
        "shadow": _Command("shadow", "shadow", "Send a copy of each request to a version whose answers go nowhere."),
        "adopt": _Command("move", "adopt", "Enter into the ledger what already serves."),
        "mark-bad": _Command("incidents", "mark_bad", "Mark an earlier release: no rollback goes to it any more."),
        "revert": _Command("move", "revert", "Put back what somebody changed beside the ledger."),
        "reconcile": _Command("move", "reconcile", "Finish or undo what the last move left open."),
        "retire": _Command("leave", "retire", "Take a model out of an environment, where nothing follows it."),
        "archive": _Command("leave", "archive", "Mark a version that nothing needs any more."),
        "incident": _Command("incidents", "incident", "Write the record of a rollback, for people to finish."),
        "confirm": _Command("incidents", "confirm", "Sign, as a second person, that a rollback was right."),
        "takeover": _Command("move", "takeover", "Make another key's unfinished move this one's."),
    },
    "Policies, keys and trust": {
        "policy": _Command("people", "policy", "Build, test and compare policies; put them in force."),
        "keys": _Command("people", "keys", "Make a signing key."),
        "trust": _Command("people", "trust", "Say who may do what."),
    },
    "Reading and checking": {
        "admit": _Command("admit", "admit", "May this model be loaded here, now? For the start of a server."),
        "log": _Command("look", "log", "The ledger, entry by entry."),
        "verify": _Command("audit", "verify", "Check everything again: ledger, decisions, evidence, bytes."),
        "replay": _Command("audit", "replay", "Decide again from the sealed sources; the bytes must agree."),
        "simulate": _Command("simulate", "simulate", "What other policies or limits would have decided."),
        "explain": _Command("look", "explain", "What a code means and what to do."),
        "report": _Command("audit", "report", "Write the page of a decision."),
        "doctor": _Command("start", "doctor", "What is installed, what is missing, and how to get it."),
    },
}
_COMMANDS = {name: command for section in _SECTIONS.values() for name, command in section.items()}


class _LazyGroup(click.Group):
    """Lists commands from the table above and imports a command's module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = _COMMANDS[cmd_name]
        found: click.Command = getattr(importlib.import_module(f"gates.cli.{command.module}"), command.attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, 1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise click.UsageError(f'there is no command "{args[0]}"{hint}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, command.help) for name, command in commands.items()])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 allowed or done, 1 denied, 2 usage, 3 evidence or verification failed, 4 engine or internal.",
)
@click.version_option(__version__, prog_name="gates")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def cli(debug: bool) -> None:
    """May this model version serve in this environment? With evidence that can be checked years later."""


def main() -> None:
    """Run the command line and exit with one of the documented codes."""
    debug = "--debug" in sys.argv[1:]
    prepare()
    try:
        _run()
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except GatesError as error:
        if debug:
            raise
        _report(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # the last line of defence: no traceback without --debug, and never exit 1
        if debug:
            raise
        click.echo(f"error: {type(error).__name__}: {error} [internal]; run again with --debug and report it", err=True)
        sys.exit(4)


def run() -> NoReturn:
    """Be the process of a command; see `main`."""
    try:
        main()
    except SystemExit as done:
        if not isinstance(done.code, int):
            raise
        leave(done.code)
    leave(0)


def _run() -> None:
    try:
        cli.main(standalone_mode=False)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError, PermissionError) as error:
        # Paths that are the caller's to mend, where nothing said more.
        raise UsageError(error.strerror or str(error), code="path", where=str(error.filename or "")) from error


def _report(error: GatesError) -> None:
    where = f"{error.where}: " if error.where else ""
    click.echo(f"error: {where}{error.message} [{error.code}]", err=True)
    if error.remedy:
        click.echo(f"  {error.remedy}", err=True)


if __name__ == "__main__":
    run()
