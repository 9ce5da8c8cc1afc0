"""One view model of a decision for every output: rows with their figures, limits, titles and remedies joined.

Reads records, computes no verdict. The answer stands first, then the rows that decided it, then the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from gates.bundle.canonical import digest_document
from gates.decide.advice import Advice, Place, place_of
from gates.decide.explain import Explanation, find
from gates.decide.limits import Limit, LimitOf, Rungs
from gates.decide.rows_needed import Need
from gates.records.base import Digest
from gates.records.decision import Decision, Disposition, LedgerInput, Risk, RuleResult, Verdict, WaiverInput
from gates.records.measurement import Bound, Item, Measurement, Param, Reason, Slice
from gates.records.plan import Requirement
from gates.render.names import place_text, visible
from gates.render.waivers import note_text, waiver_lines

Status = Verdict | Literal["missing"]

REASONS: Mapping[Reason, str] = {
    Reason.EMPTY_TABLE: "the table has no rows",
    Reason.NAN_SCORES: "scores are NaN",
    Reason.NULL_LABELS: "labels are null",
    Reason.ONE_CLASS: "all labels are of one class",
    Reason.ONE_GROUP: "all rows are of one group",
    Reason.FEW_CLUSTERS: "too few groups of rows",
    Reason.FEW_EVENTS: "too few events",
    Reason.COLUMN_MISSING: "a column is missing",
    Reason.TABLE_MISSING: "a table is missing",
    Reason.KEYS_NOT_UNIQUE: "keys are not unique",
    Reason.ROWS_UNPAIRED: "rows do not pair",
    Reason.NO_REST: "every row is in a slice that is proven by its name",
    Reason.NO_CHAMPION: "no champion to compare with",
    Reason.NO_SETS: "the model gives no prediction sets",
    Reason.NOT_PROVIDED: "not provided",
    Reason.SCORER_FAILED: "the model could not be run",
    Reason.GATE_FAILED: "the gate could not measure",
}

UNENFORCED: tuple[Disposition, ...] = ("warned", "observed")
"""What would deny, and is only told."""

_ORDER: tuple[tuple[Status, Disposition], ...] = (
    ("fail", "denies"),
    ("error", "denies"),
    ("missing", "denies"),
    ("inconclusive", "denies"),
    ("pass", "denies"),
    *((status, disposition) for disposition in UNENFORCED for status in ("fail", "error", "missing", "inconclusive")),
    ("fail", "waived"),
    ("error", "waived"),
    ("inconclusive", "waived"),
    ("inconclusive", "accepted"),
    ("fail", "tolerated"),
    ("error", "tolerated"),
    ("inconclusive", "tolerated"),
)
_RANKS = {kind: rank for rank, kind in enumerate(_ORDER)}
_UNREMARKABLE = len(_ORDER)


FEW_CLUSTERS = 20
"""Under so many, even Student's quantiles are rough (statistics.md, section 1)."""

SMALL_SLICE = 100

_NAMED = 3
_ASSUMED = Param(name="rows", value="assumed independent")


