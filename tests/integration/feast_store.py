"""Makes a feature store on SQLite and Parquet, with plants. Runs in Feast's environment: `python feast_store.py FOLDER`.

Customers 0..199, one event a day for two days; the first 100 have a second line that was created late, which the offline
store must leave out. In the online store then: 0..9 were never written, of 10..19 `x` is null, what is known of 20..29
is 9 days old (values of the view count for 2 days), and of 30..39 `x` is 100 times what it was. The service `v2` has `x`
and `twice`, which a view computes from it when it is asked.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, Int64, String

NOW = pd.Timestamp("2026-10-10", tz="UTC")
CONFIG = """
project: acme
registry: registry.db
provider: local
online_store: {type: sqlite, path: online.db}
offline_store: {type: dask}
entity_key_serialization_version: 3
"""


def main(folder: Path) -> None:
    (folder / "feature_store.yaml").write_text(CONFIG)
    rng = np.random.default_rng(7)
    customers = np.arange(200)
    events = pd.concat(
        [
            pd.DataFrame(
                {
                    "id": customers,
                    "happened": NOW - pd.Timedelta(days=age),
                    "created": NOW - pd.Timedelta(days=age) + pd.Timedelta("1h"),
                    "x": rng.normal(size=200),
                    "n": rng.integers(0, 9, 200),
                    "c": rng.choice(["a", "b"], 200),
                }
            )
            for age in (2, 1)
        ]
    )
    late = events[-200:-100].assign(x=-99.0, created=NOW + pd.Timedelta("1D"))  # the same event, ingested after NOW
    pd.concat([events, late]).to_parquet(folder / "amounts.parquet", index=False)
    served = events[~events["id"].between(0, 9)].copy()
    served.loc[served["id"].between(20, 29), "happened"] -= pd.Timedelta(days=8)
    served.loc[served["id"].between(10, 19), "x"] = np.nan
    served.loc[served["id"].between(30, 39), "x"] *= 100

    customer = Entity(name="customer", join_keys=["id"], value_type=ValueType.INT64)
    source = FileSource(
        name="amounts",
        path=str(folder / "amounts.parquet"),
        timestamp_field="happened",
        created_timestamp_column="created",
    )
    view = FeatureView(
        name="amounts",
        entities=[customer],
        ttl=timedelta(days=2),
        schema=[Field(name="x", dtype=Float64), Field(name="n", dtype=Int64), Field(name="c", dtype=String)],
        source=source,
        tags={"version": "3"},
    )

    @on_demand_feature_view(sources=[view], schema=[Field(name="twice", dtype=Float64)], mode="pandas")
    def doubled(amounts: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"twice": amounts["x"] * 2})

    services = [
        FeatureService(name="v1", features=[view]),
        FeatureService(name="v2", features=[view[["x"]], doubled]),
    ]
    store = FeatureStore(repo_path=str(folder))
    store.apply([customer, view, doubled, *services])
    store.write_to_online_store("amounts", served.drop_duplicates("id", keep="last"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
