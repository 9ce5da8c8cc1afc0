"""The model's own packages: a virtual environment made from its requirements, for the scorer process to run in.

Place in the flow: before the scorer process, which has no network. MLflow's own way (`env_manager` of
`mlflow.models.predict`) runs the model where it likes and wants pyenv or uv on the machine; what it builds is this: a
virtual environment of the requirements that were logged, kept by their digest.

The requirements are the model author's words, and nothing of his may run here: only plain names and versions are read,
no options, paths or URLs, and only wheels are installed, so that no package builds itself. The environment's Python is
first started inside the scorer process. Which index is asked is this machine's setting of pip.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from gates.inputs.sandbox import last_line
from gates.inputs.scorer import ScorerFailed

NEEDED = ("numpy", "pandas", "pyarrow", "pyyaml")
"""What the scorer's own program imports."""

BUILD_TIMEOUT_S = 1_800.0


class PackagesFailed(ScorerFailed):
    """The model's own environment could not be made."""

    default_code = "scorer.packages"


def own_python(model: Path, *, cache: Path | None = None) -> Path:
    """Return the interpreter of an environment with the model's requirements; made where there is none yet.

    Parameters
    ----------
    model: an MLflow model folder with `requirements.txt` and, where it has one, `python_env.yaml`.
    cache: where environments are kept; default: the user's cache folder.

    Raises
    ------
    PackagesFailed: no requirements, one that is not a name with versions, no such Python here, or pip's own words.
    """
    return environment(_requirements(model), _python(model), str(model), cache=cache)


def kept_environment(wanted: list[str], python: Path, *, cache: Path | None = None) -> Path:
    """Return where the interpreter of an environment of these requirements is kept; it may not be made yet."""
    from platformdirs import user_cache_path

    digest = hashlib.sha256("\n".join([str(python), sys.platform, *wanted]).encode()).hexdigest()
    return (cache or user_cache_path("model-gates")) / "packages" / digest / "bin" / "python"


def environment(wanted: list[str], python: Path, where: str, *, cache: Path | None = None) -> Path:
    """Return the interpreter of an environment of these requirements; made where there is none yet.

    Parameters
    ----------
    python: the interpreter that makes it. where: whose it is, for errors. cache: as of `own_python`.

    Raises
    ------
    PackagesFailed: pip's own words.
    """
    kept = kept_environment(wanted, python, cache=cache)
    if not kept.exists():
        folder = kept.parent.parent
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
            made = _build(Path(scratch) / "made", wanted, python, where)
            try:
                made.rename(folder)
            except OSError:
                if not kept.exists():  # else another process was faster
                    raise
    return kept


def _requirements(model: Path) -> list[str]:
    from packaging.requirements import InvalidRequirement, Requirement

    file = model / "requirements.txt"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PackagesFailed("the model has no readable requirements.txt", where=str(model)) from error
    found = []
    for line in lines:
        text = re.sub(r"(^|\s)#.*$", "", line).strip()
        if not text:
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise _refused(text, model) from error
        if requirement.url is not None:
            raise _refused(text, model)
        found.append(str(requirement))
    named = {Requirement(text).name.casefold() for text in found}
    return sorted({*found, *(name for name in NEEDED if name not in named)})


def _refused(text: str, model: Path) -> PackagesFailed:
    shown = "".join(char if char.isprintable() else "?" for char in text)[:100]
    return PackagesFailed(
        f'requirement "{shown}" is not a package\'s name with versions',
        where=str(model),
        remedy="log the model with packages of an index; options, paths and URLs are not followed",
    )


def _python(model: Path) -> Path:
    """The interpreter of the version that the model was logged with, to its second number."""
    file = model / "python_env.yaml"
    found = (
        re.search(r"^python:\s*['\"]?(\d+)\.(\d+)", file.read_text(encoding="utf-8"), re.MULTILINE)
        if file.is_file()
        else None
    )
    if found is None or (int(found[1]), int(found[2])) == sys.version_info[:2]:
        return Path(sys.executable)
    path = shutil.which(f"python{found[1]}.{found[2]}")
    if path is None:
        raise PackagesFailed(
            f"the model was logged with Python {found[1]}.{found[2]}, which is not here",
            where=str(model),
            remedy=f"put python{found[1]}.{found[2]} on PATH",
        )
    return Path(path)


def _build(folder: Path, wanted: list[str], python: Path, where: str) -> Path:
    _call([str(python), "-I", "-m", "venv", str(folder)], where)
    listed = folder / "requirements.txt"
    listed.write_text("\n".join(wanted) + "\n", encoding="utf-8")
    options = ["--only-binary", ":all:", "--disable-pip-version-check", "--no-input", "--quiet"]
    _call([str(folder / "bin" / "python"), "-I", "-m", "pip", "install", *options, "-r", str(listed)], where)
    return folder


def _call(command: list[str], where: str) -> None:
    try:
        ended = subprocess.run(command, capture_output=True, timeout=BUILD_TIMEOUT_S, check=False, cwd="/")  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise PackagesFailed("its environment was not made in time", where=where) from error
    if ended.returncode != 0:
        said = last_line(ended.stderr.decode(errors="replace"))[:300]
        raise PackagesFailed(f"its environment cannot be made: {said}", where=where)
