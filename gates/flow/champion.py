"""What the champion was judged by: contracts, definitions of features and its code's revision, from its own sealed bundle.

The ledger holds the decision that let it serve, and the decision names the bundle. A spec's `champion_contract` and
`champion_definitions` stand where there is no such bundle: in development, and beside a champion that was adopted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gates.bundle.pack import load_bundle
from gates.measure.interface import DEFINITIONS_NOTE, contract_note
from gates.records import Bundle, Digest, ModelVersion, Plan, Table
from gates.records.release import Slot

if TYPE_CHECKING:
    from gates.apply.ledger.chain import Chain
    from gates.bundle.store import Store

_ANCHOR = "#"


class ChampionDocuments:
    """Names documents of the champion's bundle in a plan's tables, by digest.

    Attributes
    ----------
    revision: of the champion's code; None where no bundle says.

    Parameters
    ----------
    chain, champion: None where there is no ledger, or no champion.

    Raises
    ------
    EvidenceError: the store lacks the bundle that the decision names, or it was changed.
    """

    def __init__(self, chain: Chain | None, slot: Slot, champion: ModelVersion | None, store: Store) -> None:
        self._attached: dict[str, Digest] = {}
        self._plan: Plan | None = None
        self.revision: str | None = None
        sealed = None if chain is None or champion is None else _bundle(chain, slot, champion)
        if sealed is not None:
            opened = load_bundle(store, sealed)
            self._attached = _attachments(opened.record)
            self._plan = opened.plan
            self.revision = opened.record.metadata.code_revision if opened.record.metadata else None

    def beside(self, tables: tuple[Table, ...]) -> tuple[Table, ...]:
        """Return the tables, those with a contract or definitions with the champion's beside them."""
        return tuple(table.model_copy(update=self._of(table)) for table in tables) if self._plan else tables

    def _of(self, table: Table) -> dict[str, str]:
        found: dict[str, str] = {}
        contract = self._attached.get(contract_note(table.role))
        if table.contract is not None and contract is not None:
            found["champion_contract"] = contract + self._object(table)
        definitions = self._attached.get(DEFINITIONS_NOTE)
        if table.definitions is not None and definitions is not None:
            found["champion_definitions"] = definitions
        return found

    def _object(self, table: Table) -> str:
        """The part of a contract of several tables that the champion's table was, as `#NAME`; nothing where none was said."""
        named = next((t.contract for t in self._plan.tables if t.role == table.role), None) if self._plan else None
        _, anchor, name = (named or "").partition(_ANCHOR)
        return anchor + name


def _bundle(chain: Chain, slot: Slot, champion: ModelVersion) -> Digest | None:
    """The bundle of the newest decision that let this version serve there, and that was carried out."""
    from gates.apply.ledger.promotion import decision_of

    done = {known.release.decision_digest for known in chain.slot(slot).known.values()}
    for each in reversed(chain.entries):
        entry = each.entry
        if entry.kind != "intent" or entry.slot != slot or entry.decision is None or entry.after is None:
            continue
        if entry.after.approved.digest == champion.digest and entry.after.decision_digest in done:
            return decision_of(entry).decision.bundle_digest
    return None


def _attachments(bundle: Bundle) -> dict[str, Digest]:
    return {attachment.name: attachment.digest for attachment in bundle.attachments}
