"""The ledger as it stood at an earlier entry: what a decision saw is rebuilt from there, not believed."""

from __future__ import annotations

from collections.abc import Sequence

from gates.apply.ledger.chain import Chain, TrustByDigest
from gates.errors import EvidenceError
from gates.records.base import Digest


class Positions:
    """Verified chains by the sequence number of their last entry; each is verified once and extended from there.

    Parameters
    ----------
    envelopes: the ledger's canonical export. root: digest of entry 0, from outside the branch.
    """

    def __init__(self, envelopes: Sequence[bytes], *, root: Digest, trust: TrustByDigest) -> None:
        self._envelopes = tuple(envelopes)
        self._root = root
        self._trust = trust
        self._chains: dict[int, Chain] = {}

    def at(self, sequence: int) -> Chain:
        """Return the chain whose last entry has this sequence number.

        Raises
        ------
        EvidenceError: `ledger.*`: an entry up to there does not verify, or the ledger does not reach so far.
        """
        if not 0 <= sequence < len(self._envelopes):
            raise EvidenceError(
                f"the ledger has {len(self._envelopes)} entries, the decision saw entry {sequence}",
                code="ledger.truncated",
            )
        if sequence not in self._chains:
            below = [known for known in self._chains if known < sequence]
            if below:
                start = max(below)
                chain = self._chains[start].extended(self._envelopes[start + 1 : sequence + 1])
            else:
                chain = Chain.read(self._envelopes[: sequence + 1], root=self._root, trust=self._trust)
            self._chains[sequence] = chain
        return self._chains[sequence]
