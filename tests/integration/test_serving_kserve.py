"""The InferenceService: the team's manifest, KServe's one canary, the commit, and what the live object says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from simulators.apply_world import MODEL, NOW, World, name_of, slot_in
from simulators.entries import release_of
from simulators.serving_places import MANIFEST, Cluster

from gates.apply.offline import Offline, rollback_offline
from gates.apply.promote import promote
from gates.apply.reconcile import look, reconcile
from gates.apply.rollback import rollback
from gates.apply.serving.gitops import GitWords
from gates.apply.serving.interface import Followed, Following, Serves, Unseen
from gates.apply.serving.kserve import KServeServing, KServeWords
from gates.apply.surfaces import Surfaces
from gates.audit.findings import Findings
from gates.audit.witnesses import look_at_witnesses
from gates.errors import EngineError, Refused

URI = "s3://models/{model}/{version}"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "world")
    world.begin()
    (tmp_path / "model.yaml").write_text(MANIFEST)
    return world


@pytest.fixture
def manifest(world: World) -> Path:
    return world.root.parent / "model.yaml"


@pytest.fixture
def cluster(manifest: Path) -> Cluster:
    return Cluster(manifest, manifest.with_name("status.json"))


def seen(cluster: Cluster) -> KServeServing:
    return KServeServing(cluster.manifest, KServeWords(URI, str(cluster.status)))


def test_comments_order_and_the_teams_words_stay(world: World, cluster: Cluster) -> None:
    one, two = world.version(1), world.version(2)
    seen(cluster).write(release_of("staging", (one, 90), (two, 10), decision=name_of("decision")))
    text = cluster.manifest.read_text()
    kept = [line for line in MANIFEST.splitlines() if "storageUri" not in line]
    left = [line for line in text.splitlines() if line in kept]
    assert left == kept
    assert "storageUri: s3://models/flights/2\n" in text
    assert "canaryTrafficPercent: 10\n" in text
    assert all(digest in text for digest in (one.digest, two.digest, name_of("decision")))
    seen(cluster).write(release_of("staging", (two, 100)))
    assert "canaryTrafficPercent" not in cluster.manifest.read_text()


def test_a_canary_that_is_taken_back_stays_at_0_percent(world: World, cluster: Cluster) -> None:
    """At 0 the revision before it serves at once; pulling its model again would take as long as a promotion."""
    one, two, three = (world.version(number) for number in (1, 2, 3))
    target = seen(cluster)
    target.write(release_of("staging", (one, 100)))
    target.write(release_of("staging", (one, 90), (two, 10)))
    back = release_of("staging", (one, 100))
    target.write(back)
    target.write(back)
    text = cluster.manifest.read_text()
    assert "storageUri: s3://models/flights/2\n" in text
    assert "canaryTrafficPercent: 0\n" in text
    observed = target.read()
    assert isinstance(observed, Serves)
    assert observed.release == back
    cluster.follow()
    assert target.traffic() == Followed()
    target.check(release_of("staging", (one, 90), (three, 10)))
    target.write(release_of("staging", (one, 90), (three, 10)))
    assert "model-gates/idle" not in cluster.manifest.read_text()


def test_a_canary_on_a_canary_is_refused_before_anything_is_begun(world: World, cluster: Cluster) -> None:
    one, two, three = (world.version(number) for number in (1, 2, 3))
    target = seen(cluster)
    target.write(release_of("staging", (one, 90), (two, 10)))
    target.check(release_of("staging", (one, 50), (two, 50)))
    target.check(release_of("staging", (three, 100)))
    for wrong in (release_of("staging", (two, 90), (three, 10)), release_of("staging", (three, 90), (two, 10))):
        with pytest.raises(Refused) as caught:
            target.check(wrong)
        assert caught.value.code == "kserve.canary"
    with pytest.raises(Refused):
        target.check(release_of("staging", (one, 40), (two, 30), (three, 30)))


def test_without_a_manifest_nothing_is_begun(world: World, manifest: Path) -> None:
    decision = world.allowed("staging", 1)
    manifest.unlink()
    entries = world.ledger.entries()
    target = KServeServing(manifest, KServeWords(URI))
    with pytest.raises(Refused) as caught:
        promote(world.writer(), Surfaces(world.registry, target), decision)
    assert caught.value.code == "kserve.manifest"
    assert world.ledger.entries() == entries


def test_where_nobody_sees_the_traffic_a_move_is_accepted_and_deployed_stays(world: World, cluster: Cluster) -> None:
    unseen = Surfaces(world.registry, KServeServing(cluster.manifest, KServeWords(URI)))
    decision = world.allowed("production", 1)
    applied = promote(world.writer(), unseen, decision)
    assert (applied.status, applied.observed) == ("accepted", None)
    assert isinstance(unseen.serving.traffic(), Unseen)
    assert world.registry.aliases(MODEL) == {"approved-production": "1"}
    assert promote(world.writer(), unseen, decision).status == "accepted"
    assert look(world.writer(), unseen, slot_in("production")).left == "unseen"
    outcomes = [item.entry.status for item in world.writer().read().entries if item.entry.kind == "outcome"]
    assert outcomes == ["accepted"]

    surfaces = Surfaces(world.registry, seen(cluster))
    cluster.follow(traffic=[{"latestRevision": True, "percent": 99}, {"percent": 1}])
    with pytest.raises(EngineError) as caught:
        reconcile(world.writer(), surfaces, slot_in("production"), "finish")
    assert caught.value.code == "serving.converging"
    cluster.follow()
    done = reconcile(world.writer(), surfaces, slot_in("production"), "finish")
    assert (done.status, done.observed) == ("done", done.wanted)
    assert world.registry.aliases(MODEL) == dict.fromkeys(
        ("approved-production", "champion", "deployed-production"), "1"
    )
    state = world.writer().read().slot(slot_in("production"))
    assert (state.unseen, state.standing.deployed) == (None, world.version(1))
    assert promote(world.writer(), surfaces, decision).status == "done"


def test_after_an_accepted_move_the_next_one_and_the_way_back_are_open(world: World, cluster: Cluster) -> None:
    unseen = Surfaces(world.registry, KServeServing(cluster.manifest, KServeWords(URI)))
    promote(world.writer(), unseen, world.allowed("staging", 1))
    promote(world.writer(), unseen, world.allowed("staging", 2))
    back = rollback(world.writer(), unseen, slot_in("staging"), reason="worse")
    assert back.status == "accepted"
    assert world.registry.aliases(MODEL) == {"approved-staging": "1"}
    assert rollback(world.writer(), unseen, slot_in("staging"), reason="looked again").status == "accepted"
    surfaces = Surfaces(world.registry, seen(cluster))
    cluster.follow()
    assert rollback(world.writer(), surfaces, slot_in("staging"), reason="looked again").status == "done"
    assert world.registry.aliases(MODEL) == {"approved-staging": "1", "deployed-staging": "1"}


def test_what_was_accepted_and_never_seen_is_no_step_of_the_ladder(world: World, cluster: Cluster) -> None:
    from gates.apply.ledger.facts import facts

    surfaces = Surfaces(world.registry, KServeServing(cluster.manifest, KServeWords(URI)))
    promote(world.writer(), surfaces, world.allowed("staging", 1))

    def rung() -> object:
        return facts(
            world.writer().read(),
            model=MODEL,
            environment="production",
            candidate=world.version(1),
            bundle=world.bundle(world.version(1)).record,
            bundle_digest=name_of("bundle"),
            rungs=("staging", "production"),
        ).rung_below

    assert rung() is None
    cluster.follow()
    reconcile(world.writer(), Surfaces(world.registry, seen(cluster)), slot_in("staging"), "finish")
    assert rung() is not None


def test_traffic_on_its_way_keeps_the_move_open_and_the_same_command_finishes_it(
    world: World, cluster: Cluster
) -> None:
    surfaces = Surfaces(world.registry, seen(cluster))
    decision = world.allowed("staging", 1)
    cluster.follow()
    with pytest.raises(EngineError) as caught:
        promote(world.writer(), surfaces, decision)
    assert caught.value.code == "serving.converging"
    assert world.writer().read().open_intent(slot_in("staging")) is not None
    assert world.registry.aliases(MODEL) == {"approved-staging": "1"}
    cluster.follow()
    assert promote(world.writer(), surfaces, decision).status == "done"
    assert world.registry.aliases(MODEL) == {"approved-staging": "1", "deployed-staging": "1"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metadata": {}}, "another release"),
        ({"status": {}}, "was seen"),
        ({"status": {"observedGeneration": 1}}, "was seen"),
        ({"status": {"observedGeneration": 2, "components": {}}}, "no traffic"),
        ({"status": {"observedGeneration": 2, "components": {"predictor": {"traffic": ["x"]}}}}, "no traffic"),
    ],
)
def test_an_old_or_foreign_status_shows_nothing(
    world: World, cluster: Cluster, change: dict[str, object], said: str
) -> None:
    target = seen(cluster)
    target.write(release_of("staging", (world.version(1), 100)))
    cluster.follow()
    cluster.follow()
    assert target.traffic() == Followed()
    cluster.status.write_text(json.dumps(json.loads(cluster.status.read_text()) | change))
    found = target.traffic()
    assert isinstance(found, Following)
    assert said in found.reason


@pytest.mark.parametrize(
    "wrong",
    [
        {"latestReadyRevision": "older"},
        {"traffic": [{"latestRevision": True, "percent": 9}, {"percent": 91}]},
        {"traffic": [{"latestRevision": True, "percent": 10}]},
        {"traffic": [{"latestRevision": True, "percent": True}, {"percent": 90}]},
        {"traffic": []},
    ],
)
def test_a_share_that_is_not_there_yet_is_said(world: World, cluster: Cluster, wrong: dict[str, object]) -> None:
    target = seen(cluster)
    target.write(release_of("staging", (world.version(1), 90), (world.version(2), 10)))
    cluster.follow(**wrong)
    assert isinstance(target.traffic(), Following)
    cluster.follow()
    assert target.traffic() == Followed()


def test_a_status_that_is_out_of_reach_is_exit_4(world: World, manifest: Path) -> None:
    for place in (str(manifest.with_name("gone.json")), "http://127.0.0.1:9/status"):
        target = KServeServing(manifest, KServeWords(URI, place))
        target.write(release_of("staging", (world.version(1), 100)))
        with pytest.raises(EngineError) as caught:
            target.traffic()
        assert caught.value.code == "serving.unavailable"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def repository(folder: Path) -> Path:
    """A clone with a manifest and another file; return the manifest."""
    folder.mkdir(exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    for name, value in (("user.name", "ops"), ("user.email", "ops@example.com")):
        git(folder, "config", name, value)
    (folder / "model.yaml").write_text(MANIFEST)
    (folder / "other.yaml").write_text("a: 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "as it was")
    return folder / "model.yaml"


def test_the_commit_is_pushed_without_force_and_a_push_that_failed_is_made_good(world: World, tmp_path: Path) -> None:
    path = repository(tmp_path / "gitops")
    bare = tmp_path / "origin.git"
    git(tmp_path, "init", "-q", "--bare", str(bare))
    git(path.parent, "remote", "add", "origin", str(bare))
    target = KServeServing(path, KServeWords(URI, commit=True, git=GitWords("releases/staging")))
    one, two = (release_of("staging", (world.version(number), 100)) for number in (1, 2))

    def pushed() -> list[str]:
        return git(bare, "log", "--format=%s", "releases/staging").splitlines()

    target.write(one)
    target.write(one)
    assert pushed() == ["Serve models:/flights/1 in staging", "as it was"]
    # Killed between commit and push: the same write pushes.
    KServeServing(path, KServeWords(URI, commit=True)).write(two)
    assert len(pushed()) == 2
    target.write(two)
    assert pushed()[0] == "Serve models:/flights/2 in staging"
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", "-b", "releases/staging", str(bare), str(other))
    git(other, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "somebody else")
    git(other, "push", "-q")
    with pytest.raises(EngineError) as caught:
        target.write(one)
    assert (caught.value.code, "rejected" in str(caught.value)) == ("serving.unavailable", True)
    assert pushed()[0] == "somebody else"
    git(path.parent, "pull", "-q", "--rebase", "origin", "releases/staging")
    target.write(one)
    assert pushed()[:2] == ["Serve models:/flights/1 in staging", "somebody else"]


def test_the_commit_has_the_manifest_only_and_the_decision_in_a_trailer(world: World, tmp_path: Path) -> None:
    path = repository(tmp_path / "gitops")
    folder, other = path.parent, path.with_name("other.yaml")
    other.write_text("a: 2\n")
    git(folder, "add", "other.yaml")
    target = KServeServing(path, KServeWords(URI, commit=True))
    release = release_of("staging", (world.version(1), 100), decision=name_of("decision"))
    target.write(release)
    target.write(release)
    assert git(folder, "log", "--format=%s").split("\n")[:-1] == ["Serve models:/flights/1 in staging", "as it was"]
    assert git(folder, "show", "--name-only", "--format=").split() == ["model.yaml"]
    trailers = git(folder, "log", "-1", "--format=%(trailers:key=Gates-Decision,valueonly)").strip()
    assert trailers == name_of("decision")
    # Killed between the file and the commit: the same write commits it.
    done = KServeServing(path, KServeWords(URI))
    done.write(release_of("staging", (world.version(2), 100)))
    target.write(release_of("staging", (world.version(2), 100)))
    assert git(folder, "status", "--porcelain", "--", "model.yaml") == ""
    assert git(folder, "diff", "--cached", "--name-only").split() == ["other.yaml"]


def test_the_pack_and_the_journal_are_where_a_fresh_checkout_has_them(world: World, tmp_path: Path) -> None:
    path = repository(tmp_path / "gitops")
    bare = tmp_path / "origin.git"
    git(tmp_path, "clone", "-q", "--bare", str(path.parent), str(bare))
    git(path.parent, "remote", "add", "origin", str(bare))
    words = KServeWords(URI, commit=True, git=GitWords("main"))
    surfaces = Surfaces(world.registry, KServeServing(path, words))
    for number in (1, 2):
        promote(world.writer(), surfaces, world.allowed("staging", number))
    chain = world.writer().read()
    assert surfaces.serving.heads()[0] == f"{len(chain.entries) - 1} {chain.head}"
    assert len(surfaces.serving.heads()) == 2

    git(tmp_path, "clone", "-q", "--depth=1", bare.as_uri(), str(tmp_path / "fresh"))
    for name, value in (("user.name", "ops"), ("user.email", "ops@example.com")):
        git(tmp_path / "fresh", "config", name, value)
    fresh = KServeServing(tmp_path / "fresh" / "model.yaml", words)
    offline = Offline((world.root / "root").read_text(), world.key("applier"), NOW + 5, ("no route",))
    done = rollback_offline(offline, Surfaces(world.registry, fresh), slot_in("staging"), reason="night")
    assert (done.journalled, done.wanted and done.wanted.approved.version) == (True, "1")
    git(path.parent, "pull", "-q", "--rebase", "origin", "main")
    assert look(world.writer(), surfaces, slot_in("staging")).left == "journal"
    reconcile(world.writer(), surfaces, slot_in("staging"), "finish")
    names = git(bare, "ls-tree", "--name-only", "main").split()
    assert names == ["model.yaml", "model.yaml.rollback-pack.json", "other.yaml"]


def test_a_cut_ledger_is_missed_by_the_commits_beside_its_target(world: World, tmp_path: Path) -> None:
    path = repository(tmp_path / "gitops")
    surfaces = Surfaces(world.registry, KServeServing(path, KServeWords(URI, commit=True)))
    promote(world.writer(), surfaces, world.allowed("staging", 1))
    short = world.writer().read()
    promote(world.writer(), surfaces, world.allowed("staging", 2))
    found = Findings()
    look_at_witnesses(found, short, None, lambda _: surfaces.serving)
    failed = [each for each in found.items if each.status == "failed"]
    assert {each.code for each in failed} == {"witness.mismatch"}
    assert any("a commit of" in each.where for each in failed)
