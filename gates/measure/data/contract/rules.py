"""What a contract asks of a table, rule by rule, under names that people find again in the file. No engine yet.

A word that asks something and is not understood here is refused; one that says something which rows cannot break, or which
is another tool's to check, is listed as not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError
from gates.inputs.opened import Contract
from gates.measure.data.contract import sql
from gates.measure.data.contract.columns import Declared
from gates.measure.data.contract.conditions import Condition, Unsaid, allowed, among, either, option, pattern, physical
from gates.measure.data.contract.expects import OPERATORS, Expects
from gates.plan.nearest import did_you_mean

if TYPE_CHECKING:
    from open_data_contract_standard.model import DataQuality, Relationship, SchemaProperty

Location = tuple[str | int, ...]

NONE = Expects()
"""Not one row that breaks the rule."""


@dataclass(frozen=True)
class Rule:
    """What every kind of rule has.

    Attributes
    ----------
    name: `COLUMN.WORD`, or a word of the table's own; of its own in a contract. location: in the contract's file.
    columns: that it needs, by their names in the contract.
    """

    name: str
    location: Location
    columns: tuple[str, ...] = ()
    expects: Expects = NONE


@dataclass(frozen=True)
class TypeRule(Rule):
    """The column is there, and its values are of its logical type."""


@dataclass(frozen=True)
class RowRule(Rule):
    """Rows whose value breaks a condition."""

    broken: Condition = field(kw_only=True)


@dataclass(frozen=True)
class NullRule(Rule):
    """Rows without a value, in each value of some columns where those are named.

    Attributes
    ----------
    slices: columns by their names in the contract.
    """

    slices: tuple[str, ...] = ()


@dataclass(frozen=True)
class CountRule(Rule):
    """Rows of the table."""


@dataclass(frozen=True)
class SqlRule(Rule):
    said: sql.Rule = field(kw_only=True)


@dataclass(frozen=True)
class DistinctRule(Rule):
    """Rows beyond the first of their value; a null is one only in a key."""

    key: bool = False


@dataclass(frozen=True)
class ReferenceRule(Rule):
    """Rows whose values, none of them null, stand in no row of another table.

    Attributes
    ----------
    target: the other table, by the name of its object in the contract, or by its role. others: columns there.
    """

    target: str = field(kw_only=True)
    others: tuple[str, ...] = field(kw_only=True)


@dataclass(frozen=True)
class FreshRule(Rule):
    """Seconds beyond the allowed ones between the newest time and the one up to which the table claims to be complete."""

    seconds: float = field(kw_only=True)


@dataclass(frozen=True)
class Asked:
    """All that a contract asks of a table.

    Attributes
    ----------
    declared: columns by name. rules: names differ. unchecked: what nothing here looks at, in words.
    """

    declared: Mapping[str, Declared]
    rules: tuple[Rule, ...]
    unchecked: tuple[str, ...]


def asked(contract: Contract) -> Asked:
    """Read the rules of the table's object.

    Raises
    ------
    UsageError: a rule that cannot be understood, or names a column that the contract does not; with file and line.
    """
    reader = _Reader(contract)
    rules = tuple(_distinct(reader.rules()))
    return Asked(reader.declared, rules, tuple(reader.unchecked))


def _distinct(rules: Iterator[Rule]) -> Iterator[Rule]:
    """Number the rules that share a name."""
    seen: dict[str, int] = {}
    for rule in rules:
        seen[rule.name] = seen.get(rule.name, 0) + 1
        yield rule if seen[rule.name] == 1 else replace(rule, name=f"{rule.name} {seen[rule.name]}")


class _Reader:
    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._object = contract.object
        self._here: Location = ("schema", contract.place)
        self.unchecked: list[str] = []
        self.declared: dict[str, Declared] = {}
        for index, part in enumerate(self._object.properties or ()):
            name = part.name or ""
            if name in self.declared:
                raise self._refuse((*self._here, "properties", index), f'two columns are called "{name}"')
            self.declared[name] = Declared(name, part.physicalName or name, part.logicalType)

    def rules(self) -> Iterator[Rule]:
        for index, part in enumerate(self._object.properties or ()):
            yield from self._column(part, (*self._here, "properties", index))
        yield from self._key()
        for index, said in enumerate(self._object.quality or ()):
            yield from self._quality(said, (*self._here, "quality", index), None)
        for index, related in enumerate(self._object.relationships or ()):
            yield self._reference(related, (*self._here, "relationships", index), None)
        yield from self._latency()

    def _refuse(self, location: Location, message: str, remedy: str | None = None) -> UsageError:
        return UsageError(message, code="contract.rule", where=self._contract.where(location), remedy=remedy)

    def _known(self, name: object, location: Location) -> str:
        if not isinstance(name, str) or name not in self.declared:
            raise self._refuse(location, f'no column "{name}" in the contract', did_you_mean(str(name), self.declared))
        return name

    def _column(self, part: SchemaProperty, at: Location) -> Iterator[Rule]:
        name = part.name or ""
        yield TypeRule(f"{name}.type", at, (name,))
        if part.physicalType is not None:
            yield from self._physical(part, at)
        if part.required:
            yield NullRule(f"{name}.required", at, (name,))
        if part.unique:
            yield DistinctRule(f"{name}.unique", at, (name,))
        if part.enum:
            values = [each.value for each in part.enum]
            yield self._row(f"{name}.enum", (*at, "enum"), name, lambda: allowed(values, part.logicalType))
        yield from self._options(part, at)
        for index, said in enumerate(part.quality or ()):
            yield from self._quality(said, (*at, "quality", index), part)
        for index, related in enumerate(part.relationships or ()):
            yield self._reference(related, (*at, "relationships", index), name)
        if part.properties or part.items or part.map:
            self.unchecked.append(f"{name}: what is inside it")

    def _row(self, rule: str, at: Location, name: str, make: Any, expects: Expects = NONE) -> RowRule:
        try:
            return RowRule(rule, at, (name,), expects, broken=make())
        except Unsaid as error:
            raise self._refuse(at, f"{rule}: {error}") from None

    def _physical(self, part: SchemaProperty, at: Location) -> Iterator[Rule]:
        name, rule = part.name or "", f"{part.name}.physicalType"
        try:
            logical, conditions = physical(part.physicalType or "")
        except Unsaid as error:
            raise self._refuse((*at, "physicalType"), f"{rule}: {error}", "write it in SQL, or leave it out") from None
        if part.logicalType is None:
            self.declared[name] = Declared(name, self.declared[name].column, logical)
        elif not _agree(part.logicalType, logical):
            text = f"{rule}: {part.physicalType} holds no {part.logicalType}"
            raise self._refuse((*at, "physicalType"), text)
        elif logical == "string" and part.logicalType != "string":
            self.declared[name] = replace(self.declared[name], as_text=True)
            return
        for condition in conditions:
            yield RowRule(rule, at, (name,), broken=condition)

    def _options(self, part: SchemaProperty, at: Location) -> Iterator[Rule]:
        options = part.logicalTypeOptions or {}
        if options and part.logicalType is None:
            raise self._refuse((*at, "logicalTypeOptions"), f"{part.name}: options of which logicalType?")
        for word, said in options.items():
            rule, here = f"{part.name}.{word}", (*at, "logicalTypeOptions", word)
            try:
                condition = option(word, said, part.logicalType or "")
            except Unsaid as error:
                raise self._refuse(here, f"{rule}: {error}") from None
            if condition is None:
                self.unchecked.append(f"{rule}: {said}")
            else:
                yield RowRule(rule, here, (part.name or "",), broken=condition)

    def _key(self) -> Iterator[Rule]:
        parts = [part for part in self._object.properties or () if part.primaryKey]
        parts.sort(key=lambda part: part.primaryKeyPosition if part.primaryKeyPosition is not None else -1)
        names = tuple(part.name or "" for part in parts)
        if not names:
            return
        for part in parts:
            if not part.required:
                yield NullRule(f"{part.name}.primaryKey", self._here, (part.name or "",))
        yield DistinctRule("primaryKey", self._here, names, key=True)

    def _quality(self, said: DataQuality, at: Location, part: SchemaProperty | None) -> Iterator[Rule]:
        kind = said.type or "library"
        word = said.name or said.id or (said.metric if kind == "library" else kind) or kind
        rule = word if part is None else f"{part.name}.{word}"
        if kind in ("text", "custom"):
            self.unchecked.append(f"{rule}: {said.description or said.engine or kind}")
        elif kind == "sql":
            yield self._sql(said, at, part, rule)
        else:
            yield self._metric(said, at, part, rule)

    def _sql(self, said: DataQuality, at: Location, part: SchemaProperty | None, rule: str) -> Rule:
        names = tuple(name for name in (self._object.physicalName, self._object.name) if name)
        try:
            found = sql.parse(said.query or "", self.declared, names, part.name if part else None)
        except Unsaid as error:
            raise self._refuse((*at, "query"), f"{rule}: {error}") from None
        counted = found.per_row or found.counts
        return SqlRule(rule, at, found.columns, self._expects(said, at, rule, counted, sql=True), said=found)

    def _metric(self, said: DataQuality, at: Location, part: SchemaProperty | None, rule: str) -> Rule:
        name = part.name or "" if part else None
        known = {"duplicateValues", "rowCount"} if name is None else _METRICS
        metric = said.metric or ""
        if metric not in known:
            place = "a table" if name is None else "a column"
            raise self._refuse(at, f"{rule}: {metric} is no metric of {place}; one of: {', '.join(sorted(known))}")
        arguments = said.arguments or {}
        for word in arguments:
            if word not in _ARGUMENTS[metric]:
                remedy = did_you_mean(word, sorted(_ARGUMENTS[metric]))
                raise self._refuse((*at, "arguments", word), f'{rule}: unknown argument "{word}"', remedy)
        expects = self._expects(said, at, rule, counted=True)
        here = (*at, "arguments")
        if said.metric == "rowCount":
            return CountRule(rule, at, (), expects)
        if said.metric == "duplicateValues":
            several = arguments.get("properties", [name] if name is not None else [])
            names = tuple(self._known(each, here) for each in _list(several))
            if not names:
                raise self._refuse(at, f"{rule}: duplicates of which properties?")
            return DistinctRule(rule, at, names, expects, key=len(names) > 1)
        assert name is not None  # noqa: S101 - the other metrics are of a column
        if said.metric == "nullValues":
            slices = tuple(self._known(each, here) for each in _list(arguments.get("slices", [])))
            return NullRule(rule, at, (name, *slices), expects, slices)
        if said.metric == "missingValues":
            return self._missing(rule, here, name, arguments, expects)
        return self._invalid(rule, here, name, arguments, expects)

    def _missing(self, rule: str, at: Location, name: str, arguments: dict[str, Any], expects: Expects) -> Rule:
        values = _list(arguments.get("missingValues", [None]))
        logical = self.declared[name].logical

        return self._row(rule, at, name, lambda: among(values, logical), expects)

    def _invalid(self, rule: str, at: Location, name: str, arguments: dict[str, Any], expects: Expects) -> Rule:
        logical = self.declared[name].logical
        if not arguments:
            raise self._refuse(at, f"{rule}: what is valid?", "arguments: validValues or pattern")

        def make() -> Condition:
            made = [allowed(_list(arguments["validValues"]), logical)] if "validValues" in arguments else []
            return either(made + ([pattern(arguments["pattern"])] if "pattern" in arguments else []))

        return self._row(rule, at, name, make, expects)

    def _expects(self, said: DataQuality, at: Location, rule: str, counted: bool, *, sql: bool = False) -> Expects:
        operators = [word for word in OPERATORS if getattr(said, word) is not None]
        if len(operators) != 1:
            raise self._refuse(at, f"{rule}: needs exactly one of {', '.join(OPERATORS)}")
        number = getattr(said, operators[0])
        numbers = tuple(number) if isinstance(number, list) else (number,)
        if sql:
            numbers = tuple(int(each) if isinstance(each, bool) else each for each in numbers)
        if any(isinstance(each, bool) or not isinstance(each, int | float) for each in numbers):
            raise self._refuse((*at, operators[0]), f"{rule}: {operators[0]} needs a number")
        if len(numbers) == 2 and numbers[0] > numbers[1]:
            raise self._refuse((*at, operators[0]), f"{rule}: {operators[0]} names the smaller number first")
        if said.unit not in (None, "rows", "percent"):
            raise self._refuse((*at, "unit"), f'{rule}: unit "{said.unit}"', "rows or percent")
        percent = said.unit == "percent"
        if percent and (said.metric == "rowCount" or not counted):
            raise self._refuse((*at, "unit"), f"{rule}: percent of what?")
        return Expects(operators[0], numbers, percent, whole=counted)

    def _reference(self, related: Relationship, at: Location, name: str | None) -> Rule:
        ours = [name] if name is not None else [self._ends(each, at)[1] for each in _list(related.from_)]
        ends = [self._ends(each, at) for each in _list(related.to)]
        targets = {target for target, _ in ends}
        if len(ours) != len(ends) or len(targets) != 1:
            raise self._refuse(at, "a relationship is of as many columns of this table as of one other")
        target = targets.pop()
        names = tuple(self._known(each, at) for each in ours)
        rule = f"foreignKey to {target}" if name is None else f"{name}.foreignKey to {target}"
        return ReferenceRule(rule, at, names, target=target, others=tuple(other for _, other in ends))

    def _ends(self, text: object, at: Location) -> tuple[str, str]:
        """Read `object.property`, or `schema/ID/properties/ID` with the stable ids of this contract."""
        parts = str(text).split("/")
        if len(parts) == 4 and (parts[0], parts[2]) == ("schema", "properties"):
            for each in self._contract.standard.schema_ or ():
                for part in each.properties or ():
                    if (each.id, part.id) == (parts[1], parts[3]):
                        return each.name or "", part.name or ""
            raise self._refuse(at, f'nothing in the contract has the ids of "{text}"')
        target, dot, column = str(text).partition(".")
        if not dot or not target or not column or "/" in str(text):
            raise self._refuse(
                at, f'"{text}" is no column', "write OBJECT.PROPERTY; one of this contract, or a table's role"
            )
        return target, column

    def _latency(self) -> Iterator[Rule]:
        from gates.measure.data.contract.terms import authoritative, own_lags, seconds

        for lag in own_lags(self._contract):
            at: Location = ("slaProperties", lag.place)
            said = lag.said
            name = lag.column or authoritative(self._contract)
            if name is None:
                raise self._refuse(at, f"{said.property}: of which column?", f"element: {self._object.name}.COLUMN")
            allowed_s = seconds(said.value, said.unit)
            if allowed_s is None:
                text = f"{said.property}: {said.value} {said.unit or ''} is no time"
                raise self._refuse((*at, "value"), text.replace("  ", " "), "value: 4, unit: h (s, min, h, d, w or y)")
            yield FreshRule(f"{said.property} {self._known(name, at)}", at, (name,), seconds=allowed_s)


_METRICS = frozenset({"nullValues", "missingValues", "invalidValues", "duplicateValues"})
_ARGUMENTS = {
    "nullValues": {"slices"},
    "missingValues": {"missingValues"},
    "invalidValues": {"validValues", "pattern"},
    "duplicateValues": {"properties"},
    "rowCount": set[str](),
}


def _list(said: object) -> list[Any]:
    return said if isinstance(said, list) else [said]


def _agree(logical: str, physical: str) -> bool:
    """Whether a physical type holds values of a logical one: whole numbers fit into any number, moments into texts."""
    return logical == physical or {logical, physical} <= {"integer", "number"} or physical == "string"
