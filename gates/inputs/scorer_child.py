"""Last program of the scorer process: loads the model and writes what it answers. Everything below is in its power.

Place in the flow: started by gates/inputs/sandbox_entry.py as `python -I child.py <model> <fd> <asked>` in a folder
that holds `features.parquet` alone; scorer_model.py lies beside it. It imports nothing of this project.

`asked` is JSON: {task, classes, level, quantiles}. Output on the file descriptor, native byte order, n rows:
header int64[5]: rows, scores a row, intervals a row, quantiles a row, classes of a set; level float64[intervals]; then
columns, one after the other: row_id int64[n]; scores, each float64[n]; for each interval lower and upper float64[n];
quantiles, each float64[n]; membership of each class uint8[n]. No format that needs a parser, because the reader trusts
nothing.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))


def main(folder: Path, descriptor: int, asked: dict[str, Any]) -> None:
    """Score features.parquet of the working folder."""
    import numpy as np
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]
    from scorer_model import Model  # type: ignore[import-not-found, unused-ignore]

    table = pq.read_table("features.parquet")
    row_id = table.column("row_id").to_numpy().astype(np.int64)
    model = Model(folder)
    features = model.in_order(table.drop_columns(["row_id"]).to_pandas())
    scores, levels, ends, quantiles, sets = _answers(model, features, asked)
    if len(scores) != len(row_id):
        raise ValueError(f"the model answered {len(scores)} rows to {len(row_id)}")
    counts = [scores.shape[1], len(levels), quantiles.shape[1], sets.shape[1]]
    columns = [row_id, *scores.T, *ends.T, *quantiles.T, *sets.T.astype(np.uint8)]
    with os.fdopen(descriptor, "wb") as file:
        file.write(np.array([len(row_id), *counts], dtype=np.int64).tobytes())
        file.write(np.array(levels, dtype=np.float64).tobytes())
        for column in columns:
            file.write(np.ascontiguousarray(column).tobytes())


def _answers(model: Any, features: Any, asked: dict[str, Any]) -> tuple[Any, ...]:
    """Scores, levels, their ends (lower and upper of each level in turn), quantiles, sets: each of shape (n, columns)."""
    import numpy as np

    task, classes, level = asked["task"], asked["classes"], asked["level"]
    rows = len(features)
    none = np.empty((rows, 0))
    if rows == 0:
        return np.empty((0, 1)), [], none, none, none
    scores = model.answer(features, task, classes)
    scores = scores.reshape(len(scores), -1)
    if task != "numeric":
        sets = model.sets(features, classes, level)
        return scores, [], none, none, none if sets is None else sets
    levels, ends = model.intervals(features, level)
    quantiles = model.quantiles(features, asked["quantiles"])
    ends = ends.transpose(0, 2, 1).reshape(rows, 2 * len(levels))
    return scores, levels, ends, none if quantiles is None else quantiles, none


if __name__ == "__main__":
    # Libraries ask for a home and for the number of cores, and there is no environment and no /proc/cpuinfo to tell.
    os.environ.update(HOME="/tmp", MLFLOW_DISABLE_TELEMETRY="true", LOKY_MAX_CPU_COUNT=str(os.cpu_count() or 1))  # noqa: S108
    gc.set_threshold(100_000, 50, 50)
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
    except Exception as error:  # noqa: BLE001 - whatever model code raises becomes one line
        print(f"{type(error).__name__}: {' '.join(str(error).split())[:500]}", file=sys.stderr)
        sys.exit(3)
