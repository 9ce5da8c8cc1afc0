"""What a holdout can show, as people and machines read it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gates.decide.limits import Limit
from gates.decide.resolution import AtLimit, Resolution, Shown
from gates.measure.stats.resolution import AREA, PAIRED, Holdout
from gates.records import Plan, Slice
from gates.render.markdown import prose
from gates.render.names import slice_text, visible
from gates.render.numbers import count, figure
from gates.render.view import FEW_CLUSTERS
from gates.render.words import limit_text

_HEAD = ("check", "smallest", "limit", "where", "rows for it", "here")


def resolution_text(plan: Plan, found: Resolution, *, markdown: bool = False) -> str:
    """Return a line for each check and limit, after what is known of the holdout and what was assumed."""
    mark = "- " if markdown else "  "
    model = f"**{prose(plan.model)}**" if markdown else visible(plan.model)
    lines = [f"{model}: what a perfect model could prove in 8 of 10 runs, before any is measured"]
    known = [_known(plan, where, holdout) for where, holdout in found.holdouts]
    lines += [mark + (prose(line) if markdown else line) for line in known]
    lines += [f"{mark}{line}" for line in assumptions(plan, found)]
    rows = [row for shown in found.shown for row in _rows(shown)]
    lines += ["", *_table(rows, markdown=markdown)] if rows else []
    if found.open:
        lines += ["", f"known only once a model was measured: {', '.join(found.open)}"]
    return "\n".join(lines)


def resolution_document(plan: Plan, found: Resolution) -> dict[str, Any]:
    """Return the JSON document; limits are distances from the figure of a perfect model, `proof` holds even at worst."""
    return {
        "holdouts": [{"slice": where.document(), **_facts(holdout)} for where, holdout in found.holdouts],
        "assumptions": list(assumptions(plan, found)),
        "checks": [
            {
                "checks": list(shown.checks),
                "slice": shown.slice.document(),
                "smallest_limit": shown.smallest,
                "smallest_limit_at_worst": shown.smallest_at_worst,
                "limits": [
                    {
                        "environments": list(item.environments),
                        "limit": item.limit.document(),
                        "rows": item.rows,
                        "rows_at_worst": item.rows_at_worst,
                        "proof": item.proof,
                        "possible": item.possible,
                        "provisional": item.provisional,
                    }
                    for item in shown.limits
                ],
            }
            for shown in found.shown
        ],
        "known_once_measured": list(found.open),
    }


def assumptions(plan: Plan, found: Resolution) -> tuple[str, ...]:
    """What the figures rest on, in sentences."""
    _, whole = found.holdouts[0]
    lines = []
    if found.few_clusters:
        lines.append(f"under {plan.parameters.minimum_clusters} clusters nothing is measured, whatever the limit")
    if whole.clusters is None and not plan.independent_rows:
        lines.append("assumes independent rows: neither `cluster` nor `rows: independent` is declared")
    if whole.clusters is not None and whole.rate is not None:
        lines.append(
            "ranges: from rows of a cluster that share nothing, after a model that knows what sets clusters apart, or "
            f"between two that err alike, to {figure(whole.effect)} times the variance of independent rows, as the labels have"
        )
    elif whole.clusters is not None:
        lines.append(
            "ranges: from rows of a cluster that share nothing to clusters that each say as much as one row; labels of "
            "this task do not tell"
        )
    if whole.rows != whole.counted:
        lines.append(
            "weights: rows as many as those of one weight with the same variance; of what was never seen they tell less, "
            "their weight over the heaviest, so that few heavy rows need more rows than these"
        )
    if any(shown.checks[0].startswith("calibration.ece") or "bin" in shown.checks[0] for shown in found.shown):
        known = "as those of the predictions that are there" if whole.scores else "unknown, and taken as the hardest"
        lines.append(f"scores: {known}; the region above the operating threshold is not counted")
    if any("regression.auc_vs_champion" in shown.checks for shown in found.shown):
        lines.append(f"AUC: two equal models of area {AREA}, paired {PAIRED:g} times tighter than on different rows")
    return (*lines, "each check by itself, at the first look")


def _facts(holdout: Holdout) -> dict[str, Any]:
    fields = {
        "rows": holdout.counted,
        "effective_rows": holdout.rows if holdout.rows != holdout.counted else None,
        "base_rate": holdout.rate,
        "clusters": holdout.clusters,
        "effective_clusters": holdout.in_effect if holdout.in_effect != holdout.clusters else None,
        "design_effect": holdout.effect if holdout.clusters is not None and holdout.rate is not None else None,
        "scores_known": holdout.scores is not None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _known(plan: Plan, where: Slice, holdout: Holdout) -> str:
    parts = [f"{slice_text(where)}: {count(holdout.counted)} rows"]
    if holdout.rows != holdout.counted:
        parts.append(f"weighing as much as {count(round(holdout.rows))}")
    if holdout.rate is not None:
        parts.append(f"base rate {figure(holdout.rate)}")
    if holdout.clusters is not None:
        parts.append(
            f"{count(holdout.clusters)} clusters of {visible(plan.parameters.grouping(plan.parameters.cluster or ''))}{_rough(holdout)}"
        )
    return ", ".join(parts)


def _rough(holdout: Holdout) -> str:
    few = holdout.in_effect or 0
    worth = "" if few == holdout.clusters else f"of unequal size, worth {count(few)}"
    rough = f"under {FEW_CLUSTERS}: intervals are rough" if few < FEW_CLUSTERS else ""
    said = "; ".join(filter(None, (worth, rough)))
    return f" ({said})" if said else ""


def _rows(shown: Shown) -> list[tuple[str, ...]]:
    name = ", ".join([shown.checks[0], *(check.split(".", 1)[1] for check in shown.checks[1:])])
    where = "" if shown.slice.kind == "whole" else f" {slice_text(shown.slice)}"
    return [
        (
            name + where,
            _range(_smallest(shown.smallest, item.limit), _smallest(shown.smallest_at_worst, item.limit)),
            limit_text(item.limit),
            ", ".join(item.environments),
            _range(_needed(item.rows), _needed(item.rows_at_worst)),
            _answer(item),
        )
        for item in shown.limits
    ]


def _range(best: str, worst: str) -> str:
    """Both ends, the sign of comparison once; one where they are the same."""
    return best if worst == best else f"{best} to {worst.split(' ', 1)[1] if worst[0] in '<>≤≥±' else worst}"


def _needed(rows: int | None) -> str:
    return "over 1,000,000,000" if rows is None else count(rows)


def _smallest(distance: float, limit: Limit) -> str:
    """The smallest limit as a limit of the same kind, to two digits."""
    if distance >= 1:
        return "none"
    value = float(f"{distance:.2g}")
    return limit_text(
        replace(limit, value=-value if limit.sense == "at_least" else value, mirror=limit.mirror and -value)
    )


def _answer(item: AtLimit) -> str:
    if item.proof:
        return "enough"
    if item.possible:
        return "open: enough if the model knows its clusters"
    return "provisional at best" if item.provisional else "too few"


def _table(rows: list[tuple[str, ...]], *, markdown: bool) -> list[str]:
    if markdown:
        head = [_HEAD, ("---",) * len(_HEAD)]
        return ["| " + " | ".join(row) + " |" for row in [*head, *(tuple(map(prose, row)) for row in rows)]]
    widths = [max(len(row[place]) for row in [_HEAD, *rows]) for place in range(len(_HEAD))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [_HEAD, *rows]
    ]
