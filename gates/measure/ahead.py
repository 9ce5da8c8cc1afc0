"""Libraries that are imported while an engine reads tables, which needs no Python."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import LazyLoader, find_spec, module_from_spec
from threading import Thread

_UNUSED = ("numpy.f2py", "numpy.ma", "numpy.testing")
"""What SciPy takes with all that NumPy has, by a star: a compiler of Fortran, masked arrays, what tests ask with."""


def import_ahead(name: str) -> None:
    """Begin to import a module in a thread of its own; who imports it later waits for what is left.

    What goes wrong is raised where it is imported then.
    """
    Thread(target=_try, args=(name,)).start()


def _try(name: str) -> None:
    with suppress(Exception):
        for unused in _UNUSED:
            put_off(unused)
        import_module(name)


def put_off(name: str) -> None:
    """Let a module be loaded when something of it is first used, and not when it is imported.

    What SciPy takes and does not use is a third of the time of its import.
    """
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader = spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    loader.exec_module(module)
    package, _, last = name.rpartition(".")
    if package:
        setattr(sys.modules[package], last, module)
