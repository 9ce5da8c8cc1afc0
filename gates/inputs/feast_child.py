"""Asks a Feast store for the features of rows. Runs in Feast's own environment, and imports nothing of this package.

Called with the path of a request (JSON, see gates/inputs/feast.py); writes a Parquet table and an answer (JSON).
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROW = "__gates_row"
CHUNK = 1_000
TS, STATUS = "__ts", "__status"
NOISE = {"description", "tags", "owner", "org", "meta", "created_timestamp", "last_updated_timestamp", "project"}
"""Fields that say nothing of how a feature is computed."""
STATUSES = ("invalid", "present", "null", "not_found", "too_old")
"""Feast's FieldStatus: INVALID, PRESENT, NULL_VALUE, NOT_FOUND, OUTSIDE_MAX_AGE."""


Seen = tuple[str, "int | None"]
"""What became of a value, and when it was written."""


class Wrong(Exception):
    """The request cannot be answered, in words that hold no value of a row."""


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def cleaned(message: Any) -> Any:
    """A copy of a message without what says nothing of how a feature is computed."""
    copy = type(message)()
    copy.CopyFrom(message)
    _clean(copy)
    return copy


def _clean(message: Any) -> None:
    for field, value in message.ListFields():
        if field.name in NOISE:
            message.ClearField(field.name)
        elif field.name == "body" and getattr(message, "body_text", ""):
            message.ClearField("body")  # compiled code, which another Python compiles otherwise
        elif field.type == field.TYPE_MESSAGE:
            for part in _parts(value):
                _clean(part)


def _parts(value: Any) -> list[Any]:
    if hasattr(value, "ListFields"):
        return [value]
    parts = value.values() if hasattr(value, "values") else value
    return [part for part in parts if hasattr(part, "ListFields")]


def seconds(view: Any) -> float:
    """How long values of a view count, or 0 for ever."""
    ttl = getattr(view, "ttl", None)
    return ttl.total_seconds() if ttl else 0.0


class Asked:
    """Features by the names that they have in the answer, each with its view."""

    def __init__(self, store: Any, request: dict[str, Any]) -> None:
        self.store = store
        self.views: dict[str, Any] = {}
        self.features: dict[str, tuple[str, str]] = {}
        self.keys: dict[str, tuple[str, ...]] = {}
        self.wanted = self._service(request["service"], request) if request["service"] else self._refs(request)
        self.needed = list(dict.fromkeys(key for keys in self.keys.values() for key in keys))

    def _service(self, name: str, request: dict[str, Any]) -> Any:
        service = self.store.get_feature_service(name)
        for part in service.feature_view_projections:
            view = self._view(part.name)
            keys = tuple(part.join_key_map.get(key, key) for key in self._join_keys(view))
            for field in part.features:
                self._add(field.name, part.name, part.name_to_use(), keys, request)
        return service

    def _refs(self, request: dict[str, Any]) -> list[str]:
        for ref in request["features"]:
            name, colon, feature = ref.partition(":")
            if not colon:
                raise Wrong(f'"{ref}" is not of the form view:feature')
            view = self._view(name.partition("@")[0])
            self._add(feature, view.name, name, self._join_keys(view), request)
        return list(request["features"])

    def _add(self, feature: str, view: str, shown: str, keys: tuple[str, ...], request: dict[str, Any]) -> None:
        name = f"{shown}__{feature}" if request["full_names"] else feature
        if name in self.features:
            raise Wrong(f'two views have a feature "{feature}": full_names tells them apart')
        if all(field.name != feature for field in self.views[view].features):
            raise Wrong(f'the view "{view}" has no feature "{feature}"')
        self.features[name] = (view, feature)
        self.keys[name] = keys

    def _view(self, name: str) -> Any:
        if name not in self.views:
            self.views[name] = self.store.registry.get_any_feature_view(name, self.store.project)
        return self.views[name]

    def _join_keys(self, view: Any) -> tuple[str, ...]:
        """What the rows must have for a view: of one computed on demand, the keys of its sources and the request's."""
        if not hasattr(view, "get_request_data_schema"):
            return tuple(view.join_keys)
        sources = [self._view(part.name) for part in view.source_feature_view_projections.values()]
        keys = [key for source in sources for key in source.join_keys]
        return tuple(dict.fromkeys([*keys, *view.get_request_data_schema()]))

    def ttl(self, name: str) -> float:
        """Seconds for which a value of the feature counts, or 0 for ever."""
        return seconds(self.views[self.features[name][0]])

    def inputs(self, name: str) -> list[tuple[str, str, Any]]:
        """What a feature is computed from when it is asked for: view, feature, and view in the registry; of a kept one nothing."""
        view = self.views[self.features[name][0]]
        if not hasattr(view, "get_request_data_schema") or getattr(view, "write_to_online_store", False):
            return []
        found = []
        for part in view.source_feature_view_projections.values():
            number = getattr(part, "version_tag", None)
            ref = part.name if number is None else f"{part.name}@v{number}"
            found += [(ref, field.name, self._view(part.name)) for field in part.features]
        return found

    def kind(self, name: str) -> Any:
        """The Arrow type that the view declares; None where Feast has none for it."""
        from feast.types import from_feast_to_pyarrow_type

        view, feature = self.features[name]
        field = next(field for field in self.views[view].features if field.name == feature)
        try:
            return from_feast_to_pyarrow_type(field.dtype)
        except (ValueError, KeyError, TypeError):
            return None

    def definition(self, name: str) -> dict[str, Any]:
        """How a feature is computed, in the form of a definition."""
        view_name, feature = self.features[name]
        view = self.views[view_name]
        sources = getattr(view, "source_feature_view_projections", {})
        parts = [self._spec(view, feature), *(self._spec(self._view(part.name)) for part in sources.values())]
        return {
            "name": name,
            "version": self.version(view, feature),
            "digest": digest(b"".join(hashlib.sha256(part).digest() for part in parts)),
            "window": f"ttl {self.ttl(name):g}s" if self.ttl(name) else None,
            "keys": sorted(self.keys[name]),
        }

    def version(self, view: Any, feature: str) -> str:
        """What the owner calls it: the tag `version` of the feature or the view, else the registry's number."""
        field = next((field for field in view.features if field.name == feature), None)
        for tags in (getattr(field, "tags", None) or {}, getattr(view, "tags", None) or {}):
            if tags.get("version"):
                return str(tags["version"])
        number = getattr(view, "current_version_number", None)
        return getattr(view, "version", None) or "latest" if number is None else f"v{number}"

    def _spec(self, view: Any, feature: str | None = None) -> bytes:
        spec = cleaned(view.to_proto().spec)
        if feature is not None:
            kept = [field for field in spec.features if field.name == feature]
            del spec.features[:]
            spec.features.extend(kept)
        return bytes(spec.SerializeToString(deterministic=True))

    def pins(self) -> list[dict[str, Any]]:
        """The views as they stood in the registry."""
        return [
            {"view": name, "version": self.version(view, ""), "digest": digest(self._spec(view))}
            for name, view in sorted(self.views.items())
        ]


