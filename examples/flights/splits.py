"""The same model on three splits of the same flights: what a holdout can and cannot say.

    python splits.py         # about half a minute; writes work/splits/*.csv
    gates check work/splits/days.csv --label late --cluster day

flights: rows dealt by the hash of the flight, as train.py deals them; a day stands on all sides.
days: whole days dealt by the hash of the day; the holdout's days are new to the model.
time: the year in order; fitted until August, calibrated until October, judged on the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import train
from data import FEATURES, SHARES, dealt, whole_table

MODEL = next(version for version in train.VERSIONS if version.name == "good")


def by_time(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Cut the year at midnights, by the shares of data.py."""
    days = np.sort(table["day"].unique())
    edges = (np.cumsum([0.0, *SHARES.values()]) * len(days)).round().astype(int)
    return {
        name: table[table["day"].isin(days[first:last])]
        for name, first, last in zip(SHARES, edges, edges[1:], strict=False)
    }


def splits(table: pd.DataFrame) -> Iterator[tuple[str, dict[str, pd.DataFrame]]]:
    """Name and parts of each split."""
    yield "flights", dealt(table, "flight_id")
    yield "days", dealt(table, "day")
    yield "time", by_time(table)


def predictions(parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Fit the model on one part, calibrate on the next, predict the last."""
    model = train.fit(MODEL, parts["training"], parts["calibration"])
    holdout = parts["holdout"]
    sets = model.predict_set(holdout[list(FEATURES)])
    answer = holdout[["flight_id", "day", "carrier", "origin", "late"]].copy()
    answer["p"] = model.predict_proba(holdout[list(FEATURES)])[:, 1]
    answer["set_0"], answer["set_1"] = sets[:, 0].astype(int), sets[:, 1].astype(int)
    return answer


def coverage(answer: pd.DataFrame) -> tuple[float, float]:
    """Return the share of flights whose prediction set holds the truth, and 1.67 standard errors, by days."""
    covered = answer["set_0"].where(answer["late"] == 0, answer["set_1"])
    share = float(covered.mean())
    by_day = (covered - share).groupby(answer["day"]).sum()
    return share, 1.67 * float(np.sqrt((by_day**2).sum() * len(by_day) / (len(by_day) - 1))) / len(answer)


def main() -> None:
    """Write a CSV for each split and say what it shows of coverage, which `gates check FILE` does not read."""
    folder = train.WORK / "splits"
    folder.mkdir(parents=True, exist_ok=True)
    table, _, _ = whole_table()
    for name, parts in splits(table):
        answer = predictions(parts)
        answer.to_csv(folder / f"{name}.csv", index=False)
        share, half = coverage(answer)
        print(
            f"  {name:8s} {len(answer):,} flights on {answer['day'].nunique()} days, {answer['late'].mean():.3f} late; "
            f"mean score {answer['p'].mean():.3f}; coverage {share:.3f} [{share - half:.3f}, {share + half:.3f}]",
            flush=True,
        )


if __name__ == "__main__":
    main()
