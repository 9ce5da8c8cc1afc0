"""Markdown for comments and summaries: nothing in a name becomes markup, and it fits."""

from __future__ import annotations

import pytest
from decision_samples import Sample, carrier, decision, good, measured, overconfident, result, uncalibrated
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from gates.render.markdown import COMMENT_LIMIT, code, markdown, prose

NAMES = [
    "a|b",
    "\\|",
    "`",
    "``` js",
    "</details><script>alert(1)</script>",
    "[x](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "@octocat #1 www.example.com a@b.example",
    "<!-- x -->",
    "\n\n# ALLOW\n",
    " lead and trail ",
    "",
    "\u202e$\\alpha$",
]


def parse(text: str) -> list[Token]:
    """Parse as GitHub does: tables, and inline HTML kept."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)


def inline(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or ()]


def named(name: str, rows: int = 1) -> Sample:
    figures = tuple(measured("calibration.ece", 0.2, 0.01, slice_=carrier(f"{name}{i}"), n=40) for i in range(rows))
    return Sample(decision(tuple(result(figure, "fail") for figure in figures), allow=False), figures)


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_stays_one_code_span_in_one_cell(name: str) -> None:
    tokens = parse(markdown(named(name).view()))
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type == "td_open"]

    assert (len(rows), len(cells)) == (2, 6)
    kinds = {token.type for token in inline(tokens)}
    assert kinds <= {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h2"]
    assert not any(token.type == "html_block" for token in tokens)


@given(st.text(max_size=60))
def test_any_name_is_one_code_span(name: str) -> None:
    tokens = inline(parse(f"x {code(name)} y"))

    assert [token.type for token in tokens] == ["text", "code_inline", "text"]


@given(st.text(max_size=60))
def test_any_name_in_a_table_is_one_cell(name: str) -> None:
    tokens = parse(f"| a | b |\n|---|---|\n| {code(name)} | z |")

    assert sum(token.type == "td_open" for token in tokens) == 2
    assert [token.content for token in tokens if token.type == "inline"][-1] == "z"


@given(st.text(max_size=60))
def test_prose_is_only_text(words: str) -> None:
    kinds = {token.type for token in inline(parse(f"x {prose(words)} y"))}

    assert kinds <= {"text", "text_special", "entity"}


def test_a_name_is_readable_in_its_code_span() -> None:
    assert code("carrier=OO") == "`carrier=OO`"
    assert code("a`b") == "``a`b``"


@pytest.mark.parametrize("limit", [3_000, 8_000, COMMENT_LIMIT])
def test_it_is_cut_to_a_length_and_says_what_is_missing(limit: int) -> None:
    shown = markdown(named("Zürich " * 10, rows=1_000).view(), limit=limit)

    assert len(shown.encode()) <= limit
    assert "more are cut here: " in shown
    assert shown.startswith("## ❌ DENY")


def test_everything_fits_where_there_is_room() -> None:
    shown = markdown(overconfident().view())

    assert "cut here" not in shown
    assert shown.count("\n| ") == 2 + len(overconfident().decision.results)


def test_the_most_severe_rows_stand_outside_the_fold() -> None:
    shown = markdown(overconfident().view())
    open_part, folded = shown.split("<details>")

    assert "**fail**" in open_part
    assert "**fail**" not in folded
    assert "</details>" in folded


def test_the_head_says_the_answer_and_provisional_is_marked() -> None:
    assert markdown(good().view()).startswith("## ✅ ALLOW: `flights-delay 3` → `production`")
    shown = markdown(uncalibrated().view())
    assert shown.startswith("## ⚠️ ALLOW (provisional): ")
    assert "\n| provisional | `calibration.ece` |" in shown


def test_a_marker_finds_a_sticky_comment_again_and_cannot_break_out() -> None:
    assert markdown(good().view(), marker="gates:pr").startswith("<!-- gates:pr -->\n")
    assert markdown(good().view(), marker="x --> <script>").startswith("<!-- xscript -->\n")


def test_a_simulated_answer_says_so() -> None:
    sample = good()
    simulated = Sample(sample.decision.model_copy(update={"simulated": True}), sample.measurements)

    assert "**Simulated**" in markdown(simulated.view())
