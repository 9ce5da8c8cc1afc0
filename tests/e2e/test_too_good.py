"""Tables that are laid out so that a figure looks good: what a decision says of them, from end to end."""

from __future__ import annotations

import pandas as pd
from small_world import World


def denials(world: World) -> dict[str, set[str]]:
    """Codes of what denies, with their items."""
    ran = world.check()
    assert ran.code == 1, ran.out + ran.err
    found: dict[str, set[str]] = {}
    for row in ran.json["rows"]:
        if row["disposition"] == "denies":
            found.setdefault(row["code"], set()).add(str(row.get("item")))
    return found


def test_the_holdout_was_learned_under_other_keys(world: World) -> None:
    training, holdout = (pd.read_parquet(world.folder / f"{name}.parquet") for name in ("training", "holdout"))
    renamed = holdout.assign(id="t" + holdout["id"])
    pd.concat([training, renamed]).to_parquet(world.folder / "training.parquet", index=False)
    assert "data.holdout_overlap" in denials(world)
