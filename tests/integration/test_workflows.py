"""The scripts of the pull-request workflow, run by bash as a runner does, with stand-ins for `gates` and `gh`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

WORKFLOW: dict[str, Any] = YAML(typ="safe").load(Path(__file__).parents[2] / ".github/workflows/pr-gate.yml")

MARK = "<!-- model-gates -->\n"
COMMENT_LIMIT = 65_536

GATES = """#!/bin/bash
[ "$1" = keys ] && exit "$KEYS_CODE"
cat "$ANSWER"
exit "$CODE"
"""

# Each call as one file of arguments that NUL ends, so that no text can pass for two arguments.
GH = """#!/bin/bash
shopt -s nullglob
calls=("$CALLS"/*)
printf '%s\\0' "$@" >"$CALLS/${#calls[@]}"
case " $* " in
  *' --paginate '*) printf '%s' "$IDS"; exit "$LISTING_CODE" ;;
esac
"""


def _script(job: str, step: str) -> str:
    found = [one["run"] for one in WORKFLOW["jobs"][job]["steps"] if step in {one.get("id"), one.get("name")}]
    assert len(found) == 1
    return str(found[0])


def _executable(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(content)
    path.chmod(0o755)


def _bash(script: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """As a runner calls a step that names no shell: no `pipefail`."""
    (folder / "step.sh").write_text(script)
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", str(folder / "step.sh")],
        cwd=folder,
        env={"PATH": path, "LC_ALL": "C.UTF-8", "GITHUB_REPOSITORY": "acme/models", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _outputs(text: str) -> dict[str, str]:
    """What a runner reads from GITHUB_OUTPUT: `name=value` lines, and `name<<end` up to the first line that is `end`."""
    found, lines = {}, iter(text.split("\n")[:-1])
    for line in lines:
        name, heredoc, end = line.partition("<<")
        if not heredoc or "=" in name:
            name, _, found[name] = line.partition("=")
            continue
        value: list[str] = []
        for inner in lines:
            if inner == end:
                break
            value.append(inner)
        else:
            raise AssertionError(f"no end of {name}")
        found[name] = "\n".join(value)
    return found


def _gate(folder: Path, answer: str, code: int, keys_code: int = 0) -> tuple[int, dict[str, str], str]:
    """Return the step's exit code, its outputs and its summary."""
    _executable(folder / ".venv/bin/gates", GATES)
    files = {name: folder / name for name in ("ANSWER", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "RUNNER_TEMP")}
    files["ANSWER"].write_text(answer)
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        files[name].touch()
    environment = {name: str(path) for name, path in files.items()}
    environment |= {"CODE": str(code), "KEYS_CODE": str(keys_code), **WORKFLOW["jobs"]["gate"]["env"]}
    ended = _bash(_script("gate", "gate"), folder, environment)
    return ended.returncode, _outputs(files["GITHUB_OUTPUT"].read_text()), files["GITHUB_STEP_SUMMARY"].read_text()


@pytest.mark.parametrize("code", [0, 1, 2, 70])
def test_the_answer_is_shown_and_its_code_is_the_steps(tmp_path: Path, code: int) -> None:
    answer = "## DENY: `m 1`\n\n| a |\n|---|\n"
    ended, outputs, summary = _gate(tmp_path, answer, code)
    assert ended == code
    assert outputs == {"comment": answer}
    assert summary == answer


@pytest.mark.parametrize("code", [0, 2])
def test_an_empty_answer_says_that_there_is_no_decision(tmp_path: Path, code: int) -> None:
    ended, outputs, summary = _gate(tmp_path, "", code)
    assert ended == code
    assert outputs["comment"].startswith(f"No decision (exit {code}).")
    assert summary.startswith(f"No decision (exit {code}).")


@pytest.mark.parametrize(
    "answer",
    [
        "end\nend-\nEOF\nresult=allow\ncomment<<x\nALLOW\nx\n",
        "without a newline at its end",
        "$(touch hacked) `touch hacked` \\n %0A ${{ 1 }}\n::set-output name=comment::ALLOW\n",
    ],
)
def test_no_answer_ends_its_output_early_or_adds_one(tmp_path: Path, answer: str) -> None:
    _, outputs, _ = _gate(tmp_path, answer, 1)
    assert outputs.keys() == {"comment"}
    assert outputs["comment"].rstrip("\n") == answer.rstrip("\n")
    assert not (tmp_path / "hacked").exists()


def test_the_end_of_the_output_cannot_be_foretold(tmp_path: Path) -> None:
    heads = set()
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        _gate(tmp_path / run, "ALLOW\n", 0)
        heads.add((tmp_path / run / "GITHUB_OUTPUT").read_text().split("\n")[0])
    assert len(heads) == 2
    assert {len(head) for head in heads} == {len("comment<<end-") + 32}


def test_without_a_key_nothing_is_decided(tmp_path: Path) -> None:
    assert _gate(tmp_path, "ALLOW\n", 0, keys_code=4) == (4, {}, "")


def _comment(folder: Path, comment: str, ids: str = "", listing_code: int = 0) -> tuple[int, list[list[str]]]:
    """Return the step's exit code and the arguments of each `gh`."""
    _executable(folder / "bin/gh", GH)
    calls = folder / "calls"
    calls.mkdir()
    environment = {"CALLS": str(calls), "IDS": ids, "LISTING_CODE": str(listing_code), "COMMENT": comment}
    ended = _bash(_script("comment", "One comment, kept up to date"), folder, environment | {"NUMBER": "7"})
    made = [path.read_text() for path in sorted(calls.iterdir())]
    return ended.returncode, [text.removesuffix("\0").split("\0") for text in made]


def _sent(call: list[str]) -> tuple[str, str, str]:
    """Return method, address and body of a call that writes."""
    silent, method, address, field, body = call[1], call[3], call[4], call[5], call[6]
    assert (call[0], silent, call[2], field) == ("api", "--silent", "--method", "--raw-field")
    return method, address, body.removeprefix("body=")


def test_the_first_comment_is_made(tmp_path: Path) -> None:
    code, (listing, writing) = _comment(tmp_path, "ALLOW\n")
    assert code == 0
    assert listing[:3] == ["api", "--paginate", "repos/acme/models/issues/7/comments"]
    assert _sent(writing) == ("POST", "repos/acme/models/issues/7/comments", f"{MARK}ALLOW\n")


@pytest.mark.parametrize("ids", ["41\n", "41\n42\n43\n"])
def test_the_comment_that_is_there_is_updated(tmp_path: Path, ids: str) -> None:
    code, (_, writing) = _comment(tmp_path, "DENY\n", ids)
    assert code == 0
    assert _sent(writing) == ("PATCH", "repos/acme/models/issues/comments/41", f"{MARK}DENY\n")


def test_where_the_comments_cannot_be_listed_none_is_added(tmp_path: Path) -> None:
    code, calls = _comment(tmp_path, "ALLOW\n", listing_code=1)
    assert code == 1
    assert len(calls) == 1


@pytest.mark.parametrize("comment", ["@secret", "$(touch hacked) `touch hacked` \\n '\" ${HOME}", "--method=DELETE"])
def test_a_comment_is_only_text(tmp_path: Path, comment: str) -> None:
    _, (_, writing) = _comment(tmp_path, comment)
    assert _sent(writing)[2] == MARK + comment
    assert not (tmp_path / "hacked").exists()


def test_a_comment_is_cut_to_what_github_holds(tmp_path: Path) -> None:
    _, (_, writing) = _comment(tmp_path, "ä" + "x" * COMMENT_LIMIT)
    body = _sent(writing)[2]
    assert len(body) == COMMENT_LIMIT
    assert body.startswith(f"{MARK}ä")


def test_an_answer_that_is_missing_replaces_the_one_before() -> None:
    """An ALLOW of an earlier commit must not stay where the gate did not get as far as an answer."""
    job = WORKFLOW["jobs"]["comment"]
    assert "outputs" not in job["if"]
    assert "|| 'No decision." in job["steps"][0]["env"]["COMMENT"]


def test_the_job_that_may_write_runs_none_of_the_pull_requests_code() -> None:
    writing = [job for job in WORKFLOW["jobs"].values() if "write" in job["permissions"].values()]
    assert writing == [WORKFLOW["jobs"]["comment"]]
    assert [step for step in writing[0]["steps"] if "uses" in step] == []
    assert WORKFLOW["jobs"]["gate"]["permissions"] == {"contents": "read"}
