"""The trust policy's data: who may measure, approve, decide, apply and change policies, by key.

Written by the policy owners (`trust.yaml`), read by Rego as `data.trust`, in force by its digest in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from gates.bundle.canonical import digest_document
from gates.bundle.keys import key_id_of, public_from_pem
from gates.bundle.plain_yaml import parse_yaml
from gates.errors import EvidenceError, UsageError
from gates.records.base import Digest, Environment, Name, Record
from gates.records.names import as_called, folded
from gates.records.release import PublicKey

# `policy` activates policies and trust, as the owners of entry 0 do, in the environments where it is in force already.
# `monitor` demands less traffic for what is rolled out, and never more.
Role = Literal[
    "policy", "measure", "decide", "apply", "monitor", "approve:ml-owner", "approve:risk", "approve:business-owner"
]


class TrustedKey(Record):
    """A key, whose it is, and what it may do. `person` is who answers for it: persons are counted, not keys.

    `environments` empty means all. `names` are what the person is called elsewhere: addresses of commits, accounts.
    """

    key_id: str
    pem: str
    identity: Name
    person: Name
    roles: tuple[Role, ...]
    environments: tuple[Environment, ...] = ()
    names: tuple[Name, ...] | None = None

    @model_validator(mode="after")
    def _id_is_the_keys(self) -> TrustedKey:
        try:
            actual = key_id_of(public_from_pem(self.pem))
        except EvidenceError as error:
            raise ValueError(error.message) from error
        if actual != self.key_id:
            raise ValueError("key_id is not the digest of pem")
        return self

    @property
    def who(self) -> str:
        """The person, by which persons are counted: whoever is written in two ways is one."""
        return folded(self.person)

    @property
    def public(self) -> PublicKey:
        return PublicKey(key_id=self.key_id, pem=self.pem, identity=self.identity)


class Trust(Record):
    """All keys that count."""

    keys: tuple[TrustedKey, ...] = ()

    @model_validator(mode="after")
    def _each_key_once(self) -> Trust:
        if len({key.key_id for key in self.keys}) != len(self.keys):
            raise ValueError("a key occurs twice")
        return self

    @property
    def digest(self) -> Digest:
        return digest_document(self.document())

    def data(self) -> dict[str, Any]:
        """What policies see as `data.trust`: the document, and of each key whose it is and all that its owner is called.

        These two are no part of the digest. Policies from before they were there do not read them.
        """
        document = self.document()
        for key, said in zip(self.keys, document.get("keys", ()), strict=True):
            said["who"] = key.who
            said["called"] = sorted(as_called([key.identity, key.person, *(key.names or ())]))
        return document

    def find(self, key_id: str) -> TrustedKey | None:
        """The key as it is listed."""
        return next((key for key in self.keys if key.key_id == key_id), None)

    def persons(self, key_ids: Iterable[str]) -> set[str]:
        """Whose the keys are; one that is not listed is nobody's."""
        return {key.who for key_id in key_ids if (key := self.find(key_id))}

    def identity_of(self, key: PublicKey) -> str:
        """Who owns the key: by this document, and only where it does not list the key, by the key's own file."""
        return (self.find(key.key_id) or key).identity

    def allows(self, key_id: str, role: str, environment: str | None = None) -> bool:
        """Whether the key may act in the role (in the environment, where one is given)."""
        return any(
            key.key_id == key_id
            and role in key.roles
            and (environment is None or not key.environments or environment in key.environments)
            for key in self.keys
        )

    def allows_any(self, key_ids: Iterable[str], role: str, environment: str) -> bool:
        """Whether one of the keys may act in the role in the environment."""
        return any(self.allows(key_id, role, environment) for key_id in key_ids)


def load_trust(path: Path | None) -> Trust:
    """Read `trust.yaml`; without a path nobody is trusted.

    Raises
    ------
    UsageError: no such file, not YAML, or not a trust policy.
    """
    if path is None:
        return Trust()
    try:
        document = parse_yaml(path.read_bytes())
    except OSError as error:
        raise UsageError("no readable trust policy here", where=str(path), code="trust.missing") from error
    except ValueError as error:
        raise UsageError(f"not YAML: {error}", where=str(path), code="trust.invalid") from error
    try:
        return Trust.parse(document or {}, where=str(path))
    except EvidenceError as error:
        raise UsageError(error.message, where=str(path), code="trust.invalid") from error


def save_trust(path: Path, trust: Trust) -> None:
    """Write `trust.yaml` atomically."""
    import io

    from ruamel.yaml import YAML

    from gates.bundle.files import write_atomically

    text = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(trust.document(), text)
    header = "# Who may measure, approve, decide and apply. In force once `gates policy activate` has put its digest into the ledger.\n"
    write_atomically(path, (header + text.getvalue()).encode())
