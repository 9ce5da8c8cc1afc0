"""Policies before they are in force: build, test, lint, compare, and what they would have done."""

from __future__ import annotations

from pathlib import Path

import click

from gates.cli import options

_FRAMEWORKS = ["nist-ai-rmf", "eu-ai-act", "sr-11-7", "iso-42001"]
_ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]


@click.command("build")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Also write OPA's bundle into this folder."
)
@click.option(
    "--signing-key", type=click.Path(path_type=Path, dir_okay=False), help="Private key in PEM that signs the bundle."
)
@click.option("--signing-alg", type=click.Choice(_ALGORITHMS), default="ES256", show_default=True, help="How it signs.")
@options.spec
@options.output
def build(out: Path | None, signing_key: Path | None, signing_alg: str, spec_path: str, output: str) -> None:
    """Compile Rego of your own (custom/NAME/NAME.rego) with ours; a change of data alone needs no compiler."""
    from gates.flow.policies import build as run

    if signing_key is not None and out is None:
        raise click.UsageError("what is signed is the bundle; pass --out")
    written = [str(path) for path in run(options.open_project(spec_path), out, key=signing_key, algorithm=signing_alg)]
    options.tell(
        {"written": written}, output, "written" if written else "nothing to do: the sources are compiled", *written
    )


@click.command("test")
@options.spec
@options.output
def test(spec_path: str, output: str) -> None:
    """Run the tests of your own Rego by OPA; no tests at all are an error.

    Exits 1 where one fails, or a line of a rule is reached by none.
    """
    from gates.flow.policies import test as run

    done = run(options.open_project(spec_path))
    bad = [
        *(f"failed: {name}" for name in done.failed),
        *(f"did not run: {name}" for name in done.lost),
        *done.uncovered,
    ]
    options.tell({**vars(done)}, output, f"{done.ran} ran, {len(done.failed) + len(done.lost)} bad", *bad)
    options.leave(1 if bad else 0)


@click.command("lint")
@click.option("--holdout", is_flag=True, help="Also look for limits that the spec's holdout is too small to show.")
@options.spec
@options.output
def lint(holdout: bool, spec_path: str, output: str) -> None:
    """Look for limits that nothing reads, rules that nothing asks for or tests, and METADATA that is not whole.

    Exits 1 on a finding.
    """
    from gates.flow.policies import lint as run

    found = run(options.open_project(spec_path), holdout=holdout)
    count = len(found)
    options.tell({"findings": found}, output, f"{count} finding{'' if count == 1 else 's'}", *found)
    options.leave(1 if found else 0)


@click.command("diff")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@options.spec
@options.output
def diff(one: str, other: str, spec_path: str, output: str) -> None:
    """Show what differs between policies A and B: each a folder of policy owners, or a policy digest of the store."""
    from gates.flow.policies import diff as run

    found = run(options.open_project(spec_path), one, other)
    lines = [f"{item.path}: {item.before or 'absent'} -> {item.after or 'absent'}" for item in found]
    options.tell({"changes": [vars(item) for item in found]}, output, f"{len(found)} changes", *lines)


@click.command("controls")
@click.option("--framework", type=click.Choice(_FRAMEWORKS), help="Only this one.")
@options.output
def controls(framework: str | None, output: str) -> None:
    """List by framework which rules support which control, by what evidence, and what they do not cover."""
    from gates.decide.controls import by_control, document, load_supports
    from gates.render.controls import controls_text

    found = by_control(load_supports())
    chosen = {name: found[name] for name in found if framework in {None, name}}
    if output == "json":
        options.print_document({n: {c: document(rules) for c, rules in of.items()} for n, of in chosen.items()})
    else:
        click.echo(controls_text(chosen, markdown=output == "markdown"))


COMMANDS = (controls, build, test, lint, diff)
