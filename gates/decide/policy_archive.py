"""A policy set as one text, so that it can be carried where no store is: in the rollback pack."""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from gates.bundle.canonical import canonical_bytes
from gates.bundle.trust import Trust
from gates.decide.policies import PolicySet
from gates.errors import EvidenceError
from gates.records.base import Digest

_MOST = 64_000_000
"""Bytes of a set when unpacked; beyond it there is none."""


def pack_policies(policies: PolicySet) -> str:
    """Return files and module, compressed, in base64."""
    files = {path: base64.b64encode(content).decode() for path, content in policies.files.items()}
    document = {"files": files, "module": base64.b64encode(policies.module).decode()}
    return base64.b64encode(zlib.compress(canonical_bytes(document), 9)).decode()


def unpack_policies(text: str, digest: Digest, trust: Trust, *, where: str) -> PolicySet:
    """Bring a policy set back; it must have the digest.

    Raises
    ------
    EvidenceError: `policy.archive`.
    """
    try:
        stream = zlib.decompressobj()
        content = stream.decompress(base64.b64decode(text, validate=True), _MOST)
        document = json.loads(content)
        files = {str(path): base64.b64decode(body, validate=True) for path, body in document["files"].items()}
        policies = PolicySet(files, base64.b64decode(document["module"], validate=True), trust)
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error, binascii.Error) as error:
        raise EvidenceError("policies that cannot be read", code="policy.archive", where=where) from error
    if policies.digest != digest:
        raise EvidenceError(f"are the policies {policies.digest}, not {digest}", code="policy.archive", where=where)
    return policies
