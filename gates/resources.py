"""Where the files that ship with the package are: in the wheel under `gates/_shipped`, in a checkout at its root."""

from __future__ import annotations

from pathlib import Path

from gates.errors import EngineError

_PACKAGE = Path(__file__).resolve().parent


def _shipped(installed: str, checkout: str) -> Path:
    for folder in (_PACKAGE / "_shipped" / installed, _PACKAGE.parent / checkout):
        if folder.is_dir():
            return folder
    raise EngineError(
        f"the package lacks its {installed} files",
        code="install.incomplete",
        where=str(_PACKAGE),
        remedy="install model-gates again",
    )


def policies_folder() -> Path:
    """Root of the shipped policy bundle."""
    return _shipped("policies", "policies")


def schema_folder() -> Path:
    """Folder of the JSON Schemas of all records."""
    return _shipped("schema", "evidence/schema")


def module_folder() -> Path:
    """Folder of the compiled policies and their sidecars."""
    return _PACKAGE / "decide" / "module"
