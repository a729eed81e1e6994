"""Each digest is mailed by itself: at least once, and under one Message-ID if twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.anchors.mail import MailServer
from bot.digest import Digests
from bot.digest_mail import DigestMail
from bot.mailing import AGAIN, Mailing
from storage.change import RowSql
from storage.digest_mails import DigestMailSql
from storage.message_models import OutboxRecord
from storage.store import SqlStore
from tests.bot.anchors.mailbox import Mailbox, receiving
from tests.bot.shown import no_version
from tests.stores import opened
from tests.world import Clock
from workflows.errors import StorageUnavailableError
from workflows.redaction import Redactor
from workflows.store import Subject


@dataclass
class Desk:
    """A store whose digests are mailed, and the box they go to."""

    store: SqlStore
    clock: Clock
    box: Mailbox
    recipients: tuple[str, ...] = ("lead@ops.example",)

    @property
    def digests(self) -> Digests:
        return Digests(
            self.store, list, version=no_version, now=self.clock, channel="ops", is_mailed=True
        )

    def process(self) -> Mailing:
        """Return what mails in one process."""
        server = MailServer(address=self.box.address, starttls=False)
        mail = DigestMail(server=server, sender="bot@ops.example", recipients=self.recipients)
        return Mailing(self.store, self.digests, mail, log_id="0f0f", channel="ops", now=self.clock)

    def notices(self) -> list[str]:
        wanted = select(OutboxRecord.body).where(OutboxRecord.subject == Subject.NOTICE)
        with self.store.database.read() as connection:
            return [str(one) for one in connection.execute(wanted).scalars()]


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    with opened(database_url, tmp_path, clock) as store, receiving(Mailbox()) as box:
        yield Desk(store, clock, box)


def test_a_digest_is_mailed_once_by_whichever_process_comes_first(desk: Desk) -> None:
    one, other = desk.process(), desk.process()
    made = desk.digests.post()
    looks = [one.look(), other.look(), one.look()]
    desk.clock.forward(timedelta(days=1))
    later = other.look()
    (message,) = desk.box.taken

    assert (looks, later) == ([True, False, False], False)
    assert message["Message-ID"] == f"<digest.{made.id}.0f0f@ops.example>"
    assert "Digest of" in message["Subject"]


def test_a_server_that_refuses_is_asked_again_and_the_channel_told_once(desk: Desk) -> None:
    process = desk.process()
    desk.digests.post()
    desk.box.refuses["RCPT"] = "550 nobody of that name"
    looks = [process.look(), process.look()]
    desk.clock.forward(AGAIN)
    looks.append(process.look())
    desk.clock.forward(AGAIN)
    desk.box.refuses.clear()
    taken = process.look()

    assert (looks, taken) == ([False] * 3, True)
    assert len(desk.box.taken) == 1
    assert ["a recipient" in one for one in desk.notices()] == [True]


@pytest.mark.parametrize(
    ("answer", "taken"), [("550 nobody of that name", True), ("451 not now", False)]
)
def test_one_who_is_refused_for_good_keeps_it_from_nobody_else(
    desk: Desk, answer: str, *, taken: bool
) -> None:
    desk.recipients = ("lead@ops.example", "gone@ops.example")
    desk.box.refuses["rcpt to:<gone@ops.example>"] = answer
    process = desk.process()
    desk.digests.post()
    looks = [process.look(), process.look()]
    (notice,) = desk.notices()

    assert (looks, len(desk.box.taken)) == ([taken, False], int(taken))
    assert ("refuses 1 recipient of the digest for good" in notice) is taken
    assert "gone@" not in notice


def test_a_process_that_dies_before_the_mark_is_followed_by_the_same_mail(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.digests.post()

    def dies(_rows: DigestMailSql, _digest: str) -> None:
        raise StorageUnavailableError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(DigestMailSql, "done", dies)
        with pytest.raises(StorageUnavailableError):
            desk.process().look()
    desk.clock.forward(AGAIN)
    desk.process().look()

    assert len(desk.box.taken) == 2
    assert len({one["Message-ID"] for one in desk.box.taken}) == 1


def test_a_digest_that_nobody_wants_by_mail_is_not_mailed(desk: Desk) -> None:
    Digests(desk.store, list, version=no_version, now=desk.clock, channel="ops").post()

    assert not desk.process().look()


def test_a_digest_whose_figures_are_gone_holds_up_no_other_and_is_not_due_again(desk: Desk) -> None:
    process = desk.process()
    gone = desk.digests.post()
    desk.clock.forward(timedelta(days=7))
    made = desk.digests.post()
    with desk.store.database.begin() as tx:
        RowSql(tx).run("UPDATE digest SET figures = ? WHERE id = ?", "null", gone.id)
    looks = [process.look() for _ in range(3)]
    desk.clock.forward(AGAIN)
    looks.append(process.look())
    (message,) = desk.box.taken

    assert looks == [True, True, False, False]
    assert message["Message-ID"] == f"<digest.{made.id}.0f0f@ops.example>"


def test_a_held_secret_is_kept_in_no_digest_and_so_leaves_with_none(desk: Desk) -> None:
    digests = Digests(
        desk.store,
        list,
        version=no_version,
        now=desk.clock,
        channel="ops",
        redact=Redactor(["correct-horse"]),
    )
    digests.tells_of_catalog(lambda _afresh: ["tidy-up has nobody; ask correct-horse."])
    kept = digests.kept(digests.post().id)

    assert kept is not None
    assert kept["exceptions"] == ["tidy-up has nobody; ask [secret removed]."]
