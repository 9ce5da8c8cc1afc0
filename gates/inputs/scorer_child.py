"""Last program of the scorer process: loads the model and writes what it answers. Everything below is in its power.

Place in the flow: started by gates/inputs/sandbox_entry.py as `python -I scorer_child.py <model> <fd>` in a folder
that holds `features.parquet` alone. It imports nothing of this project: there is no view of it here.

Output on the file descriptor, native byte order, n rows: row_id int64[n], p float64[n], then, where the model gives
prediction sets, set_0 uint8[n] and set_1 uint8[n]. No format that needs a parser, because the reader trusts nothing.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]


def main(folder: Path, descriptor: int) -> None:
    """Score features.parquet of the working folder."""
    import numpy as np
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]

    table = pq.read_table("features.parquet")
    row_id = table.column("row_id").to_numpy().astype(np.int64)
    described = _mlmodel(folder)
    features = _in_order(table.drop_columns(["row_id"]).to_pandas(), described)
    native, pyfunc = _load(folder, described)
    scores = _probabilities(native, pyfunc, features)
    columns: list[Any] = [row_id, scores]
    if callable(getattr(native, "predict_set", None)):
        sets = _sets(native.predict_set(features), len(row_id))
        columns += [sets[:, 0].astype(np.uint8), sets[:, 1].astype(np.uint8)]
    if len(scores) != len(row_id):
        raise ValueError(f"the model answered {len(scores)} rows to {len(row_id)}")
    with os.fdopen(descriptor, "wb") as file:
        for column in columns:
            file.write(np.ascontiguousarray(column).tobytes())


def _mlmodel(folder: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML

    described = YAML(typ="safe", pure=True).load((folder / "MLmodel").read_text(encoding="utf-8"))
    if not isinstance(described, dict):
        raise TypeError("MLmodel is not a mapping")
    return described


def _in_order(features: pd.DataFrame, described: dict[str, Any]) -> pd.DataFrame:
    """Give the signature's columns in its order; all as they are where there is none."""
    import json

    inputs = json.loads((described.get("signature") or {}).get("inputs") or "[]")
    names = [column["name"] for column in inputs if "name" in column]
    missing = [name for name in names if name not in features.columns]
    if missing:
        raise KeyError(f"the features lack {', '.join(missing)}")
    return features[names] if names else features


def _load(folder: Path, described: dict[str, Any]) -> tuple[Any, Any]:
    """Return (native object or None, pyfunc or None).

    A pickled scikit-learn flavour is loaded without MLflow, whose import takes longer than all the rest: 3.5 s
    against 2.2 s for a run on a few rows (2 cores).
    """
    flavor = (described.get("flavors") or {}).get("sklearn") or {}
    if flavor.get("serialization_format") in {"pickle", "cloudpickle"}:
        if flavor.get("code"):
            sys.path.insert(0, str(folder / flavor["code"]))
        with (folder / flavor["pickled_model"]).open("rb") as file:
            return pickle.load(file), None  # noqa: S301 - this process exists for it
    import mlflow.pyfunc

    loaded = mlflow.pyfunc.load_model(str(folder))
    try:
        return loaded.get_raw_model(), loaded
    except (NotImplementedError, AttributeError):  # flavours without a native object say so in either way
        return None, loaded


def _probabilities(native: Any, pyfunc: Any, features: pd.DataFrame) -> Floats:
    """P(y = 1), shape (n,): predict_proba's second column, or what the pyfunc answers."""
    import numpy as np

    if callable(getattr(native, "predict_proba", None)):
        answer = np.asarray(native.predict_proba(features))
        if answer.ndim == 2 and answer.shape[1] == 2:
            return answer[:, 1].astype(np.float64)
        if answer.ndim == 2 and answer.shape[1] > 2:
            raise ValueError(f"predict_proba has {answer.shape[1]} classes, the task is binary")
    elif pyfunc is not None:
        answer = _column(pyfunc.predict(features))
    else:
        raise TypeError(f"{type(native).__name__} has no predict_proba")
    if answer.size != answer.shape[0]:
        raise ValueError(f"one score a row is wanted, the model answered an array of shape {answer.shape}")
    return answer.reshape(-1).astype(np.float64)


def _column(answer: Any) -> npt.NDArray[Any]:
    import numpy as np

    names = list(getattr(answer, "columns", []))
    for name in ("p", "probability"):
        if name in names:
            return np.asarray(answer[name])
    if len(names) > 1:
        raise ValueError("predict answered several columns, none of them p or probability")
    return np.asarray(answer)


def _sets(answer: Any, rows: int) -> npt.NDArray[np.bool_]:
    """Membership of the classes 0 and 1, shape (n, 2); MAPIE's (labels, sets[n, 2, levels]) is understood."""
    import numpy as np

    sets = np.asarray(answer[1] if isinstance(answer, tuple) else answer)
    if sets.ndim == 3 and sets.shape[2] == 1:
        sets = sets[:, :, 0]
    if sets.shape != (rows, 2):
        raise ValueError(f"predict_set answered an array of shape {sets.shape}, not ({rows}, 2)")
    return sets.astype(bool)


if __name__ == "__main__":
    # Libraries ask for a home and for the number of cores, and there is no environment and no /proc/cpuinfo to tell.
    os.environ.update(HOME="/tmp", MLFLOW_DISABLE_TELEMETRY="true", LOKY_MAX_CPU_COUNT=str(os.cpu_count() or 1))  # noqa: S108
    gc.set_threshold(100_000, 50, 50)
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]))
    except Exception as error:  # noqa: BLE001 - whatever model code raises becomes one line
        print(f"{type(error).__name__}: {' '.join(str(error).split())[:500]}", file=sys.stderr)
        sys.exit(3)
