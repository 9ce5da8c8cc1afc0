"""Own measurements from end to end: every command of docs/own-measurements.md, and what goes wrong with them."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from cli_runner import Ran
from small_world import World

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own"
PAGE = ROOT / "docs" / "own-measurements.md"


def install(folder: Path, into: Path) -> None:
    """What an installer does with the example's pyproject.toml, as far as entry points go."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = into / f"acme_measures-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = project["entry-points"]
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(lines))
    shutil.copy(folder / "measures.py", into / "measures.py")


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    into = tmp_path / "site"
    install(EXAMPLE, into)
    monkeypatch.syspath_prepend(into)
    yield into
    sys.modules.pop("measures", None)


@pytest.fixture
def own(world: World, functions: Path) -> World:
    """The world with the example's policies in force in staging."""
    shutil.copytree(EXAMPLE, world.folder / "own")
    shutil.copytree(EXAMPLE / "policies", world.folder / "policies", dirs_exist_ok=True)
    active = world.run("policy", "activate", "-e", "staging", "--reason", "own", "--key", "owner.pem")
    assert active.code == 0, active.err
    return world


def commands() -> Iterator[tuple[list[str], list[str]]]:
    """The page's commands in their order, each with the lines that it says the command prints."""
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for command in re.split(r"^\$ ", "".join(blocks), flags=re.MULTILINE)[1:]:
        line, *shown = command.rstrip().splitlines()
        program, *arguments = line.split()
        assert program == "gates"
        yield arguments, shown


def measured(world: World) -> Ran:
    return world.run("measure", "-e", "staging", "--out", "evidence", "-o", "json")


def record(world: World, *arguments: object) -> Ran:
    return world.run("record", *arguments, "--to", "evidence", "-o", "json")


def test_every_command_of_the_page_prints_what_the_page_says(own: World) -> None:
    shown_by = {}
    for arguments, shown in commands():
        if arguments[0] == "decide":
            break
        ran = own.run(*arguments)
        assert ran.code == 0, (arguments, ran.out + ran.err)
        for line in shown:
            assert line in ran.out, (arguments, ran.out)
        shown_by[" ".join(arguments[:2])] = ran
    sealed = shown_by["seal evidence"].out.strip()
    decided = own.run(
        "decide", "-e", "staging", "--bundle", sealed, "--key", "applier.pem", "-o", "json", "--reason", "r"
    )
    assert decided.code == 0, decided.out + decided.err
    rows = {row["check"]: row for row in decided.json["rows"] if row["check"].startswith("own.")}
    assert len(rows) == 12
    # The bare number is the one thing that is not proven, and the answer says so.
    assert decided.json["basis"] == "provisional"
    assert {check for check, row in rows.items() if row["disposition"] != "satisfied"} == {"own.f1_score"}
    assert rows["own.f1_score"]["code"] == "own.f1_score.point"
    assert "Record counts" in rows["own.f1_score"]["remedy"]
    assert own.run("verify").code == 0
    assert own.run("explain", "own.f1_score.point").code == 0


