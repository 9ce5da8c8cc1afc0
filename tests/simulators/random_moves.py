"""Random moves of two slots by two people, killed, raced and meddled with; and what must hold after each.

Killed here is an exception that nothing catches, before any effect on ledger, store, target, registry or journal; with
a real SIGKILL between real processes the study of reliability and test_apply_crash.py do the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from simulators.apply_world import MODEL, NOW, World, slot_in

from gates.apply.ledger.chain import Chain
from gates.apply.ledger.shape import release_digest
from gates.apply.offline import Offline, rollback_offline
from gates.apply.promote import promote
from gates.apply.reconcile import look, reconcile, takeover
from gates.apply.rollback import rollback
from gates.apply.saga import Applied
from gates.apply.serving.interface import Serves
from gates.apply.surfaces import Surfaces, check_target
from gates.apply.writer import LedgerWriter
from gates.bundle.canonical import digest_bytes
from gates.bundle.envelope import open_envelope
from gates.errors import GatesError, Refused
from gates.records.base import Digest

ENVIRONMENTS = ("staging", "production")
PEOPLE = ("applier", "second")
EFFECTS = frozenset(
    {"append", "write", "clear", "keep_pack", "set_alias", "delete_alias", "set_tag", "keep_journal", "put", "link"}
)
MOST_EFFECTS = 16
SECOND = 1_000_000

Move = Callable[[LedgerWriter, Surfaces], object]


class Killed(BaseException):
    """The process is gone: nothing after it runs."""


class Turn:
    """Counts effects; before the one at which it reaches zero, something else happens once."""

    def __init__(self, left: int | None, happens: Callable[[], object]) -> None:
        self.left, self.happens = left, happens

    def tick(self) -> None:
        if self.left is None:
            return
        if self.left == 0:
            self.left = None
            self.happens()
            return
        self.left -= 1


class Watched:
    """Any port's adapter, telling a turn of each effect before it happens."""

    def __init__(self, real: Any, turn: Turn) -> None:
        self._real, self._turn = real, turn

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if name not in EFFECTS:
            return value

        def effect(*arguments: Any, **named: Any) -> Any:
            self._turn.tick()
            return value(*arguments, **named)

        return effect

    def __contains__(self, item: object) -> bool:
        return item in self._real


def _die() -> None:
    raise Killed


