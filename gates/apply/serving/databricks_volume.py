"""A file in a Unity Catalog volume, as what a target states and what lies beside it: a job with an empty disk finds it.

Read and replaced whole by the Files API (REST API 2.0, `fs/files`).
"""

from __future__ import annotations

import io
import logging
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gates.apply.serving.target_file import Beside, unavailable
from gates.errors import EngineError, UsageError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

_SECONDS = 30


class VolumeFile(Beside):
    """One file, `/Volumes/CATALOG/SCHEMA/VOLUME/...`."""

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    @abstractmethod
    def client(self) -> WorkspaceClient:
        """The workspace."""

    def _read(self, suffix: str) -> bytes | None:
        from databricks.sdk.errors import NotFound

        with asked(self.name):
            try:
                contents = self.client.files.download(self.path + suffix).contents
            except NotFound:
                return None
            if contents is None:
                return b""
            with contents:
                return contents.read()

    def _put(self, suffix: str, content: bytes) -> None:
        from databricks.sdk.errors import NotFound

        with asked(self.name):
            path = self.path + suffix
            try:
                self.client.files.upload(path, io.BytesIO(content), overwrite=True)
            except NotFound:
                self.client.files.create_directory(path.rpartition("/")[0])
                self.client.files.upload(path, io.BytesIO(content), overwrite=True)

    def _remove(self, suffix: str) -> None:
        from databricks.sdk.errors import NotFound

        with asked(self.name):
            try:
                self.client.files.delete(self.path + suffix)
            except NotFound:
                return


def workspace(profile: str | None) -> WorkspaceClient:
    """Return a client of the workspace that the environment or a profile names.

    Raises
    ------
    UsageError: `databricks.missing`: not installed; `databricks.workspace`: nothing names a workspace, or who asks.
    """
    logging.getLogger("databricks.sdk").setLevel(logging.ERROR)
    try:
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.config import Config
    except ImportError as error:
        raise UsageError(
            "databricks-sdk is not installed",
            code="databricks.missing",
            remedy="pip install 'model-gates[databricks]'",
        ) from error
    # A profile of None would keep the SDK from some of the ways that the environment names.
    given: dict[str, Any] = {"profile": profile} if profile else {}
    try:
        config = Config(
            **given,
            http_timeout_seconds=_SECONDS,
            # A rollback on a bad day does not wait five minutes for a workspace that is down.
            retry_timeout_seconds=_SECONDS,
            # Small files need no presigned addresses.
            disable_experimental_files_api_client=True,
        )
        return WorkspaceClient(config=config)
    except ValueError as error:
        raise UsageError(
            f"no workspace: {str(error).splitlines()[0]}",
            code="databricks.workspace",
            remedy="set DATABRICKS_HOST and DATABRICKS_TOKEN, or name a `profile`",
        ) from error


@contextmanager
def asked(name: str) -> Iterator[None]:
    """Turn what the SDK raises into EngineError: `serving.forbidden` or `serving.unavailable`."""
    from databricks.sdk.errors import PermissionDenied, Unauthenticated
    from databricks.sdk.errors.base import DatabricksError
    from requests.exceptions import RequestException

    try:
        yield
    except (PermissionDenied, Unauthenticated) as error:
        raise EngineError(
            f"the workspace refuses: {error}",
            code="serving.forbidden",
            where=name,
            remedy="give this identity CAN MANAGE on the endpoint, and READ and WRITE VOLUME on its volume",
        ) from error
    except (DatabricksError, RequestException, TimeoutError, OSError) as error:
        raise unavailable(name, str(error) or type(error).__name__, "look at the workspace") from error
