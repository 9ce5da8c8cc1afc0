"""One HTML page for a decision on an action, or on other policies: what was asked, what held, and how to check it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gates.audit.site.page import template
from gates.bundle.acts import OpenedAction, OpenedChange
from gates.decide.explain import Explanation, find
from gates.records.action import ActionDecision, ActionInput
from gates.records.base import Digest
from gates.records.change import ChangeDecision, ChangeInput
from gates.render.numbers import count, moment


def action_page(
    opened: OpenedAction | OpenedChange, *, texts: Mapping[str, Explanation], commands: Sequence[str]
) -> str:
    """Write the page.

    Parameters
    ----------
    texts: of the codes. commands: how a reader checks this page by himself.
    """
    decision, document = opened.decision, opened.document
    facts = _of_action(document) if isinstance(document, ActionInput) else _of_change(document)
    return template("action.html.j2").render(
        allow=decision.allow,
        answer="Allowed" if decision.allow else "Denied",
        what=_what(decision),
        environment=decision.request.environment,
        facts=[*_asked(decision), *facts],
        rows=[_row(result.code, result.disposition == "satisfied", texts) for result in decision.results],
        commands=commands,
        digests=list(_digests(opened)),
    )


def _what(decision: ActionDecision | ChangeDecision) -> str:
    if isinstance(decision, ChangeDecision):
        return "other policies in force"
    request = decision.request
    word = f"{request.demand}, demanded by a monitor," if request.demand else request.action
    return f"{word} of {request.version.uri}"


def _asked(decision: ActionDecision | ChangeDecision) -> Iterator[tuple[str, str]]:
    request = decision.request
    yield "Asked by", f"{request.actor}, {moment(request.effective_time_us)}"
    yield "Reason", request.reason or "none"
    yield "Ledger", f"entry {decision.ledger.sequence}"
    if isinstance(decision, ActionDecision) and decision.request.incident:
        yield "Incident", decision.request.incident


def _of_action(document: ActionInput) -> Iterator[tuple[str, str]]:
    request, present, alarm = document.request, document.present, document.alarm
    if request.release:
        yield "Release", request.release
    if present is not None and request.percent is not None:
        yield "Traffic", f"{present.percent} % since {moment(present.since_us)}, then {request.percent} %"
    if document.rollout is not None:
        steps = ", ".join(f"{step} %" for step in document.rollout.steps)
        yield "Rollout", f"{steps}; decision {document.rollout.decision_id[7:19]}"
    if alarm is not None:
        unit = f" {alarm.unit}" if alarm.unit else ""
        seen = f"{alarm.check} {alarm.value:g}{unit} in {count(alarm.rows)} rows"
        yield "Seen", f"{seen}, {moment(alarm.from_us)} to {moment(alarm.until_us)}, by {alarm.monitor}"
    if document.traffic is not None:
        seen = f"{count(document.traffic.requests)} requests from {moment(document.traffic.from_us)}"
        yield "Requests", f"{seen} to {moment(document.traffic.until_us)}"
    yield "Approvals", f"{len(document.approvals)} given" if document.approvals else "none"


def _of_change(document: ChangeInput) -> Iterator[tuple[str, str]]:
    change, tried = document.change, document.simulation
    yield "Policies", change.policy_digest
    yield "Trust data", change.trust_digest
    yield "Loosened", ", ".join(change.named) or "nothing"
    said = f"not tried: {document.unsimulated}"
    if tried is not None:
        said = f"{count(tried.decisions)} past decisions; {count(tried.to_deny)} more denied, {count(tried.to_allow)} more allowed"
    yield "Simulation", said
    yield "Approvals", f"{len(document.approvals)} given" if document.approvals else "none"


def _row(code: str, holds: bool, texts: Mapping[str, Explanation]) -> dict[str, object]:
    text = find(code, texts)
    return {
        "code": code,
        "holds": holds,
        "title": text.title if text else code,
        "description": text.description if text else "",
        "remedy": (text.remedy or "") if text else "",
    }


def _digests(opened: OpenedAction | OpenedChange) -> Iterator[tuple[str, Digest]]:
    decision = opened.decision
    yield "Decision", opened.decision_id
    yield "Signed as", opened.envelope_digest
    yield "Input", decision.input_digest
    yield "Policies", decision.policy_digest
    yield "Trust data", decision.trust_digest
