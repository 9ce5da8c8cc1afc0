"""Generated files of the policies: the WebAssembly module, its record, and the texts of all codes.

`python -m gates.decide.build_module` writes `gates/decide/module/`; with `--check` it builds afresh and exits 1 where the
committed files differ. The same sources at the same relative paths give the same bytes, so it builds in a folder of its
own; only the pinned OPA will do.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gates.bundle.canonical import digest_bytes
from gates.decide.arithmetic import additions
from gates.decide.controls import FILE as CONTROLS
from gates.decide.controls import collect, document
from gates.decide.engines.interface import ACTION, ACTIVATION, CHANGE, DECISION, PLAN
from gates.decide.opa_binary import OpaBinary, get_opa
from gates.decide.policies import MODULE, PARSED, SIDECAR, Sidecar, digest_sources, parse_data, shipped_rego
from gates.errors import EngineError, GatesError
from gates.resources import module_folder, policies_folder

ANNOTATIONS = "annotations.json"
ENTRY_POINTS = (PLAN, DECISION, ACTION, CHANGE, ACTIVATION)
_SECONDS = 120.0


def build(opa: OpaBinary, root: Path) -> dict[str, bytes]:
    """Build all generated files from the policies under `root`: file name -> bytes.

    Raises
    ------
    EngineError: OPA refuses the policies, with its message.
    """
    rego = shipped_rego(root)
    module = compile_rego(opa, rego, (root / ".manifest").read_bytes(), root / "capabilities.json")
    inspected = inspect(opa, rego)
    return {
        MODULE: module,
        SIDECAR: sidecar_of(opa, rego, module),
        ANNOTATIONS: _pretty(dict(sorted(_texts(inspected)))),
        CONTROLS: _pretty(document(collect(inspected))),
        PARSED: _pretty(dict(_parsed(root))),
    }


def compile_rego(opa: OpaBinary, rego: Mapping[str, bytes], manifest: bytes, capabilities: Path | None = None) -> bytes:
    """Compile sources to WebAssembly under the shipped capabilities.

    Raises
    ------
    EngineError: `module.build`: OPA refuses them, or they add what may be fractions.
    """
    added = list(additions(opa, rego))
    if added:
        raise EngineError("; ".join(added), code="module.build")
    with _laid_out({**rego, ".manifest": manifest}) as folder:
        return _compile(opa, folder, capabilities or policies_folder() / "capabilities.json")


def inspect(opa: OpaBinary, rego: Mapping[str, bytes]) -> dict[str, Any]:
    """What OPA says of the METADATA of sources."""
    with _laid_out(rego) as folder:
        said = run_opa(opa, folder, "inspect", "--annotations", "--format", "json", "policies")
    found: dict[str, Any] = json.loads(said)
    return found


def sidecar_of(opa: OpaBinary, rego: Mapping[str, bytes], module: bytes) -> bytes:
    """The record of what a module was built from."""
    sidecar = Sidecar(
        opa_version=opa.version,
        source_digest=digest_sources(rego),
        module_digest=digest_bytes(module),
        entry_points=ENTRY_POINTS,
    )
    return _pretty(sidecar.document())


@contextmanager
def _laid_out(files: Mapping[str, bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gates-build-") as folder:
        for path, content in files.items():
            target = Path(folder) / "policies" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        yield Path(folder)


def _parsed(root: Path) -> Iterator[tuple[str, Any]]:
    """Digest -> document of each shipped data file: a parser of YAML takes a third of a second for them."""
    for path in sorted(root.rglob("data.yaml")):
        content = path.read_bytes()
        yield digest_bytes(content), parse_data(path.relative_to(root).as_posix(), content)


def _compile(opa: OpaBinary, folder: Path, capabilities: Path) -> bytes:
    entries = [word for entry in ENTRY_POINTS for word in ("--entrypoint", entry)]
    options = ["--target", "wasm", "--capabilities", str(capabilities.resolve()), "--output", "bundle.tar.gz"]
    run_opa(opa, folder, "build", "--bundle", "policies", *entries, *options)
    with tarfile.open(folder / "bundle.tar.gz") as bundle:
        member = bundle.extractfile("/policy.wasm")
        if member is None:
            raise EngineError("OPA built no module", code="module.build")
        return member.read()


def run_opa(opa: OpaBinary, folder: Path, *arguments: str) -> str:
    """Run OPA in a folder; return what it printed.

    Raises
    ------
    EngineError: `module.build`, with OPA's message.
    """
    try:
        return subprocess.run(  # noqa: S603 - OPA itself, no shell
            [opa.path, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
        ).stdout
    except subprocess.CalledProcessError as error:
        raise EngineError(f"opa {arguments[0]}: {error.stderr or error.stdout}", code="module.build") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"opa {arguments[0]}: {error}", code="module.build") from error


def _texts(inspected: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Code -> title, description, remedy, from the METADATA; a suffix stands behind the name of every check."""
    checks, suffixes = {}, []
    for item in inspected["annotations"]:
        note = item["annotations"]
        code = note.get("custom", {}).get("code")
        if code is not None:
            yield code, _text(note)
        if code is not None and [part["value"] for part in item.get("path", ())][1:3] == ["gates", "checks"]:
            checks[code] = note
        if "suffix" in note.get("custom", {}):
            suffixes.append(note)
    for code, check in checks.items():
        for note in suffixes:
            yield f"{code}.{note['custom']['suffix']}", _text(note, of=check)


def _text(note: Mapping[str, Any], of: Mapping[str, Any] | None = None) -> dict[str, str]:
    title = f"{of['title']}: {note['title']}" if of else note["title"]
    remedy = note["custom"].get("remedy")
    return {
        "title": title,
        "description": note["description"].strip(),
        **({"remedy": remedy.strip()} if remedy else {}),
    }


def _pretty(content: Any) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def stale(opa: OpaBinary) -> list[str]:
    """Names of committed files that are not what this OPA builds."""
    folder = module_folder()
    fresh = build(opa, policies_folder())
    return [name for name, content in fresh.items() if _committed(folder / name) != content]


def _committed(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def main(arguments: list[str]) -> int:
    try:
        opa = get_opa()
        if "--check" in arguments:
            names = stale(opa)
            for name in names:
                print(f"{name} is not current; run python -m gates.decide.build_module", file=sys.stderr)
            return 1 if names else 0
        module_folder().mkdir(exist_ok=True)
        for name, content in build(opa, policies_folder()).items():
            (module_folder() / name).write_bytes(content)
    except GatesError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
