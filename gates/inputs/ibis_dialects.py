"""Ibis with the SQL dialects that are used, and no others.

Ibis 12 imports the compilers of all twenty engines when one is connected to, a tenth of the time that it takes to measure
ten million rows. Here its package of compilers imports each when it is asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_COMPILERS = "ibis.backends.sql.compilers"
_CLASS = "Compiler"


def use_few_dialects() -> None:
    """Take the place of Ibis's package of compilers, unless it is imported already."""
    spec = find_spec("ibis")
    if _COMPILERS in sys.modules or spec is None or not spec.submodule_search_locations:
        return
    package = ModuleType(_COMPILERS)
    package.__path__ = [f"{folder}/backends/sql/compilers" for folder in spec.submodule_search_locations]
    package.__getattr__ = _compiler  # type: ignore[method-assign]
    sys.modules[_COMPILERS] = package


def _compiler(name: str) -> Any:
    """`duckdb`, a module, or `DuckDBCompiler`, the class in it."""
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        module = import_module(f"{_COMPILERS}.{name.removesuffix(_CLASS).lower()}")
    except ModuleNotFoundError as error:
        raise AttributeError(name) from error
    return getattr(module, name) if name.endswith(_CLASS) else module
