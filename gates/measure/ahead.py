"""Libraries that are imported while an engine reads tables, which needs no Python."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from threading import Thread


def import_ahead(name: str) -> None:
    """Begin to import a module in a thread of its own; who imports it later waits for what is left.

    What goes wrong is raised where it is imported then.
    """
    Thread(target=_try, args=(name,)).start()


def _try(name: str) -> None:
    with suppress(Exception):
        import_module(name)