def offline(asked: Asked, rows: Any, request: dict[str, Any]) -> Any:
    """The features that were known at each row's time, by the store's own join; and no counts."""
    import pandas as pd
    import pyarrow as pa

    entities = rows.to_pandas().assign(**{ROW: range(rows.num_rows)})
    entities["event_timestamp"] = times(rows, request)
    entities = entities[[*asked.needed, "event_timestamp", ROW]]
    found = asked.store.get_historical_features(
        entity_df=entities,
        features=asked.wanted,
        full_feature_names=request["full_names"],
        filter_by_created_timestamp=request["created"],
    ).to_df()
    found = found.sort_values(ROW, kind="stable")
    if found[ROW].tolist() != list(range(rows.num_rows)):
        raise Wrong(f"the offline store answered {len(found)} rows for {rows.num_rows}")
    columns = {
        name: pa.array(found[name].where(pd.notna(found[name]), None), from_pandas=True) for name in asked.features
    }
    return {name: typed(column, asked.kind(name)) for name, column in columns.items()}


def times(rows: Any, request: dict[str, Any]) -> Any:
    import pandas as pd

    if request["time"] in rows.column_names:
        return pd.to_datetime(rows.column(request["time"]).to_pandas(), utc=True)
    return pd.Timestamp(request["moment_us"], unit="us", tz="UTC")


def online(asked: Asked, rows: Any, request: dict[str, Any], counts: dict[str, Counter[str]]) -> Any:
    """The features that the store serves now, when each was written, and what became of those that it does not have."""
    import pyarrow as pa

    values: dict[str, list[Any]] = {name: [] for name in asked.features}
    written: dict[str, list[int | None]] = {name: [] for name in asked.features}
    statuses: dict[str, list[str]] = {name: [] for name in asked.features}
    computed = {name: inputs for name in asked.features if (inputs := asked.inputs(name))}
    for start in range(0, rows.num_rows, CHUNK):
        chunk = rows.slice(start, CHUNK)
        response = asked.store.get_online_features(
            features=asked.wanted,
            entity_rows=chunk.select(asked.needed).to_pylist(),
            full_feature_names=request["full_names"],
        )
        proto, read = response.proto, response.to_dict()
        known = of_inputs(asked.store, computed, chunk, request)
        for name, vector in zip(proto.metadata.feature_names.val, proto.results, strict=True):
            if name not in asked.features:
                continue
            counts[name].update(STATUSES[status] for status in vector.statuses)
            values[name] += read[name]
            said = seen(vector, asked.ttl(name), request)
            found = [worst(own, of) for own, *of in zip(said, *known[name], strict=True)] if name in known else said
            statuses[name] += [status for status, _ in found]
            written[name] += [stamp for _, stamp in found]
    columns: dict[str, Any] = {}
    for name in asked.features:
        columns[name] = typed(pa.array(values[name]), asked.kind(name))
        columns[name + TS] = pa.array(written[name], pa.timestamp("us", "UTC"))
        columns[name + STATUS] = pa.array(statuses[name], pa.string())
    return columns


