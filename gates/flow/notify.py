"""Tell people what moved, what was denied and what was rolled back, through Apprise: Slack, Teams, PagerDuty, mail.

Where to is said by GATES_NOTIFY, from outside the branch, as such addresses hold tokens. What is told is short: names,
digests, codes and the reason, with whatever looks like a secret taken out. Nothing here fails a command, and no command
waits longer than PATIENCE: what could not be told is said on standard error.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from gates.bundle.canonical import canonical_bytes, digest_bytes, parse_json
from gates.bundle.files import write_atomically
from gates.errors import EvidenceError, GatesError, Refused, UsageError
from gates.inputs.serving_configuration import NAMED_LIKE_A_SECRET, SECRETS
from gates.records.base import Environment
from gates.render.names import visible
from gates.render.release import traffic_text

if TYPE_CHECKING:
    from gates.apply.saga import Applied
    from gates.flow.move import Promotion
    from gates.project import Project

NOTIFY_VARIABLE = "GATES_NOTIFY"
"""Apprise addresses, separated by white space."""
PATIENCE = 5.0
"""Seconds that a command waits for all of them."""
MOST_AN_HOUR = 20
"""Of one kind in one environment; so many alike are noise, and a rollback is never crowded out by denials."""
SAME_AFTER = 600
"""Seconds in which the same text is not sent twice."""
_HOUR = 3600

Kind = Literal["moved", "denied", "rolled back", "failed"]
_LEVEL: dict[Kind, str] = {"moved": "success", "denied": "warning", "rolled back": "warning", "failed": "failure"}
T = TypeVar("T")


@dataclass(frozen=True)
class Notice:
    """What is told: a line, and lines below it."""

    kind: Kind
    model: str
    environment: Environment
    what: str
    lines: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return redacted(f"[{visible(self.environment)}] {visible(self.model)}: {self.what}")

    @property
    def body(self) -> str:
        return "\n".join(redacted(line) for line in self.lines) or self.title


def told(project: Project, environment: Environment, word: str, reason: str | None, move: Callable[[], T]) -> T:
    """Run a move and tell how it ended, also where it ended in an error of anything but its usage.

    Parameters
    ----------
    word: what was done, where it was: `promoted`, `rolled back`.
    """
    try:
        done = move()
    except UsageError:
        raise
    except GatesError as error:
        kind: Kind = "denied" if isinstance(error, Refused) else "failed"
        lines = (f"{visible(error.message, longest=400)} [{error.code}]", *_why(reason))
        tell(project, Notice(kind, project.spec.model, environment, f"not {word}", lines))
        raise
    if notice := _notice(project, environment, word, reason, done):
        tell(project, notice)
    return done


def _notice(project: Project, environment: Environment, word: str, reason: str | None, done: Any) -> Notice | None:
    from gates.apply.monitor import Acted
    from gates.flow.incidents import Handled
    from gates.flow.move import Promotion
    from gates.flow.people import Activated

    model = project.spec.model
    if isinstance(done, Promotion):
        if done.applied is None:
            return Notice("denied", model, environment, "denied", (*_denied(done), *_why(reason)))
        done = done.applied
    if isinstance(done, Handled):
        reason = f"{reason} ({done.snapshot.words})"
        if done.applied is None:
            return Notice("moved", model, environment, "training was asked for", _why(reason))
        done = done.applied
    if isinstance(done, Acted):
        done = done.applied or done.entry
    if isinstance(done, Activated):
        done = done.entry
    if isinstance(done, tuple):
        done = done[1]
    lines = _lines(done)
    if lines is None:
        return None
    back = word == "rolled back" or getattr(done, "status", "") == "failed"
    return Notice("rolled back" if back else "moved", model, environment, word, (*lines, *_why(reason)))


def _lines(done: Any) -> tuple[str, ...] | None:
    """What is told of a move; None where nothing moved."""
    from gates.apply.archive import Archived
    from gates.apply.saga import Applied
    from gates.flow.batch import Restored, Scored

    if isinstance(done, Applied):
        return _applied(done)
    if isinstance(done, Archived):
        return done.version.uri, f"ledger {done.entry}"
    if isinstance(done, Restored):
        counts = f"{len(done.changed)} partitions count again, {len(done.left)} are to be scored"
        return done.model.uri, counts
    return None if done is None or isinstance(done, Scored) else (f"ledger {done}",)


def _denied(done: Promotion) -> tuple[str, ...]:
    decision = done.decided.decision
    codes = sorted({result.code for result in decision.results if result.disposition == "denies"})
    missing = sorted({requirement.check for requirement in decision.missing})
    said = [f"candidate {visible(decision.request.candidate.uri)}", f"codes: {', '.join(codes)}" if codes else ""]
    said += [f"missing: {', '.join(missing)}" if missing else ""]
    return tuple(line for line in said if line)


def _applied(done: Applied) -> tuple[str, ...]:
    undone = ["an unfinished promotion was undone"] if done.status == "failed" else []
    seen = ["accepted, and nobody sees the traffic"] if done.status == "accepted" else []
    entry = "journal" if done.journalled else "ledger"
    at = [f"{entry} {done.outcome}"] if done.outcome else []
    return (
        traffic_text(done.wanted),
        *undone,
        *seen,
        *at,
        *(f"debt: {visible(debt, longest=300)}" for debt in done.debts),
    )


def _why(reason: str | None) -> tuple[str, ...]:
    return (f"reason: {visible(reason, longest=300)}",) if reason else ()


def redacted(text: str, environ: Mapping[str, str] | None = None) -> str:
    """Return the text without what looks like a secret, and without the values of variables that are named like one."""
    environ = os.environ if environ is None else environ
    held = {value for name, value in environ.items() if len(value) >= 8 and NAMED_LIKE_A_SECRET.search(name)}
    held |= set(environ.get(NOTIFY_VARIABLE, "").split())
    for value in sorted(held, key=len, reverse=True):
        text = text.replace(value, "[redacted]")
    for kind, form in SECRETS.items():
        # What follows the head of a key is the key.
        whole = re.compile(form.pattern + r".*", re.DOTALL) if kind == "a private key" else form
        text = whole.sub("[redacted]", text)
    return text


def tell(project: Project, notice: Notice) -> None:
    """Send a notice to every address, or note in `project.failures` why not. Never raises, and never waits long."""
    addresses = project.environ.get(NOTIFY_VARIABLE, "").split()
    if not addresses:
        return
    problem = [f"not told within {PATIENCE:g} s"]

    def run() -> None:
        try:
            problem[0] = _held_back(project, notice) or send(addresses, notice)
        except Exception as error:  # noqa: BLE001 (whatever a messenger does wrong, the move is done)
            # Its text may hold an address, and an address holds a token.
            problem[0] = f"{type(error).__name__} while telling"

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if problem[0]:
        project.failures.append(f"notification: {problem[0]}")


def send(addresses: Sequence[str], notice: Notice) -> str:
    """Send by Apprise; return what went wrong, without any address."""
    import logging

    try:
        import apprise
    except ImportError:
        return "the package apprise is missing; install the extra `notify`"
    logging.getLogger("apprise").disabled = True
    known = apprise.Apprise()
    strange = sum(not known.add(address) for address in addresses)
    sent = known.notify(
        title=notice.title, body=notice.body, notify_type=apprise.NotifyType(_LEVEL[notice.kind]), body_format="text"
    )
    if strange:
        return f"{strange} of {len(addresses)} addresses in {NOTIFY_VARIABLE} are none that Apprise knows"
    return "" if sent else f"not every one of {len(addresses)} addresses took it"


def _held_back(project: Project, notice: Notice) -> str:
    """Say why a notice is not sent: too many of its kind, or the same a moment ago. What was sent is a file's matter."""
    path, now = _state(project), time.time()
    key = f"{notice.model} {notice.environment} {notice.kind}"
    name = digest_bytes(f"{notice.title}\n{notice.body}".encode())
    sent: dict[str, Any] = {}
    with suppress(OSError, EvidenceError):
        sent = dict(parse_json(path.read_bytes()))
    before = [(at, said) for at, said in sent.get(key, []) if 0 <= now - at < _HOUR]
    if any(said == name and now - at < SAME_AFTER for at, said in before):
        return "the same was told a moment ago"
    if len(before) >= MOST_AN_HOUR:
        return f"{len(before)} of this kind were told within the hour"
    with suppress(OSError):
        write_atomically(path, canonical_bytes({**sent, key: [*before, [int(now), name]]}))
    return ""


def _state(project: Project) -> Path:
    import platformdirs

    from gates.apply.ledger.opening import CACHE_VARIABLE

    folder = project.environ.get(CACHE_VARIABLE)
    return (Path(folder) if folder else platformdirs.user_cache_path("model-gates")) / "notified.json"
