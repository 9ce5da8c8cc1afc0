"""gates.yaml: what is read, and what every mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.apply.serving.opening import open_serving
from gates.errors import UsageError
from gates.plan.placeholders import fill
from gates.plan.spec import load_spec

GOOD = """\
model: flights-delay
task: binary
registry: sqlite:///work/mlflow.db
candidate: models:/flights-delay@challenger
champion: models:/flights-delay/3
serving: {file: "work/serving/{environment}.json"}
columns: {label: late, key: [flight_id], time: scheduled, features: [dep, dist]}
cluster: day
slices: [carrier, origin]
tables:
  training: {uri: work/training.parquet}
  holdout:
    uri: work/holdout.parquet
    as_of: 2014-01-01T05:00:00Z
  online: {uri: "work/online-{version}.parquet"}
rollout: {production: [5, 25, 100]}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "gates.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def errors(folder: Path, text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        load_spec(write(folder, text))
    assert caught.value.exit_code == 2
    assert caught.value.code in {"spec.invalid", "spec.missing"}
    return str(caught.value).splitlines()


def test_a_good_spec_becomes_tables_and_columns(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, GOOD))
    assert [(table.role, table.uri, table.as_of_us) for table in spec.plan_tables()] == [
        ("training", "work/training.parquet", None),
        ("holdout", "work/holdout.parquet", 1_388_552_400_000_000),
        ("online", "work/online-{version}.parquet", None),
    ]
    columns = spec.plan_columns(("ignored",))
    assert (columns.label, columns.key, columns.features) == ("late", ("flight_id",), ("dep", "dist"))
    assert spec.rollout == {"production": (5, 25, 100)}


def test_the_signature_fills_in_for_features(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, GOOD.replace(", features: [dep, dist]", "")))
    assert spec.plan_columns(("dep", "hour")).features == ("dep", "hour")


def test_paths_count_from_the_file_and_placeholders_are_filled_where_meant(tmp_path: Path) -> None:
    folder = tmp_path / "sub dir"
    folder.mkdir()
    spec = load_spec(write(folder, GOOD))
    assert load_spec(folder) == spec
    assert spec.path("work/x.parquet") == folder / "work/x.parquet"
    assert spec.path("file:///data/a%20b.csv") == Path("/data/a b.csv")
    assert spec.uri("sqlite:///work/mlflow.db") == f"sqlite:///{folder}/work/mlflow.db"
    assert spec.uri("sqlite:////abs/mlflow.db") == "sqlite:////abs/mlflow.db"
    assert spec.uri("https://mlflow.example") == "https://mlflow.example"
    assert open_serving(spec, "staging").name == str(folder / "work/serving/staging.json")


@pytest.mark.parametrize("value", ["../7", "a/b", "a\\b", "..", ".", "", "a\x00"])
def test_a_placeholder_never_leaves_its_folder(value: str) -> None:
    with pytest.raises(UsageError, match="cannot be part of a path"):
        fill("online-{version}/x.csv", version=value)


def test_the_digest_forgets_comments_order_and_folder_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    digest = load_spec(write(tmp_path, GOOD)).digest
    lines = GOOD.splitlines()
    shuffled = "\n".join(["# a comment", "$schema: gates.v1.json", *lines[1:2], lines[0], *lines[2:]])
    assert load_spec(write(tmp_path / "other", shuffled)).digest == digest
    assert load_spec(write(tmp_path, GOOD.replace("[5, 25, 100]", "[6, 25, 100]"))).digest != digest
    assert load_spec(write(tmp_path, GOOD.replace("work/holdout", "work/other"))).digest != digest


def test_an_unknown_word_names_line_path_and_the_nearest_word(tmp_path: Path) -> None:
    text = GOOD.replace("  holdout:\n", "  holdot:\n")
    assert errors(tmp_path, text) == ['gates.yaml:12: tables.holdot: unknown word; did you mean "holdout"?']
    assert errors(tmp_path, GOOD + "regisrty: x\n") == [
        'gates.yaml:17: regisrty: unknown word; did you mean "registry"?'
    ]


def test_a_spec_with_nothing_to_score_is_refused(tmp_path: Path) -> None:
    lines = GOOD.splitlines(keepends=True)
    assert errors(tmp_path, "".join(lines[:11] + lines[14:])) == [
        "gates.yaml:10: tables: a holdout or a predictions table is needed"
    ]


