"""Models for the scorer's tests: an MLmodel file, a pickle that names a class, and that class's source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MLMODEL = """
flavors:
  sklearn: {code: code, pickled_model: model.pkl, serialization_format: cloudpickle}
"""

TELL = '''
import json
import numpy as np

def tell(findings, rows):
    """Say findings through the only way out: the scores, a byte each."""
    text = json.dumps(findings).encode().ljust(rows)
    if len(text) > rows:
        raise ValueError("too few rows to tell " + str(len(text)))
    return np.frombuffer(text, np.uint8) / 255
'''


def write_model(folder: Path, source: str) -> Path:
    """Write a model whose class `Model` stands in `source`; unpickling imports and calls it."""
    (folder / "code").mkdir(parents=True)
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / "code" / "the_model.py").write_text(TELL + source)
    (folder / "model.pkl").write_bytes(b"cthe_model\nModel\n)R.")
    return folder


def probabilities(expression: str) -> str:
    """Source of a model whose P(y = 1) is an expression in X."""
    return f"""
class Model:
    def predict_proba(self, X):
        p = np.asarray({expression}, dtype=float)
        return np.column_stack([1 - p, p])
"""


def write_features(path: Path, rows: int = 50, **columns: object) -> Path:
    """Write row_id, one column `a` in (0, 1), and whatever else."""
    a = (np.arange(rows) + 0.5) / max(rows, 1)
    pq.write_table(pa.table({"row_id": np.arange(rows) * 7, "a": a, **columns}), path)
    return path


def told(out: Path) -> str:
    """Read what a model told through its scores."""
    p = pq.read_table(out).column("p").to_numpy()
    return np.round(p * 255).astype(np.uint8).tobytes().decode().strip()
