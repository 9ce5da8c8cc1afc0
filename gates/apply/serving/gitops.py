"""The Git repository around a manifest: a commit of it alone, a push, and where asked for a pull request.

A branch that a pull request is made of belongs to this one manifest: it shows what is wanted now, so it is replaced
(`--force-with-lease`), and the pull request is withdrawn where what it asked for is not wanted any more. Every other
branch is pushed to without force.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gates.apply.serving.pull_request import Asked, PullRequests, PullRequestWords
from gates.apply.serving.target_file import unavailable

_SECONDS = 60


@dataclass(frozen=True)
class GitWords:
    """What the spec says of it.

    Attributes
    ----------
    push: branch of `origin` that the commit is pushed to; None: pushing is somebody else's.
    pull_request: where that branch is to be merged, and who is asked.
    """

    push: str | None = None
    pull_request: PullRequestWords | None = None


class Repository:
    """The clone that a manifest lies in.

    Attributes
    ----------
    asked: address of the pull request that the last `keep` opened or found; None: what is wanted is merged, or nobody
        was asked.
    """

    def __init__(self, manifest: Path, words: GitWords) -> None:
        self._manifest, self._words = manifest, words
        self.asked: str | None = None

    def uncommitted(self) -> bool:
        """Whether the manifest is not what the newest commit has."""
        return bool(self._git("status", "--porcelain", "--", self._manifest.name))

    def keep(self, subject: str, trailers: Mapping[str, str]) -> None:
        """Commit the manifest, push the commit, and ask for it to be merged; each where it is wanted. Idempotent.

        Raises
        ------
        EngineError: `serving.unavailable`: Git, `origin` or the pull requests' address refuses.
        """
        message = "\n".join(f"{name}: {value}" for name, value in trailers.items())
        if self.uncommitted():
            self._git("add", "--", self._manifest.name)
            said = ("-m", subject, "-m", message) if message else ("-m", subject)
            self._git("commit", "--quiet", "--no-verify", "--only", *said, "--", self._manifest.name)
        branch, asking = self._words.push, self._words.pull_request
        # Also where there was nothing to commit: a run that was killed in between had not pushed.
        if branch and asking:
            self._ask(branch, asking, subject, message)
        elif branch:
            self._git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")

    def beside(self, path: Path, subject: str, trailer: str = "") -> None:
        """Commit a file beside the manifest, or that it is gone, and push that. With a pull request it goes with the next.

        Raises
        ------
        EngineError: `serving.unavailable`.
        """
        if self._git("status", "--porcelain", "--", path.name):
            self._git("add", "--all", "--", path.name)
            said = ("-m", subject, *(("-m", trailer) if trailer else ()))
            self._git("commit", "--quiet", "--no-verify", "--only", *said, "--", path.name)
        if self._words.push and self._words.pull_request is None:
            self._git("push", "--quiet", "origin", f"HEAD:refs/heads/{self._words.push}")

    def trailers(self, path: Path, key: str) -> tuple[str, ...]:
        """Return the values of a trailer in the commits of a file, the newest first."""
        found = self._git("log", "-100", f"--format=%(trailers:key={key},valueonly)", "--", path.name)
        return tuple(line for line in found.splitlines() if line)

    def _ask(self, branch: str, words: PullRequestWords, subject: str, message: str) -> None:
        requests = PullRequests(words, branch, name=str(self._manifest))
        if self._at(words.into) == self._manifest.read_bytes():
            requests.withdraw()
            self.asked = None
            return
        tip = self._tip(branch)
        # The same manifest by another commit is what a second checkout makes of it: who looked at it looked at this.
        if tip is None or self._at(branch) != self._manifest.read_bytes():
            lease = f"--force-with-lease=refs/heads/{branch}:{tip or ''}"
            self._git("push", "--quiet", lease, "origin", f"HEAD:refs/heads/{branch}")
        self.asked = requests.ask(Asked(subject, message))

    def _tip(self, branch: str) -> str | None:
        found = self._git("ls-remote", "--refs", "origin", f"refs/heads/{branch}").split()
        return found[0] if found else None

    def _at(self, branch: str) -> bytes | None:
        """The manifest as a branch of `origin` has it now; None where it has none."""
        if self._tip(branch) is None:
            return None
        self._git("fetch", "--quiet", "--no-tags", "origin", f"refs/heads/{branch}")
        if not self._git("ls-tree", "--name-only", "FETCH_HEAD", "--", self._manifest.name):
            return None
        return self._run("show", f"FETCH_HEAD:./{self._manifest.name}")

    def _git(self, *arguments: str) -> str:
        return self._run(*arguments).decode(errors="replace")

    def _run(self, *arguments: str) -> bytes:
        name = str(self._manifest)
        try:
            done = subprocess.run(  # noqa: S603
                ["git", *arguments],  # noqa: S607
                cwd=self._manifest.parent,
                capture_output=True,
                check=False,
                timeout=_SECONDS,
                env=os.environ | {"GIT_TERMINAL_PROMPT": "0"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise unavailable(name, f"git {arguments[0]}: {error}", "look at the repository") from error
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).decode(errors="replace").splitlines()
            told = [line for line in said if "[rejected]" in line] or [x for x in said if not x.startswith("hint:")]
            pull = "bring the clone up to date with origin: git pull --rebase"
            remedy = pull if arguments[0] == "push" else "look at the repository"
            raise unavailable(name, f"git {arguments[0]}: {told[-1].strip() if told else 'failed'}", remedy)
        return done.stdout
