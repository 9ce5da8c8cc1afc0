"""Last program of the process that times two models: calls them in turn, one row at a time. All below is in their power.

Place in the flow: started by gates/inputs/sandbox_entry.py as `python -I child.py <model> <fd> <asked> [<rival>]` in a
folder that holds `features.parquet` alone; scorer_model.py lies beside it. It imports nothing of this project.

`asked` is JSON: {task, classes, pairs, warm}. Output on the file descriptor, native byte order: nanoseconds a call
int64[pairs] of the model, then int64[pairs] of the rival where there is one.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))


def main(folder: Path, descriptor: int, asked: dict[str, Any], rival: Path | None) -> None:
    """Time single calls on the rows of features.parquet, over and over where there are fewer than pairs."""
    import numpy as np
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]
    from scorer_model import Model  # type: ignore[import-not-found, unused-ignore]

    features = pq.read_table("features.parquet").drop_columns(["row_id"]).to_pandas()
    models = []
    for each in [folder, *([rival] if rival is not None else [])]:
        models.append(Model(each))
        _forget(each)
    frames = [model.in_order(features) for model in models]
    taken = np.zeros((len(models), asked["pairs"]), dtype=np.int64)
    gc.collect()
    # One model's garbage is not to be swept in the other's time.
    gc.disable()
    for call in range(-asked["warm"], asked["pairs"]):
        place = call % len(features)
        order = range(len(models)) if call % 2 else range(len(models) - 1, -1, -1)
        for index in order:
            row = frames[index].iloc[[place]]
            began = time.perf_counter_ns()
            models[index].answer(row, asked["task"], asked["classes"])
            spent = time.perf_counter_ns() - began
            if call >= 0:
                taken[index, call] = spent
        if call % 100 == 0:
            gc.collect()
    with os.fdopen(descriptor, "wb") as file:
        file.write(taken.tobytes())


def _forget(folder: Path) -> None:
    """Let go of the names of a model's own modules: the next model's may be called the same, and are others."""
    inside = str(folder)
    sys.path[:] = [path for path in sys.path if not path.startswith(inside)]
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(inside):
            del sys.modules[name]


if __name__ == "__main__":
    # As in scorer_child.py.
    os.environ.update(HOME="/tmp", MLFLOW_DISABLE_TELEMETRY="true", LOKY_MAX_CPU_COUNT=str(os.cpu_count() or 1))  # noqa: S108
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]), Path(sys.argv[4]) if sys.argv[4:] else None)
    except Exception as error:  # noqa: BLE001 - whatever model code raises becomes one line
        print(f"{type(error).__name__}: {' '.join(str(error).split())[:500]}", file=sys.stderr)
        sys.exit(3)
