"""What serves where: what the ledger wants, what the target states and what the traffic does, with every difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gates.errors import Refused
from gates.flow.move import surfaces_of
from gates.project import DEVELOPMENT, Project, now_us
from gates.records import Environment, Release

if TYPE_CHECKING:
    from gates.apply.serving.interface import Serving


@dataclass(frozen=True)
class Standing:
    """One environment: what the ledger says serves, what the target states, what the traffic does; every difference."""

    environment: Environment
    wanted: Release | None
    accepted: Release | None
    observed: Release | None
    differences: tuple[str, ...]
    open_since_us: int | None


def status(project: Project, environments: Sequence[Environment] | None = None) -> tuple[Standing, ...]:
    """Compare ledger, serving target and aliases, environment by environment.

    Raises
    ------
    EvidenceError: the ledger does not verify. EngineError: ledger, registry or target is out of reach.
    """
    from gates.apply.hotfix import overdue
    from gates.apply.pack import has_pack
    from gates.apply.serving.interface import Followed, Following, Serves, Unseen
    from gates.flow.incidents import late

    chain = project.chain()
    found = []
    for environment in environments or [name for name in project.environments if name != DEVELOPMENT]:
        slot = project.slot(environment)
        surfaces = surfaces_of(project, environment)
        state = chain.slot(slot)
        differences = []
        for look in (surfaces.check_serving, surfaces.check_aliases):
            try:
                look(slot, state.standing)
            except Refused as error:
                differences.append(f"{error.message} [{error.code}]")
        seen, traffic = surfaces.serving.read(), surfaces.serving.traffic()
        accepted = seen.release if isinstance(seen, Serves) else None
        if accepted is not None and isinstance(traffic, Following | Unseen):
            code = "unseen" if isinstance(traffic, Unseen) else "converging"
            differences.append(f"{traffic.reason} [serving.{code}]")
        if state.open is None and not surfaces.serving.journal() and not has_pack(surfaces.serving, chain, slot):
            differences.append("the rollback pack beside the target is not that of what serves [pack.stale]")
        if state.alarms:
            differences.append(
                f"paused by a monitor (ledger {state.alarms[-1][7:19]}): no step until a new decision is carried out"
                " [rollout.alarm]"
            )
        if ended := overdue(chain, slot, now_us()):
            differences.append(f"{ended} [hotfix.overdue]")
        differences += [one.said(environment) for one in late(project, environment, chain)]
        found.append(
            Standing(
                environment=environment,
                wanted=state.standing.release,
                accepted=accepted,
                observed=accepted if isinstance(traffic, Followed) else None,
                differences=(*differences, *state.debts, *_beside(surfaces.serving)),
                open_since_us=state.open.entry.time_us if state.open else None,
            )
        )
    return tuple(found)


def _beside(serving: Serving) -> tuple[str, ...]:
    """What was done without the ledger, and is not in it yet."""
    count = len(serving.journal())
    return (f"{count} records of rollbacks without the ledger wait for `gates reconcile`",) if count else ()