@dataclass
class Moves:
    """A small real world, and what happened in it.

    Attributes
    ----------
    seen: digests of all entries, in order, as they were after the last move. told: outcomes that a command reported.
    journalled: records that were signed beside the ledger. codes: why moves were refused. counts: of what was tried.
    """

    world: World
    now_us: int = NOW
    seen: tuple[Digest, ...] = ()
    told: list[Digest] = field(default_factory=list)
    journalled: set[Digest] = field(default_factory=set)
    codes: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    _chain: Chain | None = None

    @classmethod
    def begin(cls, root: Path) -> Moves:
        world = TwoPeople(root)
        world.begin()
        for environment in ENVIRONMENTS:
            world.adopt(environment, 1)
        return cls(world)

    # What may happen.

    def promote(self, environment: str, number: int, percent: int, person: str, dies: int | None) -> None:
        decision = self._decide(environment, number, percent)
        if decision is None:
            return
        before = self._target_bytes(environment) if self._meddled(environment) else None
        self._run("promote", environment, person, dies, lambda w, s: promote(w, s, decision))
        if before is not None:
            assert self._target_bytes(environment) == before, "a promotion wrote over what nobody explained"

    def rollback(self, environment: str, person: str, dies: int | None, to: int | None = None) -> None:
        target = self._release_at(environment, to)
        self._run(
            "rollback",
            environment,
            person,
            dies,
            lambda w, s: rollback(w, s, slot_in(environment), reason="r", to=target),
        )

    def rollback_without_the_ledger(self, environment: str, person: str, dies: int | None) -> None:
        def move(writer: LedgerWriter, surfaces: Surfaces) -> Applied:
            away = Offline(writer.root, writer.signer, writer.now_us, ("ledger.unavailable: no route",))
            return rollback_offline(away, surfaces, slot_in(environment), reason="night")

        self._run("rollback without ledger", environment, person, dies, move)
        self.journalled |= {digest_bytes(raw) for raw in self.world.serving(environment).journal()}

    def reconcile(self, environment: str, person: str, dies: int | None, *, undo: bool) -> None:
        how: Any = "undo" if undo else "finish"
        self._run("reconcile", environment, person, dies, lambda w, s: reconcile(w, s, slot_in(environment), how))

    def takeover(self, environment: str, person: str) -> None:
        self._run("takeover", environment, person, None, lambda w, _: takeover(w, slot_in(environment), reason="gone"))

    def race(self, environment: str, numbers: tuple[int, int], people: tuple[str, str], at: int) -> None:
        """While one promotes, before its effect number `at`, another one promotes too."""
        decisions = [self._decide(environment, number, 100) for number in numbers]
        if None in decisions:
            return
        before, answers = set(self.seen), []

        def run(index: int, writer: LedgerWriter, surfaces: Surfaces) -> None:
            answers.append(promote(writer, surfaces, decisions[index]))  # type: ignore[arg-type]

        def other() -> None:
            self._run("race", environment, people[1], None, lambda w, s: run(1, w, s))

        self._run("race", environment, people[0], at, lambda w, s: run(0, w, s), happens=other)
        closed = [
            item.entry.expects
            for item in self.read().entries
            if item.digest not in before and item.entry.kind == "intent" and item.entry.slot == slot_in(environment)
        ]
        assert len(set(closed)) == len(closed), "two moves were built upon one"

    def meddle_alias(self, environment: str, number: int) -> None:
        if not self.world.registry.path(MODEL, str(number)).exists():
            return
        self.world.registry.force(MODEL, f"approved-{environment}", str(number))
        self.counts["hand edit"] += 1

    def meddle_target(self, environment: str, number: int) -> None:
        observed = self.world.serving(environment).read()
        if isinstance(observed, Serves):
            path = self.world.serving(environment).path
            path.write_text(
                path.read_text().replace(f'"version": "{observed.release.approved.version}"', f'"version": "{number}"')
            )
            self.counts["hand edit"] += 1

    def registry_down(self) -> None:
        self.world.registry.down = not self.world.registry.down

    # What must hold.

    def read(self, *, whole: bool = False) -> Chain:
        """Read and verify the ledger, or what came since: it only ever grew."""
        writer = self.world.writer(now_us=self.now_us)
        chain = writer.read() if whole or self._chain is None else writer.newest(self._chain)
        self._chain = chain
        digests = tuple(item.digest for item in chain.entries)
        assert digests[: len(self.seen)] == self.seen, "an entry was lost"
        self.seen = digests
        return chain

    def check(self) -> None:
        """After any move: the ledger verifies, holds what commands reported, and each place in it has one winner."""
        chain = self.read()
        assert set(self.told) <= set(self.seen), "an outcome that was reported is lost"
        kept: set[Digest] = set()
        for environment in ENVIRONMENTS:
            slot = slot_in(environment)
            begun = [
                i.entry.expects
                for i in chain.entries
                if i.entry.slot == slot and i.entry.kind in ("intent", "rollback", "adopt")
            ]
            assert len(set(begun)) == len(begun), "two moves were built upon one"
            kept |= {digest_bytes(raw) for raw in self.world.serving(environment).journal()}
            kept |= set(self.world.store.linked("journal", f"{MODEL}@{environment}"))
        assert self.journalled <= kept, "a journalled rollback is lost"

    def settle(self) -> None:
        """What an operator does until nothing is left; then every surface shows one release, which the ledger explains."""
        self.world.registry.down = False
        for environment in ENVIRONMENTS:
            self._settle(environment)
        self.read(whole=True)
        for environment in ENVIRONMENTS:
            self.whole(environment)

    def _settle(self, environment: str) -> None:
        slot = slot_in(environment)
        for _ in range(8):
            self._put_back(environment)
            self.now_us += SECOND
            writer, surfaces = self.world.writer(now_us=self.now_us), self.world.surfaces(environment)
            left = look(writer, surfaces, slot).left
            if left == "nothing":
                return
            self.counts[f"settled {left}"] += 1
            if left == "foreign":
                takeover(writer, slot, reason="gone")
            elif left == "conflict":
                self._decide_conflict(environment)
            else:
                try:
                    reconcile(writer, surfaces, slot, "finish")
                except Refused as error:
                    # Such as a decision that expired meanwhile: then it is undone.
                    self.codes[error.code] += 1
                    reconcile(writer, surfaces, slot, "undo")
        raise AssertionError(f"{environment} does not come to rest: {left}")

    def _decide_conflict(self, environment: str) -> None:
        """Somebody decides that the ledger is right: the target is put back as it says."""
        state = self.read().slot(slot_in(environment))
        release = state.standing.release
        assert release is not None
        if state.open is not None:
            writer, surfaces = self.world.writer(now_us=self.now_us), self.world.surfaces(environment)
            if writer.signer.public.key_id not in state.open.owners:
                takeover(writer, slot_in(environment), reason="gone")
            surfaces.serving.write(release)
            rollback(
                writer, surfaces, slot_in(environment), reason="undo"
            ) if state.open.entry.kind == "intent" else None
            return
        self.world.serving(environment).write(release)

    def _put_back(self, environment: str) -> None:
        """Hand edits are put back by hand, to what the ledger says."""
        slot, chain = slot_in(environment), self.read()
        state, surfaces = chain.slot(slot), self.world.surfaces(environment)
        explained = (state.standing, *((state.open.after,) if state.open else ()))
        observed = surfaces.serving.read()
        edited = not isinstance(observed, Serves) or observed.stated != release_digest(observed.release)
        if edited or not surfaces.serving.journal():
            try:
                check_target(surfaces.serving, *explained)
            except Refused:
                assert state.standing.release is not None
                surfaces.serving.write(state.standing.release)
        for alias in surfaces.unexplained_aliases(slot, state.standing):
            self.world.registry.force(MODEL, alias, surfaces.names.expected(environment, state.standing)[alias])

    def whole(self, environment: str) -> None:
        """Ledger, target, aliases, pack and store say the same, and nothing is open."""
        chain = self.read()
        state = chain.slot(slot_in(environment))
        release, observed = state.standing.release, self.world.serving(environment).read()
        assert state.open is None
        assert release is not None
        assert isinstance(observed, Serves)
        assert (observed.release, observed.stated) == (release, release_digest(release)), "torn: the target"
        aliases, expected = self.world.registry.aliases(MODEL), chain.expected_aliases(MODEL)
        for alias in self.world.surfaces(environment).names.expected(environment, state.standing):
            assert aliases.get(alias) == expected.get(alias), "torn: the aliases"
        raw = self.world.serving(environment).pack()
        assert raw is not None
        pack = open_envelope(raw).predicate
        assert (pack["closing"], pack["release"]) == (state.last_closing, release.document()), "torn: the pack"
        kept = [raw for raw in self.world.ledger.entries() if digest_bytes(raw) not in self.world.store]
        assert not kept, "lost: the store lacks an entry"

    # How a move is run.

    def _run(
        self,
        what: str,
        environment: str,
        person: str,
        at: int | None,
        move: Move,
        happens: Callable[[], object] = _die,
    ) -> None:
        self.now_us += SECOND
        turn, world = Turn(at, happens), self.world
        watched: Any = lambda real: Watched(real, turn)  # noqa: E731
        writer = world.writer(person, self.now_us)
        writer = replace(writer, ledger=watched(world.ledger), store=watched(world.store))
        surfaces = Surfaces(watched(world.registry), watched(world.serving(environment)))
        self.counts[what] += 1
        try:
            done = move(writer, surfaces)
        except Killed:
            self.counts["killed"] += 1
        except GatesError as error:
            self.codes[error.code] += 1
        else:
            self.counts["done"] += 1
            if isinstance(done, Applied) and done.outcome and not done.journalled:
                self.told.append(done.outcome)

    def _decide(self, environment: str, number: int, percent: int) -> Digest | None:
        self.now_us += SECOND
        try:
            return self.world.allowed(environment, number, text=str(self.now_us), now_us=self.now_us, percent=percent)
        except GatesError as error:
            self.codes[error.code] += 1
            return None

    def _release_at(self, environment: str, place: int | None) -> Digest | None:
        known = list(self.read().slot(slot_in(environment)).known)
        return known[place % len(known)] if place is not None and known else None

    def _meddled(self, environment: str) -> bool:
        state = self.read().slot(slot_in(environment))
        try:
            check_target(self.world.serving(environment), state.standing, *((state.open.after,) if state.open else ()))
        except Refused:
            return True
        return False

    def _target_bytes(self, environment: str) -> bytes | None:
        return self.world.serving(environment).bytes_now()


class TwoPeople(World):
    """Two people may apply, so that a move can be another's."""

    def trust(self, **roles: tuple[str, ...]) -> Any:
        if not hasattr(self, "_trust"):
            self._trust = super().trust(**{"second": ("apply",), **roles})
        return self._trust
