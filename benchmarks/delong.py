"""The paired difference of two areas under the ROC curve with its interval, on a million rows: ours beside the peers.

Each process reads the same Parquet file and prints both areas' difference and its standard error.
"""

from __future__ import annotations

from pathlib import Path

import processes


def make(rows: int, path: Path) -> str:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    x = rng.normal(-0.5, 1.5, rows)
    y = rng.random(rows) < 1 / (1 + np.exp(-x))
    p, q = (1 / (1 + np.exp(-(x + spread * rng.normal(size=rows)))) for spread in (0.4, 0.6))
    pd.DataFrame({"y": y.astype(int), "p": p, "q": q}).to_parquet(path, index=False)
    return f"paired difference of areas on {rows:,} rows"


def _read(path: str) -> tuple[object, ...]:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return tuple(table.column(name).to_numpy() for name in ("y", "p", "q"))


def numpy(path: str) -> str:
    """The bare one: midranks by sorting, DeLong's two covariances, nothing else."""
    import numpy as np

    y, p, q = _read(path)
    event = np.asarray(y) == 1
    placed = []
    for score in map(np.asarray, (p, q)):
        above, below = score[event], score[~event]
        left, right = np.sort(below), np.sort(above)
        ten = (np.searchsorted(left, above) + np.searchsorted(left, above, "right")) / (2 * below.size)
        one = 1 - (np.searchsorted(right, below) + np.searchsorted(right, below, "right")) / (2 * above.size)
        placed.append((ten, one))
    ten, one = (first - second for first, second in zip(*placed, strict=True))
    return f"{ten.mean():.6f} ± {np.sqrt(ten.var(ddof=1) / ten.size + one.var(ddof=1) / one.size):.6f}"


def gates(path: str) -> str:
    """Our figure: bounds at nine confidences, with the term for what few rows cannot show."""
    from gates.measure.stats.auc import Placements, auc_difference

    y, p, q = _read(path)
    figure = auc_difference(Placements.of(y, p), Placements.of(y, q), None, minimum_clusters=8)
    return f"{figure.estimate:.6f} [{figure.lower[1]:.6f}, {figure.upper[1]:.6f}] at .975"


def pauc(path: str) -> str:
    from pauc import ROC, compare

    y, p, q = _read(path)
    return str(compare(ROC(y, p, direction="<"), ROC(y, q, direction="<")))


def mlstatkit(path: str) -> str:
    from MLstatkit import Delong_test

    z, _, ours, other = Delong_test(*_read(path), return_ci=False)
    return f"{ours - other:.6f} ± {abs((ours - other) / z):.6f}"


if __name__ == "__main__":
    ways = {"numpy": numpy, "gates": gates, "pauc": pauc, "mlstatkit": mlstatkit}
    processes.main(__file__, ways, "numpy", make, 1_000_000)
