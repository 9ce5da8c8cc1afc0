"""Serving by a Databricks endpoint, through databricks-sdk. The endpoint is the team's; ours are which versions it has and
their shares of the traffic.

Endpoint and statement cannot change in one instant, so the statement, a file in a volume, goes first and names the
release before it too: which of the two holds is what the endpoint shows. Killed in between, the same write goes on.

The interface allows one update at a time and has no precondition (REST API 2.0, `serving-endpoints/{name}/config`). While
an update is under way the configuration before it serves, and where it fails it goes on to serve. Starting a version
can take half an hour; the version before stays at 0 percent, so that going back to it is a change of shares alone.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gates.apply.serving.databricks_volume import VolumeFile, asked, workspace
from gates.apply.serving.interface import Followed, Following, Observed, Serves, ServesNothing, Traffic, Unreadable
from gates.apply.serving.statement import release_in, statement_of
from gates.bundle.canonical import parse_json
from gates.errors import EngineError, EvidenceError, Refused
from gates.records.release import Release

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.serving import ServingEndpointDetailed

Shares = dict[tuple[str, str], int]
"""(entity, version) -> percent; 0 is a version that is loaded and takes no traffic."""

_LONGEST_NAME = 63


@dataclass(frozen=True)
class DatabricksWords:
    """What the spec says of it.

    Attributes
    ----------
    entity: the registered model's name; `{model}` is filled in. profile: of ~/.databrickscfg.
    wait_s: how long an update is waited for before the move is left open. poll_s: between two looks.
    """

    endpoint: str
    volume: str
    entity: str = "{model}"
    profile: str | None = None
    wait_s: float = 1800
    poll_s: float = 10


@dataclass(frozen=True)
class _Stated:
    """A release, and what the endpoint has for it."""

    release: Release
    digest: str
    shares: Shares

    def document(self) -> dict[str, Any]:
        shares = [{"entity": name, "version": v, "percent": share} for (name, v), share in sorted(self.shares.items())]
        return {"release": statement_of(self.release)[0], "release_digest": self.digest, "shares": shares}

    @classmethod
    def of(cls, document: Any) -> _Stated:
        try:
            shares = {(str(s["entity"]), str(s["version"])): int(s["percent"]) for s in document["shares"]}
            return cls(release_in(document["release"]), str(document["release_digest"]), shares)
        except (KeyError, TypeError, ValueError) as error:
            raise EvidenceError("not a statement of ours") from error


@dataclass(frozen=True)
class _Statement:
    """What lies in the volume.

    Attributes
    ----------
    before: what was stated before; None at first. origin: the configuration that was there before all releases.
    clearing: nothing is stated any more, and the origin is on its way back.
    """

    now: _Stated
    before: _Stated | None
    origin: dict[str, Any]
    clearing: bool = False

    def content(self) -> bytes:
        document = self.now.document() | {
            "before": self.before.document() if self.before else None,
            "origin": self.origin,
            "clearing": self.clearing,
        }
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()

    @classmethod
    def of(cls, content: bytes, where: str) -> _Statement:
        document = parse_json(content, where=where)
        if not isinstance(document, dict) or not isinstance(document.get("origin"), dict):
            raise EvidenceError("not a statement of ours", where=where)
        before = document.get("before")
        return cls(
            _Stated.of(document),
            _Stated.of(before) if before is not None else None,
            document["origin"],
            document.get("clearing") is True,
        )


class DatabricksServing(VolumeFile):
    """An endpoint that exists already: size, variables and capture of a new version are those of the one that serves."""

    def __init__(self, words: DatabricksWords) -> None:
        self.words = words
        super().__init__(f"{words.volume.rstrip('/')}/{words.endpoint}.json")

    @property
    def name(self) -> str:
        return f"databricks:{self.words.endpoint}"

    @cached_property
    def client(self) -> WorkspaceClient:
        return workspace(self.words.profile)

    def read(self) -> Observed:
        try:
            statement = self._statement()
        except EvidenceError as error:
            return Unreadable(f"{self.path}: {error.message}")
        if statement is None or statement.clearing:
            return ServesNothing()
        endpoint = self._endpoint()
        if endpoint is None:
            return Unreadable("there is no such endpoint")
        found = _shares(endpoint.pending_config if _updating(endpoint) else endpoint.config)
        for stated in (statement.now, statement.before):
            if stated is not None and stated.shares == found:
                return Serves(stated.release, stated.digest)
        return Unreadable(f"it has {_said(found)}, by its own statement {_said(statement.now.shares)}")

    def traffic(self) -> Traffic:
        statement, endpoint = self._statement(), self._endpoint()
        if statement is None or statement.clearing:
            return Followed()
        if endpoint is None:
            return Following("there is no such endpoint")
        if _updating(endpoint):
            return Following(f"an update is under way{_messages(endpoint)}")
        if _shares(endpoint.config) != statement.now.shares:
            return Following(f"its last update ended in {_state(endpoint)}")
        ready = endpoint.state.ready.value if endpoint.state and endpoint.state.ready else "unknown"
        return Followed() if ready == "READY" else Following(f"the endpoint is {ready}")

    def check(self, release: Release) -> None:
        if self._endpoint() is None:
            raise Refused(
                "there is no such endpoint",
                code="databricks.endpoint",
                where=self.name,
                remedy="create it with the version that serves: its size and variables have no default",
            )

    def write(self, release: Release) -> Release:
        endpoint = self._required()
        statement = self._statement_after(release, endpoint)
        content = statement.content()
        if content != self.bytes_now():
            self.put(content)
        self._bring(statement.now.shares)
        return release

    def clear(self) -> None:
        """Bring back what the endpoint had before the first release: an endpoint is not deleted."""
        statement = self._statement()
        if statement is None:
            return
        leaving = _Statement(statement.now, statement.before, statement.origin, clearing=True)
        if not statement.clearing:
            self.put(leaving.content())
        if self._endpoint() is not None:
            self._bring(_shares_of(statement.origin), origin=statement.origin)
        self.remove()

    def _statement(self) -> _Statement | None:
        content = self.bytes_now()
        return None if content is None else _Statement.of(content, self.path)

    def _statement_after(self, release: Release, endpoint: ServingEndpointDetailed) -> _Statement:
        origin = endpoint.config.as_dict() if endpoint.config else {}
        try:
            known = self._statement()
        except EvidenceError:
            known = None
        if known is not None and not known.clearing and known.now.release == release:
            return known
        observed = self.read()
        before = None
        if known is not None:
            origin = known.origin
            if isinstance(observed, Serves):
                before = next(each for each in (known.now, known.before) if each and each.release == observed.release)
        return _Statement(self._stated(release, before), before, origin)

    def _stated(self, release: Release, before: _Stated | None) -> _Stated:
        wanted = {self._entity(release, route.version.version): route.percent for route in release.routes}
        served = [route for route in before.release.routes if route.percent > 0] if before else []
        idle = {self._entity(release, route.version.version): 0 for route in served}
        return _Stated(release, statement_of(release)[1], idle | wanted)

    def _entity(self, release: Release, version: str) -> tuple[str, str]:
        return self.words.entity.replace("{model}", release.model), version

    def _bring(self, wanted: Shares, origin: Mapping[str, Any] | None = None) -> None:
        """Make the endpoint have these shares, after whatever update is under way; wait for it, but not for ever."""
        endpoint = self._required()
        if _updating(endpoint) and _shares(endpoint.pending_config) != wanted:
            endpoint = self._settled()
            if _updating(endpoint):
                raise self._busy(_messages(endpoint))
        if not _updating(endpoint) and _shares(endpoint.config) != wanted:
            self._update(endpoint, wanted, origin)
        endpoint = self._settled()
        if not _updating(endpoint) and _shares(endpoint.config) != wanted:
            raise EngineError(
                f"the update ended in {_state(endpoint)}{_messages(endpoint)}; what served before serves on",
                code="serving.update_failed",
                where=self.name,
                remedy="look at the endpoint's events and build logs",
            )

    def _update(self, endpoint: ServingEndpointDetailed, wanted: Shares, origin: Mapping[str, Any] | None) -> None:
        from databricks.sdk.service.serving import AutoCaptureConfigInput, Route, ServedEntityInput, TrafficConfig

        present = (endpoint.config.as_dict() if endpoint.config else {}) if origin is None else dict(origin)
        entities = _entities(present, wanted)
        capture = present.get("auto_capture_config")
        with self._asked():
            self.client.serving_endpoints.update_config(
                self.words.endpoint,
                served_entities=[ServedEntityInput.from_dict(entity) for entity, _ in entities],
                traffic_config=TrafficConfig(
                    routes=[
                        Route(served_model_name=entity["name"], traffic_percentage=share) for entity, share in entities
                    ]
                ),
                auto_capture_config=AutoCaptureConfigInput.from_dict(capture) if capture else None,
            )

    def _settled(self) -> ServingEndpointDetailed:
        """Look until no update is under way, or the time is up."""
        until = time.monotonic() + self.words.wait_s
        endpoint = self._required()
        while _updating(endpoint) and time.monotonic() < until:
            time.sleep(self.words.poll_s)
            endpoint = self._required()
        return endpoint

    def _required(self) -> ServingEndpointDetailed:
        endpoint = self._endpoint()
        if endpoint is None:
            raise EngineError("there is no such endpoint", code="serving.unavailable", where=self.name)
        return endpoint

    def _endpoint(self) -> ServingEndpointDetailed | None:
        from databricks.sdk.errors import NotFound

        with self._asked():
            try:
                return self.client.serving_endpoints.get(self.words.endpoint)
            except NotFound:
                return None

    def _busy(self, messages: str) -> EngineError:
        return EngineError(
            f"another update is under way{messages}",
            code="serving.busy",
            where=self.name,
            remedy="an endpoint takes one update at a time: wait for NOT_UPDATING",
        )

    @contextmanager
    def _asked(self) -> Iterator[None]:
        from databricks.sdk.errors import BadRequest, ResourceConflict

        with asked(self.name):
            try:
                yield
            except ResourceConflict as error:
                raise self._busy(f": {error}") from error
            except BadRequest as error:
                raise EngineError(
                    f"the workspace refuses the configuration: {error}",
                    code="serving.refused",
                    where=self.name,
                    remedy="what served before serves on: mend what it names",
                ) from error


def _shares(config: Any) -> Shares:
    """Return what a configuration, current or pending, has."""
    return _shares_of(config.as_dict() if config is not None else {})


def _shares_of(config: Mapping[str, Any]) -> Shares:
    percents = {
        route.get("served_entity_name") or route.get("served_model_name"): int(route.get("traffic_percentage") or 0)
        for route in (config.get("traffic_config") or {}).get("routes", [])
    }
    found: Shares = {}
    for entity in config.get("served_entities") or []:
        key = str(entity.get("entity_name")), str(entity.get("entity_version"))
        found[key] = found.get(key, 0) + percents.get(entity.get("name"), 0)
    return found


def _entities(present: Mapping[str, Any], wanted: Shares) -> list[tuple[dict[str, Any], int]]:
    """Return each served entity with its share; a version keeps its name and size, a new one is like the main one."""
    shares = _shares_of(present)
    known = {(e.get("entity_name"), e.get("entity_version")): e for e in present.get("served_entities") or []}
    main = max(known, key=lambda key: shares.get((str(key[0]), str(key[1])), 0), default=None)
    found: list[tuple[dict[str, Any], int]] = []
    for (name, version), percent in sorted(wanted.items()):
        like = known.get((name, version)) or (known[main] if main is not None else {})
        kept = {word: value for word, value in like.items() if word in _KEPT}
        entity = kept | {"entity_name": name, "entity_version": version, "name": _name(known, name, version)}
        found.append((entity, percent))
    return found


def _name(known: Mapping[Any, Mapping[str, Any]], entity: str, version: str) -> str:
    if given := known.get((entity, version), {}).get("name"):
        return str(given)
    short = re.sub(r"[^A-Za-z0-9_-]", "-", entity.rpartition(".")[2])
    name = f"{short[: _LONGEST_NAME - len(version) - 1]}-{version}"
    taken = {each.get("name") for each in known.values()}
    return name if name not in taken else f"{name[: _LONGEST_NAME - 2]}-b"


_KEPT = frozenset(
    {
        "burst_scaling_enabled",
        "environment_vars",
        "instance_profile_arn",
        "max_provisioned_concurrency",
        "max_provisioned_throughput",
        "min_provisioned_concurrency",
        "min_provisioned_throughput",
        "provisioned_model_units",
        "scale_to_zero_enabled",
        "workload_size",
        "workload_type",
    }
)
"""Words of a served entity that go from the version that serves to the next one (ServedEntityInput)."""


def _state(endpoint: ServingEndpointDetailed) -> str:
    update = endpoint.state.config_update if endpoint.state else None
    return update.value if update else "unknown"


def _updating(endpoint: ServingEndpointDetailed) -> bool:
    return _state(endpoint) == "IN_PROGRESS"


def _messages(endpoint: ServingEndpointDetailed) -> str:
    """What the versions say of their start, in the workspace's words."""
    config = endpoint.pending_config or endpoint.config
    said = [
        f"{entity.name}: {entity.state.deployment_state_message}"
        for entity in (config.served_entities if config else None) or []
        if entity.state and entity.state.deployment_state_message
    ]
    return f" ({'; '.join(said)})" if said else ""


def _said(shares: Shares) -> str:
    return ", ".join(f"{percent} % version {version}" for (_, version), percent in sorted(shares.items())) or "nothing"
