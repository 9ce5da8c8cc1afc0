"""What people accept for a time: `gates waive`, `gates baseline`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gates.cli import options

if TYPE_CHECKING:
    from gates.flow.waivers import Asked

_ticket = click.option("--ticket", required=True, metavar="ID", help="Where it is followed up.")
_digest = click.argument("digest", metavar="DIGEST")


@click.group()
def waive() -> None:
    """Accept one bad figure of one version for a time: one person asks, another approves."""


@waive.command("ask")
@click.argument("check")
@options.target
@click.option("--slice", "where", metavar="COLUMN=VALUE", help="Which rows; default: all.")
@click.option("--item", metavar="NAME", help="Which feature, bin or level; default: each that denies.")
@options.candidate
@options.bundle
@options.reason
@_ticket
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 365), help="How long it holds.")
@options.key
@options.spec
@options.output
def waive_ask(
    check: str,
    environment: str,
    where: str | None,
    item: str | None,
    candidate: str | None,
    bundle: str | None,
    reason: str,
    ticket: str,
    days: int,
    key: str | None,
    spec_path: str,
    output: str,
) -> None:
    """Sign the wish that CHECK be accepted as it was measured; worse is not covered. It counts once approved."""
    from gates.flow.waivers import Words, ask_waiver

    project = options.open_project(spec_path)
    words = Words(reason, ticket, days, key)
    asked = ask_waiver(project, environment, check, words, where=where, item=item, candidate=candidate, bundle=bundle)
    _tell(asked, output)


@waive.command("approve")
@_digest
@click.option("--comment", metavar="TEXT", help="Signed with it.")
@options.key
@options.spec
@options.output
def waive_approve(digest: str, comment: str | None, key: str | None, spec_path: str, output: str) -> None:
    """Sign a yes to the waiver or baseline DIGEST, that somebody else asked for."""
    from gates.flow.waivers import approve_waiver
    from gates.records.base import is_digest
    from gates.render.waivers import accepted_text, title_text

    if not is_digest(digest):
        raise click.UsageError("write sha256: and 64 hexadecimal digits, as `gates waive ask` prints them")
    project = options.open_project(spec_path)
    approval, waiver = approve_waiver(project, digest, comment=comment, key=key)
    options.tell(
        {"approval_digest": approval, "waiver_digest": digest, "waiver": waiver.document()},
        output,
        f"approved: {title_text(waiver)} in {waiver.environment}",
        *(accepted_text(one) for one in waiver.accepted),
    )


@waive.command("list")
@options.target
@options.candidate
@options.spec
@options.output
def waive_list(environment: str, candidate: str | None, spec_path: str, output: str) -> None:
    """Show what is waived for a version, and the baselines of its model. Whether one counts a decision says."""
    from gates.flow.waivers import list_waivers
    from gates.render.numbers import moment
    from gates.render.waivers import accepted_text, title_text

    found = list_waivers(options.open_project(spec_path), environment, candidate)
    if output == "json":
        options.print_document(
            [
                {
                    "waiver_digest": item.digest,
                    "waiver": item.statement.document(),
                    "key_ids": list(item.key_ids),
                    "approvals": [yes.digest for yes in item.approvals],
                }
                for item in found
            ]
        )
        return
    for item in found:
        said = item.statement
        approved = f"{len(item.approvals)} approvals" if item.approvals else "not approved"
        options.tell(
            {},
            output,
            f"{item.digest}",
            f"{title_text(said)}, {moment(said.from_us)} until {moment(said.until_us)}, {approved}",
            f"{said.ticket}: {said.reason}",
            *(accepted_text(one) for one in said.accepted),
        )
    if not found:
        click.echo("nothing is waived")


@click.command()
@options.target
@options.candidate
@options.bundle
@options.reason
@_ticket
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 365), help="How long it holds.")
@options.key
@options.spec
@options.output
def baseline(
    environment: str,
    candidate: str | None,
    bundle: str | None,
    reason: str,
    ticket: str,
    days: int,
    key: str | None,
    spec_path: str,
    output: str,
) -> None:
    """Record all figures that deny today, so that for a time only new or worse ones deny. It counts once approved."""
    from gates.flow.waivers import Words, record_baseline

    project = options.open_project(spec_path)
    words = Words(reason, ticket, days, key)
    _tell(record_baseline(project, environment, words, candidate=candidate, bundle=bundle), output)


def _tell(asked: Asked, output: str) -> None:
    from gates.render.names import visible
    from gates.render.numbers import moment
    from gates.render.waivers import accepted_text, title_text

    waiver = asked.waiver
    rest = sorted({f"{visible(result.check)} ({result.code})" for result in asked.others})
    options.tell(
        {
            "waiver_digest": asked.digest,
            "waiver": waiver.document(),
            "not_covered": [result.document() for result in asked.others],
        },
        output,
        f"{title_text(waiver)} in {waiver.environment}, until {moment(waiver.until_us)}",
        *(accepted_text(one) for one in waiver.accepted),
        *([f"denies besides and cannot be accepted: {', '.join(rest)}"] if rest else []),
        f"counts once somebody else runs: gates waive approve {asked.digest} --key FILE",
    )
