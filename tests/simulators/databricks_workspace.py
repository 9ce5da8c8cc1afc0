"""A Databricks workspace on a local port, as far as its REST interface is asked here: Unity Catalog's models, files of a
volume, one serving endpoint. The real clients (MLflow, databricks-sdk) talk to it.

What it refuses, and how, is written from the public API reference: aliases are their owner's, names have three levels
in small letters, one update of an endpoint at a time (409 RESOURCE_CONFLICT), percentages that add up to 100, a route
for each name, an update that ends in UPDATE_FAILED leaves the old configuration in force.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

CATALOG = "/api/2.0/mlflow/unity-catalog/"
ENDPOINTS = "/api/2.0/serving-endpoints/"
FILES = "/api/2.0/fs/files/"
OWNER, OTHER = "owner-token", "other-token"


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.document = status, {"error_code": code, "message": message}


class Workspace:
    """The state.

    Attributes
    ----------
    models: name -> {"aliases": {}, "versions": {number: {"folder", "tags"}}}; all belong to OWNER.
    files: path -> bytes. endpoint: its name and configurations, once one was made.
    polls: how often an endpoint must be looked at before an update is through; None: for ever.
    fails: whether the next updates end in UPDATE_FAILED.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.models: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        self.endpoint: dict[str, Any] = {}
        self.polls: int | None = 0
        self.fails = False
        self.updates = 0
        self.address = ""

    # Models

    def register(self, name: str, number: str, folder: Path) -> None:
        model = self.models.setdefault(name, {"aliases": {}, "versions": {}})
        model["versions"][number] = {"folder": folder, "tags": {}}

    def catalog(self, method: str, what: str, asked: dict[str, Any], token: str) -> dict[str, Any]:
        if what.startswith("registered-models:is-databricks-sdk"):
            return {"is_databricks_sdk_models_artifact_repository_enabled": False}
        if what.endswith("/search"):
            return self._search(what, asked)
        name = asked["name"]
        if len(name.split(".")) != 3:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"{name} is not a three-level name")
        if name not in self.models:
            raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"Registered model {name} does not exist")
        if what == "registered-models/alias":
            return self._alias(method, name, self.models[name], asked, token)
        if what == "registered-models/get":
            aliases = self.models[name]["aliases"].items()
            return {"registered_model": {"name": name, "aliases": [{"alias": a, "version": n} for a, n in aliases]}}
        return self._of_version(what, name, asked, token)

    def _search(self, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        if what.startswith("registered-models"):
            return {"registered_models": [{"name": name} for name in self.models]}
        name = re.findall(r"'(.*)'", asked["filter"])[0]
        return {"model_versions": [{"name": name, "version": n} for n in self.models[name]["versions"]]}

    def _of_version(self, what: str, name: str, asked: dict[str, Any], token: str) -> dict[str, Any]:
        version = self.models[name]["versions"].get(asked["version"])
        if version is None:
            raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"version {asked['version']} of {name} does not exist")
        if what == "model-versions/get":
            return {"model_version": _version(name, asked["version"], version)}
        if what == "model-versions/set-tag":
            self._owner(token, name)
            version["tags"][asked["key"]] = asked["value"]
            return {}
        if what == "model-versions/generate-temporary-credentials":
            return {"credentials": {"storage_mode": "DEFAULT_STORAGE"}}
        raise Refusal(404, "ENDPOINT_NOT_FOUND", what)

    def _alias(self, method: str, name: str, model: Any, asked: dict[str, Any], token: str) -> dict[str, Any]:
        alias = asked["alias"]
        if method == "GET":
            if alias not in model["aliases"]:
                raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"alias {alias} does not exist")
            number = model["aliases"][alias]
            return {"model_version": _version(name, number, model["versions"][number])}
        self._owner(token, name)
        if method == "POST":
            model["aliases"][alias] = asked["version"]
        else:
            model["aliases"].pop(alias, None)
        return {}

    def _owner(self, token: str, name: str) -> None:
        if token != OWNER:
            raise Refusal(403, "PERMISSION_DENIED", f"User is not an owner of Registered Model '{name}'.")

    def bytes_of(self, path: str) -> Path:
        """`/Models/cat/sch/m/1/...` -> the file."""
        _, catalog, schema, model, number, *rest = path.strip("/").split("/")
        folder: Path = self.models[f"{catalog}.{schema}.{model}"]["versions"][number]["folder"]
        return folder.joinpath(*rest)

    # The endpoint

    def make_endpoint(self, name: str, entity: str, version: str, **more: Any) -> None:
        """As a team makes one by hand: one version with all of the traffic."""
        config = {
            "served_entities": [{"name": "first", "entity_name": entity, "entity_version": version, **more}],
            "traffic_config": {"routes": [{"served_model_name": "first", "traffic_percentage": 100}]},
            "config_version": 1,
        }
        self.endpoint = {"name": name, "config": config, "pending": None, "state": "NOT_UPDATING", "left": 0}

    def look(self) -> dict[str, Any]:
        """What GET answers; looking is what time is here."""
        found = self.endpoint
        if found["pending"] is not None and found["left"] is not None:
            if found["left"] == 0:
                self.finish()
            else:
                found["left"] -= 1
        for entity in (found["pending"] or {}).get("served_entities", []):
            entity["state"] = {"deployment": "DEPLOYMENT_CREATING", "deployment_state_message": "Creating container"}
        return {
            "name": found["name"],
            "state": {"ready": "READY", "config_update": found["state"]},
            "config": found["config"],
            **({"pending_config": found["pending"]} if found["pending"] else {}),
        }

    def finish(self) -> None:
        """Let the update that is under way end."""
        found = self.endpoint
        if found["pending"] is None:
            return
        if not self.fails:
            found["config"] = found["pending"] | {"config_version": found["config"]["config_version"] + 1}
        found["pending"], found["state"] = None, "UPDATE_FAILED" if self.fails else "NOT_UPDATING"

    def update(self, config: dict[str, Any]) -> dict[str, Any]:
        found = self.endpoint
        if found["state"] == "IN_PROGRESS":
            raise Refusal(409, "RESOURCE_CONFLICT", f"Endpoint {found['name']} already has an update in progress.")
        entities, routes = config["served_entities"], config["traffic_config"]["routes"]
        names = [entity["name"] for entity in entities]
        if len(set(names)) != len(names) or not all(re.fullmatch(r"[\w.-]{1,63}", name) for name in names):
            raise Refusal(400, "INVALID_PARAMETER_VALUE", f"served entity names: {names}")
        if sum(int(route["traffic_percentage"]) for route in routes) != 100:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "The sum of all traffic percentages must be 100.")
        if {route["served_model_name"] for route in routes} != set(names):
            raise Refusal(400, "INVALID_PARAMETER_VALUE", "Routes and served entities do not match.")
        self.updates += 1
        found |= {"pending": config, "state": "IN_PROGRESS", "left": self.polls}
        return self.look() if self.polls is not None and self.polls > 0 else self._as_begun()

    def _as_begun(self) -> dict[str, Any]:
        found = self.endpoint
        state = {"ready": "READY", "config_update": "IN_PROGRESS"}
        return {"name": found["name"], "state": state, "config": found["config"], "pending_config": found["pending"]}

    # The interface

    def answer(self, method: str, target: str, body: bytes, token: str) -> tuple[int, bytes]:
        with self.lock:
            try:
                return self._answer(method, target, body, token)
            except Refusal as refusal:
                return refusal.status, json.dumps(refusal.document).encode()

    def _answer(self, method: str, target: str, body: bytes, token: str) -> tuple[int, bytes]:
        parts = urlsplit(target)
        path = unquote(parts.path)
        for prefix, handler in self._handlers().items():
            if path.startswith(prefix):
                found = handler(method, path.removeprefix(prefix), dict(parse_qsl(parts.query)), body, token)
                return 200, found if isinstance(found, bytes) else json.dumps(found).encode()
        raise Refusal(404, "ENDPOINT_NOT_FOUND", path)

    def _handlers(self) -> dict[str, Callable[[str, str, dict[str, str], bytes, str], Any]]:
        return {
            CATALOG: lambda method, what, query, body, token: self.catalog(
                method, what, query | (json.loads(body) if body else {}), token
            ),
            "/api/2.0/fs/create-download-url": lambda _m, _w, _q, body, _t: {
                "url": f"{self.address}/bytes{json.loads(body)['path']}"
            },
            "/api/2.0/fs/directories/Models/": lambda _m, what, _q, _b, _t: self._folder(f"/Models/{what}"),
            "/api/2.0/fs/directories/": lambda *_: {},
            "/bytes/": lambda _m, what, _q, _b, _t: self.bytes_of(f"/{what}").read_bytes(),
            FILES: self._file,
            ENDPOINTS: self._endpoint,
            "/.well-known/databricks-config": lambda *_: {},
        }

    def _folder(self, path: str) -> dict[str, Any]:
        folder = self.bytes_of(path)
        if not folder.is_dir():
            raise Refusal(404, "NOT_FOUND", path)
        entries = [
            {"path": f"{path.rstrip('/')}/{each.name}", "is_directory": each.is_dir(), "file_size": each.stat().st_size}
            for each in folder.iterdir()
        ]
        return {"contents": entries}

    def _file(self, method: str, path: str, query: dict[str, str], body: bytes, _token: str) -> Any:
        if method == "PUT":
            if path in self.files and query.get("overwrite") != "true":
                raise Refusal(409, "ALREADY_EXISTS", path)
            self.files[path] = body
            return {}
        if path not in self.files:
            raise Refusal(404, "NOT_FOUND", f"No file at /{path}")
        if method == "DELETE":
            del self.files[path]
            return {}
        return self.files[path]

    def _endpoint(self, method: str, rest: str, _query: dict[str, str], body: bytes, token: str) -> Any:
        name, _, what = rest.partition("/")
        if name != self.endpoint.get("name"):
            raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"Endpoint with name '{name}' does not exist.")
        if method == "PUT" and what == "config":
            if token != OWNER:
                raise Refusal(403, "PERMISSION_DENIED", f"User does not have CAN_MANAGE on {name}.")
            return self.update(json.loads(body))
        return self.look()


def _version(name: str, number: str, version: dict[str, Any]) -> dict[str, Any]:
    tags = [{"key": key, "value": value} for key, value in version["tags"].items()]
    return {"name": name, "version": number, "status": "READY", "tags": tags}


@contextmanager
def served(workspace: Workspace) -> Iterator[str]:
    """Serve it for a while; yield its address."""
    server = served_until_exit(workspace)
    try:
        yield workspace.address
    finally:
        server.shutdown()
        server.server_close()


def served_until_exit(workspace: Workspace) -> ThreadingHTTPServer:
    """Serve it in a thread of its own, and set its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            status, answer = workspace.answer(self.command, self.path, body, token)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    workspace.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    return server
