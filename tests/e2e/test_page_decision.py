"""The page of a decision: whole in one file, without scripts, and proof against whoever chose the names in it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from decision_samples import (
    CARRIERS,
    Sample,
    carrier,
    decision,
    digest,
    good,
    measured,
    overconfident,
    reliability,
    result,
    skewed,
    uncalibrated,
)

from gates.audit.site.page import Facts, page
from gates.audit.site.strip import strip
from gates.records import LADDER, Bound

HOSTILE = "</title></svg><script>alert(1)</script><img src=x onerror=alert(1)>'\"&{{7*7}}\u202e"
VOID = {"meta", "link", "br"}
SVG = "{http://www.w3.org/2000/svg}"


class Reader(HTMLParser):
    """Collects tags, attributes and text, and insists that tags nest."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


PAGES: dict[str, str] = {}


def shown(sample: Sample, scale: float | None = None, **facts: Any) -> str:
    """The page; drawn once for the same contents."""
    attached = {} if scale is None else {"reliability.json": reliability(scale)}
    name = f"{sample.decision!r} {scale} {facts}"
    if name not in PAGES:
        PAGES[name] = page(sample.view(attached), Facts(attachments=attached, **facts))
    return PAGES[name]


def drawings(source: str) -> list[ElementTree.Element]:
    found = re.findall(r"<svg.*?</svg>", source, re.DOTALL)
    return [ElementTree.fromstring(part.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"')) for part in found]


SAMPLES = [(good, 1.0), (uncalibrated, 2.2), (overconfident, 8.0), (skewed, None)]


@pytest.mark.parametrize(("sample", "scale"), SAMPLES)
def test_it_is_well_formed_and_needs_nothing_from_outside(sample: Any, scale: float | None) -> None:
    source = shown(sample(), scale)
    read = Reader(source)

    assert not {"script", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in read.tags}
    for tag, attributes in read.tags:
        assert not any(name.startswith("on") or name == "src" for name in attributes), tag
        assert (attributes.get("href") or "data:,").startswith(("data:,", "#"))
    assert not re.search(r"https?://|url\(|@import", source)
    policies = [
        a["content"] for tag, a in read.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


@pytest.mark.parametrize(("sample", "scale"), SAMPLES)
def test_ids_are_unique_and_labels_lead_somewhere(sample: Any, scale: float | None) -> None:
    read = Reader(shown(sample(), scale))
    ids = [a["id"] for _, a in read.tags if "id" in a]

    assert len(ids) == len(set(ids))
    for _, attributes in read.tags:
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)


def test_the_answer_comes_first() -> None:
    for (sample, scale), answer in zip(SAMPLES, ["ALLOW", "ALLOW (provisional)", "DENY", "DENY"], strict=True):
        body = shown(sample(), scale).split("<body>")[1]
        assert re.search(r"<h1>(.*?)</h1>", body)[1] == answer  # type: ignore[index]
        assert body.index("<h1>") < body.index("<h2>")


def test_provisional_is_not_shown_as_a_pass() -> None:
    decided = shown(uncalibrated(), 2.2).split("What decided it")[1].split("</section>")[0]

    assert "~ provisional" in decided
    assert "✓" not in decided


def hostile() -> Sample:
    figure = measured("calibration.ece", 0.2, 0.01, slice_=carrier(HOSTILE), n=40)
    return Sample(decision((result(figure, "fail"),), allow=False, version=HOSTILE[:100]), (figure,))


def test_hostile_names_are_only_text() -> None:
    parts = [
        {"name": HOSTILE, "n": 10, "mean_p": 0.1, "mean_y": 0.2},
        {"name": "2", "n": 10, "mean_p": 0.5, "mean_y": 0.4, "lower": 0.3, "upper": 0.5},
    ]
    attached = {"reliability.json": json.dumps({"bins": parts}).encode()}
    facts = Facts(attachments=attached, people={"k": HOSTILE}, commands=[f"gates verify {HOSTILE}"])
    source = page(hostile().view(attached), facts)
    read = Reader(source)

    assert "<script" not in source
    assert not {"script", "img"} & {tag for tag, _ in read.tags}
    assert "{{7*7}}" in read.text
    assert "\u202e" not in source
    assert len(drawings(source)) == 3


def test_every_picture_stands_with_how_to_read_it() -> None:
    source = shown(good(), 1.0)

    assert source.count("<figcaption>") == source.count('role="img" aria-labelledby') == 3
    assert "<h3>How far off is each bin?</h3>" in source
    assert "10 bins of 84,210 rows" in source


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b'{"bins": [{"n": 0}]}', b'{"bins": "x"}'])
def test_without_readable_bins_there_is_no_diagram(raw: bytes) -> None:
    source = page(good().view(), Facts(attachments={"reliability.json": raw}))

    assert "<h2>Calibration" not in source
    Reader(source)


def test_a_strip_puts_the_interval_on_its_side_of_the_limit() -> None:
    rows = {row.check: row for row in [*good().view().rows, *overconfident().view().deciding[:1]]}
    bad = strip(rows["calibration.ece"])
    fine = strip(rows["regression.auc_vs_champion"])
    assert bad is not None
    assert fine is not None
    assert bad.limits[0] < bad.low < bad.point < bad.high
    assert fine.limits[0] < fine.low < fine.point < fine.high
    assert (bad.good, fine.good) == ((0.0, bad.limits[0]), (fine.limits[0], 200.0))


def test_an_open_side_reaches_the_edge() -> None:
    bounds = tuple(Bound(confidence=rung, lower="unbounded", upper=0.5) for rung in LADDER)
    figure = measured("calibration.ece", 0.3, 0.1, bounds=bounds, n=4)
    view = Sample(decision((result(figure, "inconclusive"),), allow=False), (figure,)).view()
    drawn = strip(view.rows[0])

    assert drawn is not None
    assert (drawn.low, drawn.open_low, drawn.open_high) == (0.0, True, False)


def test_every_slice_is_in_the_table_with_its_rows() -> None:
    table = shown(good()).split("<h2>Slices")[1].split("</section>")[0]

    assert all(f"carrier={name}" in table for name in CARRIERS)
    assert ">9</td>" in table
    assert table.count('class="verdict open"') == 5


def test_thousands_of_slices_are_cut_and_counted() -> None:
    figures = tuple(measured("calibration.ece", 0.2, 0.01, slice_=carrier(f"c{i}"), n=40) for i in range(1_000))
    sample = Sample(decision(tuple(result(figure, "fail") for figure in figures), allow=False), figures)
    source = page(sample.view())

    assert "500 more are in the decision's JSON" in source
    assert "800 more slices are in the decision's JSON" in source
    assert len(source) < 1_500_000


def test_how_to_verify_stands_on_the_page_with_all_digests() -> None:
    sample = good()
    source = shown(sample, 1.0, envelope_digest=digest("e5"), commands=["gates verify sha256:abc", "gates replay x"])
    view = sample.view()

    assert "<pre><code>gates verify sha256:abc\ngates replay x\n</code></pre>" in source
    made = view.decision
    for name in (view.decision_id, made.bundle_digest, made.policy_digest, made.trust_digest, made.input_digest):
        assert name in source
    assert digest("e5") in source


def test_both_colour_schemes_and_small_screens_are_catered_for() -> None:
    source = shown(good())

    assert "prefers-color-scheme: dark" in source
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in source
    assert "@media (max-width" in source
    light, dark = (set(re.findall(r"--([a-z-]+): #", part)) for part in source.split("prefers-color-scheme: dark"))
    assert dark <= light
