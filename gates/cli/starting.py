"""The beginning of a command's process."""

from __future__ import annotations

import gc
import os


def prepare() -> None:
    """Leave out what takes long at the start of Python's libraries, and what no command uses."""
    # Importing makes millions of objects that stay; looking at them again and again is a quarter of MLflow's import.
    gc.set_threshold(300_000, 50, 50)
    # Looking through all installed packages for pydantic's plugins, of which records use none, takes a tenth of a start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    # NumPy's and SciPy's linear algebra start a thread for each core, which spins where a table engine wants to work. Its
    # sums would also be others where there are other cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
