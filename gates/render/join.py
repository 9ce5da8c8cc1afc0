"""From a decision's records to its view: rows joined with their figures, limits, titles and remedies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gates.decide.advice import Advice, Place, place_of
from gates.decide.explain import Explanation, find
from gates.decide.limits import LimitOf, Rungs
from gates.records.decision import Decision, LedgerInput, RuleResult, WaiverInput
from gates.records.measurement import Measurement, Reason, Slice
from gates.records.plan import Requirement
from gates.render.row import UNENFORCED, Row
from gates.render.view import View
from gates.render.waivers import note_text, waiver_lines

REASONS: Mapping[Reason, str] = {
    Reason.EMPTY_TABLE: "the table has no rows",
    Reason.NAN_SCORES: "scores are NaN",
    Reason.NULL_LABELS: "labels are null",
    Reason.ONE_CLASS: "all labels are of one class",
    Reason.NO_ORDER: "its values have no order",
    Reason.ONE_GROUP: "all rows are of one group",
    Reason.ONE_ANNOTATION: "nothing is labelled by two people",
    Reason.FEW_CLUSTERS: "too few groups of rows",
    Reason.FEW_EVENTS: "too few events",
    Reason.FEW_LEVELS: "too few of the levels that policy wants",
    Reason.COLUMN_MISSING: "a column is missing",
    Reason.TABLE_MISSING: "a table is missing",
    Reason.TABLE_CHANGED: "a table is not as the training run saw it",
    Reason.KEYS_NOT_UNIQUE: "keys are not unique",
    Reason.ROWS_UNPAIRED: "rows do not pair",
    Reason.NO_REST: "every row is in a slice that is proven by its name",
    Reason.NO_DECISIONS: "no score reaches the operating threshold",
    Reason.NO_CHAMPION: "no champion to compare with",
    Reason.NO_SETS: "the model gives no prediction sets",
    Reason.NO_SPREAD: "nothing varies",
    Reason.NOT_PROVIDED: "not provided",
    Reason.SCORER_FAILED: "the model could not be run",
    Reason.EXTRA_MISSING: "what measures it is not installed",
    Reason.GATE_FAILED: "the gate could not measure",
}


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
                status="missing" if result.code in ("check.missing", "check.incomplete") else result.verdict,
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
