"""What holds for every command of the command line."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from gates.cli.main import cli


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


EVERY = dict(commands(cli))


@pytest.mark.parametrize("name", EVERY)
def test_every_command_answers_as_text_json_and_markdown(name: str) -> None:
    [output] = [option for option in EVERY[name].params if option.name == "output"]
    assert isinstance(output.type, click.Choice)
    assert list(output.type.choices) == ["text", "json", "markdown"]


@pytest.mark.parametrize("name", EVERY)
def test_every_command_and_option_says_what_it_is_for(name: str) -> None:
    command = EVERY[name]
    assert command.help
    for option in command.params:
        assert not isinstance(option, click.Option) or option.help, option.name


def test_the_commands_of_the_readme_are_there() -> None:
    first = ["init", "check", "promote", "rollback", "status"]
    assert list(EVERY)[:5] == first
    assert {"policy activate", "keys new", "trust add", "doctor", "plan", "measure", "record", "seal"} <= set(EVERY)
    assert {"adopt", "decide", "approve", "log", "verify", "replay", "explain", "report"} <= set(EVERY)