def test_all_errors_come_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = """\
model: 7
task: binray
columns: {label: late, key: id, features: [late]}
cluster: day
rows: independent
slices: [a, a]
tables:
  training: {url: x.parquet}
  holdout: {uri: "{environment}.parquet", as_of: 2014-01-01}
  online: [1]
rollout: {Production: [5], staging: [5.5], development: [100, 5]}
"""
    found = errors(tmp_path, text)
    assert found[:8] == [
        "gates.yaml:1: model: must be text, is a whole number; write it in quotes",
        'gates.yaml:2: task: "binray" is none of binary, multiclass or numeric; did you mean "binary"?',
        "gates.yaml:3: columns.key: must be a list, is text",
        'gates.yaml:3: columns.features: the label "late" is among the features: the model would read the answer',
        "gates.yaml:5: rows: rows are independent or in clusters, not both",
        'gates.yaml:6: slices: "a" is named twice',
        "gates.yaml:8: tables.training.uri: missing",
        'gates.yaml:8: tables.training.url: unknown word; did you mean "uri"?',
    ]
    assert found[8] == "gates.yaml:9: tables.holdout.uri: {environment} is not filled in here; only {version}"
    assert found[9].startswith("gates.yaml:9: tables.holdout.as_of: has no time zone; write it like")
    assert found[10] == "gates.yaml:10: tables.online: must be a mapping of names to values, is a list"
    assert {line.split(": ")[0] for line in found[11:]} == {"gates.yaml:11"}


@pytest.mark.parametrize("word", ["limits", "thresholds", "tolerance", "ceiling"])
def test_a_limit_cannot_be_said(tmp_path: Path, word: str) -> None:
    (line,) = errors(tmp_path, GOOD + f"{word}: {{calibration.ece: 0.5}}\n")
    assert line == (f"gates.yaml:17: {word}: no limits here; limits are the policy owners', in the policies folder")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model: a\nmodel: b\n", "gates.yaml:2: not valid YAML: found duplicate key"),
        ("model: [1\n", "gates.yaml:2: not valid YAML:"),
        ("model: !!python/object:os.system x\n", "gates.yaml:1: model: only text, numbers"),
        ("model: a\n---\nmodel: b\n", "gates.yaml:2: not valid YAML:"),
        ("a: &a\n  b: *a\n", "gates.yaml:1: model: missing"),
        ("- 1\n", "gates.yaml:1: must be a mapping"),
        ("5: x\n", "gates.yaml:1: 5: a name here is text"),
        ("", "gates.yaml:1: model: missing"),
        ("model: 'a\x07b'\n", "gates.yaml"),
    ],
)
def test_bad_yaml_is_one_line_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    assert errors(tmp_path, text)[0].startswith(expected)


def test_a_page_of_aliases_is_refused_quickly(tmp_path: Path) -> None:
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    text += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    assert "too large" in errors(tmp_path, text)[0]


def test_not_utf8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "gates.yaml"
    path.write_bytes(b"model: a\ntask: \xff\n")
    with pytest.raises(UsageError, match=r"gates\.yaml:2: not UTF-8"):
        load_spec(path)


def test_a_missing_file_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gates init writes one"):
        load_spec(tmp_path / "nowhere.yaml")


def test_anchors_merge_and_yaml_1_2_words_are_fine(tmp_path: Path) -> None:
    text = GOOD.replace("columns: {label: late,", "columns: {label: no,").replace(
        "  training: {uri: work/training.parquet}", "  training: &t {uri: work/all.parquet}\n  offline: {<<: *t}"
    )
    spec = load_spec(write(tmp_path, text))
    assert spec.columns.label == "no"
    assert spec.tables.offline == spec.tables.training


@pytest.mark.parametrize(
    "uri", ["models:/a", "models:a/1", "a/1", "models:/a/1/2", "models:/a@", "runs:/x/model", "models:/../x/1"]
)
def test_a_candidate_is_a_version_or_an_alias(tmp_path: Path, uri: str) -> None:
    (line,) = errors(tmp_path, GOOD.replace("models:/flights-delay@challenger", uri))
    assert line.startswith("gates.yaml:4: candidate:")


@pytest.mark.parametrize(
    "uri", ["{foo}.csv", "{version:>9}.csv", "{version!r}.csv", "a}.csv", "{{version}}.csv", "{}.csv"]
)
def test_only_the_known_placeholder_is_filled_in(tmp_path: Path, uri: str) -> None:
    (line,) = errors(tmp_path, GOOD.replace("work/training.parquet", f'"{uri}"'))
    assert line.startswith("gates.yaml:11: tables.training.uri:")
