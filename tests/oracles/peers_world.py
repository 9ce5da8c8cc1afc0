"""Two tables for comparing with other tools: numpy alone, so that their own environments make the same ones."""

from __future__ import annotations

from typing import Any

import numpy as np

ROWS = 600
RELATIVE = 1e-6
FEATURES = ("price", "count", "town", "flag", "gap", "half", "moved")


def tables() -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Return offline and online, by column; the online one in another order, without some keys and with some more.

    Differences lie far from the tolerance. `gap` is null on one side where it is NaN on the other; of `half` every second
    online value is NaN.
    """
    rng = np.random.RandomState(7)
    price = np.round(rng.lognormal(2, 1, ROWS), 6)
    count = rng.randint(0, 9, ROWS)
    town = rng.choice(["a", "b", "ü"], ROWS)
    flag = rng.uniform(size=ROWS) < 0.5
    plain = np.round(rng.normal(0, 1, ROWS), 6)
    offline: dict[str, list[Any]] = {
        "k": list(range(ROWS)),
        "price": price.tolist(),
        "count": count.tolist(),
        "town": town.tolist(),
        "flag": flag.tolist(),
        "gap": [None if row % 6 == 0 else float(v) for row, v in enumerate(plain)],
        "half": plain.tolist(),
        "moved": plain.tolist(),
    }
    online = {name: list(values) for name, values in offline.items()}
    online["price"] = [v * (1 + (1e-3 if row % 20 == 0 else 1e-9)) for row, v in enumerate(online["price"])]
    online["count"] = [v + (row % 50 == 0) for row, v in enumerate(online["count"])]
    online["town"] = ["other" if row % 25 == 3 else v for row, v in enumerate(online["town"])]
    online["flag"] = [None if row % 100 == 7 else v for row, v in enumerate(online["flag"])]
    online["gap"] = [float("nan") if v is None else v for v in online["gap"]]
    online["half"] = [float("nan") if row % 2 else v for row, v in enumerate(online["half"])]
    online["moved"] = [round(v + 1, 6) for v in online["moved"]]
    order = [int(row) for row in rng.permutation(ROWS) if row >= 20]
    online = {name: [values[row] for row in order] for name, values in online.items()}
    online["k"][:5] = [ROWS + extra for extra in range(5)]
    return offline, online
