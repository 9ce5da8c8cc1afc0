"""Tables of real data whose keys were made wrong on purpose, so that the cause of their not pairing is known."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import numpy as np
import pandas as pd

from study.plant_worlds import World

Tables = tuple[pd.DataFrame, pd.DataFrame]
Plant = Callable[[np.random.Generator, pd.DataFrame, int], Tables]


def _base(rng: np.random.Generator, world: World, rows: int) -> pd.DataFrame:
    """Rows with a key `k` of the entity and a number, an address and an account of each, and one of the world's numbers."""
    name = str(rng.choice(world.numbers))
    found = world.frame[["e", name]].rename(columns={name: "x"}).dropna()
    found = found.sample(rows, random_state=int(rng.integers(2**31))).reset_index(drop=True)
    numbers = rng.permutation(rows)
    return found.assign(
        k=[f"{entity}-{number:05d}" for entity, number in zip(found["e"], numbers, strict=True)],
        mail=[f"{entity.lower()}.{number}@example.org" for entity, number in zip(found["e"], numbers, strict=True)],
        account=10_000_000 + rng.permutation(10 * rows)[:rows],
    ).drop(columns="e")


def _online(base: pd.DataFrame, keys: pd.Series, affected: int) -> pd.DataFrame:
    """The online table, with other keys in its first rows."""
    changed = np.arange(len(base)) < affected
    return base.assign(k=keys.where(changed, base["k"]))[["k", "x"]]


def duplicated_key(rng: np.random.Generator, base: pd.DataFrame, affected: int) -> Tables:
    """Half of the affected rows stand twice, on either side."""
    twice = pd.concat([base, base.head(affected // 2)], ignore_index=True)
    return (base, twice) if rng.random() < 0.5 else (twice, base)


def key_of_another_kind(rng: np.random.Generator, base: pd.DataFrame, affected: int) -> Tables:
    """The address for the key; the account for the number; or identifiers that offline does not know at all."""
    kind = rng.choice(["address", "account", "unheard of"])
    if kind == "address":
        return base, _online(base, base["mail"], affected)
    if kind == "account":
        numbered = base.assign(k=np.arange(len(base)))
        return numbered, _online(numbered, base["account"], affected)
    made = pd.Series([str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(len(base))])
    return base.drop(columns="mail"), _online(base, made, len(base))


def type_or_encoding(rng: np.random.Generator, base: pd.DataFrame, affected: int) -> Tables:
    """Keys in another case, between blanks, or numbers with zeros in front."""
    kind = rng.choice(["case", "blanks", "zeros"])
    if kind == "zeros":
        numbered = base.assign(k=np.arange(1, len(base) + 1))
        return numbered, numbered.assign(k=[f"{number:08d}" for number in numbered["k"]])[["k", "x"]]
    changed = base["k"].str.swapcase() if kind == "case" else " " + base["k"] + " "
    return base, _online(base, changed, affected)


def time_zone(rng: np.random.Generator, base: pd.DataFrame, affected: int) -> Tables:
    """A key that is a time, read on a clock elsewhere."""
    minutes = np.sort(rng.permutation(60 * len(base))[: len(base)])
    timed = base.assign(k=pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, "min"))
    shift = pd.Timedelta(int(rng.choice([-8, -5, 2, 9])), "h")
    return timed, timed.assign(k=timed["k"] + shift)[["k", "x"]]


def unknown_other_keys(rng: np.random.Generator, base: pd.DataFrame, affected: int) -> Tables:
    """Other entities of the same kind: nothing is wrong with how the keys are written."""
    return base, _online(base, "Z" + base["k"].str[1:] + "9", affected)


KEY_PLANTS: dict[str, Plant] = {
    "duplicated_key": duplicated_key,
    "key_of_another_kind": key_of_another_kind,
    "type_or_encoding key": type_or_encoding,
    "time_zone key": time_zone,
    "unknown other keys": unknown_other_keys,
}


def keys(rng: np.random.Generator, world: World, affected: int) -> dict[str, Tables]:
    """Return offline and online by what is wrong with their keys: in `affected` rows of a few more, or of all."""
    rows = affected if rng.random() < 0.5 else affected * 5 // 4
    return {name: plant(rng, _base(rng, world, rows), affected) for name, plant in KEY_PLANTS.items()}