def of_inputs(
    store: Any, computed: dict[str, list[tuple[str, str, Any]]], rows: Any, request: dict[str, Any]
) -> dict[str, list[list[Seen]]]:
    """By computed feature, what the store says of each of its inputs, row by row."""
    wanted = {f"{view}__{name}": (f"{view}:{name}", at) for inputs in computed.values() for view, name, at in inputs}
    if not wanted:
        return {}
    keys = list(dict.fromkeys(key for _, view in wanted.values() for key in view.join_keys))
    response = store.get_online_features(
        features=[ref for ref, _ in wanted.values()],
        entity_rows=rows.select(keys).to_pylist(),
        full_feature_names=True,
    ).proto
    said = {
        name: seen(vector, seconds(wanted[name][1]), request)
        for name, vector in zip(response.metadata.feature_names.val, response.results, strict=True)
        if name in wanted
    }
    return {name: [said[f"{view}__{part}"] for view, part, _ in inputs] for name, inputs in computed.items()}


def seen(vector: Any, ttl: float, request: dict[str, Any]) -> list[Seen]:
    """What became of each value, and when it was written, in microseconds since 1970."""
    oldest = request["moment_us"] - ttl * 1e6 if ttl else None
    stamps = [stamp.seconds * 1_000_000 + stamp.nanos // 1_000 or None for stamp in vector.event_timestamps]
    return [
        (meaning(value, STATUSES[status], stamp, oldest), stamp)
        for value, status, stamp in zip(vector.values, vector.statuses, stamps, strict=True)
    ]


def worst(own: Seen, inputs: list[Seen]) -> Seen:
    """What became of a value that is computed when it is asked for: not found or too old as any of its inputs is.

    It is as old as the oldest of them. What comes of a null is the view's own affair.
    """
    said = {status for status, _ in inputs}
    stamps = [stamp for _, stamp in inputs if stamp is not None]
    status = next((word for word in ("not_found", "too_old") if word in said), own[0])
    return status, min(stamps) if len(stamps) == len(inputs) else None


def meaning(value: Any, status: str, stamp: int | None, oldest: float | None) -> str:
    """What became of a value; most stores say PRESENT of one that is null, or older than its view lets it be."""
    if status == "present" and value.WhichOneof("val") is None:
        return "null"
    if status == "present" and oldest is not None and stamp is not None and stamp < oldest:
        return "too_old"
    return status


def typed(column: Any, kind: Any) -> Any:
    """The column in the type that the view declares, where its values have one: pandas made floats of whole numbers."""
    import pyarrow as pa

    try:
        return column if kind is None else column.cast(kind)
    except pa.ArrowException:
        return column


def answered(request: dict[str, Any]) -> dict[str, Any]:
    import feast
    import pyarrow.parquet as pq

    store = feast.FeatureStore(repo_path=request["repo"])
    asked = Asked(store, request)
    rows = pq.read_table(request["rows"])
    lacking = [name for name in asked.needed if name not in rows.column_names]
    if lacking:
        raise Wrong(f'the rows have no column "{lacking[0]}", a key of the store')
    counts: dict[str, Counter[str]] = {name: Counter() for name in asked.features}
    at_store = offline(asked, rows, request) if request["side"] == "offline" else online(asked, rows, request, counts)
    for name in set(at_store) & set(rows.column_names):
        rows = rows.drop_columns([name])  # what the store says counts, not what the rows carried
    for name, column in at_store.items():
        rows = rows.append_column(name, column)
    pq.write_table(rows, request["out"])
    return {
        "feast": feast.__version__,
        "project": store.project,
        "registry": digest(store.registry.proto().SerializeToString(deterministic=True)),
        "views": asked.pins(),
        "definitions": [asked.definition(name) for name in asked.features],
        "by_store": {name: dict(sorted(count.items())) for name, count in counts.items()},
    }


def main() -> None:
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.path.append(request["repo"])  # code of views that are computed on demand may lie there
    try:
        answer = answered(request)
    except Wrong as error:
        answer = {"wrong": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever a store raises is its answer
        answer = {"failed": f"{type(error).__name__}: {error}"}
    Path(request["answer"]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
