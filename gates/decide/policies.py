"""The policy set: shipped policies, the policy owners' data and the compiled module, under one digest.

What decides is bytes with a name. `put` keeps them all in the store, and `from_store` gives exactly these back, so that a
decision can be evaluated again years later whatever the package has become.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import field_validator

from gates.bundle.canonical import canonical_bytes, digest_bytes, digest_document, parse_json
from gates.bundle.plain_yaml import parse_yaml
from gates.bundle.trust import Trust
from gates.decide.owners_heard import heard
from gates.errors import EngineError, EvidenceError, UsageError
from gates.records.base import Digest, Name, Record
from gates.resources import module_folder, policies_folder

if TYPE_CHECKING:
    from gates.bundle.store import Store

MODULE = "policy.wasm"
SIDECAR = "module.json"
MODULE_FOLDER = "module"
"""Where the owners' folder holds the module that was compiled with their own sources."""
PARSED = "data.json"
_CHECKED = ("models", "overrides")
_LADDER = "release/data.yaml"
OWNED = ("custom", *_CHECKED)
"""Roots of the policy owners' bundle."""

_DATA_NAMES = ("data.yaml", "data.json")


class PolicyFile(Record):
    path: Name
    digest: Digest

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        if "\\" in path or PurePosixPath(path).is_absolute() or not {"..", "."}.isdisjoint(path.split("/")):
            raise ValueError("a path inside the bundle")
        return path


class Manifest(Record):
    """What the policy digest is the digest of."""

    files: tuple[PolicyFile, ...]
    module: Digest


class Sidecar(Record):
    """What the compiled module was built from, and by what."""

    opa_version: str
    source_digest: Digest
    module_digest: Digest
    entry_points: tuple[str, ...]


