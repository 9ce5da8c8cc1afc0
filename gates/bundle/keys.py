"""Ed25519 keys: made on request, or silently for development only.

A key id is the SHA-256 of the key's SubjectPublicKeyInfo, so that an envelope which carries the public key beside its
signature can be checked by itself; whether that key counts is what the trust policy says.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gates.bundle.files import write_atomically
from gates.errors import EvidenceError, UsageError
from gates.records.release import PublicKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_IDENTITY = "Identity: "


class Signer(Protocol):
    """Signs bytes under one identity."""

    @property
    def public(self) -> PublicKey: ...

    def sign(self, payload: bytes) -> bytes: ...


@dataclass(frozen=True)
class KeySigner:
    """A private key in memory."""

    private: Ed25519PrivateKey
    public: PublicKey

    @property
    def key_id(self) -> str:
        return self.public.key_id

    def sign(self, payload: bytes) -> bytes:
        return self.private.sign(payload)


def key_id_of(public: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def public_from_pem(pem: str, *, where: str | None = None) -> Ed25519PublicKey:
    """Parse a public key.

    Raises
    ------
    EvidenceError: not an Ed25519 public key in PEM.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise EvidenceError("not a public key in PEM", code="key.invalid", where=where) from error
    if not isinstance(key, Ed25519PublicKey):
        raise EvidenceError("not an Ed25519 key", code="key.invalid", where=where)
    if _pem_of(key) != pem:
        raise EvidenceError("a public key that is not in canonical PEM", code="key.invalid", where=where)
    return key


def _pem_of(public: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _public_key(private: Ed25519PrivateKey, identity: str) -> PublicKey:
    public = private.public_key()
    return PublicKey(key_id=key_id_of(public), pem=_pem_of(public), identity=identity)


def generate(path: Path, identity: str) -> KeySigner:
    """Make a key pair: `path` (PKCS #8 PEM, mode 600, with an identity line before it) and `path`.pub.

    Raises
    ------
    UsageError: the file exists already, cannot be written, or the identity is not one line of text.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if not identity or not identity.isprintable():
        raise UsageError("an identity is one line of text", code="key.identity")
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    signer = KeySigner(private, _public_key(private, identity))
    try:
        written = write_atomically(path, f"{_IDENTITY}{identity}\n{pem}".encode(), mode=0o600, replace=False)
        if written:
            public = f"{_IDENTITY}{identity}\n{signer.public.pem}".encode()
            write_atomically(path.with_name(path.name + ".pub"), public)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(path), code="key.unwritable") from error
    if not written:
        raise UsageError(
            "a key stands here already",
            where=str(path),
            code="key.exists",
            remedy="choose another path: keys are never overwritten",
        )
    return signer


def _identity_line(text: str) -> str | None:
    return next((line[len(_IDENTITY) :].strip() for line in text.splitlines() if line.startswith(_IDENTITY)), None)


def load_signer(path: Path) -> KeySigner:
    """Read a private key file.

    Raises
    ------
    UsageError: no such file, or not an Ed25519 private key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "no readable key here",
            where=str(path),
            code="key.missing",
            remedy=f"make one: gates keys new {path} --identity you@example.com",
        ) from error
    return parse_signer(text, default_identity=path.stem, where=str(path))


def parse_signer(text: str, *, default_identity: str, where: str | None = None) -> KeySigner:
    """Parse a private key's text; `Identity: ...` before the PEM names its owner.

    Raises
    ------
    UsageError: not an Ed25519 private key in PEM.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError("not a private key in PEM", where=where, code="key.invalid") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError("not an Ed25519 private key", where=where, code="key.invalid")
    return KeySigner(private, _public_key(private, _identity_line(text) or default_identity))


def load_public(path: Path) -> PublicKey:
    """Read a public key file, as `gates keys new` writes it.

    Raises
    ------
    UsageError: no such file. EvidenceError: not an Ed25519 public key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("no readable public key here", where=str(path), code="key.missing") from error
    begin = text.find("-----BEGIN")
    pem = text[begin:] if begin >= 0 else text
    name = path.name.removesuffix(".pub")
    return PublicKey(
        key_id=key_id_of(public_from_pem(pem, where=str(path))),
        pem=pem,
        identity=_identity_line(text) or Path(name).stem,
    )


def find_signer(environ: Mapping[str, str], key: str | None, *, environment: str, home: Path) -> KeySigner:
    """Find the key to sign with: `--key`, then `GATES_KEY` (a path, or the PEM itself), then the development key.

    The last is made silently on first use under `home`, for development only, and never where `CI` is set: a key that
    a CI job makes for itself would sign whatever the job measured.

    Raises
    ------
    UsageError: no key, and none may be made.
    """
    given = key or environ.get("GATES_KEY")
    if given:
        if "-----BEGIN" in given:
            return parse_signer(given, default_identity="GATES_KEY", where="GATES_KEY")
        return load_signer(Path(given))
    path = home / "development.pem"
    if environment != "development":
        raise UsageError(
            f"{environment} needs a key, and none was given",
            code="key.missing",
            remedy="pass --key FILE or set GATES_KEY (gates keys new FILE --identity you@example.com makes one)",
        )
    if path.exists():
        return load_signer(path)
    if environ.get("CI"):
        raise UsageError(
            "no key was given, and none is made where CI is set", code="key.missing", remedy="set GATES_KEY"
        )
    try:
        return generate(path, f"development@{os.uname().nodename}")
    except UsageError as error:
        if error.code != "key.exists":
            raise
        return load_signer(path)
