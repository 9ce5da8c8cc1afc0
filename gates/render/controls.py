"""Which rules support which controls, as text and Markdown: a view on METADATA, and never a claim to comply."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from gates.decide.controls import Support
from gates.decide.frameworks import FRAMEWORKS

CAVEAT = "A rule supports a control by its evidence; it neither meets the control nor replaces a person's judgement."
_WIDTH = 116


def support_lines(support: Support) -> Iterator[str]:
    """What a rule supports, a line each, for `gates explain`."""
    yield f"Owner: {support.owner}"
    for framework, controls in support.supports.items():
        yield f"Supports {FRAMEWORKS[framework].name}: {', '.join(controls)}"
    yield f"Evidence in the decision input: {', '.join(support.evidence)}"
    yield f"Not covered: {support.not_covered}"


def controls_text(found: Mapping[str, Mapping[str, Sequence[Support]]], *, markdown: bool) -> str:
    """Framework by framework: its controls, and of each what supports it. Controls that no rule supports are named."""
    lines = []
    for framework, controls in found.items():
        known = FRAMEWORKS[framework]
        lines += [f"## {known.name}", "", f"{known.edition}.", ""] if markdown else [f"{known.name} ({known.edition})"]
        lines += list((_table if markdown else _listed)(known.controls, controls))
        bare = [control for control, rules in controls.items() if not rules]
        lines += [*([""] if markdown else []), f"Supported by no rule here: {', '.join(bare)}."] if bare else []
        lines.append("")
    return "\n".join([*lines, CAVEAT])


def _table(texts: Mapping[str, str], controls: Mapping[str, Sequence[Support]]) -> Iterator[str]:
    yield "| control | what it asks, in our words | rules | evidence | not covered |"
    yield "|---|---|---|---|---|"
    for control, rules in controls.items():
        for rule in rules:
            cells = [control, texts[control], ", ".join(rule.codes), ", ".join(rule.evidence), rule.not_covered]
            yield f"| {' | '.join(cells)} |"


def _listed(texts: Mapping[str, str], controls: Mapping[str, Sequence[Support]]) -> Iterator[str]:
    for control, rules in controls.items():
        if rules:
            yield f"  {control}: {texts[control]}"
        for rule in rules:
            yield from _wrapped(", ".join(rule.codes), 4)
            yield from _wrapped(f"shown by {', '.join(rule.evidence)}. Not covered: {rule.not_covered}", 6)


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent, break_on_hyphens=False
    )
