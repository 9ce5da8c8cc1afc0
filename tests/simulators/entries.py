"""Entries written one by one, for tests of what a chain accepts: no saga, no surfaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulators.apply_world import MODEL, World, position_in, slot_in

from gates.apply.ledger.chain import Chain, trust_in
from gates.apply.ledger.shape import subjects_of
from gates.bundle.canonical import digest_bytes, parse_json
from gates.bundle.decisions import load_decision
from gates.bundle.envelope import seal
from gates.records import Digest, Entry, ModelVersion, Release, Route
from gates.records.release import ENTRY_TYPE


def release_of(environment: str, *shares: tuple[ModelVersion, int], decision: Digest | None = None) -> Release:
    """The last version is the approved one."""
    return Release(
        model=MODEL,
        environment=environment,
        routes=tuple(Route(version=version, percent=percent) for version, percent in shares),
        approved=shares[-1][0],
        decision_digest=decision,
    )


class Script:
    """Writes entries as they are told, right or wrong, and reads them back."""

    def __init__(self, world: World, raws: tuple[bytes, ...] | None = None) -> None:
        self.world = world
        self.root = (world.root / "root").read_text()
        self.raws = list(world.ledger.entries() if raws is None else raws)

    def chain(self) -> Chain:
        return Chain.read(self.raws, root=self.root, trust=trust_in(self.world.store))

    @property
    def head(self) -> Digest:
        return digest_bytes(self.raws[-1])

    def add(self, kind: str, *, by: str = "applier", **fields: Any) -> Digest:
        last = parse_json(self.raws[-1])
        document = {
            "sequence": len(self.raws),
            "previous": self.head,
            "kind": kind,
            "time_us": self._time(last),
            "actor": f"{by}@example.com",
            **fields,
        }
        entry = Entry.model_validate({key: value for key, value in document.items() if value is not None})
        self.raws.append(seal(ENTRY_TYPE, subjects_of(entry), entry.document(), self.world.key(by)))
        return self.head

    def seal(
        self,
        candidate: ModelVersion,
        text: str = "",
        holdout: str | None = "holdout",
        rows: Sequence[int] | None = None,
        **fields: Any,
    ) -> Digest:
        bundle = self.world.bundle(candidate, text=text, holdout=holdout, rows=rows)
        self.add(
            "sealed",
            bundle_digest=bundle.digest,
            candidate=candidate,
            holdout_digest=bundle.record.holdout_digest,
            holdout_sketch=bundle.record.holdout_sketch,
            **{"measured_us": bundle.measured_us, "by": "decider", **fields},
        )
        return bundle.digest

    def adopt(self, environment: str, version: ModelVersion, **fields: Any) -> Digest:
        state = self.chain().slot(slot_in(environment))
        return self.add(
            "adopt",
            **{
                "slot": slot_in(environment),
                "after": release_of(environment, (version, 100)),
                "before": state.standing.release,
                "expects": state.last_closing,
                "reason": "it serves already",
                **fields,
            },
        )

    def intend(
        self,
        environment: str,
        candidate: ModelVersion,
        *,
        bundle: Digest,
        percent: int = 100,
        decided: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Digest:
        """Write an intent that is right but for `fields`, on a decision that is right but for `decided`."""
        state = self.chain().slot(slot_in(environment))
        champion = state.standing.release.champion if state.standing.release else None
        kept = ((champion, 100 - percent),) if champion and percent < 100 else ()
        decision = self.world.decision(
            candidate,
            environment,
            champion=champion,
            bundle=bundle,
            percent=percent,
            **{"ledger": position_in(self.raws), **(decided or {})},
        )
        opened = load_decision(self.world.store, decision)
        return self.add(
            "intent",
            **{
                "slot": slot_in(environment),
                "action": "promote",
                "expects": state.last_closing,
                "before": state.standing.release,
                "after": release_of(environment, *kept, (candidate, percent), decision=opened.decision_id),
                "decision": parse_json(self.world.store.get(decision)),
                **fields,
            },
        )

    def close(self, environment: str, **fields: Any) -> Digest:
        move = self.chain().slot(slot_in(environment)).open
        assert move is not None
        return self.add(
            "outcome",
            **{
                "slot": slot_in(environment),
                "intent": move.digest,
                "status": "done",
                "observed": move.after.release,
                **fields,
            },
        )

    def roll_back(self, environment: str, to: Release, **fields: Any) -> Digest:
        state = self.chain().slot(slot_in(environment))
        return self.add(
            "rollback",
            **{
                "slot": slot_in(environment),
                "action": "rollback",
                "expects": state.last_closing,
                "before": state.standing.release,
                "after": to,
                "reason": "worse",
                **fields,
            },
        )

    def _time(self, last: Any) -> int:
        import base64

        return int(parse_json(base64.b64decode(last["payload"]))["predicate"]["time_us"]) + 1_000