@dataclass(frozen=True)
class Row:
    """One rule's result with all that a reader needs beside it.

    Attributes
    ----------
    title: of the check. note: why there is no verdict by figures, in words; absent where there is one.
    bound: the interval at the rung that the verdict was read from. needs: what would settle an undecided row.
    """

    result: RuleResult
    status: Status
    title: str
    note: str | None = None
    remedy: str | None = None
    measurement: Measurement | None = None
    bound: Bound | None = None
    limit: Limit | None = None
    needs: Need | None = None

    @property
    def check(self) -> str:
        return self.result.check

    @property
    def code(self) -> str:
        return self.result.code

    @property
    def slice(self) -> Slice:
        return self.result.slice or Slice()

    @property
    def item(self) -> Item | None:
        return self.result.item

    @property
    def denies(self) -> bool:
        return self.result.disposition == "denies"

    @property
    def gate(self) -> str:
        return self.check.split(".", 1)[0]

    @property
    def whole(self) -> bool:
        return self.slice.kind == "whole"

    @property
    def proof(self) -> bool:
        """Whether it is a pass of a claim that reaches beyond the rows read."""
        return self.status == "pass" and self.measurement is not None and self.measurement.scope == "sample"

    @property
    def narrowed(self) -> bool:
        """Whether less is asked for than at the last decision here."""
        return self.code.startswith("narrowed.")

    @property
    def rank(self) -> int:
        return _RANKS.get((self.status, self.result.disposition), _UNREMARKABLE)

    @cached_property
    def strain(self) -> float:
        """How far the interval reaches beyond the limit, in units of the limit: the larger, the worse."""
        if self.limit is None or self.bound is None:
            return float("-inf")
        reach = self.limit.best(self.bound) if self.status == "fail" else self.limit.worst(self.bound)
        span = self.limit.ceiling - self.limit.value if self.limit.ceiling is not None else self.limit.value
        return self.limit.excess(reach) / (abs(span) or 1.0)


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
        said = ["provisional"] if self.decision.basis != "proven" else []
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
        if waived := sum(row.result.disposition == "waived" for row in self.rows):
            return f"{waived} of {len(self.rows)} results {_is(waived)} waived for a time; nothing else that counts is proven bad."
        if self.decision.basis != "proven":
            open_rows = sum(row.result.disposition == "accepted" for row in self.rows)
            return f"Nothing that counts is proven bad; {open_rows} of {len(self.rows)} results {_is(open_rows)} not proven good either."
        count = Counter(row.rank for row in self.rows)
        open_rows, noted = count[_RANKS["inconclusive", "tolerated"]], count.total() - count[_UNREMARKABLE]
        parts = [f"{count[_UNREMARKABLE]} of {count.total()} results are good"]
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
        lines = []
        if assumed:
            lines.append("assumes independent rows: no cluster key is named, and independence is not declared")
        if supplied:
            lines.append("scores were supplied as a table, not computed from a registered model")
        whole = [figure.clusters for figure in figures if figure.clusters and figure.slice.kind == "whole"]
        if whole and max(whole) < FEW_CLUSTERS:
            lines.append(f"{max(whole)} clusters: under {FEW_CLUSTERS}, intervals are rough")
        slices = {str(figure.slice): figure for figure in figures if figure.slice.kind == "value"}
        small = {name: figure.n for name, figure in slices.items() if figure.n < SMALL_SLICE}
        rough = {name: figure.clusters for name, figure in slices.items() if figure.clusters and name not in small}
        few = {name: n for name, n in rough.items() if n < FEW_CLUSTERS <= max(whole, default=0)}
        if small:
            lines.append(f"slices of under {SMALL_SLICE} rows prove little: {_named(small)}")
        if few:
            lines.append(f"slices of under {FEW_CLUSTERS} clusters have rough intervals: {_named(few)}")
        lines.extend([self.counted] if self.counted else [])
        lines.extend([risk_text(self.decision.risk)] if self.decision.risk else [])
        return tuple(lines)

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


def build_view(
    decision: Decision,
    measurements: Iterable[Measurement],
    *,
    limit_of: LimitOf,
    annotations: Mapping[str, Explanation],
    ledger: LedgerInput | None = None,
    advice: Advice | None = None,
    rungs: Rungs | None = None,
    waivers: Sequence[WaiverInput] = (),
) -> View:
    """Join a decision's results with figures, limits, texts and advice.

    Parameters
    ----------
    measurements: all of the bundle's. limit_of: the limit of a result, from policy data.
    annotations: code -> title, description, remedy. ledger: which look at the holdout the decision was.
    waivers: those that the decision saw.
    """
    advice = advice or Advice()
    look = ledger.looks if ledger else 1
    figures = _by_place(measurements)
    needs = {settle.place: settle.need for settle in advice.settle}
    covered = {item.digest: note_text(item.statement) for item in waivers}
    rows = []
    for result in decision.results:
        place = place_of(result.check, result.slice, result.item)
        measurement = _measurement(figures.get(place, ()), result)
        bound = (rungs or Rungs()).judged(measurement, result.verdict, look) if measurement is not None else None
        rows.append(
            Row(
                result=result,
                status="missing" if result.code == "check.missing" else result.verdict,
                title=_title(result, annotations),
                note=(result.disposition == "waived" and covered.get(result.waiver or ""))
                or _note(result, measurement, annotations),
                remedy=_remedy(result, annotations),
                measurement=measurement,
                bound=bound,
                limit=limit_of(result),
                needs=needs.get(place) if result.verdict == "inconclusive" else None,
            )
        )
    rows.extend(_missing(decision, rows, annotations))
    # What is asked less for than at the last decision stands first: it is why the rest may look better than it is.
    rows.sort(
        key=lambda row: (
            not row.narrowed,
            row.rank,
            not row.whole,
            -row.strain,
            row.check,
            str(row.slice),
            str(row.item),
        )
    )
    return View(
        decision=decision,
        rows=tuple(rows),
        deciding=_deciding(decision, rows),
        advice=advice,
        counted=_counted(ledger) if ledger else None,
        waivers=waiver_lines(decision, waivers, annotations),
    )


