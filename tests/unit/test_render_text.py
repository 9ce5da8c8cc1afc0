"""Text for terminals and pipes: narrow, plain where piped, and proof against names that steer a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from decision_samples import (
    LIMITS,
    Sample,
    carrier,
    decision,
    good,
    measured,
    overconfident,
    result,
    skewed,
    uncalibrated,
)

from gates.records import LADDER, Bound, Item
from gates.render.outcomes import Outcome, outcomes
from gates.render.screen import Screen
from gates.render.text import text
from gates.render.words import limit_text, need_text

SAMPLES = (good, uncalibrated, overconfident, skewed)
HOSTILE = "\x1b[2J\r\n| ALLOW |[bold red]x[/]:smile:\u202e`"


def hostile() -> Sample:
    figure = measured("calibration.ece", 0.2, 0.01, slice_=carrier(HOSTILE * 20), n=40)
    return Sample(decision((result(figure, "fail"),), allow=False, version=f"3{'x' * 200}"), (figure,))


@pytest.mark.parametrize("sample", [*SAMPLES, hostile])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_wider_than_the_screen_or_ends_in_blanks(sample: object, width: int, verbose: bool) -> None:
    for unicode in (True, False):
        shown = text(sample().view(), screen=Screen(width, unicode=unicode), verbose=verbose)  # type: ignore[operator]
        for line in shown.splitlines():
            assert len(line) <= width or (sample is hostile and not unicode)
            assert line == line.rstrip()


@pytest.mark.parametrize("sample", [*SAMPLES, hostile])
def test_a_pipe_gets_no_colour_codes_and_no_control_characters(sample: object) -> None:
    shown = text(sample().view(), verbose=True)  # type: ignore[operator]

    assert all(char.isprintable() or char == "\n" for char in shown)


def test_the_answer_is_the_first_word() -> None:
    assert [text(sample().view()).split("  ")[0] for sample in SAMPLES] == [
        "ALLOW",
        "ALLOW (provisional)",
        "DENY",
        "DENY",
    ]


def test_provisional_is_never_printed_as_a_pass() -> None:
    shown = text(uncalibrated().view())
    line = next(line for line in shown.splitlines() if "calibration.ece " in line)

    assert line.startswith("provisional")
    assert "pass " not in shown.split("more:")[0].split("verdict")[1]


def test_a_simulated_answer_says_so() -> None:
    sample = good()
    simulated = replace(sample, decision=sample.decision.model_copy(update={"simulated": True}))

    assert "simulated" in text(simulated.view()).splitlines()[0]
    assert "simulated" not in text(sample.view())


def test_small_slices_are_shown_with_their_rows() -> None:
    shown = text(good().view(), verbose=True)

    assert re.search(r"inconclusive\s+calibration\.ece.*\n\s+carrier=OO · n 9\n", shown)


def test_an_unbounded_side_is_open_and_explained() -> None:
    bounds = tuple(Bound(confidence=rung, lower="unbounded", upper=0.5) for rung in LADDER)
    figure = measured("calibration.ece", 0.3, 0.1, bounds=bounds, n=4)
    shown = text(Sample(decision((result(figure, "inconclusive"),), allow=False), (figure,)).view())

    assert "(-∞, 0.50]" in shown
    assert "∞: the data set no bound on that side" in shown
    assert "∞" not in text(good().view())


def test_a_screen_shows_some_and_counts_the_rest() -> None:
    view = overconfident().view()
    few, all_rows = text(view), text(view, verbose=True)

    assert "24 more: 1 inconclusive, 23 pass; --verbose shows all" in few
    assert len(few.splitlines()) <= 40
    assert "more:" not in all_rows
    assert all_rows.count("data.out_of_range") == 8


def test_what_to_do_is_said_once_for_each_remedy_and_check() -> None:
    shown = text(overconfident().view())

    assert shown.count("Recalibrate (isotonic or Platt)") == 1
    assert shown.count("what to do about calibration.bin") == 1
    assert shown.count("a fresh holdout") == 1


def test_ascii_only_streams_get_ascii_only() -> None:
    shown = text(hostile().view(), screen=Screen(unicode=False))

    assert shown.isascii()
    assert "-> production" in shown


def test_a_screen_is_read_from_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"  # type: ignore[assignment]

        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Screen.of(Terminal()) == Screen(120, colour=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert Screen.of(Terminal()).colour is False
    piped = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    assert Screen.of(piped) == Screen(80, colour=False, unicode=False)


def test_colours_are_there_where_the_screen_has_them() -> None:
    shown = text(overconfident().view(), screen=Screen(colour=True))

    assert "\x1b[1;31mDENY" in shown
    assert "\x1b" not in shown.replace("\x1b[", "")


@pytest.mark.parametrize(
    ("check", "written"),
    [
        ("calibration.ece", "< 0.02"),
        ("calibration.bin", "± 0.05"),
        ("regression.auc_vs_champion", "≥ -0.01"),
        ("regression.log_loss_vs_champion", "≤ 1.02"),
        ("data.rows", "≥ 1,000"),
    ],
)
def test_limits_read_as_comparisons(check: str, written: str) -> None:
    assert limit_text(LIMITS[check]) == written


def test_a_two_sided_limit_that_is_not_symmetric_names_both_sides() -> None:
    assert limit_text(replace(LIMITS["calibration.bin"], mirror=-0.02)) == "-0.02 to 0.05"


def test_what_would_settle_a_row_is_a_range_or_more_than_a_cap() -> None:
    need = uncalibrated().view().needs[0].needs
    assert need is not None

    assert "fresh holdout with about" in need_text(need)
    assert "more than 100 times" in need_text(replace(need, low=100 * need.now, high=100 * need.now, capped=True))
    assert "or more (over 100 times" in need_text(replace(need, capped=True))
    assert "which way is open" in need_text(replace(need, sure=False))


def test_two_lines_of_one_check_say_which_part_they_are_of() -> None:
    need = uncalibrated().view().needs[0].needs
    assert need is not None
    width = Item(kind="stratum", name="width 2")

    assert need_text(need).startswith("a fresh holdout with about 93,000 to 500,000 rows would settle it")
    assert need_text(need, carrier("HA"), width).startswith(
        "for stratum width 2 of carrier=HA, a fresh holdout with about 93,000 to 500,000 rows in place of its 84,210 would"
    )
    assert need_text(need, carrier("HA")).startswith("for carrier=HA, a fresh holdout")
    far = replace(need, low=100 * need.now, high=100 * need.now, capped=True)
    assert need_text(far, item=width).startswith("for stratum width 2, more than 100 times the present 84,210 rows")


def outcome(label: str, sample: Sample, page: str | None = None, after: str = "") -> Outcome:
    return Outcome(label, sample.view(), after, page)


def test_the_last_screen_has_a_line_for_each_decision() -> None:
    shown = outcomes(
        [
            outcome("over-confident", overconfident(), "work/pages/2.html"),
            outcome("good", good(), "work/pages/3.html", "5 % canary"),
        ]
    )

    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "0.064 [0.057, 0.071] < 0.02" in shown
    assert "5 % canary" in shown
    assert "page: 2.html" in shown
    assert shown.splitlines()[-1] == "pages in work/pages"


def test_pages_in_different_folders_are_named_in_full() -> None:
    shown = outcomes([outcome("a", good(), "x/1.html"), outcome("b", skewed(), "y/2.html")])

    assert "page: x/1.html" in shown
    assert "pages in" not in shown


def test_the_last_screen_withstands_hostile_names() -> None:
    shown = outcomes([outcome(HOSTILE, hostile(), None, HOSTILE)], screen=Screen(40))

    assert all(char.isprintable() or char == "\n" for char in shown)
    assert all(len(line) <= 40 for line in shown.splitlines())
