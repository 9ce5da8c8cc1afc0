"""Scorers of scikit-learn by Poisson bootstrap: which of them keep the promise where a region was never seen, and elsewhere."""

from __future__ import annotations

import numpy as np
from oracles.worlds import Floats

from gates.decide.policies import shipped_data
from gates.measure.regression.losses import CANDIDATE, CHAMPION
from gates.measure.regression.ranks import Rows
from gates.measure.regression.scorers import Scorer
from gates.measure.stats import confusion
from gates.measure.stats.figure import Figure
from study.page import Page, Table, canvas, line, promised
from study.promises import Promise, share
from study.runner import Runner

ROWS = 400
REGION = 1.5
"""Rows of it expected: in .22 of runs none is seen."""
CLUSTERS = 40

SHIPPED = {"binary": (), "multiclass": ("balanced_accuracy", "f1_macro")}
"""Measured under names of their own, by the same code."""
SCORERS = {
    task: tuple(sorted((*names, *SHIPPED[task])))
    for task, names in shipped_data("release/data.yaml")["scorers"].items()
}
WORLDS = {
    "missed": "a region of the rare class that the candidate misses",
    "called": "a region of the common class that the candidate calls rare, which is rarely said",
    "apart": "errors of their own, the candidate's more",
    "days": "the same by days, on which the candidate errs together",
}
_SHARES = {"binary": np.array([0.9, 0.1]), "multiclass": np.array([0.6, 0.3, 0.1])}


def _says(task: str, world: str, right: float) -> Floats:
    """Chances of what a model says, by true class; shape (classes, classes)."""
    classes = _SHARES[task].size
    says = np.full((classes, classes), (1 - right) / (classes - 1))
    np.fill_diagonal(says, right)
    if world == "called":
        says[:, -1] = [0.002] * (classes - 1) + [0.25]
        says[:, 0] += 1 - says.sum(axis=1)
    return says


def _drawn(rng: np.random.Generator, chances: Floats) -> Floats:
    """A class by row, of chances by row."""
    return np.asarray((rng.random(len(chances))[:, None] > chances.cumsum(axis=1)).sum(axis=1), dtype=np.float64)


def _sure(task: str, said: Floats) -> Floats:
    return said if task == "binary" else np.eye(3)[said.astype(int)]


def falsely(rng: np.random.Generator, name: str, task: str, world: str) -> tuple[float, ...]:
    """Whether the loss is proven smaller than it is, and whether it is proven larger than it is."""
    shares = _SHARES[task]
    rare, says = shares.size - 1, _says(task, world, 0.85)
    y = rng.choice(shares.size, ROWS, p=shares).astype(float)
    champion, cluster = _drawn(rng, says[y.astype(int)]), None
    truth = shares[:, None] * says
    if world in ("apart", "days"):
        errs = np.full(ROWS, 0.2)
        if world == "days":
            cluster = np.arange(ROWS) % CLUSTERS
            errs = rng.beta(2, 8, CLUSTERS)[cluster]
        right = rng.random(ROWS) >= errs
        candidate = np.where(right, y, (y + rng.integers(1, shares.size, ROWS)) % shares.size)
        after = shares[:, None] * _says(task, world, 0.8)
    else:
        true, wrong = (rare, 0) if world == "missed" else (0, rare)
        inside = (
            (rng.random(ROWS) < REGION / ROWS / (shares[true] * says[true, true])) & (y == true) & (champion == true)
        )
        candidate, after = np.where(inside, wrong, champion), truth.copy()
        after[true, true] -= REGION / ROWS
        after[true, wrong] += REGION / ROWS
    scorer = Scorer(name, "binary" if task == "binary" else "multiclass", shares.size, 0.5, 1.0)
    rows = Rows(y, {CANDIDATE: _sure(task, candidate), CHAMPION: _sure(task, champion)}, cluster, None)
    found = scorer.difference(rows, CHAMPION, minimum_clusters=8, seed=int(rng.integers(2**31)))
    if not isinstance(found, Figure):
        return False, False
    loss = confusion.score(name, after) - confusion.score(name, truth)
    return bool(found.lower[0] > loss), bool(found.upper[0] < loss)


def study(runner: Runner) -> Page:
    full = 200
    cells = [(name, task, world) for task, names in SCORERS.items() for name in names for world in WORLDS]
    found = runner.simulate(falsely, cells, full)
    runs = runner.runs(full)
    seen = {cell: int(found[cell][:, 0].sum()) for cell in cells}
    promises = [
        Promise(
            f"{name}, {task}, {WORLDS[world]}: a loss proven smaller than it is",
            seen[name, task, world],
            runs,
            at_most=0.05,
        )
        for name, task, world in cells
    ]
    plot, (axis,) = canvas(title="Scorers by Poisson bootstrap")
    ordered = [(name, task) for task, names in SCORERS.items() for name in names]
    for style, world in enumerate(WORLDS):
        line(axis, range(len(ordered)), [seen[name, task, world] / runs for name, task in ordered], world, style)
    promised(axis, 0.05)
    axis.set(ylabel="share of runs with a false proof", ylim=(-0.005, 0.15))
    axis.set_xticks(
        range(len(ordered)), [f"{name} ({task[0]})" for name, task in ordered], rotation=70, ha="right", fontsize=6
    )
    axis.legend(fontsize=8, frameon=False)
    return Page(
        name="scorers",
        title="Scorers of scikit-learn that owners may require prove no loss smaller than it is in more than one run of twenty",
        shows="Each scorer compares a candidate that is worse with the champion; the share of runs in which its loss is proven "
        "smaller than it is stays at the promise, also where the loss is in a region that no row is of.",
        world=f"{ROWS} rows of two classes (.9, .1) or three (.6, .3, .1); the champion is right in .85 of them. "
        + "; ".join(f'"{word}": {what}' for word, what in WORLDS.items())
        + f". Of a region {REGION:g} rows are expected, and the champion is right in it. Errors of their own: the candidate is "
        f"right in .8; by days: in {CLUSTERS} of them, with a share of errors that varies between them as a beta variable of "
        "mean .2 and standard deviation .12. The truth is that of the chances themselves.",
        plot=plot,
        alt="Line plot over the scorers of binary (b) and multiclass (m) tasks: the shares of runs with a false proof of all "
        "four worlds lie around or under the line at .05.",
        tables=[
            Table(
                f"Share of {runs} runs in which a loss is proven smaller than it is",
                ("scorer", "task", *WORLDS),
                [(name, task, *(share(seen[name, task, world] / runs) for world in WORLDS)) for name, task in ordered],
            )
        ],
        promises=promises,
        notes=(
            f"A promise is broken where {runs} runs show more false proofs than are likely (three standard errors) at .05.",
            (
                "Which scorers owners may name stands in `policies/release/data.yaml`. Not among them: those that are measured "
                "exactly under names of their own (AUC, log loss, Brier score, mean absolute and squared error, R2); those that are "
                "accuracy by another name (the micro averages, weighted recall), which never decides; errors of numbers, whose "
                "largest nobody has seen; and those that are not measured at all, a maximum, a median, ratios of likelihoods "
                "(`gates/measure/regression/scorers.py` says why of each)."
            ),
        ),
    )
