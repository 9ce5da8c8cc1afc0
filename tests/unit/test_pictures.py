"""Pictures: what is drawn stands where the numbers say, says in words what it shows, and is proof against names."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import pytest
from decision_samples import (
    LIMITS,
    Sample,
    carrier,
    decision,
    good,
    measured,
    overconfident,
    reliability,
    result,
)

from gates.decide.attachments import Coverage, Reliability
from gates.decide.limits import Limit
from gates.records import LADDER, Bound
from gates.render.pictures import Picture, pictures
from gates.render.pictures.champion import against_champion
from gates.render.pictures.coverage import by_level, by_stratum
from gates.render.pictures.intervals import Line, Reference, interval_picture
from gates.render.pictures.reliability import diagram, gaps

HOSTILE = "</title></svg><script>alert(1)</script>$x^2$\\frac\u202e\x1b'\"&"
COVERAGE: dict[str, Any] = {
    "version": 1,
    "confidence": 0.95,
    "level": 0.9,
    "strata": [
        {
            "name": f"{i} of 5",
            "n": 2_000,
            "coverage": seen,
            "lower": seen - 0.011,
            "upper": seen + 0.011,
            "mean_width": i,
        }
        for i, seen in enumerate((0.84, 0.88, 0.905, 0.93, 0.96), start=1)
    ],
    "quantiles": [{"level": 0.1, "n": 9_000, "share": 0.13}, {"level": 0.5, "n": 9_000, "share": 0.49}],
    "levels": [{"level": 0.5, "n": 9_000, "coverage": 0.52}, {"level": 0.9, "n": 9_000, "coverage": 0.89}],
}


def attached(scale: float = 1.0) -> dict[str, bytes]:
    return {"reliability.json": reliability(scale), "coverage.json": json.dumps(COVERAGE).encode()}


def of(sample: Sample, scale: float = 1.0) -> dict[str, Picture]:
    found = attached(scale)
    return {picture.name: picture for picture in pictures(sample.view(found), found)}


@pytest.fixture(scope="module")
def bad() -> dict[str, Picture]:
    return of(overconfident(), 8.0)


def svg(picture: Picture) -> str:
    """Drawn once."""
    if picture.name not in DRAWN or DRAWN[picture.name][0] is not picture:
        DRAWN[picture.name] = picture, picture.svg()
    return DRAWN[picture.name][1]


DRAWN: dict[str, tuple[Picture, str]] = {}


def elements(source: str) -> ElementTree.Element:
    return ElementTree.fromstring(source)


def texts(source: str) -> list[str]:
    return ["".join(node.itertext()) for node in elements(source).iter("text")]


def test_there_is_a_picture_for_each_thing_that_has_data(bad: dict[str, Picture]) -> None:
    assert list(bad) == ["reliability", "gaps", "coverage", "levels", "quantiles", "champion"]
    assert pictures(good().view(), {})[0].name == "champion"
    assert (
        pictures(Sample(decision((), allow=False), ()).view(), {"reliability.json": b"[", "coverage.json": b"{}"}) == ()
    )


def test_every_svg_is_small_accessible_and_takes_its_colours_from_the_page(bad: dict[str, Picture]) -> None:
    ids: list[str] = []
    for picture in bad.values():
        source = svg(picture)
        root = elements(source)
        assert len(source) < 25_000
        assert root.get("role") == "img"
        labels = {node.get("id"): node.text for node in root.iter() if node.tag in ("title", "desc")}
        assert list(labels) == (root.get("aria-labelledby") or "").split()
        assert list(labels.values()) == [picture.title, picture.finding]
        ids += [node.get("id", "") for node in root.iter() if node.get("id")]
        assert not re.search(r"#[0-9a-f]{6}\b|https?:|url\(|font-family|<style|<script", source)
        assert {node.get("href") for node in root.iter("use")} <= {f"#{name}" for name in ids}
    assert len(ids) == len(set(ids))


def test_a_png_holds_its_words_and_the_same_bytes_each_time(bad: dict[str, Picture]) -> None:
    from PIL import Image

    picture = bad["champion"]
    image = Image.open(io.BytesIO(picture.png()))
    assert image.format == "PNG"
    assert image.info["Title"] == picture.title
    assert image.info["Description"] == picture.finding
    assert image.size[0] >= 800
    assert picture.png() == picture.png()
    assert picture.svg() == picture.svg()


@pytest.mark.parametrize("name", ["reliability", "gaps", "coverage", "levels", "quantiles", "champion"])
def test_no_word_of_a_png_is_cut_off(bad: dict[str, Picture], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    save, drawn = Figure.savefig, list[Figure]()

    def keep(figure: Figure, *given: Any, **named: Any) -> None:
        drawn.append(figure)
        save(figure, *given, **named)

    monkeypatch.setattr(Figure, "savefig", keep)
    assert bad[name].png()
    [figure] = drawn
    around = figure.get_tightbbox()
    assert 0 <= around.x0 <= around.x1 <= figure.bbox_inches.x1
    assert 0 <= around.y0 <= around.y1 <= figure.bbox_inches.y1
    words = {" ".join(text.get_text().split()): text.get_window_extent() for text in figure.texts}
    boxes = [box for axes in figure.axes if (box := axes.get_tightbbox()) is not None]
    assert words[bad[name].title].y0 >= max(box.y1 for box in boxes)
    assert words[bad[name].caption].y1 <= min(box.y0 for box in boxes)


def test_a_picture_reads_in_grey() -> None:
    """What differs by colour differs by shape too: a failure is a cross, an undecided one is hollow."""
    lines = [Line(status, "", -1.0, 0.0, 1.0, status) for status in ("pass", "fail", "inconclusive")]
    drawn = [interval_picture("x", "", "", "", [line], [Reference(0.0, "")], axis="").svg() for line in lines]
    shapes = [re.findall(r'<path id="x-[^"]*" d="([^"]*)" style="[^"]*"', one) for one in drawn]
    fills = [re.findall(r'<use [^>]*style="fill: ([^;"]*)', one) for one in drawn]
    assert shapes[0] == shapes[2] != shapes[1]
    assert fills[0] != fills[2]


def test_the_finding_of_the_bins_is_said_in_words_and_numbers(bad: dict[str, Picture]) -> None:
    assert "10 bins of 84,210 rows" in bad["reliability"].finding
    assert "Farthest off: bin 7: predicted 0.27, observed 0.374" in bad["reliability"].finding
    told = bad["gaps"].finding
    assert "Proven outside: bin 4, bin 7, bin 8." in told
    assert "Limit ± 0.05." in told
    assert "a gap of 0.104" in told
    assert "All are within the limit." in of(good())["gaps"].finding


def test_points_of_the_diagram_stand_where_their_numbers_say() -> None:
    parts = [{"name": "1", "n": 10, "mean_p": 0.1, "mean_y": 0.4}, {"name": "2", "n": 10, "mean_p": 0.3, "mean_y": 0.2}]
    found = Reliability.read(json.dumps({"bins": parts}).encode())
    assert found is not None
    picture = diagram(found)
    assert picture is not None
    root = elements(picture.svg())
    points = [(float(node.get("x", 0)), float(node.get("y", 0))) for node in root.iter("use")]
    left, right, low, high = 0.0, 0.4, 0.0, 0.4
    tick = {text: _at(root, text) for text in ("0.0", "0.4")}
    (x0, _), (x1, _) = tick["0.0"][0], tick["0.4"][0]
    (_, y0), (_, y1) = tick["0.0"][-1], tick["0.4"][-1]
    for part in parts:
        x = x0 + (x1 - x0) * (part["mean_p"] - left) / (right - left)  # type: ignore[operator]
        y = y0 + (y1 - y0) * (part["mean_y"] - low) / (high - low)  # type: ignore[operator]
        assert any(abs(px - x) < 1 and abs(py - y) < 5 for px, py in points), part


def _at(root: ElementTree.Element, text: str) -> list[tuple[float, float]]:
    found = [node for node in root.iter("text") if "".join(node.itertext()) == text]
    return [(float(node.get("x", 0)), float(node.get("y", 0))) for node in found]


def test_what_is_cut_off_the_histogram_is_counted() -> None:
    found = Reliability.read(reliability(1.0))
    assert found is not None
    picture = diagram(found)
    assert picture is not None
    beyond = sum(column.n for column in found.histogram if column.to > 0.8 + 1e-9)
    assert f"{beyond} rows above 0.8 are not drawn." in picture.caption


@pytest.mark.parametrize(
    "parts",
    [
        [{"n": 5, "mean_p": 0.0, "mean_y": 0.0}, {"n": 5, "mean_p": 1.0, "mean_y": 1.0, "lower": 0.4, "upper": 1.2}],
        [{"n": 5, "mean_p": 1e-9, "mean_y": 0.0, "lower": -0.1, "upper": 1e-9}],
        [{"n": 1, "mean_p": 0.5, "mean_y": 0.5, "lower": -1e308, "upper": 1e308}],
        [{"n": 1, "mean_p": 0.5, "mean_y": 0.5, "name": HOSTILE}] * 3,
    ],
)
def test_extreme_bins_can_be_drawn(parts: list[dict[str, Any]]) -> None:
    found = Reliability.read(json.dumps({"bins": parts}).encode())
    assert found is not None
    for picture in (diagram(found), gaps(found, LIMITS["calibration.bin"], {})):
        assert picture is not None
        source = picture.svg()
        assert "nan" not in source
        assert "<script" not in source
        elements(source)


def test_names_are_only_text() -> None:
    strata = [{**COVERAGE["strata"][0], "name": HOSTILE}]
    coverage = Coverage.read(json.dumps({**COVERAGE, "strata": strata}).encode())
    assert coverage is not None
    picture = by_stratum(coverage, LIMITS["calibration.under_coverage"], {HOSTILE: "fail"})
    assert picture is not None
    source = picture.svg()
    root = elements(source)
    assert not {"script", "img"} & {node.tag for node in root.iter()}
    assert "\u202e" not in source
    assert "\x1b" not in source
    assert any("</title>" in text for text in texts(source))
    assert picture.png()


def test_coverage_names_the_strata_that_are_off(bad: dict[str, Picture]) -> None:
    picture = bad["coverage"]
    assert "promised 0.9" in picture.finding
    assert "2 of 5 cover less than promised" in picture.finding
    assert "Least: 1 of 5, 0.84 [0.829, 0.851], 2,000 rows" in picture.finding
    assert {"1 of 5 · 1 wide", "promised 0.9"} <= set(texts(svg(picture)))
    assert "Farthest off: 0.5, observed 0.52, 9,000 rows" in bad["levels"].finding
    assert "Farthest off: 0.1, observed 0.13, 9,000 rows" in bad["quantiles"].finding


def test_sets_are_called_sets() -> None:
    coverage = Coverage.read(json.dumps({**COVERAGE, "unit": "classes"}).encode())
    assert coverage is not None
    picture = by_stratum(coverage, None, {})
    assert picture is not None
    assert picture.title == "Do 90 % sets hold the truth 90 % of the time?"
    assert "1 of 5 · 1 classes" in texts(picture.svg())


def test_one_level_needs_no_picture() -> None:
    coverage = Coverage.read(json.dumps({**COVERAGE, "levels": COVERAGE["levels"][:1]}).encode())
    assert coverage is not None
    assert by_level(coverage) is None


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"\xff", b'{"level": 2}', b'{"level": 0.9, "strata": [{"n": -1, "name": ""}]}']
)
def test_coverage_that_is_not_of_the_form_is_absent(raw: bytes) -> None:
    assert Coverage.read(raw) is None


def rival(estimate: float, error: float, check: str = "regression.auc_vs_champion", **more: Any) -> Any:
    return measured(check, estimate, error, **more)


def forest(*figures: Any, verdicts: str = "pass") -> Picture | None:
    words = verdicts.split()
    results = tuple(result(m, word) for m, word in zip(figures, words, strict=True))  # type: ignore[arg-type]
    return against_champion(Sample(decision(results, allow=False), figures).view().rows)


def test_every_metric_is_drawn_with_better_to_the_right_and_its_limit_at_minus_one() -> None:
    """AUC .01 under the champion's and log loss 2 % over it are both exactly their margins."""
    auc, loss = rival(-0.01, 1e-9), rival(1.02, 1e-9, "regression.log_loss_vs_champion", unit="ratio")
    picture = forest(auc, loss, verdicts="inconclusive inconclusive")
    assert picture is not None
    root = elements(picture.svg())
    [(limit, _)] = _at(root, "limit")
    circles = [float(node.get("x", 0)) for node in root.iter("use")]
    assert sum(abs(x - limit) < 0.5 for x in circles) >= 2
    better = forest(rival(0.02, 1e-9), verdicts="pass")
    assert better is not None
    assert max(float(node.get("x", 0)) for node in elements(better.svg()).iter("use")) > limit + 75


