"""The example of docs/parity.md: its words are a spec's, and its figures what the gate finds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
from parity_world import by_place, measure

from gates.inputs.tables import Tables
from gates.plan.spec import load_spec

PAGE = (Path(__file__).parents[2] / "docs" / "parity.md").read_text(encoding="utf-8")


def test_the_page(tmp_path: Path) -> None:
    (words,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    (told,) = re.findall(r"^```json\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    words = words.replace("tables:\n", "tables:\n  holdout: {uri: holdout.parquet}\n")
    (tmp_path / "gates.yaml").write_text(f"model: m\ntask: binary\n{words}", encoding="utf-8")
    spec = load_spec(tmp_path)
    assert spec.parity is not None
    at = pd.Timestamp("2025-06-01", tz="UTC")
    offline = pd.DataFrame({"id": range(40), "at": at, "balance": 1000.0, "city": ["Oslo"] * 20 + ["Rome"] * 20})
    online = offline.assign(stored_at=at - pd.Timedelta("30min"))
    online.loc[0, "balance"] = 1000.0099  # less than a cent, and more than the policy's millionth of it
    online.loc[1:3, "balance"] += 0.02
    online.loc[4:5, "balance"] = None
    online.loc[6, "stored_at"] = at - pd.Timedelta("61min")
    online = online.drop(index=[38, 39])
    with Tables(threads=1) as engine:
        found = measure(
            engine,
            tmp_path,
            pa.Table.from_pandas(offline),
            pa.Table.from_pandas(online, preserve_index=False),
            columns=spec.plan_columns().model_dump(),
            parity=spec.parity.plan(),
            parameters={"slices": ("city",), "parity_features": ({"feature": "balance", "absolute": 0.01},)},
            scopes={"online": "sample"},
        )
    features = {feature["name"]: feature for feature in json.loads(found.notes[0].content)["features"]}
    assert features["balance"].items() >= json.loads(told).items()
    null, old = by_place(found, "parity.null"), by_place(found, "parity.too_old")
    shares = {
        where: (null[f"balance{where}"].estimate, old[f"balance{where}"].estimate) for where in ("", "@city=Oslo")
    }
    assert shares == {"": (2 / 38, 1 / 38), "@city=Oslo": (2 / 20, 1 / 20)}
    assert null["balance@city=Rome"].estimate == 0.0
    assert {figure.scope for figure in null.values()} == {"sample"}
