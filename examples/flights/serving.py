"""The features again, as a serving system computes them: events in the order in which they happen, no table.

Departures, landings and observations update running counts as they come in; when a flight's cut-off comes its features
are read off and logged. That log is the online side of the parity gate. It shares data.py's definitions (names,
windows, cut-off) and none of its computation.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import pandas as pd
from data import CALENDAR, CUTOFF, FEATURES, HISTORY, KEYS, WEATHER, WEATHER_AGE

MPH_IN_METRES_PER_SECOND = 0.44704


class Window:
    """A running mean of what came in during the last `span` seconds."""

    def __init__(self, span: int) -> None:
        self.span, self.total, self.events = span, 0, deque[tuple[int, int]]()

    def add(self, now: int, value: int) -> None:
        """Count a value that came in now."""
        self.events.append((now, value))
        self.total += value

    def mean(self, now: int) -> float | None:
        """Forget what is too old, then average."""
        events = self.events
        while events and events[0][0] <= now - self.span:
            self.total -= events.popleft()[1]
        return self.total / len(events) if events else None


class Feed:
    """Events of one kind, ascending in time, of which those up to now have come in."""

    def __init__(self, events: pd.DataFrame, time: str, group: str, values: tuple[str, ...]) -> None:
        ordered = events.sort_values(time)
        columns = [ordered[name].tolist() for name in (time, group, *values)]
        self.waiting = zip(*columns, strict=True)
        self.next: tuple[Any, ...] | None = next(self.waiting, None)

    def until(self, now: int) -> list[tuple[Any, ...]]:
        """Take what has come in since the last call."""
        came = []
        while self.next is not None and self.next[0] <= now:
            came.append(self.next)
            self.next = next(self.waiting, None)
        return came


class Server:
    """What a serving system holds in memory: the newest observation of each origin, and a window for each group."""

    def __init__(self, flights: pd.DataFrame, weather: pd.DataFrame) -> None:
        self.observations = Feed(weather, "seen", "origin", WEATHER)
        self.feeds = {name: Feed(flights, since, group, (value,)) for name, (group, since, value, _) in HISTORY.items()}
        self.newest: dict[str, tuple[Any, ...]] = {}
        self.windows: dict[str, dict[str, Window]] = {name: {} for name in HISTORY}

    def catch_up(self, now: int) -> None:
        """Take in all that has happened by now."""
        for observation in self.observations.until(now):
            self.newest[observation[1]] = observation
        for name, feed in self.feeds.items():
            windows = self.windows[name]
            for time, group, value in feed.until(now):
                if group not in windows:
                    windows[group] = Window(HISTORY[name][3])
                windows[group].add(time, value)

    def features(self, now: int, flight: dict[str, Any]) -> dict[str, Any]:
        """Answer a request for a flight's features; what is not known is absent."""
        self.catch_up(now)
        row = {name: flight[name] for name in (*KEYS, *CALENDAR)}
        newest = self.newest.get(flight["origin"])
        if newest is not None and now - newest[0] <= WEATHER_AGE:
            row |= dict(zip(WEATHER, newest[2:], strict=True))
        for name, (group, *_) in HISTORY.items():
            window = self.windows[name].get(flight[group])
            row[name] = None if window is None else window.mean(now)
        return row


def replay(flights: pd.DataFrame, weather: pd.DataFrame, asked: pd.Series) -> pd.DataFrame:
    """Replay the year and log the features of the flights in `asked` (ids) at their cut-offs."""
    server = Server(flights, weather)
    names = [*KEYS, *CALENDAR, "due", "origin", "carrier", "route"]
    requests = flights.loc[flights["flight_id"].isin(asked), names].sort_values("due")
    rows = (
        dict(zip(names, values, strict=True)) for values in zip(*(requests[n].tolist() for n in names), strict=True)
    )
    log = pd.DataFrame([server.features(row["due"] - CUTOFF, row) for row in rows])
    return log.reindex(columns=[*KEYS, *FEATURES])


def in_metres_per_second(log: pd.DataFrame) -> pd.DataFrame:
    """The mistake of one candidate's deployment: its wind speed comes from a feed in m/s instead of mph."""
    return log.assign(wind_speed=log["wind_speed"] * MPH_IN_METRES_PER_SECOND)
