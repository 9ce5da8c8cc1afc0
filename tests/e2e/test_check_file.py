"""`gates check FILE` and `gates.check`: the first ten minutes of somebody else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
import yaml
from cli_runner import gates

import gates as package
from gates.errors import UsageError
from gates.plan.init import render_workflow
from gates.plan.spec import load_spec

ROOT = Path(__file__).resolve().parents[2]

N = 6_000


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    z = rng.normal(0, 1.5, N)
    p = 1 / (1 + np.exp(-z))
    return pd.DataFrame(
        {
            "y": (rng.random(N) < p).astype(int),
            "proba": p,
            "weaker": 1 / (1 + np.exp(-(z + rng.normal(0, 1.0, N)))),
            "segment": rng.choice(["plain", "ü\n| <b>", "../../etc"], N, p=[0.6, 0.39, 0.01]),
        }
    )


def check(tmp_path: Path, table: pd.DataFrame, *arguments: object) -> object:
    path = tmp_path / "preds.csv"
    table.to_csv(path, index=False)
    return gates("check", path, "-o", "json", *arguments)


def test_a_calibrated_model_is_allowed_and_nothing_is_written(tmp_path, frame):
    path = tmp_path / "preds.csv"
    frame[["y", "proba"]].to_csv(path, index=False)
    ran = gates("check", path, cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0] == 'label: column "y", by its name'
    assert "ALLOW" in ran.out
    assert "assumes independent rows" in ran.out
    assert "a promotion would require besides" in ran.out
    assert "parity (mismatch, missing, one_table, pairs)" in ran.out
    assert [item.name for item in tmp_path.iterdir()] == ["preds.csv"]


def test_an_over_confident_model_is_denied_for_calibration(tmp_path, frame):
    sharp = frame.assign(proba=1 / (1 + np.exp(-2.5 * np.log(frame.proba / (1 - frame.proba)))))
    ran = check(tmp_path, sharp[["y", "proba"]])
    assert ran.code == 1
    assert "calibration.ece" in ran.denying


def test_a_worse_candidate_is_denied_against_the_champion_and_the_swap_is_allowed(tmp_path, frame):
    table = frame.assign(champion=frame.proba, proba=frame.weaker)
    ran = check(tmp_path, table[["y", "proba", "champion"]])
    assert ran.code == 1
    assert {"regression.auc_vs_champion", "regression.log_loss_vs_champion"} <= ran.denying
    better = check(tmp_path, frame[["y", "proba"]].assign(champion=frame.weaker))
    assert better.code == 0
    checks = {row["check"]: row["status"] for row in better.json["rows"]}
    assert checks["regression.auc_vs_champion"] == "pass"


def test_a_champion_in_another_file_gives_the_same_figures_as_a_column(tmp_path, frame):
    own = frame[["y", "proba"]].assign(id=np.arange(N))
    other = frame[["y"]].assign(score=frame.weaker, id=np.arange(N)).sample(frac=1, random_state=1)
    other.to_csv(tmp_path / "other.csv", index=False)
    split = check(tmp_path, own, "--champion", tmp_path / "other.csv", "--key-column", "id")
    joined = check(tmp_path, own.assign(champion=frame.weaker))
    assert split.code == joined.code == 0

    def figures(ran):
        return {(r["check"], str(r.get("item"))): r["figure"]["estimate"] for r in ran.json["rows"] if r.get("figure")}

    assert figures(split) == pytest.approx(figures(joined), abs=1e-12)


def test_slices_are_judged_by_name_and_none_is_dropped(tmp_path, frame):
    ran = check(tmp_path, frame, "--by", "segment", "--score", "proba")
    slices = {row["slice"].get("value") for row in ran.json["rows"]}
    assert slices == {None, "plain", "ü\n| <b>", "../../etc"}
    small = [row for row in ran.json["rows"] if row["slice"].get("value") == "../../etc"]
    assert {row["disposition"] for row in small} <= {"tolerated", "satisfied"}
    shown = gates("check", tmp_path / "preds.csv", "--by", "segment", "--score", "proba", "-v")
    assert "\x0a| <b>" not in shown.out


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        (lambda t: t.iloc[:0], 1, "unmeasured.empty_table"),
        (lambda t: t.assign(proba=t.proba.mask(t.index == 5)), 1, "unmeasured.nan_scores"),
        (lambda t: t.assign(y=1), 1, "unmeasured.one_class"),
        (lambda t: t.iloc[:1], 1, "unmeasured.one_class"),
    ],
)
def test_data_that_cannot_answer_deny_with_a_code(tmp_path, frame, change, code, reason):
    ran = check(tmp_path, change(frame[["y", "proba"]]))
    assert ran.code == code
    assert reason in ran.denying


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.assign(proba=t.proba + 0.5), "score.outside"),
        (lambda t: t.assign(proba=t.proba.mask(t.index == 3, 1e308)), "score.outside"),
        (lambda t: t.assign(proba=t.proba.mask(t.index == 3, float("inf"))), "score.outside"),
        (lambda t: t.assign(proba=(t.proba > 0.5).astype(int)), "score.classes"),
        (lambda t: t[["y"]], "guess.score"),
        (lambda t: t.assign(y=np.arange(len(t))), "guess.label"),
    ],
)
def test_what_the_caller_can_mend_is_a_usage_error_of_one_line(tmp_path, frame, change, said):
    ran = check(tmp_path, change(frame[["y", "proba"]]))
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("content", [None, b"", b"PAR1garbagePAR1", b"\x00\xff\x00junk", b"a,b\n1\n"])
def test_a_path_that_is_no_table_is_a_usage_error(tmp_path, content):
    path = tmp_path / "ü '\" [*].csv"
    if content is not None:
        path.write_bytes(content)
    ran = gates("check", path)
    assert ran.code == 2, ran.out + ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "arguments",
    [("--at", "2020-01-01T00:00:00Z"), ("--key", "k.pem"), ("--candidate", "models:/a/1"), ("-e", "staging")],
)
def test_what_belongs_to_a_spec_is_refused_and_not_ignored(tmp_path, frame, arguments):
    ran = check(tmp_path, frame[["y", "proba"]], *arguments)
    assert ran.code == 2
    assert "a file is judged" in ran.err


@pytest.mark.parametrize("arguments", [("--positive", "yes"), ("--key-column", "id"), ("--label", "y")])
def test_what_belongs_to_a_file_is_refused_with_a_spec(tmp_path, arguments):
    ran = gates("check", *arguments, cwd=tmp_path)
    assert ran.code == 2
    assert "belongs to `gates check FILE`" in ran.err


def test_an_answer_that_cannot_be_written_is_a_usage_error(tmp_path, frame):
    ran = check(tmp_path, frame[["y", "proba"]], "--json", tmp_path / "nowhere" / "a.json")
    assert ran.code == 2
    assert "nowhere" in ran.err
    assert "Traceback" not in ran.err


def test_an_empty_champion_is_denied_with_its_code(tmp_path, frame):
    (tmp_path / "champion.csv").write_text("y,proba\n")
    ran = check(tmp_path, frame[["y", "proba"]], "--champion", tmp_path / "champion.csv")
    assert ran.code == 1, ran.err
    assert "unmeasured.empty_table" in ran.denying


def test_the_same_from_python_with_frames_and_arrays(frame):
    by_name = package.check(frame, label="y", score="proba", champion="weaker")
    by_array = package.check(label=frame.y.to_numpy(), score=frame.proba.to_numpy(), champion=frame.weaker.to_numpy())
    assert by_name.allowed, by_name
    assert by_array.allowed, by_array
    estimates = [{(m.check, m.item): m.estimate for m in r.measurements} for r in (by_name, by_array)]
    assert estimates[0] == estimates[1]
    assert by_name.schema_version == "v1"


def test_a_failing_assertion_says_what_is_wrong(frame):
    result = package.check(label=frame.y, score=frame.proba**3)
    assert not result.allowed
    with pytest.raises(AssertionError, match=r"calibration\.ece"):
        assert result.allowed, str(result)
    assert "DENY" in repr(result)


def test_percents_text_labels_and_two_columns_are_understood(frame):
    table = pd.DataFrame({"churn": np.where(frame.y == 1, "yes", "no"), "score": frame.proba * 100})
    plain = package.check(frame[["y", "proba"]])
    guessed = package.check(table)
    assert "percents" in str(guessed)
    assert {m.check: m.estimate for m in guessed.measurements if m.item is None} == pytest.approx(
        {m.check: m.estimate for m in plain.measurements if m.item is None}, abs=1e-9
    )
    two = package.check(pd.DataFrame({"target": frame.y, "proba_0": 1 - frame.proba, "proba_1": frame.proba}))
    assert two.allowed, two


@pytest.mark.parametrize("column", ["y", "proba", "old"])
@pytest.mark.parametrize("part", ["by", "cluster"])
def test_outcome_and_scores_are_no_slices_and_no_clusters(tmp_path, frame, part, column):
    """Of the rows where it happened every honest score is too low: a good model would be proven bad."""
    table = frame[["y", "proba"]].assign(old=frame.proba)
    named = "label" if column == "y" else "score"
    with pytest.raises(UsageError) as caught:
        package.check(table, champion="old", **{part: column})
    assert caught.value.code == f"check.{part}"
    assert caught.value.message == f'{part}: "{column}" is the {named}, and cannot be both'
    assert caught.value.remedy.endswith(f'the {named}: {named}="COLUMN"')
    ran = check(tmp_path, table, "--champion", "old", f"--{part}", column)
    assert ran.code == 2
    assert f"the {named}: --{named} COLUMN" in " ".join(ran.err.split())


def test_python_is_told_arguments_and_the_command_line_options(tmp_path, frame):
    labels = np.where(frame.y == 1, "blue", "red")
    table = pd.DataFrame({"y": labels, "score": frame.proba, "proba": frame.proba})
    asked = {
        'positive="red"': {"score": "proba"},
        'score="score"': {"positive": "red"},
        'label="COLUMN"': {"label": "proba", "score": "score"},
    }
    for said, given in asked.items():
        with pytest.raises(UsageError) as caught:
            package.check(table, **given)
        assert said in caught.value.remedy
        assert "--" not in str(caught.value)
        ran = check(tmp_path, table, *(word for name, value in given.items() for word in (f"--{name}", value)))
        assert ran.code == 2
        assert f"--{said.replace('=', ' ')}".replace('"COLUMN"', "COLUMN") in " ".join(ran.err.split())
    besides = " ".join(package.check(frame[["y", "proba"]]).besides)
    assert 'cluster="COLUMN"' in besides
    assert "--" not in besides


def test_arrays_that_do_not_fit_are_usage_errors(frame):
    with pytest.raises(UsageError, match="lengths"):
        package.check(label=frame.y, score=frame.proba[:5])
    with pytest.raises(UsageError, match="shape"):
        package.check(label=frame.y, score=frame[["proba", "weaker"]].to_numpy())
    with pytest.raises(UsageError, match="nothing to check"):
        package.check()
    for data in (frame.proba.to_numpy(), frame[["y", "proba"]].to_dict("list"), 5):
        with pytest.raises(UsageError, match="not a table"):
            package.check(data)
    with pytest.raises(UsageError, match="two columns"):
        package.check(frame[["y", "proba", "proba"]])
    with pytest.raises(UsageError, match="no column 3"):
        package.check(frame, label=3)


def test_arrow_tables_and_columns_are_taken(frame):
    table = pa.Table.from_pandas(frame)
    whole = package.check(table, label="y", score="proba")
    columns = package.check(label=table.column("y"), score=table.column("proba"))
    estimates = [{(m.check, m.item): m.estimate for m in r.measurements} for r in (whole, columns)]
    assert estimates[0] == estimates[1]


def test_polars_tables_and_columns_are_taken(frame):
    named = frame.assign(town=np.where(np.arange(len(frame)) % 2, "a", "b"))
    table = polars.DataFrame({name: named[name].to_numpy() for name in named.columns})
    whole = package.check(table, label="y", score="proba", by="town")
    columns = package.check(label=table["y"], score=table["proba"])
    assert whole.measurements == package.check(named, label="y", score="proba", by="town").measurements
    assert {str(m.slice) for m in whole.measurements} >= {"town=a", "town=b"}
    assert columns.measurements == package.check(label=frame.y, score=frame.proba).measurements


def test_a_table_that_is_not_collected_yet_says_so(frame):
    table = polars.DataFrame({name: frame[name].to_numpy() for name in ("y", "proba")})
    for data, champion in ((table.lazy(), None), (table, table.lazy())):
        with pytest.raises(UsageError, match=r"pass what \.collect\(\) returns"):
            package.check(data, label="y", score="proba", champion=champion)


def test_what_is_wrong_with_a_champions_table_names_no_file_that_nobody_gave(frame):
    own, rival = frame[["y", "proba"]], frame[["proba"]]
    with pytest.raises(UsageError) as refused:
        package.check(own, label="y", score="proba", champion=rival)
    assert (refused.value.code, refused.value.where) == ("key.none", "champion's DataFrame")
    found = package.check(own, label="y", score="proba", champion=own)
    assert "gates-check-" not in repr(found) + str(found)


def test_a_champion_of_another_table_is_not_guessed_beside_it(frame):
    both = frame.assign(champion=0.5)
    said = package.check(both, label="y", score="proba", champion=frame[["y", "proba"]]).said
    assert [line for line in said if line.startswith("champion's scores")] == ['champion\'s scores: column "proba"']


def test_a_notebook_shows_the_answer(frame):
    shown = package.check(frame, label="y", score="proba")._repr_markdown_()
    assert "ALLOW" in shown
    assert "| verdict | check |" in shown


def test_tables_and_scores_as_arrays_have_them(frame):
    numbered = pd.DataFrame(frame[["y", "proba"]].to_numpy())
    plain, two = (
        package.check(numbered, label=0, score=1),
        package.check(label=frame.y, score=np.column_stack([1 - frame.proba, frame.proba])),
    )
    estimates = [{(m.check, m.item): m.estimate for m in r.measurements} for r in (plain, two)]
    assert estimates[0] == estimates[1]


def test_what_was_asked_of_a_file_is_saved_as_a_spec_and_a_workflow(tmp_path, frame):
    folder = tmp_path / "repository"
    folder.mkdir()
    name = "my preds'; rm.csv"
    frame[["y", "proba", "segment"]].to_csv(folder / name, index=False)
    asked = ("check", name, "--label", "y", "--by", "segment")
    ran = gates(*asked, "--save", cwd=folder)
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written == {name, "gates.yaml", ".github/workflows/gates.yml"}
    spec = load_spec(folder)
    assert spec.columns.label == "y"
    assert spec.columns.score == "proba"
    assert spec.slices == ("segment",)
    assert spec.tables.predictions.uri == name
    workflow = yaml.safe_load((folder / ".github/workflows/gates.yml").read_text())
    job = workflow["jobs"]["check"]
    assert job["permissions"] == {"contents": "read"}
    # What the job runs, by bash, with a `gates` that writes down what it was given: the same question.
    (folder / "gates").write_text('#!/bin/bash\nprintf "%s\\n" "$@" >given\n')
    (folder / "gates").chmod(0o755)
    step = job["steps"][-1]
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "GITHUB_STEP_SUMMARY": str(folder / "summary"), **step["env"]}
    subprocess.run(["bash", "-e", "-c", step["run"]], cwd=folder, env=environment, check=True)
    given = (folder / "given").read_text().splitlines()
    assert given == ["check", name, "--label", "y", "--by", "segment", "-o", "markdown"]
    assert ran.code == gates(*given, cwd=folder).code
    again = gates(*asked, "--save", cwd=folder)
    assert again.code == 2
    assert "save.exists" in again.err


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [
        ("p.csv", ("--label", "${{ secrets.KEY }}"), "save.word"),
        ("../p.csv", (), "save.outside"),
        ("p.csv", ("--champion", "/srv/champion.csv"), "save.outside"),
    ],
)
def test_what_cannot_stand_in_a_workflow_is_refused_before_anything_is_read(tmp_path, name, words, code):
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / name).write_text("y,proba\n1,0.5\n")
    ran = gates("check", name, *words, "--save", cwd=folder)
    assert ran.code == 2
    assert code in ran.err
    assert [path.name for path in folder.iterdir() if path.name != "p.csv"] == []


def test_the_saved_workflow_pins_the_actions_of_this_repository():
    own = (ROOT / ".github/workflows/pr-gate.yml").read_text()
    used = [
        step["uses"] for step in yaml.safe_load(render_workflow(["p.csv"]))["jobs"]["check"]["steps"] if "uses" in step
    ]
    assert len(used) == 2
    for action in used:
        assert action in own
