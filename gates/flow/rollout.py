"""APPLY between two promotions: the next step of a rollout, and what a monitor demands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gates.bundle.canonical import parse_json
from gates.errors import EvidenceError, UsageError
from gates.flow.judge import judge_of
from gates.flow.move import recorded, surfaces_of
from gates.project import Project, now_us
from gates.records.action import Alarm, Demand
from gates.records.base import Environment

if TYPE_CHECKING:
    from gates.apply.monitor import Acted
    from gates.apply.saga import Applied


def step(project: Project, environment: Environment, *, percent: int | None, reason: str, key: str | None) -> Applied:
    """Take the next step of the rollout that is under way.

    Raises
    ------
    Refused: no rollout, no authority, or the policies deny. EvidenceError: bytes or signatures that changed.
    """
    from gates.apply.rollout import step as carry_out

    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    project.store.check_there()
    writer, surfaces = project.writer(signer, now_us()), surfaces_of(project, environment)
    return carry_out(writer, surfaces, slot, judge_of(project, signer), percent=percent, reason=reason)


def act(
    project: Project, environment: Environment, demand: Demand, *, alarm: Path, reason: str, key: str | None
) -> Acted:
    """Do what a monitor demands.

    Parameters
    ----------
    alarm: a JSON file with what it saw: `monitor, check, value, unit?, rows, from_us, until_us`.

    Raises
    ------
    Refused: no authority, nothing to go back to, or the policies deny. UsageError: no such alarm.
    """
    from gates.apply.monitor import act as carry_out

    slot = recorded(project, environment)
    signer = project.signer(key, environment)
    seen = read_alarm(alarm)
    project.store.check_there()
    surfaces = surfaces_of(project, environment, registry_may_be_down=True)
    writer = project.writer(signer, now_us())
    return carry_out(writer, surfaces, slot, judge_of(project, signer), demand=demand, alarm=seen, reason=reason)


def read_alarm(path: Path) -> Alarm:
    """Read what a monitor saw.

    Raises
    ------
    UsageError: `alarm.invalid`: no JSON, or no figure in it.
    """
    try:
        return Alarm.parse(parse_json(path.read_bytes(), where=str(path)), where=str(path))
    except EvidenceError as error:
        raise UsageError(
            error.message,
            code="alarm.invalid",
            where=str(path),
            remedy='write {"monitor": "canary", "check": "errors", "value": 0.08, "rows": 4000, "from_us": ..., "until_us": ...}',
        ) from error
