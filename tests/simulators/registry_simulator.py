"""A registry on disk with the real port: versions and aliases are files, each written at once. It can be down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gates.bundle.canonical import digest_file
from gates.bundle.files import write_atomically
from gates.errors import EvidenceError
from gates.inputs.registry import (
    NotRegistered,
    RegisteredModel,
    RegistryUnavailable,
    RunInput,
    TrainingRun,
    nearest,
    parse_uri,
    refuse_case_variant,
)
from gates.records import Digest, ModelVersion


@dataclass
class RegistrySimulator:
    """`root/<model>/<version>/model.bin` and `root/<model>/aliases/<alias>`; nothing answers while `down`."""

    root: Path
    down: bool = False

    def register(self, name: str, version: str, content: bytes) -> ModelVersion:
        write_atomically(self.path(name, version), content)
        return ModelVersion(name=name, version=version, digest=self.digest(name, version))

    def path(self, name: str, version: str) -> Path:
        return self.root / name / version / "model.bin"

    def resolve(self, uri: str) -> RegisteredModel:
        wanted = parse_uri(uri)
        version = wanted.version
        if version is None and wanted.alias is not None:
            aliases = self.aliases(wanted.name)
            refuse_case_variant(wanted.alias, aliases)
            if wanted.alias not in aliases:
                raise NotRegistered("no such alias", where=uri, remedy=nearest(wanted.alias, aliases))
            version = aliases[wanted.alias]
        assert version is not None
        resolved = ModelVersion(name=wanted.name, version=version, digest=self.digest(wanted.name, version))
        return RegisteredModel(resolved, (), "python_function", {}, self.tags(wanted.name, version))

    def fetch(self, version: ModelVersion, into: Path) -> Path:
        if self.digest(version.name, version.version) != version.digest:
            raise EvidenceError("the bytes changed", code="model.digest", where=version.uri)
        (into / "model.bin").write_bytes(self.path(version.name, version.version).read_bytes())
        return into

    def digest(self, name: str, version: str) -> Digest:
        self._answer()
        if not self.path(name, version).exists():
            raise NotRegistered("no such version", where=f"models:/{name}/{version}")
        return digest_file(self.path(name, version))

    def lineage(self, version: ModelVersion) -> dict[str, str]:
        self._answer()
        return {}

    def run_inputs(self, version: ModelVersion) -> tuple[RunInput, ...]:
        self._answer()
        return ()

    def training_run(self, version: ModelVersion) -> TrainingRun | None:
        self._answer()
        return None

    def aliases(self, model: str) -> dict[str, str]:
        self._answer()
        folder = self._alias(model, "")
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
        return {name: self._alias(model, name).read_text() for name in names if not name.startswith(".partial-")}

    def set_alias(self, model: str, alias: str, version: str) -> None:
        aliases = self.aliases(model)
        refuse_case_variant(alias, aliases)
        self.digest(model, version)
        self.force(model, alias, version)

    def delete_alias(self, model: str, alias: str) -> None:
        aliases = self.aliases(model)
        if alias not in aliases:
            raise NotRegistered("no such alias", where=f"models:/{model}@{alias}")
        self.force(model, alias, None)

    def set_tag(self, model: str, version: str, key: str, value: str) -> None:
        self.digest(model, version)
        write_atomically(self.path(model, version).with_name("tags") / key, value.encode())

    def tags(self, model: str, version: str) -> dict[str, str]:
        self.digest(model, version)
        folder = self.path(model, version).with_name("tags")
        return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}

    def force(self, model: str, alias: str, version: str | None) -> None:
        """What somebody with the database's password may do: no check, case variants too."""
        if version is None:
            self._alias(model, alias).unlink()
        else:
            write_atomically(self._alias(model, alias), version.encode())

    def _alias(self, model: str, alias: str) -> Path:
        return self.root / model / "aliases" / alias

    def _answer(self) -> None:
        if self.down:
            raise RegistryUnavailable("no answer", where=str(self.root))
