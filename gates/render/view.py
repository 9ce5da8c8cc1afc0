"""One view model of a decision for every output. It computes no verdict.

The answer stands first, then the rows that decided it, then the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from gates.bundle.canonical import digest_document
from gates.decide.advice import Advice
from gates.records.base import Digest
from gates.records.decision import Decision, Disposition, Risk
from gates.records.measurement import Param
from gates.render.names import place_text, visible
from gates.render.row import RANKS, UNENFORCED, UNREMARKABLE, Row

FEW_CLUSTERS = 20
"""Under so many, even Student's quantiles are rough (statistics.md, section 1)."""

SMALL_SLICE = 100

_NAMED = 3
_ASSUMED = Param(name="rows", value="assumed independent")


@dataclass(frozen=True)
class View:
    """A decision, ready to be shown.

    Attributes
    ----------
    rows: all results, the most severe first. deciding: those that made the answer what it is.
    counted: how often this holdout and this candidate were judged, where a ledger counts it.
    waivers: of each waiver and baseline what it covers, or why it does not count.
    """

    decision: Decision
    rows: tuple[Row, ...]
    deciding: tuple[Row, ...]
    advice: Advice = field(default_factory=Advice)
    counted: str | None = None
    waivers: tuple[str, ...] = ()

    @cached_property
    def decision_id(self) -> Digest:
        return digest_document(self.decision.document())

    @property
    def answer(self) -> str:
        """The answer in words: ALLOW, ALLOW (provisional), DENY, or what it would be where nothing is enforced yet."""
        if not self.decision.allow:
            return "DENY"
        if self.decision.basis == "unenforced":
            return "WOULD DENY (observed)" if self._held("observed") else "ALLOW (with warnings)"
        said = {"proven": [], "hotfix": ["hotfix"]}.get(self.decision.basis, ["provisional"])
        said += self.decision.bypasses
        return f"ALLOW ({', '.join(said)})" if said else "ALLOW"

    @property
    def why(self) -> str:
        """The reason for the answer; before it, in how many ways less is asked for than at the last decision here."""
        less = sum(row.narrowed for row in self.rows)
        said = f"Narrowed in {less} {'way' if less == 1 else 'ways'} since the last decision here. " if less else ""
        return said + self._why

    @property
    def _why(self) -> str:
        if not self.decision.allow:
            return _why_denied(self.deciding)
        if self.decision.basis == "unenforced":
            return _why_told(self._held("observed"), self._held("warned"), self.decision.request.environment)
        if self.decision.basis == "hotfix":
            incident, left = self.decision.request.incident, self._held("shortened")
            return f"A hotfix for {incident}: {left} {'rule is' if left == 1 else 'rules are'} left for later, for hours; nothing that counts is proven bad."
        if waived := sum(row.result.disposition == "waived" for row in self.rows):
            return f"{waived} of {len(self.rows)} results {_is(waived)} waived for a time; nothing else that counts is proven bad."
        if self.decision.basis != "proven":
            open_rows = sum(row.result.disposition == "accepted" for row in self.rows)
            return f"Nothing that counts is proven bad; {open_rows} of {len(self.rows)} results {_is(open_rows)} not proven good either."
        count = Counter(row.rank for row in self.rows)
        open_rows, noted = count[RANKS["inconclusive", "tolerated"]], count.total() - count[UNREMARKABLE]
        parts = [f"{count[UNREMARKABLE]} of {count.total()} results are good"]
        parts += [f"{open_rows} {_is(open_rows)} inconclusive, not proven bad"] if open_rows else []
        parts += [f"{noted - open_rows} noted"] if noted > open_rows else []
        return "; ".join(parts) + "."

    @property
    def conclusion(self) -> Literal["success", "neutral", "failure"]:
        """For a check run: what is only observed is neutral."""
        if not self.decision.allow:
            return "failure"
        return "neutral" if self._held("observed") else "success"

    def _held(self, disposition: Disposition) -> int:
        return sum(row.result.disposition == disposition for row in self.rows)

    @property
    def rest(self) -> tuple[Row, ...]:
        deciding = {id(row) for row in self.deciding}
        return tuple(row for row in self.rows if id(row) not in deciding)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What the figures rest on and a reader should know, in sentences."""
        figures = [row.measurement for row in self.rows if row.measurement and row.measurement.scope == "sample"]
        assumed = any(param == _ASSUMED for figure in figures for param in figure.params)
        supplied = any(figure.predictions == "supplied" for figure in figures)
        weights = {param.value for figure in figures for param in figure.params if param.name == "weight"}
        lines = [f"rows count as much as their column {name!r} says" for name in sorted(map(str, weights))]
        if assumed:
            lines.append("assumes independent rows: no cluster key is named, and independence is not declared")
        if supplied:
            lines.append(f"scores were supplied as a table, {self._vouched}")
        whole = [
            figure.clusters_in_effect or 0 for figure in figures if figure.clusters and figure.slice.kind == "whole"
        ]
        if whole and max(whole) < FEW_CLUSTERS:
            most = max(figure.clusters or 0 for figure in figures if figure.slice.kind == "whole")
            known = f"{most} clusters" + (f" of unequal size, worth {max(whole)}" if most > max(whole) else "")
            lines.append(f"{known}: under {FEW_CLUSTERS}, intervals are rough")
        slices = {str(figure.slice): figure for figure in figures if figure.slice.kind == "value"}
        small = {name: figure.n for name, figure in slices.items() if figure.n < SMALL_SLICE}
        counted = {name: figure.clusters_in_effect for name, figure in slices.items() if name not in small}
        rough = {name: clusters for name, clusters in counted.items() if clusters}
        few = {name: n for name, n in rough.items() if n < FEW_CLUSTERS <= max(whole, default=0)}
        if small:
            lines.append(f"slices of under {SMALL_SLICE} rows prove little: {_named(small)}")
        if few:
            lines.append(f"slices of under {FEW_CLUSTERS} clusters have rough intervals: {_named(few)}")
        lines.extend([self.counted] if self.counted else [])
        lines.extend([risk_text(self.decision.risk)] if self.decision.risk else [])
        return tuple(lines)

    @property
    def _vouched(self) -> str:
        """What ties supplied scores to the registered model, if anything does."""
        again = [row.measurement for row in self.rows if row.check == "package.mismatch" and row.measurement]
        rows = min((figure.n for figure in again if figure.status == "measured"), default=0)
        if not rows:
            return "not computed from a registered model"
        return f"and {rows:,} of their rows scored again by the registered model ({again[0].check})"

    @property
    def remedies(self) -> tuple[tuple[str, str], ...]:
        """(code, remedy) of the rows that deny, are open or are bad, each remedy once, the most severe first."""
        found: dict[str, str] = {}
        for row in self.rows:
            bad = (row.result.verdict, row.result.disposition) == ("fail", "tolerated")
            if row.remedy and (row.denies or bad or row.result.disposition in ("accepted", *UNENFORCED)):
                found.setdefault(row.remedy, row.code)
        return tuple((code, remedy) for remedy, code in found.items())

    @property
    def needs(self) -> tuple[Row, ...]:
        """Of each check that is open and matters, the row that needs the most rows to settle."""
        most: dict[str, Row] = {}
        for row in self.rows:
            if row.needs is None or row.result.disposition not in ("denies", "accepted", *UNENFORCED):
                continue
            known = most.get(row.check)
            if known is None or known.needs is None or row.needs.low > known.needs.low:
                most[row.check] = row
        return tuple(most.values())


def risk_text(risk: Risk) -> str:
    """The points of a decision's risk, the most first."""
    parts = sorted(risk.parts, key=lambda part: (-part.points, part.part))
    return f"risk {risk.points} points: {', '.join(f'{part.part} {part.points} ({part.what})' for part in parts)}"


