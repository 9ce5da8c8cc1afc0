"""A module is imported beside the reading, and one that cannot be says so where it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path

import pytest

from gates.measure.ahead import import_ahead, put_off


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


def test_a_module_that_is_put_off_is_loaded_by_its_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AHEAD", "")
    monkeypatch.delenv("AHEAD")
    (tmp_path / "ahead_package").mkdir()
    (tmp_path / "ahead_package/__init__.py").write_text("")
    (tmp_path / "ahead_package/late.py").write_text('import os\nos.environ["AHEAD"] = "loaded"\nVALUE = 2\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    put_off("ahead_package.late")
    put_off("ahead_none")
    late = import_module("ahead_package").late
    assert "AHEAD" not in os.environ
    assert late.VALUE == 2
    assert os.environ["AHEAD"] == "loaded"
    put_off("ahead_package.late")
    assert sys.modules["ahead_package.late"] is late


def test_scipy_begins_without_what_it_does_not_use() -> None:
    code = (
        "import sys; from gates.measure.ahead import _try; _try('scipy.special');"
        "assert 'scipy.special' in sys.modules;"
        "assert not {'numpy.f2py.crackfortran', 'numpy.ma.core', 'numpy.testing._private'} & set(sys.modules);"
        "import numpy.f2py; assert numpy.f2py.get_include();"
        "import numpy.testing; numpy.testing.assert_equal(numpy.ma.masked_equal([1, 2], 2).sum(), 1)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
