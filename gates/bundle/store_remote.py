"""The store on any fsspec file system: one bucket for the jobs that measure, approve, promote and audit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gates.bundle.store import Store, unreadable, unwritable
from gates.errors import UsageError

_EXTRAS = {
    "s3": "model-gates[s3]",
    "s3a": "model-gates[s3]",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
}


class RemoteStore(Store):
    """The same names as in a folder. An upload of an object store is whole or not there.

    Parameters
    ----------
    uri: such as `s3://bucket/evidence`; who may read and write is said where the library of that scheme looks for it
        (for s3 the AWS_* variables), never in the address.

    Raises
    ------
    UsageError: no library here knows the scheme, or the address holds a password.
    """

    def __init__(self, uri: str) -> None:
        import fsspec

        scheme, _, rest = uri.partition("://")
        if "@" in rest.partition("/")[0]:
            raise UsageError(
                "an address with a user or a password in it",
                code="store.uri",
                where=f"{scheme}://...",
                remedy="give credentials by the environment",
            )
        try:
            self._files, self._base = fsspec.core.url_to_fs(uri.rstrip("/"))
        except (ImportError, ValueError) as error:
            raise UsageError(
                f"cannot be opened: {str(error).splitlines()[0]}",
                code="store.uri",
                where=uri,
                remedy=f"pip install '{_EXTRAS.get(scheme, 'the fsspec library of that scheme')}'",
            ) from error
        self._uri = uri.rstrip("/")

    @property
    def name(self) -> str:
        return self._uri

    def check_there(self) -> None:
        """A server that is away says so itself, whatever it is asked (`store.unreadable`)."""

    def objects(self) -> Iterator[tuple[str, bytes | OSError]]:
        root = f"{self._base}/sha256"
        try:
            self._files.invalidate_cache()
            paths = sorted(self._files.find(root))
        except FileNotFoundError:
            return
        except Exception as error:
            raise unreadable(self.name, error) from error
        for path in paths:
            name = path.split("/sha256/", 1)[1]
            try:
                yield name, self._files.cat_file(path)
            except OSError as error:
                yield name, error

    def _write_once(self, name: str, content: bytes) -> None:
        path = f"{self._base}/{name}"
        try:
            # What an interrupted upload of a lesser file system left is not taken for the object.
            if self._size(path) != len(content):
                self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._files.pipe_file(path, content)
        except Exception as error:  # each library of a scheme has errors of its own
            raise unwritable(self.name, error) from error

    def _read(self, name: str) -> bytes | None:
        try:
            content: bytes = self._files.cat_file(f"{self._base}/{name}")
        except FileNotFoundError:
            return None
        except Exception as error:
            raise unreadable(f"{self.name}/{name}", error) from error
        return content

    def _exists(self, name: str) -> bool:
        try:
            return self._size(f"{self._base}/{name}") is not None
        except Exception as error:
            raise unreadable(self.name, error) from error

    def _names(self, folder: str) -> list[str]:
        try:
            # Another job may have written since this one looked.
            self._files.invalidate_cache()
            found: list[Any] = self._files.ls(f"{self._base}/{folder}", detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:
            raise unreadable(self.name, error) from error
        return [str(path).rpartition("/")[2] for path in found]

    def _size(self, path: str) -> int | None:
        try:
            self._files.invalidate_cache()
            return int(self._files.info(path)["size"])
        except FileNotFoundError:
            return None
