"""Pin a release of OPA: `python tools/pin_opa.py VERSION` writes gates/decide/opa_release.json.

Every file is fetched whole; its digest must be the one that the release publishes beside it. Compare the version's notes
and a digest or two with another place (a package manager's manifest) before the change is merged: from then on they are
believed. `python -m gates.decide.build_module` afterwards, as the policies are compiled by the pinned version.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from gates.decide.opa_release import PINS, RELEASES, fetch
from gates.errors import EngineError

PLACE = Path("gates/decide/opa_release.json")


def pinned(version: str, *, releases: str = RELEASES) -> dict[str, Any]:
    """Return the pins of a version, each digest both computed and published.

    Raises
    ------
    EngineError: `opa.release`: a file is not to be had, or is not what is published of it.
    """
    assets = {}
    for place, known in PINS["assets"].items():
        url = f"{releases}/v{version}/{known['name']}"
        with tempfile.TemporaryFile() as file:
            digest = fetch(url, file)
        said = io.BytesIO()
        fetch(f"{url}.sha256", said)
        published = said.getvalue().decode(errors="replace").split()[:1]
        if published != [digest]:
            raise EngineError(f"has the sha256 {digest}, and {published} is published", code="opa.release", where=url)
        assets[place] = {"name": known["name"], "sha256": digest}
    return {"version": version, "assets": assets}


def written(pins: dict[str, Any]) -> str:
    """One line a platform."""
    lines = [f"    {json.dumps(place)}: {json.dumps(asset)}" for place, asset in sorted(pins["assets"].items())]
    body = ",\n".join(lines)
    return f'{{\n  "version": {json.dumps(pins["version"])},\n  "assets": {{\n{body}\n  }}\n}}\n'


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        pins = pinned(sys.argv[1])
    except EngineError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    PLACE.write_text(written(pins), encoding="utf-8")
    print(f"{PLACE}: OPA {pins['version']}, {len(pins['assets'])} platforms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
