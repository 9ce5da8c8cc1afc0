"""A decision as GitHub Markdown for step summaries and comments: ranked by severity, cut to a length, injection-proof.

Names that others chose (models, slices, features) stand in code spans: nothing in them becomes a link, a mention, HTML
or a table cell. Sources: GitHub Flavored Markdown 0.29, sections 4.10 (tables) and 6.3 (code spans).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gates.render.names import visible
from gates.render.numbers import moment
from gates.render.row import Row
from gates.render.view import View
from gates.render.words import (
    UNBOUNDED,
    WORSE,
    estimate_text,
    interval_text,
    limit_text,
    need_text,
    stand_out_text,
    tally,
    unbounded,
    verdict_text,
    where_text,
    worse_text,
    worst_text,
)

COMMENT_LIMIT = 65_536
"""Characters that a GitHub comment holds; bytes are counted here, which are never fewer."""

SUMMARY_LIMIT = 1_024 * 1_024
"""Bytes that a step summary holds; a larger one is dropped whole."""

_HEAD = "| verdict | check | where | estimate | interval | limit |\n|---|---|---|--:|---|---|"

_FRAME = 1_500
"""Bytes kept for headings, counts and the fold around the rows."""

_MARKUP = re.compile(r"[\\`*_\[\]<>#|~@&$]")


def code(name: str) -> str:
    """A foreign name as a code span that is safe in a table cell too."""
    text = visible(name).replace("|", "\\x7c")
    fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    padding = " " if not text or text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{padding}{text or ' '}{padding}{fence}"


def prose(text: str) -> str:
    """The policies' own words, with every character that could be markup written as an entity."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", visible(text, longest=1_000))


def markdown(view: View, *, limit: int = COMMENT_LIMIT, marker: str | None = None) -> str:
    """Write a decision as Markdown of at most `limit` bytes in UTF-8.

    Parameters
    ----------
    marker: a word put into a hidden comment, by which a sticky comment is found again.
    """
    head, tail = _head(view, marker), _tail(view)
    room = limit - len("\n\n".join([*head, *tail]).encode()) - _FRAME
    deciding = _fitting(view.deciding, room)
    rest = _fitting(view.rest, room - len(_table(deciding).encode())) if len(deciding) == len(view.deciding) else ()
    cut = view.deciding[len(deciding) :] + view.rest[len(rest) :]
    parts = [*head]
    if deciding:
        parts.append(_table(deciding))
    if rest:
        parts.append(
            f"<details><summary>{len(rest)} more: {prose(tally(rest))}</summary>\n\n{_table(rest)}\n\n</details>"
        )
    if cut:
        parts.append(f"{len(cut)} more are cut here: {prose(tally(cut))}. The decision's page has all.")
    if any(unbounded(row) for row in (*deciding, *rest)):
        parts.append(prose(UNBOUNDED))
    return "\n\n".join([*parts, *tail]) + "\n"


def _table(rows: Sequence[Row]) -> str:
    return "\n".join([_HEAD, *(_line(row) for row in rows)])


def _head(view: View, marker: str | None) -> list[str]:
    request = view.decision.request
    mark = {"ALLOW": "✅", "DENY": "❌"}.get(view.answer, "⚠️")
    lines = [f"<!-- {re.sub('[^A-Za-z0-9_:.]', '', marker)} -->"] if marker else []
    candidate = code(f"{request.candidate.name} {request.candidate.version}")
    lines.append(f"## {mark} {view.answer}: {candidate} → {code(request.environment)}")
    if view.decision.simulated:
        lines.append("**Simulated**: not sealed, cannot be applied.")
    return [*lines, prose(view.why)]


def _line(row: Row) -> str:
    where = where_text(row)
    cells = [
        f"**{verdict_text(row)}**" if row.denies else verdict_text(row),
        code(row.check) if row.code.startswith(row.check) else f"{code(row.check)} {code(row.code)}",
        code(where) if where else "",
        estimate_text(row),
        interval_text(row) or prose(row.note or ""),
        limit_text(row.limit).replace("<", "&lt;").replace(">", "&gt;"),
    ]
    return f"| {' | '.join(cells)} |"


def _fitting(rows: Sequence[Row], room: int) -> tuple[Row, ...]:
    """The most severe rows that fit into so many bytes."""
    kept: list[Row] = []
    for row in rows:
        room -= len(_line(row).encode()) + 1
        if room < 0:
            break
        kept.append(row)
    return tuple(kept)


_ADVICE = 10


def _tail(view: View) -> list[str]:
    lines = [f"- {code(name)}: {prose(remedy)}" for name, remedy in view.remedies]
    lines.extend(
        f"- {code(row.check)}: {prose(need_text(row.needs, row.slice, row.item))}" for row in view.needs if row.needs
    )
    lines.extend(f"- {code(worst.place[0])}: {prose(worst_text(worst))}" for worst in view.advice.worst)
    lines.extend(f"- {code(found.check)}: {prose(stand_out_text(found))}" for found in view.advice.stand_out)
    lines.extend(f"- {code(hint.check)}: {prose(hint.text)}" for hint in view.advice.hints)
    lines.extend(f"- {code(cause.feature)}: {prose(cause.hint)}" for cause in view.advice.causes)
    lines.extend(f"- {code(chance.check)}: {prose(chance.hint)}" for chance in (view.advice.chance,) if chance)
    decision = view.decision
    until = f"Valid until {moment(decision.valid_until_us)}. " if decision.allow else ""
    ids = f"{until}Decision {code(view.decision_id)}, policy {code(decision.policy_digest)}."
    rests_on = [f"Note: {prose('; '.join(view.cautions))}."] if view.cautions else []
    # No advice but a fact that is told in full, however long the advice.
    worse = [f"{WORSE.capitalize()} {prose(worse_text(view.advice.worse))}."] if view.advice.worse else []
    waived = ["\n".join(f"- {prose(line)}" for line in view.waivers)] if view.waivers else []
    return [*(["\n".join(lines[:_ADVICE])] if lines else []), *waived, *worse, *rests_on, ids]