@dataclass(frozen=True)
class PolicySet:
    """Everything that a decision depends on besides its input.

    Attributes
    ----------
    files: path in the bundle -> bytes: Rego without its tests, data, the declared roots and the module's sidecar.
    module: the same Rego compiled to WebAssembly.
    trust: who may do what, `data.trust`.
    """

    files: Mapping[str, bytes]
    module: bytes
    trust: Trust = field(default_factory=Trust)

    @classmethod
    def load(cls, folder: Path | None = None, trust: Trust | None = None) -> PolicySet:
        """Load the shipped policies, with the policy owners' folder where there is one.

        Raises
        ------
        UsageError: the folder holds anything but data under models/ and overrides/ and Rego under custom/, or data
        that mean nothing.
        EngineError: the package is incomplete.
        """
        files = dict(_shipped())
        module = _module(MODULE)
        if folder is not None:
            owned = dict(_owners(folder))
            module = owned.pop(f"{MODULE_FOLDER}/{MODULE}", module)
            record = owned.pop(f"{MODULE_FOLDER}/{SIDECAR}", None)
            files.update(owned, **({SIDECAR: record} if record else {}))
            heard(
                owned,
                {path: _data(path, owned[path]) for path in owned if _is_data(PurePosixPath(path).parts)},
                _rungs(),
                _limited(),
            )
        return cls(files, module, trust or Trust())

    @classmethod
    def from_store(cls, store: Store, policy_digest: Digest, trust: Trust | None = None) -> PolicySet:
        """Bring back the policy set of that digest.

        Raises
        ------
        EvidenceError: a part is missing, or its bytes are not what their digest says.
        """
        manifest = Manifest.parse(parse_json(store.get(policy_digest), where=policy_digest), where=policy_digest)
        files = {file.path: store.get(file.digest) for file in manifest.files}
        if len(files) != len(manifest.files):
            raise EvidenceError("a path occurs twice", code="policy.manifest", where=policy_digest)
        return cls(files, store.get(manifest.module), trust or Trust())

    def put(self, store: Store) -> Digest:
        """Keep every file, the module and the manifest in the store; return the policy digest."""
        for content in self.files.values():
            store.put(content)
        store.put(self.module)
        return store.put(canonical_bytes(self.manifest.document()))

    @cached_property
    def manifest(self) -> Manifest:
        files = tuple(
            PolicyFile(path=path, digest=digest_bytes(content)) for path, content in sorted(self.files.items())
        )
        return Manifest(files=files, module=digest_bytes(self.module))

    @cached_property
    def digest(self) -> Digest:
        """The policy digest: of the canonical manifest."""
        return digest_document(self.manifest.document())

    @property
    def trust_digest(self) -> Digest:
        return self.trust.digest

    @cached_property
    def data(self) -> dict[str, Any]:
        """All data that policies see, as one document; read once here, so that every engine sees the same."""
        root: dict[str, Any] = {}
        for path, content in sorted(self.files.items()):
            if PurePosixPath(path).name in _DATA_NAMES:
                _graft(root, PurePosixPath(path), _data(path, content))
        root["trust"] = self.trust.data()
        return root

    @cached_property
    def rego(self) -> dict[str, bytes]:
        return {path: content for path, content in self.files.items() if path.endswith(".rego")}

    @cached_property
    def custom_digests(self) -> dict[Name, Digest]:
        """Name of a folder of the owners' own Rego -> digest of its sources by path."""
        folders: dict[str, dict[str, bytes]] = {}
        for path, content in self.rego.items():
            root, _, rest = path.partition("/")
            if root == "custom":
                folders.setdefault(rest.partition("/")[0], {})[path] = content
        return {name: digest_sources(sources) for name, sources in folders.items()}

    @cached_property
    def sidecar(self) -> Sidecar:
        """Raises EngineError where the set has no record of what its module was built from."""
        if SIDECAR not in self.files:
            raise EngineError("the compiled policies lack their record", code="module.unknown", where=SIDECAR)
        return Sidecar.parse(parse_json(self.files[SIDECAR], where=SIDECAR), where=SIDECAR)

    @property
    def roots(self) -> bytes:
        """The manifest of the whole set as one bundle: our roots, and the policy owners', of which we own none."""
        document = json.loads(self.files[".manifest"])
        return json.dumps({**document, "roots": sorted({*document["roots"], *OWNED, "trust"})}).encode()

    def check_module(self) -> None:
        """Refuse a module that was built from other Rego than this set's.

        Raises
        ------
        EngineError: `module.stale`, with the command that builds it.
        """
        current = digest_sources(self.rego)
        if self.sidecar.module_digest != self.manifest.module or self.sidecar.source_digest != current:
            raise EngineError(
                "the compiled policies were built from other sources than these",
                code="module.stale",
                where=MODULE,
                remedy="run `gates policy build`, in a checkout `python -m gates.decide.build_module` (both need OPA)",
            )

    def write_bundle(self, folder: Path) -> None:
        """Write the set as a folder that OPA loads with `--bundle`: Rego, declared roots, and all data as one file."""
        for path, content in {**self.rego, ".manifest": self.roots}.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        (folder / "data.json").write_text(json.dumps(self.data, allow_nan=False), encoding="utf-8")

    def __post_init__(self) -> None:
        for path, content in self.rego.items():
            if path.startswith("custom/"):
                _in_its_package(path, content)
        # Data that mean nothing are refused here, not at the first evaluation.
        _ = self.data


def digest_sources(rego: Mapping[str, bytes]) -> Digest:
    """Digest of Rego sources by path; tests are no sources."""
    return digest_document({path: digest_bytes(content) for path, content in rego.items()})


