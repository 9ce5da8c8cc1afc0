"""A plan as people read it: what is asked, where, and how figures are computed."""

from __future__ import annotations

from gates.records import Plan
from gates.records.measurement import WHOLE
from gates.render.names import visible


def plan_text(plan: Plan, digest: str, *, markdown: bool = False) -> str:
    """Return checks by environment with their role, then the parameters and tables."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for item in plan.requirements:
        where = f"each {visible(item.each)}" if item.each else str(item.slice or WHOLE)
        rows.setdefault((item.check, visible(where), item.role), []).append(item.environment)
    bold = "**" if markdown else ""
    mark = "- " if markdown else "  "
    lines = [f"{bold}{visible(plan.model)}{bold}: {plan.task}, tier {plan.tier}; plan {digest}", ""]
    for (check, where, role), environments in sorted(rows.items()):
        lines.append(f"{mark}{check:<32} {where:<18} {role:<8} {', '.join(environments)}")
    if plan.not_applicable:
        lines += ["", "not applicable:"]
        lines += [f"{mark}{item.check} in {item.environment}: {visible(item.reason)}" for item in plan.not_applicable]
    lines += ["", "how:"]
    lines += [f"{mark}{name} {value}" for name, value in plan.parameters.document().items() if value not in ([], None)]
    lines += ["", "where:"]
    lines += [f"{mark}{table.role:<12} {visible(table.uri)}" for table in plan.tables]
    return "\n".join(lines)