STRICT = {
    "regression.auc_vs_champion": Limit("at_least", 0.0, inclusive=True),
    "regression.log_loss_vs_champion": Limit("at_most", 1.0, inclusive=True),
}


def places(picture: Picture) -> list[float]:
    return [float(node.get("x", 0)) for node in elements(picture.svg()).iter("use")]


def test_without_a_margin_equal_is_the_limit_and_half_the_interval_the_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the strict profile: of both metrics one is as far on the good side as the other, another as far on the bad."""
    for check, limit in STRICT.items():
        monkeypatch.setitem(LIMITS, check, limit)
    loss = "regression.log_loss_vs_champion"
    better = rival(0.004, 0.001), rival(0.96, 0.01, loss, unit="ratio")
    worse = rival(-0.004, 0.001), rival(1.04, 0.01, loss, unit="ratio")
    drawn = []
    for figures, verdicts in ((better, "pass pass"), (worse, "fail fail")):
        picture = forest(*figures, verdicts=verdicts)
        assert picture is not None
        assert "half its interval" in picture.caption
        [(limit, _)] = _at(elements(picture.svg()), "equal, the limit")
        assert not _at(elements(picture.svg()), "limit")
        drawn.append([x - limit for x in places(picture)])
    ahead, behind = (sorted({round(x) for x in found if abs(x) > 1}, key=abs) for found in drawn)
    assert min(ahead) > 10
    assert max(behind) < -10


def test_what_has_a_margin_and_what_has_none_keep_their_own_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = "regression.log_loss_vs_champion"
    monkeypatch.setitem(LIMITS, loss, STRICT[loss])
    auc, equal = rival(-0.01, 1e-9), rival(1.0, 0.01, loss, unit="ratio")
    picture = forest(auc, equal, verdicts="inconclusive inconclusive")
    assert picture is not None
    assert "its own dotted limit" in picture.caption
    assert [label for label in ("equal", "limit") if _at(elements(picture.svg()), label)] == ["equal"]
    assert "log_loss" in picture.finding.lower().replace(" ", "_")
    assert picture.png()


def test_a_limit_that_asks_for_a_gain_stands_at_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "regression.auc_vs_champion", Limit("at_least", 0.01, inclusive=True))
    picture = forest(rival(0.02, 1e-9), verdicts="pass")
    assert picture is not None
    root = elements(picture.svg())
    [(equal, _)], [(limit, _)] = _at(root, "equal"), _at(root, "limit")
    assert equal < limit < max(places(picture))


@pytest.mark.parametrize("estimate", [0.0, 0.3])
def test_no_margin_and_no_interval_can_be_drawn(estimate: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "regression.auc_vs_champion", STRICT["regression.auc_vs_champion"])
    open_bounds = tuple(Bound(confidence=rung, lower="unbounded", upper="unbounded") for rung in LADDER)
    for figure in (rival(estimate, 0.0), rival(estimate, 0.1, bounds=open_bounds)):
        picture = forest(figure, verdicts="inconclusive")
        assert picture is not None
        assert "nan" not in picture.svg()


def test_a_slice_that_is_proven_worse_stands_beside_the_whole() -> None:
    whole, slice_ = rival(0.01, 0.001), rival(-0.2, 0.01, slice_=carrier("HA"), n=900)
    fine = rival(0.01, 0.001, slice_=carrier("UA"), n=900)
    picture = forest(whole, slice_, fine, verdicts="pass fail pass")
    assert picture is not None
    assert "AUC of carrier=HA: proven worse" in picture.finding
    assert "UA" not in picture.finding


def test_without_a_champion_or_a_bound_there_is_no_forest() -> None:
    assert against_champion([]) is None
    open_bounds = tuple(Bound(confidence=rung, lower="unbounded", upper="unbounded") for rung in LADDER)
    picture = forest(rival(0.0, 0.1, bounds=open_bounds), verdicts="inconclusive")
    assert picture is not None
    assert "An arrow goes on." in picture.caption
    assert elements(picture.svg()) is not None


def test_matplotlib_is_imported_only_where_something_is_drawn() -> None:
    code = "import sys; import gates.render.pictures, gates.audit.site.page; print('matplotlib' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
