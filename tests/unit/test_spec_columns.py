"""Columns of gates.yaml by task: what belongs together, what does not, and the line that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.errors import UsageError
from gates.plan.spec import Spec, load_spec


def spec(folder: Path, task: str, columns: str, rest: str = "") -> Spec:
    lines = [f"model: m\ntask: {task}\n{rest}tables: {{holdout: {{uri: h.parquet}}}}\ncolumns:\n  label: y"]
    (folder / "gates.yaml").write_text("\n  ".join([*lines, *columns.splitlines()]) + "\n", encoding="utf-8")
    return load_spec(folder)


GOOD = {
    "binary": "score: p\nset_columns: [s0, s1]\nweight: w\npayoff: v",
    "multiclass": "classes: [a, b, ../c]\nclass_scores: [pa, pb, pc]\nset_columns: [sa, sb, sc]\n"
    "champion_class_scores: [qa, qb, qc]",
    "numeric": "score: p\nintervals:\n  - {level: 0.9, lower: lo, upper: hi}\n  - {level: 0.5, lower: l, upper: h}\n"
    "quantiles: [{level: 0.5, column: q}]",
}


@pytest.mark.parametrize("task", GOOD)
def test_good_columns_reach_the_plan(tmp_path: Path, task: str) -> None:
    columns = spec(tmp_path, task, GOOD[task]).plan_columns()
    assert columns.label == "y"
    if task == "numeric":
        assert [(i.level, i.lower, i.upper) for i in columns.intervals] == [(0.9, "lo", "hi"), (0.5, "l", "h")]
    if task == "multiclass":
        assert (columns.classes, columns.champion_class_scores) == (("a", "b", "../c"), ("qa", "qb", "qc"))


@pytest.mark.parametrize(
    ("task", "columns", "said"),
    [
        ("multiclass", "key: [id]", "gates.yaml:4: columns: classes is missing"),
        ("multiclass", "classes: [a]", "gates.yaml:6: columns.classes: one for each class, and there are at least two"),
        ("multiclass", "classes: [a, b, a]", 'gates.yaml:6: columns.classes: "a" is named twice'),
        (
            "multiclass",
            "classes: [a, b]\nclass_scores: [p, q, r]",
            "gates.yaml:7: columns.class_scores: 3 columns for 2",
        ),
        ("multiclass", "classes: [a, b]\nclass_scores: [p, p]", 'columns.class_scores: "p" is named twice'),
        ("multiclass", "classes: [a, b]\nset_columns: [p, q, r]", "gates.yaml:7: columns.set_columns: 3 columns for 2"),
        ("multiclass", "classes: [a, b]\nscore: p", "columns: score is no word of a multiclass task"),
        ("multiclass", "classes: [a, b]\nclass_scores: [p, y]", 'the label "y" is no score'),
        ("multiclass", "clases: [a, b]", 'columns.clases: unknown word; did you mean "classes"?'),
        ("binary", "classes: [a, b]", "columns: classes is no word of a binary task"),
        ("binary", "set_columns: [a, b, c]", "columns: set_columns are of 0, then of 1, in a binary task"),
        ("binary", "intervals: [{level: 0.9, lower: a, upper: b}]", "intervals is no word of a binary task"),
        ("binary", "score: y", 'gates.yaml:6: columns.score: the label "y" is no score'),
        ("numeric", "champion_score: y", 'columns.champion_score: the label "y" is no score'),
        ("numeric", "class_scores: [a, b]", "class_scores is no word of a numeric task"),
        ("numeric", "set_columns: [a, b]", "set_columns is no word of a numeric task"),
        (
            "numeric",
            "intervals:\n  - {level: 0.9, lower: a, upper: b}\n  - {level: 0.9, lower: c, upper: d}",
            "columns.intervals: the level 0.9 is there twice",
        ),
        ("numeric", "quantiles: [{level: 0.5, column: a}, {level: 0.5, column: b}]", "the level 0.5 is there twice"),
        ("numeric", "intervals: [{level: 0.9, lower: a, upper: a}]", '"a" is the lower end too'),
        ("numeric", "intervals: [{level: 90, lower: a, upper: b}]", "columns.intervals.0.level: "),
        ("numeric", "intervals: [{level: 0.9, lower: a, uper: b}]", 'uper: unknown word; did you mean "upper"?'),
        ("numeric", "quantiles: [{level: .nan, column: a}]", "columns.quantiles.0.level: "),
    ],
)
def test_columns_that_do_not_belong_are_told(tmp_path: Path, task: str, columns: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        spec(tmp_path, task, columns)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def test_which_packages_a_model_runs_with_is_one_word(tmp_path: Path) -> None:
    assert spec(tmp_path, "binary", "").packages == "ours"
    assert spec(tmp_path, "binary", "", "packages: own\n").packages == "own"
    with pytest.raises(UsageError, match=r'gates.yaml:3: packages: "owns" is none of .*did you mean "own"'):
        spec(tmp_path, "binary", "", "packages: owns\n")
