"""What a candidate must say of itself: read from tags, run and plan, and what the page promises of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import pytest
from simulators.registry_simulator import RegistrySimulator

from gates.bundle.canonical import digest_bytes, digest_document
from gates.decide.explain import load_annotations
from gates.errors import UsageError
from gates.flow.lineage import NOT_LEARNED
from gates.flow.metadata import metadata_of, revision_of
from gates.inputs.registry import RegisteredModel, RunInput, TrainingRun
from gates.inputs.serving_configuration import read_serving_configuration
from gates.plan.spec import Spec
from gates.project import Project
from gates.records import ModelVersion, Plan
from gates.records.evidence import Changelog, Metadata
from gates.records.plan import Table

PAGE = (Path(__file__).parents[2] / "docs" / "metadata.md").read_text(encoding="utf-8")
VERSION = ModelVersion(name="m", version="2", digest="sha256:" + "1" * 64)


class Runs(RegistrySimulator):
    """A registry with a run behind its version."""

    run = TrainingRun("mira\u200b@acme", {"depth": "3"}, "")
    inputs: tuple[RunInput, ...] = (RunInput("train", "t.parquet", 3, "5b3f"), RunInput("Validation", "", 3, "77aa"))
    before: ClassVar[dict[str, str]] = {}

    def training_run(self, version: ModelVersion) -> TrainingRun | None:
        return self.run

    def run_inputs(self, version: ModelVersion) -> tuple[RunInput, ...]:
        return self.inputs

    def lineage(self, version: ModelVersion) -> dict[str, str]:
        return self.before


def spec_in(folder: Path) -> Spec:
    return Spec.model_validate(
        {"model": "m", "task": "binary", "columns": {"label": "y"}, "tables": {"holdout": {"uri": "h.csv"}}},
        context={"base": folder},
    )


def said(tmp_path: Path, lineage: dict[str, str], tags: dict[str, str] | None = None, **more: Any) -> Metadata:
    project = Project(spec_in(tmp_path), {"GITHUB_ACTOR": "octo"})
    registry = Runs(tmp_path)
    Runs.before = more.get("before", {})
    project.__dict__["registry"] = registry
    definitions = Table(role="offline", uri="o.csv", definitions=more.get("definitions"))
    digest = digest_bytes(b"")
    plan = Plan(
        model="m",
        task="binary",
        tier="high",
        environments=("staging",),
        requirements=(),
        tables=(definitions,),
        policy_digest=digest,
        spec_digest=digest,
    )
    candidate = RegisteredModel(VERSION, (), "sklearn", lineage, tags or {})
    return metadata_of(project, plan, candidate, revision_of(project, VERSION), ())


class History:
    """A repository of empty commits, each by a person of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def git(self, *arguments: str) -> str:
        ran = subprocess.run(["git", "-C", str(self.folder), *arguments], check=True, capture_output=True, text=True)
        return ran.stdout.strip()

    def commit(self, name: str) -> str:
        own = ("-c", f"user.name={name}", "-c", f"user.email={name}@acme")
        self.git(*own, "commit", "-q", "--allow-empty", "-m", name)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def history(tmp_path: Path) -> History:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    made = History(tmp_path / "origin")
    made.git("init", "-q", "-b", "main")
    return made


def test_tags_go_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "features.yaml").write_text("features: []")
    bare = said(tmp_path, {}, definitions="features.yaml")
    assert (bare.training_snapshot, bare.validation_snapshot) == ("5b3f", "77aa")
    assert bare.parameters == digest_document({"depth": "3"})
    assert bare.feature_definitions == digest_bytes(b"features: []")
    assert bare.authors == ("mira @acme", "octo")
    assert (bare.query_digest, bare.as_of_us, bare.environment, bare.vulnerability_scan) == (None, None, None, None)
    assert (bare.tags, bare.changelog) == ((), Changelog())
    lineage = {"training_digest": "sha256:t", "calibration_digest": "c", "as_of": "1970-01-01T01:00:01+01:00"}
    lineage |= {"parameters": "{}", "image_digest": "i", "environment_digest": "e", "query_digest": " q\n"}
    tags = {"gates.changelog.what": "w", "owner": "é", "mlflow.x": "y", "gates.lineage.as_of": "z"}
    full = said(tmp_path, lineage, tags)
    assert (full.training_snapshot, full.validation_snapshot) == ("sha256:t", "c")
    assert (full.query_digest, full.as_of_us, full.environment) == ("q", 1_000_000, "i")
    assert full.parameters == digest_bytes(b"{}")
    assert [(tag.name, tag.value) for tag in full.tags] == [("owner", "é")]
    assert full.changelog.what == "w"