def risk_text(risk: Risk) -> str:
    """The points of a decision's risk, the most first."""
    parts = sorted(risk.parts, key=lambda part: (-part.points, part.part))
    return f"risk {risk.points} points: {', '.join(f'{part.part} {part.points} ({part.what})' for part in parts)}"


def _counted(ledger: LedgerInput) -> str:
    """Looks count whether or not the bundle is entered yet; the others from its entry on."""
    tried = f"attempt {ledger.attempts} of this candidate" if ledger.attempts else "no attempt of this candidate yet"
    judged = ledger.candidates_judged
    return f"look {ledger.looks} at this holdout, {tried}, {judged} {'candidate' if judged == 1 else 'candidates'} judged by it"


def _by_place(measurements: Iterable[Measurement]) -> dict[Place, list[Measurement]]:
    figures: dict[Place, list[Measurement]] = {}
    for measurement in measurements:
        figures.setdefault(place_of(measurement.check, measurement.slice, measurement.item), []).append(measurement)
    return figures


def _measurement(found: Sequence[Measurement], result: RuleResult) -> Measurement | None:
    same = [m for m in found if result.subject is None or m.subject == result.subject]
    return same[0] if same else None


def _title(result: RuleResult, annotations: Mapping[str, Explanation]) -> str:
    for code in (result.check, result.code):
        if code in annotations:
            return annotations[code].title
    return result.check


def _note(result: RuleResult, measurement: Measurement | None, annotations: Mapping[str, Explanation]) -> str | None:
    if measurement is not None and measurement.reason is not None:
        return REASONS[measurement.reason]
    if result.code.startswith(result.check) or result.code not in annotations:
        return None
    return annotations[result.code].title.lower()


def _remedy(result: RuleResult, annotations: Mapping[str, Explanation]) -> str | None:
    for code in (result.code, result.check):
        found = find(code, annotations)
        if found is not None and found.remedy:
            return found.remedy
    return None


def _missing(decision: Decision, rows: Sequence[Row], annotations: Mapping[str, Explanation]) -> list[Row]:
    told = {(row.check, row.slice) for row in rows if row.status == "missing"}
    told_checks = {check for check, _ in told}
    return [
        _missing_row(requirement, annotations)
        for requirement in decision.missing
        if (requirement.check, requirement.slice or Slice()) not in told
        and not (requirement.each and requirement.check in told_checks)
    ]


def _missing_row(requirement: Requirement, annotations: Mapping[str, Explanation]) -> Row:
    result = RuleResult(
        check=requirement.check,
        slice=requirement.slice,
        rule="required",
        verdict="error",
        disposition="denies",
        code="check.missing",
    )
    return Row(
        result,
        "missing",
        _title(result, annotations),
        _note(result, None, annotations),
        _remedy(result, annotations),
    )


def _deciding(decision: Decision, rows: Sequence[Row]) -> tuple[Row, ...]:
    """What denies; else what would; else what is accepted or waived; else the tightest proof of each check that has an interval."""
    if not decision.allow:
        return tuple(row for row in rows if row.denies)
    told = tuple(row for row in rows if row.result.disposition in UNENFORCED)
    if told:
        return told
    undecided = tuple(row for row in rows if row.result.disposition in ("accepted", "waived"))
    narrowed = tuple(row for row in rows if row.narrowed)
    if undecided or narrowed:
        return (*narrowed, *undecided)
    tightest: dict[str, Row] = {}
    for row in sorted((row for row in rows if row.proof), key=lambda row: (not row.whole, -row.strain)):
        tightest.setdefault(row.check, row)
    return tuple(sorted(tightest.values(), key=lambda row: -row.strain))


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
