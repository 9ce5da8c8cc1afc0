"""The own gate: functions of the user's own, found by entry point, for the checks that the plan requires.

A distribution that is installed beside this one registers a function in the group `gates.measurements`:

    [project.entry-points."gates.measurements"]
    waiting_time = "acme.measures:waiting_time"

It gets what every gate gets (`Given`: the plan, the tables by role, the scored rows), only to read, and returns a Result,
or a Reason where there is nothing to measure.
Its figure is `own.waiting_time` of the candidate on all rows. It runs in the measuring process, so it is as trusted as this
package; the model's own code never comes near it. A check that no function measures can be recorded by `gates record`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import ClassVar

from gates.errors import without_values
from gates.measure.claims import NOTHING, Claim, family
from gates.measure.interface import Findings, Given, Note
from gates.measure.own.results import Bare, Result, Successes, Sums, Unusable, Values
from gates.measure.stats.figure import Figure
from gates.measure.sums import Where
from gates.records import WHOLE, Measurement, Param, Plan, Reason
from gates.records.base import Scalar
from gates.records.measurement import Subject

GROUP = "gates.measurements"
MEANS = ("student", "asymptotic_confidence_sequence")
"""Methods of means, of which policy wants to know whether a range was declared."""
Function = Callable[[Given], Result | Reason]

_log = logging.getLogger(__name__)


def registered(plan: Plan) -> dict[str, tuple[EntryPoint, ...]]:
    """Return the functions for the own checks that a plan requires, by the name of the check; none is left out."""
    wanted = sorted({r.check.partition(".")[2] for r in plan.requirements if r.check.startswith("own.")})
    known = entry_points(group=GROUP)  # once: it opens a file of each distribution that is installed
    found = {name: tuple(known.select(name=name)) for name in wanted}
    return {name: points for name, points in found.items() if points}


class OwnGate:
    """Reads whatever the functions read."""

    name: ClassVar[str] = "own"

    def measure(self, given: Given) -> Findings:
        """Return a figure of each registered function; one that fails is unmeasured, with a note that says why."""
        measurements, notes = [], []
        for name, points in registered(given.plan).items():
            try:
                measurements.append(_run(name, points, given))
            except Exception as error:  # noqa: BLE001 - whatever a function trips over, the others go on
                _log.debug("own.%s failed", name, exc_info=error)
                measurements.append(own_measurement(name, Reason.GATE_FAILED))
                said = f"{type(error).__name__}: {without_values(str(error))}"
                notes.append(Note(f"own.{name}-failure.txt", "text/plain", said.encode()))
        return Findings(tuple(measurements), tuple(notes))


def _run(name: str, points: Iterable[EntryPoint], given: Given) -> Measurement:
    function, *others = points
    if others:
        raise Unusable(f"{1 + len(others)} functions are registered under this name")
    measure: Function = function.load()
    result = measure(given)
    if isinstance(result, Reason):
        return own_measurement(name, result)
    if not isinstance(result, Successes | Sums | Values | Bare):
        raise Unusable(f"returned {type(result).__name__}, and not Successes, Sums, Values or Bare")
    parameters = given.plan.parameters
    return own_measurement(
        name, result, minimum_clusters=parameters.minimum_clusters, source=f"function {function.value}"
    )


def own_measurement(
    name: str,
    result: Result | Reason,
    *,
    minimum_clusters: int = 8,
    subject: Subject = "candidate",
    unit: str = "own",
    **named: Scalar,
) -> Measurement:
    """Return the measurement `own.<name>`.

    Parameters
    ----------
    named: parameters of the figure. Two figures of one check with the same parameters contradict each other.

    Raises
    ------
    Unusable: the result is no measurement.
    """
    figure = result if isinstance(result, Reason) else result.figure(minimum_clusters)
    method = "none" if isinstance(result, Reason) else result.method
    shown = {**named, **({} if isinstance(result, Reason) else _assumed(result))}
    claim = Claim(
        f"own.{name}",
        subject,
        family(f"own.{name}", 1),
        method,
        tuple(Param(name=key, value=value) for key, value in shown.items()),
        unit=unit,
    )
    where = Where(WHOLE, 1_000_000, figure.n, figure.clusters) if isinstance(figure, Figure) else NOTHING
    return claim.measured(figure, where)


def _assumed(result: Result) -> dict[str, Scalar]:
    if isinstance(result, Bare):
        return {}
    rows = "clustered" if isinstance(result, Values) and result.clusters is not None else "assumed independent"
    shown: dict[str, Scalar] = {"rows": rows}
    if not isinstance(result, Successes) and result.method in MEANS:
        shown["range"] = "none" if result.range is None else "declared"
    if not isinstance(result, Values) and result.planned is not None:
        shown["planned"] = int(result.planned)
    return shown
