"""Says what each message of the outbox looks like now: its subject, read, then its view.

The drawing of runs stands in `rendering_run`, that of cards in `rendering_cards` and
`rendering_trouble`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.letters import Letter
from bot.rendering_away import absences_of, draw_deserted, draw_stand_in, stood_in_for
from bot.rendering_batches import draw_batch, is_growing
from bot.rendering_cards import DrawnCard, decisions_of, draw_card, preview_in
from bot.rendering_nudge import draw_batch_nudge, draw_nudge, person_of
from bot.rendering_outcome import draw_outcome
from bot.rendering_questions import question_of
from bot.rendering_run import draw_reply, draw_root, requester_of, run_of
from bot.run_reading import RunRead, RunReader
from bot.slack_client import Content
from bot.views.daily_head import daily_head
from bot.views.notice import notice, posted
from bot.views.pieces import Rendered
from bot.views.question_card import question_card
from storage.home_values import Told
from storage.journal import utc_now
from storage.outbox_values import MessagePlace, OutboxRow
from storage.store import SqlStore
from workflows.entry import PERSON, RequestId
from workflows.gate import ApprovalRequest
from workflows.store import Subject

ERASED = "What was asked here has been erased or cannot be read. Nothing can be decided here."

DrawDigest = Callable[[str], "Letter | None"]
DrawSummary = Callable[[OutboxRow], "Letter | None"]


class Rendering:
    """Draws rows of the outbox. `digest`, `files` of it and `summary` draw theirs, or none.

    `home` is the address of the bot's Home tab, empty where it is not known.
    """

    def __init__(
        self,
        store: SqlStore,
        reader: RunReader,
        *,
        digest: DrawDigest | None = None,
        files: DrawSummary | None = None,
        summary: DrawSummary | None = None,
        home: str = "",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._home = home
        self._now = now
        self._store = store
        self._reader = reader
        self._digest = digest
        self._files = files
        self._summary = summary
        self._drawers: dict[Subject, Callable[[OutboxRow], Letter | None]] = {
            Subject.ROOT: self._root,
            Subject.STEP: self._reply,
            Subject.CARD: self._card,
            Subject.DOUBT: self._doubt,
            Subject.TROUBLE: self._trouble,
            Subject.QUESTION: self._question,
            Subject.POST: self._post,
            Subject.OUTCOME: self._outcome,
            Subject.NUDGE: self._nudge,
            Subject.NOTICE: self._notice,
            Subject.DIGEST: self._digested,
            Subject.DIGEST_FILES: self._filed,
            Subject.HEAD: self._head,
            Subject.STAND_IN: self._stand_in,
            Subject.AWAY: self._deserted,
            Subject.CODES: self._codes,
            Subject.SUMMARY: self._summarised,
            Subject.REVIEW: self._review,
        }

    def render(self, row: OutboxRow) -> Letter | None:
        """Return the message as it stands now, None if there is nobody or nothing to tell.

        Raises:
            InterlockError: what it shows cannot be read just now.
        """
        return self._drawers[row.subject](row)

    def _root(self, row: OutboxRow) -> Letter:
        read = self._reader.run(run_of(row.key))
        drawn = draw_root(read, self._reader, self._store.outbox)
        return Letter(channel=row.channel, content=content_of(drawn))

    def _reply(self, row: OutboxRow) -> Letter | None:
        read = self._reader.run(run_of(row.run or ""))
        return _in_thread(row, draw_reply(read, row.key, self._reader, self._store.outbox))

    def _card(self, row: OutboxRow) -> Letter | None:
        request = self._store.request(RequestId(row.key))
        read = self._reader.run(request.run)
        if request.batch is not None:
            return self._batch(row, read, self._store.batch(request.batch))
        drawn = draw_card(read, request, row, reader=self._reader, places=self._store.outbox)
        if drawn is None:
            return _in_thread(row, notice(ERASED))
        return _card_letter(row, drawn)

    def _batch(
        self, row: OutboxRow, read: RunRead, asked: Sequence[ApprovalRequest]
    ) -> Letter | None:
        drawn = draw_batch(read, asked, row, reader=self._reader)
        if drawn is None:
            return _in_thread(row, notice(ERASED))
        letter = _card_letter(row, drawn)
        # Phones show the first wording only, so the items that follow at once are in it.
        may_wait = is_growing(read, asked, now=self._now())
        return letter and replace(letter, may_wait=may_wait)

    def _doubt(self, row: OutboxRow) -> Letter | None:
        from bot.rendering_trouble import draw_doubt  # noqa: PLC0415 - seldom sent.

        return _in_thread(row, draw_doubt(self._read(row), row.key, self._reader))

    def _trouble(self, row: OutboxRow) -> Letter | None:
        from bot.rendering_trouble import draw_trouble  # noqa: PLC0415 - seldom sent.

        return _in_thread(row, draw_trouble(self._read(row), row.key, self._reader))

    def _question(self, row: OutboxRow) -> Letter | None:
        asked = question_of(self._read(row), row.key, self._reader)
        return _in_thread(row, question_card(asked) if asked is not None else notice(ERASED))

    def _read(self, row: OutboxRow) -> RunRead:
        return self._reader.run(run_of(row.key))

    def _outcome(self, row: OutboxRow) -> Letter | None:
        read = self._read(row)
        person = requester_of(read)
        drawn = draw_outcome(read, self._reader.link(row.thread), told=self._told(read, row))
        if drawn is None or not person:
            return None
        goes_on = not read.listed.status.is_end
        return Letter(channel=person, content=content_of(drawn), may_wait=goes_on)

    def _told(self, read: RunRead, row: OutboxRow) -> Told:
        """Return what the requester wants to be told; what was told already is kept up."""
        requester = read.state.requester
        chose = self._store.homes.reader(requester.ref) if requester is not None else None
        return chose.told if chose is not None and row.place is None else Told.ALL

    def _nudge(self, row: OutboxRow) -> Letter | None:
        request = self._store.request(RequestId(row.key.partition("/")[0]))
        person, now = self._store.person(person_of(row)), self._now()
        if person is None:
            return None
        read = self._reader.run(request.run)
        draw = partial(draw_nudge, read, request)
        if request.batch is not None:
            draw = partial(draw_batch_nudge, read, self._store.batch(request.batch))
        place = self._store.outbox.place_of(Subject.CARD, request.id)
        drawn = draw(
            row,
            in_place_of=stood_in_for(self._store, person, at=now),
            acting=self._store.acting_for(request.excluded, at=now),
            card=self._reader.link(place),
            home=self._home,
        )
        return None if drawn is None else _beside_card(person, drawn, place)

    def _post(self, row: OutboxRow) -> Letter | None:
        said = row.body if isinstance(row.body, dict) else {}
        drawn = posted(str(said.get("text", "")), about=f"Run {row.run}" if row.run else "")
        channel = said.get("channel") or ""
        if not channel:
            return _in_thread(row, drawn)
        return Letter(channel=str(channel), content=content_of(drawn))

    def _notice(self, row: OutboxRow) -> Letter:
        said = row.body if isinstance(row.body, dict) else {}
        return Letter(channel=row.channel, content=content_of(notice(str(said.get("text", "")))))

    def _review(self, row: OutboxRow) -> Letter | None:
        from bot.rendering_reviews import draw_review  # noqa: PLC0415 - seldom sent.

        if self._is_for_nobody(row):
            return None
        drawn = draw_review(row, self._store, self._reader, now=self._now)
        return Letter(channel=row.channel, content=content_of(drawn))

    def _stand_in(self, row: OutboxRow) -> Letter | None:
        drawn = draw_stand_in(row.key, self._store)
        if drawn is None:
            return None
        return Letter(channel=drawn[0], content=content_of(drawn[1]))

    def _deserted(self, row: OutboxRow) -> Letter | None:
        request = self._store.request(RequestId(row.key))
        read = self._reader.run(request.run)
        preview = preview_in(read, request.id)
        person = requester_of(read)
        absences = absences_of(request, decisions_of(read, request), self._reader)
        if preview is None or not person or absences.back_at is None:
            return None
        place = self._store.outbox.place_of(Subject.CARD, request.id)
        drawn = draw_deserted(preview, absences.back_at, card=self._reader.link(place))
        return _beside_card(person, drawn, place)

    def _codes(self, row: OutboxRow) -> Letter | None:
        from bot.rendering_codes import draw_codes  # noqa: PLC0415 - seldom sent.

        drawn = None if self._is_for_nobody(row) else draw_codes(row.key, self._store.database)
        return None if drawn is None else Letter(channel=row.channel, content=content_of(drawn))

    def _is_for_nobody(self, row: OutboxRow) -> bool:
        """Say whether a message is for one person, and that person was erased."""
        ref = person_of(row)
        return ref.startswith(PERSON) and self._store.person(ref) is None

    def _digested(self, row: OutboxRow) -> Letter | None:
        return self._digest(row.key) if self._digest is not None else None

    def _filed(self, row: OutboxRow) -> Letter | None:
        return self._files(row) if self._files is not None else None

    def _head(self, row: OutboxRow) -> Letter | None:
        from bot.rendering_head import shown_head  # noqa: PLC0415 - seldom sent.

        shown = shown_head(row, self._store, self._reader)
        if shown is None:
            return None
        content = content_of(daily_head(shown))
        return Letter(channel=row.channel, content=content, shown={"note": shown.note})

    def _summarised(self, row: OutboxRow) -> Letter | None:
        return self._summary(row) if self._summary is not None else None


def _beside_card(person: str, drawn: Rendered, card: MessagePlace | None) -> Letter:
    """Write to somebody about a card, to which the message leads once that stands."""
    return Letter(channel=person, content=content_of(drawn), may_wait=card is None)


def _card_letter(row: OutboxRow, drawn: DrawnCard) -> Letter | None:
    letter = _in_thread(row, drawn.rendered, is_complete=drawn.is_complete)
    if letter is None:
        return None
    shown = drawn.receipt.whole if drawn.receipt is not None else letter.shown
    return replace(letter, shown=shown, is_over=drawn.is_over)


def _in_thread(
    row: OutboxRow, drawn: Rendered | None, *, is_complete: bool = True
) -> Letter | None:
    if drawn is None:
        return None
    return Letter(
        channel=row.channel, content=content_of(drawn), in_thread=True, is_complete=is_complete
    )


def content_of(drawn: Rendered) -> Content:
    """Return a view as the client sends it."""
    payload = drawn.payload
    return Content(text=payload["text"], blocks=payload["blocks"])
