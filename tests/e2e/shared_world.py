"""What jobs of different runners share: the ledger's branch, the store, the registry, the serving target; nothing else."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from small_world import World


@dataclass
class Shared:
    """A world whose places are named from outside, as repository variables name them."""

    world: World
    variables: dict[str, str]
    folder: Path

    def serves(self) -> dict[str, int]:
        """Percent by version, as the target states it."""
        document = json.loads((self.world.folder / "serving/staging.json").read_text())
        return {route["version"]: route["percent"] for route in document["routes"]}


def share(bare: World, folder: Path) -> Shared:
    """Make one: policies are in force, and version 1 is adopted in both environments."""
    world = bare.copy(folder)
    ledger = folder / "ledger.git"
    subprocess.run(["git", "init", "--quiet", "--bare", ledger], check=True)
    spec = world.folder / "gates.yaml"
    text = spec.read_text().replace("sqlite:///mlflow.db", f"sqlite:///{world.folder}/mlflow.db")
    text = re.sub(
        r"file: \"?serving/\{environment\}\.json\"?", f'file: "{world.folder}/serving/{{environment}}.json"', text
    )
    spec.write_text(text)
    variables = {"GATES_LEDGER": f"git+{ledger.as_uri()}#gates", "GATES_STORE": str(folder / "store")}
    world.environ = {**variables, "GATES_CACHE": str(folder / "cache")}
    where = ("-e", "staging", "-e", "production")
    active = world.run("policy", "activate", *where, "--reason", "first", "--key", "owner.pem")
    assert active.code == 0, active.err
    variables["GATES_LEDGER_ROOT"] = active.out.rsplit("GATES_LEDGER_ROOT=", 1)[1].strip()
    world.environ |= variables
    for environment in ("staging", "production"):
        adopted = world.run("adopt", "models:/approval/1", "-e", environment, "--reason", "r", "--key", "applier.pem")
        assert adopted.code == 0, adopted.err
    return Shared(world, variables, folder)
