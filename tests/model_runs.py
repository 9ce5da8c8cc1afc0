"""Two ways to spare a test the scorer's process, where the process is not what the test is about.

What the process keeps from a model, and what becomes of one that lies, is shown by real ones in
tests/unit/test_scorer_hostile.py and tests/unit/test_scorer_answers.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gates.inputs import sandbox, scorer
from gates.inputs.model_digest import digest_model
from gates.inputs.sandbox import Ended, Job
from gates.inputs.scorer import ScoreRun

# The working folder and the modules belong to the whole process.
_ALONE = threading.Lock()


def here(job: Job) -> Ended:
    """Be gates.inputs.sandbox.run for scores: the same program, in this process."""
    if job.script.name != "scorer_child.py":
        return sandbox.run(job)
    with _ALONE, tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output, _as_it_was():
        shutil.copyfile(job.features, Path(folder, "features.parquet"))
        child = importlib.import_module("gates.inputs.scorer_child")
        sys.modules["scorer_model"] = importlib.import_module("gates.inputs.scorer_model")
        try:
            with contextlib.chdir(folder):
                child.main(job.model.resolve(), os.dup(output.fileno()), json.loads(job.arguments[0]))
        except Exception as error:  # noqa: BLE001 - as the program itself does
            return Ended("process", b"", 3, f"{type(error).__name__}: {' '.join(str(error).split())}")
        output.seek(0)
        return Ended("process", output.read(job.output_bytes + 1), 0, "")


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    path, before = list(sys.path), set(sys.modules)
    try:
        yield
    finally:
        sys.path[:] = path
        for name in {"the_model", "scorer_model"} & (set(sys.modules) - before):
            del sys.modules[name]


@contextlib.contextmanager
def scored_once(folder: Path) -> Iterator[None]:
    """A model that is asked for the same of the same bytes again gives what it gave: its process runs once."""
    real, kept = scorer.score, dict[Any, tuple[ScoreRun, Path]]()

    def score(model_dir: Path, features: Path, out: Path, **given: Any) -> ScoreRun:
        rows = hashlib.sha256(features.read_bytes()).hexdigest()
        # An answer says how its model was shut in: one that was given here is no answer of a process.
        key = (digest_model(model_dir), rows, given["asked"], given.get("python"), scorer.run)
        if key not in kept:
            run = real(model_dir, features, out, **given)
            kept[key] = run, Path(shutil.copyfile(out, folder / f"{len(kept)} {threading.get_ident()}.parquet"))
        run, answer = kept[key]
        shutil.copyfile(answer, out)
        return run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scorer, "score", score)
        yield
