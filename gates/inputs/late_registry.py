"""The registry of a rollback: opened only when something of it is needed that a file on this machine does not say.

Importing MLflow takes longer than a rollback may. An sqlite registry's aliases are read, and the bytes that it keeps
here hashed, without it, so that the traffic is back before MLflow is asked to move the aliases.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from gates.errors import GatesError
from gates.inputs.model_digest import digest_model
from gates.inputs.registry import AbsentRegistry, Registry
from gates.inputs.registry_lookup import aliases_here, local_folder
from gates.records import Digest

_DOWN = frozenset({"registry.not_found", "registry.unavailable"})


class LateRegistry:
    """A registry by its URI, and how it is opened; one that is down when it is needed answers to nothing."""

    def __init__(self, uri: str, opened: Callable[[], Registry]) -> None:
        self._uri, self._opened = uri, opened

    def digest(self, name: str, version: str) -> Digest:
        """See Registry.digest."""
        folder = local_folder(self._uri, name, version)
        if folder is not None and folder.is_dir():
            return digest_model(folder)
        found: Digest = self._real.digest(name, version)
        return found

    def aliases(self, model: str) -> dict[str, str]:
        """See Registry.aliases."""
        here = aliases_here(self._uri, model)
        if here is not None:
            return here
        found: dict[str, str] = self._real.aliases(model)
        return found

    def __getattr__(self, name: str) -> Any:
        """Any other method of the port."""
        return getattr(self._real, name)

    @cached_property
    def _real(self) -> Any:
        try:
            return self._opened()
        except GatesError as error:
            if error.code not in _DOWN:
                raise
            return AbsentRegistry(error.message)
