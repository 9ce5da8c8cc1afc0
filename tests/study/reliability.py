"""Moves that are killed, raced and meddled with: what is lost, and what is torn."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from simulators.apply_world import NOW, World, slot_in
from simulators.killer import Countdown, Mortal, run_and_kill
from simulators.random_moves import ENVIRONMENTS, MOST_EFFECTS, PEOPLE, Moves

from gates.apply.adopt import adopt
from gates.apply.offline import Offline, rollback_offline
from gates.apply.promote import promote
from gates.apply.rollback import rollback
from gates.apply.surfaces import Surfaces
from gates.apply.writer import LedgerWriter
from gates.errors import GatesError
from study.page import Page, Table, canvas
from study.promises import Promise
from study.runner import Runner

STEPS = 25
WRITERS = 4
FORK = multiprocessing.get_context("fork")
STAGING = slot_in("staging")

Move = Callable[[LedgerWriter, Surfaces], object]


def _failure(check: Callable[[], object]) -> tuple[float, float]:
    """Whether something is lost, or torn."""
    try:
        check()
    except AssertionError as error:
        lost = "lost" in str(error)
        return float(lost), float(not lost)
    return 0.0, 0.0


def random_moves(rng: np.random.Generator) -> Sequence[float]:
    """Moves of two people on two slots in random order; (lost, torn, and how often each thing was done)."""
    with tempfile.TemporaryDirectory() as folder:
        moves = Moves.begin(Path(folder))

        def run() -> None:
            for _ in range(STEPS):
                _step(rng, moves)
                moves.check()
            moves.settle()
            moves.check()

        failed = _failure(run)
        counts = moves.counts
        return (
            *failed,
            sum(counts[what] for what in MOVES),
            *(counts[what] for what in ("killed", "race", "hand edit")),
        )


MOVES = ("promote", "rollback", "rollback without ledger", "reconcile", "takeover", "race")


def _step(rng: np.random.Generator, moves: Moves) -> None:
    where, who = (str(rng.choice(names)) for names in (ENVIRONMENTS, PEOPLE))
    number, dies = int(rng.integers(1, 5)), int(rng.integers(MOST_EFFECTS)) if rng.random() < 0.5 else None
    steps: list[tuple[float, Callable[[], None]]] = [
        (0.3, lambda: moves.promote(where, number, int(rng.choice([5, 50, 100])), who, dies)),
        (0.1, lambda: moves.rollback(where, who, dies)),
        (0.1, lambda: moves.rollback_without_the_ledger(where, who, dies)),
        (0.2, lambda: moves.reconcile(where, who, dies, undo=bool(rng.random() < 0.3))),
        (0.05, lambda: moves.takeover(where, who)),
        (0.1, lambda: moves.race(where, (number, 1 + number % 4), PEOPLE, int(rng.integers(MOST_EFFECTS)))),
        (0.05, lambda: moves.meddle_alias(where, number)),
        (0.05, lambda: moves.meddle_target(where, number)),
        (0.05, moves.registry_down),
    ]
    steps[int(rng.choice(len(steps), p=[share for share, _ in steps]))][1]()


def _promotion(world: World) -> Move:
    decision = world.allowed("staging", 2)
    return lambda writer, surfaces: promote(writer, surfaces, decision)


def _rollback(world: World) -> Move:
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))
    return lambda writer, surfaces: rollback(writer, surfaces, STAGING, reason="worse")


def _undo(world: World) -> Move:
    decision, countdown = world.allowed("staging", 2), Countdown(3)
    writer = replace(world.writer(), ledger=Mortal(world.ledger, countdown))
    target: Any = Mortal(world.serving("staging"), countdown)
    assert run_and_kill(lambda: promote(writer, Surfaces(world.registry, target), decision))
    return lambda writer, surfaces: rollback(writer, surfaces, STAGING, reason="killed")


def _without_ledger(world: World) -> Move:
    promote(world.writer(), world.surfaces("staging"), world.allowed("staging", 2))

    def move(writer: LedgerWriter, surfaces: Surfaces) -> object:
        away = Offline(writer.root, writer.signer, writer.now_us, ("ledger.unavailable: no route",))
        return rollback_offline(away, surfaces, STAGING, reason="night")

    return move


def _adoption(world: World) -> Move:
    release = world.writer().read().release(STAGING)
    assert release is not None
    return lambda writer, surfaces: adopt(writer, surfaces, release, reason="it serves already")


KINDS = {
    "promotion": _promotion,
    "rollback": _rollback,
    "undoing a promotion": _undo,
    "rollback without the ledger": _without_ledger,
    "adoption": _adoption,
}


def killed(rng: np.random.Generator, kind: str) -> Sequence[float]:
    """One move whose process gets SIGKILL before a random one of its effects; (lost, torn, killed, before which)."""
    at = int(rng.integers(9))
    with tempfile.TemporaryDirectory() as folder:
        moves = Moves.begin(Path(folder))
        move = KINDS[kind](moves.world)
        countdown = Countdown(at)
        writer = replace(moves.world.writer(), ledger=Mortal(moves.world.ledger, countdown))
        registry: Any = Mortal(moves.world.registry, countdown)
        target: Any = Mortal(moves.world.serving("staging"), countdown)
        died = run_and_kill(lambda: move(writer, Surfaces(registry, target)))

        def rest() -> None:
            moves.settle()
            moves.check()

        return (*_failure(rest), float(died), float(at))


def at_once(rng: np.random.Generator) -> Sequence[float]:
    """Processes that promote different versions in one slot at the same time; (lost, torn, winners)."""
    with tempfile.TemporaryDirectory() as folder:
        moves = Moves.begin(Path(folder))
        world = moves.world
        decisions = [world.allowed("staging", number) for number in range(2, 2 + WRITERS)]
        ready, answers = FORK.Barrier(WRITERS), FORK.Queue()

        def compete(index: int, pause: float) -> None:
            ready.wait()
            FORK.Event().wait(pause)
            try:
                promote(world.writer(PEOPLE[index % 2], NOW + 1), world.surfaces("staging"), decisions[index])
                answers.put(1)
            except GatesError:
                answers.put(0)

        pauses = rng.random(WRITERS) * 0.02
        processes = [FORK.Process(target=compete, args=(i, float(pauses[i]))) for i in range(WRITERS)]
        for process in processes:
            process.start()
        winners = sum(answers.get(timeout=120) for _ in processes)
        for process in processes:
            process.join()

        def rest() -> None:
            moves.settle()
            moves.check()

        return (*_failure(rest), float(winners))


def study(runner: Runner) -> Page:
    orders = runner.simulate(random_moves, [()], 80)[()]
    kills = runner.simulate(killed, [(kind,) for kind in KINDS], 30)
    races = runner.simulate(at_once, [()], 24)[()]
    found = [orders, *kills.values(), races]
    runs = sum(len(each) for each in found)
    points = {kind: sorted({int(at) for *_, died, at in kills[kind,] if died}) for kind in KINDS}
    tried, died = sum(map(len, points.values())), int(sum(each[:, 2].sum() for each in kills.values()))
    promises = [
        Promise("something is lost", int(sum(each[:, 0].sum() for each in found)), runs, at_most=0.0),
        Promise("something is torn", int(sum(each[:, 1].sum() for each in found)), runs, at_most=0.0),
        Promise(
            "concurrent promotions of one slot have one winner", int((races[:, 2] == 1).sum()), len(races), at_least=1.0
        ),
    ]
    what = ("moves", "killed", "races", "hand edits")
    table = [(name, f"{int(orders[:, 2 + i].sum()):,}") for i, name in enumerate(what)]
    return Page(
        name="reliability",
        title="Whatever is killed or raced, one release serves everywhere, and nothing is lost",
        shows=f"{tried} crash points were tried {died} times by SIGKILL, {int(orders[:, 3].sum())} moves died within random "
        f"sequences, {len(races)} times {WRITERS} processes promoted at once: lost = {promises[0].seen}, "
        f"torn = {promises[1].seen}.",
        world="two slots on one sqlite ledger, with a serving file each and a registry of the port's contract. After each "
        "sequence somebody puts hand edits back, takes over what another began, and reconciles until nothing is left.",
        notes=(
            (
                "*Lost* is an entry, a reported outcome or a journalled rollback that is not in the ledger or the store any "
                "more. *Torn* is a target, an alias or a rollback pack that does not say what the ledger says, a ledger that "
                "does not verify, or two moves built upon one."
            ),
        ),
        plot=_plot(kills),
        alt="Horizontal bars: for each kind of move, how often its process was killed before one of its effects; every "
        "one of them ended in one whole release.",
        tables=[
            Table(f"Random sequences of {STEPS}: {len(orders)}", ("what", "how often"), table),
            Table(
                "Crash points by kind of move",
                ("move", "killed before its effect number", "times"),
                [
                    (kind, ", ".join(str(at + 1) for at in points[kind]), f"{int(kills[kind,][:, 2].sum())}")
                    for kind in KINDS
                ],
            ),
        ],
        promises=promises,
    )


def _plot(kills: dict[tuple[str, ...], Any]) -> Any:
    plot, (axis,) = canvas(title="Every killed move ended in one whole release")
    names = list(KINDS)
    axis.barh(names, [float(kills[name,][:, 2].sum()) for name in names], color="0.7", label="killed")
    torn = [float((kills[name,][:, 0] + kills[name,][:, 1]).sum()) for name in names]
    axis.barh(names, torn, color="0", label="of these lost or torn")
    axis.set(xlabel="times killed before one of the move's effects")
    axis.invert_yaxis()
    axis.legend(fontsize=8, frameon=False)
    return plot
