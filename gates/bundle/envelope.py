"""DSSE envelopes over in-toto Statements: seal, and open by checking first and parsing exactly those bytes.

Only canonical envelopes are accepted (RFC 8785 JSON, canonical base64, each key once), so that no two byte strings
carry the same statement and a flipped bit is always found. Each signature carries its public key; the key id is that
key's digest. DSSE 1.0 protocol; in-toto Statement v1 (in-toto/attestation spec/v1).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gates.bundle.canonical import canonical_bytes, parse_json
from gates.bundle.keys import Signer, key_id_of, public_from_pem
from gates.errors import EvidenceError
from gates.records.base import Digest
from gates.records.release import PublicKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True)
class Opened:
    """A statement whose signatures were verified.

    Attributes
    ----------
    key_ids: ids of the keys that signed it, in the envelope's order. Whether they count is for trust to say.
    """

    statement: dict[str, Any]
    predicate: dict[str, Any]
    predicate_type: str
    subjects: tuple[tuple[str, Digest], ...]
    key_ids: tuple[str, ...]


def seal(
    statement_type: str, subjects: Sequence[tuple[str, Digest]], predicate: dict[str, Any], *signers: Signer
) -> bytes:
    """Return the canonical bytes of a DSSE envelope around an in-toto statement, signed by each signer.

    Parameters
    ----------
    subjects: (name, digest) of the immutable things that the statement is about; at least one.
    """
    if not signers or not subjects:
        raise EvidenceError("a statement needs a subject and a signer", code="envelope.incomplete")
    payload = canonical_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}} for name, digest in subjects
            ],
            "predicateType": statement_type,
            "predicate": predicate,
        }
    )
    signed = pae(payload)
    return canonical_bytes(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {
                    "keyid": signer.public.key_id,
                    "sig": base64.b64encode(signer.sign(signed)).decode(),
                    "public_key": signer.public.pem,
                }
                for signer in signers
            ],
        }
    )


def open_envelope(
    raw: bytes, keys: Iterable[PublicKey] | None = None, *, expect: str | None = None, where: str | None = None
) -> Opened:
    """Verify every signature of an envelope, then parse the statement.

    Parameters
    ----------
    keys: where given, at least one signature must be by one of these, and only these are reported.
    expect: the predicate type that the caller reads.

    Raises
    ------
    EvidenceError: malformed or not canonical bytes, a signature that does not verify, another type.
    """
    document = parse_json(raw, where=where)
    try:
        if canonical_bytes(document) != raw:
            raise EvidenceError("the envelope is not in canonical form", code="envelope.malformed", where=where)
        if document["payloadType"] != PAYLOAD_TYPE:
            raise EvidenceError("not an in-toto envelope", code="envelope.malformed", where=where)
        payload = _decode(document["payload"])
        key_ids = _verify(payload, document["signatures"], where)
        statement = parse_json(payload, where=where)
        if canonical_bytes(statement) != payload or statement["_type"] != STATEMENT_TYPE:
            raise EvidenceError("not an in-toto statement", code="envelope.malformed", where=where)
        opened = Opened(
            statement=statement,
            predicate=dict(statement["predicate"]),
            predicate_type=str(statement["predicateType"]),
            subjects=tuple((str(s["name"]), f"sha256:{s['digest']['sha256']}") for s in statement["subject"]),
            key_ids=_known(key_ids, keys, where),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError("not a signed statement", code="envelope.malformed", where=where) from error
    if expect is not None and opened.predicate_type != expect:
        raise EvidenceError(
            f"a statement of type {opened.predicate_type} where {expect} is read", code="envelope.type", where=where
        )
    return opened


def pae(payload: bytes) -> bytes:
    """What is signed: DSSE 1.0's pre-authentication encoding of a payload of our type.

    `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`, lengths in decimal digits.
    """
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _decode(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("base64 with slack bits")
    return raw


def _verify(payload: bytes, signatures: Sequence[dict[str, str]], where: str | None) -> tuple[str, ...]:
    from cryptography.exceptions import InvalidSignature

    if not signatures:
        raise EvidenceError("no signature", code="envelope.unsigned", where=where)
    signed = pae(payload)
    key_ids = []
    for signature in signatures:
        public = public_from_pem(signature["public_key"], where=where)
        key_id = key_id_of(public)
        try:
            public.verify(_decode(signature["sig"]), signed)
        except InvalidSignature as error:
            raise EvidenceError("a signature does not verify", code="envelope.signature", where=where) from error
        if key_id != signature["keyid"] or key_id in key_ids:
            raise EvidenceError("a key id that is not its key's", code="envelope.signature", where=where)
        key_ids.append(key_id)
    return tuple(key_ids)


def _known(key_ids: tuple[str, ...], keys: Iterable[PublicKey] | None, where: str | None) -> tuple[str, ...]:
    if keys is None:
        return key_ids
    wanted = {key.key_id for key in keys}
    known = tuple(key_id for key_id in key_ids if key_id in wanted)
    if not known:
        raise EvidenceError("signed by none of the keys that count here", code="envelope.unlisted_key", where=where)
    return known
