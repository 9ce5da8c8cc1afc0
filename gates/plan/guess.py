"""Label, score and champion columns of a bare predictions file, guessed from names and contents, with the reasons.

For `gates check FILE` without a spec; the first step of its plan. Pure: profiles of columns in, a guess in words out.
What is not certain is refused with the candidates and the flag that settles it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from gates.errors import UsageError
from gates.plan import words
from gates.plan.labels import label_pair
from gates.plan.nearest import did_you_mean
from gates.records import Columns

Kind = Literal["bool", "integer", "number", "text", "time", "other"]
Scale = Literal["probability", "percent"]
Option = Callable[[str, str | None], str]
"""How the caller gives a part by name: the part, and its value or None for a column yet to be chosen."""

MIN_CLUSTERS = 20  # fewer groups say little about the spread between groups


def flag(part: str, value: str | None) -> str:
    """Return the option of the command line."""
    return f"--{part} COLUMN" if value is None else f'--{part} "{value}"'


@dataclass(frozen=True)
class ColumnProfile:
    """What a column holds.

    Attributes
    ----------
    missing: nulls and NaN. distinct: different values besides those.
    values: the different values as text, sorted, where there are at most 3; else empty.
    lowest, highest: of numbers, infinities included; absent without any.
    """

    name: str
    kind: Kind
    rows: int
    missing: int
    distinct: int
    values: tuple[str, ...] = ()
    lowest: float | None = None
    highest: float | None = None

    @property
    def numeric(self) -> bool:
        return self.kind in ("integer", "number") or self.rows == self.missing  # an empty column has no kind

    @property
    def only_0_and_1(self) -> bool:
        zeros_and_ones = bool(self.values) and set(self.values) <= words.ZERO_ONE
        return self.distinct > 0 and (self.kind == "bool" or (self.numeric and zeros_and_ones))


@dataclass(frozen=True)
class Recipe:
    """How a table becomes labels of 0 and 1 and scores in [0, 1]: names of columns, never positions.

    Attributes
    ----------
    label: absent in a champion's table without labels. negative, positive: the label's values as text.
    percents: columns to divide by 100.
    """

    label: str | None
    negative: str | None
    positive: str | None
    percents: tuple[str, ...]


@dataclass(frozen=True)
class Guess:
    """What was guessed, and why, in sentences for a reader."""

    columns: Columns
    recipe: Recipe
    cluster: str | None
    reasons: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the JSON document that stands in place of a spec."""
        return {
            "columns": self.columns.document(),
            "recipe": {name: value for name, value in asdict(self.recipe).items() if value is not None},
            **({"cluster": self.cluster} if self.cluster else {}),
        }


def guess(
    profiles: Sequence[ColumnProfile],
    *,
    where: str,
    label: str | None = None,
    score: str | None = None,
    champion: str | None = None,
    positive: str | None = None,
    cluster: str | None = None,
    key: Sequence[str] = (),
    elsewhere: bool = False,
    option: Option = flag,
) -> Guess:
    """Guess the part that each column plays; what is given is not guessed.

    Parameters
    ----------
    where: the file's name, for errors. positive: the label's value that counts as 1. elsewhere: the champion's scores are
        another table's, and a column that looks like them plays no part. option: how remedies name a part.

    Raises
    ------
    UsageError (exit 2): nothing fits, or more than one thing does (with the candidates and the flag); a score column of
        only 0 and 1; scores outside [0, 1] that are no percents; a label of more than two values.
    """
    table = _Columns(profiles, where, option)
    for name in (label, score, champion, cluster, *key):
        if name is not None:
            table.named(name)
    found_label, label_reason = _label(table, label)
    negative, positive_value, mapping = _direction(table, found_label, positive)
    taken = {found_label.name}
    found_score = _Scores(table, "score", taken).find(score)
    taken |= set(found_score.names)
    champions = _Scores(table, "champion", taken)
    found_champion = champions.find(champion) if champion else champions.guess_or_none()
    taken |= set(found_champion.names) if found_champion else set()
    if elsewhere:
        found_champion = None
    parts = [found_score, *([found_champion] if found_champion else [])]
    found_key, found_cluster, found_time = _others(table, taken, list(key), cluster)
    reasons = [label_reason, *mapping, *(reason for part in parts for reason in part.reasons)]
    if found_cluster and not cluster:
        reasons.append(f'clusters: rows with the same "{found_cluster}" hang together')
    return Guess(
        columns=Columns(
            label=found_label.name,
            key=tuple(found_key),
            time=found_time,
            score=found_score.chosen,
            champion_score=found_champion.chosen if found_champion else None,
        ),
        recipe=Recipe(
            label=found_label.name,
            negative=negative,
            positive=positive_value,
            percents=tuple(part.chosen for part in parts if part.scale == "percent"),
        ),
        cluster=found_cluster,
        reasons=tuple(reasons),
    )