@pytest.mark.parametrize("text", ["none", "passed", "sha256:1", " ", "\x00"])
def test_a_scan_that_names_no_report_is_none(tmp_path: Path, text: str) -> None:
    assert said(tmp_path, {"vulnerability_scan": text}).vulnerability_scan is None
    digest = "sha256:" + "7" * 64
    assert said(tmp_path, {"vulnerability_scan": f" {digest}\n"}).vulnerability_scan == digest


def test_blank_parameters_are_those_of_the_run(tmp_path: Path) -> None:
    assert said(tmp_path, {"parameters": " \n"}).parameters == digest_document({"depth": "3"})


@pytest.mark.parametrize("as_of", ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "1969-01-01T00:00:00Z"])
def test_a_time_that_is_none_is_not_said(tmp_path: Path, as_of: str) -> None:
    assert said(tmp_path, {"as_of": as_of, "query_digest": "\x00 \n"}).as_of_us is None
    assert said(tmp_path, {"query_digest": "\x00 \n"}).query_digest is None


def test_who_committed_since_the_champion_is_an_author(history: History) -> None:
    first, _, last = (history.commit(name) for name in ("anna", "bert", "cleo"))
    found = said(history.folder, {"code_revision": last}, before={"code_revision": first})
    assert found.authors == ("bert", "bert@acme", "cleo", "cleo@acme", "mira @acme", "octo")
    assert found.since_revision == first
    for before in ("0" * 40, "--all", "unknown", ""):
        unknown = said(history.folder, {"code_revision": last}, before={"code_revision": before})
        assert (unknown.authors, unknown.since_revision) == (("mira @acme", "octo"), None)


def test_whoever_is_named_as_author_who_entered_the_commit_or_helped_is_one_too(history: History) -> None:
    first = history.commit("anna")
    own = ("-c", "user.name=mira", "-c", "user.email=mira@acme")
    history.git(*own, "commit", "-q", "--allow-empty", "--author", "bot <bot@acme>", "-m", "by another name")
    helped = "two\n\nCo-authored-by: Rolf R <rolf@acme>\nCo-Authored-By: kim"
    history.git(*own, "commit", "-q", "--allow-empty", "--author", "bot <bot@acme>", "-m", helped)
    found = said(history.folder, {"code_revision": first}, before={"code_revision": first})
    assert {"bot", "bot@acme", "mira", "mira@acme", "Rolf R", "rolf@acme", "kim"} <= set(found.authors)
    assert "anna" not in found.authors


def test_a_history_that_is_cut_off_names_nobody(history: History, tmp_path: Path) -> None:
    first, second, last = (history.commit(name) for name in ("anna", "mira", "cleo"))
    for depth, since, known in ((1, first, None), (2, second, None), (9, first, first), (1, last, last)):
        clone = tmp_path / f"{depth}-{since[:7]}"
        subprocess.run(
            ["git", "clone", "-q", "--depth", str(depth), history.folder.as_uri(), str(clone)],
            check=True,
            capture_output=True,
        )
        assert said(clone, {"code_revision": last}, before={"code_revision": since}).since_revision == known


def test_a_revision_that_the_author_chose_hides_nobody(history: History) -> None:
    first = history.commit("anna")
    history.commit("mira")
    found = said(history.folder, {"code_revision": first}, before={"code_revision": first})
    assert found.authors == ("mira", "mira @acme", "mira@acme", "octo")


