"""Registers two models of the delay in minutes, on the tables of train.py; delay-minutes/gates.yaml gates them.

    python train.py && python minutes.py
    cd delay-minutes && gates check

The first has intervals of one length, as if every flight were as hard to foresee as every other; the second's are
locally adaptive. Both cover nine flights of ten; only one of them does so whatever the length of its intervals, and is
narrower than the one interval for all flights that their delays alone would give.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import train
from adaptive import ConformalRegressor
from data import FEATURES
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODEL = "flights-minutes"
LABEL = "arr_delay"


def boosting(rounds: int) -> HistGradientBoostingRegressor:
    """Boosted trees of the median: a few flights are a day late, and the mean follows them."""
    return HistGradientBoostingRegressor(
        loss="absolute_error", max_iter=rounds, learning_rate=0.2, early_stopping=False, random_state=0
    )


def versions() -> dict[str, ConformalRegressor]:
    """Name -> model, not yet fitted, in the order of their registration."""
    linear = make_pipeline(SimpleImputer(), StandardScaler(), Ridge())
    return {
        "one length": ConformalRegressor(linear),
        "adaptive": ConformalRegressor(boosting(60), HistGradientBoostingRegressor(max_iter=60, random_state=0)),
    }


def main() -> dict[str, str]:
    """Fit and register both; return name -> version."""
    clock, data = train.Clock(), train.WORK / "data"
    training, calibration = (pd.read_parquet(data / f"{name}.parquet") for name in ("training", "calibration"))
    models, tags = train.Models(train.WORK, MODEL), train.lineage(train.WORK)
    example, registered = training[list(FEATURES)].dropna().head(3), {}
    for name, model in versions().items():
        model.fit(training[list(FEATURES)], training[LABEL])
        model.conformalize(calibration[list(FEATURES)], calibration[LABEL])
        parameters: dict[str, Any] = {"estimator": repr(model.estimator), "residual": repr(model.residual)}
        number = registered[name] = models.register(name, model, example, tags, parameters, train.changelog(name))
        clock.say(f"{MODEL} version {number}: {name}")
    models.point("champion", registered["one length"])
    models.point("challenger", registered["adaptive"])
    return registered


if __name__ == "__main__":
    main()