def guess_champion_file(
    profiles: Sequence[ColumnProfile], own: Guess, *, where: str, score: str | None = None, option: Option = flag
) -> tuple[str, Recipe, tuple[str, ...]]:
    """Guess the score column of a champion's own file: named as the candidate's, or what looks like one.

    Returns the column, how to normalise the file, and the reasons. Raises as `guess`.
    """
    table = _Columns(profiles, where, option)
    label = own.recipe.label if own.recipe.label in table.by_name else None
    taken = {name for name in (label, *own.columns.key, own.cluster) if name}
    same = own.columns.score if own.columns.score in table.by_name else None
    found = _Scores(table, "champion", taken, own_file=True).find(score or same)
    percents = (found.chosen,) if found.scale == "percent" else ()
    recipe = Recipe(label=label, negative=own.recipe.negative, positive=own.recipe.positive, percents=percents)
    return found.chosen, recipe, found.reasons


class _Columns:
    """The columns of one file, and how errors about them are said."""

    def __init__(self, profiles: Sequence[ColumnProfile], where: str, option: Option) -> None:
        self.profiles = profiles
        self.option = option
        self.by_name = {profile.name: profile for profile in profiles}
        self.where = where

    def named(self, name: str) -> ColumnProfile:
        if name in self.by_name:
            return self.by_name[name]
        remedy = did_you_mean(name, self.by_name)
        raise UsageError(f'no column "{name}"', code="column.unknown", where=self.where, remedy=remedy)

    def refuse(self, part: str, message: str, remedy: str | None) -> UsageError:
        return UsageError(f"{part}: {message}", code=f"guess.{part}", where=self.where, remedy=remedy)

    def several(self, part: str, names: Sequence[str]) -> UsageError:
        shown = ", ".join(f'"{name}"' for name in names)
        return self.refuse(part, f"could be {shown}", f"say which: {self.option(part, names[0])}")

    def none(self, part: str, what: str, remedy: str | None = None) -> UsageError:
        shown = ", ".join(f'"{profile.name}"' for profile in self.profiles[:12])
        return self.refuse(
            part, f"{what} among {shown or 'no columns'}", remedy or f"name it: {self.option(part, None)}"
        )


def _label(table: _Columns, given: str | None) -> tuple[ColumnProfile, str]:
    if given is not None:
        profile = table.named(given)
        if not _two_values(profile):
            raise _many_values(table, profile)
        return profile, f'label: column "{given}", as given'
    named = [profile for profile in table.profiles if words.is_label(profile.name)]
    fitting = [profile for profile in named if _two_values(profile)]
    if len(fitting) == 1:
        return fitting[0], f'label: column "{fitting[0].name}", by its name'
    if len(fitting) > 1:
        raise table.several("label", [profile.name for profile in fitting])
    if named:
        raise _many_values(table, named[0])
    by_content = [profile for profile in table.profiles if _looks_like_label(profile)]
    if len(by_content) == 1:
        return by_content[0], f'label: column "{by_content[0].name}", the only one with two values of a label'
    if by_content:
        raise table.several("label", [profile.name for profile in by_content])
    raise table.none("label", "no column looks like one of two classes", f"{_SPEC}; {_other(table)}")


