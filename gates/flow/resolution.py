"""`gates plan --resolution`: what the holdout can prove, before any model is measured."""

from __future__ import annotations

from gates.decide.resolution import Resolution, resolve, slices_to_prove
from gates.flow.stages import Planned
from gates.project import Project

_READ = ("holdout", "predictions", "champion_predictions")


def resolution(project: Project, planned: Planned) -> Resolution:
    """Look at the plan's holdout, and at predictions where the plan has a table of them; no model is run.

    Raises
    ------
    UsageError: no holdout, no rows, a column that is not there.
    """
    from gates.inputs.tables import Tables
    from gates.measure.holdout import look_at

    plan = planned.plan
    with Tables() as tables:
        wanted = [table for table in plan.tables if table.role in _READ]
        opened = tables.open_all(wanted, base=project.spec.base, version=planned.candidate.version.version)
        holdouts = {where: look_at(plan, opened, where) for where in slices_to_prove(plan)}
    return resolve(plan, project.policies.data, holdouts)
