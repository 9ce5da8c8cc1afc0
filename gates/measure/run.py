"""Runs the gates one after another. A gate that fails yields an unmeasured with a reason, and the others go on."""

from __future__ import annotations

import importlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gates.errors import GatesError, UsageError, without_values
from gates.measure.interface import Findings, Gate, Given, Note
from gates.records import Family, Item, Measurement, Plan, Reason
from gates.records.measurement import Subject

_GATES = {
    "data": ("gates.measure.data", "DataGate"),
    "parity": ("gates.measure.parity", "ParityGate"),
    "drift": ("gates.measure.drift", "DriftGate"),
    "backfill": ("gates.measure.backfill", "BackfillGate"),
    "calibration": ("gates.measure.calibration", "CalibrationGate"),
    "regression": ("gates.measure.regression", "RegressionGate"),
    "package": ("gates.measure.package", "PackageGate"),
    "fairness": ("gates.measure.fairness", "FairnessGate"),
    "own": ("gates.measure.own", "OwnGate"),
}
FAILURE_NOTE = "-failure.txt"
"""Ends the name of the attachment that says why a gate failed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GateRun:
    """What a gate found, and when it ran."""

    gate: str
    findings: Findings
    started_us: int
    finished_us: int


def planned_gates(plan: Plan) -> tuple[str, ...]:
    """Gates that the plan's requirements name, in the order in which they run; `own` where a function is registered."""
    wanted = {requirement.check.partition(".")[0] for requirement in plan.requirements}
    if "own" in wanted:
        from gates.measure.own import registered

        wanted = wanted if registered(plan) else wanted - {"own"}
    return tuple(name for name in _GATES if name in wanted)


def run_gates(given: Given, progress: Callable[[str], None]) -> Iterator[GateRun]:
    """Run every planned gate.

    Raises
    ------
    UsageError: the caller's mistake (an unknown column, a score outside [0, 1]); all other failures of a gate are
    reported as unmeasured.
    """
    for name in planned_gates(given.plan):
        progress(name)
        started = _now_us()
        module, attribute = _GATES[name]
        gate: Gate = getattr(importlib.import_module(module), attribute)()
        try:
            findings = gate.measure(given)
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a gate trips over, the bundle says so and the others go on
            findings = _failed(given.plan, name, error)
        yield GateRun(name, counted(findings), started, _now_us())


def counted(findings: Findings) -> Findings:
    """Return the findings, of which each figure that is of one of several parts, or beside them, says how many there are.

    So one that is left out later is missed. A figure of all, beside those of parts, is a part by itself.
    """
    parts: defaultdict[tuple[object, ...], set[Item | None]] = defaultdict(set)
    for one in findings.measurements:
        parts[one.check, one.subject, one.slice].add(one.item)

    def said(one: Measurement) -> Measurement:
        found = parts[one.check, one.subject, one.slice]
        return one if found == {None} else one.model_copy(update={"items": len(found)})

    return replace(findings, measurements=tuple(map(said, findings.measurements)))


def _failed(plan: Plan, gate: str, error: Exception) -> Findings:
    _log.debug("gate %s failed", gate, exc_info=error)
    message = str(error) if isinstance(error, GatesError) else f"{type(error).__name__}: {without_values(str(error))}"
    checks = sorted({r.check for r in plan.requirements if r.check.partition(".")[0] == gate})
    return Findings(
        measurements=tuple(
            Measurement(
                check=check,
                subject=_subject(gate, check),
                status="unmeasured",
                reason=Reason.GATE_FAILED,
                family=Family(name=check, size=1),
                method="none",
            )
            for check in checks
        ),
        notes=(Note(name=f"{gate}{FAILURE_NOTE}", media_type="text/plain", content=message.encode()),),
    )


def _subject(gate: str, check: str) -> Subject:
    if gate in ("data", "parity", "drift", "backfill"):
        return "data"
    return "pair" if "_vs_" in check else "candidate"


def _now_us() -> int:
    return time.time_ns() // 1000