def shipped_rego(root: Path) -> dict[str, bytes]:
    """The Rego of a policy folder without its tests."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*.rego"))
        if not path.name.endswith("_test.rego")
    }


def _shipped() -> Iterator[tuple[str, bytes]]:
    root = policies_folder()
    yield from shipped_rego(root).items()
    for path in sorted(root.rglob("data.yaml")):
        yield path.relative_to(root).as_posix(), path.read_bytes()
    yield ".manifest", (root / ".manifest").read_bytes()
    yield SIDECAR, _module(SIDECAR)


def _rungs() -> tuple[str, ...]:
    """The environments of the ladder that is shipped."""
    return tuple(shipped_data(_LADDER)["environments"])


def _limited() -> frozenset[str]:
    """The checks that limits are shipped for."""
    found: set[str] = set()
    for environment in _rungs():
        found |= shipped_data(f"thresholds/{environment}/data.yaml")["limits"].keys()
    return frozenset(found)


def _module(name: str) -> bytes:
    path = module_folder() / name
    try:
        return path.read_bytes()
    except OSError as error:
        raise EngineError(
            "the compiled policies are not here",
            code="module.missing",
            where=str(path),
            remedy="install model-gates again, or run `python -m gates.decide.build_module` in a checkout",
        ) from error


def _owners(folder: Path) -> Iterator[tuple[str, bytes]]:
    if not folder.is_dir():
        raise UsageError("no such folder of policies", code="policy.folder", where=str(folder))
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_dir() and not path.is_symlink():
            continue
        if any(part.startswith(".") for part in relative.parts) or path.name == "README.md":
            continue
        if path.name.endswith("_test.rego"):
            continue
        if path.is_symlink() or not (_is_data(relative.parts) or _is_source(relative.parts)):
            raise UsageError(
                "not a part of the policy owners' folder",
                code="policy.folder",
                where=str(path),
                remedy="it holds models/<model>/data.yaml, overrides/<environment>/data.yaml, custom/<name>/<name>.rego, "
                "and the module that `gates policy build` makes of these",
            )
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", code="file.unreadable", where=str(path)) from error
        yield relative.as_posix(), content


def _in_its_package(path: str, content: bytes) -> None:
    """Refuse Rego of the policy owners that could add to any package but that of its folder.

    A module's package is its first statement, before which only comments and blank lines may stand.
    """
    package = f"package custom.{PurePosixPath(path).parent.name}"
    lines = (line.strip() for line in content.split(b"\n"))
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    if first != package.encode() or not _CUSTOM.fullmatch(package):
        raise UsageError(
            "Rego of the policy owners stands in the package of its folder",
            code="policy.package",
            where=path,
            remedy=f"begin it with `{package}`; a folder's name is of small letters, digits and _",
        )


_CUSTOM = re.compile(r"package custom\.[a-z][a-z0-9_]*")


def _is_source(parts: tuple[str, ...]) -> bool:
    custom = len(parts) == 3 and parts[0] == "custom" and parts[2].endswith(".rego")
    return custom or parts in {(MODULE_FOLDER, MODULE), (MODULE_FOLDER, SIDECAR)}


def _is_data(parts: tuple[str, ...]) -> bool:
    return len(parts) == 3 and parts[0] in _CHECKED and parts[2] in _DATA_NAMES


def shipped_data(path: str) -> Any:
    """Return the data of a file of the shipped policies, such as release/data.yaml."""
    return _data(path, (policies_folder() / path).read_bytes())


def _data(path: str, content: bytes) -> Any:
    """Parse a data file; those of the policy owners are held to their words."""
    return copy.deepcopy(_parsed(path, content))


@lru_cache(maxsize=64)
def _parsed(path: str, content: bytes) -> Any:
    known = {} if PurePosixPath(path).parts[0] in _CHECKED else _known()
    digest = digest_bytes(content)
    return known[digest] if digest in known else parse_data(path, content)


@cache
def _known() -> dict[str, Any]:
    path = module_folder() / PARSED
    return dict(parse_json(path.read_bytes(), where=str(path))) if path.is_file() else {}


def parse_data(path: str, content: bytes) -> Any:
    """Parse a data file of a policy bundle.

    Raises
    ------
    UsageError: it is no YAML, or says what such a file has no word for.
    """
    try:
        document = parse_yaml(content)
    except ValueError as error:
        raise UsageError(f"not YAML: {error}", code="policy.data", where=path) from error
    kind = PurePosixPath(path).parts[0]
    if kind not in _CHECKED:
        return document
    from gates.decide.policy_data import checked

    return checked(kind, document, path)


def _graft(root: dict[str, Any], path: PurePosixPath, document: Any) -> None:
    *folders, last = path.parent.parts
    node = root
    for part in folders:
        node = node.setdefault(part, {})
    if last in node:
        raise UsageError("data stand here twice, as YAML and as JSON", code="policy.data", where=str(path.parent))
    node[last] = document
