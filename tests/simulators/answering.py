"""An HTTP server on this machine that answers as it is told."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    """What it was asked."""

    method: str
    path: str
    headers: Message
    body: bytes


@contextlib.contextmanager
def answering(answer: Callable[[Request], tuple[int, bytes]], *, claims: int = 0) -> Iterator[str]:
    """Serve until the end of the block, at the address that it gives.

    Parameters
    ----------
    answer: status and content. claims: bytes that the server announces besides those that it sends.
    """

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            code, content = answer(Request(self.command, self.path, self.headers, body))
            self.send_response(code)
            self.send_header("Content-Length", str(len(content) + claims))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 (the names that http.server calls)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
