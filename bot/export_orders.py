"""What may be asked of the evidence: a pack of a range of the log, or the proof of one entry."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from bot.core import Core
from bot.order_form import OrderForm
from storage.evidence.disclosure import Disclosure
from storage.heads import proof_of, show_head
from storage.proofs import ProofError
from workflows.entry import Json
from workflows.errors import EvidenceError
from workflows.people import PersonId


class ExportOrder(OrderForm):
    """Write a pack to `out`, an absolute path on the machine of the process that serves."""

    do: Literal["export"] = "export"
    out: str = Field(max_length=4000)
    start: int = Field(default=0, ge=0)
    end: int | None = Field(default=None, ge=0)
    since: datetime | None = None
    until: datetime | None = None
    disclose: Disclosure = Disclosure.ALL
    parts: tuple[str, ...] = ()
    proofs: tuple[int, ...] = ()
    sample: int = Field(default=0, ge=0, le=10_000)
    seed: str = Field(default="", max_length=200)


class ProofOrder(OrderForm):
    """Prove that one entry stands in the log, under a head that is kept from then on."""

    do: Literal["proof"] = "proof"
    index: int = Field(ge=0)


def export_by_order(core: Core, order: ExportOrder, person: PersonId) -> Mapping[str, Json]:
    """Write the pack that `order` asks for."""
    from storage.evidence.export import Request, export  # noqa: PLC0415 - a bot that waits needs none of it.
    from storage.evidence.ranges import Bounds  # noqa: PLC0415 - as above.

    made = export(
        core.store,
        Request(
            out=Path(order.out),
            bounds=Bounds(start=order.start, end=order.end, since=order.since, until=order.until),
            disclose=order.disclose,
            parts=frozenset(order.parts),
            proofs=order.proofs,
            sample=order.sample,
            seed=order.seed,
            terms=core.policy.terms,
        ),
        person=person,
        now=core.means.clock(),
    )
    return {
        "ok": True,
        "pack": str(made.path),
        "range": [made.start, made.end],
        "size": made.head.size,
        "vkey": made.head.vkey,
        "manifest": made.manifest,
        "sampled": list(made.sampled),
        "rows": dict(made.rows),
        "files": made.files,
        "bytes": made.bytes,
    }


def prove_by_order(core: Core, order: ProofOrder, _person: PersonId) -> Mapping[str, Json]:
    """Return the proof that `order` asks for."""
    with core.memory.database.begin() as tx:
        shown = show_head(tx)
        try:
            text = proof_of(tx.connection, order.index)
        except ProofError as error:
            raise EvidenceError(str(error), hint="Name an entry of the log.") from error
    return {"ok": True, "index": order.index, "size": shown.size, "proof": text}
