"""What every record shares: frozen, strict about its fields, canonical when written."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gates.errors import EvidenceError

_DIGEST = r"^sha256:[0-9a-f]{64}$"

Digest = Annotated[str, StringConstraints(pattern=_DIGEST)]
"""Digest of exact bytes, `sha256:` and 64 hexadecimal digits."""

KeyId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A key's name: the SHA-256 of its SubjectPublicKeyInfo."""

RowDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
"""The first 16 hexadecimal digits of the MD5 of a row's key or content; no defence against rows made to collide."""

Micros = Annotated[int, Field(ge=0, lt=2**53)]
"""A time in UTC, integer microseconds since 1970-01-01; under 2^53 so that JSON keeps it exact."""

DAY_US = 86_400_000_000


def micros(time: datetime) -> int:
    """Return a time with its zone in microseconds since 1970, UTC."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def instant(time_us: int) -> datetime:
    """Return microseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(microseconds=time_us)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""A name that a person gave: any text on one line."""

Environment = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
"""A rung of the ladder; also a folder of limits and a part of alias names."""

Scalar = str | int | float | bool


def is_digest(text: str) -> bool:
    """Whether a text has the form of a Digest."""
    return re.fullmatch(_DIGEST, text) is not None


class Record(BaseModel):
    """A frozen, serialisable record: unknown fields, NaN and infinities are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    def document(self) -> dict[str, Any]:
        """Return the JSON document; a field without a value is absent, never null."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def parse(cls, document: object, *, where: str | None = None) -> Self:
        """Validate a JSON document.

        Raises
        ------
        EvidenceError: the first thing that is wrong, with its path in the document.
        """
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise EvidenceError(
                f"not a valid {cls.__name__}: {first_fault(error, '/')}", code="record.invalid", where=where
            ) from error


def slot_key(model: str, environment: str) -> str:
    """One text for a model in an environment: the subject of statements, and what a store lists under."""
    return f"{model}@{environment}"


def first_fault(error: ValidationError, between: str = ".") -> str:
    """Say where and what the first fault of a document is: `path: message`, or the message where it is the whole."""
    first = error.errors()[0]
    path = between.join(str(part) for part in first["loc"])
    return f"{path}: {first['msg']}" if path else first["msg"]


class ModelVersion(Record):
    """An immutable registry version, with the digest of its artifact bytes."""

    name: Name
    version: Name
    digest: Digest

    @property
    def uri(self) -> str:
        return f"models:/{self.name}/{self.version}"


SchemaVersion = Literal["v1"]
