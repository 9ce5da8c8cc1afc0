"""A model in the environment that it was logged with: its packages and versions, not ours, shut in as every model is."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet as pq
import pytest

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from scorer_models import write_features, write_model

from gates.inputs import packages
from gates.inputs.packages import PackagesFailed, own_python
from gates.inputs.sandbox import isolation
from gates.inputs.scorer import Asked, score

OTHER = "six==1.15.0"
SOURCE = """
import sys
from importlib.metadata import version

class Model:
    def predict(self, X):
        import six
        assert six.__version__ == version("six")
        major, minor, patch = map(float, version("six").split("."))
        return np.full(len(X), major * 100 + minor)
"""


def _index() -> bool:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest"]
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run([*command, folder, OTHER], capture_output=True, check=False).returncode == 0


def model(folder: Path, *lines: str, source: str = SOURCE) -> Path:
    written = write_model(folder, source)
    (written / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (written / "python_env.yaml").write_text(f"python: {sys.version_info[0]}.{sys.version_info[1]}.0\n")
    return written


@pytest.mark.long
def test_a_model_runs_with_the_version_that_it_was_logged_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not _index():
        pytest.skip("no package registry answers")
    assert version("six") != "1.15.0"
    # Ours at our versions: what differs is the one package.
    ours = [f"{name}=={version(name)}" for name in packages.NEEDED]
    made = model(tmp_path / "model", f"{OTHER}  # a comment", "", *ours)
    features = write_features(tmp_path / "f.parquet", 20)
    python = own_python(made, cache=tmp_path / "cache")
    run = score(made, features, tmp_path / "o.parquet", asked=Asked("numeric"), timeout_s=60, python=python)
    assert set(pq.read_table(tmp_path / "o.parquet").column("p").to_pylist()) == {115.0}
    assert run.isolation == isolation()[0]
    # Kept by digest: a second model of the same requirements, in another order, asks nobody.
    monkeypatch.setattr(packages, "_build", lambda *_: pytest.fail("built again"))
    again = model(tmp_path / "again", *ours[::-1], OTHER)
    assert own_python(again, cache=tmp_path / "cache") == python
    # With our packages the same model answers something else.
    score(made, features, tmp_path / "ours.parquet", asked=Asked("numeric"), timeout_s=60)
    assert set(pq.read_table(tmp_path / "ours.parquet").column("p").to_pylist()) != {115.0}


@pytest.mark.parametrize(
    "line",
    [
        "--index-url http://localhost:1/simple",
        "-e .",
        "-r other.txt",
        "./wheel.whl",
        "/etc/passwd",
        "six @ file:///tmp/six.tar.gz",
        "git+https://localhost/x.git",
        "six; import os",
        "six==1.15.0 --hash=sha256:00",
    ],
)
def test_requirements_that_are_more_than_names_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(PackagesFailed, match="is not a package's name with versions") as caught:
        own_python(model(tmp_path / "model", "six==1.16.0", line), cache=tmp_path / "cache")
    assert (caught.value.exit_code, caught.value.code) == (4, "scorer.packages")
    assert not (tmp_path / "cache").exists()


def test_a_model_without_requirements_or_of_another_python(tmp_path: Path) -> None:
    made = model(tmp_path / "model", OTHER)
    (made / "python_env.yaml").write_text("python: 3.5.10\n")
    with pytest.raises(PackagesFailed, match=r"Python 3\.5, which is not here"):
        own_python(made, cache=tmp_path / "cache")
    (made / "requirements.txt").unlink()
    with pytest.raises(PackagesFailed, match="no readable requirements"):
        own_python(made, cache=tmp_path / "cache")


def test_what_pip_cannot_find_is_told_and_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(PackagesFailed, match="No matching distribution found for"):
        own_python(model(tmp_path / "model", OTHER), cache=tmp_path / "cache")
    assert list((tmp_path / "cache" / "packages").iterdir()) == []
