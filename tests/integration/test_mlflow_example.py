"""The example's models: their sets cover, and what is registered can be scored where the example's folder is not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "flights"))
import train
from data import FEATURES

from gates.inputs.mlflow_registry import MlflowRegistry
from gates.inputs.scorer import Asked, score


@pytest.fixture(scope="module")
def parts() -> dict[str, pd.DataFrame]:
    """Rows of a world in which the wind makes flights late; some features are missing."""
    rng = np.random.default_rng(7)
    table = pd.DataFrame(rng.normal(size=(9000, len(FEATURES))), columns=list(FEATURES))
    table["late"] = (rng.random(9000) < 1 / (1 + np.exp(1 - 1.5 * table["wind_speed"]))).astype(int)
    table.loc[rng.random(9000) < 0.1, "pressure"] = np.nan
    return {"training": table[:3000], "calibration": table[3000:6000], "holdout": table[6000:]}


@pytest.mark.parametrize("version", train.VERSIONS, ids=lambda version: str(version.name))
def test_every_model_covers_and_scores_within_0_and_1(version: train.Version, parts: dict[str, pd.DataFrame]) -> None:
    model = train.fit(version, parts["training"], parts["calibration"])
    holdout = parts["holdout"]
    p, sets = model.predict_proba(holdout)[:, 1], model.predict_set(holdout)
    assert ((p > 0) & (p < 1)).all()
    assert sets[np.arange(len(holdout)), holdout["late"]].mean() == pytest.approx(0.9, abs=0.03)
    shuffled = holdout[holdout.columns[::-1]]
    np.testing.assert_array_equal(model.predict_proba(shuffled)[:, 1], p)
    again = train.fit(version, parts["training"], parts["calibration"])
    np.testing.assert_array_equal(again.predict_proba(holdout)[:, 1], p)


def test_a_registered_version_is_scored_from_its_bytes(parts: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    good = train.VERSIONS[-1]
    model = train.fit(good, parts["training"], parts["calibration"])
    features = parts["holdout"][list(FEATURES)]
    models = train.Models(tmp_path)
    tags = {"gates.lineage.training_digest": "sha256:00"}
    number = models.register(good.name, model, features.dropna().head(3), tags, {"share": 1.0}, {"what": "w"})
    models.point("champion", number)

    registry = MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db")
    found = registry.resolve("models:/flights-delay@champion")
    assert (found.version.version, found.features, found.flavor) == ("1", FEATURES, "sklearn")
    assert set(found.lineage) == {"training_digest", "parameters"}
    table = pa.Table.from_pandas(features[features.columns[::-1]], preserve_index=False)
    pq.write_table(table.append_column("row_id", pa.array(range(len(features)))), tmp_path / "f.parquet")
    folder = registry.fetch(found.version, tmp_path / "m")
    score(folder, tmp_path / "f.parquet", tmp_path / "o.parquet", asked=Asked("binary"), timeout_s=120)
    out = pq.read_table(tmp_path / "o.parquet").to_pandas()
    np.testing.assert_array_equal(out["p"], model.predict_proba(features)[:, 1])
    np.testing.assert_array_equal(out[["set_0", "set_1"]], model.predict_set(features))