def test_the_function_and_the_limits_of_the_page_are_those_of_the_example() -> None:
    blocks = dict(
        re.findall(r"^```(python|toml)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    )
    function = blocks["python"][blocks["python"].index("def precision") :]
    assert function in (EXAMPLE / "measures.py").read_text(encoding="utf-8")
    entry_points = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"]
    for group, points in tomllib.loads(blocks["toml"])["project"]["entry-points"].items():
        assert points.items() <= entry_points[group].items()


def test_a_check_that_nobody_measured_denies_and_one_that_nobody_defined_is_unknown(own: World) -> None:
    assert measured(own).json["gates"][-1] == "own"
    assert record(own, "escalations", "--successes", "3", "--n", "400").json["unasked"] == []
    stray = record(own, "elsewhere", "--successes", "3", "--n", "400").json
    assert stray["unasked"] == ["own.elsewhere"]
    sealed = own.run("seal", "evidence", "-e", "staging", "--key", "measurer.pem").out.strip()
    decided = own.run("decide", "-e", "staging", "--bundle", sealed, "-o", "json")
    assert decided.code == 1
    missing = {row["check"] for row in decided.json["rows"] if row["code"] == "check.missing"}
    assert {"own.minutes", "own.f1_score"} <= missing
    assert not missing & {"own.escalations", "own.precision"}
    assert "own.elsewhere" not in {row["check"] for row in decided.json["rows"]}
    own.edit("rollout:", "extra: [{check: own.elsewhere}]\nrollout:")
    unknown = own.run("check", "-e", "staging", "--key", "measurer.pem", "-o", "json")
    assert ("own.elsewhere", "check.unknown") in {(row["check"], row["code"]) for row in unknown.json["rows"]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise RuntimeError('no connection')", "RuntimeError: no connection"),
        ("return 0.7", "returned float"),
        ("return Values([0.1, float('nan')])", "1 of 2 values are missing"),
    ],
)
def test_a_function_that_fails_is_unmeasured_and_the_others_go_on(
    own: World, functions: Path, body: str, said: str
) -> None:
    source = (functions / "measures.py").read_text()
    (functions / "measures.py").write_text(f"{source}\n\ndef precision(given):\n    {body}\n")
    assert measured(own).code == 0
    evidence = json.loads((own.folder / "evidence" / "evidence" / "own.json").read_text())
    found = {m["check"]: m for m in evidence["measurements"]}
    assert found["own.precision"]["reason"] == "gate_failed"
    assert found["own.surprise"]["status"] == "measured"
    [note] = evidence["attachments"]
    assert said in (own.folder / "evidence" / "notes" / note["digest"].removeprefix("sha256:")).read_text()


def test_the_figures_of_the_functions_are_those_of_the_holdout(own: World) -> None:
    assert measured(own).code == 0
    evidence = json.loads((own.folder / "evidence" / "evidence" / "own.json").read_text())
    found = {m["check"]: m for m in evidence["measurements"]}
    holdout = pd.read_parquet(own.folder / "holdout.parquet")
    # Version 2 looks at x, and selects nearly where x is above 0.
    assert found["own.precision"]["estimate"] == pytest.approx(holdout[holdout.x > 0].y.mean(), abs=0.02)
    assert found["own.surprise"]["n"] == len(holdout)
    assert "measures:precision" in {param["value"].split()[-1] for param in found["own.precision"]["params"]}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("x",), 2, "in one way"),
        (("x", "--successes", "1"), 2, "of how many rows"),
        (("x", "--successes", "1", "--n", "2", "--sum", "1"), 2, "in one way"),
        (("x", "--successes", "1", "--n", "2", "--column", "c"), 2, "--column does not go"),
        (("x", "--successes", "3", "--n", "2"), 2, "3 of 2 is no share"),
        (("x", "--sum", "3", "--n", "2"), 2, "--sum-squares"),
        (("x", "--sum", "30", "--sum-squares", "1", "--n", "2"), 2, "sum of squares is less"),
        (("x", "--sum", "nan", "--sum-squares", "1", "--n", "2"), 2, "not a finite number"),
        (("../x", "--successes", "1", "--n", "2"), 2, "no name of a check"),
        (("calibration.ece", "--successes", "1", "--n", "2"), 2, "no name of a check"),
        (("--successes", "1", "--n", "2"), 2, "name the check"),
        (("x", "--successes", "1", "--n", "2", "--planned", "0"), 2, "a stream of no rows"),
        (("x", "--values", "own/minutes.csv", "--planned", "9", "--cluster", "agent"), 2, "rows that hang together"),
        (("x", "--successes", "1", "--n", "2", "--planned", "9", "--cluster", "agent"), 2, "rows that hang together"),
        (("--from", "json", "own/agreement.json", "--planned", "9"), 2, "--planned does not go"),
        (("x", "--values", "nowhere.csv"), 2, "nowhere.csv"),
        (("x", "--values", "own/minutes.csv"), 2, "which of case, agent, minutes"),
        (("x", "--values", "own/minutes.csv", "--column", "minuts"), 2, "minutes"),
        (("x", "--values", "own/minutes.csv", "--column", "case"), 2, "of type"),
        (("x", "--values", "own/minutes.csv", "--column", "minutes", "--range", "0", "1"), 2, "outside the range"),
        (("--from", "json", "nowhere.json"), 2, "cannot be read"),
        (("--from", "json", "own/metrics.json"), 3, "record.invalid"),
        (("--from", "json", "foreign.json"), 3, "own.* only"),
        (("--from", "json", "short.json"), 3, "record.invalid"),
        (("other", "--from", "json", "own/agreement.json"), 3, "no such measurement"),
        (("--from", "junit", "own/metrics.json"), 3, "not JUnit XML"),
        (("--from", "nunit", "own/metrics.json"), 2, "nunit"),
    ],
)
def test_what_is_refused_writes_nothing(refused: World, arguments: tuple[str, ...], code: int, said: str) -> None:
    before = sorted(refused.folder.glob("evidence/**/*"))
    ran = record(refused, *arguments)
    assert ran.code == code, ran.out + ran.err
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert sorted(refused.folder.glob("evidence/**/*")) == before


@pytest.fixture(scope="module")
def refused(measured: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world with measured evidence, that none of the refusals changes."""
    world = measured.copy(tmp_path_factory.mktemp("refused"))
    shutil.copytree(EXAMPLE, world.folder / "own")
    [agreement] = json.loads((EXAMPLE / "agreement.json").read_text())
    (world.folder / "foreign.json").write_text(json.dumps([{**agreement, "check": "calibration.ece"}]))
    (world.folder / "short.json").write_text(json.dumps([{**agreement, "bounds": agreement["bounds"][:3]}]))
    assert world.run("measure", "-e", "staging", "--out", "evidence").code == 0
    return world


def test_nothing_is_recorded_twice_or_beside_nothing(refused: World, tmp_path: Path) -> None:
    world = World(refused.folder, refused.ledger, refused.environ)
    shutil.copytree(world.folder / "evidence", world.folder / "again")
    first = world.run("record", "x", "--successes", "1", "--n", "2", "--to", "again")
    assert first.code == 0, first.err
    second = world.run("record", "x", "--sum", "1", "--sum-squares", "2", "--n", "2", "--to", "again")
    assert second.code == 2
    assert "recorded here already" in second.err
    assert world.run("record", "x", "--successes", "1", "--n", "2", "--to", "nowhere").code == 2


def test_figures_of_other_gates_cannot_come_in_without_their_table(refused: World) -> None:
    shutil.copytree(refused.folder / "evidence", refused.folder / "forged")
    path = refused.folder / "forged" / "evidence" / "calibration.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "tables": []}))
    sealed = refused.run("seal", "forged", "-e", "staging", "--key", "measurer.pem")
    assert sealed.code == 3
    assert "bundle.holdout" in sealed.err
