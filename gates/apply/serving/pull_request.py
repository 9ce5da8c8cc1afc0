"""Asking people to merge a branch: GitHub's pull requests by their REST interface, without `gh`.

GitHub REST API 2022-11-28, "Pulls": list by head and base, create, update. GitHub Enterprise has the same under
`https://HOST/api/v3`.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

from gates.apply.serving.target_file import unavailable

TOKEN_VARIABLE = "GATES_GITOPS_TOKEN"  # noqa: S105 (the name of a variable, not its value)
_SECONDS = 30
_MOST_BYTES = 1_000_000
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_RIGHTS = f"set {TOKEN_VARIABLE} to a token that may read and write the pull requests of the repository"


@dataclass(frozen=True)
class PullRequestWords:
    """What the spec says of it.

    Attributes
    ----------
    repository: `owner/name`. into: the branch to merge into. api: address of the REST interface.
    """

    repository: str
    into: str = "main"
    api: str = "https://api.github.com"


@dataclass(frozen=True)
class Asked:
    """What people read: a title, and lines below it."""

    title: str
    body: str


class PullRequests:
    """Those of one branch of one repository.

    Every method raises EngineError (`serving.unavailable`) where nobody answers, or the answer is a refusal.
    """

    def __init__(self, words: PullRequestWords, branch: str, *, name: str) -> None:
        self._words, self._branch, self._name = words, branch, name

    def ask(self, asked: Asked) -> str:
        """Open one, or bring the one that is open up to date; return its address for people."""
        words = {"title": asked.title, "body": asked.body}
        for number, _ in self._open():
            return _page(self._call("PATCH", f"/{number}", words))
        return _page(self._call("POST", "", {**words, "head": self._branch, "base": self._words.into}))

    def withdraw(self) -> None:
        """Close the one that is open; nothing where none is."""
        for number, _ in self._open():
            self._call("PATCH", f"/{number}", {"state": "closed"})

    def _open(self) -> list[tuple[int, str]]:
        owner = self._words.repository.partition("/")[0]
        wanted = {"head": f"{owner}:{self._branch}", "base": self._words.into, "state": "open"}
        found = self._call("GET", f"?{urlencode(wanted)}")
        if not isinstance(found, list):
            raise self._strange()
        # An interface that passes over `head` would show those of others.
        ours = [
            each for each in found if isinstance(each, dict) and (each.get("head") or {}).get("ref") == self._branch
        ]
        if not all(isinstance(each.get("number"), int) for each in ours):
            raise self._strange()
        return [(each["number"], _page(each)) for each in ours]

    def _call(self, method: str, path: str, document: dict[str, Any] | None = None) -> Any:
        url = f"{self._words.api.rstrip('/')}/repos/{quote(self._words.repository)}/pulls{path}"
        content = None if document is None else json.dumps(document).encode()
        request = Request(url, data=content, method=method)  # noqa: S310 (http and https, as the spec is checked)
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("X-GitHub-Api-Version", "2022-11-28")
        request.add_header("Content-Type", "application/json")
        if token := os.environ.get(TOKEN_VARIABLE):
            parts = urlsplit(url)
            if parts.scheme != "https" and parts.hostname not in _LOCAL:
                raise unavailable(self._name, "a token over http is anybody's", "write https")
            # Not to whom it redirects.
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        try:
            with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                return json.loads(answer.read(_MOST_BYTES))
        except HTTPError as error:
            remedy = _RIGHTS if error.code in (401, 403, 404) else "look at the repository and its branches"
            raise unavailable(self._name, f"{method} {url.partition('?')[0]}: {_said(error)}", remedy) from error
        except (OSError, ValueError) as error:
            raise unavailable(
                self._name, f"{method} {url.partition('?')[0]}: {error}", "look at the address"
            ) from error

    def _strange(self) -> Exception:
        return unavailable(self._name, f"{self._words.api} answers something else", "look at the address")


def _page(found: Any) -> str:
    page = found.get("html_url") if isinstance(found, dict) else None
    return page if isinstance(page, str) and re.fullmatch(r"https?://[!-~]{1,300}", page) else "pull request"


def _said(error: HTTPError) -> str:
    try:
        document = json.loads(error.read(_MOST_BYTES))
        reasons = [each.get("message") for each in document.get("errors", ()) if isinstance(each, dict)]
        said = next((text for text in (*reasons, document.get("message")) if isinstance(text, str)), "")
    except (OSError, ValueError, AttributeError):
        said = ""
    return f"{error.code} {said[:200]}".strip()
