"""A module is imported beside the reading, and one that cannot be says so where it is needed."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from gates.measure.ahead import import_ahead


def test_a_module_is_there_and_a_broken_one_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ahead_whole.py").write_text("VALUE = 1\n")
    (tmp_path / "ahead_broken.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(threading.enumerate())
    for name in ("ahead_whole", "ahead_broken", "ahead_none"):
        import_ahead(name)
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert sys.modules["ahead_whole"].VALUE == 1
    assert capfd.readouterr() == ("", "")
    with pytest.raises(ZeroDivisionError):
        import ahead_broken  # noqa: F401
