"""One HTML page for a decision: self-contained, readable without scripts, printed or on a phone.

Reads records and changes nothing. Every name in it was chosen by somebody else, so the template escapes all of them,
and the page forbids itself scripts and anything from outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gates.audit.site.strip import strip
from gates.decide.attachments import Reliability
from gates.records.base import Digest
from gates.records.decision import DecisionInput, Evaluation
from gates.records.measurement import Slice
from gates.render import words
from gates.render.names import slice_text, visible
from gates.render.numbers import count, figure, moment, short
from gates.render.pictures import Picture, pictures
from gates.render.pictures.reliability import bin_name, filled
from gates.render.row import UNENFORCED, Row
from gates.render.view import View

if TYPE_CHECKING:
    from jinja2 import Template

_MOST_SLICES = 200
"""Slices in the page's table; the most severe first."""

_MOST_ROWS = 500
"""Rows in one of its tables of results."""


@dataclass(frozen=True)
class Facts:
    """What the page tells besides the decision; whatever is absent is left out.

    Attributes
    ----------
    document: the decision's input. evaluation: how it was computed. envelope_digest: of the signed decision.
    attachments: the bundle's, by name. people: key id to the name that trust gives it.
    commands: how a reader checks this page by himself, one shell command a line.
    """

    document: DecisionInput | None = None
    evaluation: Evaluation | None = None
    envelope_digest: Digest | None = None
    attachments: Mapping[str, bytes] | None = None
    people: Mapping[str, str] | None = None
    commands: Sequence[str] = ()


def page(view: View, facts: Facts | None = None) -> str:
    """Write the page."""
    facts = facts or Facts()
    attachments = facts.attachments or {}
    drawn = {picture.name: picture for picture in pictures(view, attachments)}
    return template("decision.html.j2").render(
        view=view,
        facts=facts,
        request=view.decision.request,
        mood={"ALLOW": "good", "DENY": "bad"}.get(view.answer, "open"),
        todo=_todo(view),
        calibration=[drawn[name] for name in ("reliability", "gaps") if name in drawn],
        against=[drawn[name] for name in ("champion",) if name in drawn],
        covered=[drawn[name] for name in ("coverage", "levels", "quantiles") if name in drawn],
        comparisons=[row for row in view.rows if row.gate == "regression" and row.whole and row.measurement],
        coverage=[row for row in view.rows if row.check.endswith("_coverage") and row.whole and row.measurement],
        slices=_slices(view),
        evidence=facts.document.evidence if facts.document else (),
        approvals=_approvals(view, facts),
        ledger=facts.document.ledger if facts.document else None,
        bins=_bin_table(Reliability.read(attachments.get("reliability.json"))),
    )


@lru_cache(maxsize=2)
def template(name: str) -> Template:
    """Return a page's template, in which every name is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("gates.audit.site", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, count=count, figure=figure, moment=moment, short=short)
    environment.globals.update(
        strip=strip,
        verdict=words.verdict_text,
        estimate=words.estimate_text,
        interval=words.interval_text,
        limit=words.limit_text,
        where=words.where_text,
        tally=words.tally,
        drawn=_drawn,
        glyph=_glyph,
        name=_name,
        most_rows=_MOST_ROWS,
        mood_of=_mood,
        unbounded=words.UNBOUNDED,
    )
    return environment.get_template(name)


def _drawn(picture: Picture) -> str:
    from markupsafe import Markup

    return Markup(picture.svg())  # noqa: S704 (written by us; the names in it are escaped)


def _mood(row: Row) -> str:
    if row.denies:
        return "bad"
    return "good" if row.status == "pass" else "open"


def _glyph(row: Row) -> str:
    """A sign that needs no colour to be told from the others."""
    if row.status == "pass":
        return "✓"
    return {"fail": "✕", "error": "!", "missing": "!"}.get(row.status, "~" if row.status == "inconclusive" else "?")


def _name(row: Row) -> str:
    """The code where it says more than the verdict does; else the check."""
    return row.code if row.denies or row.result.disposition in ("accepted", "waived", *UNENFORCED) else row.check


def _todo(view: View) -> list[tuple[str, str]]:
    lines = [(code, remedy) for code, remedy in view.remedies]
    lines.extend((row.check, words.need_text(row.needs, row.slice, row.item)) for row in view.needs if row.needs)
    lines.extend((worst.place[0], words.worst_text(worst)) for worst in view.advice.worst)
    lines.extend((found.check, words.stand_out_text(found)) for found in view.advice.stand_out)
    lines.extend((cause.feature, cause.hint) for cause in view.advice.causes)
    lines.extend((chance.check, chance.hint) for chance in (view.advice.chance,) if chance)
    lines.extend((hint.check, hint.text) for hint in view.advice.hints)
    lines.extend([(words.WORSE, words.worse_text(view.advice.worse))] if view.advice.worse else [])
    return lines


@dataclass(frozen=True)
class _SliceTable:
    """Slices by checks; `cells` has a row or nothing for each check."""

    checks: tuple[tuple[str, str], ...]
    lines: tuple[tuple[str, Row, tuple[Row | None, ...]], ...]
    cut: int


def _slices(view: View) -> _SliceTable | None:
    by_slice: dict[Slice, dict[str, Row]] = {}
    titles: dict[str, str] = {}
    for row in view.rows:
        if not row.whole and row.measurement is not None:
            by_slice.setdefault(row.slice, {}).setdefault(row.check, row)
            titles.setdefault(row.check, row.title)
    if not by_slice:
        return None
    checks = tuple(sorted(titles))
    lines = []
    for where, cells in by_slice.items():
        first = next(iter(cells.values()))
        lines.append((slice_text(where), first, tuple(cells.get(check) for check in checks)))
    return _SliceTable(
        tuple((check, check.split(".", 1)[1].replace("_", " ")) for check in checks),
        tuple(lines[:_MOST_SLICES]),
        max(0, len(lines) - _MOST_SLICES),
    )


def _approvals(view: View, facts: Facts) -> list[dict[str, Any]]:
    """Each approval: role, who by trust, when, until when, words, and whether the decision counted it."""
    people = facts.people or {}
    return [
        {
            "role": item.statement.role,
            "who": ", ".join(people.get(key_id, f"key {key_id[:12]}") for key_id in item.key_ids),
            "when": item.statement.time_us,
            "until": item.statement.expires_us,
            "comment": item.statement.comment,
            "digest": item.digest,
            "counted": item.digest in view.decision.approvals,
        }
        for item in (facts.document.approvals if facts.document else ())
    ]


def _bin_table(reliability: Reliability | None) -> list[tuple[str, str, str, str, str]]:
    """The diagram's numbers as a table, for those who do not see it."""
    if reliability is None:
        return []
    parts = filled([*reliability.bins, *([reliability.decision] if reliability.decision else [])])
    return [
        (
            bin_name(part),
            count(part.n),
            figure(part.mean_p or 0.0),
            figure(part.mean_y or 0.0),
            f"[{figure(part.lower)}, {figure(part.upper)}]"
            if part.lower is not None and part.upper is not None
            else "",
        )
        for part in parts
    ]
