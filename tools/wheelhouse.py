"""Fill a folder with the wheels that `gates rollback` needs, for a machine without network: `python tools/wheelhouse.py OUT`.

They are this checkout's own wheel and what its extra `rollback` names, with what that needs in turn: no MLflow, no
engine for tables. Run it with the same Python and platform as the other machine's.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).parents[1]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def build(out: Path) -> Path:
    """Build this checkout's wheel into the folder; return it."""
    subprocess.run([*PIP, "wheel", "--quiet", "--no-deps", "--wheel-dir", out, ROOT], check=True)
    return next(out.glob("model_gates-*.whl"))


def needed(wheel: Path, extra: str) -> list[str]:
    """Return what a wheel's extra names, as its metadata has it."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    marked = [text.partition(";") for text in metadata.get_all("Requires-Dist") or ()]
    wanted = (f"extra == '{extra}'", f'extra == "{extra}"')
    return [requirement.strip() for requirement, _, marker in marked if marker.strip() in wanted]


def main() -> None:
    """Build, download, and say how to install."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1]).absolute()
    out.mkdir(parents=True, exist_ok=True)
    requirements = needed(build(out), "rollback")
    constraints = ROOT / "constraints.txt"
    subprocess.run(
        [*PIP, "download", "--quiet", "--only-binary=:all:", "--constraint", constraints, "--dest", out, *requirements],
        check=True,
    )
    # Without resolving: gates' own wheel names MLflow and more, which a rollback does without.
    print(f"python -m pip install --no-index --no-deps {out}/*.whl")


if __name__ == "__main__":
    main()