def _why_told(observed: int, warned: int, environment: str) -> str:
    told = [f"{observed} only observed"] if observed else []
    told += [f"{warned} warned of"] if warned else []
    number = observed + warned
    return f"{number} {'result' if number == 1 else 'results'} would deny: {environment} has {' and '.join(told)}, and enforces the rest."


def _why_denied(deciding: Sequence[Row]) -> str:
    if not deciding:
        return "Nothing was required, and nothing required is never good."
    first = deciding[0]
    what = {
        "fail": ": proven to be outside its limit" if first.limit else _told(first),
        "error": f": {first.note}" if first.note else "",
        "missing": ": required, and not measured",
        "inconclusive": ": not proven, and this environment accepts proof only",
        "pass": "",
    }[first.status]
    more = len(deciding) - 1
    others = f" {more} more {'reason' if more == 1 else 'reasons'}." if more else ""
    place = place_text(first.slice, first.item)
    return f"{first.title}{place and ', ' + place}{what} ({first.code}).{others}"


def _told(row: Row) -> str:
    return f": {row.note}" if row.note and row.note != row.title.lower() else ""


def _named(numbers: Mapping[str, int]) -> str:
    """Slices with their numbers, the smallest first, a few by name."""
    ascending = sorted(numbers.items(), key=lambda item: (item[1], item[0]))
    named = ", ".join(f"{visible(name)} ({number})" for name, number in ascending[:_NAMED])
    return f"{named} and {len(ascending) - _NAMED} more" if len(ascending) > _NAMED else named


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