def _two_values(profile: ColumnProfile) -> bool:
    return profile.distinct <= 2 and profile.kind in ("bool", "integer", "number", "text")


def _looks_like_label(profile: ColumnProfile) -> bool:
    if words.is_score(profile.name) or words.is_champion(profile.name) or profile.distinct != 2:
        return False
    if profile.kind == "bool" or label_pair(profile.values) is not None:
        return True
    return profile.kind == "text" and words.direction(profile.values, profile.name) is not None


_MANY = 20
"""Numbers of more different values than this are amounts and no classes."""


def _many_values(table: _Columns, profile: ColumnProfile) -> UsageError:
    amounts = profile.kind == "number" or (profile.kind == "integer" and profile.distinct > _MANY)
    holds, task = ("numbers", "numeric") if amounts else ("values", "multiclass")
    what = f'"{profile.name}" has {profile.distinct:,} different {holds}, and a bare file is judged as of two classes'
    if profile.kind not in ("number", "integer", "text"):
        return table.refuse("label", what, f"name another: {table.option('label', None)}")
    return table.refuse("label", what, f"for a {task} model `gates init` writes a spec (task: {task}); {_other(table)}")


def _other(table: _Columns) -> str:
    return f"else name the label: {table.option('label', None)}"


_SPEC = "for numbers or several classes `gates init` writes a spec (task: numeric, multiclass)"


def _direction(
    table: _Columns, label: ColumnProfile, positive: str | None
) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Find which of the label's values counts as 1."""
    if positive is not None:
        if label.values and positive not in label.values:
            shown = ", ".join(f'"{value}"' for value in label.values)
            raise table.refuse("positive", f'"{label.name}" has no value "{positive}"', f"it has {shown}")
        others = [value for value in label.values if value != positive]
        return (others[0] if others else None), positive, (f'"{positive}" counts as 1, as given',)
    found = label_pair(label.values) or words.direction(label.values, label.name)
    if found is None and label.values:
        shown = " or ".join(f'"{value}"' for value in label.values)
        message = f'"{label.name}": which value is 1, {shown}?'
        raise table.refuse("positive", message, f"say which: {table.option('positive', label.values[-1])}")
    negative, one = found or (None, None)
    plain = label.kind == "bool" or set(label.values) <= words.ZERO_ONE
    if plain or one is None:
        return negative, one, ()
    return negative, one, (f'"{one}" counts as 1' + (f', "{negative}" as 0' if negative else ""),)


@dataclass(frozen=True)
class _Score:
    """The chosen column of scores, with its twin for the other class where there is one."""

    chosen: str
    names: tuple[str, ...]
    scale: Scale
    reasons: tuple[str, ...]


