"""Serving by a KServe `InferenceService` manifest in a GitOps repository. Comments and order of the manifest are kept.

Ours in it: `spec.predictor.model.storageUri`, `spec.predictor.canaryTrafficPercent`, and the annotations below; the
rest is the team's. KServe knows one canary: the newest revision takes `canaryTrafficPercent`, the revision that was
rolled out before takes what remains, and it is nowhere named. So the statement pins both by version and digest, a
canary on a canary is refused, and taking a canary back leaves its revision in the manifest at 0 percent.

What the traffic does is read from the live object's `status`, as a file or URL of the spec gives it: it must carry our
annotation, have seen its own generation, and route the statement's percentages
(https://kserve.github.io/website, v1beta1 API: `InferenceServiceStatus.components.predictor.traffic`).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gates.apply.ledger.aliases import sole_version
from gates.apply.ledger.witnesses import witness_text
from gates.apply.serving.gitops import GitWords, Repository
from gates.apply.serving.interface import (
    Followed,
    Following,
    Observed,
    Serves,
    ServesNothing,
    Traffic,
    Unreadable,
    Unseen,
)
from gates.apply.serving.live import read_live
from gates.apply.serving.statement import release_in, statement_of
from gates.apply.serving.target_file import JOURNAL, PACK, TargetFile
from gates.bundle.envelope import open_envelope
from gates.errors import EvidenceError, Refused
from gates.records.base import ModelVersion
from gates.records.release import Release

RELEASE = "model-gates/release"
DIGEST = "model-gates/release-digest"
IDLE = "model-gates/idle-version"
HEAD = "Gates-Ledger"
STOP = "serving.kserve.io/stop"
_OURS = (RELEASE, DIGEST, IDLE)


@dataclass(frozen=True)
class KServeWords:
    """What the spec says of it.

    Attributes
    ----------
    storage_uri: `{version}`, `{digest}` (64 hexadecimal digits) and `{model}` are filled in.
    status: file or URL of the live object, as JSON or YAML; None: nobody sees the traffic.
    commit: whether a write is a commit of the manifest's repository too. git: what becomes of that commit.
    """

    storage_uri: str
    status: str | None = None
    commit: bool = False
    git: GitWords = field(default_factory=GitWords)


class KServeServing(TargetFile):
    """A manifest that exists already: what we do not own in it has no default."""

    def __init__(self, path: Path, words: KServeWords) -> None:
        super().__init__(path)
        self.words = words
        self._repository = Repository(path, words.git)

    def read(self) -> Observed:
        if self.bytes_now() is None:
            return ServesNothing()
        try:
            manifest = self._manifest()
            notes = _annotations(manifest)
            if not any(name in notes for name in _OURS):
                return ServesNothing()
            release, idle = release_in(notes.get(RELEASE)), _idle(notes)
        except EvidenceError as error:
            return Unreadable(error.message)
        predictor = _mapping(_mapping(manifest, "spec"), "predictor")
        wanted = self._owned(release, idle)
        for name, value in self._found(predictor).items():
            if value != wanted[name]:
                return Unreadable(f"{name} is {value}, by its own statement {wanted[name]}")
        if notes.get(STOP) == "true":
            return Unreadable(f"{STOP} is set, and its statement has a release")
        return Serves(release, str(notes.get(DIGEST)))

    def traffic(self) -> Traffic:
        asked = f"; {self._repository.asked} is not merged" if self._repository.asked else ""
        if self.words.status is None:
            return Unseen(
                "gates.yaml names no serving.kserve.status: the manifest was accepted, nobody sees the traffic" + asked
            )
        observed = self.read()
        if not isinstance(observed, Serves):
            return Following("the manifest states no release")
        if self.words.commit and self._repository.uncommitted():
            return Following("the manifest is not committed")
        idle = _idle(_annotations(self._manifest()))
        live = parse_manifest(read_live(self.words.status, "serving.kserve.status"), self.words.status)
        reason = _waits_for(live, observed, idle)
        return Following(reason + asked) if reason else Followed()

    def check(self, release: Release) -> None:
        stable, _ = _split(release)
        if self.bytes_now() is None:
            raise Refused(
                "there is no manifest",
                code="kserve.manifest",
                where=self.name,
                remedy="write the InferenceService first: what is not ours in it has no default",
            )
        observed = self.read()
        if stable is None or not isinstance(observed, Serves):
            return
        present, canary = _split(observed.release)
        rolled_out = present or canary
        if rolled_out != stable:
            raise Refused(
                f"KServe's other revision is {rolled_out.uri}, and {stable.uri} would have to be",
                code="kserve.canary",
                where=self.name,
                remedy="give one version all of the traffic first: a canary on a canary is served by nobody knows whom",
            )

    def write(self, release: Release) -> Release:
        manifest = self._manifest()
        predictor = _mapping(_mapping(manifest, "spec"), "predictor")
        idle = self._left_idle(release)
        owned = self._owned(release, idle)
        model = _mapping(predictor, "model")
        model["storageUri"] = owned["storageUri"]
        if owned["canaryTrafficPercent"] is None:
            predictor.pop("canaryTrafficPercent", None)
        elif "canaryTrafficPercent" in predictor:
            predictor["canaryTrafficPercent"] = owned["canaryTrafficPercent"]
        else:
            predictor.insert(0, "canaryTrafficPercent", owned["canaryTrafficPercent"])
        text, digest = statement_of(release)
        notes = {RELEASE: text, DIGEST: digest, **({IDLE: f"{idle.version}@{idle.digest}"} if idle else {})}
        self._annotate(manifest, notes)
        self._put_and_commit(
            manifest,
            f"Serve {release.approved.uri} in {release.environment}",
            {"Gates-Decision": release.decision_digest or "none", "Gates-Release": digest},
        )
        return release

    def keep_pack(self, pack: bytes) -> None:
        """Keep the pack where a fresh checkout has it too; the commit's trailer says what the ledger's head was."""
        super().keep_pack(pack)
        if self.words.commit:
            head = _head_of(pack)
            self._repository.beside(self._at(PACK), "Keep the rollback pack", f"{HEAD}: {head}" if head else "")

    def keep_journal(self, journal: Sequence[bytes]) -> None:
        super().keep_journal(journal)
        if self.words.commit:
            self._repository.beside(self._at(JOURNAL), "Keep what was rolled back without the ledger")

    def heads(self) -> tuple[str, ...]:
        return self._repository.trailers(self._at(PACK), HEAD) if self.words.commit else ()

    def clear(self) -> None:
        """Stop the service, as `serving.kserve.io/stop` does; the manifest stays."""
        if self.bytes_now() is None:
            return
        manifest = self._manifest()
        if not any(name in _annotations(manifest) for name in _OURS):
            return
        _mapping(_mapping(manifest, "spec"), "predictor").pop("canaryTrafficPercent", None)
        self._annotate(manifest, {STOP: "true"})
        self._put_and_commit(manifest, "Serve nothing", {})

    def _owned(self, release: Release, idle: ModelVersion | None) -> dict[str, Any]:
        stable, newest = _split(release)
        percent = next(route.percent for route in release.routes if route.version == newest)
        told = idle or newest
        return {
            "storageUri": self.words.storage_uri.replace("{version}", told.version)
            .replace("{digest}", told.digest.removeprefix("sha256:"))
            .replace("{model}", release.model),
            "canaryTrafficPercent": 0 if idle else percent if stable else None,
        }

    def _found(self, predictor: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "storageUri": _mapping(predictor, "model").get("storageUri"),
            "canaryTrafficPercent": predictor.get("canaryTrafficPercent"),
        }

    def _left_idle(self, release: Release) -> ModelVersion | None:
        """The canary that is taken back: at 0 percent the revision before it serves at once, and nothing is pulled."""
        observed, sole = self.read(), sole_version(release)
        if not isinstance(observed, Serves) or sole is None:
            return None
        if observed.release == release:
            return _idle(_annotations(self._manifest()), release.model)
        stable, canary = _split(observed.release)
        return canary if stable == sole else None

    def _manifest(self) -> Any:
        content = self.bytes_now()
        if content is None:
            raise EvidenceError("there is no manifest", code="kserve.manifest", where=self.name)
        document = parse_manifest(content, self.name)
        if document.get("kind") != "InferenceService":
            raise EvidenceError("not an InferenceService", code="kserve.manifest", where=self.name)
        _mapping(_mapping(_mapping(document, "spec"), "predictor"), "model")
        return document

    def _annotate(self, manifest: Any, notes: Mapping[str, str]) -> None:
        metadata = manifest.setdefault("metadata", {})
        present = metadata.get("annotations")
        if present is None:
            present = metadata["annotations"] = {}
        for name in (*_OURS, STOP):
            if name not in notes:
                present.pop(name, None)
        present.update(notes)

    def _put_and_commit(self, manifest: Any, subject: str, trailers: Mapping[str, str]) -> None:
        text = io.StringIO()
        _yaml().dump(manifest, text)
        content = text.getvalue().encode()
        if content != self.bytes_now():
            self.put(content)
        if self.words.commit:
            self._repository.keep(subject, trailers)


def _head_of(pack: bytes) -> str:
    try:
        head = open_envelope(pack).predicate["head"]
        return witness_text(int(head["sequence"]), str(head["digest"]))
    except (EvidenceError, KeyError, TypeError, ValueError):
        return ""


def _split(release: Release) -> tuple[ModelVersion | None, ModelVersion]:
    """Return the version that was rolled out before, None where one has all the traffic, and the newest one."""
    sole = sole_version(release)
    if sole is not None:
        return None, sole
    if len(release.routes) != 2:
        raise Refused("KServe splits the traffic between two revisions", code="kserve.canary")
    stable = next(route.version for route in release.routes if route.version != release.approved)
    return stable, release.approved


def _idle(notes: Mapping[str, Any], model: str | None = None) -> ModelVersion | None:
    text = notes.get(IDLE)
    if text is None:
        return None
    version, _, digest = str(text).rpartition("@")
    name = model or release_in(notes.get(RELEASE)).model
    return ModelVersion.parse({"name": name, "version": version, "digest": digest})


def _waits_for(live: Mapping[str, Any], stated: Serves, idle: ModelVersion | None) -> str | None:
    """Say what the live object still lacks; None where all traffic is where the statement has it."""
    metadata, status = live.get("metadata") or {}, live.get("status") or {}
    if (metadata.get("annotations") or {}).get(DIGEST) != stated.stated:
        return "the live object has another release"
    generation, seen = metadata.get("generation"), status.get("observedGeneration")
    if generation is None or seen != generation:
        return f"generation {generation} was written, {seen} was seen"
    predictor = (status.get("components") or {}).get("predictor") or {}
    traffic = predictor.get("traffic")
    if not isinstance(traffic, list) or not all(isinstance(entry, dict) for entry in traffic):
        return "its status shows no traffic"
    if idle is None and predictor.get("latestReadyRevision") != predictor.get("latestCreatedRevision"):
        return f"revision {predictor.get('latestCreatedRevision')} is not ready"
    stable, newest = _split(stated.release)
    share = next(route.percent for route in stated.release.routes if route.version == newest)
    wanted = 0 if idle else share if stable else 100
    found = [
        sum(_percent(entry) for entry in traffic if bool(entry.get("latestRevision")) is new) for new in (True, False)
    ]
    if found != [wanted, 100 - wanted]:
        return (
            f"the newest revision takes {found[0]} % and the other {found[1]} %; stated are {wanted} and {100 - wanted}"
        )
    return None


def _percent(entry: Mapping[str, Any]) -> int:
    value = entry.get("percent", 0)
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _annotations(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    found = _mapping(manifest, "metadata").get("annotations")
    return found if isinstance(found, Mapping) else {}


def _mapping(document: Mapping[str, Any], name: str) -> Any:
    found = document.get(name)
    if not isinstance(found, Mapping):
        raise EvidenceError(f"the manifest has no {name}", code="kserve.manifest")
    return found


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    return yaml


def parse_manifest(content: bytes, where: str) -> Any:
    """Parse YAML or JSON, one mapping, with its comments.

    Raises
    ------
    EvidenceError: it is none.
    """
    from ruamel.yaml.error import YAMLError

    try:
        document = _yaml().load(content.decode("utf-8"))
    except (YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise EvidenceError("not YAML, one document", code="kserve.manifest", where=where) from error
    if not isinstance(document, Mapping):
        raise EvidenceError("not a mapping", code="kserve.manifest", where=where)
    return document
