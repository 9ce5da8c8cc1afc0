"""GitHub's pull requests of one repository, over HTTP, for a bare repository on this disk.

REST API 2022-11-28: a list is filtered by head, base and state; one open request a head and base; a head that is no
branch is refused with 422; without the token nothing is found.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from simulators.answering import Request, answering

OWNER, TOKEN = "acme", "ghs_0123456789abcdef"
PATH = f"/repos/{OWNER}/deploy/pulls"


@dataclass
class Forge:
    """The repository, and what was asked of it."""

    bare: Path
    address: str = ""
    pulls: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=p", "-c", "user.email=p@p", "-C", str(self.bare), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    @property
    def open(self) -> list[dict[str, Any]]:
        return [pull for pull in self.pulls if pull["state"] == "open"]

    def squash(self, pull: dict[str, Any]) -> None:
        """Merge as people do it: one new commit on the base, and the branch is deleted."""
        base, head = pull["base"]["ref"], pull["head"]["ref"]
        commit = self.git("commit-tree", f"{head}^{{tree}}", "-p", base, "-m", pull["title"])
        self.git("update-ref", f"refs/heads/{base}", commit)
        self.git("update-ref", "-d", f"refs/heads/{head}")
        pull["state"] = "closed"

    def answer(self, method: str, target: str, given: dict[str, Any], token: str | None) -> tuple[int, Any]:
        parts = urlsplit(target)
        if self.down:
            return 503, {"message": "no server is available"}
        if token != f"Bearer {TOKEN}" or not parts.path.startswith(PATH):
            return 404, {"message": "Not Found"}
        if method == "GET":
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            return 200, [pull for pull in self.pulls if _meant(pull, asked)]
        if method == "PATCH":
            [found] = [pull for pull in self.pulls if parts.path == f"{PATH}/{pull['number']}"]
            found.update(given)
            return 200, found
        return self._create(given)

    def _create(self, given: dict[str, Any]) -> tuple[int, Any]:
        if any(pull["head"]["ref"] == given["head"] for pull in self.open):
            return 422, _refusal(f"A pull request already exists for {OWNER}:{given['head']}.")
        if not self.git("for-each-ref", f"refs/heads/{given['head']}"):
            return 422, _refusal("head is invalid")
        number = len(self.pulls) + 1
        pull = {
            "number": number,
            "state": "open",
            "html_url": f"https://github.com/{OWNER}/deploy/pull/{number}",
            "title": given["title"],
            "body": given["body"],
            "head": {"ref": given["head"], "label": f"{OWNER}:{given['head']}"},
            "base": {"ref": given["base"]},
        }
        self.pulls.append(pull)
        return 201, pull


def _refusal(message: str) -> dict[str, Any]:
    return {"message": "Validation Failed", "errors": [{"resource": "PullRequest", "message": message}]}


def _meant(pull: dict[str, Any], asked: dict[str, str]) -> bool:
    return (
        asked.get("state", "open") in ("all", pull["state"])
        and asked.get("head", pull["head"]["label"]) == pull["head"]["label"]
        and asked.get("base", pull["base"]["ref"]) == pull["base"]["ref"]
    )


@contextmanager
def served(bare: Path) -> Iterator[Forge]:
    """Answer on a port of this machine until the block ends."""
    forge = Forge(bare)

    def answer(asked: Request) -> tuple[int, bytes]:
        said = json.loads(asked.body or b"{}")
        code, document = forge.answer(asked.method, asked.path, said, asked.headers.get("Authorization"))
        return code, json.dumps(document).encode()

    with answering(answer) as forge.address:
        yield forge
