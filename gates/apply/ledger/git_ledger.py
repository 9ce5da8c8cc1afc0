"""The ledger on a branch of a Git repository: a file an entry, a commit an append, and the push is the compare-and-swap.

All entries lie in the newest commit's tree, so that a clone of depth 1 holds the ledger whole. The clone is a cache of
this machine; its one memory is the commit that was seen last, which every later one must descend from, with the same
entries at its beginning: a forced push is found here, and on an empty disk by the store and the other witnesses.
"""

from __future__ import annotations

import fcntl
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gates.apply.ledger.git_command import Git, Remote, last_line, unavailable
from gates.apply.ledger.interface import HeadMoved
from gates.bundle.canonical import digest_bytes
from gates.errors import EngineError, EvidenceError
from gates.records.base import Digest

_SEEN, _FETCHED, _NEXT = "refs/gates/seen", "refs/gates/fetched", "refs/gates/next"
_AUTHOR = "model-gates <ledger@model-gates.invalid>"
_SHARD = 100
_PACK_EVERY = 500
_TRIES = 8
_FILE = re.compile(rb"100644 blob ([0-9a-f]{40,64})\tentries/(\d{6})/(\d{8})\.json")


class GitLedger:
    """A branch, read and written through a bare clone in `cache`.

    Parameters
    ----------
    patience_s: how long to wait for another process of this machine, in seconds.
    """

    def __init__(
        self,
        remote: Remote,
        branch: str,
        *,
        name: str,
        cache: Path,
        environ: Mapping[str, str],
        patience_s: float = 60.0,
    ) -> None:
        self._remote = remote
        self._branch = f"refs/heads/{branch}"
        self._name = name
        place = digest_bytes(f"{remote.url}#{branch}".encode()).removeprefix("sha256:")[:32]
        self.folder = cache / "ledgers" / place
        self._environ = environ
        self._patience_s = patience_s

    @property
    def name(self) -> str:
        return self._name

    def entries(self, start: int = 0) -> tuple[bytes, ...]:
        with self._clone() as git:
            tip = self._look(git)
            return () if tip is None else self._read(git, self._listed(git, tip)[start:])

    def append(self, raw: bytes, *, expects: Digest | None) -> None:
        with self._clone() as git:
            tip = self._look(git)
            listed = [] if tip is None else self._listed(git, tip)
            head = digest_bytes(self._read(git, listed[-1:])[0]) if listed else None
            if head != expects:
                raise self._moved(f"the head is {head or 'empty'}, not {expects or 'empty'}")
            commit = self._commit(git, tip, len(listed), raw)
            self._push(git, tip, commit)
            git.ask("update-ref", _SEEN, commit)
            if len(listed) % _PACK_EVERY == _PACK_EVERY - 1:
                git.run("repack", "-d", "-q")

    # The clone.

    @contextmanager
    def _clone(self) -> Iterator[Git]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.folder / "lock").open("wb")
        except OSError as error:
            raise unavailable(f"no clone in {self.folder}: {error.strerror}", self.name) from error
        with lock:
            self._wait(lock.fileno())
            repository = self.folder / "clone.git"
            git = Git(repository, self._environ, self._remote, lock.fileno())
            # Whoever made these was killed: a running Git would hold the lock.
            for left in (*repository.glob("*.lock"), *repository.glob("refs/gates/*.lock")):
                left.unlink(missing_ok=True)
            if not (self.folder / "ready").exists():
                git.ask("init", "--quiet", "--bare", "--template=", str(repository))
                (self.folder / "ready").touch()
            yield git

    def _wait(self, descriptor: int) -> None:
        until = time.monotonic() + self._patience_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise unavailable(f"another process holds {self.folder}", self.name) from None
                time.sleep(0.01)
            else:
                return

    # Reading.

    def _look(self, git: Git) -> str | None:
        """Return the commit that the branch is at, with its bytes here; None: there is no branch yet."""
        tip, seen = self._tip(git), self._seen(git)
        if tip is None and seen is not None:
            raise self._rewritten("the branch is gone", seen)
        if tip is None or tip == seen:
            return tip
        depth = () if seen else ("--depth=1",)
        fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *depth)
        git.ask(*fetch, "--", self._remote.url, f"+{self._branch}:{_FETCHED}")
        tip = git.ask("rev-parse", _FETCHED).decode().strip()
        listed = self._listed(git, tip)
        if seen is not None:
            if git.run("merge-base", "--is-ancestor", seen, tip).returncode:
                raise self._rewritten(f"{tip} does not descend from it", seen)
            known = self._listed(git, seen)
            if listed[: len(known)] != known:
                raise self._rewritten(f"{tip} holds other entries", seen)
        git.ask("update-ref", _SEEN, tip)
        return tip

    def _tip(self, git: Git) -> str | None:
        found = git.ask("ls-remote", "--refs", "--", self._remote.url, self._branch).decode().split()
        return found[0] if found else None

    def _seen(self, git: Git) -> str | None:
        found = git.run("rev-parse", "--quiet", "--verify", _SEEN)
        return None if found.returncode else found.stdout.decode().strip()

    def _listed(self, git: Git, commit: str) -> list[str]:
        """Return the names of the entries' bytes, in order."""
        lines = [line for line in git.ask("ls-tree", "-r", "-z", commit, "--", "entries/").split(b"\0") if line]
        found = []
        for number, line in enumerate(lines):
            match = _FILE.fullmatch(line)
            if match is None or (int(match[2]), int(match[3])) != (number // _SHARD, number):
                strange = line.decode(errors="replace").rpartition("\t")[2][:80]
                raise EvidenceError(
                    f"{strange!r} stands where entry {number} should", code="ledger.sequence", where=self.name
                )
            found.append(match[1].decode())
        return found

    def _read(self, git: Git, names: list[str]) -> tuple[bytes, ...]:
        out = git.ask("cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
        found, place = [], 0
        for name in names:
            end = out.index(b"\n", place)
            said = out[place:end].decode().split()
            if said[:2] != [name, "blob"]:
                raise EvidenceError(f"the bytes {name} are not there", code="ledger.corrupt", where=self.name)
            place = end + 1 + int(said[2])
            found.append(out[end + 1 : place])
            place += 1
        return tuple(found)

    # Writing.

    def _commit(self, git: Git, parent: str | None, sequence: int, raw: bytes) -> str:
        # The last line makes two writers' commits differ where all else is the same: only one of them is pushed.
        message = f"Entry {sequence}\n\n{digest_bytes(raw)}\n{secrets.token_hex(8)}\n".encode()
        stream = b"".join(
            (
                f"reset {_NEXT}\n\ncommit {_NEXT}\nmark :1\ncommitter {_AUTHOR} {int(time.time())} +0000\n".encode(),
                f"data {len(message)}\n".encode() + message,
                f"from {parent}\n".encode() if parent else b"",
                f"M 100644 inline {entry_path(sequence)}\ndata {len(raw)}\n".encode() + raw,
                b"\nget-mark :1\ndone\n",
            )
        )
        return git.ask("fast-import", "--quiet", "--force", "--done", stdin=stream).decode().split()[-1]

    def _push(self, git: Git, parent: str | None, commit: str) -> None:
        """Move the branch from `parent` to `commit`: without force, a server does that only where it still is there."""
        for attempt in range(_TRIES):
            done = git.run("push", "--porcelain", "--no-verify", "--", self._remote.url, f"{commit}:{self._branch}")
            if done.returncode == 0:
                return
            tip = self._tip(git)
            if tip == commit:  # only the answer was lost
                return
            if tip != parent:
                raise self._moved("another writer pushed first")
            # The server is about to let another writer win, or it does not let this one in.
            if not re.search(rb"^!.*\b(lock|failed to update ref)\b", done.stdout, re.MULTILINE):
                break
            time.sleep(0.05 * (attempt + 1) * (0.5 + secrets.randbelow(100) / 100))
        refused = re.search(rb"^!.*\[(?:remote )?rejected\] \((.*)\)", done.stdout, re.MULTILINE)
        if refused:
            raise EngineError(
                f"the server refused the push: {refused[1].decode(errors='replace')}",
                code="ledger.refused",
                where=self.name,
                remedy="let the apply identity push to this branch, and nobody else; no forced pushes",
            )
        raise unavailable(f"git push: {last_line(done)}", self.name)

    def _moved(self, message: str) -> HeadMoved:
        return HeadMoved(message, where=self.name)

    def _rewritten(self, message: str, seen: str) -> EvidenceError:
        return EvidenceError(
            f"the branch was rewritten: {seen} was seen here, and {message}",
            code="ledger.rewritten",
            where=self.name,
            remedy=f"find out who pushed by force, and push {seen} back: {self.folder} has it",
        )


def entry_path(sequence: int) -> str:
    """Where an entry lies in the tree: folders of 100, so that an append writes a few kilobytes of trees."""
    return f"entries/{sequence // _SHARD:06d}/{sequence:08d}.json"
