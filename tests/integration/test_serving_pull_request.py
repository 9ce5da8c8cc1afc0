"""The manifest's pull request: opened once, brought up to date, merged by people, withdrawn where it is not wanted."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulators.apply_world import MODEL, World, slot_in
from simulators.entries import release_of
from simulators.pull_requests import TOKEN, Forge, served
from simulators.serving_places import MANIFEST, Cluster

from gates.apply.promote import promote
from gates.apply.reconcile import reconcile
from gates.apply.serving.gitops import GitWords
from gates.apply.serving.interface import Unseen
from gates.apply.serving.kserve import KServeServing, KServeWords
from gates.apply.serving.opening import open_serving
from gates.apply.serving.pull_request import TOKEN_VARIABLE, PullRequestWords
from gates.apply.surfaces import Surfaces
from gates.errors import EngineError, UsageError
from gates.plan.spec import load_spec

URI = "s3://models/{model}/{version}"
BRANCH = "model-gates/staging"


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=ops", "-c", "user.email=ops@example.com", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    first, bare = tmp_path / "first", tmp_path / "origin.git"
    (first / "deploy").mkdir(parents=True)
    (first / "deploy" / "model.yaml").write_text(MANIFEST)
    git(tmp_path, "init", "-q", "-b", "main", str(first))
    git(first, "add", ".")
    git(first, "commit", "-q", "-m", "as it was")
    git(tmp_path, "clone", "-q", "--bare", str(first), str(bare))
    with served(bare) as forge:
        yield forge


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "gates")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "gates@example.com")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "world")
    world.begin()
    return world


def checkout(forge: Forge, name: str, status: Path | None = None) -> KServeServing:
    """What a job of its own has: a clone of depth 1."""
    folder = forge.bare.with_name(name)
    git(forge.bare.parent, "clone", "-q", "--depth=1", forge.bare.as_uri(), str(folder))
    words = GitWords(BRANCH, PullRequestWords("acme/deploy", "main", forge.address))
    return KServeServing(
        folder / "deploy" / "model.yaml", KServeWords(URI, str(status) if status else None, commit=True, git=words)
    )


def test_a_promotion_waits_for_the_merge_and_another_job_finishes_it(world: World, forge: Forge) -> None:
    status = forge.bare.with_name("status.json")
    first = checkout(forge, "one", status)
    Cluster(first.path, status).follow()
    decision = world.allowed("staging", 1)
    with pytest.raises(EngineError) as waits:
        promote(world.writer(), Surfaces(world.registry, first), decision)
    assert waits.value.code == "serving.converging"
    assert "https://github.com/acme/deploy/pull/1 is not merged" in waits.value.message
    assert world.registry.aliases(MODEL) == {"approved-staging": "1"}
    [pull] = forge.open
    assert pull["title"] == "Serve models:/flights/1 in staging"
    move = world.writer().read().open_intent(slot_in("staging"))
    assert move is not None
    assert move.after.release is not None
    assert f"Gates-Decision: {move.after.release.decision_digest}" in pull["body"]
    tip = forge.git("rev-parse", BRANCH)

    # The same from a fresh checkout makes another commit of the same manifest: what people looked at stays.
    with pytest.raises(EngineError):
        promote(world.writer(), Surfaces(world.registry, checkout(forge, "two", status)), decision)
    assert (forge.open, forge.git("rev-parse", BRANCH)) == ([pull], tip)

    forge.squash(pull)
    merged = checkout(forge, "three", status)
    Cluster(merged.path, status).follow()
    done = promote(world.writer(), Surfaces(world.registry, merged), decision)
    assert (done.status, len(forge.pulls)) == ("done", 1)
    assert world.registry.aliases(MODEL) == {"approved-staging": "1", "deployed-staging": "1"}


def test_what_is_undone_is_asked_for_no_more(world: World, forge: Forge) -> None:
    status = forge.bare.with_name("status.json")
    first = checkout(forge, "one", status)
    Cluster(first.path, status).follow()
    decision = world.allowed("staging", 1)
    with pytest.raises(EngineError):
        promote(world.writer(), Surfaces(world.registry, first), decision)
    forge.squash(forge.open[0])
    merged = checkout(forge, "two", status)
    Cluster(merged.path, status).follow()
    surfaces = Surfaces(world.registry, merged)
    promote(world.writer(), surfaces, decision)
    with pytest.raises(EngineError):
        promote(world.writer(), surfaces, world.allowed("staging", 2))
    assert [pull["title"] for pull in forge.open] == ["Serve models:/flights/2 in staging"]
    undone = reconcile(world.writer(), surfaces, slot_in("staging"), "undo")
    assert (undone.status, forge.open) == ("failed", [])


def test_one_pull_request_shows_what_is_wanted_now(world: World, forge: Forge) -> None:
    target = checkout(forge, "one")
    target.write(release_of("staging", (world.version(1), 100)))
    target.write(release_of("staging", (world.version(2), 100)))
    target.write(release_of("staging", (world.version(2), 100)))
    [pull] = forge.pulls
    assert pull["title"] == "Serve models:/flights/2 in staging"
    assert "storageUri: s3://models/flights/2" in forge.git("show", f"{BRANCH}:deploy/model.yaml")
    seen = target.traffic()
    assert isinstance(seen, Unseen)
    assert "pull/1 is not merged" in seen.reason
    # A commit of somebody else upon the branch goes: it is this manifest's own.
    other = forge.bare.with_name("other")
    git(forge.bare.parent, "clone", "-q", "-b", BRANCH, str(forge.bare), str(other))
    (other / "deploy" / "model.yaml").write_text(MANIFEST)
    git(other, "commit", "-q", "-am", "by hand")
    git(other, "push", "-q")
    target.write(release_of("staging", (world.version(2), 100)))
    assert "storageUri: s3://models/flights/2" in forge.git("show", f"{BRANCH}:deploy/model.yaml")
    target.clear()
    assert 'serving.kserve.io/stop: "true"' in forge.git("show", f"{BRANCH}:deploy/model.yaml").replace("'", '"')
    assert [pull["title"] for pull in forge.open] == ["Serve nothing"]


def test_who_is_not_let_in_is_told_what_is_missing_and_never_the_token(
    world: World, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = checkout(forge, "one")
    release = release_of("staging", (world.version(1), 100))
    monkeypatch.setenv(TOKEN_VARIABLE, "ghs_wrong")
    with pytest.raises(EngineError) as caught:
        target.write(release)
    assert (caught.value.code, "404 Not Found" in caught.value.message) == ("serving.unavailable", True)
    assert TOKEN_VARIABLE in (caught.value.remedy or "")
    assert "ghs_wrong" not in str(caught.value)
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    forge.down = True
    with pytest.raises(EngineError) as caught:
        target.write(release)
    assert "503 no server is available" in caught.value.message
    forge.down = False
    target.write(release)
    assert len(forge.open) == 1
    far = KServeServing(
        target.path,
        KServeWords(
            URI, commit=True, git=GitWords(BRANCH, PullRequestWords("acme/deploy", "main", "http://far.invalid"))
        ),
    )
    with pytest.raises(EngineError) as caught:
        far.write(release_of("staging", (world.version(2), 100)))
    assert "a token over http" in caught.value.message


SPEC = """
model: flights
task: binary
columns: {label: y}
tables: {holdout: {uri: holdout.parquet}}
serving:
  kserve:
    manifest: deploy/{environment}.yaml
    storage_uri: s3://models/{version}
    commit: true
"""


def test_the_spec_names_a_branch_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "gates.yaml"
    asking = "    pull_request: {repository: acme/deploy}\n"
    for wrong in (
        asking,
        f"    push: main\n{asking}",
        "    pull_request: {repository: https://github.com/acme/deploy}\n",
    ):
        path.write_text(SPEC + wrong)
        with pytest.raises(UsageError, match="pull_request"):
            load_spec(path)
    path.write_text(f"{SPEC}    push: model-gates/{{environment}}\n{asking}")
    target = open_serving(load_spec(path), "staging")
    assert isinstance(target, KServeServing)
    assert target.words.git == GitWords("model-gates/staging", PullRequestWords("acme/deploy"))
