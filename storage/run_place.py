"""Where people find a run: its channel, its thread, and the card that asks for a decision."""

from dataclasses import dataclass

from sqlalchemy import Row, and_, func, select

from storage.message_models import OutboxRecord
from storage.outbox_values import MessagePlace
from storage.run_models import RequestRecord, RunRecord
from storage.transaction import Database
from workflows.errors import UnknownRunError
from workflows.store import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlace:
    """`channel` as it was named; thread and card once they were delivered."""

    channel: str
    thread: MessagePlace | None = None
    card: MessagePlace | None = None


def place_of_run(database: Database, run: str) -> RunPlace:
    """Return where a run stands, and its newest card.

    Raises:
        UnknownRunError: there is no such run.
    """
    places = select(OutboxRecord.place_channel, OutboxRecord.place_ts)
    channel = select(RunRecord.channel).where(RunRecord.id == run)
    with database.read() as connection:
        named = connection.execute(channel).scalar()
        if named is None:
            raise UnknownRunError(f"There is no run {run}.")
        root = connection.execute(
            places.where(OutboxRecord.subject == Subject.ROOT, OutboxRecord.key == run)
        ).first()
        card = connection.execute(
            places.join(
                RequestRecord,
                and_(
                    OutboxRecord.subject == Subject.CARD,
                    OutboxRecord.key == func.coalesce(RequestRecord.batch, RequestRecord.id),
                ),
            )
            .where(RequestRecord.run_id == run)
            .order_by(OutboxRecord.id.desc())
        ).first()
    return RunPlace(channel=named, thread=_place(root), card=_place(card))


def _place(row: Row[str | None, str | None] | None) -> MessagePlace | None:
    if row is None or row.place_channel is None or row.place_ts is None:
        return None
    return MessagePlace(channel=row.place_channel, ts=row.place_ts)