class _Scores:
    """The search for one model's scores among the columns that have no other part."""

    def __init__(
        self, table: _Columns, part: Literal["score", "champion"], taken: set[str], *, own_file: bool = False
    ) -> None:
        self._table, self._part = table, part
        self._free = [profile for profile in table.profiles if profile.name not in taken and profile.numeric]
        self._is_named = words.is_champion if part == "champion" and not own_file else words.is_score
        if own_file:
            self._is_named = lambda name: words.is_score(name) or words.is_champion(name)
        self._what = f"{part}s" if part == "score" else "champion's scores"

    def find(self, given: str | None) -> _Score:
        if given is not None:
            return self._checked(self._table.named(given), (given,), f'column "{given}"')
        found = self._by_name() or self._by_content()
        if found is None:
            raise self._nothing()
        return found

    def guess_or_none(self) -> _Score | None:
        """A champion is optional: what has its name but not its contents is another thing, not an error."""
        self._free = [p for p in self._free if not p.only_0_and_1 and _scale(p) is not None]
        return self._by_name()

    def _by_name(self) -> _Score | None:
        named = [profile for profile in self._free if self._is_named(profile.name)]
        soft = [profile for profile in named if not profile.only_0_and_1]
        named = soft or named  # a predicted class beside its probability is not the score
        if len(named) == 2 and (twins := words.twins(named[0].name, named[1].name)):
            names, chosen = twins, self._table.named(twins[1])
            return self._checked(chosen, names, f'column "{chosen.name}"; "{names[0]}" is the other class')
        if len(named) > 1:
            raise self._table.several(self._part, [profile.name for profile in named])
        return self._checked(named[0], (named[0].name,), f'column "{named[0].name}", by its name') if named else None

    def _by_content(self) -> _Score | None:
        fitting = [
            profile
            for profile in self._free
            if profile.kind == "number" and profile.distinct > 2 and _scale(profile) == "probability"
        ]
        if len(fitting) > 1:
            raise self._table.several(self._part, [profile.name for profile in fitting])
        if not fitting:
            return None
        name = fitting[0].name
        return self._checked(fitting[0], (name,), f'column "{name}", the only one within [0, 1]')

    def _nothing(self) -> UsageError:
        text = [p.name for p in self._table.profiles if p.kind in ("text", "bool") and self._is_named(p.name)]
        if text:
            return self._table.refuse(
                self._part, f'"{text[0]}" does not hold numbers', "give the probability, not the class"
            )
        return self._table.none(self._part, "no column looks like one")

    def _checked(self, profile: ColumnProfile, names: tuple[str, ...], reason: str) -> _Score:
        if not profile.numeric and profile.rows > profile.missing:
            what = "holds classes" if profile.only_0_and_1 else f"holds no numbers but {profile.kind}"
            raise self._table.refuse(self._part, f'"{profile.name}" {what}', "give the probability, not the class")
        if profile.only_0_and_1:
            raise UsageError(
                f'{self._part}: "{profile.name}" has only 0 and 1',
                code="score.classes",
                where=self._table.where,
                remedy="give the probability (predict_proba), not the predicted class",
            )
        scale = _scale(profile)
        if scale is None:
            raise UsageError(
                f'{self._part}: "{profile.name}" goes from {profile.lowest:g} to {profile.highest:g}',
                code="score.outside",
                where=self._table.where,
                remedy="give probabilities in [0, 1], or percents from 0 to 100",
            )
        percent = (f'"{profile.name}" holds percents: divided by 100',) if scale == "percent" else ()
        return _Score(profile.name, names, scale, (f"{self._what}: {reason}", *percent))


def _scale(profile: ColumnProfile) -> Scale | None:
    """Probability, percent or neither. A few values just over 1 are an error, not percents."""
    low, high = profile.lowest, profile.highest
    if low is None or high is None or (low >= 0 and high <= 1):
        return "probability"
    if low < 0 or high > 100:
        return None
    return "percent" if high >= 10 or words.is_percent(profile.name) else None


def _others(
    table: _Columns, taken: set[str], key: list[str], cluster: str | None
) -> tuple[list[str], str | None, str | None]:
    """Key, cluster and time: used only where there is one candidate; an unsure guess is no guess."""
    free = [profile for profile in table.profiles if profile.name not in taken]
    keys = [p.name for p in free if words.is_key(p.name) and p.distinct == p.rows > 0 and not p.missing]
    groups = [p.name for p in free if words.is_cluster(p.name) and MIN_CLUSTERS <= p.distinct < p.rows]
    times = [p.name for p in free if p.kind == "time"]
    return (
        key or (keys if len(keys) == 1 else []),
        cluster or (groups[0] if len(groups) == 1 else None),
        times[0] if len(times) == 1 else None,
    )