def test_the_champions_run_says_its_revision_where_no_tag_does(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = history.commit("anna")
    monkeypatch.setattr(Runs, "run", TrainingRun("", {}, first))
    assert said(history.folder, {}).since_revision == first


def test_who_started_the_job_and_who_ran_it_again_and_a_machine_that_names_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accounts(**environ: str) -> tuple[tuple[str, ...], str]:
        project = Project(spec_in(tmp_path), environ)
        return project.accounts, project.actor

    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", lambda: "mira")
    assert accounts(GITHUB_ACTOR="octo", GITHUB_TRIGGERING_ACTOR="cleo") == (("octo", "cleo"), "octo")
    assert accounts(GITHUB_ACTOR="octo", GITHUB_TRIGGERING_ACTOR="octo") == (("octo",), "octo")
    assert accounts(GITHUB_ACTOR="") == (("mira",), "mira")
    assert accounts(GITHUB_ACTOR="Octo", GITHUB_TRIGGERING_ACTOR="Cleo") == (("Octo", "Cleo", "octo", "cleo"), "Octo")
    monkeypatch.setattr("getpass.getuser", nobody)
    assert accounts() == ((), "unknown")


def test_the_page_names_every_code_and_no_other() -> None:
    codes = {code for code in load_annotations() if code.startswith(("metadata.", "serving."))}
    assert set(re.findall(r"^\| `([a-z_.]+)` \|", PAGE, flags=re.MULTILINE)) == codes


def test_the_pages_configuration_is_read_and_its_secret_is_kept_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "serving.yaml"
    path.write_text(PAGE.split("```yaml\n")[1].split("```")[0])
    found = read_serving_configuration(path, name="serving.yaml")
    assert found is not None
    assert (found.minimum_replicas, found.size, found.capture_percent, found.traffic) == (2, "small", 100, (95, 5))
    assert [(one.name, one.kind, one.looks_like) for one in found.variables] == [
        ("API_TOKEN", "reference", ()),
        ("LOG_LEVEL", "plain", ()),
    ]


@pytest.mark.parametrize(
    ("name", "value", "looks"),
    [
        ("DB_PASSWORD", "hunter2", ("a secret by its name",)),
        ("url", "https://me:hunter2@db/x", ("a password in a URL",)),
        ("id", "AKIA" + "A" * 16, ("an access key",)),
        ("t", "ghp_" + "a" * 36, ("a token",)),
        ("j", "eyJhbGciOi.eyJzdWIiOi.c2ln", ("a web token",)),
        ("k", "-----BEGIN RSA PRIVATE KEY-----", ("a private key",)),
        ("cache", "redis://:hunter2secret@cache:6379/0", ("a password in a URL",)),
        ("hub", "hf_" + "a" * 34, ("a token",)),
        ("ai", "sk-proj-" + "a" * 40, ("a token",)),
        ("ci", "glpat-" + "a" * 20, ("a token",)),
        ("maps", "AIza" + "a" * 35, ("an access key",)),
        ("DB_PWD", "hunter2", ("a secret by its name",)),
        ("API-KEY", "abcdef", ("a secret by its name",)),
        ("ENCRYPTION_KEY", "deadbeef", ("a secret by its name",)),
        ("AUTH", "Bearer " + "a" * 40, ("credentials of a request",)),
        ("DSN", "host=x user=y password=hunter2", ("a password among settings",)),
        ("TOKEN", "", ()),
        ("CWPWD_DAYS", "3", ()),
        ("task", "risk-scores-of-the-last-days-of-2026", ()),
        ("mode", "basic", ()),
        ("url", "https://db:5432/x", ()),
    ],
)
def test_what_looks_like_a_secret(tmp_path: Path, name: str, value: str, looks: tuple[str, ...]) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(f'variables: {{{name}: "{value}"}}')
    found = read_serving_configuration(path, name="s.yaml")
    assert found is not None
    assert found.variables[0].looks_like == looks
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    "text",
    [
        "replicas: 2",
        "capture: {percent: 101}",
        "sise: small",
        "[]",
        "variables: {a: [1]}",
        "{",
        "replicas: {minimum: 5, maximum: 1}",
    ],
)
def test_a_configuration_that_means_nothing_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(UsageError):
        read_serving_configuration(path, name="s.yaml")
    assert read_serving_configuration(tmp_path / "none.yaml", name="none.yaml") is None


def test_what_is_said_of_a_candidate_is_no_table_that_it_learned_from() -> None:
    said = PAGE.partition("## What it has learned from")[0]
    digests = {word.removesuffix("_digest") for word in re.findall(r"`(?:gates\.lineage\.)?(\w+_digest)`", said)}
    assert digests - {"metadata.query"} <= NOT_LEARNED | {"training"}
    assert "query" in digests
